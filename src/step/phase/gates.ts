/** INITIALIZED to STARTING: through the gates, one after the other, as far as they let the step. */
import type { TimelineEvent } from "../../definition/timeline.ts";
import type { Params } from "../../param/type.ts";
import { GATES, type Gate, isGate, placeOf } from "../gate.ts";
import type { StepTemplate } from "../model.ts";
import { type Move, NO_TIMERS } from "../move.ts";
import type { GateName } from "../state.ts";
import type { StepStatus } from "../status.ts";

/** How long after a guard could not be asked it is asked again, ms. */
const ASK_AGAIN = 5_000;

/** @param path statuses that the step passes before, in this move */
export function pass(move: Move, path: StepStatus[] = []): void {
  const status = path.at(-1) ?? move.state.attempt.status;
  const here = GATES.findIndex((gate) => gate.status === status);
  passFrom(move, Math.max(0, here), path);
}

/** @param notes warnings for the timeline */
export function evaluated(
  move: Move,
  params: Params,
  template: StepTemplate | undefined,
  notes: readonly string[] = [],
): void {
  move.change({ params, paramsTime: move.now, ...(template && { template }) });
  for (const note of notes) move.note(note, "WARN");
  pass(move);
}

/** What the step waits for at a gate may have come. A question that is under way may have been answered without it. */
export function told(move: Move): void {
  const { phase, asked } = move.state;
  if (phase !== "gates") return;
  if (asked === undefined) pass(move);
  else if (isGate(asked.what)) move.state.woken = true;
}

/** The guard lets the step pass. */
export function opened(move: Move, gate: GateName, event: TimelineEvent | undefined): void {
  if (event) move.events([event]);
  passFrom(move, placeOf(gate) + 1, []);
}

/** The guard holds the step until it is told something else. @param reason a sentence for the timeline */
export function held(move: Move, gate: GateName, reason: string): void {
  const { status } = GATES[placeOf(gate)] as Gate;
  const { woken } = move.state;
  move.phase("gates");
  move.state.woken = false;
  const isEntered = move.state.attempt.status !== status;
  if (isEntered) move.enter(status);
  const { timeline } = move.state.attempt;
  move.note(reason);
  if (isEntered || move.state.attempt.timeline !== timeline) move.save();
  if (isEntered || woken) ask(move, gate, isEntered);
}

/** The guard could not be asked: the step stays where it is meanwhile. */
export function unasked(move: Move, gate: GateName, message: string): void {
  move.note(`The gate [${gate}] could not be asked and is asked again: ${message}`, "WARN");
  move.state.asked = undefined;
  move.arm({ again: move.now + ASK_AGAIN });
}

function passFrom(move: Move, first: number, path: StepStatus[]): void {
  move.phase("gates");
  let status = path.at(-1) ?? move.state.attempt.status;
  for (let place = first; place < GATES.length; place++) {
    const gate = GATES[place] as Gate;
    const isEntered = status !== gate.status && gate.entered === "always";
    if (isEntered) {
      status = gate.status;
      path.push(status);
    }
    const what = gate.check(move);
    if (what === undefined) continue;
    move.enterAll(path);
    if (!isGate(what)) return move.ask(what);
    // The guard's rows go with the one that says that the step is at its gate.
    if (isEntered) move.save();
    return ask(move, what, isEntered);
  }
  path.push("STARTING");
  move.enterAll(path);
  move.phase("launch");
  move.effects.push(READY);
}

function ask(move: Move, gate: GateName, isEntered: boolean): void {
  move.state.woken = false;
  move.state.timers = NO_TIMERS;
  move.askGuard(gate, isEntered);
}

const READY = { type: "ready" } as const;
