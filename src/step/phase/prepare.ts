/** CREATED: whether the step runs, and under which limits. */
import { DEFAULT_RETRY_POLICY } from "../../definition/retry.ts";
import type { Move } from "../move.ts";
import { policyToRead } from "../node.ts";
import type { Settings } from "../state.ts";
import { settle } from "./finish.ts";
import { pass } from "./gates.ts";

/**
 * @param satisfied at least one incoming condition was true; a step without predecessors always is
 * @param skipped the step is to end SKIPPED instead
 */
export function prepare(move: Move, satisfied: boolean, skipped = false): void {
  move.phase("prepare");
  if (!satisfied) return skip(move);
  if (skipped) return leaveOut(move);
  const { timeout } = move.facts.node.body;
  if (timeout === undefined && policyToRead(move.facts.node, move.state.attempt) === undefined)
    return pass(move, ["INITIALIZED"]);
  move.ask("settings");
}

export function prepared(move: Move, { timeoutMs, plan, planProblem }: Settings): void {
  const { retry } = move.state.attempt;
  const read = planProblem === undefined ? plan : DEFAULT_RETRY_POLICY;
  move.change({ timeoutMs, ...(read && { retry: { ...retry, plan: read } }) });
  if (planProblem !== undefined) {
    move.note(`The retry policy cannot be used, so the default one applies: ${planProblem}`, "WARN");
  }
  pass(move, ["INITIALIZED"]);
}

function leaveOut(move: Move): void {
  move.note("The step is skipped, as the restart of its run asks");
  move.enter("SKIPPED");
  settle(move);
}

function skip(move: Move): void {
  const conditions = Object.fromEntries(move.facts.node.successors.map(([id]) => [id, false]));
  move.change({ conditions, conditionsTime: move.now });
  move.enter("UNSATISFIED");
  settle(move);
}
