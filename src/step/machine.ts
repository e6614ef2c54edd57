/**
 * What becomes of a step when something happens: a pure function of what is remembered of it, what happened, and the
 * facts around it. The actor in `flow/` carries the effects out and brings the answers back.
 *
 * ```
 * prepare ─▶ gates ─▶ launch ─▶ run ─▶ finish ─▶ ended
 *    ▲                           │        ▲└─ retryable ─▶ retry
 *    └────────── next attempt ───┼────────┼──────────────────┘
 *                                └─ stop, kill, time-out ─▶ terminate ─▶ finish
 * ```
 * Invariants: (1) one question at most is open; (2) the answer to a question that was asked before a termination is
 * dropped; (3) `start` is asked after the row that says so was saved; (4) a step that has ended never acts again;
 * (5) a status changes as the status table says, or the decision throws.
 */

import { type NewAttempt, newAttempt } from "./attempt.ts";
import { isGate } from "./gate.ts";
import type { StepAttempt } from "./model.ts";
import { Move, NO_TIMERS } from "./move.ts";
import { isNested } from "./node.ts";
import { tryAgain } from "./phase/again.ts";
import { decided, failInternally, refused, withOutputs } from "./phase/finish.ts";
import { evaluated, held, opened, pass, told, unasked } from "./phase/gates.ts";
import { prepare, prepared } from "./phase/prepare.ts";
import { backOff, followUp } from "./phase/retry.ts";
import { adopt, again, answered, broken, launch, report, unavailable, wake } from "./phase/run.ts";
import { answeredEnding, ended, giveUp, notEnded, terminate, timedOut } from "./phase/terminate.ts";
import { FRESH_RETRY, retryKind } from "./retry.ts";
import type {
  Answer,
  GateName,
  RuntimeCall,
  StepDecision,
  StepEvent,
  StepFacts,
  StepPhase,
  StepState,
  TimerName,
} from "./state.ts";
import { isComplete, isTerminal } from "./status.ts";

/** @throws Error for a change of status that the table does not have, and nothing is decided */
export function decide(state: StepState, event: StepEvent, facts: StepFacts): StepDecision {
  const move = new Move(state, facts);
  if (event.type === "again") tryAgain(move, event.again, event.uuid);
  else if (state.phase !== "ended") apply(move, event);
  return move;
}

/** The first attempt at a step. */
export const newStep = (made: Omit<NewAttempt, "attemptId" | "retry">): StepState =>
  stateOf(newAttempt({ ...made, attemptId: 1, retry: FRESH_RETRY }), "prepare");

/** From the row of the newest attempt, after a change of owner. */
export const storedStep = (attempt: StepAttempt): StepState => stateOf(attempt, phaseOf(attempt));

function phaseOf({ status }: StepAttempt): StepPhase {
  if (isTerminal(status)) return retryKind(status) === undefined ? "ended" : "retry";
  if (status === "NOT_CREATED" || status === "CREATED") return "prepare";
  // A row in STARTING committed before its runtime heard of it, which may have been long ago.
  return status === "STARTING" || status === "RUNNING" || status === "FINISHING" ? "run" : "gates";
}

const stateOf = (attempt: StepAttempt, phase: StepPhase): StepState => ({
  attempt,
  phase,
  asked: undefined,
  questions: 0,
  timers: NO_TIMERS,
  woken: false,
  ending: undefined,
});

function apply(move: Move, event: Exclude<StepEvent, { readonly type: "again" }>): void {
  switch (event.type) {
    case "begin":
      return prepare(move, event.satisfied, event.skipped);
    case "resume":
      return resume(move, event.satisfied, event.skipped);
    case "told":
      // A step whose work are other runs may start one that was held back.
      return move.state.phase !== "gates" && isNested(move.facts.node) ? wake(move) : told(move);
    case "go":
      if (move.state.phase === "launch") launch(move);
      return;
    case "woken":
      return wake(move);
    case "reported":
      return report(move, event.uuid, event.reported);
    case "due":
      return due(move, event.timer, event.time, event.uuid);
    case "terminate":
      return terminate(move, event.termination, event.uuid);
    default:
      return answer(move, event);
  }
}

/** Goes on from wherever the row says the attempt is. */
function resume(move: Move, satisfied: boolean, skipped: boolean | undefined): void {
  switch (move.state.phase) {
    case "retry":
      return backOff(move);
    case "prepare":
      return prepare(move, satisfied, skipped);
    case "gates":
      return pass(move);
    case "run":
      return move.state.attempt.status === "STARTING" ? launch(move) : adopt(move);
  }
}

function due(move: Move, timer: TimerName, time: number, uuid: string): void {
  if (move.state.timers[timer] !== time) return;
  const { [timer]: _, ...others } = move.state.timers;
  move.state.timers = others;
  switch (timer) {
    case "poll":
      return wake(move);
    case "again":
      return move.state.phase === "gates" ? pass(move) : again(move);
    case "timeout":
      return timedOut(move, uuid);
    case "grace":
      return giveUp(move);
    case "retry":
      followUp(move, uuid);
      return prepare(move, true);
  }
}

function answer(move: Move, event: Answer): void {
  const { asked } = move.state;
  if (asked?.id !== event.id) return;
  switch (event.type) {
    case "settings":
      return prepared(move, event.settings);
    case "params":
      return asked.what === "params"
        ? evaluated(move, event.params, event.template, event.notes)
        : withOutputs(move, event.params);
    case "conditions":
      return decided(move, event.conditions);
    case "opened":
      return opened(move, asked.what as GateName, event.event);
    case "held":
      return held(move, asked.what as GateName, event.reason);
    case "answered":
      return asked.what === "terminate" ? answeredEnding(move, event.result) : answered(move, event.result);
    case "unavailable":
      return asked.what === "terminate" ? ended(move) : unavailable(move, event.reason);
    case "broken":
      if (isGate(asked.what)) return unasked(move, asked.what, event.message);
      return asked.what === "terminate"
        ? notEnded(move, event.message)
        : broken(move, asked.what as RuntimeCall, event.message);
    case "failed":
      return failInternally(move, event.error);
    case "refused":
      return refused(move, event.message);
    case "deferred":
      // An attempt that has completed is not stored before it is known where the run goes from it.
      if (!isComplete(move.state.attempt.status)) move.save();
  }
}
