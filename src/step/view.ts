/**
 * An attempt in its wire shape (StepInstance): the row, and what the run and the definition's version say already.
 * `step/` knows nothing of runs, so what is taken from the run comes as {@link StepOwner}.
 */

import type { RestartConfig } from "../definition/restart.ts";
import { DEFAULT_RETRY_POLICY, type ResolvedBackoff } from "../definition/retry.ts";
import { DEFAULT_FAILURE_MODE, type Step, stepOf } from "../definition/step.ts";
import type { Tag } from "../definition/tag.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import type { StepTransition } from "../definition/transition.ts";
import type { ParamDefinitions, Parameter, Params } from "../param/type.ts";
import { own } from "../record.ts";
import type { RetryState, StepAttempt } from "./model.ts";
import { tagsWith } from "./node.ts";
import { signalsView } from "./signal.ts";
import { STEP_TIMES, type StepStatus, type StepTime } from "./status.ts";
import { enrichStepTimeline } from "./timeline.ts";

/** The run that an attempt belongs to, as far as its view repeats it. */
export interface StepOwner {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;
  readonly uuid: string;
  readonly correlationId: string;
  readonly versionId: number;
  readonly groupInfo: number;
  readonly owner: string;
}

export interface RetryView {
  readonly error_retries: number;
  readonly error_retry_limit: number;
  readonly platform_retries: number;
  readonly platform_retry_limit: number;
  readonly timeout_retries: number;
  readonly timeout_retry_limit: number;
  readonly manual_retries: number;
  readonly retryable: boolean;
  readonly backoff: ResolvedBackoff;
}

export type StepStateView = { readonly status: StepStatus } & { readonly [time in StepTime]?: number };

export interface StepView {
  readonly workflow_id: string;
  readonly workflow_instance_id: number;
  readonly workflow_run_id: number;
  readonly step_id: string;
  readonly step_attempt_id: number;
  readonly workflow_uuid: string;
  readonly step_uuid: string;
  readonly correlation_id: string;
  readonly step_instance_id: number;
  readonly workflow_version_id: number;
  readonly group_info: number;
  readonly owner: string;
  readonly definition: Step;
  readonly tags: readonly Tag[];
  readonly step_run_params?: ParamDefinitions;
  readonly restart_config?: RestartConfig;
  readonly params: Params;
  readonly transition: {
    readonly predecessors?: readonly string[];
    readonly successors?: Readonly<Record<string, Parameter>>;
  };
  readonly step_retry: RetryView;
  readonly timeout_in_millis?: number;
  readonly runtime_state: StepStateView;
  readonly signal_outputs?: Readonly<Record<string, unknown>>;
  readonly artifacts?: Artifacts;
  readonly timeline?: readonly TimelineEvent[];
}

export interface StepViewInput {
  readonly owner: StepOwner;
  readonly attempt: StepAttempt;
  /** As pushed. */
  readonly step: Step;
  /** Edges of this step in the run's graph. */
  readonly transition: StepTransition;
  /** Whole: with the system defaults put back. */
  readonly params: Params;
  /** Adds the changes of status to the timeline. */
  readonly enriched: boolean;
}

export function stepView(input: StepViewInput): StepView {
  const { owner, attempt, step } = input;
  const timeline = input.enriched ? enrichStepTimeline(attempt) : attempt.timeline;
  return {
    workflow_id: owner.workflowId,
    workflow_instance_id: owner.instanceId,
    workflow_run_id: owner.runId,
    step_id: attempt.stepId,
    step_attempt_id: attempt.attemptId,
    workflow_uuid: owner.uuid,
    step_uuid: attempt.uuid,
    correlation_id: owner.correlationId,
    step_instance_id: attempt.stepInstanceId,
    workflow_version_id: owner.versionId,
    group_info: owner.groupInfo,
    owner: owner.owner,
    definition: definitionView(step, input.transition),
    tags: tagsWith(stepOf(step).body.tags, attempt.template).tags ?? [],
    ...(attempt.restart && { step_run_params: {}, restart_config: attempt.restart }),
    params: input.params,
    transition: transitionView(attempt, input.transition),
    step_retry: retryView(attempt.retry),
    ...(attempt.timeoutMs !== undefined && { timeout_in_millis: attempt.timeoutMs }),
    runtime_state: stateView(attempt),
    ...(attempt.times.finish_time !== undefined && { signal_outputs: signalsView(attempt.artifacts) }),
    ...(Object.keys(attempt.artifacts).length > 0 && { artifacts: attempt.artifacts }),
    ...(timeline.length > 0 && { timeline }),
  };
}

/** The step's wrapper with its defaults filled in, and the edges of the run's graph. */
function definitionView(step: Step, transition: StepTransition): Step {
  const { kind, body } = stepOf(step);
  const filled = {
    ...body,
    transition,
    failure_mode: body.failure_mode ?? DEFAULT_FAILURE_MODE,
    params: body.params ?? {},
  };
  return { [kind]: filled } as unknown as Step;
}

/** Conditions with their results, once they are evaluated. Those of a step that was not to run are false. */
function transitionView(attempt: StepAttempt, edges: StepTransition): StepView["transition"] {
  const unsatisfied = attempt.status === "UNSATISFIED";
  const time = attempt.conditionsTime ?? (unsatisfied ? attempt.times.end_time : undefined);
  const successors = Object.entries(edges.successors ?? {}).map(([id, expression]): [string, Parameter] => {
    const result = own(attempt.conditions, id) ?? (unsatisfied ? false : undefined);
    const known = result === undefined ? {} : { evaluated_result: result };
    const timed = result === undefined || time === undefined ? {} : { evaluated_time: time };
    return [id, { expression, type: "BOOLEAN", ...known, ...timed }];
  });
  return {
    ...(edges.predecessors !== undefined && edges.predecessors.length > 0 && { predecessors: edges.predecessors }),
    ...(successors.length > 0 && { successors: Object.fromEntries(successors) }),
  };
}

function retryView(retry: RetryState): RetryView {
  const plan = retry.plan ?? DEFAULT_RETRY_POLICY;
  return {
    error_retries: retry.error,
    error_retry_limit: plan.error_retry_limit,
    platform_retries: retry.platform,
    platform_retry_limit: plan.platform_retry_limit,
    timeout_retries: retry.timeout,
    timeout_retry_limit: plan.timeout_retry_limit,
    manual_retries: retry.manual,
    retryable: retry.retryable,
    backoff: plan.backoff,
  };
}

export function stateView(attempt: Pick<StepAttempt, "status" | "times">): StepStateView {
  const times: { [time in StepTime]?: number } = {};
  for (const slot of STEP_TIMES) {
    const time = attempt.times[slot];
    if (time !== undefined) times[slot] = time;
  }
  return { status: attempt.status, ...times };
}
