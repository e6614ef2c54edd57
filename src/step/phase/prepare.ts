/** CREATED: whether the step runs, and under which limits. */
import { DEFAULT_RETRY_POLICY } from "../../definition/retry.ts";
import { withEvents } from "../attempt.ts";
import { logEvent } from "../event.ts";
import type { Move } from "../move.ts";
import type { Settings } from "../state.ts";
import { settle } from "./finish.ts";
import { pass } from "./gates.ts";

/** @param satisfied at least one incoming condition was true; a step without predecessors always is */
export function prepare(move: Move, satisfied: boolean): void {
  move.phase("prepare");
  if (!satisfied) return skip(move);
  const { timeout } = move.facts.node.body;
  if (timeout === undefined && !asksForPolicy(move)) return pass(move, ["INITIALIZED"]);
  move.ask("settings");
}

export function prepared(move: Move, { timeoutMs, plan, planProblem }: Settings): void {
  const { attempt } = move.state;
  const retry = planProblem === undefined ? plan : DEFAULT_RETRY_POLICY;
  const limited = { ...attempt, timeoutMs, ...(retry && { retry: { ...attempt.retry, plan: retry } }) };
  const warning = `The retry policy cannot be used, so the default one applies: ${planProblem}`;
  move.state.attempt = withEvents(limited, planProblem === undefined ? [] : [logEvent(warning, move.now, "WARN")]);
  pass(move, ["INITIALIZED"]);
}

/** The policy is read once, by the step's first attempt; the later ones carry it on. */
function asksForPolicy({ state: { attempt }, facts }: Move): boolean {
  return facts.node.typed?.retry_policy !== undefined && attempt.attemptId === 1 && attempt.retry.plan === undefined;
}

function skip(move: Move): void {
  const conditions = Object.fromEntries(move.facts.node.successors.map(([id]) => [id, false]));
  move.state.attempt = { ...move.state.attempt, conditions, conditionsTime: move.now };
  move.enter("UNSATISFIED");
  settle(move);
}
