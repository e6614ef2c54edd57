/** INITIALIZED to STARTING: through the gates, one after the other, as far as they let the step. */
import type { Params } from "../../param/type.ts";
import { GATES } from "../gate.ts";
import type { Move } from "../move.ts";
import type { StepStatus } from "../status.ts";

/** @param path statuses that the step has passed since it was last stored, in this move */
export function pass(move: Move, path: StepStatus[] = []): void {
  move.phase("gates");
  const status = path.at(-1) ?? move.state.attempt.status;
  for (const gate of GATES.slice(Math.max(0, indexOf(status)))) {
    const answer = gate.check(move);
    const isEntered = gate.entered === "always" || answer !== "passes";
    if (isEntered && (path.at(-1) ?? move.state.attempt.status) !== gate.status) path.push(gate.status);
    if (answer === "passes") continue;
    move.enter(...path);
    if ("asks" in answer) return move.ask(answer.asks);
    move.note(answer.waits);
    return move.save();
  }
  move.enter(...path, "STARTING");
  move.phase("launch");
  move.effects.push({ type: "ready" });
}

export function evaluated(move: Move, params: Params): void {
  move.state.attempt = { ...move.state.attempt, params, paramsTime: move.now };
  pass(move);
}

const indexOf = (status: StepStatus): number => GATES.findIndex((gate) => gate.status === status);
