/** What an attempt becomes by what its runtime answered, its retry limits and its failure mode. Pure tables. */
import type { FailureMode } from "../definition/step.ts";
import type { RetryState } from "./model.ts";
import { limitReached, type RetryKind } from "./retry.ts";
import type { StepStatus } from "./status.ts";

/** An attempt's failed ends, as a runtime (or the clock) names them. */
export type Failure = "USER_ERROR" | "PLATFORM_ERROR" | "TIMEOUT_ERROR" | "FATAL_ERROR";

const RETRIED: Record<Exclude<Failure, "FATAL_ERROR">, { kind: RetryKind; retried: StepStatus; last: StepStatus }> = {
  USER_ERROR: { kind: "error", retried: "USER_FAILED", last: "FATALLY_FAILED" },
  PLATFORM_ERROR: { kind: "platform", retried: "PLATFORM_FAILED", last: "FATALLY_FAILED" },
  TIMEOUT_ERROR: { kind: "timeout", retried: "TIMEOUT_FAILED", last: "TIMED_OUT" },
};

/** The status a failure leads to while retries remain, and when they are used up. Failure modes apply afterwards. */
export function failedStatus(failure: Failure, retry: RetryState): StepStatus {
  if (failure === "FATAL_ERROR") return "FATALLY_FAILED";
  const { kind, retried, last } = RETRIED[failure];
  return limitReached(retry, kind) ? last : retried;
}

/** Failure modes rule only over FATALLY_FAILED: stops, time-outs and internal failures stay what they are. */
export function applyFailureMode(status: StepStatus, mode: FailureMode | undefined): StepStatus {
  return status === "FATALLY_FAILED" && mode === "IGNORE_FAILURE" ? "COMPLETED_WITH_ERROR" : status;
}

/** This end of a step stops everything else in its run. */
export const endsRun = (status: StepStatus, mode: FailureMode | undefined): boolean =>
  status === "FATALLY_FAILED" && mode === "FAIL_IMMEDIATELY";
