/**
 * The durable queue's rows: inserted with the state that they announce (D6), by the writer or in a transaction of the
 * API; taken by a processor for a while; deleted when the processor has acted on them.
 *
 * `next_time` is the row's token: until then it belongs to whoever has announced or taken it. A row that is announced
 * again while a processor works on it gets another one, so that it outlives that work's `done`. Of a dead row it is the
 * time of its death.
 */
import { DEQUEUE, REFUSED } from "../flow/topic.ts";
import { type Json, parseJson, stringifyJson } from "../json.ts";
import type { Entry, Failure, QueueStore } from "../queue/port.ts";
import { arrayLiteral, storable } from "./column.ts";
import type { Sql, Transaction } from "./connection.ts";
import { untilPassed } from "./pipeline.ts";

export { DEQUEUE, REFUSED };

/** A pool, or a transaction of the caller's. */
export type Queryable = Sql | Transaction;

export interface NewRow {
  readonly topic: string;
  readonly key: string;
  readonly payload?: Json;
  /** Epoch ms until which the row is the announcer's alone. Default: it is everybody's. */
  readonly held?: number;
}

/** Two waiting rows of one topic and key are one; a dead one comes back to life. */
export async function addOutbox(db: Queryable, rows: readonly NewRow[]): Promise<void> {
  for (const { topic, key, payload, held = 0 } of rows) {
    const text = payload === undefined ? null : stringifyJson(payload);
    await db`INSERT INTO outbox (kind, key, payload, create_time, next_time)
      VALUES (${topic}, ${storable(key)}, ${text}, ${Date.now()}, ${held})
      ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, create_time = excluded.create_time, attempts = 0,
        next_time = CASE outbox.next_time WHEN excluded.next_time THEN 0 ELSE excluded.next_time END, error = NULL, dead = 0`;
  }
}

export const openQueueStore = (sql: Sql): QueueStore => ({
  take: (topic, now, limit, hold) => untilPassed(() => take(sql, topic, now, limit, hold)),
  done: (entries) => untilPassed(() => done(sql, entries)),
  failed: (failures) => untilPassed(() => failed(sql, failures)),
  release: (entries) => untilPassed(() => release(sql, entries)),
});

async function take(sql: Sql, topic: string, now: number, limit: number, hold: number): Promise<readonly Entry[]> {
  const rows = await sql<TakenRow[]>`UPDATE outbox SET next_time = ${now + hold}
    WHERE id = ANY(ARRAY(
      SELECT id FROM outbox WHERE kind = ${topic} AND dead = 0 AND next_time <= ${now}
      ORDER BY next_time, id LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ))
    RETURNING id, kind, key, payload, attempts, next_time`;
  return [...rows].sort((a, b) => a.id - b.id).map(entryOf);
}

async function done(sql: Sql, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql`DELETE FROM outbox USING ${rowsOf(sql, entries)} WHERE ${isSame(sql)}`;
}

async function failed(sql: Sql, failures: readonly Failure[]): Promise<void> {
  if (failures.length === 0) return;
  const columns = {
    attempts: failures.map(({ entry }) => entry.attempts + 1),
    time: failures.map(({ time }) => time),
    error: arrayLiteral(failures.map(({ error }) => error)),
    dead: failures.map(({ dead }) => Number(dead)),
  };
  const entries = failures.map(({ entry }) => entry);
  await sql`UPDATE outbox SET attempts = t.attempts, next_time = t.time, error = t.error, dead = t.dead
    FROM unnest(${columnsOf(sql, entries)}, ${columns.attempts}::integer[], ${columns.time}::bigint[],
      ${columns.error}::text[], ${columns.dead}::integer[]) AS t (kind, key, token, attempts, time, error, dead)
    WHERE ${isSame(sql)}`;
}

async function release(sql: Sql, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql`UPDATE outbox SET next_time = 0 FROM ${rowsOf(sql, entries)} WHERE ${isSame(sql)}`;
}

const columnsOf = (sql: Sql, entries: readonly Entry[]) =>
  sql`${arrayLiteral(entries.map(({ topic }) => topic))}::text[], ${arrayLiteral(entries.map(({ key }) => key))}::text[],
    ${entries.map(({ token }) => token)}::bigint[]`;

const rowsOf = (sql: Sql, entries: readonly Entry[]) => sql`unnest(${columnsOf(sql, entries)}) AS t (kind, key, token)`;

/** The row is as the entry has it: nobody has announced, taken or buried it since. */
const isSame = (sql: Sql) =>
  sql`outbox.kind = t.kind AND outbox.key = t.key AND outbox.next_time = t.token AND outbox.dead = 0`;

interface TakenRow {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload: string | null;
  readonly attempts: number;
  readonly next_time: number;
}

const entryOf = (row: TakenRow): Entry => ({
  topic: row.kind,
  key: row.key,
  payload: row.payload === null ? undefined : parseJson(row.payload),
  attempts: row.attempts,
  token: row.next_time,
});
