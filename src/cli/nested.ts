/** The runs that steps have started, looked at along with the run that is watched: some levels deep, and so many at most. */
import { MaestroError } from "../error.ts";
import type { Json, JsonObject } from "../json.ts";
import { isRunTerminal, RUN_STATUS, type RunStatus } from "../run/status.ts";
import type { RunAddress } from "./address.ts";
import type { Client } from "./client.ts";
import { cell, object } from "./output.ts";
import type { Below, Snapshot } from "./progress.ts";

/** Runs of one step, and of one look. */
const MOST_OF_STEP = 8;
const MOST = 50;

/** Iterations that are shown first. */
const FIRST: readonly RunStatus[] = ["FAILED", "TIMED_OUT", "IN_PROGRESS", "PAUSED", "CREATED", "STOPPED", "SUCCEEDED"];

interface Child {
  readonly workflow: string;
  readonly instance: string;
  /** It may change no more, as far as its step knows. */
  readonly isOver: boolean;
}

type LookAt = (client: Client, address: RunAddress, signal?: AbortSignal) => Promise<Snapshot>;

export class Nested {
  readonly #client: Client;
  readonly #lookAt: LookAt;
  readonly #depth: number;
  /** Those that had ended when they were looked at last. */
  readonly #ended = new Map<string, Snapshot>();
  #left = 0;

  /** @param depth levels below the run; 0: none */
  constructor(client: Client, lookAt: LookAt, depth: number) {
    this.#client = client;
    this.#lookAt = lookAt;
    this.#depth = depth;
  }

  async fill(snapshot: Snapshot, signal?: AbortSignal): Promise<Snapshot> {
    this.#left = MOST;
    return this.#fill(snapshot, this.#depth, signal);
  }

  async #fill(snapshot: Snapshot, depth: number, signal?: AbortSignal): Promise<Snapshot> {
    if (depth === 0) return snapshot;
    const below = new Map<string, Below>();
    for (const step of snapshot.steps) {
      const { children, count } = childrenOf(step);
      const runs: Snapshot[] = [];
      for (const child of children) {
        if (this.#left === 0) break;
        const run = await this.#look(child, depth, signal);
        if (run !== undefined) runs.push(run);
      }
      if (runs.length > 0) below.set(String(step.step_id), { runs, more: Math.max(0, count - runs.length) });
    }
    return { ...snapshot, below };
  }

  /** @returns undefined when it is not there any more, or not yet */
  async #look({ workflow, instance, isOver }: Child, depth: number, signal?: AbortSignal) {
    this.#left--;
    const name = `${workflow} ${instance}`;
    const known = this.#ended.get(name);
    if (known && isOver) return known;
    try {
      const run = await this.#lookAt(this.#client, { workflow, instance, run: "latest" }, signal);
      const filled = await this.#fill(run, depth - 1, signal);
      if (isEnded(cell(run.run, "status"))) this.#ended.set(name, filled);
      else this.#ended.delete(name);
      return filled;
    } catch (error) {
      if (error instanceof MaestroError && error.code === "NOT_FOUND") return undefined;
      throw error;
    }
  }
}

const isEnded = (status: string): boolean => Object.hasOwn(RUN_STATUS, status) && isRunTerminal(status as RunStatus);

/** The runs of a step that are shown, and how many there are. Of a while the last one. */
function childrenOf(step: JsonObject): { readonly children: readonly Child[]; readonly count: number } {
  const { maestro_foreach, maestro_while, maestro_subworkflow } = object(step.artifacts);
  if (maestro_foreach !== undefined) {
    const foreach = object(maestro_foreach);
    const { details, stats } = object(foreach.foreach_overview);
    const children = iterations(object(details), cell(foreach, "foreach_workflow_id"));
    const count = Object.values(object(stats)).reduce<number>((sum, it) => sum + Number(it), 0);
    return { children, count };
  }
  const loop = object(maestro_while);
  if (Number(loop.last_iteration) >= Number(loop.first_iteration)) {
    return one(cell(loop, "loop_workflow_id"), cell(loop, "last_iteration"), cell(loop, "last_status"));
  }
  const child = object(maestro_subworkflow);
  if (child.subworkflow_id === undefined) return { children: [], count: 0 };
  const { run_status } = object(child.subworkflow_overview);
  return one(cell(child, "subworkflow_id"), cell(child, "subworkflow_instance_id"), String(run_status ?? ""));
}

const one = (workflow: string, instance: string, status: string) => ({
  children: [{ workflow, instance, isOver: isEnded(status) }],
  count: 1,
});

function iterations(details: JsonObject, workflow: string): readonly Child[] {
  const children: Child[] = [];
  for (const status of FIRST) {
    for (const id of idsIn(details[status], MOST_OF_STEP - children.length)) {
      children.push({ workflow, instance: String(id), isOver: isEnded(status) });
    }
  }
  return children;
}

/** @param intervals a number, or the first and the last one of some */
function* idsIn(intervals: Json | undefined, most: number): Iterable<number> {
  let left = most;
  for (const interval of Array.isArray(intervals) ? intervals : []) {
    const [first, last] = Array.isArray(interval) ? interval.map(Number) : [Number(interval), Number(interval)];
    for (let id = first ?? 1; id <= (last ?? 0) && left > 0; id++, left--) yield id;
  }
}
