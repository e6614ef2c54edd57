/** What the runs of instances have left for a later run of theirs: the rows that `run/earlier.ts` goes through. */
import type { EarlierRows } from "../flow/port.ts";
import type { RunRef } from "../run/model.ts";
import { arrayLiteral, separated } from "./column.ts";
import type { Sql } from "./connection.ts";
import { type AttemptRow, attemptOf, type RunRow, runOf } from "./row.ts";

/** Runs of one statement. */
const BATCH = 200;

/**
 * Of each run: the runs of its instance before it, from the latest one on that executed the whole definition, without params
 * and timelines; and the newest attempt at each step over them.
 */
export async function loadEarlier(sql: Sql, runs: readonly RunRef[]): Promise<readonly EarlierRows[]> {
  const found: EarlierRows[] = [];
  for (let start = 0; start < runs.length; start += BATCH) {
    found.push(...(await loadSome(sql, runs.slice(start, start + BATCH))));
  }
  return found;
}

interface Positioned {
  readonly position: number;
}

async function loadSome(sql: Sql, runs: readonly RunRef[]): Promise<readonly EarlierRows[]> {
  if (runs.length === 0) return [];
  const workflows = arrayLiteral(runs.map((run) => run.workflowId));
  const instances = separated(runs.map((run) => run.instanceId));
  const ids = separated(runs.map((run) => run.runId));
  const earlier = sql`unnest(${workflows}::text[], string_to_array(${instances}, E'\x1f')::bigint[],
      string_to_array(${ids}, E'\x1f')::bigint[]) WITH ORDINALITY AS t (workflow_id, instance_id, run_id, position)
    CROSS JOIN LATERAL (
      SELECT coalesce(max(w.run_id), 1) AS first FROM run w
      WHERE w.workflow_id = t.workflow_id AND w.instance_id = t.instance_id AND w.run_id < t.run_id
        AND w.config ->> 'policy' IN ('START_FRESH_NEW_RUN', 'START_CUSTOMIZED_RUN', 'RESTART_FROM_BEGINNING')
    ) AS whole
    JOIN run r ON r.workflow_id = t.workflow_id AND r.instance_id = t.instance_id
      AND r.run_id >= whole.first AND r.run_id < t.run_id`;
  const [before, attempts] = await Promise.all([
    sql<
      (RunRow & Positioned)[]
    >`SELECT t.position, r.workflow_id, r.instance_id, r.run_id, r.key, r.uuid, r.internal_id,
        r.version_id, r.group_id, r.group_info, r.correlation_id, r.parent_key, r.initiator, r.config,
        NULL AS run_params, r.properties, NULL AS params, r.timeout_ms, r.status, r.execution_id, r.request_time,
        r.create_time, r.start_time, r.end_time, r.modify_time, r.overview, NULL AS artifacts, NULL AS timeline
      FROM ${earlier} ORDER BY t.position, r.run_id`,
    sql<(AttemptRow & Positioned)[]>`SELECT DISTINCT ON (t.position, a.step_id) t.position, a.*
      FROM ${earlier} JOIN step_attempt a ON a.run_key = r.key
      ORDER BY t.position, a.step_id, r.run_id DESC, a.attempt_id DESC`,
  ]);
  return runs.map((_, index) => ({
    runs: before.filter(({ position }) => position === index + 1).map(runOf),
    attempts: attempts.filter(({ position }) => position === index + 1).map(attemptOf),
  }));
}
