/** Ending a step from outside: at once where there is no job, else once its runtime has ended the job, or its time is up. */
import { DEFAULT_TIMEOUT_MS } from "../../definition/step.ts";
import { spelled } from "../event.ts";
import { type Move, NO_TIMERS } from "../move.ts";
import { isNested } from "../node.ts";
import { failedStatus } from "../outcome.ts";
import type { StepResult } from "../result.ts";
import {
  isDone,
  isHard,
  LONGEST_TERMINATION,
  NESTED_GRACE,
  outranks,
  TERMINATION_GRACE,
  type Termination,
} from "../termination.ts";
import { applyMode, settle } from "./finish.ts";
import { followUp } from "./retry.ts";
import { absorb, broken, call } from "./run.ts";

/** A step that waits for its retry gets an attempt that ends at once. @param uuid of that attempt */
export function terminate(move: Move, termination: Termination, uuid: string): void {
  const { phase } = move.state;
  if (phase === "terminate") return overrule(move, termination);
  // The job is done: there is nothing left to do in its place.
  if (phase === "finish" && isDone(termination)) return;
  if (phase === "retry") replaced(move, termination, uuid);
  order(move, termination);
  if (phase !== "run" || move.facts.inPlace) return endAsTold(move, termination);
  move.phase("terminate");
  move.state.timers = NO_TIMERS;
  const grace = isHard(termination) ? graceOf(move) : LONGEST_TERMINATION;
  move.state.ending = { termination, grace, overdue: false };
  giveUpAfter(move, grace);
  call(move, "terminate");
}

export function timedOut(move: Move, uuid: string): void {
  const { retry, timeoutMs } = move.state.attempt;
  const status = failedStatus("TIMEOUT_ERROR", retry) as "TIMEOUT_FAILED" | "TIMED_OUT";
  const limit = spelled(timeoutMs ?? DEFAULT_TIMEOUT_MS);
  terminate(move, { status, reason: `The step ran longer than its timeout of ${limit}`, byMode: false }, uuid);
}

/** What the runtime says to having been asked to end the job. */
export function answeredEnding(move: Move, result: StepResult): void {
  absorb(move, result);
  if (result.state === "STOPPED") return ended(move);
  notEnded(move, `the runtime answered ${result.state}, so the job may still run`);
}

/** A runtime that can't end its job, or has not, is asked again: until its time is up. */
export function notEnded(move: Move, message: string): void {
  broken(move, "terminate", message);
  const { ending } = move.state;
  if (!ending || ending.overdue) return;
  move.state.ending = { ...ending, overdue: true };
  giveUpAfter(move, TERMINATION_GRACE);
}

/** Its time is up: the step, and its run, do not wait any longer. */
export function giveUp(move: Move): void {
  const grace = spelled(move.state.ending?.grace ?? TERMINATION_GRACE);
  move.note(
    `Its runtime has not ended the job within ${grace}, so the step ends without: the job may still run`,
    "WARN",
  );
  ended(move);
}

export function ended(move: Move): void {
  const { ending } = move.state;
  if (ending) endAsTold(move, ending.termination);
}

/** Another termination while one is being carried out: the job has been told; what the step becomes may change. */
function overrule(move: Move, termination: Termination): void {
  const { ending } = move.state;
  if (!ending || !outranks(termination, ending.termination)) return;
  order(move, termination);
  move.state.ending = { ...ending, termination };
  move.save();
  if (!isHard(termination)) return;
  giveUpAfter(move, graceOf(move));
  // Its children are told, too.
  if (isNested(move.facts.node)) call(move, "terminate");
}

const graceOf = ({ facts }: Move): number => (isNested(facts.node) ? NESTED_GRACE : TERMINATION_GRACE);

/** An attempt that ends at once takes the place of the one that waits; a success shows what that one knew. */
function replaced(move: Move, { status }: Termination, uuid: string): void {
  const { params, paramsTime } = move.state.attempt;
  followUp(move, uuid);
  if (status === "SUCCEEDED") move.change({ params, paramsTime });
}

function order(move: Move, termination: Termination): void {
  move.note(termination.reason, termination.status === "STOPPED" || isDone(termination) ? "INFO" : "ERROR");
}

/** The earlier of two limits holds. */
function giveUpAfter(move: Move, grace: number): void {
  const due = move.now + grace;
  if (due >= (move.state.timers.grace ?? Number.POSITIVE_INFINITY)) return;
  move.arm({ grace: due });
  if (move.state.ending) move.state.ending = { ...move.state.ending, grace };
}

/** The job is over, or there is none. */
export function endAsTold(move: Move, termination: Termination): void {
  move.state.ending = undefined;
  move.state.timers = NO_TIMERS;
  if (termination.outputs === undefined) return end(move, termination);
  move.phase("finish");
  move.ask("outputs", termination.outputs);
}

function end(move: Move, termination: Termination): void {
  move.enter(termination.status);
  if (termination.byMode) applyMode(move);
  settle(move);
}
