/** Compares what was promised, what was run and what the rows say; each contradiction is a line. */
import { existsSync, readFileSync } from "node:fs";
import { isTerminal, STEP_STATUSES } from "../../src/step/status.ts";
import type { Sql } from "../../src/store/connection.ts";
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import { type Accepted, type Observed, SHAPES, type Shape } from "./load.ts";

interface RunRow {
  readonly workflow_id: string;
  readonly instance_id: number;
  readonly run_id: number;
  readonly key: number;
  readonly uuid: string;
  readonly status: string;
  readonly end_time: number | null;
  readonly overview: string | null;
}

export interface Evidence {
  readonly sql: Sql;
  /** The file with the lines of shell steps. */
  readonly file: string;
  readonly accepted: readonly Accepted[];
  readonly observed: Observed;
}

/** @returns nothing when all is right. */
export async function contradictions(evidence: Evidence): Promise<string[]> {
  const { sql, accepted, observed } = evidence;
  const runs = await sql<RunRow[]>`SELECT workflow_id, instance_id, run_id, key, uuid, status, end_time, overview
    FROM run WHERE workflow_id LIKE 'fault-%' ORDER BY workflow_id, instance_id`;
  const attempts = await sql<AttemptRow[]>`SELECT * FROM step_attempt
    ORDER BY run_key, step_instance_id, attempt_id`;
  const byRun = Map.groupBy(attempts, (attempt) => attempt.run_key);
  return [
    ...observed.contradictions,
    ...answersOf(accepted, runs),
    ...runs.flatMap((run) => runProblems(run, byRun.get(run.key) ?? [])),
    ...shown(observed, runs),
    ...lineProblems(evidence.file, runs, attempts),
    ...(await leftovers(sql)),
  ];
}

/** Each answered start is one run, and there are no others. */
function answersOf(accepted: readonly Accepted[], runs: readonly RunRow[]): string[] {
  const found: string[] = [];
  const byUuid = new Map(runs.map((run) => [run.uuid, run]));
  for (const { requestId, workflow, answers } of accepted) {
    const run = byUuid.get(requestId);
    if (run === undefined) found.push(`${workflow}: request ${requestId} was answered and has no run`);
    for (const answer of answers) {
      if (run && (answer.instance !== run.instance_id || answer.run !== run.run_id)) {
        found.push(`${workflow}: request ${requestId} was told ${answer.instance}, and its run is ${run.instance_id}`);
      }
    }
    if (answers.filter(({ status }) => status === "CREATED").length > 1) {
      found.push(`${workflow}: request ${requestId} was told CREATED twice`);
    }
    if (answers.some(({ status }) => status !== "CREATED" && status !== "DUPLICATED")) {
      found.push(`${workflow}: request ${requestId} was told ${answers.map(({ status }) => status).join(", ")}`);
    }
  }
  if (runs.length !== accepted.length) found.push(`${accepted.length} starts made ${runs.length} runs`);
  for (const { id } of SHAPES) {
    const ids = runs.filter((run) => run.workflow_id === id).map((run) => run.instance_id);
    if (ids.some((instance, index) => instance !== index + 1))
      found.push(`${id}: instance ids have gaps: ${ids.join(" ")}`);
  }
  return found;
}

function runProblems(run: RunRow, attempts: readonly AttemptRow[]): string[] {
  const shape = SHAPES.find(({ id }) => id === run.workflow_id) as Shape;
  const found: string[] = [];
  const say = (text: string): void => void found.push(`${run.workflow_id} ${run.instance_id}: ${text}`);
  if (run.status !== shape.end) say(`ended ${run.status} and not ${shape.end}`);
  if (run.end_time === null) say("has no end time");
  const made = Map.groupBy(attempts, (attempt) => attempt.step_id);
  for (const [stepId, expected] of Object.entries(shape.steps)) {
    const statuses = (made.get(stepId) ?? []).map(({ status }) => status);
    if (statuses.join() !== expected.join())
      say(`step ${stepId} went ${statuses.join() || "not at all"}, not ${expected.join()}`);
  }
  for (const stepId of made.keys()) if (!(stepId in shape.steps)) say(`step ${stepId} should not have been made`);
  for (const attempt of attempts) {
    const name = `${attempt.step_id}/${attempt.attempt_id}`;
    const { status, times } = attemptOf(attempt);
    if (!isTerminal(status)) say(`${name} is ${status} in a run that has ended`);
    if (times.end_time === undefined) say(`${name} has no end`);
    else if (run.end_time !== null && times.end_time > run.end_time) say(`${name} ended after its run`);
    if ((times.start_time ?? 0) > (times.end_time ?? 0)) say(`${name} ended before it started`);
  }
  return [...found, ...overviewProblems(run, attempts)];
}

/** The overview, stored with the run's end, counts the newest attempts. */
function overviewProblems(run: RunRow, attempts: readonly AttemptRow[]): string[] {
  if (run.overview === null) return [`${run.workflow_id} ${run.instance_id}: has no overview`];
  const newest = new Map(attempts.map((attempt) => [attempt.step_id, attempt.status]));
  const overview = JSON.parse(run.overview) as {
    readonly steps: Readonly<Record<string, readonly (readonly [string])[]>>;
  };
  return STEP_STATUSES.flatMap((status) => {
    const rows = [...newest].filter(([, it]) => it === status).map(([id]) => id);
    const counted = (overview.steps[status] ?? []).map(([id]) => id);
    if (rows.toSorted().join() === counted.toSorted().join()) return [];
    return [
      `${run.workflow_id} ${run.instance_id}: the overview says ${status} of [${counted}], the rows of [${rows}]`,
    ];
  });
}

/** D1: what a client was shown as ended is so for good. */
function shown(observed: Observed, runs: readonly RunRow[]): string[] {
  const rows = new Map(
    runs.map((run) => [`${run.workflow_id} ${run.instance_id}`, `${run.status} at ${run.end_time}`]),
  );
  return [...observed.ended].flatMap(([key, seen]) =>
    rows.get(key) === seen ? [] : [`${key} was shown as ${seen} and is ${rows.get(key)}`],
  );
}

/** Each attempt of a shell step has run once, from its begin to its end, and nothing else has. */
function lineProblems(file: string, runs: readonly RunRow[], attempts: readonly AttemptRow[]): string[] {
  const counts = new Map<string, number>();
  for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    if (line !== "") counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  const byKey = new Map(runs.map((run) => [run.key, run]));
  const found: string[] = [];
  for (const { run_key, step_id, attempt_id, uuid } of attempts) {
    const run = byKey.get(run_key);
    if (!run || !SHAPES.find(({ id }) => id === run.workflow_id)?.shell.has(step_id)) continue;
    for (const event of ["begin", "end"]) {
      const line = `${event} ${run.workflow_id} ${run.instance_id} ${step_id} ${attempt_id} ${uuid}`;
      const count = counts.get(line) ?? 0;
      counts.delete(line);
      if (count !== 1) found.push(`${count} times the line: ${line}`);
    }
  }
  return [...found, ...[...counts.keys()].map((line) => `a line of no attempt: ${line}`)];
}

/** Nothing waits when all runs have ended. */
async function leftovers(sql: Sql): Promise<string[]> {
  const words = await sql`SELECT 1 FROM run_word`;
  const waiting = await sql`SELECT 1 FROM outbox WHERE kind = 'dequeue'`;
  return [
    ...(words.length > 0 ? [`${words.length} words wait for runs that have ended`] : []),
    ...(waiting.length > 0 ? [`${waiting.length} workflows still wait for their queues to be looked at`] : []),
  ];
}

/** Milliseconds that it took until no run was open; undefined when some still is after `patience`. */
export async function allOver(sql: Sql, patience: number): Promise<number | undefined> {
  const begin = performance.now();
  while (performance.now() - begin < patience) {
    const open = await sql`SELECT 1 FROM run WHERE status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') LIMIT 1`;
    const waiting = await sql`SELECT 1 FROM outbox WHERE kind = 'dequeue' LIMIT 1`;
    if (open.length + waiting.length === 0) return performance.now() - begin;
    await Bun.sleep(100);
  }
  return undefined;
}
