/**
 * Rows of `run` and `step_attempt` to the engine's plain data and back. `json` columns are text here, in both
 * directions; what is empty or the default is NULL. The only place that knows how params are stored.
 */
import type { RestartConfig } from "../definition/restart.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import { type Json, type JsonObject, parseJson, stringifyJson } from "../json.ts";
import { compactParams, compactStepParams, expandParams, expandStepParams } from "../param/compact.ts";
import type { StepIdentity, WorkflowParams } from "../param/scope.ts";
import type { Run } from "../run/model.ts";
import type { StoredRunStatus } from "../run/status.ts";
import type { Reported, RetryState, StepAttempt, StepTemplate, StepTimes } from "../step/model.ts";
import { STEP_TIMES, type StepStatus } from "../step/status.ts";

/** A row of `run`, as `select *` gives it. */
export interface RunRow {
  readonly workflow_id: string;
  readonly instance_id: number;
  readonly run_id: number;
  readonly key: number;
  readonly uuid: string;
  readonly internal_id: number;
  readonly version_id: number;
  readonly group_id: number;
  readonly group_info: number;
  readonly correlation_id: string | null;
  readonly parent_key: number | null;
  readonly initiator: string;
  readonly config: string;
  readonly run_params: string | null;
  readonly properties: string;
  readonly params: string | null;
  readonly timeout_ms: number | null;
  readonly status: string;
  readonly execution_id: string | null;
  readonly request_time: number;
  readonly create_time: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly modify_time: number;
  readonly overview: string | null;
  readonly artifacts: string | null;
  readonly timeline: string | null;
}

/** A row of `step_attempt`, as `select *` gives it. */
export interface AttemptRow {
  readonly run_key: number;
  readonly step_id: string;
  readonly attempt_id: number;
  readonly uuid: string;
  readonly step_instance_id: number;
  readonly status: string;
  readonly times: string;
  readonly params: string | null;
  readonly params_time: number | null;
  readonly conditions: string | null;
  readonly conditions_time: number | null;
  readonly retry: string | null;
  readonly timeout_ms: number | null;
  readonly artifacts: string | null;
  readonly timeline: string | null;
  readonly poll_time: number | null;
  readonly place: string | null;
  readonly restart: string | null;
  readonly template: string | null;
  readonly reported: string | null;
}

export function runOf(row: RunRow): Run {
  return {
    workflowId: row.workflow_id,
    instanceId: row.instance_id,
    runId: row.run_id,
    key: row.key,
    uuid: row.uuid,
    internalId: row.internal_id,
    versionId: row.version_id,
    groupId: row.group_id,
    groupInfo: row.group_info,
    correlationId: row.correlation_id ?? undefined,
    parentKey: row.parent_key ?? undefined,
    initiator: read<Run["initiator"]>(row.initiator),
    config: read<Run["config"]>(row.config),
    runParams: readOr<Run["runParams"]>(row.run_params, {}),
    properties: read<Run["properties"]>(row.properties),
    params: expandParams(readOr<JsonObject>(row.params, {})),
    timeoutMs: row.timeout_ms ?? undefined,
    status: row.status as StoredRunStatus,
    executionId: row.execution_id ?? undefined,
    requestTime: row.request_time,
    createTime: row.create_time,
    startTime: row.start_time ?? undefined,
    endTime: row.end_time ?? undefined,
    modifyTime: row.modify_time,
    overview: readOr<Run["overview"]>(row.overview, undefined),
    artifacts: readOr<Artifacts>(row.artifacts, {}),
    timeline: readOr<readonly TimelineEvent[]>(row.timeline, []),
  };
}

export function attemptOf(row: AttemptRow): StepAttempt {
  return {
    stepId: row.step_id,
    attemptId: row.attempt_id,
    uuid: row.uuid,
    stepInstanceId: row.step_instance_id,
    status: row.status as StepStatus,
    times: readTimes(row.times),
    params: expandStepParams(readOr<JsonObject>(row.params, {}), NOBODY).params,
    paramsTime: row.params_time ?? undefined,
    conditions: readOr<StepAttempt["conditions"]>(row.conditions, undefined),
    conditionsTime: row.conditions_time ?? undefined,
    retry: readRetry(row.retry),
    timeoutMs: row.timeout_ms ?? undefined,
    artifacts: readOr<Artifacts>(row.artifacts, {}),
    timeline: readOr<readonly TimelineEvent[]>(row.timeline, []),
    pollTime: row.poll_time ?? undefined,
    place: readOr<StepAttempt["place"]>(row.place, undefined),
    ...(row.restart !== null && { restart: read<RestartConfig>(row.restart) }),
    ...(row.template !== null && { template: read<StepTemplate>(row.template) }),
    ...(row.reported !== null && { reported: read<Reported>(row.reported) }),
  };
}

const UNTRIED: RetryState = { error: 0, platform: 0, timeout: 0, manual: 0, retryable: true, plan: undefined };

/** Attempts have no identity in their params: the row is it. */
const NOBODY: StepIdentity = {
  workflow_instance_id: 0,
  step_instance_uuid: "",
  step_attempt_id: 0,
  step_id: "",
};

export const runParamsText = (params: WorkflowParams): string | null => objectText(compactParams(params));

export function stepParamsText({ params, paramsTime: time }: StepAttempt): string | null {
  for (const _ in params) return stringifyJson(compactStepParams({ params, identity: NOBODY, time }));
  return null;
}

/** NULL when empty. */
export function objectText(value: object): string | null {
  for (const _ in value) return stringifyJson(value);
  return null;
}

/** NULL when empty. */
export const listText = (value: readonly unknown[]): string | null =>
  value.length === 0 ? null : stringifyJson(value);

export const valueText = (value: Json | object | undefined): string | null =>
  value === undefined ? null : stringifyJson(value);

/** The first instant whole, every other one as its distance from it. */
export function timesText(times: StepTimes): string {
  const first = times.create_time ?? 0;
  let text = "";
  let nulls = "";
  for (const name of STEP_TIMES) {
    const time = times[name];
    if (time === undefined) nulls += ",null";
    else {
      text += `${nulls},${name === "create_time" ? time : time - first}`;
      nulls = "";
    }
  }
  return `[${text.slice(1)}]`;
}

/** The inverse of {@link timesText}. */
export function readTimes(text: string): StepTimes {
  const values = read<readonly (number | null)[]>(text);
  const first = values[0] ?? 0;
  const times: { -readonly [K in keyof StepTimes]: StepTimes[K] } = {};
  for (const [index, value] of values.entries()) {
    const name = STEP_TIMES[index];
    if (name !== undefined && value !== null) times[name] = name === "create_time" ? value : value + first;
  }
  return times;
}

export function retryText(retry: RetryState): string | null {
  const { error, platform, timeout, manual, retryable, plan } = retry;
  if (error + platform + timeout + manual === 0 && retryable && plan === undefined) return null;
  return stringifyJson(retry);
}

function readRetry(text: string | null): RetryState {
  return text === null ? UNTRIED : { ...UNTRIED, ...read<RetryState>(text) };
}

function readOr<T>(text: string | null, absent: T): T {
  return text === null ? absent : read<T>(text);
}

/** What the program itself has stored is not checked again. */
function read<T>(text: string): T {
  return parseJson(text) as T;
}
