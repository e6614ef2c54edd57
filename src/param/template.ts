/** Params that a job template brings into a step. */
import { toDefinition } from "./definition.ts";
import { type MergeTarget, mergeInto, mergeParam } from "./merge.ts";
import { type WorkflowParams, workflowParam } from "./scope.ts";
import type { ParamDefinitions } from "./type.ts";

/**
 * Template params for `StepMerge.template`: later templates override earlier ones by name, and a workflow param of the
 * same name overrides both (source WORKFLOW_PARAMETER).
 * @param templates definitions from the outermost ancestor to the template itself.
 */
export function templateParams(templates: readonly ParamDefinitions[], workflow: WorkflowParams): ParamDefinitions {
  const target: MergeTarget = new Map();
  for (const params of templates) mergeInto(target, params, { source: "TEMPLATE_SCHEMA" });
  for (const [name, param] of target) {
    const own = workflowParam(workflow, name);
    const context = { source: "WORKFLOW_PARAMETER", upstream: true } as const;
    if (own) target.set(name, mergeParam(name, param, toDefinition(own), context));
  }
  return Object.fromEntries(target);
}
