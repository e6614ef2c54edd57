/** Dead letters: rows of the outbox that wait for an operator, and how many rows there are. */
import { type Json, parseJson } from "../json.ts";
import type { Sql } from "./connection.ts";
import { REFUSED } from "./outbox.ts";

export interface LetterSummary {
  readonly id: number;
  readonly topic: string;
  readonly key: string;
  /** Why the last try failed. */
  readonly error: string;
  /** Failed tries. */
  readonly attempts: number;
  /** Epoch ms: when it was announced, and when it was given up. */
  readonly createTime: number;
  readonly deadTime: number;
}

export interface Letter extends LetterSummary {
  readonly payload: Json | undefined;
}

export interface LetterFilter {
  readonly topic?: string | undefined;
  /** Only those with a lower id. */
  readonly before?: number | undefined;
  readonly limit: number;
}

interface LetterRow {
  readonly id: number;
  readonly kind: string;
  readonly key: string;
  readonly payload?: string | null;
  readonly error: string | null;
  readonly attempts: number;
  readonly create_time: number;
  readonly next_time: number;
}

/** The newest first. */
export async function listLetters(sql: Sql, { topic, before, limit }: LetterFilter): Promise<LetterSummary[]> {
  const ofTopic = topic === undefined ? sql`` : sql`AND kind = ${topic}`;
  const rows = await sql<LetterRow[]>`
    SELECT id, kind, key, error, attempts, create_time, next_time FROM outbox
    WHERE dead = 1 AND id < ${before ?? Number.MAX_SAFE_INTEGER} ${ofTopic} ORDER BY id DESC LIMIT ${limit}`;
  return rows.map(summaryOf);
}

export async function loadLetter(sql: Sql, id: number): Promise<Letter | undefined> {
  const [row] = await sql<LetterRow[]>`
    SELECT id, kind, key, payload, error, attempts, create_time, next_time FROM outbox WHERE dead = 1 AND id = ${id}`;
  return row && letterOf(row);
}

/** @returns what was deleted */
export async function deleteLetter(sql: Sql, id: number): Promise<Letter | undefined> {
  const [row] = await sql<LetterRow[]>`DELETE FROM outbox WHERE dead = 1 AND id = ${id}
    RETURNING id, kind, key, payload, error, attempts, create_time, next_time`;
  return row && letterOf(row);
}

/** What stands in the way of a replay. */
export const isReplayable = (topic: string): boolean => topic !== REFUSED;

/** Letters of one statement of {@link replayLetters}. */
const REPLAY_BATCH = 1000;

/** Gives a dead row all its tries again. @returns whether it was there, and may be replayed */
export async function replayLetter(sql: Sql, id: number): Promise<boolean> {
  const { count } = await sql`UPDATE outbox SET dead = 0, attempts = 0, next_time = 0, error = NULL
    WHERE dead = 1 AND id = ${id} AND kind <> ${REFUSED}`;
  return count > 0;
}

/** As {@link replayLetter}, all of a topic or of all topics that may be replayed, in batches; each letter once. @returns how many */
export async function replayLetters(sql: Sql, topic?: string): Promise<number> {
  const ofTopic = topic === undefined ? sql`` : sql`AND kind = ${topic}`;
  let total = 0;
  for (let after = -1; ; ) {
    const rows = await sql<{ id: number }[]>`UPDATE outbox SET dead = 0, attempts = 0, next_time = 0, error = NULL
      WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE dead = 1 AND id > ${after} AND kind <> ${REFUSED} ${ofTopic}
        ORDER BY id LIMIT ${REPLAY_BATCH} FOR UPDATE))
      RETURNING id`;
    total += rows.length;
    if (rows.length < REPLAY_BATCH) return total;
    after = Math.max(...rows.map(({ id }) => id));
  }
}

export interface RowCount {
  readonly topic: string;
  readonly waiting: number;
  readonly dead: number;
}

/** Rows of the outbox by topic; none of a topic that has none. */
export async function countRows(sql: Sql): Promise<readonly RowCount[]> {
  const rows = await sql<{ kind: string; waiting: number; dead: number }[]>`
    SELECT kind, count(*) FILTER (WHERE dead = 0) AS waiting, count(*) FILTER (WHERE dead = 1) AS dead
    FROM outbox GROUP BY kind`;
  return rows.map(({ kind, waiting, dead }) => ({ topic: kind, waiting: Number(waiting), dead: Number(dead) }));
}

const summaryOf = (row: LetterRow): LetterSummary => ({
  id: row.id,
  topic: row.kind,
  key: row.key,
  error: row.error ?? "",
  attempts: row.attempts,
  createTime: row.create_time,
  deadTime: row.next_time,
});

const letterOf = (row: LetterRow): Letter => ({
  ...summaryOf(row),
  payload: row.payload == null ? undefined : parseJson(row.payload),
});
