/** An attempt's retry policy, whose numbers may be texts with params in them. */

import type { RetryPolicy } from "../definition/retry.ts";
import { DEFAULT_RETRY_POLICY, resolveRetryPolicy } from "../definition/retry.ts";
import { toErrorData } from "../error.ts";
import { withEvents } from "../step/attempt.ts";
import { logEvent } from "../step/event.ts";
import type { StepAttempt } from "../step/model.ts";
import { Deferred } from "./evaluation.ts";

/**
 * A policy that turns out to be wrong at run time does not fail the step: the default one applies, and the timeline says
 * why. @throws Deferred when a text has to be evaluated elsewhere
 */
export function withRetryPlan(
  attempt: StepAttempt,
  policy: RetryPolicy | undefined,
  interpolate: (text: string) => string,
  now: number,
): StepAttempt {
  if (policy === undefined) return attempt;
  try {
    return { ...attempt, retry: { ...attempt.retry, plan: resolveRetryPolicy(policy, interpolate) } };
  } catch (error) {
    if (error instanceof Deferred) throw error;
    const { message, details } = toErrorData(error);
    const reason = details.length > 0 ? details.join("; ") : message;
    const note = logEvent(`The retry policy cannot be used, so the default one applies: ${reason}`, now, "WARN");
    return withEvents({ ...attempt, retry: { ...attempt.retry, plan: DEFAULT_RETRY_POLICY } }, [note]);
  }
}
