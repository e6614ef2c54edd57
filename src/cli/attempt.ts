/** What a step's answer says of its attempts: how many there may be, when the next one comes, and why one failed. */
import type { ResolvedRetryPolicy } from "../definition/retry.ts";
import type { TimelineEvent, TimelineLogEvent } from "../definition/timeline.ts";
import type { Json, JsonObject } from "../json.ts";
import { isProblem, problemText } from "../step/event.ts";
import type { RetryState } from "../step/model.ts";
import { lastAttempt, limitReached, type RetryKind, retryDelay, retryKind } from "../step/retry.ts";
import { STEP_STATUS, type StepStatus } from "../step/status.ts";
import type { RetryView } from "../step/view.ts";
import { cell, durationText, instant, object, objects } from "./output.ts";

export interface Attempts {
  /** Of the attempt that is shown. */
  readonly number: number;
  /** Undefined where nothing is known of a policy. */
  readonly most: number | undefined;
  /** Epoch milliseconds; undefined when no further attempt comes by itself. */
  readonly next: { readonly at: number; readonly delay: number } | undefined;
}

export function attemptsOf(step: JsonObject): Attempts {
  const number = Number(step.step_attempt_id ?? 1);
  const state = object(step.runtime_state);
  const status = cell(state, "status");
  const retry = stateOf(object(step.step_retry));
  if (retry === undefined) return { number, most: undefined, next: undefined };
  const kind = kindOf(status, retry);
  const end = instant(state, "end_time");
  const isOver = retryKind(status as StepStatus) === undefined || limitReached(retry, kind) || end === undefined;
  const delay = retryDelay(retry, kind);
  return {
    number,
    most: lastAttempt(number, retry, kind),
    next: isOver ? undefined : { at: end + delay, delay },
  };
}

/** `attempt 2 of 3` */
export const numberText = (number: number | string, most: number | undefined): string =>
  `attempt ${number}${most === undefined ? "" : ` of ${most}`}`;

/** A time to wait, in whole seconds: `60 s`, `10 min 0 s`. */
export function waitText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds <= 120 ? `${seconds} s` : durationText(seconds * 1000);
}

/** By which limit the attempts are counted: that of the failure, if there is one. */
function kindOf(status: string, retry: RetryState): RetryKind {
  const platform = status === "FATALLY_FAILED" && retry.error === 0 && retry.platform > 0;
  return retryKind(status as StepStatus) ?? (status === "TIMED_OUT" ? "timeout" : platform ? "platform" : "error");
}

function stateOf(view: JsonObject): RetryState | undefined {
  if (Object.keys(object(view.backoff)).length === 0) return undefined;
  const { error_retries, platform_retries, timeout_retries, manual_retries, ...plan } = view as unknown as RetryView;
  return {
    error: error_retries,
    platform: platform_retries,
    timeout: timeout_retries,
    manual: manual_retries,
    // An attempt that has failed for good is not retryable any more, but says how many there may have been.
    retryable: true,
    plan: plan satisfies ResolvedRetryPolicy,
  };
}

/** The newest thing in the timeline that says what went wrong, and what followed from it: how a job was ended. */
export function reasonOf(step: JsonObject): string | undefined {
  const events = eventsOf(step.timeline);
  const problem = events.findLast(isProblem);
  if (problem === undefined) return undefined;
  // The engine's own note on the next attempt comes last.
  const after = events.slice(events.lastIndexOf(problem) + 1, attemptsOf(step).next === undefined ? undefined : -1);
  const logs = after.filter((it): it is TimelineLogEvent => it.type === "LOG");
  return [problem, ...logs].map(problemText).join("\n");
}

/** What a run's own timeline warns of, or gives as the reason of its end. */
export const problemsOf = (timeline: Json | undefined): readonly string[] =>
  eventsOf(timeline).filter(isProblem).map(problemText);

const eventsOf = (timeline: Json | undefined): readonly TimelineEvent[] =>
  objects(timeline) as unknown as readonly TimelineEvent[];

export const isStepEnd = (status: string): boolean =>
  Object.hasOwn(STEP_STATUS, status) && STEP_STATUS[status as StepStatus].terminal;
