/** What an engine thread is told when it is made, and how texts between it and main are marked. */
import type { LogStyle } from "../../log.ts";
import type { EvaluationSetup } from "../evaluation/protocol.ts";

export interface EngineSetup extends EvaluationSetup {
  readonly session: string;
  readonly databaseUrl: string;
  /** This thread's number. */
  readonly index: number;
  readonly runtimeThreads: number;
  /** Of this node: where its runtimes keep the files of attempts. */
  readonly dataDir: string;
  readonly groups: number;
  /** Workflow params that subworkflows get in spite of `explicit_params`. */
  readonly alwaysPassDown: readonly string[];
  /** How jobs get at the API, and the key of their tokens. */
  readonly callback: { readonly url: string; readonly key: string };
  readonly log: LogStyle;
}

/**
 * The first character of a text between main and an engine thread says what the rest is. `setup` and `stop` go to the
 * thread; `ready`, `stopped` and `log` come from it; `frame` is the engine's own protocol, `runtime` that of step
 * runtimes, `evaluate` that of the evaluation thread.
 */
export const MARK = {
  setup: "s",
  stop: "x",
  ready: "y",
  stopped: "z",
  log: "l",
  frame: "f",
  runtime: "r",
  evaluate: "e",
} as const;
