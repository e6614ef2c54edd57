/**
 * A batch as one statement: the fence and a data-modifying part for each table that it writes. One statement is one
 * transaction and one round trip, on whatever connection; each shape of it is prepared once (there are at most 32).
 */
import type postgres from "postgres";
import type { GroupStamp, LogChunk } from "../../flow/port.ts";
import { arrayLiteral, type Cell, integer, separated } from "../column.ts";
import type { Sql } from "../connection.ts";
import { listText, objectText, retryText, stepParamsText, timesText, valueText } from "../row.ts";
import type { AttemptWrite, Batch, OutboxWrite, RunWrite } from "./batch.ts";

type Part = postgres.PendingQuery<postgres.Row[]>;

/**
 * Encodes the rows, so it may throw; nothing is sent before somebody waits for it.
 *
 * @param now becomes the outbox rows' `create_time`
 */
export function statement(sql: Sql, batch: Batch, now: number): Part {
  const parts: Part[] = [];
  if (batch.attempts.length > 0) parts.push(sql`, attempts AS (${upsertAttempts(sql, batch.attempts)})`);
  if (batch.runs.length > 0) parts.push(sql`, runs AS (${updateRuns(sql, batch.runs)})`);
  if (batch.chunks.length > 0) parts.push(sql`, chunks AS (${insertChunks(sql, batch.chunks)})`);
  if (batch.outbox.length > 0) parts.push(sql`, announcements AS (${insertOutbox(sql, batch.outbox, now)})`);
  if (batch.actions.length > 0) parts.push(sql`, actions AS (${deleteActions(sql, batch.actions)})`);
  return sql`WITH fence AS MATERIALIZED (${fence(sql, batch.stamps)}) ${parts.length > 0 ? parts : sql``}
    SELECT count(*) FROM fence`;
}

/** The column of a batch: one text. */
const column = <T>(rows: readonly T[], cell: (row: T) => Cell): string => separated(rows.map(cell));

const fence = (sql: Sql, stamps: readonly GroupStamp[]): Part =>
  sql`SELECT fence_groups(
    string_to_array(${column(stamps, (stamp) => stamp.groupId)}, E'\\x1f')::integer[],
    string_to_array(${column(stamps, (stamp) => stamp.generation)}, E'\\x1f')::bigint[])`;

const upsertAttempts = (sql: Sql, rows: readonly AttemptWrite[]): Part =>
  sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params,
      params_time, conditions, conditions_time, retry, timeout_ms, artifacts, timeline, poll_time,
      place)
    SELECT run_key::bigint, step_id, attempt_id::integer, uuid, step_instance_id::integer, status, times, params::json,
      params_time::bigint, conditions::json, conditions_time::bigint, retry::json, timeout_ms::bigint, artifacts::json,
      timeline::json, poll_time::bigint, place::json
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
      string_to_array(${column(rows, (row) => integer(row.attempt.pollTime))}, E'\\x1f', ''),
      string_to_array(${column(rows, (row) => valueText(row.attempt.place))}, E'\\x1f', ''))
    AS t (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params, params_time, conditions,
      conditions_time, retry, timeout_ms, artifacts, timeline, poll_time, place)
    ON CONFLICT (run_key, step_id, attempt_id) DO UPDATE SET status = excluded.status, times = excluded.times,
      params = excluded.params, params_time = excluded.params_time, conditions = excluded.conditions,
      conditions_time = excluded.conditions_time, retry = excluded.retry,
      timeout_ms = excluded.timeout_ms, artifacts = excluded.artifacts, timeline = excluded.timeline,
      poll_time = excluded.poll_time, place = excluded.place`;

const updateRuns = (sql: Sql, rows: readonly RunWrite[]): Part =>
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

const insertChunks = (sql: Sql, rows: readonly LogChunk[]): Part =>
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
const insertOutbox = (sql: Sql, rows: readonly OutboxWrite[], now: number): Part =>
  sql`INSERT INTO outbox (kind, key, payload, create_time)
    SELECT kind, key, payload::json, ${now}::bigint
    FROM unnest(
      ${arrayLiteral(rows.map((row) => row.topic))}::text[],
      ${arrayLiteral(rows.map((row) => row.key))}::text[],
      string_to_array(${column(rows, (row) => valueText(row.payload))}, E'\\x1f', ''))
    AS t (kind, key, payload)
    ON CONFLICT (kind, key) DO UPDATE SET payload = excluded.payload, create_time = excluded.create_time, attempts = 0,
      next_time = 0, error = NULL, dead = 0`;

const deleteActions = (sql: Sql, keys: readonly number[]): Part =>
  sql`DELETE FROM run_action
    WHERE run_key = ANY(string_to_array(${column(keys, (key) => key)}, E'\\x1f')::bigint[])`;
