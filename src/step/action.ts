/**
 * What a user may do to a step, by its status, as one table: the API asks it who may, and does what it says; the action map is
 * a view of it.
 */
import type { StepStatus } from "./status.ts";

export type StepAction =
  | "PAUSE"
  | "RESUME"
  | "STOP"
  | "KILL"
  | "SKIP"
  | "SUCCEED"
  | "RESTART"
  | "BYPASS_STEP_DEPENDENCIES";

/** What an action does to a step, or to a run. */
export type ActionEffect =
  /** Says whether a gate lets it pass. */
  | "gate"
  /** Ends it while it is under way: its run has to be, too. */
  | "end"
  /** Another attempt in its run while that lasts. */
  | "in place"
  /** Another attempt in its run while that lasts, or a new run once that has ended. */
  | "again"
  /** A new run: this one has to have ended. */
  | "new run"
  /** Is noted, and makes way for others. */
  | "note";

type StepActions = { readonly [action in StepAction]?: ActionEffect };

const ENDS = { STOP: "end", KILL: "end" } as const;
const LIVE: StepActions = { ...ENDS, SKIP: "end", SUCCEED: "end" };
const NEW_RUN: StepActions = { RESTART: "new run", SKIP: "new run" };
const AGAIN: StepActions = { RESTART: "again", SKIP: "again", SUCCEED: "in place" };

export const STEP_ACTIONS: Readonly<Record<StepStatus, StepActions>> = {
  NOT_CREATED: {},
  CREATED: { PAUSE: "gate", ...ENDS, SUCCEED: "end" },
  INITIALIZED: { PAUSE: "gate", ...LIVE },
  PAUSED: { RESUME: "gate", ...LIVE },
  WAITING_FOR_SIGNALS: { ...LIVE, BYPASS_STEP_DEPENDENCIES: "gate" },
  EVALUATING_PARAMS: LIVE,
  WAITING_FOR_PERMITS: LIVE,
  STARTING: LIVE,
  RUNNING: LIVE,
  FINISHING: LIVE,
  DISABLED: { RESTART: "new run" },
  UNSATISFIED: { RESTART: "new run" },
  SKIPPED: NEW_RUN,
  SUCCEEDED: NEW_RUN,
  COMPLETED_WITH_ERROR: NEW_RUN,
  USER_FAILED: LIVE,
  PLATFORM_FAILED: LIVE,
  TIMEOUT_FAILED: LIVE,
  FATALLY_FAILED: AGAIN,
  INTERNALLY_FAILED: AGAIN,
  STOPPED: AGAIN,
  TIMED_OUT: AGAIN,
};

/** It goes on by itself, now or after its backoff. */
export const isUnderWay = (status: StepStatus): boolean => STEP_ACTIONS[status].STOP === "end";

/** Actions that upstream does not have. */
const OWN: ReadonlySet<string> = new Set<StepAction>(["SUCCEED"]);

/**
 * The names of what may be done, by status; statuses in which nothing may be done are left out.
 * @param all ours, too; default: as upstream answers
 */
export const actionNames = (
  table: Readonly<Record<string, Readonly<Record<string, ActionEffect>>>>,
  all: boolean,
): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    Object.entries(table)
      .map(([status, actions]) => [status, Object.keys(actions).filter((name) => all || !OWN.has(name))] as const)
      .filter(([, names]) => names.length > 0),
  );
