/** The statements of a batch, in the order in which they run; at most {@link CHUNK} rows each. */
import type { GroupStamp, LogChunk } from "../../flow/port.ts";
import { arrayLiteral, type Cell, integer, separated } from "../column.ts";
import type { Reserved, Statement } from "../pipeline.ts";
import { listText, objectText, retryText, stepParamsText, timesText, valueText } from "../row.ts";
import type { AttemptWrite, Batch, OutboxWrite, RunWrite } from "./batch.ts";

const CHUNK = 500;

/**
 * A whole transaction, to be waited for together. Encodes the rows, so it may throw; nothing is sent before it returns.
 *
 * @param now becomes the outbox rows' `create_time`
 */
export function statements(sql: Reserved, batch: Batch, now: number): readonly Statement[] {
  return [
    sql`BEGIN`,
    fence(sql, batch.stamps),
    ...chunked(batch.attempts, (rows) => upsertAttempts(sql, rows)),
    ...chunked(batch.runs, (rows) => updateRuns(sql, rows)),
    ...chunked(batch.chunks, (rows) => insertChunks(sql, rows)),
    ...chunked(batch.outbox, (rows) => insertOutbox(sql, rows, now)),
    ...chunked(batch.actions, (rows) => deleteActions(sql, rows)),
    sql`COMMIT`,
  ];
}

function chunked<T>(rows: readonly T[], statement: (rows: readonly T[]) => Statement): readonly Statement[] {
  const made: Statement[] = [];
  for (let start = 0; start < rows.length; start += CHUNK) made.push(statement(rows.slice(start, start + CHUNK)));
  return made;
}

/** The column of a batch: one text. */
const column = <T>(rows: readonly T[], cell: (row: T) => Cell): string => separated(rows.map(cell));

const fence = (sql: Reserved, stamps: readonly GroupStamp[]): Statement =>
  sql`SELECT fence_groups(
    string_to_array(${column(stamps, (stamp) => stamp.groupId)}, E'\\x1f')::integer[],
    string_to_array(${column(stamps, (stamp) => stamp.generation)}, E'\\x1f')::bigint[])`;

const upsertAttempts = (sql: Reserved, rows: readonly AttemptWrite[]): Statement =>
  sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params,
      params_time, conditions, conditions_time, retry, timeout_ms, artifacts, timeline, poll_time)
    SELECT run_key::bigint, step_id, attempt_id::integer, uuid, step_instance_id::integer, status, times, params::json,
      params_time::bigint, conditions::json, conditions_time::bigint, retry::json, timeout_ms::bigint, artifacts::json, timeline::json, poll_time::bigint
    FROM unnest(
      string_to_array(${column(rows, (row) => row.runKey)}, E'\\x1f', ''),
      ${arrayLiteral(rows.map((row) => row.attempt.stepId))}::text[],
      string_to_array(${column(rows, (row) => row.attempt.attemptId)}, E'\\x1f', ''),
      ${arrayLiteral(rows.map((row) => row.attempt.uuid))}::text[],
      string_to_array(${column(rows, (row) => row.attempt.stepInstanceId)}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => row.attempt.status)}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => timesText(row.attempt.times))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => stepParamsText(row.attempt))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.attempt.paramsTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => valueText(row.attempt.conditions))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.attempt.conditionsTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => retryText(row.attempt.retry))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.attempt.timeoutMs))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => objectText(row.attempt.artifacts))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => listText(row.attempt.timeline))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.attempt.pollTime))}, E'\\x1f', ''))
    AS t (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params, params_time, conditions,
      conditions_time, retry, timeout_ms, artifacts, timeline, poll_time)
    ON CONFLICT (run_key, step_id, attempt_id) DO UPDATE SET status = excluded.status, times = excluded.times,
      params = excluded.params, params_time = excluded.params_time, conditions = excluded.conditions,
      conditions_time = excluded.conditions_time, retry = excluded.retry,
      timeout_ms = excluded.timeout_ms, artifacts = excluded.artifacts, timeline = excluded.timeline,
      poll_time = excluded.poll_time`;

const updateRuns = (sql: Reserved, rows: readonly RunWrite[]): Statement =>
  sql`UPDATE run SET status = t.status, start_time = t.start_time::bigint, end_time = t.end_time::bigint,
      modify_time = t.modify_time::bigint, overview = t.overview::json, artifacts = t.artifacts::json,
      timeline = t.timeline::json
    FROM unnest(
      string_to_array(${column(rows, (row) => row.key)}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => row.change.status)}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.change.startTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.change.endTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.change.modifyTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => valueText(row.change.overview))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => objectText(row.change.artifacts))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => listText(row.change.timeline))}, E'\\x1f', ''))
    AS t (key, status, start_time, end_time, modify_time, overview, artifacts, timeline)
    WHERE run.key = t.key::bigint`;

const insertChunks = (sql: Reserved, rows: readonly LogChunk[]): Statement =>
  sql`INSERT INTO step_log (uuid, stream, "offset", length, text, time)
    SELECT uuid, stream, "offset"::bigint, length::integer, text, time::bigint
    FROM unnest(
      ${arrayLiteral(rows.map((row) => row.uuid))}::text[],
      string_to_array(${column(rows, (row) => row.stream)}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.offset))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => integer(row.length))}, E'\\x1f', ''),
      ${arrayLiteral(rows.map((row) => row.text))}::text[],
      string_to_array(${column(rows, (row) => integer(row.time))}, E'\\x1f', ''))
    AS t (uuid, stream, "offset", length, text, time)
    ON CONFLICT (uuid, stream, "offset") DO NOTHING`;

/** A row that waits already is taken up anew: whoever works on it now does not see what is announced here. */
const insertOutbox = (sql: Reserved, rows: readonly OutboxWrite[], now: number): Statement =>
  sql`INSERT INTO outbox (kind, key, payload, create_time)
    SELECT kind, key, payload::json, ${now}::bigint
    FROM unnest(
      ${arrayLiteral(rows.map((row) => row.topic))}::text[],
      ${arrayLiteral(rows.map((row) => row.key))}::text[],
      string_to_array(${column(rows, (row) => valueText(row.payload))}, E'\\x1f', ''))
    AS t (kind, key, payload)
    ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, create_time = excluded.create_time, attempts = 0,
      next_time = 0, error = NULL, dead = 0`;

const deleteActions = (sql: Reserved, keys: readonly number[]): Statement =>
  sql`DELETE FROM run_action
    WHERE run_key = ANY(string_to_array(${column(keys, (key) => key)}, E'\\x1f')::bigint[])`;
