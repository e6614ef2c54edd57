/**
 * What stands between INITIALIZED and STARTING, in order. A gate lets the step pass, or holds it in its status: then it
 * says what has to be asked, or who will tell.
 */
import type { Move } from "./move.ts";
import type { GateName, Question } from "./state.ts";
import type { StepStatus } from "./status.ts";

export type GateAnswer = "passes" | { readonly asks: Question } | { readonly waits: string };

export interface Gate {
  /** Where it holds the step. */
  readonly status: StepStatus;
  /** A step that it lets pass at once does not enter the status. */
  readonly entered: "always" | "when held";
  check(move: Move): GateAnswer;
}

/** Held by something outside, which tells when it is over. */
const held =
  (gate: GateName) =>
  ({ facts }: Move): GateAnswer => {
    const waits = facts.holds[gate];
    return waits === undefined ? "passes" : { waits };
  };

const ASKS_PARAMS = { asks: "params" } as const;

export const GATES: readonly Gate[] = [
  { status: "PAUSED", entered: "when held", check: held("breakpoint") },
  { status: "WAITING_FOR_SIGNALS", entered: "always", check: held("signals") },
  {
    status: "EVALUATING_PARAMS",
    entered: "always",
    check: ({ state }) => (state.attempt.paramsTime === undefined ? ASKS_PARAMS : "passes"),
  },
  { status: "WAITING_FOR_PERMITS", entered: "always", check: held("permits") },
];
