/**
 * Breakpoints, and the attempts that they hold.
 *
 * An attempt is paused by the batch that stores it as PAUSED: its row comes with it, if a breakpoint that matches is still
 * there, and locks that breakpoint. So whoever takes the breakpoint away sees every attempt that it has paused, and an
 * attempt whose breakpoint went meanwhile has no row, and goes on. So does one that a user resumes: its row says who, for the
 * step's timeline, and goes with the attempt's end.
 */
import type { TimelineLogEvent } from "../definition/timeline.ts";
import type { AttemptRef, Pause, StepRef } from "../flow/port.ts";
import { parseJson, stringifyJson } from "../json.ts";
import type { RunRef } from "../run/model.ts";
import { arrayLiteral, separated } from "./column.ts";
import type { Sql, Transaction } from "./connection.ts";
import { failureOf } from "./pipeline.ts";

/** Paused attempts in one answer. */
export const MOST_PAUSED = 10_000;

/** Which attempts at a step it pauses; undefined: of all. */
export interface BreakpointScope {
  readonly versionId?: number | undefined;
  readonly instanceId?: number | undefined;
  readonly runId?: number | undefined;
  readonly attemptId?: number | undefined;
}

export interface Breakpoint extends StepRef, BreakpointScope {
  /** As it is shown: for a step of a loop's body what the ids of its inline workflows begin with. */
  readonly workflowId: string;
  /** Epoch ms. */
  readonly createTime: number;
  readonly createdBy: string;
}

export interface PausedAttempt extends RunRef {
  readonly versionId: number;
  readonly stepId: string;
  readonly attemptId: number;
  /** Epoch ms. */
  readonly createTime: number;
}

/** An attempt that goes on: its run's owner is to be told. */
export interface ResumedAttempt {
  readonly runKey: number;
  readonly groupId: number;
  readonly stepId: string;
}

interface BreakpointRow {
  readonly internal_id: number;
  readonly step_id: string;
  readonly version_id: number;
  readonly instance_id: number;
  readonly run_id: number;
  readonly attempt_id: number;
  readonly workflow_id: string;
  readonly create_time: number;
  readonly created_by: string;
}

const breakpointOf = (row: BreakpointRow): Breakpoint => ({
  internalId: row.internal_id,
  stepId: row.step_id,
  versionId: row.version_id || undefined,
  instanceId: row.instance_id || undefined,
  runId: row.run_id || undefined,
  attemptId: row.attempt_id || undefined,
  workflowId: row.workflow_id,
  createTime: row.create_time,
  createdBy: parseJson(row.created_by) as string,
});

// ---- what users do ---------------------------------------------------------------------------------------------------

/** One that is there already stays as it is. */
export async function putBreakpoint(sql: Sql, made: Breakpoint): Promise<Breakpoint> {
  const { internalId, stepId, versionId = 0, instanceId = 0, runId = 0, attemptId = 0 } = made;
  const [row] = await sql<BreakpointRow[]>`INSERT INTO breakpoint
      (internal_id, step_id, version_id, instance_id, run_id, attempt_id, workflow_id, create_time, created_by)
    VALUES (${internalId}, ${stepId}, ${versionId}, ${instanceId}, ${runId}, ${attemptId}, ${made.workflowId},
      ${made.createTime}, ${stringifyJson(made.createdBy)}::json)
    ON CONFLICT (internal_id, step_id, version_id, instance_id, run_id, attempt_id)
      DO UPDATE SET create_time = breakpoint.create_time
    RETURNING *`;
  return row === undefined ? made : breakpointOf(row);
}

/** All of a step, the widest scope first. */
export async function listBreakpoints(sql: Sql, { internalId, stepId }: StepRef): Promise<readonly Breakpoint[]> {
  const rows = await sql<BreakpointRow[]>`SELECT * FROM breakpoint
    WHERE internal_id = ${internalId} AND step_id = ${stepId}
    ORDER BY version_id, instance_id, run_id, attempt_id`;
  return rows.map(breakpointOf);
}

/** Tries of a removal that meets the batches of runs whose attempts end at the same moment. */
const TRIES = 5;

/**
 * Takes a breakpoint away, and lets the attempts go on that it has paused, if they are to: both or nothing.
 * @param resumed what their timelines say of it; undefined: they stay paused
 * @returns those that go on; undefined: there is no such breakpoint
 */
export async function removeBreakpoint(
  sql: Sql,
  removed: StepRef & BreakpointScope,
  resumed: TimelineLogEvent | undefined,
): Promise<readonly ResumedAttempt[] | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      return await sql.begin((transaction) => remove(transaction, removed, resumed));
    } catch (error) {
      if (tries === TRIES || failureOf(error) !== "transient") throw error;
    }
  }
}

async function remove(
  transaction: Transaction,
  { internalId, stepId, versionId = 0, instanceId = 0, runId = 0, attemptId = 0 }: StepRef & BreakpointScope,
  resumed: TimelineLogEvent | undefined,
): Promise<readonly ResumedAttempt[] | undefined> {
  const gone = await transaction`DELETE FROM breakpoint
    WHERE internal_id = ${internalId} AND step_id = ${stepId} AND version_id = ${versionId}
      AND instance_id = ${instanceId} AND run_id = ${runId} AND attempt_id = ${attemptId} RETURNING 1`;
  if (gone.length === 0) return undefined;
  if (resumed === undefined) return [];
  // In a statement of its own: it sees what was paused while the one before it waited for the breakpoint's lock.
  const rows = await transaction<
    ResumedRow[]
  >`UPDATE paused_attempt p SET resumed = ${eventText(resumed)}::json FROM run r
    WHERE p.resumed IS NULL AND p.internal_id = ${internalId} AND p.step_id = ${stepId} AND r.key = p.run_key
      AND ${versionId}::bigint IN (0, r.version_id) AND ${instanceId}::bigint IN (0, r.instance_id)
      AND ${runId}::bigint IN (0, r.run_id) AND ${attemptId}::integer IN (0, p.attempt_id)
    RETURNING p.run_key, r.group_id, p.step_id`;
  return rows.map(resumedOf);
}

/** Attempts at the step that are paused, by workflow, instance and run: at most {@link MOST_PAUSED}. */
export async function listPaused(sql: Sql, { internalId, stepId }: StepRef): Promise<readonly PausedAttempt[]> {
  const rows = await sql<PausedRow[]>`SELECT r.workflow_id, r.version_id, r.instance_id, r.run_id, p.step_id,
      p.attempt_id, p.create_time
    FROM paused_attempt p JOIN run r ON r.key = p.run_key
    WHERE p.internal_id = ${internalId} AND p.step_id = ${stepId} AND p.resumed IS NULL
    ORDER BY r.workflow_id, r.instance_id, r.run_id, p.attempt_id LIMIT ${MOST_PAUSED}`;
  return rows.map((row) => ({
    workflowId: row.workflow_id,
    versionId: row.version_id,
    instanceId: row.instance_id,
    runId: row.run_id,
    stepId: row.step_id,
    attemptId: row.attempt_id,
    createTime: row.create_time,
  }));
}

/** @returns undefined when the attempt is not paused */
export async function resumeAttempt(
  sql: Sql,
  { runKey, stepId, attemptId }: AttemptRef,
  resumed: TimelineLogEvent,
): Promise<ResumedAttempt | undefined> {
  const [row] = await sql<ResumedRow[]>`UPDATE paused_attempt p SET resumed = ${eventText(resumed)}::json FROM run r
    WHERE p.resumed IS NULL AND p.run_key = ${runKey} AND p.step_id = ${stepId} AND p.attempt_id = ${attemptId} AND r.key = p.run_key
    RETURNING p.run_key, r.group_id, p.step_id`;
  return row && resumedOf(row);
}

const eventText = (event: TimelineLogEvent): string => stringifyJson({ ...event });

interface ResumedRow {
  readonly run_key: number;
  readonly group_id: number;
  readonly step_id: string;
}

interface PausedRow {
  readonly workflow_id: string;
  readonly version_id: number;
  readonly instance_id: number;
  readonly run_id: number;
  readonly step_id: string;
  readonly attempt_id: number;
  readonly create_time: number;
}

const resumedOf = (row: ResumedRow): ResumedAttempt => ({
  runKey: row.run_key,
  groupId: row.group_id,
  stepId: row.step_id,
});

// ---- what the engine asks --------------------------------------------------------------------------------------------

/** Steps that have a breakpoint, of whatever scope. */
export async function brokenSteps(sql: Sql): Promise<readonly StepRef[]> {
  const rows = await sql<
    { internal_id: number; step_id: string }[]
  >`SELECT DISTINCT internal_id, step_id FROM breakpoint`;
  return rows.map((row) => ({ internalId: row.internal_id, stepId: row.step_id }));
}

/** For each attempt, in order, whether a breakpoint matches it. */
export async function haveBreakpoints(sql: Sql, attempts: readonly AttemptRef[]): Promise<readonly boolean[]> {
  const rows = await sql<{ place: number }[]>`SELECT t.place
    FROM unnest(string_to_array(${separated(attempts.map((it) => it.runKey))}, E'\\x1f')::bigint[],
      ${arrayLiteral(attempts.map((it) => it.stepId))}::text[],
      string_to_array(${separated(attempts.map((it) => it.attemptId))}, E'\\x1f')::integer[])
      WITH ORDINALITY AS t (run_key, step_id, attempt_id, place)
    JOIN run r ON r.key = t.run_key
    WHERE EXISTS (SELECT 1 FROM breakpoint b WHERE ${sql.unsafe(MATCHES)})`;
  return marked(rows, attempts.length);
}

/** For each attempt, in order, whether it is paused, or who has let it go on. */
export async function arePaused(sql: Sql, attempts: readonly AttemptRef[]): Promise<readonly Pause[]> {
  const rows = await sql<{ place: number; resumed: string | null }[]>`SELECT t.place, p.resumed
    FROM unnest(string_to_array(${separated(attempts.map((it) => it.runKey))}, E'\\x1f')::bigint[],
      ${arrayLiteral(attempts.map((it) => it.stepId))}::text[],
      string_to_array(${separated(attempts.map((it) => it.attemptId))}, E'\\x1f')::integer[])
      WITH ORDINALITY AS t (run_key, step_id, attempt_id, place)
    JOIN paused_attempt p ON p.run_key = t.run_key AND p.step_id = t.step_id AND p.attempt_id = t.attempt_id`;
  const places = new Map(rows.map(({ place, resumed }) => [Number(place), resumed]));
  return attempts.map((_, index) => {
    const resumed = places.get(index + 1);
    if (resumed === undefined || resumed === null) return { isHeld: resumed === null };
    return { isHeld: false, resumed: parseJson(resumed) as unknown as TimelineLogEvent };
  });
}

/** Of a breakpoint `b`, an attempt `t` and its run `r`. */
export const MATCHES = `b.internal_id = r.internal_id AND b.step_id = t.step_id
  AND b.version_id IN (0, r.version_id) AND b.instance_id IN (0, r.instance_id)
  AND b.run_id IN (0, r.run_id) AND b.attempt_id IN (0, t.attempt_id)`;

/** @param rows the places that have the mark, from 1 */
function marked(rows: readonly { readonly place: number }[], count: number): readonly boolean[] {
  const places = new Set(rows.map((row) => Number(row.place)));
  return Array.from({ length: count }, (_, index) => places.has(index + 1));
}
