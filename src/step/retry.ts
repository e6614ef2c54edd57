/** Retries by kind of failure: how many, and after how long. */
import { DEFAULT_RETRY_POLICY } from "../definition/retry.ts";
import type { RetryState } from "./model.ts";
import type { StepStatus } from "./status.ts";

export type RetryKind = "error" | "platform" | "timeout";

export const FRESH_RETRY: RetryState = {
  error: 0,
  platform: 0,
  timeout: 0,
  manual: 0,
  retryable: true,
  plan: undefined,
};

const KIND_OF: Partial<Record<StepStatus, RetryKind>> = {
  USER_FAILED: "error",
  PLATFORM_FAILED: "platform",
  TIMEOUT_FAILED: "timeout",
};

export const retryKind = (status: StepStatus): RetryKind | undefined => KIND_OF[status];

/** No further attempt is made for this kind of failure. */
export function limitReached(state: RetryState, kind: RetryKind): boolean {
  return !state.retryable || state[kind] >= (state.plan ?? DEFAULT_RETRY_POLICY)[`${kind}_retry_limit`];
}

/** The number of the last attempt, if whatever else fails is of this kind. */
export function lastAttempt(attemptId: number, state: RetryState, kind: RetryKind): number {
  const limit = (state.plan ?? DEFAULT_RETRY_POLICY)[`${kind}_retry_limit`];
  return attemptId + (state.retryable ? Math.max(0, limit - state[kind]) : 0);
}

/** The counters that the next attempt starts with, after one that ended in `status`. */
export function countRetry(state: RetryState, status: StepStatus): RetryState {
  const kind = retryKind(status) ?? "manual";
  return { ...state, [kind]: state[kind] + 1 };
}

/** Milliseconds to wait before the attempt that follows a failure of this kind. */
export function retryDelay(state: RetryState, kind: RetryKind): number {
  const backoff = (state.plan ?? DEFAULT_RETRY_POLICY).backoff;
  const base = backoff[`${kind}_retry_backoff_in_secs`];
  if (backoff.type === "FIXED_BACKOFF") return base * 1000;
  const grown = base * backoff[`${kind}_retry_exponent`] ** state[kind];
  return Math.min(grown, backoff[`${kind}_retry_limit_in_secs`]) * 1000;
}
