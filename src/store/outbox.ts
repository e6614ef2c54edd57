/**
 * The durable queue's rows: inserted with the state that they announce (D6), by the writer or in a transaction of the
 * API; taken by a processor for a while; deleted when the processor has acted on them.
 *
 * A row that is announced again while a processor works on it is due again at once, and outlives that work's `done`: its
 * `next_time`, which is what the taker was given, has changed.
 */
import { type Json, parseJson, stringifyJson } from "../json.ts";
import { storable } from "./column.ts";
import type { Sql, Transaction } from "./connection.ts";

/** Topic of "this workflow may have room for queued runs"; the key is the workflow's id. */
export const DEQUEUE = "dequeue";

/** A pool, or a transaction of the caller's. */
export type Queryable = Sql | Transaction;

export interface OutboxEntry {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  readonly payload: Json | undefined;
  /** Epoch ms. */
  readonly createTime: number;
  /** Failed tries before this one. */
  readonly attempts: number;
  /** Names the last `takeDue` of the row: only `done` and `failed` with this token count. */
  readonly token: number;
}

export interface DeadEntry extends Omit<OutboxEntry, "token"> {
  readonly error: string;
}

/** Tries after which a row is dead: about a day with the backoff below. */
const MAX_ATTEMPTS = 30;
const FIRST_BACKOFF = 1000;
const LONGEST_BACKOFF = 3_600_000;

/** Two waiting rows of one topic and key are one; a dead one comes back to life. */
export async function addOutbox(
  db: Queryable,
  rows: readonly { readonly topic: string; readonly key: string; readonly payload?: Json }[],
): Promise<void> {
  for (const { topic, key, payload } of rows) {
    const text = payload === undefined ? null : stringifyJson(payload);
    await db`INSERT INTO outbox (kind, key, payload, create_time)
      VALUES (${topic}, ${storable(key)}, ${text}, ${Date.now()})
      ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, create_time = excluded.create_time, attempts = 0,
        next_time = 0, error = NULL, dead = 0`;
  }
}

/**
 * Takes rows that are due, oldest first; no other processor gets them for `hold` milliseconds.
 * @param now epoch ms
 */
export async function takeDue(
  sql: Sql,
  topic: string,
  now: number,
  limit: number,
  hold: number,
): Promise<readonly OutboxEntry[]> {
  const rows = await sql<OutboxRow[]>`UPDATE outbox SET next_time = ${now + hold}
    WHERE id = ANY(ARRAY(
      SELECT id FROM outbox WHERE kind = ${topic} AND dead = 0 AND next_time <= ${now}
      ORDER BY next_time, id LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, kind, key, payload, create_time, attempts, next_time, error`;
  return rows.map(entryOf).sort((a, b) => a.id - b.id);
}

/** Deletes rows that are acted on. */
export async function doneOutbox(db: Queryable, entries: readonly OutboxEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await db`DELETE FROM outbox o USING unnest(
      ${entries.map((entry) => entry.id)}::bigint[], ${entries.map((entry) => entry.token)}::bigint[]) AS t (id, token)
    WHERE o.id = t.id AND o.next_time = t.token`;
}

/** Milliseconds before the next try after `failures` failed ones. */
export const outboxBackoff = (failures: number): number =>
  Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);

/**
 * Puts a row back for a later try; after the last one it is dead and waits for an operator.
 * @param now epoch ms
 * @returns whether it is dead
 */
export async function failedOutbox(db: Queryable, entry: OutboxEntry, error: string, now: number): Promise<boolean> {
  const failures = entry.attempts + 1;
  const isDead = failures >= MAX_ATTEMPTS;
  await db`UPDATE outbox SET attempts = ${failures}, next_time = ${now + outboxBackoff(failures)},
      error = ${storable(error)}, dead = ${isDead ? 1 : 0}
    WHERE id = ${entry.id} AND next_time = ${entry.token}`;
  return isDead;
}

/** Rows that were given up, oldest first. */
export async function deadOutbox(sql: Sql, limit: number): Promise<readonly DeadEntry[]> {
  const rows = await sql<OutboxRow[]>`SELECT id, kind, key, payload, create_time, attempts, next_time, error FROM outbox
    WHERE dead = 1 ORDER BY id LIMIT ${limit}`;
  return rows.map((row) => {
    const { token: _, ...entry } = entryOf(row);
    return { ...entry, error: row.error ?? "" };
  });
}

/** Gives dead rows all their tries again. @param ids undefined: all @returns how many */
export async function replayDead(sql: Sql, ids?: readonly number[]): Promise<number> {
  const { count } = await sql`UPDATE outbox SET dead = 0, attempts = 0, next_time = 0, error = NULL
    WHERE dead = 1 ${ids === undefined ? sql`` : sql`AND id = ANY(${[...ids]}::bigint[])`}`;
  return count;
}

interface OutboxRow {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: string | null;
  readonly create_time: number;
  readonly attempts: number;
  readonly next_time: number;
  readonly error: string | null;
}

const entryOf = (row: OutboxRow): OutboxEntry => ({
  id: row.id,
  topic: row.kind,
  key: row.key,
  payload: row.payload === null ? undefined : parseJson(row.payload),
  createTime: row.create_time,
  attempts: row.attempts,
  token: row.next_time,
});
