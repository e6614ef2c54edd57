/**
 * What the run strategies decide, as a model: plain data in, plain data out. In the database `start_runs` and the
 * dequeue decide the same, under the lock of the workflow's row; this is their oracle.
 *
 * | rule               | a new run                                                         |
 * |--------------------|-------------------------------------------------------------------|
 * | SEQUENTIAL         | goes when there is room and no earlier instance waits, else waits |
 * | PARALLEL           | the same                                                          |
 * | STRICT_SEQUENTIAL  | the same, but nothing goes while a run of the workflow is FAILED  |
 * | FIRST_ONLY         | is stopped while any run is unfinished                            |
 * | LAST_ONLY          | stops what waits and what runs, and goes when that has ended      |
 * | SERIAL_LATEST_ONLY | stops what waits, and goes when there is room                     |
 *
 * What waits goes by the rule in force then, whatever the rule was when it came. Of a paused workflow nothing goes:
 * FIRST_ONLY and LAST_ONLY, which don't queue, make no run at all. A restarted run is a new run of an old instance, whose
 * failed runs hold nothing back any more. Of requests that are one batch, the last one stops the others before they have
 * begun, where a newer run stops what is older.
 */
import type { RunStrategy, RunStrategyRule } from "../definition/strategy.ts";
import type { RunRef } from "./model.ts";
import type { StoredRunStatus } from "./status.ts";

/** A workflow as its run strategy sees it: of the runs that have ended, only those that hold others back. */
export interface WorkflowRuns {
  readonly workflowId: string;
  readonly internalId: number;
  /** Raised by every change of the workflow: a start that has read another one is told so. */
  readonly revision: number;
  readonly strategy: RunStrategy;
  readonly paused: boolean;
  readonly latestInstanceId: number;
  /** Launched and unfinished. */
  readonly running: readonly RunRef[];
  /** Unfinished and not launched yet: by instance, then by run. */
  readonly waiting: readonly RunRef[];
  /** FAILED as stored: neither unblocked nor restarted. */
  readonly failed: readonly RunRef[];
}

export interface StartRequest {
  readonly uuid: string;
  readonly internalId: number;
  readonly revision: number;
  /** FAILED for a run that could not be initialised and is kept: no strategy applies. */
  readonly status: "CREATED" | "FAILED";
  /** Requests with the same number, side by side, are one decision; undefined: alone. */
  readonly batch?: number | undefined;
  /** An instance: its next run is to be made. */
  readonly restartOf?: number | undefined;
  /** The run that it was made from; undefined: whichever is the latest. */
  readonly restartAfter?: number | undefined;
  /** The run whose step asks for it has another owner. */
  readonly isStale?: boolean | undefined;
}

/** Runs that were made before. */
export interface Earlier {
  made(uuid: string): RunRef | undefined;
  /** Of an instance. */
  latest(instanceId: number): RunRef | undefined;
}

export type StartDecision =
  | { readonly result: "LAUNCHED" | "QUEUED" | "STOPPED" | "FAILED"; readonly ref: RunRef }
  /** The run that the first request with this uuid made. */
  | { readonly result: "DUPLICATED"; readonly ref: RunRef }
  /** The workflow is not as the request says any more, or the instance; or an earlier request of the batch with the uuid made no run. */
  | { readonly result: "CHANGED" }
  | { readonly result: "STALE" | "MISSING" | "PAUSED" }
  /** The run to be restarted has not ended. */
  | { readonly result: "UNFINISHED"; readonly ref: RunRef };

/** What a start does to other runs. */
interface Effects {
  /** They waited, and have ended. */
  readonly stopped: readonly RunRef[];
  /** They run, and have to make way. Some may be asked already. */
  readonly asked: readonly RunRef[];
}

export interface Started extends Effects {
  readonly workflow: WorkflowRuns;
  /** One for each request, in order. */
  readonly decisions: readonly StartDecision[];
  /** Failed runs that a later one of their instance has replaced. */
  readonly replaced: readonly RunRef[];
  /** What waits may go now: it is told. */
  readonly announced: boolean;
}

const NO_EFFECTS: Effects = { stopped: [], asked: [] };
const LATEST_ONLY: ReadonlySet<RunStrategyRule> = new Set(["LAST_ONLY", "SERIAL_LATEST_ONLY"]);
const UNQUEUED: ReadonlySet<RunStrategyRule> = new Set(["FIRST_ONLY", "LAST_ONLY"]);

/** One request after the other. A batch is told how it ends: a run that a later one of the batch stops is STOPPED. */
export function start(workflow: WorkflowRuns, requests: readonly StartRequest[], earlier: Earlier): Started {
  let state = workflow;
  const firsts = new Map<string, StartDecision>();
  const decisions: StartDecision[] = [];
  const [stopped, asked, replaced] = [new Set<RunRef>(), new Set<RunRef>(), new Set<RunRef>()];
  const made: RunRef[] = [];
  let announced = false;
  /** What the batch of the request at hand has let go. */
  let mates: readonly RunRef[] = [];
  /** Of the request before it that is not a repeated one. */
  let batch: number | undefined;
  const latest = (id: number) => made.findLast(({ instanceId }) => instanceId === id) ?? earlier.latest(id);
  for (const request of requests) {
    const first = firsts.get(request.uuid);
    if (first !== undefined) {
      decisions.push(repeated(first));
      continue;
    }
    if (request.batch === undefined || request.batch !== batch) mates = [];
    batch = request.batch;
    const step = startOne(state, request, { made: earlier.made, latest }, mates);
    if (step.decision.result === "LAUNCHED") mates = [...mates, step.decision.ref];
    if (isMade(step.decision)) {
      made.push(step.decision.ref);
      announced ||= request.restartOf !== undefined && isBlocked(state);
      for (const ref of state.failed) if (ref.instanceId === request.restartOf) replaced.add(ref);
    }
    state = step.workflow;
    firsts.set(request.uuid, step.decision);
    decisions.push(step.decision);
    for (const ref of step.stopped) stopped.add(ref);
    for (const ref of step.asked) asked.add(ref);
  }
  return {
    workflow: state,
    decisions: decisions.map((it) => (isMade(it) && stopped.has(it.ref) ? { ...it, result: "STOPPED" } : it)),
    stopped: [...stopped].filter((ref) => !made.includes(ref)),
    asked: [...asked],
    replaced: [...replaced],
    announced,
  };
}

type Made = Extract<StartDecision, { readonly result: "LAUNCHED" | "QUEUED" | "STOPPED" | "FAILED" }>;

const MADE: ReadonlySet<StartDecision["result"]> = new Set(["LAUNCHED", "QUEUED", "STOPPED", "FAILED"]);
const isMade = (decision: StartDecision): decision is Made => MADE.has(decision.result);

/** Of a request with the uuid of an earlier one of its batch. */
const repeated = (first: StartDecision): StartDecision =>
  isMade(first) || first.result === "DUPLICATED" ? { result: "DUPLICATED", ref: first.ref } : { result: "CHANGED" };

interface Step extends Effects {
  readonly workflow: WorkflowRuns;
  readonly decision: StartDecision;
}

function startOne(workflow: WorkflowRuns, request: StartRequest, earlier: Earlier, mates: readonly RunRef[]): Step {
  const unchanged = (decision: StartDecision): Step => ({ workflow, decision, ...NO_EFFECTS });
  const { restartOf, restartAfter, status } = request;
  if (request.isStale) return unchanged({ result: "STALE" });
  if (request.internalId !== workflow.internalId) return unchanged({ result: "CHANGED" });
  const known = earlier.made(request.uuid);
  if (known !== undefined) return unchanged({ result: "DUPLICATED", ref: known });
  if (request.revision !== workflow.revision) return unchanged({ result: "CHANGED" });
  const before = restartOf === undefined ? undefined : earlier.latest(restartOf);
  if (restartOf !== undefined && before === undefined) return unchanged({ result: "MISSING" });
  if (before && isOpen(workflow, before)) return unchanged({ result: "UNFINISHED", ref: before });
  if (before && before.runId !== (restartAfter ?? before.runId)) return unchanged({ result: "CHANGED" });
  if (workflow.paused && UNQUEUED.has(workflow.strategy.rule)) return unchanged({ result: "PAUSED" });
  const [counted, ref] = before ? rerun(workflow, before) : next(workflow);
  if (status === "FAILED") {
    return { workflow: end(counted, ref, "FAILED"), decision: { result: "FAILED", ref }, ...NO_EFFECTS };
  }
  return admit(counted, ref, mates);
}

/** The first run of a new instance. */
function next(workflow: WorkflowRuns): readonly [WorkflowRuns, RunRef] {
  const instanceId = workflow.latestInstanceId + 1;
  return [
    { ...workflow, latestInstanceId: instanceId },
    { workflowId: workflow.workflowId, instanceId, runId: 1 },
  ];
}

/** The next run of an instance: the failed ones of it count no more. */
function rerun(workflow: WorkflowRuns, { workflowId, instanceId, runId }: RunRef): readonly [WorkflowRuns, RunRef] {
  const failed = workflow.failed.filter((it) => it.instanceId !== instanceId);
  return [
    { ...workflow, failed },
    { workflowId, instanceId, runId: runId + 1 },
  ];
}

/** The strategy's word on a new run. @param mates what its batch has let go before it */
function admit(workflow: WorkflowRuns, ref: RunRef, mates: readonly RunRef[]): Step {
  const { rule } = workflow.strategy;
  if (rule === "FIRST_ONLY" && workflow.running.length + workflow.waiting.length > 0) {
    return { workflow, decision: { result: "STOPPED", ref }, ...NO_EFFECTS };
  }
  const stopped = LATEST_ONLY.has(rule) ? [...workflow.waiting, ...mates] : [];
  const running = workflow.running.filter((it) => !stopped.includes(it));
  const left = stopped.length > 0 ? { ...workflow, running, waiting: [] } : workflow;
  const asked = rule === "LAST_ONLY" ? running : [];
  const isNext = left.waiting.every((it) => byInstance(it, ref) > 0);
  return isNext && room(left) > 0
    ? { workflow: { ...left, running: [...running, ref] }, decision: { result: "LAUNCHED", ref }, stopped, asked }
    : { workflow: enqueue(left, ref), decision: { result: "QUEUED", ref }, stopped, asked };
}

/** A failed run holds everything back. */
const isBlocked = ({ strategy, failed }: WorkflowRuns): boolean =>
  strategy.rule === "STRICT_SEQUENTIAL" && failed.length > 0;

/** How many more may go now. */
function room(workflow: WorkflowRuns): number {
  if (workflow.paused || isBlocked(workflow)) return 0;
  return Math.max(0, workflow.strategy.workflow_concurrency - workflow.running.length);
}

/** A later run of an old instance goes before newer instances. */
export function enqueue(workflow: WorkflowRuns, ref: RunRef): WorkflowRuns {
  const { waiting } = workflow;
  const after = waiting.findLastIndex((it) => byInstance(it, ref) < 0) + 1;
  return { ...workflow, waiting: waiting.toSpliced(after, 0, ref) };
}

/** Lets go what there is room for, the oldest instance first. */
export function dequeue(workflow: WorkflowRuns): {
  readonly workflow: WorkflowRuns;
  readonly launched: readonly RunRef[];
} {
  const { running, waiting } = workflow;
  const launched = waiting.slice(0, room(workflow));
  if (launched.length === 0) return { workflow, launched };
  const left = waiting.slice(launched.length);
  return { workflow: { ...workflow, running: [...running, ...launched], waiting: left }, launched };
}

/** A run has ended, whether it was launched or waited. */
export const end = (workflow: WorkflowRuns, ref: RunRef, status: StoredRunStatus): WorkflowRuns => ({
  ...workflow,
  running: without(workflow.running, ref),
  waiting: without(workflow.waiting, ref),
  failed: status === "FAILED" ? [...workflow.failed, ref] : workflow.failed,
});

/** @returns undefined when it does not wait */
export const stopQueued = (
  workflow: WorkflowRuns,
  ref: RunRef,
  status: "STOPPED" | "FAILED",
): WorkflowRuns | undefined => (has(workflow.waiting, ref) ? end(workflow, ref, status) : undefined);

/** A failed run no longer holds others back: by a user's word. */
export const unblock = (workflow: WorkflowRuns, ref: RunRef): WorkflowRuns | undefined =>
  has(workflow.failed, ref) ? { ...workflow, failed: without(workflow.failed, ref) } : undefined;

/** Nothing goes, until it is resumed. @returns undefined when it is so already */
export const pause = (workflow: WorkflowRuns, paused: boolean): WorkflowRuns | undefined =>
  workflow.paused === paused ? undefined : { ...workflow, paused };

/** @returns undefined when runs at hand would break the new rule */
export function changeStrategy(workflow: WorkflowRuns, strategy: RunStrategy): WorkflowRuns | undefined {
  const { rule } = strategy;
  const { running, waiting, failed } = workflow;
  if (rule !== workflow.strategy.rule) {
    if ((rule === "FIRST_ONLY" || rule === "LAST_ONLY") && running.length + waiting.length >= 2) return undefined;
    if (rule === "STRICT_SEQUENTIAL" && failed.length > 0) return undefined;
  }
  return { ...workflow, strategy, revision: workflow.revision + 1 };
}

const byInstance = (a: RunRef, b: RunRef): number => a.instanceId - b.instanceId || a.runId - b.runId;
const isOpen = ({ running, waiting }: WorkflowRuns, ref: RunRef): boolean => has(running, ref) || has(waiting, ref);
const has = (runs: readonly RunRef[], ref: RunRef): boolean => runs.some((it) => byInstance(it, ref) === 0);
const without = (runs: readonly RunRef[], ref: RunRef): readonly RunRef[] =>
  has(runs, ref) ? runs.filter((it) => byInstance(it, ref) !== 0) : runs;
