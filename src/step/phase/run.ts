/** STARTING and RUNNING: what the runtime answers, and when it is asked next. */
import { DEFAULT_TIMEOUT_MS } from "../../definition/step.ts";
import { own } from "../../record.ts";
import { mergeArtifacts } from "../attempt.ts";
import { logEvent } from "../event.ts";
import type { Reported } from "../model.ts";
import type { Move } from "../move.ts";
import { failedStatus } from "../outcome.ts";
import { withReported } from "../reported.ts";
import type { StepResult } from "../result.ts";
import type { RuntimeCall } from "../state.ts";
import { isHard } from "../termination.ts";
import { applyMode, finish, settle } from "./finish.ts";

/** How long to wait before a call that could not be carried out is made again, ms. */
const CALL_AGAIN = 5_000;

/** The row that says where the job begins commits before the runtime hears of it (D2). */
export function launch(move: Move): void {
  move.phase("run");
  if (!move.facts.inPlace) {
    move.change({ place: move.state.attempt.place ?? move.facts.place });
    move.state.timers = { timeout: timeoutOf(move) };
    move.save();
  }
  call(move, "start");
}

/** A job that was begun by a former owner: its runtime is asked, never told to start it again. */
export function adopt(move: Move): void {
  move.phase("run");
  move.state.timers = { timeout: timeoutOf(move) };
  call(move, "execute");
}

export function wake(move: Move): void {
  if (move.state.phase === "run" && move.state.asked === undefined && move.state.timers.again === undefined) {
    call(move, "execute");
  } else move.state.woken = true;
}

/** @param uuid of the attempt whose job it is */
export function report(move: Move, uuid: string, reported: Reported): void {
  if (move.state.phase !== "run" || move.state.attempt.uuid !== uuid) return;
  move.change({ reported });
  move.save();
}

export function answered(move: Move, answer: StepResult): void {
  const started = move.state.attempt.status === "STARTING";
  const result = withReported(move.state.attempt, answer);
  absorb(move, result);
  switch (result.state) {
    case "CONTINUE":
      if (started) move.enter("RUNNING");
      return wait(move, result);
    case "DONE":
      if (started) move.enter("RUNNING");
      return finish(move, result.outputs, result.outputSource);
    case "USER_ERROR":
    case "PLATFORM_ERROR":
    case "FATAL_ERROR":
      return failed(move, result.state);
    case "STOPPED":
    case "TIMED_OUT":
      move.enter(result.state);
      return settle(move);
  }
}

/** A job may say itself that no other attempt would be better off. */
function failed(move: Move, state: "USER_ERROR" | "PLATFORM_ERROR" | "FATAL_ERROR"): void {
  const isFinal = state !== "FATAL_ERROR" && own(move.state.attempt.artifacts, "maestro_retry")?.retryable === false;
  if (isFinal) move.note("The job says that it is not to be tried again");
  move.enter(failedStatus(isFinal ? "FATAL_ERROR" : state, move.state.attempt.retry));
  applyMode(move);
  settle(move);
}

/** No runtime here has the type: no other attempt would be better off. */
export function unavailable(move: Move, reason: string): void {
  answered(move, { state: "FATAL_ERROR", timeline: [logEvent(reason, move.now, "ERROR")] });
}

/** The call, not the job, has failed: it is made again. */
export function broken(move: Move, what: RuntimeCall, message: string): void {
  move.note(`${what} could not be carried out and is tried again: ${message}`, "WARN");
  move.state.asked = undefined;
  move.arm({ again: move.now + CALL_AGAIN });
}

export function again(move: Move): void {
  if (move.state.phase === "terminate") return call(move, "terminate");
  if (move.state.attempt.status === "STARTING") return launch(move);
  call(move, "execute");
}

export function call(move: Move, what: RuntimeCall): void {
  move.state.woken = false;
  const { ending } = move.state;
  move.call(what, ending !== undefined && isHard(ending.termination));
}

/** Takes over what a runtime says besides its state. */
export function absorb(move: Move, { artifacts, timeline }: StepResult): void {
  if (artifacts) move.change({ artifacts: mergeArtifacts(move.state.attempt.artifacts, artifacts) });
  move.events(timeline);
}

function wait(move: Move, { nextPollDelay }: StepResult): void {
  const poll = nextPollDelay === undefined ? undefined : move.now + nextPollDelay;
  if (poll !== undefined) move.change({ pollTime: poll });
  if (move.isChanged) move.save();
  move.state.asked = undefined;
  move.state.timers = { timeout: timeoutOf(move), ...(poll !== undefined && { poll }) };
  if (move.state.woken) call(move, "execute");
}

/** Counted from the attempt's start, so that no change of owner extends it. */
function timeoutOf({ state: { attempt }, now }: Move): number {
  return (attempt.times.start_time ?? now) + (attempt.timeoutMs ?? DEFAULT_TIMEOUT_MS);
}
