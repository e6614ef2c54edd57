/** The status machine of a run as one table: `CREATED ─▶ IN_PROGRESS ─▶ SUCCEEDED | FAILED | STOPPED | TIMED_OUT`. */

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

/** What a user may do in which status: the answer of `GET …/instances/action-map`. */
export const RUN_ACTIONS: Readonly<Record<RunStatus, readonly RunAction[]>> = {
  CREATED: ["STOP", "KILL"],
  IN_PROGRESS: ["STOP", "KILL"],
  PAUSED: ["STOP", "KILL"],
  TIMED_OUT: ["RESTART"],
  STOPPED: ["RESTART"],
  SUCCEEDED: ["RESTART"],
  FAILED: ["RESTART", "UNBLOCK"],
};
