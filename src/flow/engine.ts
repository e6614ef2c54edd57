/**
 * The engine of one thread: the groups it holds, and what their actors share. It routes; it decides nothing about runs.
 *
 * Whatever comes from outside (hints, wakes, logs) may be late, repeated or lost: a hint makes a group look at the
 * database, and the sweep looks without one.
 */
import { LRUCache } from "lru-cache";
import type { Clock, Timer } from "../clock.ts";
import type { RestartConfig } from "../definition/restart.ts";
import { parseJson, stringifyJson } from "../json.ts";
import type { Logger } from "../log.ts";
import { ITERATION_LIMIT } from "../param/scope.ts";
import { earlierOf } from "../run/earlier.ts";
import type { Run, RunRef } from "../run/model.ts";
import { isPartial, type PlannedRun, planKey, planOf, type RunPlan } from "../run/plan.ts";
import type { TokenRef } from "../runtime/token.ts";
import type { Callback, LogChunk as RuntimeLogChunk } from "../runtime/type.ts";
import type { Place, Reported } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { GateName } from "../step/state.ts";
import { BreakpointGuard } from "./breakpoint.ts";
import type { AttemptRuntime, FlowContext, StepRuntime, Tracked } from "./context.ts";
import { RecentlyEnded } from "./ended.ts";
import type { EvaluationPort } from "./evaluation.ts";
import { Gates, type Guard } from "./gate.ts";
import { Group, type GroupContext } from "./group.ts";
import { Children, type ChildrenContext } from "./nested/children.ts";
import type { TaskParent, TaskView } from "./parent.ts";
import { Permits } from "./permit.ts";
import type { EarlierRows, FlowStore, GroupStamp, LogChunk, Outbox, OutboxRow, StoredRun, Write } from "./port.ts";
import type { EngineCounters, RunCommand, RunHint, StartReply } from "./protocol.ts";
import type { Refusal } from "./refusal.ts";
import { runFields } from "./report.ts";
import type { ReportAnswer } from "./reports.ts";
import { Scheduler, SLICE } from "./scheduler.ts";
import { type StartContext, Starter } from "./start.ts";
import { TimerHeap } from "./timer.ts";
import { DEQUEUE } from "./topic.ts";

/** Rows that may wait for their commit before flows are held back. */
const MOST_QUEUED_ROWS = 10_000;
/** How long an end may wait for its run strategy where no run is known to wait, ms. */
const QUIET = 100;
/** Workflows remembered for having had runs wait. */
const MOST_QUEUEING = 10_000;
/** Plans kept in memory. */
const MOST_PLANS = 2_000;

/** What an engine tells its surroundings. */
export interface EngineEvents {
  /** Runs that are others' to look at. */
  hint(hints: readonly RunHint[]): void;
  ended(run: RunRef, row: StoredRun | undefined): void;
  logged(uuid: string): void;
  stale(groups: readonly number[]): void;
}

export interface EngineOptions {
  readonly clock: Clock;
  readonly store: FlowStore;
  readonly outbox: Outbox;
  readonly evaluation: EvaluationPort;
  /** By gate, for tests; a gate without one lets every step pass. */
  readonly guards?: ReadonlyMap<GateName, Guard>;
  readonly log: Logger;
  readonly place: Place;
  readonly groups: number;
  /** Default: {@link ITERATION_LIMIT}. */
  readonly iterations?: number;
  /** Params that a subworkflow step passes down though it passes its own only; default: none. */
  readonly alwaysPassDown?: readonly string[];
  readonly index: number;
  readonly events: EngineEvents;
  readonly newUuid: () => string;
  readonly runtimeOf: (node: StepNode) => StepRuntime | { readonly unavailable: string };
  /** How the job of an attempt gets at the API; default: it does not. */
  readonly callback?: (attempt: TokenRef) => Callback;
  /** How long flows or starts may hold the thread, ms; default: the scheduler's. */
  readonly slice?: number;
  /** The attempt's job is over and its rows are committed. */
  readonly forget: (uuid: string) => void;
  /** So many bytes of an attempt's log have committed, or will not any more. */
  readonly stored: (uuid: string, bytes: number) => void;
}

export class Engine implements FlowContext, GroupContext, StartContext, ChildrenContext {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  readonly scheduler: Scheduler;
  readonly store: FlowStore;
  readonly evaluation: EvaluationPort;
  readonly breakpoints: BreakpointGuard;
  readonly gates: Gates;
  readonly permits: Permits;
  readonly log: Logger;
  readonly place: Place;
  readonly groups: number;
  readonly iterations: number;
  readonly alwaysPassDown: readonly string[];
  readonly slice: number;
  readonly recentlyEnded = new RecentlyEnded();
  readonly #options: EngineOptions;
  readonly #owned = new Map<number, Group>();
  /** Groups that were taken over so far. */
  #takeovers = 0;
  readonly #tracked = new Map<string, Tracked>();
  readonly #plans = new LRUCache<string, RunPlan>({ max: MOST_PLANS });
  readonly #starter: Starter;
  readonly #children: Children;
  /** Workflows that had a run wait: their ends let the next one go at once. */
  readonly #queueing = new LRUCache<string, true>({ max: MOST_QUEUEING });
  /** Workflows in which a run has ended, though none is known to wait: looked at now and then. */
  #quiet = new Set<string>();
  #quietTimer: Timer | undefined;
  #stopped = false;
  #startedRuns = 0;
  #endedRuns = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.store = options.store;
    this.evaluation = options.evaluation;
    this.breakpoints = new BreakpointGuard(options.store, options.clock);
    this.permits = new Permits({ ...options, tell: (hints) => this.#tell(hints) });
    const guards = { breakpoint: this.breakpoints, permits: this.permits };
    this.gates = new Gates(options.guards ?? new Map(Object.entries(guards) as [GateName, Guard][]));
    this.log = options.log;
    this.place = options.place;
    this.groups = options.groups;
    this.iterations = options.iterations ?? ITERATION_LIMIT;
    this.alwaysPassDown = options.alwaysPassDown ?? [];
    this.slice = options.slice ?? SLICE;
    this.timers = new TimerHeap(options.clock);
    const { writer } = options.store;
    this.scheduler = new Scheduler({
      clock: options.clock,
      slice: this.slice,
      congested: () => writer.depth > MOST_QUEUED_ROWS,
      relief: () => writer.flush(),
    });
    this.#starter = new Starter(this);
    this.#children = new Children(this);
  }

  get counters(): EngineCounters {
    let activeRuns = 0;
    let parkedRuns = 0;
    for (const group of this.#owned.values()) {
      activeRuns += group.size;
      parkedRuns += group.parked;
    }
    return {
      index: this.#options.index,
      activeRuns,
      parkedRuns,
      startedRuns: this.#startedRuns,
      endedRuns: this.#endedRuns,
      queuedRows: this.store.writer.depth,
    };
  }

  // ---- ownership ---------------------------------------------------------------------------------------------------

  /** Takes over groups; resolves when what was left unfinished in them is under way again. */
  async own(stamps: readonly GroupStamp[]): Promise<void> {
    const opened = stamps.filter((stamp) => {
      const held = this.#owned.get(stamp.groupId);
      if (held?.stamp.generation === stamp.generation) return false;
      held?.close();
      this.#owned.set(stamp.groupId, new Group(this, stamp, ++this.#takeovers));
      return true;
    });
    if (opened.length > 0)
      await this.gates.refresh().catch((error) => this.failed("asking the guards of gates", error));
    for (const stamp of opened) {
      const group = this.#owned.get(stamp.groupId);
      await group?.open().catch((error) => this.failed("loading a group", error));
    }
    await this.#options.outbox.sweep();
  }

  /** Gives up groups; resolves when none of their rows is on its way any more. */
  async disown(groups: readonly number[]): Promise<void> {
    for (const id of groups) {
      this.#owned.get(id)?.close();
      this.#owned.delete(id);
    }
    await this.store.writer.flush();
  }

  /** Finds what a lost hint left behind: runs without an actor, actions that were not carried out or came too late. */
  async sweep(): Promise<void> {
    if (this.#stopped) return;
    const groups = [...this.#owned.keys()];
    await this.store.dropWords(groups);
    const { runs, words } = await this.store.unfinished(groups);
    this.look([...runs.filter(({ key, groupId }) => !this.#owned.get(groupId)?.has(key)), ...words]);
    this.evaluation.forgetTemplates();
    await this.gates.refresh();
    for (const group of this.#owned.values()) group.tellHeld();
    await this.#children.sweep();
    await this.#options.outbox.sweep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.disown([...this.#owned.keys()]);
    await this.#options.outbox.stop();
    this.scheduler.stop();
    this.timers.stop();
    await this.store.close();
  }

  // ---- commands and hints ------------------------------------------------------------------------------------------

  start(command: RunCommand, evaluating: (isEvaluating: boolean) => void = () => {}): Promise<StartReply> {
    return this.#starter.start(command, evaluating);
  }

  /** Of one workflow: all of them are started, or none. */
  startBatch(
    commands: readonly RunCommand[],
    evaluating: (isEvaluating: boolean) => void = () => {},
  ): Promise<readonly StartReply[]> {
    return this.#starter.startBatch(commands, evaluating);
  }

  /** Runs were let go elsewhere, or something is said to them or to their steps. Those of groups that are not held here are ignored. */
  look(hints: readonly RunHint[]): void {
    const known = new Map<number, Group>();
    for (const { key, groupId, run, told, child } of hints) {
      const group = this.#owned.get(groupId);
      if (child !== undefined) {
        if (group) this.#children.heard(key, child);
        continue;
      }
      if (told !== undefined) {
        group?.tell(key, told);
        continue;
      }
      const handed = run === undefined ? undefined : runIn(run, key);
      if (handed) group?.hand(handed).catch(this.#unread);
      else if (group?.has(key)) {
        known.set(key, group);
        this.#children.look(key);
      } else group?.look(key).catch(this.#unread);
    }
    if (known.size > 0) this.#listen(known).catch(this.#unread);
  }

  /** What happens here concerns runs, of this thread or of others. */
  #tell(hints: readonly RunHint[]): void {
    const elsewhere = hints.filter(({ groupId }) => !this.#owned.has(groupId));
    if (elsewhere.length > 0) this.#options.events.hint(elsewhere);
    if (elsewhere.length < hints.length) this.look(hints);
  }

  /** Reads what is said to runs that are under way here, and no more of them. */
  async #listen(groups: ReadonlyMap<number, Group>): Promise<void> {
    const said = await this.store.words([...groups.keys()]);
    await Promise.all([...said].map(([key, words]) => groups.get(key)?.hear(key, words)));
  }

  #unread = (error: unknown): void => this.failed("reading a run", error);

  /** These workflows may have room for queued runs. */
  dequeue(workflowIds: readonly string[]): void {
    this.#options.outbox.announce(workflowIds.map((key) => ({ topic: DEQUEUE, key })));
  }

  /** Rows of the outbox have committed here. */
  announce(rows: readonly OutboxRow[]): void {
    const quiet = rows.filter(({ topic, key }) => topic === DEQUEUE && !this.#queueing.has(key));
    for (const { key } of quiet) this.#dequeueSoon(key);
    if (quiet.length < rows.length) this.#options.outbox.announce(rows.filter((row) => !quiet.includes(row)));
  }

  wake(uuid: string): void {
    this.#tracked.get(uuid)?.wake();
  }

  /**
   * The attempt's job reports outputs: resolves once they have committed, or can't be taken.
   * @param workflowId of the attempt, as the job has it
   */
  async report(uuid: string, reported: Reported, workflowId: string | undefined): Promise<ReportAnswer> {
    return (await this.#tracked.get(uuid)?.report(reported, workflowId)) ?? "unknown";
  }

  append(chunks: readonly RuntimeLogChunk[]): void {
    for (const { uuid, stream, offset, length, text, time } of chunks) {
      const tracked = this.#tracked.get(uuid);
      if (!tracked) {
        this.#options.stored(uuid, length);
        continue;
      }
      const chunk: LogChunk = { uuid, stream, offset, length, text, time };
      const rows: readonly Write[] = [{ kind: "log", chunk }];
      this.store.writer.write(tracked.stamp, rows, (error) => this.#logged(chunk, error));
    }
  }

  /** The chunk has committed, or never will: another node owns the run, or Postgres refuses it. */
  #logged({ uuid, length }: LogChunk, error: Error | undefined): void {
    this.#options.stored(uuid, length);
    if (!error) this.#options.events.logged(uuid);
  }

  // ---- what actors ask for -----------------------------------------------------------------------------------------

  newUuid(): string {
    return this.#options.newUuid();
  }

  callback({ groupId, key }: Run, uuid: string): Callback | undefined {
    return this.#options.callback?.({ groupId, runKey: key, uuid });
  }

  runtimeOf(node: StepNode): StepRuntime | { readonly unavailable: string } {
    return this.#options.runtimeOf(node);
  }

  nestedRuntime(parent: TaskParent, task: TaskView): AttemptRuntime {
    return this.#children.runtimeOf(parent, task);
  }

  restartBelow(runKey: number, stepId: string, restart: RestartConfig): Promise<void> {
    return this.#children.restartBelow(runKey, stepId, restart);
  }

  startChild(command: RunCommand): Promise<StartReply> {
    return this.#starter.start(command, () => {});
  }

  owns(groupId: number): boolean {
    return this.#owned.has(groupId);
  }

  hint(hints: readonly RunHint[]): void {
    this.#options.events.hint(hints);
  }

  track(uuid: string, tracked: Tracked): void {
    this.#tracked.set(uuid, tracked);
  }

  isTracked(uuid: string): boolean {
    return this.#tracked.has(uuid);
  }

  /** Steps that have started runs, or may. */
  get nestedSteps(): number {
    return this.#children.size;
  }

  untrack(uuid: string): void {
    if (this.#tracked.delete(uuid) && !this.#children.delete(uuid)) this.#options.forget(uuid);
  }

  drop(uuid: string): void {
    this.#tracked.delete(uuid);
    this.#children.delete(uuid);
  }

  async planOf(run: Run): Promise<RunPlan | undefined> {
    if (!isPartial(run)) return this.planFor(run);
    const [before] = await this.store.earlier([run]);
    return this.planFor(run, before);
  }

  async planFor(run: PlannedRun, before?: EarlierRows): Promise<RunPlan | undefined> {
    const key = planKey(run);
    const known = key === undefined ? undefined : this.#plans.get(key);
    if (known) return known;
    const definition = await this.store.definition(run.internalId, run.versionId);
    if (!definition) return undefined;
    const plan = planOf(run, definition, before && earlierOf(before.runs, before.attempts, definition));
    if (key !== undefined) this.#plans.set(key, plan);
    return plan;
  }

  queued(workflowId: string): void {
    this.#queueing.set(workflowId, true);
  }

  get takeovers(): number {
    return this.#takeovers;
  }

  launch(run: Run, plan: RunPlan, asOf: number): void {
    this.#startedRuns++;
    const hint = { key: run.key, groupId: run.groupId };
    const group = this.#owned.get(run.groupId);
    if (!group) this.#options.events.hint([{ ...hint, run: stringifyJson(run) }]);
    // A former owner may have run it by now.
    else if (group.since > asOf) this.look([hint]);
    else group.launch(run, plan);
  }

  lost({ groupId, generation }: GroupStamp): void {
    const group = this.#owned.get(groupId);
    // It may have become this node's again meanwhile.
    if (group?.stamp.generation !== generation) return;
    this.log.warn("a write was refused: another node owns the group now", { group: groupId });
    group.close();
    this.#owned.delete(groupId);
    this.#options.events.stale([groupId]);
  }

  refused(run: Run, refusal: Refusal): void {
    this.log.error("rows of a run are refused, and it is ended", { ...runFields(run), reason: refusal.reason });
    const group = this.#owned.get(run.groupId);
    group?.refuse(run, refusal).catch(this.#unread);
  }

  park(run: Run, reason: string, error: unknown): void {
    this.log.error("a run is parked: its actor failed", { ...runFields(run), error });
    this.#owned.get(run.groupId)?.park(run, reason);
  }

  runOver(run: Run, plan: RunPlan, row: StoredRun | undefined): void {
    this.#endedRuns++;
    this.#owned.get(run.groupId)?.forget(run.key);
    this.recentlyEnded.add(run.key);
    this.#options.events.ended(run, row);
    this.#children.ended(run, plan);
  }

  // ---- queued runs -------------------------------------------------------------------------------------------------

  /** One transaction for all the ends of a while: the outbox rows wait, and mostly there is nothing to let go. */
  #dequeueSoon(workflowId: string): void {
    this.#quiet.add(workflowId);
    this.#quietTimer ??= this.timers.at(this.clock.now() + QUIET, () => {
      this.#quietTimer = undefined;
      const workflows = [...this.#quiet];
      this.#quiet = new Set();
      this.dequeue(workflows);
    });
  }

  /** One transaction, which deletes the rows of the outbox. @throws RefusedWrite when it would fail again */
  letGo(workflowIds: readonly string[]): Promise<void> {
    return this.recentlyEnded.during(() => this.#launchQueued(workflowIds));
  }

  async #launchQueued(workflows: readonly string[]): Promise<void> {
    const asOf = this.#takeovers;
    for (const run of await this.store.dequeue(workflows)) {
      this.queued(run.workflowId);
      const plan = await this.planOf(run);
      if (plan) this.launch(run, plan, asOf);
    }
  }

  /** Reads that the engine's own stop has cut off are no failures. */
  failed(what: string, error: unknown): void {
    if (!this.#stopped) this.log.error(`${what} failed`, { error });
  }
}

/** A hint's run; undefined when it is none, so that the row is read. */
function runIn(text: string, key: number): Run | undefined {
  try {
    const run = parseJson(text) as unknown as Run | null;
    return run?.key === key ? run : undefined;
  } catch {
    return undefined;
  }
}
