/**
 * The database of a simulated cluster: tables in maps, each operation atomic. It keeps to what `store/` promises: the
 * fence and the generations (D4), leases by its own clock, the run strategies as `run/strategy.ts` has them, and starts
 * that are known again by their request when their commit was not heard of.
 */
import { isInline } from "../../src/definition/initiator.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { type Heartbeat, LEASE, type Node } from "../../src/flow/membership.ts";
import type {
  AttemptRef,
  GroupStamp,
  LoadedRun,
  NewRun,
  Pause,
  PermitAnswer,
  PermitLook,
  PermitState,
  StartOutcome,
  StepRef,
  WorkflowHead,
} from "../../src/flow/port.ts";
import { DEQUEUE } from "../../src/flow/topic.ts";
import { groupOf } from "../../src/id.ts";
import type { Run, RunRef } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import { isOver } from "../../src/run/status.ts";
import { dequeue, end, pause, start, stopQueued, unblock, type WorkflowRuns } from "../../src/run/strategy.ts";
import type { Word, WordPayload } from "../../src/run/word.ts";
import { logEvent } from "../../src/step/event.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import type { ResumedAttempt } from "../../src/store/breakpoint.ts";
import type { Batch } from "../../src/store/writer/batch.ts";
import { SimOutbox } from "./outbox.ts";
import { SimPermits } from "./permit.ts";

export interface Table {
  readonly head: WorkflowHead;
  /** By version. */
  readonly definitions: readonly Workflow[];
  readonly runs: WorkflowRuns;
}

interface GroupRow {
  node: string | undefined;
  generation: number;
  heartbeat: number;
}

/**
 * What a test may take away, to see that it is missed: `children`, the fence of runs that a step starts; `ends`, asking for ends
 * of children that nobody has told.
 */
export const SABOTAGES = ["fence", "lease", "resend", "children", "ends"] as const;
export type Sabotage = (typeof SABOTAGES)[number];

export interface StoreWatcher {
  /** Before the rows of a batch are taken. */
  committing(batch: Batch, store: SimStore): void;
  committed(batch: Batch, store: SimStore): void;
  /** Also those that were asked. */
  granted(states: readonly PermitState[], store: SimStore): void;
  claimed(groupId: number, before: Readonly<GroupRow>, now: number): void;
  /** A run is made by a start or let go by its run strategy. */
  made(run: Run, store: SimStore, parent: NewRun["parent"]): void;
}

/** What Postgres answers when a batch is fenced off. */
class Fenced extends Error {
  readonly code = "MA001";
  readonly detail: string;
  constructor(stamps: readonly GroupStamp[]) {
    super("stale owner");
    this.detail = JSON.stringify(stamps.map(({ groupId, generation }) => [groupId, generation]));
  }
}

export class SimStore {
  readonly tables = new Map<string, Table>();
  readonly runs = new Map<number, Run>();
  readonly attempts = new Map<number, Map<string, StepAttempt>>();
  /** What is said to runs, by run. */
  readonly said = new Map<number, readonly Word[]>();
  readonly outbox = new SimOutbox();
  /** Steps that have one, as `internal id:step id`. */
  readonly breakpoints = new Set<string>();
  /** Attempts that are held, as `run step:attempt`. */
  readonly paused = new Set<string>();
  readonly permits = new SimPermits();
  readonly groups: readonly GroupRow[];
  readonly nodes = new Map<string, { readonly node: Node; heartbeat: number }>();
  /** Keys of runs by `workflow:uuid`, and the request that made each. */
  readonly #made = new Map<string, { readonly key: number; readonly request: string }>();
  /** Of runs, those that are to be included. */
  lastKey = 0;
  readonly #keys = new Map<string, number>();
  /** Keys of runs by workflow and instance, ascending; and by the run whose step has started them. */
  readonly #ofWorkflow = new Map<string, Map<number, number[]>>();
  readonly #children = new Map<number, number[]>();
  readonly #uuids = new Map<string, StepAttempt["uuid"]>();
  readonly now: () => number;
  readonly #watcher: StoreWatcher;
  readonly #sabotage: Sabotage | undefined;

  constructor(groups: number, now: () => number, watcher: StoreWatcher, sabotage?: Sabotage) {
    this.groups = Array.from({ length: groups }, () => ({ node: undefined, generation: 0, heartbeat: 0 }));
    this.now = now;
    this.#watcher = watcher;
    this.#sabotage = sabotage;
  }

  // ---- workflows ---------------------------------------------------------------------------------------------------

  /** @param steps of the workflow that may run at a time; undefined: any number */
  push(definition: Workflow, strategy: WorkflowRuns["strategy"], steps: number | undefined): void {
    const known = this.tables.get(definition.id);
    const definitions = [...(known?.definitions ?? []), definition];
    const revision = (known?.head.revision ?? 0) + 1;
    const internalId = known?.head.internalId ?? this.tables.size + 1;
    const workflowId = definition.id;
    const limit = steps !== undefined && { step_concurrency: steps };
    const properties = { workflow_id: workflowId, create_time: 1, author: "sim", owner: "sim", ...limit };
    const latestVersion = definitions.length;
    const head = { workflowId, internalId, revision, activeVersion: latestVersion, latestVersion, properties };
    const none = { running: [], waiting: [], failed: [], latestInstanceId: 0, paused: false };
    const runs = { ...none, ...known?.runs, workflowId, internalId, revision, strategy };
    this.tables.set(workflowId, { head, definitions, runs });
    this.outbox.add({ topic: DEQUEUE, key: workflowId });
  }

  heads(ids: readonly string[]): readonly WorkflowHead[] {
    return ids.flatMap((id) => this.tables.get(id)?.head ?? []);
  }

  definition(internalId: number, versionId: number): Workflow | undefined {
    return [...this.tables.values()].find(({ head }) => head.internalId === internalId)?.definitions[versionId - 1];
  }

  // ---- runs --------------------------------------------------------------------------------------------------------

  /** @param request names this very call: made again, it finds its own rows */
  startRuns(made: readonly NewRun[], request: string): { outcomes: readonly StartOutcome[]; told: readonly Run[] } {
    const outcomes: StartOutcome[] = new Array(made.length);
    const told: Run[] = [];
    for (const [workflowId, table] of [...this.tables]) {
      const positions = made.flatMap((run, index) => (run.workflowId === workflowId ? [index] : []));
      const requests = positions.map((index) => {
        const run = made[index] as NewRun;
        return { ...run, isStale: run.parent !== undefined && !this.isHeld(run.parent.stamp) };
      });
      const started = start(table.runs, requests, {
        made: (uuid) => this.runs.get(this.#made.get(`${workflowId}:${uuid}`)?.key ?? -1),
        latest: (instanceId) => this.#latest(workflowId, instanceId),
      });
      this.#strategy(workflowId, () => started.workflow);
      if (started.announced) this.outbox.add({ topic: DEQUEUE, key: workflowId });
      for (const ref of started.stopped) {
        const run = this.runOf(ref);
        this.#endQueued(run, "STOPPED", "another run goes instead");
        told.push(...this.#parentOf(run));
      }
      for (const [index, position] of positions.entries()) {
        const run = made[position] as NewRun;
        const decision = started.decisions[index] as (typeof started.decisions)[number];
        outcomes[position] = this.#outcome(run, decision, `${request}:${position}`);
      }
      for (const ref of started.replaced) {
        const run = this.runOf(ref);
        this.runs.set(run.key, { ...run, status: "FAILED_2" });
      }
      for (const ref of started.asked) {
        const run = this.runOf(ref);
        told.push(run);
        if (!this.said.has(run.key)) this.#say(run.key, "STOP", "strategy");
      }
    }
    return { outcomes, told };
  }

  #outcome(made: NewRun, decision: ReturnType<typeof start>["decisions"][number], request: string): StartOutcome {
    switch (decision.result) {
      case "STALE":
        return { result: decision.result, stamp: made.parent?.stamp as GroupStamp };
      case "UNFINISHED":
        return decision;
      case "CHANGED":
      case "MISSING":
      case "PAUSED":
        return { result: decision.result };
    }
    const identity = `${made.workflowId}:${made.uuid}`;
    if (decision.result === "DUPLICATED") {
      const known = this.#made.get(identity);
      const run = this.runOf(decision.ref);
      if (known?.request === request && run.status === "CREATED") return { result: "CREATED", run };
      const { key, groupId, versionId, status } = run;
      return { result: "DUPLICATED", ref: decision.ref, key, groupId, versionId, status };
    }
    const key = ++this.lastKey;
    const now = this.now();
    const ends = decision.result === "STOPPED" || decision.result === "FAILED";
    const { instanceId, runId } = decision.ref;
    const run: Run = {
      ...made,
      ...{ key, instanceId, runId, createTime: now, modifyTime: now, startTime: undefined },
      groupId: groupOf(made.workflowId, instanceId, runId, this.groups.length),
      correlationId: made.correlationId,
      parentKey: made.parent?.key,
      executionId: decision.result === "LAUNCHED" ? made.uuid : undefined,
      overview: undefined,
      status: decision.result === "STOPPED" ? "STOPPED" : made.status,
      endTime: ends ? now : undefined,
    };
    this.#watcher.made(run, this, made.parent);
    this.#add(run);
    if (ends) this.permits.release(run.uuid);
    this.#made.set(identity, { key, request });
    if (decision.result === "STOPPED") return { result: "STOPPED", ref: run, versionId: run.versionId };
    return { result: "CREATED", run };
  }

  dequeue(workflowIds: readonly string[]): readonly Run[] {
    const launched: Run[] = [];
    for (const id of workflowIds) {
      this.outbox.delete(DEQUEUE, id);
      const table = this.tables.get(id);
      if (!table) continue;
      const let_go = dequeue(table.runs);
      this.#strategy(id, () => let_go.workflow);
      for (const ref of let_go.launched) {
        const run = this.runOf(ref);
        const gone = { ...run, executionId: run.uuid, modifyTime: this.now() };
        this.#watcher.made(gone, this, undefined);
        this.runs.set(run.key, gone);
        launched.push(gone);
      }
    }
    return launched;
  }

  load(key: number): LoadedRun | undefined {
    const run = this.runs.get(key);
    if (!run || !isOpen(run)) return undefined;
    const attempts = latestAttempts([...(this.attempts.get(key)?.values() ?? [])]);
    return { run, attempts, words: this.said.get(key) ?? [], logEnds: new Map() };
  }

  /** Launched and unfinished, of these groups. */
  open(groups: readonly number[]): readonly Run[] {
    return [...this.runs.values()].filter((run) => isOpen(run) && groups.includes(run.groupId));
  }

  words(keys: readonly number[]): ReadonlyMap<number, readonly Word[]> {
    return new Map(keys.flatMap((key) => (this.said.has(key) ? [[key, this.said.get(key) ?? []] as const] : [])));
  }

  dropWords(groups: readonly number[]): void {
    for (const key of this.said.keys()) {
      const run = this.runs.get(key) as Run;
      if (groups.includes(run.groupId) && isOver(run)) this.said.delete(key);
    }
  }

  // ---- what users do -----------------------------------------------------------------------------------------------

  /** @returns the run whose owner is to be told: this one, or the one whose step has started it and waits for it */
  act(ref: RunRef, action: "STOP" | "KILL"): Run | undefined {
    const run = this.runOf(ref);
    if (isOver(run)) return undefined;
    if (run.executionId === undefined) {
      this.#strategy(ref.workflowId, (runs) => stopQueued(runs, ref, action === "KILL" ? "FAILED" : "STOPPED"));
      this.#endQueued(run, action === "KILL" ? "FAILED" : "STOPPED", "stopped by a user");
      this.outbox.add({ topic: DEQUEUE, key: ref.workflowId });
      return this.#parentOf(run)[0];
    }
    this.#say(run.key, action, "user");
    return run;
  }

  /** @returns the run, if something is said to its step: its owner is to be told */
  actOnStep(ref: RunRef, stepId: string, kind: Word["kind"], payload?: WordPayload): Run | undefined {
    const run = this.runOf(ref);
    if (!isOpen(run) || this.said.get(run.key)?.some((word) => word.stepId === stepId)) return undefined;
    this.#say(run.key, kind, "user", stepId, payload);
    return run;
  }

  /** @returns what it has paused and now goes on, by run; undefined: there is no such breakpoint */
  removeBreakpoint(step: StepRef, isResuming: boolean): readonly ResumedAttempt[] | undefined {
    if (!this.breakpoints.delete(nameOfStep(step))) return undefined;
    if (!isResuming) return [];
    const held = [...this.paused].map((name) => this.#pausedOf(name));
    const own = held.filter(({ run, stepId }) => run.internalId === step.internalId && stepId === step.stepId);
    return own.flatMap(({ name }) => this.resume(name) ?? []);
  }

  /** @param name of a paused attempt */
  resume(name: string): ResumedAttempt | undefined {
    const { run, stepId } = this.#pausedOf(name);
    return this.paused.delete(name) ? { runKey: run.key, groupId: run.groupId, stepId } : undefined;
  }

  haveBreakpoints(attempts: readonly AttemptRef[]): readonly boolean[] {
    return attempts.map((ref) => this.#hasBreakpoint(ref));
  }

  arePaused(attempts: readonly AttemptRef[]): readonly Pause[] {
    return attempts.map((ref) => ({ isHeld: this.paused.has(nameOfAttempt(ref)) }));
  }

  #hasBreakpoint({ runKey, stepId }: AttemptRef): boolean {
    const { internalId } = this.runs.get(runKey) as Run;
    return this.breakpoints.has(nameOfStep({ internalId, stepId }));
  }

  #pausedOf(name: string): { readonly name: string; readonly run: Run; readonly stepId: string } {
    const [key, stepId = ""] = name.split(/[ :]/);
    return { name, run: this.runs.get(Number(key)) as Run, stepId };
  }

  /** @returns whether it was not so yet */
  pause(workflowId: string, paused: boolean): boolean {
    if (this.tables.get(workflowId)?.runs.paused === paused) return false;
    this.#strategy(workflowId, (runs) => pause(runs, paused));
    if (!paused) this.outbox.add({ topic: DEQUEUE, key: workflowId });
    return true;
  }

  unblock(ref: RunRef): boolean {
    const run = this.runOf(ref);
    if (run.status !== "FAILED") return false;
    this.runs.set(run.key, { ...run, status: "FAILED_1" });
    this.#strategy(ref.workflowId, (runs) => unblock(runs, ref));
    this.outbox.add({ topic: DEQUEUE, key: ref.workflowId });
    return true;
  }

  /** The runs of an instance, ascending. */
  runsOf({ workflowId, instanceId }: Pick<Run, "workflowId" | "instanceId">): readonly Run[] {
    const keys = this.#ofWorkflow.get(workflowId)?.get(instanceId) ?? [];
    return keys.map((key) => this.runs.get(key) as Run);
  }

  keysOf(workflowId: string): Iterable<number> {
    return [...(this.#ofWorkflow.get(workflowId)?.values() ?? [])].flat();
  }

  /** The runs that steps of this one have started. */
  childrenOf(key: number): readonly Run[] {
    return (this.#children.get(key) ?? []).map((child) => this.runs.get(child) as Run);
  }

  runOf(ref: RunRef): Run {
    const key = this.#keys.get(`${ref.workflowId}:${ref.instanceId}:${ref.runId}`);
    return this.runs.get(key ?? -1) as Run;
  }

  attempt(uuid: string): { readonly run: Run; readonly attempt: StepAttempt } | undefined {
    const place = this.#uuids.get(uuid);
    if (place === undefined) return undefined;
    const [key = "", ...rest] = place.split(" ");
    const run = this.runs.get(Number(key)) as Run;
    return { run, attempt: this.attempts.get(run.key)?.get(rest.join(" ")) as StepAttempt };
  }

  // ---- the writer --------------------------------------------------------------------------------------------------

  commit(batch: Batch): void {
    const stale = batch.stamps.filter((stamp) => !this.isHeld(stamp));
    const isUnfenced = this.#sabotage === "fence" || (this.#sabotage === "children" && batch.children.length > 0);
    if (stale.length > 0 && !isUnfenced) throw new Fenced(stale);
    this.#watcher.committing(batch, this);
    for (const run of batch.children) this.#begin(run);
    for (const row of batch.paused) {
      const before = this.attempts.get(row.runKey)?.get(`${row.stepId}:${row.attemptId}`);
      if (before?.status !== "PAUSED" && this.#hasBreakpoint(row)) this.paused.add(nameOfAttempt(row));
    }
    for (const row of batch.unpaused) this.paused.delete(nameOfAttempt(row));
    for (const { runKey, attempt } of batch.attempts) {
      const ofRun = this.attempts.get(runKey) ?? new Map<string, StepAttempt>();
      const place = `${attempt.stepId}:${attempt.attemptId}`;
      ofRun.set(place, attempt);
      this.attempts.set(runKey, ofRun);
      this.#uuids.set(attempt.uuid, `${runKey} ${place}`);
    }
    for (const { key, change } of batch.runs) {
      const before = this.runs.get(key) as Run;
      if (before.status === "FAILED_1" || before.status === "FAILED_2") continue;
      const run = { ...before, ...change };
      this.runs.set(key, run);
      if (isOver(run) && !isOver(before) && !isInline(run.initiator))
        this.#strategy(run.workflowId, (runs) => end(runs, run, run.status));
    }
    for (const row of batch.outbox) this.outbox.add(row);
    for (const letter of batch.letters) this.outbox.bury(letter, this.now());
    for (const { runKey, word } of batch.words) this.#sayToChild(runKey, word);
    for (const { runKey, stepId } of batch.taken) {
      const left = (this.said.get(runKey) ?? []).filter((word) => stepId !== undefined && word.stepId !== stepId);
      if (left.length > 0) this.said.set(runKey, left);
      else this.said.delete(runKey);
    }
    for (const need of batch.wanted) this.permits.want(need);
    for (const { uuid } of batch.released) this.permits.release(uuid);
    for (const { starter } of batch.left) this.permits.leave(starter);
    this.#watcher.committed(batch, this);
  }

  #begin(run: Run): void {
    if (this.runOf(run) !== undefined) return;
    this.#add(run);
    for (const before of this.runsOf(run)) {
      if (before.runId < run.runId && before.status === "FAILED")
        this.runs.set(before.key, { ...before, status: "FAILED_2" });
    }
  }

  #add(run: Run): void {
    this.runs.set(run.key, run);
    this.#keys.set(`${run.workflowId}:${run.instanceId}:${run.runId}`, run.key);
    const ofWorkflow = this.#ofWorkflow.get(run.workflowId) ?? new Map<number, number[]>();
    this.#ofWorkflow.set(run.workflowId, ofWorkflow);
    ofWorkflow.set(run.instanceId, [...(ofWorkflow.get(run.instanceId) ?? []), run.key]);
    if (run.parentKey === undefined) return;
    const children = this.#children.get(run.parentKey);
    if (children) children.push(run.key);
    else this.#children.set(run.parentKey, [run.key]);
  }

  #sayToChild(key: number, word: Word): void {
    const run = this.runs.get(key);
    if (run === undefined || isOver(run)) return;
    if (run.executionId === undefined) {
      this.#strategy(run.workflowId, (runs) => stopQueued(runs, run, "STOPPED"));
      this.#endQueued(run, "STOPPED", word.reason);
    }
    this.#say(key, word.kind, word.user, word.stepId);
  }

  /** As users do. @param limit undefined: it is taken away */
  allow(tag: string, limit: number | undefined): readonly PermitState[] {
    const states = this.permits.allow(tag, limit);
    this.#watcher.granted(states, this);
    return states;
  }

  /** Grants what is free. */
  assignPermits(look: PermitLook): PermitAnswer {
    const answer = this.permits.assign(look);
    this.#watcher.granted(answer.states, this);
    return answer;
  }

  // ---- leases ------------------------------------------------------------------------------------------------------

  register(node: Node): void {
    this.nodes.set(node.id, { node, heartbeat: this.now() });
  }

  heartbeat(id: string): Heartbeat {
    const now = this.now();
    const own = this.nodes.get(id);
    if (own) own.heartbeat = now;
    const owned: GroupStamp[] = [];
    for (const [groupId, group] of this.groups.entries()) {
      if (group.node !== id) continue;
      group.heartbeat = now;
      owned.push({ groupId, generation: group.generation });
    }
    const nodes = [...this.nodes.values()]
      .map(({ node, heartbeat }) => ({ ...node, age: now - heartbeat }))
      .filter(({ age }) => age < LEASE);
    return { owned, nodes, registered: own !== undefined };
  }

  claim(id: string, limit: number): readonly GroupStamp[] {
    const claimed: GroupStamp[] = [];
    const now = this.now();
    for (const [groupId, group] of this.groups.entries()) {
      if (claimed.length === limit) break;
      const isFree = group.node === undefined || group.heartbeat < now - LEASE;
      if (!isFree && (this.#sabotage !== "lease" || group.node === id)) continue;
      this.#watcher.claimed(groupId, group, now);
      Object.assign(group, { node: id, generation: group.generation + 1, heartbeat: now });
      claimed.push({ groupId, generation: group.generation });
    }
    return claimed;
  }

  giveBack(id: string, groups: readonly number[]): void {
    for (const groupId of groups) {
      const group = this.groups[groupId];
      if (group?.node === id) group.node = undefined;
    }
  }

  releaseAll(id: string): void {
    this.nodes.delete(id);
    this.giveBack(id, [...this.groups.keys()]);
  }

  // ---- odds --------------------------------------------------------------------------------------------------------

  /** The owner has not changed. */
  isHeld({ groupId, generation }: GroupStamp): boolean {
    return this.groups[groupId]?.generation === generation;
  }

  /** The newest run of the instance. */
  #latest(workflowId: string, instanceId: number): Run | undefined {
    let run: Run | undefined;
    for (let runId = 1; ; runId++) {
      const next = this.runOf({ workflowId, instanceId, runId }) as Run | undefined;
      if (next === undefined) return run;
      run = next;
    }
  }

  #parentOf({ parentKey }: Run): readonly Run[] {
    const parent = parentKey === undefined ? undefined : this.runs.get(parentKey);
    return parent ? [parent] : [];
  }

  #say(key: number, kind: Word["kind"], user: string, stepId?: string, payload?: WordPayload): void {
    const said = this.said.get(key) ?? [];
    if (said.some((word) => word.kind === kind && word.stepId === stepId)) return;
    this.said.set(key, [...said, { kind, stepId, user, reason: "", createTime: this.now(), ...payload }]);
  }

  #endQueued(run: Run, status: "STOPPED" | "FAILED", reason: string): void {
    const now = this.now();
    const timeline = [...run.timeline, logEvent(reason, now)];
    this.runs.set(run.key, { ...run, status, endTime: now, modifyTime: now, timeline });
    this.permits.release(run.uuid);
  }

  #strategy(workflowId: string, change: (runs: WorkflowRuns) => WorkflowRuns | undefined): void {
    const table = this.tables.get(workflowId) as Table;
    this.tables.set(workflowId, { ...table, runs: change(table.runs) ?? table.runs });
  }
}

export const nameOfStep = ({ internalId, stepId }: StepRef): string => `${internalId}:${stepId}`;
const nameOfAttempt = ({ runKey, stepId, attemptId }: AttemptRef): string => `${runKey} ${stepId}:${attemptId}`;

/** Launched and unfinished. */
export const isOpen = (run: Run): boolean => run.executionId !== undefined && !isOver(run);
