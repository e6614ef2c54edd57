/**
 * What the steps of runs under way have below them, counted when it is read: the leaf steps of all runs that they have
 * started, and those runs of theirs. One statement, whatever the depth.
 *
 * The artifact of a loop counts the iterations that had ended when it was written; the others are found by their workflow's id,
 * from the first that it does not count. So nothing is counted twice, and nothing is left out, however old the artifact is.
 */
import type { Artifacts } from "../definition/timeline.ts";
import { parseJson } from "../json.ts";
import type { RollupOverview } from "../run/model.ts";
import { STEP_STATUS, STEP_STATUSES, type StepStatus } from "../step/status.ts";
import type { Fragment, Sql } from "./connection.ts";

/** Steps that an answer names of a status, below one step. The counts are whole. */
const MOST_NAMED = 100;

/** One step whose work are other runs, under way. */
export interface LiveStep {
  /** As they were when the rest was read. */
  readonly artifacts: Artifacts;
  /** Its leaves as far as its artifact has gathered them, or itself when nothing is below it. */
  readonly gathered: RollupOverview;
  /** The leaves of the runs that the artifact does not count. */
  readonly below: RollupOverview;
}

interface LeafRow {
  readonly run_key: number;
  readonly step_id: string;
  readonly gathered: boolean;
  readonly status: StepStatus | null;
  readonly cnt: number;
  readonly named: readonly string[] | null;
  readonly artifacts: string | null;
}

const REFERENCED = STEP_STATUSES.filter((status) => STEP_STATUS[status].referenced);
const TERMINAL = STEP_STATUSES.filter((status) => STEP_STATUS[status].terminal);
/** Between the run of a reference and the step. */
const SEPARATOR = "\x1f";

/** The steps of these runs that are under way and have artifacts of their children, by run and step. */
export async function liveSteps(
  sql: Sql,
  runKeys: readonly number[],
): Promise<ReadonlyMap<number, ReadonlyMap<string, LiveStep>>> {
  const found = new Map<number, Map<string, LiveStep>>();
  if (runKeys.length === 0) return found;
  const rows = await sql<LeafRow[]>`WITH RECURSIVE node AS (
      SELECT a.run_key AS root_key, a.step_id AS root_step, true AS is_root, r.workflow_id, r.instance_id, r.run_id,
        a.run_key, a.parent_key, a.parent_step, a.step_id, a.attempt_id, a.status, a.artifacts, NULL::json AS rollup
      FROM unnest(${runKeys as number[]}::bigint[]) AS given (key) JOIN run r USING (key)
      CROSS JOIN LATERAL ${newestAttempts(sql, sql`r.key`)} a
      WHERE ${isOpen(sql, sql`a`)}
      UNION ALL
      SELECT n.root_key, n.root_step, false, c.workflow_id, c.instance_id, c.run_id,
        c.key, n.run_key, n.step_id, a.step_id, a.attempt_id, a.status, a.artifacts,
        CASE WHEN c.is_live THEN NULL ELSE c.rollup END
      FROM node n CROSS JOIN LATERAL ${childrenOf(sql)} c
      LEFT JOIN LATERAL ${newestAttempts(sql, sql`c.key`)} a ON c.is_live
      WHERE ${isOpen(sql, sql`n`)}
    ), stored AS (
      SELECT root_key, root_step, is_root, part -> 'overview' AS overview
      FROM node CROSS JOIN LATERAL (VALUES (rollup), (artifacts #> '{maestro_foreach,foreach_overview,rollup}'),
        (artifacts #> '{maestro_while,rollup}'),
        (artifacts #> '{maestro_while,last_overview,rollup_overview}'),
        (artifacts #> '{maestro_subworkflow,subworkflow_overview,rollup_overview}')) AS parts (part)
      WHERE (rollup IS NOT NULL OR artifacts IS NOT NULL) AND json_typeof(part -> 'overview') = 'object'
    ), leaf AS (
      SELECT root_key, root_step, is_root, status, 1::bigint AS cnt,
        CASE WHEN status = ANY(${REFERENCED as string[]}::text[]) THEN
          concat(workflow_id, ':', run_id, ${SEPARATOR}::text, instance_id, ':', step_id, ':', attempt_id) END AS named
      FROM node WHERE status IS NOT NULL AND (artifacts IS NULL OR ${gathersNothing(sql)}
        AND (run_key, step_id) NOT IN (SELECT parent_key, parent_step FROM node WHERE NOT is_root))
      UNION ALL
      SELECT root_key, root_step, is_root, counted.key, (counted.value ->> 'cnt')::bigint, NULL
      FROM stored CROSS JOIN LATERAL json_each(overview) AS counted
      UNION ALL
      SELECT root_key, root_step, is_root, counted.key, 0, concat(owner.key, ${SEPARATOR}::text, step)
      FROM stored CROSS JOIN LATERAL json_each(overview) AS counted
      CROSS JOIN LATERAL json_each(counted.value -> 'ref') AS owner
      CROSS JOIN LATERAL json_array_elements_text(owner.value) AS step
    )
    SELECT root_key AS run_key, root_step AS step_id, is_root AS gathered, status, sum(cnt)::bigint AS cnt,
      (array_agg(named) FILTER (WHERE named IS NOT NULL))[1:${MOST_NAMED}::int] AS named, NULL AS artifacts
    FROM leaf GROUP BY 1, 2, 3, 4
    UNION ALL
    SELECT run_key, step_id, true, NULL, 0, NULL, artifacts::text FROM node WHERE is_root`;
  for (const row of rows) if (row.artifacts !== null) addStep(found, row, rows);
  return found;
}

function addStep(found: Map<number, Map<string, LiveStep>>, step: LeafRow, rows: readonly LeafRow[]): void {
  const own = rows.filter((row) => row.run_key === step.run_key && row.step_id === step.step_id && row.status !== null);
  const steps = found.get(step.run_key) ?? new Map<string, LiveStep>();
  found.set(step.run_key, steps);
  steps.set(step.step_id, {
    artifacts: parseJson(step.artifacts as string) as Artifacts,
    gathered: rollupOf(own.filter((row) => row.gathered)),
    below: rollupOf(own.filter((row) => !row.gathered)),
  });
}

function rollupOf(rows: readonly LeafRow[]): RollupOverview {
  const overview = rows.map(({ status, cnt, named }) => {
    const ref = new Map<string, string[]>();
    for (const text of named ?? []) {
      const [owner = "", step = ""] = text.split(SEPARATOR);
      const steps = ref.get(owner);
      if (steps === undefined) ref.set(owner, [step]);
      else steps.push(step);
    }
    return [status, { cnt, ...(ref.size > 0 && { ref: Object.fromEntries(ref) }) }] as const;
  });
  return {
    total_leaf_count: rows.reduce((sum, { cnt }) => sum + cnt, 0),
    overview: Object.fromEntries(overview),
  };
}

/** The newest attempt at each step of a run. Artifacts that tell of no children are left out. */
const newestAttempts = (sql: Sql, key: Fragment): Fragment => sql`(
  SELECT DISTINCT ON (step_id) run_key, NULL::bigint AS parent_key, NULL::text AS parent_step, step_id, attempt_id, status,
    CASE WHEN artifacts -> 'maestro_foreach' IS NOT NULL OR artifacts -> 'maestro_while' IS NOT NULL
      OR artifacts -> 'maestro_subworkflow' IS NOT NULL THEN artifacts END AS artifacts
  FROM step_attempt WHERE run_key = ${key} ORDER BY step_id, attempt_id DESC)`;

/** It may have children that are under way. */
const isOpen = (sql: Sql, node: Fragment): Fragment =>
  sql`${node}.artifacts IS NOT NULL AND ${node}.status <> ALL(${TERMINAL as string[]}::text[])`;

/** The artifact of `n` has no leaves of its children yet: as `runOverview` sees it. */
const gathersNothing = (sql: Sql): Fragment => sql`CASE
  WHEN artifacts -> 'maestro_foreach' IS NOT NULL THEN
    coalesce((artifacts #>> '{maestro_foreach,foreach_overview,checkpoint}')::bigint, 0) = 0
  WHEN artifacts -> 'maestro_while' IS NOT NULL THEN
    (artifacts #>> '{maestro_while,last_iteration}')::bigint < (artifacts #>> '{maestro_while,first_iteration}')::bigint
  ELSE artifacts #> '{maestro_subworkflow,subworkflow_overview}' IS NULL END`;

/** The newest runs of the instances that the artifact of `n` does not count: of a loop, those beyond what has ended. */
const childrenOf = (sql: Sql): Fragment => sql`(
  SELECT DISTINCT ON (r.instance_id) r.key, r.workflow_id, r.instance_id, r.run_id, r.overview -> 'rollup' AS rollup,
    r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AS is_live
  FROM (
    SELECT f ->> 'foreach_workflow_id' AS workflow_id, (f ->> 'foreach_run_id')::bigint AS run_id, lower(gap) AS first,
      upper(gap) AS past
    FROM (SELECT n.artifacts -> 'maestro_foreach' AS f) AS foreach
    CROSS JOIN LATERAL unnest(
      int8multirange(int8range(1, (f ->> 'total_loop_count')::bigint, '[]')) - coalesce((
        SELECT range_agg(CASE WHEN json_typeof(item) = 'number' THEN int8range(item::text::bigint, item::text::bigint, '[]')
          ELSE int8range((item ->> 0)::bigint, (item ->> 1)::bigint, '[]') END)
        FROM json_each(f #> '{foreach_overview,details}') AS ended, json_array_elements(ended.value) AS item
        WHERE ended.key NOT IN ('CREATED', 'IN_PROGRESS', 'PAUSED')), '{}'::int8multirange)) AS gap
    UNION ALL
    SELECT w ->> 'loop_workflow_id', (w ->> 'loop_run_id')::bigint,
      (w ->> 'last_iteration')::bigint + CASE WHEN w -> 'last_overview' IS NULL THEN 0 ELSE 1 END, NULL
    FROM (SELECT n.artifacts -> 'maestro_while' AS w) AS loop WHERE w IS NOT NULL
    UNION ALL
    SELECT s ->> 'subworkflow_id', (s ->> 'subworkflow_run_id')::bigint, (s ->> 'subworkflow_instance_id')::bigint,
      (s ->> 'subworkflow_instance_id')::bigint + 1
    FROM (SELECT n.artifacts -> 'maestro_subworkflow' AS s) AS child
    WHERE s IS NOT NULL AND s -> 'subworkflow_overview' IS NULL
  ) AS open JOIN run r ON r.workflow_id = open.workflow_id AND r.instance_id >= open.first
    AND r.instance_id < coalesce(open.past, 9223372036854775807) AND r.run_id >= open.run_id
  ORDER BY r.instance_id, r.run_id DESC)`;
