/** A step as its definition has it, with its edges: what a decision about one of its attempts may ask. Shared by all runs. */
import type { RetryPolicy } from "../definition/retry.ts";
import { type Step, type StepFields, type StepKind, stepOf, type TypedStep } from "../definition/step.ts";
import type { StepAttempt } from "./model.ts";

export interface StepNode {
  readonly id: string;
  readonly kind: StepKind;
  readonly body: StepFields;
  /** The body of a leaf step. */
  readonly typed: TypedStep | undefined;
  readonly predecessors: readonly string[];
  /** Successor and the condition of the edge, in the order written. */
  readonly successors: readonly (readonly [id: string, condition: string])[];
}

/** Its work are other runs. */
export const isNested = ({ kind }: StepNode): boolean =>
  kind === "foreach" || kind === "while" || kind === "subworkflow";

/** The policy that an attempt has still to read: the first one does, and the later ones carry it on. */
export const policyToRead = ({ typed }: StepNode, { retry }: Pick<StepAttempt, "retry">): RetryPolicy | undefined =>
  retry.plan === undefined ? typed?.retry_policy : undefined;

export function stepNode(
  step: Step,
  predecessors: readonly string[],
  successors: Readonly<Record<string, string>>,
): StepNode {
  const { kind, body } = stepOf(step);
  const typed = kind === "step" ? body : undefined;
  return { id: body.id, kind, body, typed, predecessors, successors: Object.entries(successors) };
}
