/**
 * The iterations of a step that is nested in loops, as one list: of each iteration the newest attempt at the step, up to a run
 * of the instance. Read from the runs' own rows.
 *
 * The bodies' workflow ids follow from the way to them, so that a level's iterations are found by the key of `run`, in order: a page
 * reads about as many rows as it has, and those that its filters pass over.
 */
import type { UpstreamInitiator } from "../definition/initiator.ts";
import { parseJson } from "../json.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepStatus } from "../step/status.ts";
import type { Fragment, Sql, Transaction } from "./connection.ts";
import { readTimes } from "./row.ts";

/** One loop on the way to the step, from the outside to the inside. */
export interface Level {
  /** As `bodyPrefix` has it. */
  readonly prefix: string;
  readonly stepId: string;
}

/** The step in the iterations of one instance. */
export interface Flat {
  readonly workflowId: string;
  readonly instanceId: number;
  /** Runs of the instance after this one do not count. */
  readonly runId: number;
  /** Ancestors that the instance itself has. */
  readonly depth: number;
  /** One at least. */
  readonly levels: readonly Level[];
  readonly stepId: string;
  /** Shown of each iteration. */
  readonly params: readonly string[];
}

export interface FlatFilter {
  /** Any, when empty. */
  readonly statuses: readonly StepStatus[];
  /** Values of loop params, as text. */
  readonly params: ReadonlyMap<string, readonly string[]>;
}

export interface FlatPage extends FlatFilter {
  /** Ids of iterations, a level each; exclusive. */
  readonly beyond: readonly number[] | undefined;
  readonly direction: "up" | "down";
  readonly limit: number;
}

export interface FlatStep {
  readonly rank: readonly number[];
  readonly workflowId: string;
  readonly runId: number;
  readonly initiator: UpstreamInitiator;
  /** As texts, as far as the iteration has them. */
  readonly params: Readonly<Record<string, string>>;
  readonly attempt: Pick<StepAttempt, "attemptId" | "status" | "times">;
}

interface FlatRow {
  readonly rank: readonly number[];
  readonly workflow_id: string;
  readonly run_id: number;
  readonly initiator: string;
  readonly attempt_id: number;
  readonly status: StepStatus;
  readonly times: string;
  readonly loop_values: readonly (string | null)[];
}

const EVERYTHING: FlatFilter = { statuses: [], params: new Map() };

/** Ascending by rank. */
export async function flatPage(sql: Sql | Transaction, flat: Flat, page: FlatPage): Promise<FlatStep[]> {
  const rows = await sql<FlatRow[]>`${walk(sql, flat, page, { ...page, isWhole: true })}`;
  const steps = rows.map((row) => stepOf(flat, row));
  return page.direction === "up" ? steps : steps.reverse();
}

/** The step in one iteration. @param rank ids of the iterations, a level each */
export async function flatStep(
  sql: Sql | Transaction,
  flat: Flat,
  rank: readonly number[],
): Promise<FlatStep | undefined> {
  const [row] = await sql<FlatRow[]>`${walk(sql, flat, EVERYTHING, { ...ALL, only: rank, isWhole: true })}`;
  return row && stepOf(flat, row);
}

export interface FlatCount {
  readonly status: StepStatus;
  readonly count: number;
  /** The first. */
  readonly rank: readonly number[];
}

/** How many iterations the step is in each status in. Looks at each of them. */
export const flatCounts = (sql: Sql | Transaction, flat: Flat): Promise<readonly FlatCount[]> => sql<FlatCount[]>`
  SELECT status, count(*)::bigint AS count, min(rank) AS rank
  FROM (${walk(sql, flat, EVERYTHING, { ...ALL, isWhole: false })}) AS leaf
  GROUP BY status`;

function stepOf({ params }: Flat, row: FlatRow): FlatStep {
  const values = params.flatMap((name, at) => {
    const value = row.loop_values[at] ?? null;
    return value === null ? [] : [[name, value] as const];
  });
  return {
    rank: row.rank,
    workflowId: row.workflow_id,
    runId: row.run_id,
    initiator: parseJson(row.initiator) as unknown as UpstreamInitiator,
    params: Object.fromEntries(values),
    attempt: { attemptId: row.attempt_id, status: row.status, times: readTimes(row.times) },
  };
}

interface Walk {
  /** One iteration alone. */
  readonly only?: readonly number[] | undefined;
  readonly beyond: readonly number[] | undefined;
  readonly direction: "up" | "down";
  readonly limit: number | undefined;
  /** With what is shown of a step, not its status alone. */
  readonly isWhole: boolean;
}

const ALL = { beyond: undefined, direction: "up", limit: undefined } as const;

/** A level in another, each in the order of its iterations and each cut to the page: the order of the whole is that of the ranks. */
function walk(given: Sql | Transaction, flat: Flat, filter: FlatFilter, options: Walk): Fragment {
  const sql = given as Sql;
  const { direction } = options;
  const order = direction === "up" ? sql`ASC` : sql`DESC`;
  const cut = options.limit === undefined ? sql`` : sql`LIMIT ${options.limit}`;
  const ids = flat.levels.map((_, at) => sql`${sql(`i${at}`)}.id`);
  const level = (at: number): Fragment => {
    const { prefix, stepId } = flat.levels[at] as Level;
    const [around, instance] =
      at === 0
        ? [sql`${flat.workflowId}::text`, sql`${flat.instanceId}::bigint`]
        : [sql`${sql(`b${at - 1}`)}.id`, ids[at - 1]];
    const isLast = at === flat.levels.length - 1;
    const rest = isLast
      ? leaf(sql, flat, filter, sql`${sql(`b${at}`)}.id`, ids[at] as Fragment, options.isWhole)
      : level(at + 1);
    const columns = isLast ? sql`ARRAY[${joined(sql, ids, sql`, `)}]::bigint[] AS rank, rest.*` : sql`rest.*`;
    const own = ids[at] as Fragment;
    return sql`SELECT ${columns}
      FROM (SELECT ${prefix}::text || md5(concat(${stepId}::text, '@', ${instance as Fragment}, '@', ${around})) AS id) AS ${sql(`b${at}`)}
      CROSS JOIN LATERAL (SELECT DISTINCT instance_id AS id FROM run
        WHERE workflow_id = ${sql(`b${at}`)}.id ${boundary(sql, ids, at, options, isLast)}
        ORDER BY instance_id ${order}) AS ${sql(`i${at}`)}
      CROSS JOIN LATERAL (${rest}) AS rest
      ORDER BY ${own} ${order}${isLast ? sql`` : sql`, rest.rank ${order}`} ${cut}`;
  };
  return level(0);
}

/** The iterations of a level that are not before the page: where those around it are those of its cursor, from the cursor's on. */
function boundary(
  sql: Sql,
  ids: readonly Fragment[],
  at: number,
  { only, beyond, direction }: Walk,
  isLast: boolean,
): Fragment {
  if (only !== undefined) return sql`AND instance_id = ${only[at] as number}::bigint`;
  if (beyond === undefined) return sql``;
  const same = ids.slice(0, at).map((id, index) => sql`${id} = ${beyond[index] as number}::bigint`);
  const open = direction === "up" ? 0 : Number.MAX_SAFE_INTEGER;
  const step = isLast ? (direction === "up" ? 1 : -1) : 0;
  const from = (beyond[at] as number) + step;
  const bound =
    same.length === 0
      ? sql`${from}::bigint`
      : sql`CASE WHEN ${joined(sql, same, sql` AND `)} THEN ${from}::bigint ELSE ${open}::bigint END`;
  return direction === "up" ? sql`AND instance_id >= ${bound}` : sql`AND instance_id <= ${bound}`;
}

/** Of the newest run of an iteration that has the step, in the runs of the instance that count. */
function leaf(
  sql: Sql,
  flat: Flat,
  filter: FlatFilter,
  workflowId: Fragment,
  id: Fragment,
  isWhole: boolean,
): Fragment {
  const values = flat.params.map((name) => loopValue(sql, name));
  const shown = sql`r.workflow_id, r.run_id, r.initiator, s.attempt_id, s.times,
      ARRAY[${joined(sql, values, sql`, `)}]::text[] AS loop_values,`;
  const wanted = [...filter.params].map(
    ([name, any]) => sql`coalesce(${loopValue(sql, name)} = ANY(${any as string[]}::text[]), false)`,
  );
  return sql`SELECT * FROM (
      SELECT ${isWhole ? shown : sql``} s.status, ${joined(sql, [sql`true`, ...wanted], sql` AND `)} AS is_wanted
      FROM run r CROSS JOIN LATERAL (
        SELECT * FROM step_attempt WHERE run_key = r.key AND step_id = ${flat.stepId} ORDER BY attempt_id DESC LIMIT 1
      ) AS s
      WHERE r.workflow_id = ${workflowId} AND r.instance_id = ${id}
        AND (r.initiator #>> ${["ancestors", String(flat.depth), "run_id"]}::text[])::bigint <= ${flat.runId}::bigint
      ORDER BY r.run_id DESC LIMIT 1
    ) AS newest
    WHERE is_wanted AND (${filter.statuses.length === 0} OR status = ANY(${filter.statuses as string[]}::text[]))`;
}

/** As the run of the iteration has it, untouched by quotes. */
const loopValue = (sql: Sql, name: string): Fragment => sql`coalesce(
  r.params #>> ${["p", name, "evaluated_result"]}::text[], r.params #>> ${["p", name, "value"]}::text[])`;

const joined = (sql: Sql, parts: readonly Fragment[], between: Fragment): Fragment =>
  parts.length === 0 ? sql`` : parts.reduce((all, part) => sql`${all}${between}${part}`);
