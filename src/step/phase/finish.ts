/** The end of an attempt: its outputs, what its failure mode makes of a failure, and where the run goes from it. */
import { badRequest, type ErrorData, toErrorData } from "../../error.ts";
import type { Params } from "../../param/type.ts";
import { detailsEvent } from "../event.ts";
import { type Move, NO_TIMERS } from "../move.ts";
import { applyFailureMode, failedStatus } from "../outcome.ts";
import { retryKind } from "../retry.ts";
import { signalsProblem } from "../signal.ts";
import { isComplete, isFailed } from "../status.ts";
import { backOff } from "./retry.ts";

/** The job is done. @param outputs what it put out @param source where */
export function finish(move: Move, outputs: Params | undefined, source?: string): void {
  move.phase("finish");
  const problem = signalsProblem(move.state.attempt.artifacts);
  if (problem !== undefined) return failInternally(move, toErrorData(badRequest(problem)));
  if (outputs) return move.ask("outputs", outputs, source);
  succeed(move);
}

/** @param params of the attempt, with the job's outputs */
export function withOutputs(move: Move, params: Params): void {
  move.change({ params });
  succeed(move);
}

/** The job's author has made a mistake, which another attempt would make again. */
export function refused(move: Move, message: string): void {
  move.note(message, "ERROR");
  move.enter(failedStatus("FATAL_ERROR", move.state.attempt.retry));
  applyMode(move);
  settle(move);
}

/** A job that a user has declared done may not have run. */
function succeed(move: Move): void {
  const { status } = move.state.attempt;
  move.enterAll(status === "RUNNING" ? ["FINISHING", "SUCCEEDED"] : ["SUCCEEDED"]);
  settle(move);
}

/** A failure that is final may be none for the run. */
export function applyMode(move: Move): void {
  const { status } = move.state.attempt;
  const becomes = applyFailureMode(status, move.facts.node.body.failure_mode);
  if (becomes === status) return;
  move.enter(becomes);
  move.note("The step failed; its failure mode IGNORE_FAILURE lets the run go on");
}

/** Something that the engine itself could not do for the step: no retry, whatever the failure mode. */
export function failInternally(move: Move, error: ErrorData): void {
  move.enter("INTERNALLY_FAILED");
  move.events([detailsEvent({ ...error, code: "INTERNAL_ERROR" }, move.now)]);
  settle(move);
}

/** The attempt has reached a terminal status: what follows from it is decided before the status is stored. */
export function settle(move: Move): void {
  move.state.timers = NO_TIMERS;
  move.phase("finish");
  if (move.state.attempt.reported) move.change({ reported: undefined });
  if (isComplete(move.state.attempt.status) && !isDecided(move)) return move.ask("conditions");
  const { attempt } = move.state;
  const retry = retryKind(attempt.status) !== undefined;
  if (isBad(move)) move.effects.push({ type: "report", attempt, retry });
  if (retry) return backOff(move);
  move.save();
  move.phase("ended");
  move.effects.push({ type: "ended" });
}

export function decided(move: Move, conditions: { readonly [stepId: string]: boolean }): void {
  move.change({ conditions, conditionsTime: move.now });
  settle(move);
}

/** Edges without a condition need no evaluation. */
function isDecided(move: Move): boolean {
  const { node } = move.facts;
  if (move.state.attempt.conditions !== undefined || node.successors.length === 0) return true;
  if (node.successors.some(([, condition]) => condition !== "true")) return false;
  const conditions = Object.fromEntries(node.successors.map(([id]) => [id, true]));
  move.change({ conditions, conditionsTime: move.now });
  return true;
}

function isBad({ state: { attempt } }: Move): boolean {
  return isFailed(attempt.status) || attempt.status === "TIMED_OUT" || attempt.status === "COMPLETED_WITH_ERROR";
}
