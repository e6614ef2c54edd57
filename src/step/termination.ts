/** Ending an attempt from outside: by a user, a time limit, or another step. Pure tables. */
import type { Params } from "../param/type.ts";
import type { StepStatus } from "./status.ts";

/** Why an attempt is ended from outside, and what it becomes. */
export interface Termination {
  readonly status: TerminationStatus;
  readonly reason: string;
  /** The step's failure mode applies. */
  readonly byMode: boolean;
  /** Whoever ordered it does not wait long; so it is for FATALLY_FAILED, whatever this says. */
  readonly hard?: boolean;
  /** With SUCCEEDED: what the step puts out, in its job's place. */
  readonly outputs?: Params | undefined;
}

/** A user wants the step to be done, whatever its job says: what follows it goes on. */
export const isDone = ({ status }: Termination): boolean => status === "SKIPPED" || status === "SUCCEEDED";

export type TerminationStatus = Extract<
  StepStatus,
  "STOPPED" | "FATALLY_FAILED" | "TIMED_OUT" | "TIMEOUT_FAILED" | "SKIPPED" | "SUCCEEDED"
>;

/** Milliseconds from a KILL, or from the first answer that did not end the job, until the step ends without it. */
export const TERMINATION_GRACE = 60_000;
/** The same for a step whose work are other runs: their steps have their own time, and theirs. */
export const NESTED_GRACE = 10 * TERMINATION_GRACE;
/** Milliseconds that a termination takes at most: a plugin's own grace period may be a day. */
export const LONGEST_TERMINATION = 86_400_000 + TERMINATION_GRACE;

const RANK: Record<TerminationStatus, number> = {
  TIMEOUT_FAILED: 0,
  SKIPPED: 1,
  SUCCEEDED: 1,
  STOPPED: 2,
  TIMED_OUT: 3,
  FATALLY_FAILED: 4,
};

/** The later one counts, though the earlier one is being carried out. A retry is overruled by whatever ends the step. */
export const outranks = (later: Termination, earlier: Termination): boolean =>
  RANK[later.status] > RANK[earlier.status] ||
  (RANK[later.status] === RANK[earlier.status] && isHard(later) && !isHard(earlier));

export const isHard = ({ status, hard }: Termination): boolean => hard === true || status === "FATALLY_FAILED";
