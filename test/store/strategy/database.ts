/** The commands, carried out by the store; and all that it holds of the workflows. */
import type { RunStrategy } from "../../../src/definition/strategy.ts";
import { MaestroError } from "../../../src/error.ts";
import type { RunPlace, StartOutcome } from "../../../src/flow/port.ts";
import type { RunRef } from "../../../src/run/model.ts";
import type { StoredRunStatus } from "../../../src/run/status.ts";
import type { WorkflowRuns } from "../../../src/run/strategy.ts";
import type { Sql } from "../../../src/store/connection.ts";
import { addOutbox, DEQUEUE } from "../../../src/store/outbox.ts";
import { updateProperties } from "../../../src/store/property.ts";
import { dequeue } from "../../../src/store/run.ts";
import { startRuns } from "../../../src/store/start.ts";
import { type StoppedRun, sayToRun, stopAllQueued, stopQueued, unblock } from "../../../src/store/stop.ts";
import { pushVersion } from "../../../src/store/version.ts";
import { newRun } from "../fixture.ts";
import type { Command, Request } from "./command.ts";
import { type Answer, nameOf, type State, textOf } from "./model.ts";

const event = { timestamp: 7, type: "LOG", level: "INFO", message: "m" } as const;

export async function perform(sql: Sql, command: Command): Promise<Answer> {
  switch (command.do) {
    case "start":
      return performStart(sql, command.requests);
    case "dequeue":
      return (await dequeue(sql, command.workflowIds)).map(nameOf);
    case "progress":
      await sql`UPDATE run SET status = ${command.status} WHERE ${isRun(sql, command.ref)}`;
      return true;
    case "end":
      return performEnd(sql, command.ref, command.status);
    case "stop":
      return textsOf(sql, [(await stopQueued(sql, command.ref, command.status, event)) ?? []].flat());
    case "stop all":
      return textsOf(sql, await stopAllQueued(sql, command.workflowId, command.status, event));
    case "ask": {
      const word = { kind: "STOP", user: "ada", reason: undefined, createTime: 7 } as const;
      return (await sayToRun(sql, command.ref, word)) !== undefined;
    }
    case "unblock":
      return unblock(sql, command.ref, event);
    case "change":
      return unlessRefused(
        updateProperties(
          sql,
          { workflowId: command.workflowId, author: "ada", now: 7 },
          { run_strategy: command.strategy },
        ),
      );
    case "push":
      return unlessRefused(push(sql, command.workflowId, command.strategy));
  }
}

export const push = (sql: Sql, workflowId: string, strategy: RunStrategy) =>
  pushVersion(sql, {
    request: {
      properties: { owner: "ada", run_strategy: strategy },
      workflow: { id: workflowId, steps: [] },
      is_active: true,
    },
    author: "ada",
    now: 7,
  });

const isRun = (sql: Sql, { workflowId, instanceId, runId }: RunRef) =>
  sql`workflow_id = ${workflowId} AND instance_id = ${instanceId} AND run_id = ${runId}`;

async function unlessRefused(change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof MaestroError && error.code === "PRECONDITION_FAILED") return false;
    throw error;
  }
}

/** Of every group. */
const GENERATION = 5;

/** Groups for the runs to be in, once. */
export const makeGroups = (sql: Sql) =>
  sql`INSERT INTO flow_group (id, generation) SELECT generate_series(0, 7), ${GENERATION}`;

async function performStart(sql: Sql, requests: readonly Request[]): Promise<Answer> {
  const parents = await placesOf(
    sql,
    requests.flatMap(({ parent }) => parent ?? []),
  );
  const runs = requests.map(({ workflowId, internalId, uuid, parent: ref, isStale, ...more }) => {
    const place = ref && parents.get(nameOf(ref));
    const stamp = place && { groupId: place.groupId, generation: GENERATION - (isStale ? 1 : 0) };
    return newRun(workflowId, internalId, uuid, { ...more, parent: place && stamp && { key: place.key, stamp } });
  });
  const { outcomes, stopped, stopping } = await startRuns(sql, runs);
  const asked = await sql<RunRef[]>`SELECT workflow_id AS "workflowId", instance_id AS "instanceId", run_id AS "runId"
    FROM run WHERE key = ANY(${stopping.map(({ key }) => key)}::bigint[])`;
  return {
    decisions: outcomes.map(decisionOf),
    stopped: (await textsOf(sql, stopped)).toSorted(),
    asked: asked.map(nameOf).sort(),
  };
}

/** Where these runs are. */
async function placesOf(sql: Sql, refs: readonly RunRef[]): Promise<ReadonlyMap<string, RunPlace>> {
  if (refs.length === 0) return new Map();
  const rows = await sql<(RunRef & RunPlace)[]>`SELECT workflow_id AS "workflowId", instance_id AS "instanceId",
    run_id AS "runId", key, group_id AS "groupId" FROM run
    WHERE workflow_id = ANY(${refs.map(({ workflowId }) => workflowId)})`;
  return new Map(rows.map((row) => [nameOf(row), row]));
}

/** Runs that were stopped, with the runs to whose owners it is told. */
async function textsOf(sql: Sql, stopped: readonly StoppedRun[]): Promise<readonly string[]> {
  const parents = stopped.flatMap(({ parent }) => parent ?? []);
  const rows = await sql<(RunRef & RunPlace)[]>`SELECT workflow_id AS "workflowId", instance_id AS "instanceId",
    run_id AS "runId", key, group_id AS "groupId" FROM run WHERE key = ANY(${parents.map(({ key }) => key)}::bigint[])`;
  return stopped.map((run) => {
    const parent = rows.find(({ key, groupId }) => key === run.parent?.key && groupId === run.parent.groupId);
    return parent === undefined ? nameOf(run) : `${nameOf(run)} of ${nameOf(parent)}`;
  });
}

function decisionOf(outcome: StartOutcome): string {
  if (outcome.result !== "CREATED") return textOf(outcome);
  const { run } = outcome;
  const result = run.status === "FAILED" ? "FAILED" : run.executionId === undefined ? "QUEUED" : "LAUNCHED";
  return textOf({ result, ref: run });
}

/** As the owner of the run does it. */
async function performEnd(sql: Sql, ref: RunRef, status: StoredRunStatus): Promise<true> {
  await sql.begin(async (line) => {
    await line`DELETE FROM run_word WHERE run_key = (SELECT key FROM run WHERE ${isRun(sql, ref)})`;
    await line`UPDATE run SET status = ${status}, end_time = 7 WHERE ${isRun(sql, ref)}`;
    await addOutbox(line, [{ topic: DEQUEUE, key: ref.workflowId }]);
  });
  return true;
}

interface WorkflowRow {
  readonly workflow_id: string;
  readonly internal_id: number;
  readonly revision: number;
  readonly run_rule: RunStrategy["rule"];
  readonly run_concurrency: number;
  readonly latest_instance_id: number;
  /** Queued runs should be looked at. */
  readonly announced: boolean;
  readonly paused: boolean;
}

interface RunRow extends RunRef {
  readonly uuid: string;
  readonly parent_key: number | null;
  readonly key: number;
  readonly status: StoredRunStatus;
  readonly launched: boolean;
  readonly ended: boolean;
  /** To stop. */
  readonly asked: boolean;
}

const OPEN: ReadonlySet<StoredRunStatus> = new Set(["CREATED", "IN_PROGRESS", "PAUSED"]);

/** What the database says of the workflows. */
export async function read(sql: Sql, ids: readonly string[]): Promise<Omit<State, "uuids">> {
  const [workflows, rows] = await Promise.all([
    sql<WorkflowRow[]>`SELECT workflow.*, EXISTS (
        SELECT 1 FROM outbox WHERE kind = ${DEQUEUE} AND key = workflow_id
      ) AS announced
      FROM workflow WHERE workflow_id = ANY(${[...ids]}) ORDER BY workflow_id`,
    sql<
      RunRow[]
    >`SELECT workflow_id AS "workflowId", instance_id AS "instanceId", run_id AS "runId", uuid, status, key, parent_key,
        execution_id IS NOT NULL AS launched, end_time IS NOT NULL AS ended, EXISTS (SELECT 1 FROM run_word WHERE run_key = key) AS asked
      FROM run
      WHERE workflow_id = ANY(${[...ids]}) ORDER BY workflow_id, instance_id, run_id`,
  ]);
  const odd = rows.find(({ status, ended }) => OPEN.has(status) === ended);
  if (odd !== undefined) throw new Error(`${nameOf(odd)} is ${odd.status} and has ${odd.ended ? "an" : "no"} end time`);
  return {
    workflows: Object.fromEntries(workflows.map((row) => [row.workflow_id, runsOf(row, rows)])),
    rows: Object.fromEntries(rows.map((row) => [nameOf(row), { ...row, ref: row, parent: parentIn(rows, row) }])),
    asked: new Set(rows.filter((row) => row.asked).map(nameOf)),
    announced: new Set(workflows.filter((row) => row.announced).map((row) => row.workflow_id)),
  };
}

function parentIn(rows: readonly RunRow[], { parent_key }: RunRow): string | undefined {
  const parent = rows.find(({ key }) => key === parent_key);
  return parent && nameOf(parent);
}

function runsOf(row: WorkflowRow, rows: readonly RunRow[]): WorkflowRuns {
  const own = rows.filter(({ workflowId }) => workflowId === row.workflow_id);
  const open = own.filter(({ status }) => OPEN.has(status));
  return {
    workflowId: row.workflow_id,
    internalId: row.internal_id,
    revision: row.revision,
    strategy: { rule: row.run_rule, workflow_concurrency: row.run_concurrency },
    paused: row.paused,
    latestInstanceId: row.latest_instance_id,
    running: open.filter(({ launched }) => launched),
    waiting: open.filter(({ launched }) => !launched),
    failed: own.filter(({ status }) => status === "FAILED"),
  };
}
