/** A failure that is tried again: the wait, and the attempt after it. */
import type { RestartConfig } from "../../definition/restart.ts";
import { newAttempt } from "../attempt.ts";
import { spelled } from "../event.ts";
import type { RetryState } from "../model.ts";
import type { Move } from "../move.ts";
import { countRetry, FRESH_RETRY, lastAttempt, retryDelay, retryKind } from "../retry.ts";

/** Counted from the failed attempt's end, so that no change of owner extends it. */
export function backOff(move: Move): void {
  const { attemptId, status, retry, times } = move.state.attempt;
  const kind = retryKind(status) ?? "error";
  const delay = retryDelay(retry, kind);
  const next = `Attempt ${attemptId + 1} of ${lastAttempt(attemptId, retry, kind)}`;
  move.note(`${next} begins ${spelled(delay)} after this failure`);
  move.save();
  move.effects.push({ type: "over" });
  move.phase("retry");
  move.state.timers = { retry: (times.end_time ?? move.now) + delay };
}

/** @param uuid of the attempt */
export function followUp(move: Move, uuid: string): void {
  const { retry, status, restart } = move.state.attempt;
  follow(move, uuid, countRetry(retry, status), restart);
}

/** A further attempt by the user's hand, with as many retries before it as a first one. @param uuid of the attempt */
export function followByHand(move: Move, uuid: string, restart: RestartConfig | undefined): void {
  const { manual, plan } = move.state.attempt.retry;
  follow(move, uuid, { ...FRESH_RETRY, manual: manual + 1, plan }, restart);
}

function follow(move: Move, uuid: string, retry: RetryState, restart: RestartConfig | undefined): void {
  const { stepId, attemptId, stepInstanceId } = move.state.attempt;
  move.replace(newAttempt({ stepId, attemptId: attemptId + 1, uuid, stepInstanceId, retry, restart, now: move.now }));
  move.state.woken = false;
}
