/** The lines of a server's log about runs and attempts. Written once what they say has committed. */
import type { Logger } from "../log.ts";
import { isInlineId } from "../run/inline.ts";
import type { Run, RunRef } from "../run/model.ts";
import { type StoredRunStatus, shownRunStatus } from "../run/status.ts";
import { isProblem, problemText } from "../step/event.ts";
import type { StepAttempt } from "../step/model.ts";

/** Characters of a reason. The timeline has all of it. */
const MOST_REASON = 500;

/** The reason of a run that gave way to another one. */
export const STOPPED_BY_STRATEGY = "its run strategy lets another run go instead";

/**
 * An iteration that has succeeded is a line for whoever debugs: a loop has as many as 100,000.
 * @param time when it began and ended; absent for a run that never began
 */
export function reportRun(
  log: Logger,
  run: RunRef,
  status: StoredRunStatus,
  reason?: string,
  { startTime, endTime }: Partial<Pick<Run, "startTime" | "endTime">> = {},
): void {
  const shown = shownRunStatus(status);
  const level = shown === "SUCCEEDED" && isInlineId(run.workflowId) ? "debug" : "info";
  if (!log.enabled(level)) return;
  log[level]("run ended", {
    ...runFields(run),
    status: shown,
    ms: startTime === undefined || endTime === undefined ? undefined : endTime - startTime,
    reason: short(reason),
  });
}

/** @param retry whether a further attempt follows by itself */
export function reportAttempt(log: Logger, run: RunRef, attempt: StepAttempt, retry: boolean): void {
  if (!log.enabled("info")) return;
  log.info(retry ? "attempt failed, and the step is tried again" : "step failed", {
    ...runFields(run),
    step: attempt.stepId,
    attempt: attempt.attemptId,
    status: attempt.status,
    reason: short(reasonOf(attempt)),
  });
}

/** Which run a line is about. */
export const runFields = ({ workflowId, instanceId, runId }: RunRef) => ({
  workflow: workflowId,
  instance: instanceId,
  run: runId,
});

function reasonOf({ timeline }: StepAttempt): string | undefined {
  const problem = timeline.findLast(isProblem);
  return problem && problemText(problem);
}

const short = (reason: string | undefined): string | undefined =>
  reason !== undefined && reason.length > MOST_REASON ? `${reason.slice(0, MOST_REASON)}…` : reason;
