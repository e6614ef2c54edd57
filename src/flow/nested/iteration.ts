/** The run of one iteration of a loop, as its row begins. */
import type { Ancestor, UpstreamInitiator } from "../../definition/initiator.ts";
import { badRequest } from "../../error.ts";
import { groupOf } from "../../id.ts";
import type { WorkflowParams } from "../../param/scope.ts";
import type { ParamDefinitions } from "../../param/type.ts";
import { correlationOf, type Run, type RunConfig } from "../../run/model.ts";
import type { Place } from "./place.ts";

/** Ancestors of a run at most, itself included. */
const DEPTH_LIMIT = 10;

export interface Iteration {
  readonly type: "FOREACH" | "WHILE";
  readonly workflowId: string;
  readonly iteration: number;
  readonly runId: number;
  readonly key: number;
  readonly uuid: string;
  readonly config: Pick<RunConfig, "policy" | "restart_config" | "step_run_params">;
  readonly runParams: ParamDefinitions;
  readonly params: WorkflowParams;
}

/** @throws BAD_REQUEST when it would be too deep */
export function initiatorOf(
  { run, node, attempt }: Place,
  type: UpstreamInitiator["type"],
  sync?: boolean,
): UpstreamInitiator {
  const { initiator } = run;
  const step: Ancestor = {
    workflow_id: run.workflowId,
    instance_id: run.instanceId,
    run_id: run.runId,
    step_id: node.id,
    step_attempt_id: attempt.attemptId,
    ...(sync !== undefined && { sync }),
  };
  const ancestors = [...("ancestors" in initiator ? initiator.ancestors : []), step];
  if (ancestors.length >= DEPTH_LIMIT) {
    throw badRequest(`Step [${node.id}] is nested too deep: a run has less than ${DEPTH_LIMIT} ancestors`);
  }
  return { ancestors, depth: ancestors.length, type };
}

/** What the children of a step are named by, for people. */
export function identityOf({ run, attempt }: Place): string {
  const { workflowId, instanceId, runId } = run;
  return `[${workflowId}][${instanceId}][${runId}][${attempt.stepId}][${attempt.attemptId}][${attempt.uuid}]`;
}

export const configOf = (
  run: Run,
  type: UpstreamInitiator["type"],
): Pick<RunConfig, "runtime_tags" | "correlation_id"> => ({
  runtime_tags: [{ name: `maestro_${type.toLowerCase()}` }],
  correlation_id: correlationOf(run),
});

export function runOfIteration(place: Place, initiator: UpstreamInitiator, made: Iteration): Run {
  const { run, now } = place;
  return {
    workflowId: made.workflowId,
    instanceId: made.iteration,
    runId: made.runId,
    key: made.key,
    uuid: made.uuid,
    internalId: run.internalId,
    versionId: run.versionId,
    groupId: groupOf(made.workflowId, made.iteration, made.runId, run.groupInfo),
    groupInfo: run.groupInfo,
    correlationId: correlationOf(run),
    parentKey: run.key,
    initiator,
    config: { ...configOf(run, made.type), ...made.config },
    runParams: made.runParams,
    properties: run.properties,
    params: made.params,
    timeoutMs: undefined,
    status: "CREATED",
    executionId: made.uuid,
    requestTime: now,
    createTime: now,
    startTime: undefined,
    endTime: undefined,
    modifyTime: now,
    overview: undefined,
    artifacts: {},
    timeline: [],
  };
}
