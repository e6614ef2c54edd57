/** Reads of runs and attempts: by id, by page, across workflows. Nothing here writes. */
import type { StoredRun } from "../flow/port.ts";
import type { Run, RunRef } from "../run/model.ts";
import type { RunStatus } from "../run/status.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepStatus } from "../step/status.ts";
import type { Sql } from "./connection.ts";
import { type AttemptRow, attemptOf, type RunRow, runOf } from "./row.ts";
import { likePattern } from "./workflow.ts";

/** An attempt and the run that it belongs to. */
export interface RunAttempt {
  readonly runKey: number;
  readonly attempt: StepAttempt;
}

const toRunAttempt = (row: AttemptRow): RunAttempt => ({ runKey: row.run_key, attempt: attemptOf(row) });

export async function loadRun(
  sql: Sql,
  workflowId: string,
  instanceId: number,
  runId: number | "latest",
): Promise<Run | undefined> {
  const [row] =
    runId === "latest"
      ? await sql<RunRow[]>`
          SELECT * FROM run WHERE workflow_id = ${workflowId} AND instance_id = ${instanceId}
          ORDER BY run_id DESC LIMIT 1`
      : await sql<RunRow[]>`
          SELECT * FROM run
          WHERE workflow_id = ${workflowId} AND instance_id = ${instanceId} AND run_id = ${runId}`;
  return row && runOf(row);
}

/** The run with this uuid of one of these workflows. */
export async function findRun(sql: Sql, workflowIds: readonly string[], uuid: string): Promise<Run | undefined> {
  const [row] = await sql<RunRow[]>`SELECT * FROM run
    WHERE uuid = ${uuid} AND workflow_id = ANY(${workflowIds as string[]}::text[]) ORDER BY key LIMIT 1`;
  return row && runOf(row);
}

/** A row that a commit returned. */
export const readRun = (row: StoredRun): Run => runOf(row as unknown as RunRow);

export interface IdRange {
  readonly low: number;
  readonly high: number;
}

const toRange = (row: { low: number | null; high: number | null } | undefined): IdRange | undefined =>
  row === undefined || row.low === null || row.high === null ? undefined : { low: row.low, high: row.high };

/** Run ids of an instance; undefined when there is none. */
export async function runRange(sql: Sql, workflowId: string, instanceId: number): Promise<IdRange | undefined> {
  const [row] = await sql<{ low: number | null; high: number | null }[]>`
    SELECT min(run_id) AS low, max(run_id) AS high FROM run
    WHERE workflow_id = ${workflowId} AND instance_id = ${instanceId}`;
  return toRange(row);
}

/** Instance ids of a workflow; undefined when there is none. */
export async function instanceRange(sql: Sql, workflowId: string): Promise<IdRange | undefined> {
  const [row] = await sql<{ low: number | null; high: number | null }[]>`
    SELECT min(instance_id) AS low, max(instance_id) AS high FROM run WHERE workflow_id = ${workflowId}`;
  return toRange(row);
}

/** Runs of one instance within the range, the newest first. */
export async function loadRuns(sql: Sql, workflowId: string, instanceId: number, range: IdRange): Promise<Run[]> {
  const rows = await sql<RunRow[]>`
    SELECT * FROM run WHERE workflow_id = ${workflowId} AND instance_id = ${instanceId}
      AND run_id BETWEEN ${range.low} AND ${range.high} ORDER BY run_id DESC`;
  return rows.map(runOf);
}

/** Those with these keys, in no order. */
export async function loadRunsOf(sql: Sql, keys: readonly number[]): Promise<Run[]> {
  const rows = await sql<RunRow[]>`SELECT * FROM run WHERE key = ANY(${keys as number[]}::bigint[])`;
  return rows.map(runOf);
}

/** The latest run of each instance within the range, by instance id. */
export async function loadLatestRuns(sql: Sql, workflowId: string, range: IdRange): Promise<Run[]> {
  const rows = await sql<RunRow[]>`
    SELECT DISTINCT ON (instance_id) * FROM run
    WHERE workflow_id = ${workflowId} AND instance_id BETWEEN ${range.low} AND ${range.high}
    ORDER BY instance_id, run_id DESC`;
  return rows.map(runOf);
}

/** The newest attempt at each step of a run, in the order in which the steps were made. */
export async function loadLatestAttempts(sql: Sql, runKeys: readonly number[]): Promise<RunAttempt[]> {
  if (runKeys.length === 0) return [];
  const rows = await sql<AttemptRow[]>`
    SELECT DISTINCT ON (run_key, step_id) * FROM step_attempt WHERE run_key = ANY(${runKeys as number[]}::bigint[])
    ORDER BY run_key, step_id, attempt_id DESC`;
  return rows.map(toRunAttempt).sort((a, b) => a.attempt.stepInstanceId - b.attempt.stepInstanceId);
}

/** What an overview needs of the newest attempts: no params, no timeline. */
export async function loadAttemptStates(sql: Sql, runKeys: readonly number[]): Promise<RunAttempt[]> {
  if (runKeys.length === 0) return [];
  const rows = await sql<AttemptRow[]>`
    SELECT DISTINCT ON (run_key, step_id) run_key, step_id, attempt_id, uuid, step_instance_id, status, times,
      NULL AS params, NULL AS conditions, NULL AS retry, timeout_ms, artifacts, NULL AS timeline, poll_time,
      NULL AS place, NULL AS restart, NULL AS template, NULL AS reported
    FROM step_attempt WHERE run_key = ANY(${runKeys as number[]}::bigint[])
    ORDER BY run_key, step_id, attempt_id DESC`;
  return rows.map(toRunAttempt);
}

export async function loadAttempt(
  sql: Sql,
  runKey: number,
  stepId: string,
  attemptId: number | "latest",
): Promise<StepAttempt | undefined> {
  const [row] =
    attemptId === "latest"
      ? await sql<AttemptRow[]>`
          SELECT * FROM step_attempt WHERE run_key = ${runKey} AND step_id = ${stepId}
          ORDER BY attempt_id DESC LIMIT 1`
      : await sql<AttemptRow[]>`
          SELECT * FROM step_attempt
          WHERE run_key = ${runKey} AND step_id = ${stepId} AND attempt_id = ${attemptId}`;
  return row && attemptOf(row);
}

/** Undefined when there is no such attempt. */
export async function loadAttemptStatus(
  sql: Sql,
  { runKey, uuid }: { readonly runKey: number; readonly uuid: string },
): Promise<StepStatus | undefined> {
  const [row] = await sql<{ status: StepStatus }[]>`SELECT status FROM step_attempt
    WHERE run_key = ${runKey} AND uuid = ${uuid}`;
  return row?.status;
}

export async function loadAttemptUuid(
  sql: Sql,
  runKey: number,
  stepId: string,
  attemptId: number,
): Promise<string | undefined> {
  const [row] = await sql<{ uuid: string }[]>`SELECT uuid FROM step_attempt
    WHERE run_key = ${runKey} AND step_id = ${stepId} AND attempt_id = ${attemptId}`;
  return row?.uuid;
}

/** Every run of an instance, the newest first. */
export async function loadInstance(sql: Sql, workflowId: string, instanceId: number): Promise<Run[]> {
  const rows = await sql<RunRow[]>`
    SELECT * FROM run WHERE workflow_id = ${workflowId} AND instance_id = ${instanceId} ORDER BY run_id DESC`;
  return rows.map(runOf);
}

/** One line of a list of runs. */
export interface RunSummary extends RunRef {
  readonly key: number;
  readonly uuid: string;
  readonly versionId: number;
  readonly status: string;
  /** JSON. */
  readonly initiator: string;
  readonly policy: string | undefined;
  readonly createTime: number;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
  readonly modifyTime: number;
}

interface RawSummary {
  readonly workflow_id: string;
  readonly instance_id: number;
  readonly run_id: number;
  readonly key: number;
  readonly uuid: string;
  readonly version_id: number;
  readonly status: string;
  readonly initiator: string;
  readonly policy: string | null;
  readonly create_time: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly modify_time: number;
}

const toSummary = (row: RawSummary): RunSummary => ({
  workflowId: row.workflow_id,
  instanceId: row.instance_id,
  runId: row.run_id,
  key: row.key,
  uuid: row.uuid,
  versionId: row.version_id,
  status: row.status,
  initiator: row.initiator,
  policy: row.policy ?? undefined,
  createTime: row.create_time,
  startTime: row.start_time ?? undefined,
  endTime: row.end_time ?? undefined,
  modifyTime: row.modify_time,
});

export interface RunFilter {
  readonly workflowId?: string | undefined;
  /** Part of a workflow id, any case. */
  readonly search?: string | undefined;
  readonly statuses: readonly RunStatus[];
  /** Iterations of loops too. */
  readonly inline: boolean;
  /** Of one workflow: runs before this one in the list. */
  readonly beforeRun?: { readonly instanceId: number; readonly runId: number } | undefined;
  /** Across workflows: runs older than the one with this key. */
  readonly beforeKey?: number | undefined;
  readonly limit: number;
}

/**
 * Newest first: by instance and run within one workflow, else by creation. Walks an index in order, so a page costs its
 * rows and those that the filter passes over.
 */
export async function listRuns(sql: Sql, filter: RunFilter): Promise<RunSummary[]> {
  const stored = filter.statuses.flatMap((status) =>
    status === "FAILED" ? ["FAILED", "FAILED_1", "FAILED_2"] : [status],
  );
  const isStatus = sql`(${stored.length === 0} OR status = ANY(${stored}::text[]))`;
  const columns = sql`workflow_id, instance_id, run_id, key, uuid, version_id, status, initiator,
    config ->> 'policy' AS policy, create_time, start_time, end_time, modify_time`;
  if (filter.workflowId !== undefined) {
    const { instanceId, runId } = filter.beforeRun ?? { instanceId: Number.MAX_SAFE_INTEGER, runId: 0 };
    const rows = await sql<RawSummary[]>`
      SELECT ${columns} FROM run WHERE workflow_id = ${filter.workflowId}
        AND (instance_id, run_id) < (${instanceId}::bigint, ${runId}::bigint) AND ${isStatus}
      ORDER BY instance_id DESC, run_id DESC LIMIT ${filter.limit}`;
    return rows.map(toSummary);
  }
  const search = filter.search ?? "";
  const rows = await sql<RawSummary[]>`
    SELECT ${columns} FROM run WHERE key < ${filter.beforeKey ?? Number.MAX_SAFE_INTEGER} AND ${isStatus}
      AND (${filter.inline} OR NOT starts_with(workflow_id, 'maestro_'))
      AND (${search === ""} OR workflow_id ILIKE ${likePattern(search)})
    ORDER BY key DESC LIMIT ${filter.limit}`;
  return rows.map(toSummary);
}
