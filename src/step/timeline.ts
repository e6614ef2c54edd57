/** An attempt's timeline for a reader: what was recorded, and its changes of status, in the order of time. */
import type { TimelineEvent, TimelineStatusEvent } from "../definition/timeline.ts";
import type { StepAttempt } from "./model.ts";
import { isTerminal, STEP_STATUS, STEP_STATUSES, type StepStatus } from "./status.ts";

const LIVE_STATUSES: readonly StepStatus[] = STEP_STATUSES.filter(
  (status) => !isTerminal(status) && STEP_STATUS[status].time !== undefined,
);

export function enrichStepTimeline(attempt: StepAttempt): readonly TimelineEvent[] {
  const changes: TimelineStatusEvent[] = [];
  for (const status of LIVE_STATUSES) {
    const slot = STEP_STATUS[status].time;
    const timestamp = slot && attempt.times[slot];
    if (timestamp !== undefined) changes.push({ timestamp, type: "STATUS", status });
  }
  const end = attempt.times.end_time;
  if (isTerminal(attempt.status) && end !== undefined) {
    changes.push({ timestamp: end, type: "STATUS", status: attempt.status });
  }
  return [...changes, ...attempt.timeline].sort((a, b) => a.timestamp - b.timestamp);
}
