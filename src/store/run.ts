/** Runs as the engine reads them: loading what a group's owner takes over, and letting queued runs go. */
import type { LoadedRun, RunPage, RunPlace, Unfinished } from "../flow/port.ts";
import { parseJson } from "../json.ts";
import type { Run } from "../run/model.ts";
import type { Word, WordPayload } from "../run/word.ts";
import type { StepAttempt } from "../step/model.ts";
import { arrayLiteral, separated } from "./column.ts";
import type { Sql } from "./connection.ts";
import { logEnds } from "./log.ts";
import { DEQUEUE } from "./outbox.ts";
import { transact } from "./pipeline.ts";
import { type AttemptRow, attemptOf, type RunRow, runOf } from "./row.ts";

/**
 * Lets queued runs go while the rule in force has room, oldest instance first. One round trip. What is announced after
 * the `DELETE` lands in a new row; what was announced before it is seen by the count.
 */
export async function dequeue(sql: Sql, workflowIds: readonly string[]): Promise<readonly Run[]> {
  if (workflowIds.length === 0) return [];
  const ids = arrayLiteral(workflowIds);
  const rows = await transact(sql, async (line) => {
    const [, , , launched] = await Promise.all([
      line`BEGIN`,
      line`SELECT 1 FROM workflow WHERE workflow_id = ANY(${ids}::text[]) ORDER BY workflow_id FOR UPDATE`,
      line`WITH waiting AS MATERIALIZED (
          SELECT id FROM outbox WHERE kind = ${DEQUEUE} AND key = ANY(${ids}::text[]) ORDER BY key FOR UPDATE
        )
        DELETE FROM outbox WHERE id IN (SELECT id FROM waiting)`,
      line<RunRow[]>`UPDATE run
        SET execution_id = uuid, modify_time = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
        WHERE key = ANY(ARRAY(
          SELECT q.key FROM workflow w CROSS JOIN LATERAL (
            SELECT r.key FROM run r
            WHERE r.workflow_id = w.workflow_id AND r.status = 'CREATED' AND r.execution_id IS NULL
            ORDER BY r.instance_id, r.run_id
            LIMIT greatest(0, w.run_concurrency - (
              SELECT count(*) FROM run o WHERE o.workflow_id = w.workflow_id
                AND o.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND o.execution_id IS NOT NULL))
          ) q
          WHERE w.workflow_id = ANY(${ids}::text[]) AND NOT w.paused AND NOT (w.run_rule = 'STRICT_SEQUENTIAL'
            AND (SELECT f.key FROM run f WHERE f.workflow_id = w.workflow_id AND f.status = 'FAILED'
              ORDER BY f.workflow_id LIMIT 1) IS NOT NULL)))
        RETURNING *`,
      line`COMMIT`,
    ]);
    return launched;
  });
  return rows.map(runOf).sort(byInstance);
}

const byInstance = (a: Run, b: Run): number =>
  a.workflowId === b.workflowId
    ? a.instanceId - b.instanceId || a.runId - b.runId
    : a.workflowId < b.workflowId
      ? -1
      : 1;

/** What a page has at most: it is read and kept at once. */
interface PageLimits {
  readonly runs: number;
  /** As stored, compressed. */
  readonly bytes: number;
}

const PAGE: PageLimits = { runs: 200, bytes: 8 * 2 ** 20 };

/** Launched unfinished runs of a group with a key above `afterKey`, ascending: one at least, and no more than fit a page. */
export async function loadGroup(sql: Sql, groupId: number, afterKey: number, limits = PAGE): Promise<RunPage> {
  const newest = afterKey === 0 ? await newestKey(sql) : afterKey;
  const sized = await sql<{ key: number; bytes: number }[]>`SELECT open.key, open.bytes + steps.bytes AS bytes
    FROM (
      SELECT key, ${bytesOf(sql, "params", "run_params", "timeline")} AS bytes FROM run
      WHERE group_id = ${groupId} AND key > ${afterKey}
        AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
      ORDER BY key LIMIT ${limits.runs}
    ) AS open
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(newest.bytes), 0) AS bytes FROM (
        SELECT DISTINCT ON (step_id) ${bytesOf(sql, "params", "artifacts", "timeline", "reported")} AS bytes FROM step_attempt
        WHERE run_key = open.key ORDER BY step_id DESC, attempt_id DESC
      ) AS newest
    ) AS steps
    ORDER BY open.key`;
  const keys = firstOf(sized, limits.bytes);
  const isLast = keys.length === sized.length && sized.length < limits.runs;
  return { runs: await loadUnfinished(sql, keys), next: isLast ? undefined : keys.at(-1), newest };
}

async function newestKey(sql: Sql): Promise<number> {
  const [row] = await sql<{ key: number | null }[]>`SELECT max(key) AS key FROM run`;
  return row?.key ?? 0;
}

/** What the columns of a row take in the database, compressed. */
const bytesOf = (sql: Sql, ...columns: readonly string[]) =>
  sql.unsafe(columns.map((column) => `coalesce(pg_column_size(${column}), 0)`).join(" + "));

/** Those that fit the page, one at least. */
function firstOf(sized: readonly { readonly key: number; readonly bytes: number }[], most: number): readonly number[] {
  const keys: number[] = [];
  let bytes = 0;
  for (const run of sized) {
    bytes += Number(run.bytes);
    if (bytes > most && keys.length > 0) break;
    keys.push(run.key);
  }
  return keys;
}

/** Undefined when it has ended or was never launched. */
export const loadRun = async (sql: Sql, key: number): Promise<LoadedRun | undefined> =>
  (await loadUnfinished(sql, [key]))[0];

/** Those that are launched and unfinished, ascending. */
async function loadUnfinished(sql: Sql, keys: readonly number[]): Promise<readonly LoadedRun[]> {
  if (keys.length === 0) return [];
  const rows = await sql<
    RunRow[]
  >`SELECT * FROM run WHERE key = ANY(string_to_array(${separated(keys)}, E'\\x1f')::bigint[])
      AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
    ORDER BY key`;
  return complete(sql, rows);
}

interface WordRow {
  readonly run_key: number;
  readonly step_id: string;
  readonly kind: Word["kind"];
  readonly user: string;
  readonly reason: string | null;
  readonly create_time: number;
  readonly payload: string | null;
}

/** Adds what hangs on the runs. */
async function complete(sql: Sql, rows: readonly RunRow[]): Promise<readonly LoadedRun[]> {
  if (rows.length === 0) return [];
  const keys = separated(rows.map((row) => row.key));
  const [attempts, said] = await Promise.all([
    sql<AttemptRow[]>`SELECT DISTINCT ON (run_key, step_id) * FROM step_attempt
      WHERE run_key = ANY(string_to_array(${keys}, E'\\x1f')::bigint[])
      ORDER BY run_key DESC, step_id DESC, attempt_id DESC`,
    words(
      sql,
      rows.map((row) => row.key),
    ),
  ]);
  const attemptsOf = new Map<number, StepAttempt[]>();
  for (const row of attempts.sort((a, b) => a.step_instance_id - b.step_instance_id)) {
    const list = attemptsOf.get(row.run_key);
    if (list === undefined) attemptsOf.set(row.run_key, [attemptOf(row)]);
    else list.push(attemptOf(row));
  }
  const open = attempts.filter((row) => row.status === "STARTING" || row.status === "RUNNING");
  const ends = await logEnds(
    sql,
    open.map((row) => row.uuid),
  );
  return rows.map((row) => ({
    run: runOf(row),
    attempts: attemptsOf.get(row.key) ?? [],
    words: said.get(row.key) ?? [],
    logEnds: ends,
  }));
}

/** What is said to these runs and not carried out, in the order in which it was said. */
export async function words(sql: Sql, runKeys: readonly number[]): Promise<ReadonlyMap<number, readonly Word[]>> {
  const rows = await sql<WordRow[]>`SELECT run_key, step_id, kind, "user", reason, create_time, payload FROM run_word
    WHERE run_key = ANY(string_to_array(${separated(runKeys)}, E'\\x1f')::bigint[])
    ORDER BY run_key, create_time, kind DESC`;
  const byRun = new Map<number, Word[]>();
  for (const row of rows) {
    const said = byRun.get(row.run_key);
    if (said === undefined) byRun.set(row.run_key, [wordOf(row)]);
    else said.push(wordOf(row));
  }
  return byRun;
}

const wordOf = (row: WordRow): Word => ({
  kind: row.kind,
  stepId: row.step_id === "" ? undefined : row.step_id,
  user: parseJson(row.user) as string,
  reason: row.reason ?? "",
  createTime: row.create_time,
  ...(row.payload !== null && (parseJson(row.payload) as WordPayload)),
});

/** Forgets what was said to runs of these groups that have ended without it: such a row came while the end committed. */
export async function dropWords(sql: Sql, groupIds: readonly number[]): Promise<void> {
  await sql`DELETE FROM run_word USING run
    WHERE run_word.group_id = ANY(string_to_array(${separated(groupIds)}, E'\\x1f')::integer[])
      AND run.key = run_word.run_key AND run.status NOT IN ('CREATED', 'IN_PROGRESS', 'PAUSED')`;
}

/** Launched unfinished runs, and runs to which something is said, of these groups, ascending. */
export async function unfinished(sql: Sql, groupIds: readonly number[]): Promise<Unfinished> {
  const groups = separated(groupIds);
  const [runs, said] = await Promise.all([
    sql<PlaceRow[]>`SELECT key, group_id FROM run
      WHERE group_id = ANY(string_to_array(${groups}, E'\\x1f')::integer[])
        AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
      ORDER BY key`,
    sql<PlaceRow[]>`SELECT DISTINCT run_key AS key, group_id FROM run_word
      WHERE group_id = ANY(string_to_array(${groups}, E'\\x1f')::integer[]) ORDER BY run_key`,
  ]);
  return { runs: runs.map(placeOf), words: said.map(placeOf) };
}

interface PlaceRow {
  readonly key: number;
  readonly group_id: number;
}

const placeOf = (row: PlaceRow): RunPlace => ({ key: row.key, groupId: row.group_id });
