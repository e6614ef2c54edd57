/** A step as its definition has it, with its edges: what a decision about one of its attempts may ask. Shared by all runs. */
import type { RetryPolicy } from "../definition/retry.ts";
import {
  type Step,
  type StepFields,
  type StepKind,
  type SubworkflowStep,
  stepOf,
  type TypedStep,
} from "../definition/step.ts";
import type { Tag } from "../definition/tag.ts";
import { type TemplateUse, templateOf } from "../definition/template.ts";
import type { StepAttempt, StepTemplate } from "./model.ts";

export interface StepNode {
  readonly id: string;
  readonly kind: StepKind;
  readonly body: StepFields;
  /** The body of a leaf step; undefined for one whose type is left to its job template, which is not known yet. */
  readonly typed: TypedStep | undefined;
  /** The job template that it names. */
  readonly template?: TemplateUse | undefined;
  readonly predecessors: readonly string[];
  /** Successor and the condition of the edge, in the order written. */
  readonly successors: readonly (readonly [id: string, condition: string])[];
}

/** Its work are other runs. */
export const isNested = ({ kind }: StepNode): boolean =>
  kind === "foreach" || kind === "while" || kind === "subworkflow";

/** It starts a run, and does not wait for it. */
export const isAsync = ({ kind, body }: StepNode): boolean =>
  kind === "subworkflow" && (body as SubworkflowStep).sync === false;

/** The policy that an attempt has still to read: the first one does, and the later ones carry it on. */
export const policyToRead = ({ typed }: StepNode, { retry }: Pick<StepAttempt, "retry">): RetryPolicy | undefined =>
  retry.plan === undefined ? typed?.retry_policy : undefined;

export function stepNode(
  step: Step,
  predecessors: readonly string[],
  successors: Readonly<Record<string, string>>,
): StepNode {
  const unwrapped = stepOf(step);
  const { kind, body } = unwrapped;
  const typed = kind === "step" ? body : undefined;
  const template = templateOf(unwrapped);
  const edges = { predecessors, successors: Object.entries(successors) };
  return { id: body.id, kind, body, typed, ...(template && { template }), ...edges };
}

/** The step as its job template makes it: with the template's tags beside its own, and with its type if it has none. */
export function withTemplate(node: StepNode, template: StepTemplate | undefined): StepNode {
  if (template === undefined) return node;
  const typed = node.typed ?? { ...node.body, type: template.stepType };
  return { ...node, typed: { ...typed, ...tagsWith(typed.tags, template) } };
}

/** @param own the step's */
export function tagsWith(
  own: readonly Tag[] | undefined,
  template: StepTemplate | undefined,
): { tags?: readonly Tag[] } {
  const added = template?.tags ?? [];
  if (added.length === 0) return own === undefined ? {} : { tags: own };
  const tags = new Map([...added, ...(own ?? [])].map((tag) => [tag.name, tag]));
  return { tags: [...tags.values()] };
}
