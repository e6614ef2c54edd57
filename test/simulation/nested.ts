/** What must hold of the runs that steps have started, of the steps that wait for them, and of runs that are made again. */
import type { UpstreamInitiator } from "../../src/definition/initiator.ts";
import { allSteps, type ForeachStep, stepIdOf } from "../../src/definition/step.ts";
import type { NewRun } from "../../src/flow/port.ts";
import type { Run } from "../../src/run/model.ts";
import { isOver, shownRunStatus } from "../../src/run/status.ts";
import type { WordPayload } from "../../src/run/word.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { isTerminal } from "../../src/step/status.ts";
import type { Batch } from "../../src/store/writer/batch.ts";
import { Breach, nameOf } from "./breach.ts";
import {
  type Artifacts,
  aggregated,
  attemptsOf,
  edgesOf,
  executed,
  idsIn,
  leavesOf,
  reached,
  targetOf,
} from "./history.ts";
import type { SimStore } from "./store.ts";

/** A runtime that does not end its job in time leaves it: the timeline says so. */
const isLeft = ({ timeline }: StepAttempt): boolean =>
  timeline.some((event) => event.type === "LOG" && event.message.includes("may still run"));

/** Of the runs that an attempt at a loop makes, unless a user has asked for more of some iteration. */
function loopRunOf({ artifacts }: StepAttempt): number {
  const { maestro_foreach: foreach, maestro_while: loop } = artifacts as Artifacts;
  return foreach?.foreach_run_id ?? loop?.loop_run_id ?? 0;
}

const configOf = (parent: Run, { restart }: StepAttempt) => restart ?? parent.config.restart_config;

/** The iteration to which a restart of the loop goes. */
function namedBelow(parent: Run, attempt: StepAttempt) {
  const path = configOf(parent, attempt)?.restart_path;
  return path?.at(-1)?.step_id === attempt.stepId ? path.at(-2) : undefined;
}

/** The loop makes the iteration anew: alone, or with all the others. */
function isFor({ workflowId, instanceId }: Run, parent: Run, attempt: StepAttempt): boolean {
  const named = namedBelow(parent, attempt);
  if (named) return named.workflow_id === workflowId && named.instance_id === instanceId;
  return (configOf(parent, attempt)?.downstream_policy ?? parent.config.policy) === "RESTART_FROM_BEGINNING";
}

export class NestedInvariants {
  /** What users have asked for in runs that were under way: steps, and iterations below them. */
  readonly #asked = new Set<string>();

  said(run: Run, stepId: string, { after, restart }: WordPayload): void {
    this.#asked.add(`${run.key} ${stepId}:${after}`).add(`${run.key} ${stepId}`);
    const next = restart?.restart_path.at(-2);
    if (next) this.#asked.add(`${run.key} ${stepId} ${next.instance_id}`);
  }

  /** Another try of the step was asked for when this attempt was its newest one. */
  isAsked(key: number, { stepId, attemptId }: StepAttempt): boolean {
    return this.#asked.has(`${key} ${stepId}:${attemptId}`);
  }

  // ---- before a commit ---------------------------------------------------------------------------------------------

  committing(batch: Batch, store: SimStore): void {
    for (const run of batch.children) {
      if (store.runOf(run) === undefined) this.#begins(run, batch, store);
    }
    for (const { runKey, attempt } of batch.attempts) {
      if (attempt.attemptId > 1 || attemptsOf(store, runKey).has(attempt.stepId)) continue;
      this.#mayRun(store, store.runs.get(runKey) as Run, attempt);
    }
  }

  /** An iteration begins: for a step that runs, under the owner of its run. */
  #begins(run: Run, batch: Batch, store: SimStore): void {
    const parent = store.runs.get(run.parentKey ?? -1);
    if (parent === undefined) throw new Breach(`${nameOf(run)} belongs to no run`);
    const stamp = batch.stamps.find(({ groupId }) => groupId === parent.groupId);
    if (!stamp || !store.isHeld(stamp)) throw new Breach(`${nameOf(run)} begins under an owner that is none any more`);
    const { step_id, step_attempt_id } = parentOf(run);
    const beside = batch.attempts.filter((row) => row.runKey === parent.key && row.attempt.stepId === step_id);
    const attempt = beside.at(-1)?.attempt ?? attemptsOf(store, parent.key).get(step_id);
    if (isOver(parent)) throw new Breach(`${nameOf(run)} begins after ${nameOf(parent)} has ended`);
    if (attempt?.attemptId !== step_attempt_id || isTerminal(attempt.status)) {
      throw new Breach(`${nameOf(run)} begins, and step ${step_id} of ${nameOf(parent)} is ${attempt?.status}`);
    }
    if (!this.#asked.has(`${parent.key} ${step_id} ${run.instanceId}`)) mayBegin(run, store);
    const before = store.runsOf(run).at(-1);
    if (before && !isOver(before))
      throw new Breach(`${nameOf(run)} begins beside ${nameOf(before)}, which has not ended`);
    if (before && before.runId >= run.runId) throw new Breach(`${nameOf(run)} begins after ${nameOf(before)}`);
    if (before) this.#isAgain(run, before, parent, attempt, store);
  }

  /** An iteration that has succeeded runs again because a restart is for it, or for all of its loop, now or since then. */
  #isAgain(run: Run, before: Run, parent: Run, attempt: StepAttempt, store: SimStore): void {
    if (this.#asked.has(`${parent.key} ${attempt.stepId} ${run.instanceId}`)) return;
    if (before.runId >= loopRunOf(attempt))
      throw new Breach(`${nameOf(run)} begins, and ${nameOf(before)} is of the same loop`);
    if (shownRunStatus(before.status) !== "SUCCEEDED") return;
    // What comes after the iteration at which a while resumes runs anew.
    const { maestro_while: loop } = attempt.artifacts as Artifacts;
    if (loop && run.instanceId > loop.first_iteration) return;
    for (const above of store.runsOf(parent)) {
      for (const loop of [...(store.attempts.get(above.key)?.values() ?? []), ...(above === parent ? [attempt] : [])]) {
        if (loop.stepId === attempt.stepId && loopRunOf(loop) > before.runId && isFor(run, above, loop)) return;
      }
    }
    throw new Breach(`${nameOf(run)} runs again, and ${nameOf(before)} has succeeded`);
  }

  /** A restart runs what is not complete, what it names, and what follows; of a step that is named, what is held stays so. */
  #mayRun(store: SimStore, run: Run, { stepId }: StepAttempt): void {
    if (!executed(store, run).has(stepId)) {
      throw new Breach(`${nameOf(run)} runs ${stepId}, which its ${run.config.policy} leaves out`);
    }
    const target = targetOf(run);
    if (target === undefined || run.runId === 1) return;
    const edges = edgesOf(store, run);
    const asked = [...edges.keys()].filter((id) => this.#asked.has(`${run.key} ${id}`));
    if (reached(edges, new Set([target, ...asked])).has(stepId)) return;
    throw new Breach(`${nameOf(run)} runs ${stepId}, which nobody asked for: it is a restart of ${target}`);
  }

  /** A run of another workflow is made by a step that runs, under the owner of its run. */
  made(run: Run, store: SimStore, parent: NewRun["parent"]): void {
    const before = store.runsOf(run).at(-1);
    if (before && before.key !== run.key && !isOver(before))
      throw new Breach(`${nameOf(run)} begins beside ${nameOf(before)}, which is ${before.status}`);
    const above = parent && store.runs.get(parent.key);
    if (parent === undefined || above === undefined) return;
    if (!store.isHeld(parent.stamp)) throw new Breach(`${nameOf(run)} begins under an owner that is none any more`);
    const { step_id, step_attempt_id } = parentOf(run);
    const attempt = attemptsOf(store, above.key).get(step_id);
    if (attempt && isLeft(attempt)) return;
    mayBegin(run, store);
    if (isOver(above) || attempt?.attemptId !== step_attempt_id || isTerminal(attempt.status)) {
      throw new Breach(`${nameOf(run)} begins, and step ${step_id} of ${nameOf(above)} is ${attempt?.status}`);
    }
  }

  // ---- after a commit ----------------------------------------------------------------------------------------------

  committed(batch: Batch, store: SimStore): void {
    for (const parentKey of new Set(batch.children.map((run) => run.parentKey ?? -1))) this.#width(store, parentKey);
    for (const { runKey, attempt } of batch.attempts) {
      const newest = attemptsOf(store, runKey).get(attempt.stepId);
      if (newest === attempt && isTerminal(attempt.status)) this.#leavesNothing(store, runKey, attempt);
    }
    for (const { key } of batch.runs) {
      const run = store.runs.get(key) as Run;
      if (isOver(run)) this.#recount(store, run);
    }
  }

  /** No more iterations than the step's concurrency; but what a user asks for while it runs comes beside them. */
  #width(store: SimStore, parentKey: number): void {
    const parent = store.runs.get(parentKey) as Run;
    const live = store.childrenOf(parentKey).filter((run) => !isOver(run) && run.initiator.type === "FOREACH");
    for (const workflowId of new Set(live.map((run) => run.workflowId))) {
      const own = live.filter((run) => run.workflowId === workflowId);
      const { step_id } = parentOf(own[0] as Run);
      const { concurrency, strict_ordering } = loopOf(store, parent, step_id);
      const counted = own.filter((run) => !this.#asked.has(`${parentKey} ${step_id} ${run.instanceId}`));
      if (concurrency === undefined || counted.length === 0) continue;
      const ids = counted.map((run) => run.instanceId);
      const width = strict_ordering ? Math.max(...ids) - Math.min(...ids) + 1 : ids.length;
      if (width > concurrency) {
        throw new Breach(`${step_id} of ${nameOf(parent)} has iterations ${ids} at once, and may have ${concurrency}`);
      }
    }
  }

  #leavesNothing(store: SimStore, runKey: number, attempt: StepAttempt): void {
    const run = store.runs.get(runKey) as Run;
    if (isLeft(attempt)) return;
    const what = `${attempt.stepId}:${attempt.attemptId} of ${nameOf(run)} is ${attempt.status}`;
    for (const child of store.childrenOf(runKey)) {
      const { step_id, sync } = parentOf(child);
      if (step_id === attempt.stepId && sync !== false && !isOver(child)) {
        throw new Breach(`${what}, and its ${nameOf(child)} is ${child.status}`);
      }
    }
    const { maestro_foreach: foreach } = attempt.artifacts as Artifacts;
    if (foreach === undefined) return;
    const shown = new Map(idsIn(foreach).map(([status, id]) => [id, status]));
    const workflowId = foreach.foreach_workflow_id;
    const newest = [...store.keysOf(workflowId)].map((key) => store.runs.get(key) as Run);
    for (const child of newest) {
      if (store.runsOf(child).at(-1) !== child) continue;
      const status = shown.get(child.instanceId);
      if (status === undefined ? child.runId >= foreach.foreach_run_id : status !== shownRunStatus(child.status)) {
        throw new Breach(`${what}, and shows ${nameOf(child)}, which is ${child.status}, as ${status}`);
      }
    }
    const strays = [...shown.keys()].filter((instanceId) => store.runsOf({ workflowId, instanceId }).length === 0);
    if (strays.length > 0) throw new Breach(`${what}, and shows ${strays}, which there are not`);
    const count = Object.values(foreach.foreach_overview.stats ?? {}).reduce((sum, it) => sum + it, 0);
    if (count !== shown.size) throw new Breach(`${what}, and counts ${count} iterations of ${shown.size}`);
    if (attempt.status === "SUCCEEDED" && attempt.timeline.length === 0 && shown.size !== foreach.total_loop_count) {
      throw new Breach(`${what}, and has had ${shown.size} iterations of ${foreach.total_loop_count}`);
    }
  }

  /** The instance's status, and the leaves of the tree. */
  #recount(store: SimStore, run: Run): void {
    const status = aggregated(store, run);
    if (shownRunStatus(run.status) !== status) {
      throw new Breach(`${nameOf(run)} says of its instance ${run.status}, and it is ${status}`);
    }
    const shown = Object.entries(run.overview?.rollup.overview ?? {}).map(([it, { cnt }]) => [it, cnt] as const);
    const total = run.overview?.rollup.total_leaf_count;
    const spell = (rows: Iterable<readonly [string, number]>): string =>
      [...rows]
        .map(([it, count]) => `${it} ${count}`)
        .sort()
        .join(", ");
    const leaves = leavesOf(store, run);
    if (leaves === undefined) return;
    const sum = [...leaves.values()].reduce((count, it) => count + it, 0);
    if (spell(shown) !== spell(leaves) || total !== sum) {
      throw new Breach(`${nameOf(run)} counts its leaves as ${spell(shown)} (${total}), and they are ${spell(leaves)}`);
    }
  }
}

const parentOf = ({ initiator }: Run) =>
  (initiator as UpstreamInitiator).ancestors.at(-1) as UpstreamInitiator["ancestors"][number];

/** No more runs of a tree than its root allows are under way on a level: each has been let go. */
function mayBegin(run: Run, store: SimStore): void {
  const isLimited = run.properties.instance_step_concurrency !== undefined;
  if (isLimited && !store.permits.rows.get(run.uuid)?.granted) {
    throw new Breach(`${nameOf(run)} begins, and the limit of its tree does not let it`);
  }
}

function loopOf(store: SimStore, { internalId, versionId }: Run, stepId: string): ForeachStep {
  const steps = allSteps(store.definition(internalId, versionId)?.steps ?? []);
  const step = [...steps].find((it) => stepIdOf(it) === stepId);
  if (step === undefined || !("foreach" in step)) throw new Breach(`${stepId} is no loop`);
  return step.foreach;
}
