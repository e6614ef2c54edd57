/** A step that has ended and is not complete is tried again by its user, while its run lasts. */
import type { Move } from "../move.ts";
import type { Again } from "../state.ts";
import { isRestartable } from "../status.ts";
import { prepare } from "./prepare.ts";
import { followByHand } from "./retry.ts";
import { endAsTold } from "./terminate.ts";

/** @param uuid of the new attempt */
export function tryAgain(move: Move, { restart, note, termination }: Again, uuid: string): void {
  const before = move.state.attempt;
  if (move.state.phase !== "ended" || !isRestartable(before.status)) return;
  followByHand(move, uuid, restart);
  if (termination) {
    // What the failed attempt knew is what the step has to show.
    if (termination.status === "SUCCEEDED") move.change({ params: before.params, paramsTime: before.paramsTime });
    move.note(note);
    return endAsTold(move, termination);
  }
  move.note(note);
  move.save();
  prepare(move, true);
}
