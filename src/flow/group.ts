/**
 * The actor of one owned group: the flows of its unfinished runs, loaded when the group is claimed and compared with
 * the database by the sweep. It is dropped when the group is lost; what its flows have queued is fenced off (D4).
 */

import type { Run } from "../run/model.ts";
import type { FlowContext } from "./context.ts";
import type { RecentlyEnded } from "./ended.ts";
import { Flow } from "./flow.ts";
import type { Graph } from "./graph.ts";
import type { GroupStamp, LoadedRun } from "./port.ts";

/** Runs read at once when a group is claimed. */
const PAGE = 200;

export interface GroupContext extends FlowContext {
  readonly recentlyEnded: RecentlyEnded;
  /** Undefined when the workflow is gone. */
  graph(run: Run): Promise<Graph | undefined>;
}

export class Group {
  readonly stamp: GroupStamp;
  readonly #engine: GroupContext;
  readonly #flows = new Map<number, Flow>();
  #closed = false;

  constructor(engine: GroupContext, stamp: GroupStamp) {
    this.#engine = engine;
    this.stamp = stamp;
  }

  get size(): number {
    return this.#flows.size;
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
    const page = await this.#engine.store.loadGroup(this.stamp.groupId, after, PAGE);
    for (const loaded of page) await this.adopt(loaded);
    return page.length < PAGE ? undefined : page.at(-1)?.run.key;
  }

  /** A run that the strategy has let go just now, known to have no attempts. */
  launch(run: Run, graph: Graph): void {
    this.#add(run, graph)?.launch();
  }

  async adopt(loaded: LoadedRun): Promise<void> {
    if (this.#flows.has(loaded.run.key)) return;
    const graph = await this.#engine.graph(loaded.run);
    if (graph) this.#add(loaded.run, graph)?.adopt(loaded);
  }

  /** Looks at one run: takes it up if it is not known, and carries out an action that waits for it. */
  look(key: number): Promise<void> {
    return this.#engine.recentlyEnded.during(() => this.#look(key));
  }

  async #look(key: number): Promise<void> {
    const loaded = await this.#engine.store.loadRun(key);
    if (!loaded || this.#closed) return;
    const flow = this.#flows.get(key);
    if (!flow) return this.adopt(loaded);
    if (loaded.action) flow.act(loaded.action);
  }

  has(key: number): boolean {
    return this.#flows.has(key);
  }

  forget(key: number): void {
    this.#flows.delete(key);
  }

  close(): void {
    this.#closed = true;
    for (const flow of this.#flows.values()) flow.abandon();
    this.#flows.clear();
  }

  #add(run: Run, graph: Graph): Flow | undefined {
    if (this.#closed || this.#flows.has(run.key) || this.#engine.recentlyEnded.has(run.key)) return undefined;
    const flow = new Flow(this.#engine, this.stamp, graph, run);
    this.#flows.set(run.key, flow);
    return flow;
  }
}
