/** A run's timeline for a reader: what was recorded, and its changes of status, in the order of time. */
import type { TimelineEvent, TimelineStatusEvent } from "../definition/timeline.ts";
import type { Run } from "./model.ts";
import { isRunTerminal, shownRunStatus } from "./status.ts";

export function enrichRunTimeline(run: Run): readonly TimelineEvent[] {
  const status = shownRunStatus(run.status);
  const changes = [
    statusEvent("CREATED", run.createTime),
    statusEvent("IN_PROGRESS", run.startTime),
    isRunTerminal(status) ? statusEvent(status, run.endTime) : undefined,
  ];
  return inOrder([...changes, ...run.timeline]);
}

/** Undefined when the status was never reached. */
export const statusEvent = (status: string, timestamp: number | undefined): TimelineStatusEvent | undefined =>
  timestamp === undefined ? undefined : { timestamp, type: "STATUS", status };

/** By time; events of one instant keep the order in which they are given. */
export const inOrder = (events: readonly (TimelineEvent | undefined)[]): readonly TimelineEvent[] =>
  events.filter((event) => event !== undefined).sort((a, b) => a.timestamp - b.timestamp);
