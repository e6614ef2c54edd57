/** The runs that a step has started: how they are named, and what they say when they end. */
import type { RollupOverview, RunRef } from "../run/model.ts";
import type { RunStatus } from "../run/status.ts";
import type { OverviewView } from "../run/view.ts";
import type { RuntimeState } from "../step/result.ts";

/** A child that has not ended. */
export interface LiveChild extends RunRef {
  readonly key: number;
  readonly groupId: number;
}

/** What becomes of a child, once that has committed. */
export interface ChildEnd extends RunRef {
  /** The step that has started it, and the attempt at it. */
  readonly stepId: string;
  readonly attemptId: number;
  /** Over all its runs. */
  readonly status: RunStatus;
  readonly rollup: RollupOverview;
  /** Not of an iteration of a foreach: nothing shows it there. */
  readonly overview?: OverviewView | undefined;
}

/** A child as its rows have it: the newest run of its instance. */
export interface StoredChild extends LiveChild {
  readonly status: RunStatus;
  /** Of one that has ended. */
  readonly rollup: RollupOverview | undefined;
}

/** What a step is that waits for one child in this status. */
export function stateOf(status: RunStatus): RuntimeState {
  switch (status) {
    case "SUCCEEDED":
      return "DONE";
    case "FAILED":
      return "FATAL_ERROR";
    case "STOPPED":
    case "TIMED_OUT":
      return status;
    default:
      return "CONTINUE";
  }
}
