/** INITIALIZED to STARTING: through the gates, one after the other, as far as they let the step. */
import type { Params } from "../../param/type.ts";
import { GATES } from "../gate.ts";
import type { Move } from "../move.ts";
import type { StepStatus } from "../status.ts";

/** @param path statuses that the step passes before, in this move */
export function pass(move: Move, path: StepStatus[] = []): void {
  move.phase("gates");
  let status = path.at(-1) ?? move.state.attempt.status;
  const first = GATES.findIndex((gate) => gate.status === status);
  for (let index = Math.max(0, first); index < GATES.length; index++) {
    const gate = GATES[index] as (typeof GATES)[number];
    const answer = gate.check(move);
    if (status !== gate.status && (gate.entered === "always" || answer !== "passes")) {
      status = gate.status;
      path.push(status);
    }
    if (answer === "passes") continue;
    move.enterAll(path);
    if ("asks" in answer) return move.ask(answer.asks);
    move.note(answer.waits);
    return move.save();
  }
  path.push("STARTING");
  move.enterAll(path);
  move.phase("launch");
  move.effects.push(READY);
}

export function evaluated(move: Move, params: Params): void {
  move.change({ params, paramsTime: move.now });
  pass(move);
}

const READY = { type: "ready" } as const;
