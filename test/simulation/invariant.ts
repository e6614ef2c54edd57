/**
 * What must hold in a simulated cluster, whatever happens: checked at each commit and each call of a runtime, and once more
 * when everything has healed. A breach is an exception that names it.
 */

import { isDeepStrictEqual } from "node:util";
import { isInline } from "../../src/definition/initiator.ts";
import { LEASE } from "../../src/flow/membership.ts";
import type { NewRun, PermitState } from "../../src/flow/port.ts";
import { DEQUEUE } from "../../src/flow/topic.ts";
import { correlationOf, type Run } from "../../src/run/model.ts";
import { latestAttempts, runOverview } from "../../src/run/overview.ts";
import type { Want } from "../../src/run/permit.ts";
import { isOver } from "../../src/run/status.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { limitReached, retryKind } from "../../src/step/retry.ts";
import { isComplete, isTerminal, mayFollow, STEP_STATUSES, type StepStatus } from "../../src/step/status.ts";
import type { Batch } from "../../src/store/writer/batch.ts";
import { Breach, nameOf } from "./breach.ts";
import { before, edgesOf, executed, stepsOf } from "./history.ts";
import type { Jobs, JobWatcher } from "./job.ts";
import { NestedInvariants } from "./nested.ts";
import type { SimNode } from "./node.ts";
import { heldUp } from "./standoff.ts";
import { nameOfStep, type SimStore, type StoreWatcher } from "./store.ts";

export class Invariants implements StoreWatcher, JobWatcher {
  readonly #store: () => SimStore;
  readonly breakpoints = new BreakpointInvariants();
  readonly nested = new NestedInvariants();
  /** Starts that were answered with a run of their own: its key by the request's uuid. */
  readonly #answered = new Map<string, number>();
  /** Attempts that were granted their permits. */
  readonly #holders = new Set<string>();

  constructor(store: () => SimStore) {
    this.#store = store;
  }

  // ---- at each commit ----------------------------------------------------------------------------------------------

  /** Rows change as the status tables say; what has ended stays as it is. A commit may be repeated, if it was not heard of. */
  committing(batch: Batch, store: SimStore): void {
    for (const { runKey, attempt } of batch.attempts) {
      const run = store.runs.get(runKey);
      if (run === undefined)
        throw new Breach(`a row of ${attempt.stepId} is written for run ${runKey}, which there is not`);
      const before = store.attempts.get(runKey)?.get(`${attempt.stepId}:${attempt.attemptId}`);
      const what = `${nameOf(run)} ${attempt.stepId}:${attempt.attemptId}`;
      if (before && isDeepStrictEqual(before, attempt)) continue;
      if (isOver(run)) throw new Breach(`a row of ${what} is written after the run has ended`);
      if (before && before.uuid !== attempt.uuid) throw new Breach(`${what} has two attempts of one number`);
      if (before && !leadsTo(before.status, attempt.status)) {
        throw new Breach(`${what} goes from ${before.status} to ${attempt.status}`);
      }
      const previous = previousOf(batch, store, runKey, attempt);
      if (attempt.attemptId > 1 && !(previous && isTerminal(previous.status))) {
        throw new Breach(`${what} begins before the attempt before it has ended`);
      }
      this.breakpoints.committing(store, run, before, attempt);
      const isOwn = previous && !before && !mayRetry(previous) && !this.nested.isAsked(runKey, previous);
      if (isOwn) throw new Breach(`${what} is beyond the limit of its retries`);
    }
    this.nested.committing(batch, store);
    for (const { key, change } of batch.runs) {
      const run = store.runs.get(key) as Run;
      const unblocked = run.status === "FAILED_1" && change.status === "FAILED";
      if (isDeepStrictEqual({ ...run, ...change, ...(unblocked && { status: run.status }) }, run)) continue;
      if (isOver(run)) throw new Breach(`${nameOf(run)} ends twice: ${run.status}, then ${change.status}`);
      if (run.executionId === undefined) throw new Breach(`${nameOf(run)} runs, and was not let go`);
      if (isOver(change) && change.startTime === undefined)
        throw new Breach(`${nameOf(run)} ends, and has never begun`);
      if (run.startTime !== undefined && change.startTime !== run.startTime) {
        throw new Breach(`${nameOf(run)} begins twice`);
      }
    }
  }

  /** A commit is a past state of the run: no step is in it before those that it waits for, no end before its steps'. */
  committed(batch: Batch, store: SimStore): void {
    for (const key of new Set(batch.attempts.map(({ runKey }) => runKey))) {
      const run = store.runs.get(key) as Run;
      const statuses = statusesOf(store, key);
      const edges = edgesOf(store, run);
      for (const id of statuses.keys()) {
        for (const before of edges.get(id) ?? []) {
          const isDone = (status: StepStatus | undefined): boolean => status !== undefined && isComplete(status);
          if (!isDone(statuses.get(before) ?? earlierStatus(store, run, before))) {
            throw new Breach(`${nameOf(run)}: step ${id} is stored before ${before} has completed`);
          }
        }
      }
    }
    for (const { key } of batch.runs) {
      const run = store.runs.get(key) as Run;
      if (!isOver(run)) continue;
      const attempts = latestAttempts([...(store.attempts.get(key)?.values() ?? [])]);
      const open = attempts.find(({ status }) => !isTerminal(status));
      if (open)
        throw new Breach(`${nameOf(run)} has ended as ${run.status}, and its step ${open.stepId} is ${open.status}`);
      if (!isInline(run.initiator) && !store.outbox.has(DEQUEUE, run.workflowId))
        throw new Breach(`${nameOf(run)} has ended, and nobody is told (D6)`);
      const held = [...store.paused].find((name) => name.startsWith(`${key} `));
      if (held !== undefined) throw new Breach(`${nameOf(run)} has ended, and ${held} is paused`);
      this.#recount(store, run, attempts);
    }
    this.nested.committed(batch, store);
    for (const { runKey, attempt } of batch.attempts) this.#permitted(store, runKey, attempt);
  }

  /** An attempt holds all its permits from its start to its end, and nothing from then on. */
  #permitted(store: SimStore, runKey: number, attempt: StepAttempt): void {
    const run = store.runs.get(runKey) as Run;
    const held = store.permits.rows.get(attempt.uuid);
    const what = `${nameOf(run)} ${attempt.stepId}:${attempt.attemptId}`;
    if (isTerminal(attempt.status)) {
      if (held) throw new Breach(`${what} is ${attempt.status}, and still in the queue for permits`);
      return;
    }
    if (attempt.times.start_time === undefined) return;
    const needed = tagsOf(store, run, attempt.stepId);
    const missing = needed.filter((tag) => !(held?.granted && held.wants.some((want) => want.tag === tag)));
    if (missing.length > 0) throw new Breach(`${what} is ${attempt.status} without a permit of ${missing.join()}`);
  }

  /** Nobody is granted a permit beyond the limit that counts for it, in the order in which they came. */
  granted(states: readonly PermitState[], store: SimStore): void {
    const { rows, limits } = store.permits;
    const asked = new Set(states.map(({ uuid }) => uuid));
    for (const { uuid, granted, wants } of rows.values()) {
      if (!granted || !asked.has(uuid) || this.#holders.has(uuid)) continue;
      this.#holders.add(uuid);
      for (const { tag, limit } of wants) {
        const hasOne = (it: { readonly uuid: string; readonly wants: readonly Want[] }): boolean =>
          this.#holders.has(it.uuid) && it.wants.some((want) => want.tag === tag);
        const held = [...rows.values()].filter(hasOne).length;
        const most = limits.get(tag) ?? limit ?? Number.POSITIVE_INFINITY;
        if (held > most) throw new Breach(`${held} attempts hold a permit of ${tag}, and ${most} may`);
      }
    }
  }

  made(run: Run, store: SimStore, parent: NewRun["parent"]): void {
    this.nested.made(run, store, parent);
    const runs = store.tables.get(run.workflowId)?.runs;
    if (runs?.paused && run.executionId !== undefined)
      throw new Breach(`${nameOf(run)} goes, and its workflow is paused`);
  }

  /** D4: while its owner beats, a group changes hands only when it is given up. */
  claimed(
    groupId: number,
    before: { readonly node: string | undefined; readonly heartbeat: number },
    now: number,
  ): void {
    if (before.node !== undefined && now - before.heartbeat <= LEASE) {
      throw new Breach(`group ${groupId} is taken from ${before.node}, which beat ${now - before.heartbeat} ms ago`);
    }
  }

  // ---- at each call of a runtime -----------------------------------------------------------------------------------

  /** D2; and a job that another owner has ended begins no more, once its own owner can know. */
  starting(context: AttemptContext, isKnown: boolean): void {
    const row = this.#store().attempt(context.uuid);
    const { stepId, attemptId } = context.identity;
    const what = `${context.identity.workflowId}:${context.identity.instanceId} ${stepId}:${attemptId}`;
    if (!row) throw new Breach(`the job of ${what} starts before its row has committed (D2)`);
    const end = row.attempt.times.end_time ?? 0;
    if (!isKnown && isTerminal(row.attempt.status) && this.#store().now() - end > LEASE) {
      throw new Breach(`the job of ${what} starts, and its row says ${row.attempt.status}`);
    }
    if (row.attempt.place === undefined) throw new Breach(`the job of ${what} starts nowhere`);
  }

  // ---- at each answer ----------------------------------------------------------------------------------------------

  /** D5: an answer says what has committed. */
  answered(uuid: string, run: Run | undefined, status: string): void {
    if (!run) throw new Breach(`a start is answered with ${status} and has no run`);
    const known = this.#answered.get(uuid);
    if (known !== undefined && known !== run.key) throw new Breach(`the request ${uuid} has made two runs`);
    this.#answered.set(uuid, run.key);
  }

  /** D1: nobody hears of an end that has not committed. */
  told(run: Run | undefined): void {
    if (!run || !isOver(run))
      throw new Breach(`the end of ${run ? nameOf(run) : "a run"} is told before it has committed`);
  }

  // ---- when everything has healed ----------------------------------------------------------------------------------

  /** Runs that have still to end, as far as they can. */
  unfinished(): readonly Run[] {
    const store = this.#store();
    return [...store.runs.values()].filter((run) => !isOver(run) && !isHeldBack(store, run));
  }

  healed(nodes: readonly SimNode[], jobs: Jobs): void {
    const store = this.#store();
    const left = this.unfinished();
    const stuck = left.length > 0 ? heldUp(store) : new Set<Run>();
    const open = left.filter((run) => !stuck.has(run));
    const late = open.find(({ key }) => !store.childrenOf(key).some((child) => !isOver(child))) ?? open[0];
    if (late) throw new Breach(`${nameOf(late)} is still ${late.status} when all has healed: ${spell(store, late)}`);
    if (left.length > 0) return;
    const [waiting] = store.permits.rows.values();
    if (waiting) throw new Breach(`${waiting.uuid}, which has ended, is still in the queue for permits`);
    const [row] = store.outbox.rows;
    if (row) throw new Breach(`a row of the outbox is left: ${JSON.stringify(row)}`);
    if (store.paused.size > 0) throw new Breach(`attempts that have ended are paused: ${[...store.paused]}`);
    if (store.said.size > 0) throw new Breach(`words to runs that have ended are left: ${[...store.said.keys()]}`);
    for (const run of store.runs.values()) {
      for (const attempt of store.attempts.get(run.key)?.values() ?? []) {
        const job = jobs.all.get(attempt.uuid);
        const isLeft = attempt.timeline.some(
          (event) => event.type === "LOG" && event.message.includes("may still run"),
        );
        if (job?.state === "runs" && !isLeft) {
          throw new Breach(`${nameOf(run)} ${attempt.stepId} is ${attempt.status}, and its job still runs`);
        }
      }
    }
    for (const node of nodes) this.#forgets(node, store);
    if (store.groups.some(({ node }) => node === undefined)) throw new Breach("a group has no owner");
  }

  /** Nothing of what has ended stays in memory. */
  #forgets(node: SimNode, store: SimStore): void {
    for (const { engine } of node.engines) {
      const { activeRuns, parkedRuns, queuedRows } = engine.counters;
      if (activeRuns + parkedRuns + queuedRows > 0) {
        throw new Breach(`${node.name} keeps ${activeRuns} runs, ${parkedRuns} parked ones and ${queuedRows} rows`);
      }
      if (engine.nestedSteps > 0) throw new Breach(`${node.name} keeps ${engine.nestedSteps} steps that wait for runs`);
      if (engine.scheduler.waiting > 0)
        throw new Breach(`${node.name} keeps steps that wait for others to have their turns`);
      if (engine.recentlyEnded.size > 0) throw new Breach(`${node.name} remembers ends that nobody reads of`);
      if (engine.timers.size > 1)
        throw new Breach(`${node.name} has ${engine.timers.size} timers of runs that have ended`);
      for (const attempts of store.attempts.values()) {
        for (const { uuid, stepId } of attempts.values()) {
          if (engine.isTracked(uuid)) throw new Breach(`${node.name} still listens for the job of ${stepId} (${uuid})`);
        }
      }
    }
  }

  #recount(store: SimStore, run: Run, attempts: readonly StepAttempt[]): void {
    const total = executed(store, run).size;
    const counted = runOverview(run, total, attempts);
    if (!isDeepStrictEqual(sorted(run.overview), sorted(counted))) {
      throw new Breach(
        `${nameOf(run)} says of its steps ${JSON.stringify(run.overview)}, and they are ${JSON.stringify(counted)}`,
      );
    }
  }
}

/** Clocks of two nodes are so far apart at most, ms. */
const SKEW = 2_500;

/** A breakpoint holds every attempt that is made once all nodes know of it, and each attempt is paused once at most. */
class BreakpointInvariants {
  /** When every node had heard of it; undefined: not yet. */
  readonly #inForce = new Map<string, number | undefined>();

  /** @returns to be called when every node has heard of it */
  added(name: string): (now: number) => void {
    const token = { isThere: true };
    this.#tokens.set(name, token);
    this.#inForce.set(name, undefined);
    return (now) => {
      if (token.isThere) this.#inForce.set(name, now);
    };
  }

  removed(name: string): void {
    const token = this.#tokens.get(name);
    if (token) token.isThere = false;
    this.#inForce.delete(name);
  }

  readonly #tokens = new Map<string, { isThere: boolean }>();

  committing(
    store: SimStore,
    run: Run,
    before: StepAttempt | undefined,
    { stepId, attemptId, times }: StepAttempt,
  ): void {
    const what = `${nameOf(run)} ${stepId}:${attemptId}`;
    if (before?.times.pause_time !== undefined && before.times.pause_time !== times.pause_time) {
      throw new Breach(`${what} is paused twice`);
    }
    if (before?.times.wait_signal_time !== undefined && before.times.pause_time !== times.pause_time) {
      throw new Breach(`${what} is paused after it has passed the gate`);
    }
    const name = nameOfStep({ internalId: run.internalId, stepId });
    const since = this.#inForce.get(name);
    const made = times.create_time ?? 0;
    const hasPassed = times.wait_signal_time !== undefined && times.pause_time === undefined;
    if (hasPassed && since !== undefined && store.breakpoints.has(name) && made > since + SKEW) {
      throw new Breach(`${what} was made ${made - since} ms after all had heard of its breakpoint, and passes it`);
    }
  }
}

/** The order of the steps in an overview is that in which they began, which a page of rows does not say. */
function sorted(overview: Run["overview"]): unknown {
  const text = JSON.stringify(overview?.steps ?? {}, (_key, value) =>
    Array.isArray(value) && Array.isArray(value[0]) ? value.toSorted((a, b) => (a[0] < b[0] ? -1 : 1)) : value,
  );
  return { ...overview, steps: JSON.parse(text), rollup: undefined, runStatus: undefined };
}

function statusesOf(store: SimStore, key: number): ReadonlyMap<string, StepStatus> {
  const attempts = latestAttempts([...(store.attempts.get(key)?.values() ?? [])]);
  return new Map(attempts.map(({ stepId, status }) => [stepId, status]));
}

/** Of the permits that a leaf step needs; any other needs none. */
function tagsOf(store: SimStore, run: Run, stepId: string): readonly string[] {
  const steps = stepsOf(store, run).flatMap((wrapper) => ("step" in wrapper ? [wrapper.step] : []));
  const step = steps.find(({ id }) => id === stepId);
  if (step === undefined) return [];
  const { step_concurrency, instance_step_concurrency } = run.properties;
  return [
    ...(step.tags ?? []).map(({ name }) => name),
    ...(step_concurrency === undefined ? [] : [`maestro_${run.workflowId}`]),
    ...(instance_step_concurrency === undefined ? [] : [`maestro_${correlationOf(run)}`]),
  ];
}

/** Of a step that the run itself does not execute. */
const earlierStatus = (store: SimStore, run: Run, stepId: string): StepStatus | undefined =>
  executed(store, run).has(stepId) ? undefined : before(store, run).get(stepId)?.status;

/** The attempt before, as it is with this commit. */
function previousOf(batch: Batch, store: SimStore, key: number, { stepId, attemptId }: StepAttempt) {
  const isBefore = (it: StepAttempt): boolean => it.stepId === stepId && it.attemptId === attemptId - 1;
  const beside = batch.attempts.find((row) => row.runKey === key && isBefore(row.attempt))?.attempt;
  return beside ?? store.attempts.get(key)?.get(`${stepId}:${attemptId - 1}`);
}

/** Any number of changes that one commit covers. What has ended stays. */
function leadsTo(from: StepStatus, to: StepStatus): boolean {
  if (from === to) return true;
  if (isTerminal(from)) return false;
  return REACH.get(from)?.has(to) ?? false;
}

const REACH: ReadonlyMap<StepStatus, ReadonlySet<StepStatus>> = new Map(
  STEP_STATUSES.map((from) => {
    const reached = new Set<StepStatus>();
    const open = [from];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const to of STEP_STATUSES) {
        if (!mayFollow(at, to) || reached.has(to)) continue;
        reached.add(to);
        open.push(to);
      }
    }
    return [from, reached];
  }),
);

function mayRetry({ status, retry }: StepAttempt): boolean {
  const kind = retryKind(status);
  return kind !== undefined && !limitReached(retry, kind);
}

/** A failed run of a strictly sequential workflow holds the others back until a user lets them go. */
function isHeldBack(store: SimStore, run: Run): boolean {
  const runs = store.tables.get(run.workflowId)?.runs;
  return run.executionId === undefined && runs?.strategy.rule === "STRICT_SEQUENTIAL" && runs.failed.length > 0;
}

function spell(store: SimStore, run: Run): string {
  const steps = [...statusesOf(store, run.key)].map(([id, status]) => `${id} ${status}`).join(", ");
  const group = store.groups[run.groupId];
  const children = store
    .childrenOf(run.key)
    .map((it) => `${nameOf(it)} ${it.status}${it.executionId === undefined ? " waits" : ""}`);
  return `group ${run.groupId} of ${group?.node}, let go: ${run.executionId !== undefined}, steps ${steps || "none"}, children ${children.join(", ") || "none"}`;
}
