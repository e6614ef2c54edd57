/**
 * The actor of one owned group: the flows of its unfinished runs, loaded when the group is claimed and compared with
 * the database by the sweep. It is dropped when the group is lost; what its flows have queued is fenced off (D4).
 */

import type { Run } from "../run/model.ts";
import type { RunPlan } from "../run/plan.ts";
import type { Word } from "../run/word.ts";
import { addEvents, logEvent } from "../step/event.ts";
import type { RecentlyEnded } from "./ended.ts";
import { Flow } from "./flow.ts";
import type { TaskContext } from "./parent.ts";
import type { GroupStamp, LoadedRun } from "./port.ts";
import { letterOf, type Refusal } from "./refusal.ts";
import { Seen } from "./seen.ts";

export interface GroupContext extends TaskContext {
  readonly recentlyEnded: RecentlyEnded;
  /** Undefined when the workflow is gone. */
  planOf(run: Run): Promise<RunPlan | undefined>;
}

export class Group {
  readonly stamp: GroupStamp;
  /** When this thread took it over, among all its take-overs. */
  readonly since: number;
  readonly #engine: GroupContext;
  readonly #flows = new Map<number, Flow>();
  /** Runs whose rows were refused, and why they have to fail. */
  readonly #doomed = new Map<number, string>();
  /** Runs that go no further under this owner, until they are stopped or killed. */
  readonly #parked = new Set<number>();
  /** What was said to runs that were parked then, and may be again: each word takes such a run up once. */
  readonly #tried = new Map<number, Set<string>>();
  readonly #seen = new Seen();
  #closed = false;

  constructor(engine: GroupContext, stamp: GroupStamp, since: number) {
    this.#engine = engine;
    this.stamp = stamp;
    this.since = since;
  }

  get size(): number {
    return this.#flows.size;
  }

  get parked(): number {
    return this.#parked.size;
  }

  /** Loads what a former owner left unfinished. Runs that are let go meanwhile come by `launch`; none is made twice. */
  async open(): Promise<void> {
    for (let after: number | undefined = 0; after !== undefined && !this.#closed; ) {
      const from: number = after;
      after = await this.#engine.recentlyEnded.during(() => this.#openPage(from));
    }
  }

  /** @returns where the next page begins; undefined after the last one */
  async #openPage(after: number): Promise<number | undefined> {
    const { runs, next, newest } = await this.#engine.store.loadGroup(this.stamp.groupId, after);
    if (after === 0) this.#seen.begin(newest);
    for (const loaded of runs) await this.adopt(loaded);
    return next;
  }

  /** A run that the strategy has let go just now, known to have no attempts. */
  launch(run: Run, plan: RunPlan): void {
    this.#add(run, plan)?.launch();
  }

  /** A run that another thread or node has let go, as it was then: the word may be late, and may come again. */
  async hand(run: Run): Promise<void> {
    const plan = await this.#engine.planOf(run);
    if (plan && this.#seen.isNew(run.key)) this.launch(run, plan);
    else if (!this.has(run.key)) await this.look(run.key);
  }

  async adopt(loaded: LoadedRun): Promise<void> {
    const { key } = loaded.run;
    const plan = this.#flows.has(key) ? undefined : await this.#engine.planOf(loaded.run);
    const known = this.#flows.get(key);
    // Somebody else has taken it up meanwhile, maybe before this was said.
    if (known) known.hear(loaded.words);
    else if (plan) this.#add(loaded.run, plan)?.adopt(loaded, this.#doomed.get(key));
  }

  /**
   * The run is taken up anew and fails for this reason. When even the rows of that are refused, it is parked. A dead
   * letter tells an operator of it; its write is one of its own, since it must not be refused with the run's.
   */
  async refuse(run: Run, refusal: Refusal): Promise<void> {
    this.#engine.store.writer.write(this.stamp, [letterOf(run, refusal)]);
    if (this.#doomed.has(run.key)) return this.park(run, refusal.reason);
    this.#doomed.set(run.key, refusal.reason);
    this.#drop(run.key);
    await this.look(run.key);
  }

  /** The run goes no further, its timeline says why, and the other runs go on. The next owner tries again. */
  park(run: Run, reason: string): void {
    this.#drop(run.key);
    this.#parked.add(run.key);
    const note = `The run is parked until it is stopped or killed, or has another owner: ${reason}`;
    const now = this.#engine.clock.now();
    const timeline = addEvents(run.timeline, [logEvent(note, now, "ERROR")]);
    this.#engine.store.writer.write(this.stamp, [
      { kind: "run", key: run.key, change: { ...run, modifyTime: now, timeline } },
    ]);
  }

  /** Something is said to a run that needs no look. */
  async hear(key: number, words: readonly Word[]): Promise<void> {
    const flow = this.#flows.get(key);
    if (flow) flow.hear(words);
    else if (this.#parked.has(key) && this.#isNews(key, words)) await this.look(key);
  }

  /** A word stays until the run has ended, and the sweep finds it again and again. */
  #isNews(key: number, words: readonly Word[]): boolean {
    const tried = this.#tried.get(key) ?? new Set();
    const before = tried.size;
    for (const { kind, stepId = "" } of words) tried.add(`${kind} ${stepId}`);
    this.#tried.set(key, tried);
    return tried.size > before;
  }

  /** What steps of the run wait for at a gate may have come. A run that is not known yet asks when it is taken up. */
  tell(key: number, stepIds: readonly string[]): void {
    this.#flows.get(key)?.tell(stepIds);
  }

  /** Steps that are held ask again: nobody may have told them. */
  tellHeld(): void {
    for (const flow of this.#flows.values()) flow.tellHeld();
  }

  /** Reads one run: takes it up if it is not known, and says to it what is to be said. */
  look(key: number): Promise<void> {
    return this.#engine.recentlyEnded.during(() => this.#look(key));
  }

  async #look(key: number): Promise<void> {
    const loaded = await this.#engine.store.loadRun(key);
    if (!loaded || this.#closed) return;
    this.#parked.delete(key);
    await this.adopt(loaded);
  }

  /** The run needs no look: it has an actor, or is parked. */
  has(key: number): boolean {
    return this.#flows.has(key) || this.#parked.has(key);
  }

  forget(key: number): void {
    this.#flows.delete(key);
    this.#doomed.delete(key);
    this.#tried.delete(key);
  }

  #drop(key: number): void {
    this.#flows.get(key)?.abandon();
    this.#flows.delete(key);
  }

  close(): void {
    this.#closed = true;
    for (const flow of this.#flows.values()) flow.abandon();
    this.#flows.clear();
  }

  #add(run: Run, plan: RunPlan): Flow | undefined {
    if (this.#closed || this.#flows.has(run.key) || this.#engine.recentlyEnded.has(run.key)) return undefined;
    const flow = new Flow(this.#engine, this.stamp, plan, run);
    this.#seen.add(run.key);
    this.#flows.set(run.key, flow);
    return flow;
  }
}
