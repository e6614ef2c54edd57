/** Runs as the steps ask for them that have started them. */
import { parseJson } from "../json.ts";
import type { StoredChild } from "../nested/child.ts";
import type { Run, RunOverview, RunRef } from "../run/model.ts";
import { type StoredRunStatus, shownRunStatus } from "../run/status.ts";
import type { StepAttempt } from "../step/model.ts";
import { separated } from "./column.ts";
import type { Sql } from "./connection.ts";
import { type AttemptRow, attemptOf, type RunRow, runOf } from "./row.ts";

/** Keys of runs to be. */
export async function reserveKeys(sql: Sql, count: number): Promise<readonly number[]> {
  const rows = await sql<{ key: number }[]>`SELECT nextval('run_key_seq') AS key FROM generate_series(1, ${count})`;
  return rows.map((row) => row.key);
}

interface ChildRow {
  readonly instance_id: number;
  readonly run_id: number;
  readonly key: number;
  readonly group_id: number;
  readonly status: StoredRunStatus;
  readonly overview: string | null;
}

/** The newest run of each iteration of a loop, by iteration. */
export async function iterations(sql: Sql, workflowId: string): Promise<readonly StoredChild[]> {
  const rows = await sql<
    ChildRow[]
  >`SELECT DISTINCT ON (instance_id) instance_id, run_id, key, group_id, status, overview
    FROM run WHERE workflow_id = ${workflowId} ORDER BY instance_id, run_id DESC`;
  return rows.map((row) => ({
    ...{ workflowId, instanceId: row.instance_id, runId: row.run_id, key: row.key, groupId: row.group_id },
    status: shownRunStatus(row.status),
    rollup: row.overview === null ? undefined : (parseJson(row.overview) as unknown as RunOverview).rollup,
  }));
}

/** The run that a request with this uuid has made. */
export async function runOfRequest(sql: Sql, workflowId: string, uuid: string): Promise<Run | undefined> {
  const [row] = await sql<RunRow[]>`SELECT * FROM run WHERE uuid = ${uuid} AND workflow_id = ${workflowId}`;
  return row && runOf(row);
}

/** The newest run of each of these instances. */
export async function latestRuns(
  sql: Sql,
  workflowId: string,
  instanceIds: readonly number[],
): Promise<readonly Run[]> {
  const rows = await sql<RunRow[]>`SELECT DISTINCT ON (instance_id) * FROM run WHERE workflow_id = ${workflowId}
      AND instance_id = ANY(string_to_array(${separated(instanceIds)}, E'\\x1f')::bigint[])
    ORDER BY instance_id, run_id DESC`;
  return rows.map(runOf);
}

/** The newest attempt at the step before this one, over all runs of the instance, that has left artifacts. */
export async function attemptBefore(
  sql: Sql,
  { workflowId, instanceId, runId }: RunRef,
  stepId: string,
  attemptId: number,
): Promise<StepAttempt | undefined> {
  const [row] = await sql<AttemptRow[]>`SELECT a.* FROM run r JOIN step_attempt a ON a.run_key = r.key
    WHERE r.workflow_id = ${workflowId} AND r.instance_id = ${instanceId} AND r.run_id <= ${runId}
      AND a.step_id = ${stepId} AND (r.run_id < ${runId} OR a.attempt_id < ${attemptId}) AND a.artifacts IS NOT NULL
    ORDER BY r.run_id DESC, a.attempt_id DESC LIMIT 1`;
  return row && attemptOf(row);
}

/** Those of these runs that have ended. */
export async function endedOf(sql: Sql, runKeys: readonly number[]): Promise<readonly Run[]> {
  if (runKeys.length === 0) return [];
  const rows = await sql<RunRow[]>`SELECT * FROM run
    WHERE key = ANY(string_to_array(${separated(runKeys)}, E'\\x1f')::bigint[])
      AND status NOT IN ('CREATED', 'IN_PROGRESS', 'PAUSED')`;
  return rows.map(runOf);
}

/** The newest attempt at each step of a run, in the order in which the steps began. */
export async function attemptsOf(sql: Sql, runKey: number): Promise<readonly StepAttempt[]> {
  const rows = await sql<AttemptRow[]>`SELECT DISTINCT ON (step_id) * FROM step_attempt WHERE run_key = ${runKey}
    ORDER BY step_id, attempt_id DESC`;
  return rows.map(attemptOf).sort((a, b) => a.stepInstanceId - b.stepInstanceId);
}
