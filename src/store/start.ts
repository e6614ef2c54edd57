/**
 * Creating runs. One transaction for a whole batch, in two round trips: the first locks the workflows' rows in the order
 * of their ids and reads what the run strategies ask about, the second inserts. Writes no group's state, so any node may
 * do it.
 *
 * Locks are taken in one order everywhere in the store: workflow, outbox, run.
 */
import type { RunStrategyRule } from "../definition/strategy.ts";
import type { TimelineEvent } from "../definition/timeline.ts";
import type { NewRun, StartOutcome } from "../flow/port.ts";
import { groupOf } from "../id.ts";
import { parseJson, stringifyJson } from "../json.ts";
import type { Run, RunRef } from "../run/model.ts";
import { arrayLiteral } from "./column.ts";
import type { Sql } from "./connection.ts";
import { type Reserved, type Statement, transact } from "./pipeline.ts";
import { listText, objectText, runParamsText } from "./row.ts";
import { bigint, int, json, Source, send, text, word } from "./source.ts";
import { withEvent } from "./stop.ts";
import { decide, type Occupancy } from "./strategy.ts";

/** Who stops a run for a newer one. */
const STRATEGY_USER = "maestro_run_strategy";
const CHUNK = 500;

/** What a batch of starts did beside its outcomes: for those who have to be told soon. */
export interface StartEffects {
  /** Waiting runs that newer ones have stopped. */
  readonly stopped: readonly RunRef[];
  /** Running ones that are asked to stop. */
  readonly stopping: readonly { readonly key: number; readonly groupId: number }[];
}

export interface Started extends StartEffects {
  readonly outcomes: readonly StartOutcome[];
}

/** @param requests any number; their order is the order of the ids. */
export function startRuns(sql: Sql, requests: readonly NewRun[]): Promise<Started> {
  if (requests.length === 0) return Promise.resolve({ outcomes: [], stopped: [], stopping: [] });
  /** Of a try that committed though its connection was lost. */
  let last: { readonly plan: Plan; readonly keys: ReadonlySet<number> } | undefined;
  return transact(sql, async (line) => {
    const known = await look(line, requests);
    if (last !== undefined && known.requests.some((row) => row.key !== null && last?.keys.has(row.key))) {
      await line`ROLLBACK`;
      return { outcomes: last.plan.outcomes(), stopped: [], stopping: last.plan.stopping };
    }
    const plan = new Plan(requests, known);
    last = { plan, keys: new Set(plan.runs().map((run) => run.key)) };
    const stopped = await commit(line, plan, known.now);
    return { outcomes: plan.outcomes(), stopped, stopping: plan.stopping };
  });
}

interface WorkflowRow {
  readonly workflow_id: string;
  readonly internal_id: number;
  readonly revision: number;
  readonly latest_instance_id: number;
  readonly run_rule: string;
  readonly run_concurrency: number;
}

interface OccupancyRow {
  readonly workflow_id: string;
  readonly running: number;
  /** JSON `[key, group]` of what runs, for LAST_ONLY. */
  readonly runs: string | null;
  readonly queued: boolean;
  readonly failed: boolean;
}

/** A request: a new key for it, and the run that an earlier one with the same uuid has made. */
interface RequestRow {
  readonly fresh: number;
  readonly now: number;
  readonly workflow_id: string;
  readonly uuid: string;
  readonly instance_id: number | null;
  readonly run_id: number | null;
  readonly version_id: number | null;
  readonly key: number | null;
}

/** What the first round trip tells. */
interface Known {
  readonly workflows: readonly WorkflowRow[];
  readonly occupancy: ReadonlyMap<string, OccupancyRow>;
  readonly requests: readonly RequestRow[];
  /** Unused ones, one for each request, ascending. */
  readonly keys: readonly number[];
  /** Epoch ms; taken under the locks, so that create times have the order of the ids. */
  readonly now: number;
}

async function look(line: Reserved, requests: readonly NewRun[]): Promise<Known> {
  const ids = arrayLiteral([...new Set(requests.map((request) => request.workflowId))]);
  const [, workflows, rows] = await Promise.all([
    line`BEGIN`,
    line<
      WorkflowRow[]
    >`SELECT workflow_id, internal_id, revision, latest_instance_id, run_rule, run_concurrency FROM workflow
      WHERE workflow_id = ANY(${ids}::text[]) ORDER BY workflow_id FOR UPDATE`,
    // One statement, and not the one that locks: what it sees has to be as it is under the locks.
    line<(RequestRow & OccupancyRow)[]>`WITH occupancy AS MATERIALIZED (
        SELECT w.workflow_id,
          (SELECT count(*) FROM run r WHERE r.workflow_id = w.workflow_id
            AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL) AS running,
          CASE WHEN w.run_rule = 'LAST_ONLY' THEN
            (SELECT json_agg(json_build_array(r.key, r.group_id)) FROM run r WHERE r.workflow_id = w.workflow_id
              AND r.status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND r.execution_id IS NOT NULL) END AS runs,
          (SELECT r.key FROM run r WHERE r.workflow_id = w.workflow_id
            AND r.status = 'CREATED' AND r.execution_id IS NULL
            ORDER BY r.instance_id, r.run_id LIMIT 1) IS NOT NULL AS queued,
          w.run_rule = 'STRICT_SEQUENTIAL'
            AND (SELECT r.key FROM run r WHERE r.workflow_id = w.workflow_id AND r.status = 'FAILED'
              ORDER BY r.workflow_id LIMIT 1) IS NOT NULL AS failed
        FROM workflow w WHERE w.workflow_id = ANY(${ids}::text[]))
      SELECT nextval('run_key_seq') AS fresh, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now,
        t.workflow_id, t.uuid, r.instance_id, r.run_id, r.version_id, r.key,
        o.running, o.runs, coalesce(o.queued, false) AS queued, coalesce(o.failed, false) AS failed
      FROM unnest(${arrayLiteral(requests.map((request) => request.workflowId))}::text[],
        ${arrayLiteral(requests.map((request) => request.uuid))}::text[]) AS t (workflow_id, uuid)
      LEFT JOIN occupancy o ON o.workflow_id = t.workflow_id
      LEFT JOIN run r ON r.workflow_id = t.workflow_id AND r.uuid = t.uuid`,
  ]);
  return {
    workflows,
    occupancy: new Map(rows.map((row) => [row.workflow_id, row])),
    requests: rows,
    keys: rows.map((row) => row.fresh).sort((a, b) => a - b),
    now: rows[0]?.now ?? 0,
  };
}

/** A workflow while its part of the batch is decided. */
interface Place {
  readonly row: WorkflowRow;
  occupancy: Occupancy;
  latest: number;
  /** The runs that waited before the batch are stopped. */
  stopsQueued: boolean;
  /** Positions of the batch's runs that wait. */
  waiting: number[];
  /** Runs that a LAST_ONLY start would stop. */
  running: { readonly key: number; readonly groupId: number }[];
}

/** Decides a batch, one request after the other. */
class Plan {
  readonly #known: Known;
  readonly #places: ReadonlyMap<string, Place>;
  /** By workflow and uuid. */
  readonly #duplicates: Map<string, StartOutcome>;
  readonly #outcomes: StartOutcome[] = [];
  readonly stopping: { readonly key: number; readonly groupId: number }[] = [];

  constructor(requests: readonly NewRun[], known: Known) {
    this.#known = known;
    this.#places = new Map(known.workflows.map((row) => [row.workflow_id, placeOf(row, known)]));
    this.#duplicates = new Map(
      known.requests.flatMap((row) => (row.key === null ? [] : [[`${row.workflow_id}:${row.uuid}`, duplicateOf(row)]])),
    );
    for (const request of requests) this.#outcomes.push(this.#place(request));
  }

  outcomes(): readonly StartOutcome[] {
    return this.#outcomes;
  }

  /** Rows to insert. */
  runs(): readonly Run[] {
    return this.#outcomes.flatMap((outcome) => ("run" in outcome ? [outcome.run] : []));
  }

  /** Workflows whose latest instance id has changed. */
  latest(): readonly (readonly [workflowId: string, instanceId: number])[] {
    const changed = [...this.#places.values()].filter((place) => place.latest > place.row.latest_instance_id);
    return changed.map((place) => [place.row.workflow_id, place.latest]);
  }

  /** Workflows whose runs that wait in the table are stopped. */
  emptied(): readonly { readonly workflowId: string; readonly rule: RunStrategyRule }[] {
    const places = [...this.#places.values()].filter((place) => place.stopsQueued);
    return places.map((place) => ({ workflowId: place.row.workflow_id, rule: place.occupancy.rule }));
  }

  #place(request: NewRun): StartOutcome {
    const place = this.#places.get(request.workflowId);
    if (place === undefined || place.row.internal_id !== request.internalId) return { result: "CHANGED" };
    const identity = `${request.workflowId}:${request.uuid}`;
    const duplicate = this.#duplicates.get(identity);
    if (duplicate !== undefined) return duplicate;
    if (place.row.revision !== request.revision) return { result: "CHANGED" };
    const run = this.#create(request, place);
    const ref = { workflowId: run.workflowId, instanceId: run.instanceId, runId: run.runId };
    this.#duplicates.set(identity, { result: "DUPLICATED", ref, versionId: run.versionId });
    if (request.status === "FAILED") {
      place.occupancy = { ...place.occupancy, failed: true };
      return { result: "CREATED", run: { ...run, status: "FAILED", endTime: run.createTime } };
    }
    return this.#let(run, place);
  }

  /** What the strategy says. */
  #let(run: Run, place: Place): StartOutcome {
    const { placement, stopsQueued, stopsRunning, after } = decide(place.occupancy);
    const { rule } = after;
    place.occupancy = after;
    if (placement === "STOP") return { result: "STOPPED", run: stoppedRun(run, rule, run.createTime) };
    if (stopsQueued) {
      place.stopsQueued = true;
      for (const position of place.waiting.splice(0)) this.#stop(position, rule);
    }
    if (stopsRunning) this.stopping.push(...place.running.splice(0));
    if (placement === "QUEUE") {
      place.waiting.push(this.#outcomes.length);
      return { result: "CREATED", run };
    }
    place.running.push({ key: run.key, groupId: run.groupId });
    return { result: "CREATED", run: { ...run, executionId: run.uuid } };
  }

  #stop(position: number, rule: RunStrategyRule): void {
    const outcome = this.#outcomes[position];
    if (outcome === undefined || !("run" in outcome)) return;
    const startTime = rule === "LAST_ONLY" ? outcome.run.createTime : undefined;
    this.#outcomes[position] = { result: "STOPPED", run: stoppedRun(outcome.run, rule, startTime) };
  }

  #create(request: NewRun, place: Place): Run {
    const { now, keys } = this.#known;
    const { workflowId, groupInfo } = request;
    const instanceId = ++place.latest;
    const runId = 1;
    return {
      workflowId,
      instanceId,
      runId,
      key: keys[this.#outcomes.length] ?? 0,
      uuid: request.uuid,
      internalId: request.internalId,
      versionId: request.versionId,
      groupId: groupOf(workflowId, instanceId, runId, groupInfo),
      groupInfo,
      correlationId: request.config.correlation_id,
      initiator: request.initiator,
      config: request.config,
      runParams: request.runParams,
      properties: request.properties,
      params: request.params,
      timeoutMs: request.timeoutMs,
      status: "CREATED",
      executionId: undefined,
      requestTime: request.requestTime,
      createTime: now,
      startTime: undefined,
      endTime: undefined,
      modifyTime: now,
      overview: undefined,
      artifacts: request.artifacts,
      timeline: request.timeline,
    };
  }
}

function placeOf(row: WorkflowRow, known: Known): Place {
  const { running = 0, runs = null, queued = false, failed = false } = known.occupancy.get(row.workflow_id) ?? {};
  const places = runs === null ? [] : (parseJson(runs) as readonly (readonly [number, number])[]);
  return {
    row,
    occupancy: {
      rule: row.run_rule as RunStrategyRule,
      concurrency: row.run_concurrency,
      running,
      queued,
      failed,
    },
    latest: row.latest_instance_id,
    stopsQueued: false,
    waiting: [],
    running: places.map(([key, groupId]) => ({ key, groupId })),
  };
}

const duplicateOf = (row: RequestRow): StartOutcome => ({
  result: "DUPLICATED",
  ref: { workflowId: row.workflow_id, instanceId: row.instance_id ?? 0, runId: row.run_id ?? 0 },
  versionId: row.version_id ?? 0,
});

const stoppedRun = (run: Run, rule: RunStrategyRule, startTime: number | undefined): Run => ({
  ...run,
  status: "STOPPED",
  startTime,
  endTime: run.createTime,
  timeline: [...run.timeline, stopEvent(rule, run.createTime)],
});

/** The line that tells why a run never ran. */
const stopEvent = (rule: RunStrategyRule, timestamp: number): TimelineEvent => ({
  timestamp,
  type: "LOG",
  level: "INFO",
  message:
    rule === "FIRST_ONLY"
      ? "Stopped by the run strategy FIRST_ONLY: an earlier run of the workflow has not ended."
      : `Stopped by the run strategy ${rule}: a newer run of the workflow was started.`,
});

async function commit(line: Reserved, plan: Plan, now: number): Promise<readonly RunRef[]> {
  const runs = plan.runs();
  const latest = plan.latest();
  const stops = plan.emptied().map(({ workflowId, rule }) => stopWaiting(line, workflowId, rule, now));
  const statements: Statement[] = [];
  for (let start = 0; start < runs.length; start += CHUNK) {
    statements.push(insert(line, runs.slice(start, start + CHUNK), start === 0 ? latest : []));
  }
  if (plan.stopping.length > 0) statements.push(askToStop(line, plan.stopping, now));
  const [stopped] = await Promise.all([Promise.all(stops), ...statements, line`COMMIT`]);
  return stopped.flat().map((row) => ({
    workflowId: row.workflow_id,
    instanceId: row.instance_id,
    runId: row.run_id,
  }));
}

/** Before the insert of the runs that wait from now on. */
const stopWaiting = (line: Reserved, workflowId: string, rule: RunStrategyRule, now: number) =>
  line<{ workflow_id: string; instance_id: number; run_id: number }[]>`UPDATE run
    SET status = 'STOPPED', end_time = ${now}, modify_time = ${now},
      start_time = ${rule === "LAST_ONLY" ? now : null}, timeline = ${withEvent(line, stopEvent(rule, now))}
    WHERE workflow_id = ${workflowId} AND status = 'CREATED' AND execution_id IS NULL
    RETURNING workflow_id, instance_id, run_id`;

const latestIds = new Source<readonly [workflowId: string, instanceId: number]>({
  workflow_id: text(([workflowId]) => workflowId),
  instance_id: bigint(([, instanceId]) => instanceId),
});

const newRuns = new Source<Run>({
  workflow_id: text((run) => run.workflowId),
  instance_id: bigint((run) => run.instanceId),
  run_id: bigint((run) => run.runId),
  key: bigint((run) => run.key),
  uuid: text((run) => run.uuid),
  internal_id: bigint((run) => run.internalId),
  version_id: bigint((run) => run.versionId),
  group_id: int((run) => run.groupId),
  group_info: int((run) => run.groupInfo),
  correlation_id: text((run) => run.correlationId),
  initiator: json((run) => stringifyJson(run.initiator)),
  config: json((run) => stringifyJson(run.config)),
  run_params: json((run) => objectText(run.runParams)),
  properties: json((run) => stringifyJson(run.properties)),
  params: json((run) => runParamsText(run.params)),
  timeout_ms: bigint((run) => run.timeoutMs),
  status: word((run) => run.status),
  execution_id: text((run) => run.executionId),
  request_time: bigint((run) => run.requestTime),
  create_time: bigint((run) => run.createTime),
  start_time: bigint((run) => run.startTime),
  end_time: bigint((run) => run.endTime),
  modify_time: bigint((run) => run.modifyTime),
  artifacts: json((run) => objectText(run.artifacts)),
  timeline: json((run) => listText(run.timeline)),
});

const actions = new Source<Plan["stopping"][number]>({
  run_key: bigint((run) => run.key),
  group_id: int((run) => run.groupId),
});

const TEXTS = { one: textsOf(true), many: textsOf(false) };

/** @param isOne there is one row of each kind */
function textsOf(isOne: boolean) {
  const insert = (first: number): string =>
    `INSERT INTO run (${newRuns.names}) SELECT ${newRuns.cells} FROM ${newRuns.relation(isOne, first)}`;
  return {
    insert: insert(1),
    raiseAndInsert: `WITH latest AS (
      UPDATE workflow SET latest_instance_id = ${latestIds.cell("instance_id")} FROM ${latestIds.relation(isOne, 1)}
      WHERE workflow.workflow_id = t.workflow_id) ${insert(1 + latestIds.width)}`,
  };
}

function insert(line: Reserved, runs: readonly Run[], latest: ReturnType<Plan["latest"]>): Statement {
  const isOne = runs.length === 1 && latest.length <= 1;
  const { insert, raiseAndInsert } = isOne ? TEXTS.one : TEXTS.many;
  const cells = newRuns.parameters(runs, isOne);
  return latest.length === 0
    ? send(line, insert, cells)
    : send(line, raiseAndInsert, [...latestIds.parameters(latest, isOne), ...cells]);
}

const ASK_TO_STOP = `INSERT INTO run_action (${actions.names}, action, "user", reason, create_time)
  SELECT ${actions.cells}, 'STOP', $3::json, 'The run strategy LAST_ONLY makes way for a newer run.', $4::bigint
  FROM ${actions.relation(false, 1)} ON CONFLICT (run_key) DO NOTHING`;

const askToStop = (line: Reserved, runs: Plan["stopping"], now: number): Statement =>
  send(line, ASK_TO_STOP, [...actions.parameters(runs, false), stringifyJson(STRATEGY_USER), now]);
