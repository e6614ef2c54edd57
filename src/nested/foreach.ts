/**
 * How far a foreach has come: which iterations run, how the others have ended, which come next. Pure: it is told of ends,
 * and asked what to launch. What it knows is a recount of its children's rows at any time, so its artifact is for readers.
 */

import type { RunPolicy } from "../definition/restart.ts";
import type { FailureMode } from "../definition/step.ts";
import type { RollupOverview } from "../run/model.ts";
import { RollupSum } from "../run/overview.ts";
import { isRunTerminal, type RunStatus } from "../run/status.ts";
import type { LiveChild, StoredChild } from "./child.ts";
import { type IntervalList, Intervals } from "./interval.ts";

export interface ForeachOverview {
  /** The first iteration that is not known to have ended; 0, with nothing beside it: none has begun. */
  readonly checkpoint: number;
  readonly stats?: { readonly [status in RunStatus]?: number };
  readonly running_stats?: { readonly [status in RunStatus]?: number };
  /** Of the iterations that have ended. */
  readonly rollup?: RollupOverview;
  readonly running_rollup?: RollupOverview;
  readonly details?: { readonly [status in RunStatus]?: IntervalList };
}

/** As it is stored and shown. */
export interface ForeachArtifact {
  readonly foreach_workflow_id: string;
  readonly foreach_identity: string;
  readonly foreach_run_id: number;
  readonly run_policy: RunPolicy;
  readonly run_id: number;
  /** Iterations that earlier runs have had. */
  readonly ancestor_iteration_count?: number;
  readonly total_loop_count: number;
  readonly next_loop_index: number;
  readonly foreach_overview: ForeachOverview;
  readonly type: "FOREACH";
}

/** What does not change while the step runs. */
export type ForeachHead = Omit<ForeachArtifact, "next_loop_index" | "foreach_overview" | "type">;

export interface ForeachRules {
  readonly mode: FailureMode;
  /** Iterations that may run at once; undefined: any number. */
  readonly limit: number | undefined;
  /** The window slides from the lowest iteration that runs. */
  readonly strict: boolean;
}

/** What comes next. `KILL`: the iterations that run are to be ended, then it has failed. */
export type ForeachVerdict = "GOES_ON" | "KILL" | "DONE" | "FATAL_ERROR" | "STOPPED" | "TIMED_OUT";

export class Foreach {
  readonly head: ForeachHead;
  readonly #running = new Map<number, LiveChild>();
  /** By status; those that run are under IN_PROGRESS. */
  readonly #ids = new Map<RunStatus, Intervals>();
  readonly #rollup = new RollupSum();
  /** Index of the iteration that is looked at next for launching. */
  #next = 0;
  #checkpoint = 1;
  #named: number | undefined;

  private constructor(head: ForeachHead) {
    this.head = head;
  }

  /**
   * @param kept iterations of earlier runs that count as they are
   * @param named the iteration that is launched first, whatever becomes of the others
   */
  static begin(head: ForeachHead, kept: readonly StoredChild[] = [], named?: number): Foreach {
    const foreach = new Foreach(head);
    for (const child of kept) if (child.instanceId <= foreach.total) foreach.#count(child);
    foreach.#next = foreach.#checkpoint - 1;
    foreach.#name(named);
    return foreach;
  }

  /**
   * As its children's rows say.
   * @param children the newest run of each instance of the inline workflow
   * @param named as it was when the step began
   */
  static resume(artifact: ForeachArtifact, children: readonly StoredChild[], named?: number): Foreach {
    const { next_loop_index: _next, foreach_overview, type: _, ...head } = artifact;
    const foreach = new Foreach(head);
    const kept = endedIn(foreach_overview);
    foreach.#name(named);
    for (const child of children) {
      const isOwn = child.runId >= head.foreach_run_id;
      if (isOwn && child.instanceId === named) foreach.#named = undefined;
      if (!isOwn && !kept(child.instanceId)) continue;
      if (isRunTerminal(child.status)) foreach.#count(child);
      else foreach.launched(child);
    }
    // The one that is named may have been launched before those that come before it.
    foreach.#next = foreach.#checkpoint - 1;
    return foreach;
  }

  #name(named: number | undefined): void {
    this.#named = named !== undefined && named <= this.total ? named : undefined;
  }

  get total(): number {
    return this.head.total_loop_count;
  }

  get running(): number {
    return this.#running.size;
  }

  /** Those that run. */
  get live(): Iterable<LiveChild> {
    return this.#running.values();
  }

  launched(child: LiveChild): void {
    this.#running.set(child.instanceId, child);
    this.#of("IN_PROGRESS").add(child.instanceId);
    if (child.instanceId === this.#named) this.#named = undefined;
    // Not all that were due may have been let go.
    while (this.#next < child.instanceId && this.#isKnown(this.#next + 1)) this.#next++;
  }

  /** An iteration that has ended runs again. @returns false when it runs, or was never launched */
  relaunched(child: LiveChild, before: Pick<StoredChild, "status" | "rollup">): boolean {
    if (!this.#of(before.status).delete(child.instanceId)) return false;
    if (before.rollup) this.#rollup.subtract(before.rollup);
    this.#checkpoint = Math.min(this.#checkpoint, child.instanceId);
    this.#running.set(child.instanceId, child);
    this.#of("IN_PROGRESS").add(child.instanceId);
    return true;
  }

  /** It has ended, as far as is known. */
  hasEnded(iteration: number): boolean {
    return this.#isOver(iteration);
  }

  /** @returns false when it is known already, or is no iteration of this step */
  ended(end: Pick<StoredChild, "instanceId" | "runId" | "status"> & { readonly rollup: RollupOverview | undefined }) {
    const running = this.#running.get(end.instanceId);
    if (running === undefined || running.runId !== end.runId) return false;
    this.#running.delete(end.instanceId);
    this.#of("IN_PROGRESS").delete(end.instanceId);
    this.#count(end);
    return true;
  }

  /** The iterations to launch now, ascending. @param most how many */
  due(rules: ForeachRules, most: number): readonly number[] {
    if (this.#named !== undefined) return [this.#named];
    if (this.#has("FAILED")) return [];
    const ids: number[] = [];
    for (let id = this.#next + 1; id <= this.total && ids.length < most; id++) {
      if (this.#isKnown(id)) continue;
      if (!this.#hasRoom(rules, ids, id)) break;
      ids.push(id);
    }
    return ids;
  }

  /** It has been launched, or counts as it is. */
  #isKnown(id: number): boolean {
    return this.#running.has(id) || this.#isOver(id);
  }

  /** Nothing comes after those that run. */
  verdict({ mode }: ForeachRules): ForeachVerdict {
    const failed = this.#has("FAILED");
    if (this.#running.size > 0) return failed && mode === "FAIL_IMMEDIATELY" ? "KILL" : "GOES_ON";
    if (this.#named !== undefined) return "GOES_ON";
    if (failed) return "FATAL_ERROR";
    if (this.#hasMore) return "GOES_ON";
    if (this.#has("TIMED_OUT")) return "TIMED_OUT";
    return this.#has("STOPPED") ? "STOPPED" : "DONE";
  }

  get artifact(): ForeachArtifact {
    return {
      ...this.head,
      next_loop_index: this.#hasMore ? this.#next : this.total,
      foreach_overview: this.#overview,
      type: "FOREACH",
    };
  }

  get #overview(): ForeachOverview {
    const details = [...this.#ids].filter(([, ids]) => ids.size > 0);
    if (details.length === 0) return { checkpoint: 0 };
    const running = this.#running.size;
    return {
      checkpoint: this.#checkpoint,
      stats: Object.fromEntries(details.map(([status, ids]) => [status, ids.size])),
      ...(running > 0 && { running_stats: { IN_PROGRESS: running } }),
      rollup: this.#rollup.value,
      details: Object.fromEntries(details.map(([status, ids]) => [status, ids.toList()])),
    };
  }

  get #hasMore(): boolean {
    for (let id = this.#next + 1; id <= this.total; id++) {
      const end = this.#endOf(id);
      if (end === undefined) return true;
      id = end;
    }
    return false;
  }

  /** Whether this one may be launched beside those that run and those that are chosen already. */
  #hasRoom({ limit, strict }: ForeachRules, chosen: readonly number[], id: number): boolean {
    if (limit === undefined) return true;
    if (!strict) return this.running + chosen.length < limit;
    const running = this.#of("IN_PROGRESS");
    const least = Math.min(running.least ?? id, chosen[0] ?? id);
    return Math.max(running.greatest ?? id, id) - least < limit;
  }

  #count({ instanceId, status, rollup }: Pick<StoredChild, "instanceId" | "status" | "rollup">): void {
    this.#of(status).add(instanceId);
    if (rollup) this.#rollup.add(rollup);
    while (this.#isOver(this.#checkpoint)) this.#checkpoint++;
  }

  #isOver(id: number): boolean {
    for (const [status, ids] of this.#ids) if (status !== "IN_PROGRESS" && ids.has(id)) return true;
    return false;
  }

  /** The last iteration, from this one on, up to which all have been launched or have ended. */
  #endOf(id: number): number | undefined {
    for (const ids of this.#ids.values()) {
      const end = ids.endOf(id);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #has(status: RunStatus): boolean {
    return (this.#ids.get(status)?.size ?? 0) > 0;
  }

  #of(status: RunStatus): Intervals {
    let ids = this.#ids.get(status);
    if (ids === undefined) {
      ids = new Intervals();
      this.#ids.set(status, ids);
    }
    return ids;
  }
}

/** The iterations that an overview counts as ended. */
export function endedIn({ details }: ForeachOverview): (id: number) => boolean {
  const sets = Object.entries(details ?? {})
    .filter(([status]) => isRunTerminal(status as RunStatus))
    .map(([, list]) => Intervals.of(list ?? []));
  return (id) => sets.some((set) => set.has(id));
}
