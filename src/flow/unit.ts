/**
 * What the transactions of starts are made of: requests that are decided together, or not at all. Mostly a unit is one
 * request; a batch of one workflow is a unit of any size.
 */
import { type Clock, nextTurn } from "../clock.ts";
import { MaestroError, toErrorData } from "../error.ts";
import type { RunPlan } from "../run/plan.ts";
import type { NewRun, WorkflowHead } from "./port.ts";
import type { RunCommand, StartReply } from "./protocol.ts";

/** Starts in one transaction at most, unless one unit has more. */
const MOST_STARTS = 500;

/** A request. */
export interface Pending {
  readonly id: string;
  readonly command: RunCommand;
}

export interface Prepared {
  readonly pending: Pending;
  readonly plan: RunPlan;
  readonly run: NewRun;
}

export interface StartUnit {
  readonly workflowId: string;
  readonly requests: readonly Pending[];
  /** The workflow's head was read for this start: what is wrong with it is not the head's age. */
  fresh: boolean;
  /** What `ready` is made from. */
  head: WorkflowHead | undefined;
  /** By request. */
  ready: (Prepared | undefined)[];
  /** Told when the start begins to wait for a long expression, and when that is over. */
  evaluating(isEvaluating: boolean): void;
  resolve(replies: readonly StartReply[]): void;
  reject(error: unknown): void;
}

interface Slicing {
  readonly clock: Clock;
  /** How long starts may hold the thread, ms. */
  readonly slice: number;
}

/** Lets flows, answers and messages get in between two starts. */
export class Breath {
  readonly #engine: Slicing;
  #end: number;

  constructor(engine: Slicing) {
    this.#engine = engine;
    this.#end = engine.clock.elapsed() + engine.slice;
  }

  /** Takes one when it is time. */
  async taken(): Promise<void> {
    const { clock, slice } = this.#engine;
    if (clock.elapsed() < this.#end) return;
    await nextTurn(clock);
    this.#end = clock.elapsed() + slice;
  }
}

/** How many of the units one transaction takes: one at least. */
export function fitting(units: readonly StartUnit[]): number {
  let requests = 0;
  const end = units.findIndex((unit) => {
    requests += unit.requests.length;
    return requests > MOST_STARTS;
  });
  return end < 0 ? units.length : Math.max(1, end);
}

/** Says which request of a batch it is about. */
export function inBatch(error: unknown, index: number, of: number): unknown {
  if (of === 1) return error;
  const data = toErrorData(error);
  return MaestroError.fromData({ ...data, message: `Start [${index + 1}] of a batch of [${of}]: ${data.message}` });
}
