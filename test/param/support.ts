/** Surroundings for evaluations in tests: a fixed clock, no signals, no other steps. */

import type {
  EvaluationContext,
  FinishedStep,
  ParamDefinitions,
  ParamExtension,
  Params,
  StepScope,
  WorkflowMerge,
  WorkflowParams,
} from "../../src/param/index.ts";
import {
  evaluateStepParams,
  evaluateWorkflowParams,
  mergeStepParams,
  mergeWorkflowParams,
} from "../../src/param/index.ts";
import { ExtensionRequest } from "../../src/sel/index.ts";

export const NOW = 1_700_000_000_000;

const ask =
  (method: string) =>
  (...args: (string | number)[]) => {
    throw new ExtensionRequest(method, args.map(String));
  };

export const noAnswers: ParamExtension = {
  getFromSignal: ask("getFromSignal"),
  getFromTrigger: ask("getFromSignal"),
  getFromSignalDependency: ask("getFromSignalDependency"),
  getFromForeach: ask("getFromForeach"),
  getFromSubworkflow: ask("getFromSubworkflow"),
  nextUniqueId: (call) => 42n + BigInt(call),
  getExecutionEnvironment: () => "test",
};

export function context(changes: Partial<EvaluationContext> = {}): EvaluationContext {
  return {
    now: NOW,
    seed: 1,
    extension: noAnswers,
    instance: { workflow_id: "wf", owner: "ann", initiator_type: "MANUAL", run_policy: "START_FRESH_NEW_RUN" },
    ...changes,
  };
}

export function start(definition: ParamDefinitions, more: Partial<WorkflowMerge> = {}): WorkflowParams {
  return evaluateWorkflowParams(mergeWorkflowParams({ definition, source: "LAUNCH", ...more }), context());
}

/** Evaluated results by name, untouched defaults left out. */
export function results(params: Params): Record<string, unknown> {
  return Object.fromEntries(Object.entries(params).map(([name, param]) => [name, param.evaluated_result]));
}

export function scope(workflow: WorkflowParams, finished: Record<string, FinishedStep> = {}): StepScope {
  return {
    facts: {
      workflow_instance_id: 7,
      step_instance_uuid: "4f3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e6f",
      step_attempt_id: 1,
      step_id: "me",
      step_instance_id: 3,
      step_type_info: "NoOp",
      error_retries: 0,
    },
    workflow,
    finished: (id) => (Object.hasOwn(finished, id) ? finished[id] : undefined),
  };
}

export function runStep(definition: ParamDefinitions, at: StepScope, changes: Partial<EvaluationContext> = {}) {
  const merged = mergeStepParams({ stepType: "NoOp", definition, source: "LAUNCH", fresh: true });
  return evaluateStepParams(merged, at, context(changes));
}

export function finishedStep(stepId: string, params: Params, status = "SUCCEEDED"): FinishedStep {
  return {
    params: {
      params,
      identity: { workflow_instance_id: 7, step_instance_uuid: "u", step_attempt_id: 2, step_id: stepId },
      time: NOW,
    },
    status,
    end_time: NOW + 5,
  };
}
