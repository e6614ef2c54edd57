/** Timeline events of runs and attempts: how they are made, kept and limited. */
import type { TimelineDetailsEvent, TimelineEvent, TimelineLogEvent } from "../definition/timeline.ts";
import type { ErrorData } from "../error.ts";

/** Events kept per run or attempt; beyond it the oldest goes. */
const MOST_EVENTS = 32;

type Level = "INFO" | "WARN" | "ERROR";

export const logEvent = (message: string, timestamp: number, level: Level = "INFO"): TimelineLogEvent => ({
  timestamp,
  type: "LOG",
  level,
  message,
});

/** An error as a DETAILS event: its code, message, findings, and whether the engine tries again. */
export const detailsEvent = (error: ErrorData, timestamp: number): TimelineDetailsEvent => ({
  timestamp,
  type: "DETAILS",
  status: error.code,
  message: error.message,
  ...(error.details.length > 0 && { errors: error.details }),
  ...(error.retryable && { retryable: true }),
});

/**
 * Appends, dropping what repeats the newest event (but for its time) and what exceeds the limit.
 * @returns `timeline` itself when there is nothing to add
 */
export function addEvents(
  timeline: readonly TimelineEvent[],
  events: readonly TimelineEvent[] | undefined,
): readonly TimelineEvent[] {
  if (!events || events.length === 0) return timeline;
  const all = [...timeline];
  for (const event of events) if (!sameEvent(all.at(-1), event)) all.push(event);
  if (all.length === timeline.length) return timeline;
  return all.length > MOST_EVENTS ? all.slice(all.length - MOST_EVENTS) : all;
}

function sameEvent(a: TimelineEvent | undefined, b: TimelineEvent): boolean {
  return a !== undefined && JSON.stringify({ ...a, timestamp: 0 }) === JSON.stringify({ ...b, timestamp: 0 });
}

/** Says what went wrong, or might. */
export const isProblem = (event: TimelineEvent): event is TimelineLogEvent | TimelineDetailsEvent =>
  event.type === "DETAILS" || (event.type === "LOG" && (event.level === "ERROR" || event.level === "WARN"));

/** Its message and its findings, a line each. */
export const problemText = (event: TimelineLogEvent | TimelineDetailsEvent): string =>
  [event.message ?? "-", ...(event.type === "DETAILS" ? (event.errors ?? []) : [])].join("\n");

/** A duration for people: `1h 2m 3s`; below a second, milliseconds. */
export function spelled(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const secs = Math.floor(ms / 1000);
  const parts = [Math.floor(secs / 3600), Math.floor(secs / 60) % 60, secs % 60];
  return parts.flatMap((count, index) => (count > 0 ? [`${count}${"hms"[index]}`] : [])).join(" ");
}
