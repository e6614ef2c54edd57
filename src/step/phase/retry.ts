/** A failure that is tried again: the wait, and the attempt after it. */
import { newAttempt } from "../attempt.ts";
import { spelled } from "../event.ts";
import type { Move } from "../move.ts";
import { countRetry, lastAttempt, retryDelay, retryKind } from "../retry.ts";

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
  const { stepId, attemptId, stepInstanceId, retry, status } = move.state.attempt;
  const counted = countRetry(retry, status);
  move.replace(newAttempt({ stepId, attemptId: attemptId + 1, uuid, stepInstanceId, retry: counted, now: move.now }));
  move.state.woken = false;
}
