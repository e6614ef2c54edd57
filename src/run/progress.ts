/** How a run ends, given how its steps ended. */
import { isFailed, type StepStatus } from "../step/status.ts";
import type { RunStatus } from "./status.ts";

export type RunEnd = Extract<RunStatus, "SUCCEEDED" | "FAILED" | "STOPPED" | "TIMED_OUT">;

/**
 * Precedence: FAILED over TIMED_OUT over STOPPED over SUCCEEDED. A run in which no step was ever made has failed.
 * @param statuses of the newest attempt at each step that was made; all terminal.
 */
export function runEnd(statuses: Iterable<StepStatus>): RunEnd {
  let made = false;
  let end: RunEnd = "SUCCEEDED";
  for (const status of statuses) {
    made = true;
    if (isFailed(status)) return "FAILED";
    if (status === "TIMED_OUT") end = "TIMED_OUT";
    else if (status === "STOPPED" && end === "SUCCEEDED") end = "STOPPED";
  }
  return made ? end : "FAILED";
}
