/**
 * What a workflow's run strategy says to a new run, under the lock of the workflow's row. Pure: the state is carried
 * along a batch of starts, which is decided in order, as if they had come one by one.
 *
 * | rule | a new run |
 * |---|---|
 * | SEQUENTIAL, PARALLEL | goes when there is room and nothing older waits, else waits |
 * | STRICT_SEQUENTIAL | the same, but nothing goes while a run of the workflow is FAILED |
 * | FIRST_ONLY | is stopped while any run is unfinished |
 * | LAST_ONLY | stops what waits and what runs, and goes when that has ended |
 * | SERIAL_LATEST_ONLY | stops what waits, and goes when there is room |
 */
import type { RunStrategyRule } from "../definition/strategy.ts";

/** Runs of one workflow, as far as its strategy looks at them. */
export interface Occupancy {
  readonly rule: RunStrategyRule;
  readonly concurrency: number;
  /** Launched and unfinished. */
  readonly running: number;
  /** Something waits to be launched. */
  readonly queued: boolean;
  /** A run is FAILED, and no user has let the workflow go on. */
  readonly failed: boolean;
}

export interface Decision {
  readonly placement: "LAUNCH" | "QUEUE" | "STOP";
  readonly stopsQueued: boolean;
  readonly stopsRunning: boolean;
  readonly after: Occupancy;
}

export function decide(state: Occupancy): Decision {
  const { rule, running, queued, concurrency } = state;
  switch (rule) {
    case "FIRST_ONLY":
      return running > 0 || queued ? decision(state, "STOP") : decision(state, "LAUNCH");
    case "LAST_ONLY":
      return { ...decision(state, running > 0 ? "QUEUE" : "LAUNCH"), stopsQueued: queued, stopsRunning: running > 0 };
    case "SERIAL_LATEST_ONLY":
      return { ...decision(state, running < concurrency ? "LAUNCH" : "QUEUE"), stopsQueued: queued };
    default: {
      const isBlocked = rule === "STRICT_SEQUENTIAL" && state.failed;
      return decision(state, running < concurrency && !queued && !isBlocked ? "LAUNCH" : "QUEUE");
    }
  }
}

function decision(state: Occupancy, placement: Decision["placement"]): Decision {
  const after =
    placement === "LAUNCH"
      ? { ...state, running: state.running + 1 }
      : placement === "QUEUE"
        ? { ...state, queued: true }
        : state;
  return { placement, stopsQueued: false, stopsRunning: false, after };
}
