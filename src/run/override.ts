/**
 * What users give for params of a run that exists already: which of it concerns which attempt, and whether the modes of the
 * params allow it. What is given is checked when it is asked for, so that it does not fail a step later.
 */
import { isFresh, type RestartConfig } from "../definition/restart.ts";
import { badRequest } from "../error.ts";
import type { DefaultCatalog } from "../param/defaults.ts";
import { mergeStepParams, mergeWorkflowParams, requestSource, type StepMerge } from "../param/order.ts";
import { mergeOutputParams } from "../param/output.ts";
import type { ParamDefinitions, Params } from "../param/type.ts";
import { own } from "../record.ts";
import type { StepNode } from "../step/node.ts";
import type { Run } from "./model.ts";
import type { RunPlan } from "./plan.ts";
import { restartParamsOf, stepRestartParamsOf } from "./restart.ts";
import { type Lineage, templateLayer } from "./template.ts";

/** The job templates of steps, by step; `unknown`: which one it is takes an evaluation to tell, so nothing is checked. */
export type StepTemplates = ReadonlyMap<string, Lineage | "unknown">;

/**
 * The layers of an attempt's params.
 * @param restart of the attempt: it counts instead of the run's
 * @param template that the step has found
 */
export function mergeOf(
  { config, initiator, params }: Pick<Run, "config" | "initiator" | "params">,
  node: StepNode,
  restart: RestartConfig | undefined,
  template?: Lineage,
): Omit<StepMerge, "catalog"> {
  return {
    stepType: node.typed?.type ?? template?.stepType ?? node.kind,
    ...(template && { template: templateLayer(template, params) }),
    definition: node.body.params,
    runParams: own(config.step_run_params, node.id),
    restartParams: stepRestartParamsOf(restart ?? config.restart_config, node.id),
    source: requestSource(initiator.type),
    fresh: isFresh(config.policy),
  };
}

/**
 * Params for a new run of this one's instance, and for its steps.
 * @throws BAD_REQUEST when a param must not be changed, or can't be what it is given as
 */
export function checkNewRun(
  run: Run,
  plan: RunPlan,
  restart: RestartConfig,
  catalog: DefaultCatalog,
  templates: StepTemplates,
): void {
  const restartParams = restartParamsOf(restart);
  if (restartParams) {
    const { params } = plan.workflow;
    const layers = { definition: params, source: requestSource(run.initiator.type), catalog };
    mergeWorkflowParams({ ...layers, restart: { previous: run.params, restartParams } });
  }
  checkSteps({ ...run, config: { policy: "RESTART_FROM_SPECIFIC" } }, plan, restart, catalog, templates);
}

/** Params for steps of this run. @throws BAD_REQUEST */
export function checkSteps(
  run: Pick<Run, "config" | "initiator" | "params">,
  { nodes }: Pick<RunPlan, "nodes">,
  restart: RestartConfig,
  catalog: DefaultCatalog,
  templates: StepTemplates,
): void {
  for (const stepId of Object.keys(restart.step_restart_params ?? {})) {
    const node = nodes.get(stepId);
    const template = templates.get(stepId);
    if (node && template !== "unknown") mergeStepParams({ ...mergeOf(run, node, restart, template), catalog });
  }
}

/**
 * What a user declares a step to have put out.
 * @throws BAD_REQUEST for a param that the step does not define, or that no job may change
 */
export function checkOutputs(
  run: Pick<Run, "config" | "initiator" | "params">,
  node: StepNode,
  outputs: ParamDefinitions,
  catalog: DefaultCatalog,
  template: Lineage | "unknown" | undefined,
): void {
  if (template === "unknown") return;
  const params = mergeStepParams({ ...mergeOf(run, node, undefined, template), catalog });
  const identity = { workflow_instance_id: 0, step_instance_uuid: "", step_attempt_id: 0, step_id: node.id };
  for (const [name, output] of Object.entries(outputs)) {
    if (output.expression !== undefined) {
      throw badRequest(`Invalid output parameter [${name}]: an output is a value, so write value, not expression`);
    }
  }
  mergeOutputParams({ params, identity, time: undefined }, outputs as Params, 0);
}
