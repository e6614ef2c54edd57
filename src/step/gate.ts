/**
 * What stands between INITIALIZED and STARTING, in order. A gate lets the step pass at once, or asks something of it: its
 * params, or, at a guarded gate, whoever guards it. A guard that holds the step says why, and is asked again when the step
 * is told that it may be let pass now.
 */
import type { Move } from "./move.ts";
import type { GateName, Question } from "./state.ts";
import type { StepStatus } from "./status.ts";

export interface Gate {
  /** Where the step is while it is asked and held. */
  readonly status: StepStatus;
  /**
   * `when held`: the status says that the step is held, so the guard is asked twice: whether it is to be, and, once the
   * rows that say so have committed, whether it still is.
   */
  readonly entered: "always" | "when held";
  /** What is to be asked before the step may pass; undefined: nothing. */
  check(move: Move): Question | undefined;
}

/** Outside of the status of a gate that is entered when it holds, only a guard that may hold the step is asked. */
const guarded =
  (gate: GateName, held?: StepStatus) =>
  ({ facts, state }: Move): GateName | undefined =>
    facts.guarded[gate] || state.attempt.status === held ? gate : undefined;

export const GATES: readonly Gate[] = [
  { status: "PAUSED", entered: "when held", check: guarded("breakpoint", "PAUSED") },
  { status: "WAITING_FOR_SIGNALS", entered: "always", check: guarded("signals") },
  {
    status: "EVALUATING_PARAMS",
    entered: "always",
    check: ({ state }) => (state.attempt.paramsTime === undefined ? "params" : undefined),
  },
  { status: "WAITING_FOR_PERMITS", entered: "always", check: guarded("permits") },
];

/** Where in {@link GATES} each guarded one stands. */
const PLACES: Readonly<Record<GateName, number>> = { breakpoint: 0, signals: 1, permits: 3 };

export const isGate = (what: Question): what is GateName => Object.hasOwn(PLACES, what);
export const placeOf = (gate: GateName): number => PLACES[gate];
