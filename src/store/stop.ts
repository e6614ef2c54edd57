/**
 * What users do to runs, as far as the rows decide it: ending a run that waits, asking the owner of a running one to end
 * it, letting a strictly sequential workflow go on. Each is one statement, guarded by the state it needs.
 */
import type { TimelineEvent } from "../definition/timeline.ts";
import type { RunPlace } from "../flow/port.ts";
import { stringifyJson } from "../json.ts";
import type { RunRef } from "../run/model.ts";
import type { Word, WordPayload } from "../run/word.ts";
import { storable } from "./column.ts";
import { DEQUEUE, type Queryable } from "./outbox.ts";

/** Runs ended by one statement of {@link stopAllQueued}. */
const STOP_BATCH = 200;

/** A run that waited, and has ended so. */
export interface StoppedRun extends RunRef {
  /** The run whose step has started it: its owner is to be told. */
  readonly parent: RunPlace | undefined;
}

/** Whose step has started a run, as rows say it. */
export interface ParentRow {
  /** Null: a root. */
  readonly parent_key: number | null;
  /** Null: a root, or the parent's row is deleted. */
  readonly parent_group: number | null;
}

export const parentOf = ({ parent_key: key, parent_group: groupId }: ParentRow): RunPlace | undefined =>
  key === null || groupId === null ? undefined : { key, groupId };

/**
 * Ends a run that was never launched.
 *
 * The workflow's row is locked first, as everywhere: the run can't be launched meanwhile.
 * @returns undefined when it is launched or has ended, or is not there
 */
export async function stopQueued(
  db: Queryable,
  ref: RunRef,
  status: "STOPPED" | "FAILED",
  event: TimelineEvent,
): Promise<StoppedRun | undefined> {
  const [row] = await db<ParentRow[]>`WITH place AS MATERIALIZED (
      SELECT workflow_id FROM workflow WHERE workflow_id = ${ref.workflowId} FOR UPDATE
    ), stopped AS (
      UPDATE run SET status = ${status}, end_time = ${event.timestamp}, modify_time = ${event.timestamp},
        timeline = with_event(timeline, ${stringifyJson(event)})
      WHERE workflow_id = (SELECT workflow_id FROM place) AND instance_id = ${ref.instanceId} AND run_id = ${ref.runId}
        AND status = 'CREATED' AND execution_id IS NULL
      RETURNING workflow_id, parent_key
    ), told AS (
      INSERT INTO outbox (kind, key, create_time) SELECT ${DEQUEUE}, workflow_id, ${event.timestamp} FROM stopped
      ON CONFLICT (kind, key) DO UPDATE SET next_time = 0, attempts = 0, dead = 0
    )
    SELECT parent_key, (SELECT group_id FROM run WHERE key = stopped.parent_key) AS parent_group FROM stopped`;
  const { workflowId, instanceId, runId } = ref;
  return row && { workflowId, instanceId, runId, parent: parentOf(row) };
}

/** Ends all runs of a workflow that wait, in batches. @returns those that it ended */
export async function stopAllQueued(
  db: Queryable,
  workflowId: string,
  status: "STOPPED" | "FAILED",
  event: TimelineEvent,
): Promise<readonly StoppedRun[]> {
  const ended: StoppedRun[] = [];
  for (;;) {
    const rows = await db<(ParentRow & { instance_id: number; run_id: number })[]>`WITH place AS MATERIALIZED (
        SELECT workflow_id FROM workflow WHERE workflow_id = ${workflowId} FOR UPDATE
      ), stopped AS (
        UPDATE run SET status = ${status}, end_time = ${event.timestamp}, modify_time = ${event.timestamp},
          timeline = with_event(timeline, ${stringifyJson(event)})
        WHERE key = ANY(ARRAY(
            SELECT r.key FROM run r WHERE r.workflow_id = (SELECT workflow_id FROM place)
              AND r.status = 'CREATED' AND r.execution_id IS NULL
            ORDER BY r.instance_id, r.run_id LIMIT ${STOP_BATCH} FOR UPDATE))
          AND status = 'CREATED' AND execution_id IS NULL
        RETURNING instance_id, run_id, parent_key
      ), told AS (
        INSERT INTO outbox (kind, key, create_time) SELECT ${DEQUEUE}, ${workflowId}, ${event.timestamp}
        WHERE EXISTS (SELECT 1 FROM stopped)
        ON CONFLICT (kind, key) DO UPDATE SET next_time = 0, attempts = 0, dead = 0
      )
      SELECT instance_id, run_id, parent_key, (SELECT group_id FROM run WHERE key = stopped.parent_key) AS parent_group
      FROM stopped ORDER BY instance_id, run_id`;
    for (const row of rows) {
      ended.push({ workflowId, instanceId: row.instance_id, runId: row.run_id, parent: parentOf(row) });
    }
    if (rows.length < STOP_BATCH) return ended;
  }
}

export interface NewWord {
  readonly kind: Word["kind"];
  readonly user: string;
  readonly reason: string | undefined;
  /** Epoch ms. */
  readonly createTime: number;
  readonly payload?: WordPayload | undefined;
}

/**
 * Says something to a launched, unfinished run: its owner carries it out. Said again, it is as it was said first.
 * @returns the run's key and group, to tell its owner; undefined when the run is not launched or has ended
 */
export async function sayToRun(
  db: Queryable,
  ref: RunRef,
  { kind, user, reason, createTime }: NewWord,
): Promise<{ readonly key: number; readonly groupId: number } | undefined> {
  const [row] = await db<{ key: number; group_id: number }[]>`WITH target AS (
      SELECT key, group_id FROM run
      WHERE workflow_id = ${ref.workflowId} AND instance_id = ${ref.instanceId} AND run_id = ${ref.runId}
        AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
    ), added AS (
      INSERT INTO run_word (run_key, group_id, kind, "user", reason, create_time)
      SELECT key, group_id, ${kind}, ${stringifyJson(user)}::json,
        ${reason === undefined ? null : storable(reason)}, ${createTime} FROM target
      ON CONFLICT (run_key, step_id, kind) DO NOTHING
    )
    SELECT key, group_id FROM target`;
  return row && { key: row.key, groupId: row.group_id };
}

/**
 * Says something to a step of a launched, unfinished run, unless something is said to it already.
 * @returns the run's key and group, to tell its owner; `pending` when the step has still to carry out what was said to it
 *   before; undefined when the run is not launched or has ended
 */
export async function sayToStep(
  db: Queryable,
  ref: RunRef,
  stepId: string,
  { kind, user, reason, createTime, payload }: NewWord,
): Promise<{ readonly key: number; readonly groupId: number } | "pending" | undefined> {
  const [row] = await db<{ key: number; group_id: number; said: boolean }[]>`WITH target AS (
      SELECT key, group_id FROM run
      WHERE workflow_id = ${ref.workflowId} AND instance_id = ${ref.instanceId} AND run_id = ${ref.runId}
        AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
    ), said AS (
      INSERT INTO run_word (run_key, step_id, group_id, kind, "user", reason, create_time, payload)
      SELECT key, ${stepId}, group_id, ${kind}, ${stringifyJson(user)}::json,
        ${reason === undefined ? null : storable(reason)}, ${createTime},
        ${payload === undefined ? null : stringifyJson(payload)}::json FROM target
      WHERE NOT EXISTS (SELECT 1 FROM run_word w WHERE w.run_key = target.key AND w.step_id = ${stepId})
      ON CONFLICT (run_key, step_id, kind) DO NOTHING RETURNING 1
    )
    SELECT key, group_id, EXISTS (SELECT 1 FROM said) AS said FROM target`;
  if (row === undefined) return undefined;
  return row.said ? { key: row.key, groupId: row.group_id } : "pending";
}

/** It is said, and not carried out yet. */
export async function isSaidToStep(
  db: Queryable,
  runKey: number,
  stepId: string,
  { kind, createTime }: Pick<NewWord, "kind" | "createTime">,
): Promise<boolean> {
  const rows = await db`SELECT 1 FROM run_word
    WHERE run_key = ${runKey} AND step_id = ${stepId} AND kind = ${kind} AND create_time = ${createTime}`;
  return rows.length > 0;
}

/** Takes back what was said to a step, if it is not carried out. @returns false when there is no such word any more */
export async function unsayToStep(
  db: Queryable,
  runKey: number,
  stepId: string,
  { kind, createTime }: Pick<NewWord, "kind" | "createTime">,
): Promise<boolean> {
  const rows = await db`DELETE FROM run_word
    WHERE run_key = ${runKey} AND step_id = ${stepId} AND kind = ${kind} AND create_time = ${createTime} RETURNING 1`;
  return rows.length > 0;
}

/**
 * A failed run no longer holds a STRICT_SEQUENTIAL workflow back.
 * @returns false when it is not FAILED, or unblocked already
 */
export async function unblock(db: Queryable, ref: RunRef, event: TimelineEvent): Promise<boolean> {
  const rows = await db`WITH place AS MATERIALIZED (
      SELECT workflow_id FROM workflow WHERE workflow_id = ${ref.workflowId} FOR UPDATE
    ), unblocked AS (
      UPDATE run SET status = 'FAILED_1', modify_time = ${event.timestamp}, timeline = with_event(timeline, ${stringifyJson(event)})
      WHERE workflow_id = (SELECT workflow_id FROM place) AND instance_id = ${ref.instanceId} AND run_id = ${ref.runId}
        AND status = 'FAILED'
      RETURNING workflow_id
    ), told AS (
      INSERT INTO outbox (kind, key, create_time) SELECT ${DEQUEUE}, workflow_id, ${event.timestamp} FROM unblocked
      ON CONFLICT (kind, key) DO UPDATE SET next_time = 0, attempts = 0, dead = 0
    )
    SELECT 1 FROM unblocked`;
  return rows.length > 0;
}
