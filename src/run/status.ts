/** The status machine of a run as one table: `CREATED ─▶ IN_PROGRESS ─▶ SUCCEEDED | FAILED | STOPPED | TIMED_OUT`. */

import type { ActionEffect } from "../step/action.ts";

export const RUN_STATUS = {
  CREATED: { terminal: false },
  IN_PROGRESS: { terminal: false },
  PAUSED: { terminal: false },
  TIMED_OUT: { terminal: true },
  STOPPED: { terminal: true },
  FAILED: { terminal: true },
  SUCCEEDED: { terminal: true },
} as const;

export type RunStatus = keyof typeof RUN_STATUS;

/** As stored. `FAILED_1`: unblocked by a user; `FAILED_2`: a later run of the instance exists. Both are shown as FAILED. */
export type StoredRunStatus = RunStatus | "FAILED_1" | "FAILED_2";

export const RUN_STATUSES = Object.keys(RUN_STATUS) as readonly RunStatus[];

export const isRunTerminal = (status: RunStatus): boolean => RUN_STATUS[status].terminal;

export const shownRunStatus = (stored: StoredRunStatus): RunStatus =>
  stored === "FAILED_1" || stored === "FAILED_2" ? "FAILED" : stored;

/** It has ended. */
export const isOver = ({ status }: { readonly status: StoredRunStatus }): boolean =>
  isRunTerminal(shownRunStatus(status));

export type RunAction = "STOP" | "KILL" | "RESTART" | "UNBLOCK";

type RunActions = { readonly [action in RunAction]?: ActionEffect };

const LIVE: RunActions = { STOP: "end", KILL: "end" };
const ENDED: RunActions = { RESTART: "new run" };

/** What a user may do to a run, by its status: the same table as that of a step, and as it is used. */
export const RUN_ACTIONS: Readonly<Record<RunStatus, RunActions>> = {
  CREATED: LIVE,
  IN_PROGRESS: LIVE,
  PAUSED: LIVE,
  TIMED_OUT: ENDED,
  STOPPED: ENDED,
  SUCCEEDED: ENDED,
  FAILED: { ...ENDED, UNBLOCK: "note" },
};

export const mayDo = (status: StoredRunStatus, action: RunAction): boolean =>
  RUN_ACTIONS[shownRunStatus(status)][action] !== undefined;
