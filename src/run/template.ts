/**
 * What the job template of a step comes to: the templates that it inherits from below it, and which version of it counts.
 * Pure; whoever has read the templates hands them in.
 */

import type { Tag } from "../definition/tag.ts";
import {
  DEFAULT_TEMPLATE_VERSION,
  type JobTemplateDefinition,
  TEMPLATE_VERSION_PARAM,
  type TemplateRef,
  type TemplateUse,
} from "../definition/template.ts";
import { badRequest } from "../error.ts";
import { type WorkflowParams, workflowParam } from "../param/scope.ts";
import { templateParams } from "../param/template.ts";
import type { ParamDefinitions } from "../param/type.ts";
import { own } from "../record.ts";
import type { StepTemplate } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { Run } from "./model.ts";

/** Templates that one may have below it, each as often as it is inherited. */
const MOST_INHERITED = 1_000;

/** A template with all that it inherits. */
export interface Lineage extends TemplateRef {
  readonly stepType: string;
  /** By name, the template's own over those that it inherits. */
  readonly tags: readonly Tag[];
  /** From the outermost ancestor to the template itself: each lies over those before it. */
  readonly params: readonly ParamDefinitions[];
  /** Templates that are inherited from and do not exist: they add nothing. */
  readonly missing: readonly TemplateRef[];
}

export const templateKey = ({ jobType, version }: TemplateRef): string => `[${jobType}][${version}]`;

/**
 * Parents first, in the order in which `inherit_from` names them.
 * @param known definitions of the template and of its ancestors, as far as there are any, in any order
 * @returns undefined when there is no such template
 * @throws BAD_REQUEST for a cycle, or too many of them
 */
export function lineageOf(ref: TemplateRef, known: readonly JobTemplateDefinition[]): Lineage | undefined {
  const byKey = new Map(known.map((it) => [templateKey({ jobType: it.job_type, version: it.version }), it]));
  const template = byKey.get(templateKey(ref));
  if (!template) return undefined;
  const order: JobTemplateDefinition[] = [];
  const missing = new Map<string, TemplateRef>();
  const path: string[] = [];
  const visit = (at: TemplateRef): void => {
    const key = templateKey(at);
    const found = byKey.get(key);
    if (!found) {
      missing.set(key, at);
      return refuseMany(ref, order.length + missing.size);
    }
    if (path.includes(key)) throw badRequest(`Job templates inherit from each other: ${[...path, key].join(" → ")}`);
    path.push(key);
    for (const [jobType, version] of Object.entries(found.inherit_from ?? {})) visit({ jobType, version });
    path.pop();
    order.push(found);
    refuseMany(ref, order.length + missing.size);
  };
  visit(ref);
  const tags = new Map(order.flatMap((it) => it.tags ?? []).map((tag) => [tag.name, tag]));
  return {
    ...ref,
    stepType: template.step_type,
    tags: [...tags.values()],
    params: order.flatMap((it) => (it.params ? [it.params] : [])),
    missing: [...missing.values()],
  };
}

/** @throws BAD_REQUEST */
function refuseMany(ref: TemplateRef, count: number): void {
  if (count <= MOST_INHERITED) return;
  throw badRequest(`The job template ${templateKey(ref)} inherits from more than ${MOST_INHERITED} templates`);
}

/**
 * Which template a step names.
 * @param read a version's text with the references in it replaced
 */
export function templateRef(
  { jobType, version }: TemplateUse,
  params: WorkflowParams,
  read: (text: string) => string,
): TemplateRef {
  if (version !== undefined) return { jobType, version: read(version) };
  const given = workflowParam(params, TEMPLATE_VERSION_PARAM)?.evaluated_result;
  return { jobType, version: typeof given === "string" && given !== "" ? given : DEFAULT_TEMPLATE_VERSION };
}

/** The same before a run has been made; undefined: it takes an evaluation to tell. */
export function literalTemplateRef(
  { jobType, version }: TemplateUse,
  params: ParamDefinitions | undefined,
): TemplateRef | undefined {
  const given = own(params, TEMPLATE_VERSION_PARAM);
  const text = version ?? (given === undefined ? DEFAULT_TEMPLATE_VERSION : given.value);
  return typeof text === "string" && !text.includes("$") ? { jobType, version: text } : undefined;
}

/**
 * The template of a step, once it is found. A step of a type does without a template that does not exist; one that has its
 * type from it does not.
 * @throws BAD_REQUEST
 */
export function templateFor(node: StepNode, ref: TemplateRef, lineage: Lineage | undefined): Lineage | undefined {
  const what = `the job template ${templateKey(ref)}`;
  if (!lineage) {
    if (node.typed) return undefined;
    throw badRequest(`Step [${node.id}] has its type from ${what}, and there is none: store it, or name another one`);
  }
  if (node.typed && node.typed.type.toLowerCase() !== lineage.stepType.toLowerCase()) {
    throw badRequest(
      `Step [${node.id}] is of type [${node.typed.type}], and ${what} is for steps of type [${lineage.stepType}]`,
    );
  }
  return lineage;
}

/** @returns "unknown" when it takes an evaluation to tell which template the step of a run that exists already names */
export function knownTemplateRef(use: TemplateUse, { params }: Pick<Run, "params">): TemplateRef | "unknown" {
  const isRead = use.version === undefined || !use.version.includes("$");
  return isRead ? templateRef(use, params, (text) => text) : "unknown";
}

/** What the user of a step may want to know of its template. */
export function templateNotes({ id, template: use }: StepNode, lineage: Lineage | undefined): readonly string[] {
  if (use === undefined) return [];
  if (!lineage) return [`Step [${id}] names the job template [${use.jobType}], which does not exist: it runs without`];
  return lineage.missing.map(
    (ref) => `The job template ${templateKey(ref)}, from which ${templateKey(lineage)} inherits, does not exist`,
  );
}

/** What an attempt remembers of its template. */
export const stepTemplate = ({ jobType, version, stepType, tags }: Lineage): StepTemplate => ({
  ...{ jobType, version, stepType },
  ...(tags.length > 0 && { tags }),
});

/** The params of a template for a step of this run: a workflow param of the same name lies over each. */
export const templateLayer = ({ params }: Pick<Lineage, "params">, workflow: WorkflowParams): ParamDefinitions =>
  templateParams(params, workflow);
