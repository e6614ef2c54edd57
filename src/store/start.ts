/**
 * Creating runs: a whole batch in one statement, which is one transaction and one round trip. The function `start_runs`
 * decides, under the locks of the workflows' rows, as the model of the run strategies in `run/strategy.ts` does.
 * Writes no group's state, so any node may do it.
 */
import type { DuplicatedStart, GroupStamp, NewRun, RunPlace, StartOutcome } from "../flow/port.ts";
import { groupSeed } from "../id.ts";
import { stringifyJson } from "../json.ts";
import type { Run, RunRef } from "../run/model.ts";
import type { StoredRunStatus } from "../run/status.ts";
import type { Sql } from "./connection.ts";
import { untilPassed } from "./pipeline.ts";
import { listText, objectText, runParamsText } from "./row.ts";
import { bigint, int, json, Source, send, text, word } from "./source.ts";
import { type ParentRow, parentOf, type StoppedRun } from "./stop.ts";

/** What a batch of starts did to other runs: their owners have to be told soon. */
export interface StartEffects {
  /** Runs that waited before the batch, and that newer ones have stopped. */
  readonly stopped: readonly StoppedRun[];
  /** Running ones that are asked to stop. */
  readonly stopping: readonly RunPlace[];
}

export interface Started extends StartEffects {
  readonly outcomes: readonly StartOutcome[];
}

/** A request with what makes its row known again when the commit was not heard of. */
interface Request {
  readonly run: NewRun;
  /** In the batch. */
  readonly position: number;
  readonly startId: number;
}

/** What becomes of a new run. */
type Made = "LAUNCHED" | "QUEUED" | "STOPPED" | "FAILED";

/** What `start_runs` answers. */
interface Answer extends ParentRow {
  readonly result: Made | "DUPLICATED" | "CHANGED" | "STALE" | "MISSING" | "UNFINISHED" | "PAUSED" | "STOPS" | "ASKS";
  readonly workflow_id: string;
  readonly instance_id: number;
  readonly run_id: number;
  readonly version_id: number;
  readonly key: number;
  readonly group_id: number;
  readonly status: StoredRunStatus;
  /** Epoch milliseconds. */
  readonly create_time: number;
}

/** @param runs any number; their order is the order of the ids. */
export async function startRuns(sql: Sql, runs: readonly NewRun[]): Promise<Started> {
  if (runs.length === 0) return { outcomes: [], stopped: [], stopping: [] };
  const requests = distinct(runs);
  const parameters = SOURCE.parameters(requests, false);
  return read(runs, requests, await untilPassed(() => send<Answer>(sql, START, parameters)));
}

/** The first request of each uuid, side by side by workflow. */
function distinct(runs: readonly NewRun[]): readonly Request[] {
  const requests = new Map<string, Request>();
  for (const [position, run] of runs.entries()) {
    const identity = identityOf(run);
    if (!requests.has(identity)) requests.set(identity, { run, position, startId: randomId() });
  }
  return [...requests.values()].sort((a, b) => compare(a.run.workflowId, b.run.workflowId));
}

const identityOf = ({ workflowId, uuid }: NewRun): string => `${uuid} ${workflowId}`;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

const randomId = (): number => Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);

function read(runs: readonly NewRun[], requests: readonly Request[], answers: readonly Answer[]): Started {
  const stops = answers.filter(({ result }) => result === "STOPS");
  const stopped = stops.map((answer) => ({ ...refOf(answer), parent: parentOf(answer) }));
  const asked = answers.filter(({ result }) => result === "ASKS");
  const stopping = asked.map(({ key, group_id }) => ({ key, groupId: group_id }));
  const own = answers.slice(stopped.length + stopping.length);
  const made = new Map(requests.map(({ run, position }, index) => [identityOf(run), { position, answer: own[index] }]));
  const outcomes = runs.map((run, index) => {
    const { position, answer } = made.get(identityOf(run)) as { position: number; answer: Answer };
    return position === index ? outcomeOf(run, answer) : repeated(answer);
  });
  return { outcomes, stopped, stopping };
}

/** No run comes of it. */
const EMPTY: ReadonlySet<Answer["result"]> = new Set(["CHANGED", "STALE", "MISSING", "UNFINISHED", "PAUSED"]);

/** What becomes of a request with the uuid of an earlier one in its batch: when that made no run, this has its own try. */
const repeated = (answer: Answer): StartOutcome =>
  EMPTY.has(answer.result) ? { result: "CHANGED" } : duplicated(answer);

const duplicated = (answer: Answer): DuplicatedStart => ({
  result: "DUPLICATED",
  ref: refOf(answer),
  versionId: answer.version_id,
  key: answer.key,
  groupId: answer.group_id,
  status: answer.status,
});

const refOf = (answer: Answer): RunRef => ({
  workflowId: answer.workflow_id,
  instanceId: answer.instance_id,
  runId: answer.run_id,
});

function outcomeOf(request: NewRun, answer: Answer): StartOutcome {
  switch (answer.result) {
    case "CHANGED":
    case "MISSING":
    case "PAUSED":
      return { result: answer.result };
    case "UNFINISHED":
      return { result: answer.result, ref: refOf(answer) };
    case "STALE":
      return { result: answer.result, stamp: request.parent?.stamp as GroupStamp };
    case "DUPLICATED":
      return duplicated(answer);
    case "STOPPED":
      return { result: answer.result, ref: refOf(answer), versionId: answer.version_id };
    default:
      return { result: "CREATED", run: runOf(request, answer) };
  }
}

function runOf(request: NewRun, answer: Answer): Run {
  const { result, key, create_time: createTime } = answer;
  return {
    workflowId: request.workflowId,
    instanceId: answer.instance_id,
    runId: answer.run_id,
    key,
    uuid: request.uuid,
    internalId: request.internalId,
    versionId: request.versionId,
    groupId: answer.group_id,
    groupInfo: request.groupInfo,
    correlationId: request.correlationId,
    parentKey: request.parent?.key,
    initiator: request.initiator,
    config: request.config,
    runParams: request.runParams,
    properties: request.properties,
    params: request.params,
    timeoutMs: request.timeoutMs,
    status: request.status,
    executionId: result === "LAUNCHED" ? request.uuid : undefined,
    requestTime: request.requestTime,
    createTime,
    startTime: undefined,
    endTime: result === "FAILED" ? createTime : undefined,
    modifyTime: createTime,
    overview: undefined,
    artifacts: request.artifacts,
    timeline: request.timeline,
  };
}

/** The parameters of `start_runs`, in its order. */
const SOURCE = new Source<Request>({
  workflow_ids: text(({ run }) => run.workflowId),
  seeds: bigint(({ run }) => groupSeed(run.workflowId)),
  internal_ids: bigint(({ run }) => run.internalId),
  revisions: bigint(({ run }) => run.revision),
  start_ids: bigint(({ startId }) => startId),
  uuids: text(({ run }) => run.uuid),
  batches: int(({ run }) => run.batch),
  restart_ofs: bigint(({ run }) => run.restartOf),
  restart_afters: bigint(({ run }) => run.restartAfter),
  parent_keys: bigint(({ run }) => run.parent?.key),
  parent_groups: int(({ run }) => run.parent?.stamp.groupId),
  parent_generations: bigint(({ run }) => run.parent?.stamp.generation),
  version_ids: bigint(({ run }) => run.versionId),
  group_infos: int(({ run }) => run.groupInfo),
  correlation_ids: text(({ run }) => run.correlationId),
  initiators: json(({ run }) => stringifyJson(run.initiator)),
  configs: json(({ run }) => stringifyJson(run.config)),
  run_param_sets: json(({ run }) => objectText(run.runParams)),
  property_sets: json(({ run }) => stringifyJson(run.properties)),
  param_sets: json(({ run }) => runParamsText(run.params)),
  timeouts: bigint(({ run }) => run.timeoutMs),
  statuses: word(({ run }) => run.status),
  request_times: bigint(({ run }) => run.requestTime),
  artifact_sets: json(({ run }) => objectText(run.artifacts)),
  timelines: json(({ run }) => listText(run.timeline)),
});

const START = `SELECT * FROM start_runs(${SOURCE.arrays(1)})`;
