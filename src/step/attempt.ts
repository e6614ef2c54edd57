/** An attempt's life as pure functions: made, moved from status to status, filled with what a runtime answers. */

import type { RestartConfig } from "../definition/restart.ts";
import type { Artifact, Artifacts } from "../definition/timeline.ts";
import { own } from "../record.ts";
import type { RetryState, StepAttempt, StepTimes } from "./model.ts";
import { isRestartable, mayFollow, STEP_STATUS, type StepStatus } from "./status.ts";

export interface NewAttempt {
  readonly stepId: string;
  readonly attemptId: number;
  readonly uuid: string;
  readonly stepInstanceId: number;
  readonly retry: RetryState;
  readonly restart?: RestartConfig | undefined;
  readonly now: number;
}

export function newAttempt(made: NewAttempt): StepAttempt {
  return {
    stepId: made.stepId,
    attemptId: made.attemptId,
    uuid: made.uuid,
    stepInstanceId: made.stepInstanceId,
    status: "CREATED",
    times: { create_time: made.now, modify_time: made.now },
    params: {},
    paramsTime: undefined,
    conditions: undefined,
    conditionsTime: undefined,
    retry: made.retry,
    timeoutMs: undefined,
    artifacts: {},
    timeline: [],
    pollTime: undefined,
    place: undefined,
    ...(made.restart && { restart: made.restart }),
  };
}

/** A copy that nobody else has. */
export type Draft = { -readonly [field in keyof StepAttempt]: StepAttempt[field] };

/**
 * Passes through the given statuses at one instant; the last one is where it stays.
 * @throws Error for a way that the status table does not have: a fault of the engine's
 */
export function enter(draft: Draft, now: number, path: readonly StepStatus[]): void {
  const times: Record<string, number> = { ...draft.times, modify_time: now };
  for (const next of path) {
    if (!mayFollow(draft.status, next)) {
      throw new Error(`step [${draft.stepId}] can't go from ${draft.status} to ${next}`);
    }
    draft.status = next;
    const slot = STEP_STATUS[next].time;
    if (slot) times[slot] = now;
  }
  draft.times = times as StepTimes;
  draft.pollTime = undefined;
  // An attempt that a user may restart by hand is not retried by the engine any more.
  if (isRestartable(draft.status) && draft.retry.retryable) draft.retry = { ...draft.retry, retryable: false };
}

/** Under one key, free-form artifacts merge by field; a typed one replaces what was there. */
export function mergeArtifacts(old: Artifacts, added: Artifacts | undefined): Artifacts {
  if (!added) return old;
  const changes = Object.entries(added).map(([key, artifact]): [string, Artifact] => {
    const before = own(old, key);
    return [key, isFree(before) && isFree(artifact) ? { ...before, ...artifact } : artifact];
  });
  return { ...old, ...Object.fromEntries(changes) };
}

const isFree = (artifact: Artifact | undefined): boolean =>
  artifact !== undefined && (artifact.type === undefined || artifact.type === "DEFAULT");
