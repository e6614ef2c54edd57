/**
 * The permits of steps, and of runs that steps start: asks the store for them, and hands those that come free to whoever
 * waits. The guard of the gate `permits`.
 *
 * 1. What an attempt needs is a row of the batch that says that it is at the gate, and goes with the row of its end: both
 *    fenced, in order (D3, D4). So an attempt that has ended holds nothing, and one that is adopted still holds. What a
 *    run needs that a step is about to start is a row of the step's, and goes with the run's end, or at last with the step's.
 * 2. Once such rows have committed, one call of the store grants what is free, whoever waits for it; the next call starts
 *    when the last one has answered, with everything that has come in meanwhile.
 * 3. Whoever is granted is told by a hint. What a crash or a lost hint leaves behind is found when a group is taken over,
 *    and by the sweep: both look at every tag that holds somebody back.
 */
import { LRUCache } from "lru-cache";
import { type Clock, nextTurn } from "../clock.ts";
import { subworkflowUuid } from "../run/inline.ts";
import type { Run } from "../run/model.ts";
import { childWants, mayWant, ownWants, stepWants, type Want } from "../run/permit.ts";
import type { StepAttempt } from "../step/model.ts";
import { isAsync, isNested, type StepNode } from "../step/node.ts";
import type { GateStep, Guard } from "./gate.ts";
import type { FlowStore, PermitState, Write } from "./port.ts";
import type { RunHint } from "./protocol.ts";

/** Grants that are remembered, so that a step that is told of its own needs no look. */
const MOST_GRANTED = 10_000;

export interface PermitOptions {
  readonly clock: Clock;
  readonly store: Pick<FlowStore, "assignPermits">;
  /** Steps that may pass the gate. */
  tell(hints: readonly RunHint[]): void;
}

interface Waiting {
  resolve(state: PermitState | undefined): void;
  reject(error: unknown): void;
}

export class Permits implements Guard {
  readonly #options: PermitOptions;
  /** Attempts that hold their permits, until the step asks. */
  readonly #granted = new LRUCache<string, true>({ max: MOST_GRANTED });
  /** Since the call that is under way. */
  #opened = new Set<string>();
  /** Before it, without success. */
  #missed = new Set<string>();
  #asking = new Map<string, Waiting[]>();
  #sweeps: Waiting[] = [];
  #isBusy = false;

  constructor(options: PermitOptions) {
    this.#options = options;
  }

  mayHold(run: Run, node: StepNode): boolean {
    return mayWant(run, node);
  }

  entering({ run, node, attempt }: GateStep): readonly Write[] {
    return this.#wanted(run, attempt.stepId, attempt.uuid, stepWants(run, node));
  }

  async ask({ attempt: { uuid } }: GateStep): Promise<string | undefined> {
    if (this.#granted.has(uuid)) return undefined;
    const state = await this.#stateOf(uuid);
    if (state === undefined) return "Waits for its permits";
    return state.blockedBy === undefined ? undefined : `Waits for a permit of the tag [${state.blockedBy}]`;
  }

  ending({ run, node, attempt }: GateStep): readonly Write[] {
    if (isNested(node)) return leaving(run, node, attempt);
    if (attempt.times.wait_permit_time === undefined || !mayWant(run, node)) return [];
    return [{ kind: "permits-released", runKey: run.key, uuid: attempt.uuid }];
  }

  left({ run, node, attempt }: GateStep): void {
    this.#granted.delete(attempt.uuid);
    this.#open(isNested(node) ? childWants(run) : stepWants(run, node));
  }

  /** What others have left free without a word. */
  async refresh(): Promise<void> {
    await this.#assign((waiting) => this.#sweeps.push(waiting));
  }

  // ---- runs that steps start ---------------------------------------------------------------------------------------

  /** Rows with which a run that a step is about to start begins to need its permits; none: it needs none. */
  childEntering(parent: Run, node: StepNode, attempt: StepAttempt, uuid: string): readonly Write[] {
    // A run that nobody waits for outlives its step.
    return this.#wanted(parent, node.id, uuid, childWants(parent), isAsync(node) ? undefined : attempt.uuid);
  }

  /**
   * Which of these runs may be started, once the rows of {@link childEntering} have committed: the step of each of the
   * others is told later. @param uuids of runs that need permits
   */
  async admit(uuids: readonly string[]): Promise<ReadonlySet<string>> {
    const states = await Promise.all(uuids.map((uuid) => this.#stateOf(uuid)));
    return new Set(states.flatMap((state) => (state && state.blockedBy === undefined ? [state.uuid] : [])));
  }

  /** Rows that commit together with the end of a run: a step may have started it. */
  childEnding(run: Run): readonly Write[] {
    return ownWants(run).length === 0 ? [] : [{ kind: "permits-released", runKey: run.key, uuid: run.uuid }];
  }

  /** Those have committed. */
  childLeft(run: Run): void {
    this.#open(ownWants(run));
  }

  /** Runs that a step of this one was about to start are not to be. */
  givenUp(run: Run): void {
    this.#open(childWants(run));
  }

  // ---- odds --------------------------------------------------------------------------------------------------------

  #wanted(run: Run, stepId: string, uuid: string, wants: readonly Want[], starter?: string): readonly Write[] {
    if (wants.length === 0) return [];
    const time = this.#options.clock.now();
    return [{ kind: "permits-wanted", runKey: run.key, groupId: run.groupId, stepId, uuid, wants, time, starter }];
  }

  /** These may have room: whoever waits for them is looked at. */
  #open(wants: readonly Want[]): void {
    for (const { tag } of wants) this.#opened.add(tag);
    if (wants.length > 0) this.#start();
  }

  #stateOf(uuid: string): Promise<PermitState | undefined> {
    return this.#assign((waiting) => this.#wait(uuid, [waiting]));
  }

  #wait(uuid: string, waiting: readonly Waiting[]): void {
    this.#asking.set(uuid, [...(this.#asking.get(uuid) ?? []), ...waiting]);
  }

  #assign(add: (waiting: Waiting) => void): Promise<PermitState | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<PermitState | undefined>();
    add({ resolve, reject });
    this.#start();
    return promise;
  }

  #start(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      // What has committed together is asked for together.
      await nextTurn(this.#options.clock);
      if (this.#opened.size + this.#asking.size + this.#sweeps.length === 0) break;
      await this.#assignAll();
    }
    this.#isBusy = false;
  }

  async #assignAll(): Promise<void> {
    const [opened, asking, sweeps] = [this.#opened.union(this.#missed), this.#asking, this.#sweeps];
    this.#opened = new Set();
    this.#missed = new Set();
    this.#asking = new Map();
    this.#sweeps = [];
    try {
      const look = { opened: [...opened], asked: [...asking.keys()], sweeps: sweeps.length > 0 };
      const { states, isMore } = await this.#options.store.assignPermits(look);
      const known = new Map(states.map((state) => [state.uuid, state]));
      this.#tell(states.filter(({ uuid, blockedBy }) => blockedBy === undefined && !asking.has(uuid)));
      if (isMore) for (const tag of opened) this.#opened.add(tag);
      for (const [uuid, waiting] of asking) {
        const state = known.get(uuid);
        if (state === undefined && isMore) this.#wait(uuid, waiting);
        else for (const { resolve } of waiting) resolve(state);
      }
      for (const waiting of sweeps) {
        if (isMore) this.#sweeps.push(waiting);
        else waiting.resolve(undefined);
      }
    } catch (error) {
      // Whoever has asked asks again; what was opened is looked at with the next call, or by the sweep.
      for (const tag of opened) this.#missed.add(tag);
      for (const { reject } of [...[...asking.values()].flat(), ...sweeps]) reject(error);
    }
  }

  #tell(granted: readonly PermitState[]): void {
    const hints = new Map<number, { readonly key: number; readonly groupId: number; readonly told: string[] }>();
    for (const { uuid, runKey, groupId, stepId } of granted) {
      this.#granted.set(uuid, true);
      const hint = hints.get(runKey);
      if (hint) hint.told.push(stepId);
      else hints.set(runKey, { key: runKey, groupId, told: [stepId] });
    }
    if (hints.size > 0) this.#options.tell([...hints.values()]);
  }
}

/** Whatever a step was about to start, and has started: it ends after all runs that it waits for. */
function leaving(run: Run, node: StepNode, attempt: StepAttempt): readonly Write[] {
  if (attempt.times.start_time === undefined || childWants(run).length === 0) return [];
  if (!isAsync(node)) return [{ kind: "permits-left", runKey: run.key, starter: attempt.uuid }];
  if (attempt.artifacts.maestro_subworkflow !== undefined) return [];
  return [{ kind: "permits-released", runKey: run.key, uuid: subworkflowUuid(run, attempt) }];
}
