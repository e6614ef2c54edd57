/** Rows that tests of the store start from. */
import type { NewRun } from "../../src/flow/port.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import type { Sql } from "../../src/store/connection.ts";

export const silent = { warn: () => {}, error: () => {} };

/** Makes a workflow without a definition. @returns its internal id */
export async function workflow(sql: Sql, workflowId: string, rule = "SEQUENTIAL", concurrency = 1): Promise<number> {
  const [row] = await sql<{ internal_id: number }[]>`
    INSERT INTO workflow (workflow_id, properties, run_rule, run_concurrency, latest_version, create_time, modify_time)
    VALUES (${workflowId}, ${"{}"}, ${rule}, ${concurrency}, 1, 1, 1) RETURNING internal_id`;
  return row?.internal_id ?? 0;
}

export function newRun(workflowId: string, internalId: number, uuid: string, more: Partial<NewRun> = {}): NewRun {
  return {
    workflowId,
    internalId,
    revision: 0,
    versionId: 1,
    uuid,
    groupInfo: 8,
    initiator: { type: "MANUAL", depth: 0, user: "ada" },
    config: { policy: "START_FRESH_NEW_RUN" },
    runParams: {},
    properties: { create_time: 1, owner: "ada" },
    params: { params: {} },
    timeoutMs: undefined,
    status: "CREATED",
    requestTime: 5,
    artifacts: {},
    timeline: [],
    ...more,
  };
}

export function attempt(stepId: string, attemptId: number, more: Partial<StepAttempt> = {}): StepAttempt {
  return {
    stepId,
    attemptId,
    uuid: `${stepId}-${attemptId}`,
    stepInstanceId: 1,
    status: "CREATED",
    times: { create_time: 10 },
    params: {},
    paramsTime: undefined,
    conditions: undefined,
    conditionsTime: undefined,
    retry: { error: 0, platform: 0, timeout: 0, manual: 0, retryable: true, plan: undefined },
    timeoutMs: undefined,
    artifacts: {},
    timeline: [],
    pollTime: undefined,
    place: undefined,
    ...more,
  };
}
