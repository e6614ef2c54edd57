import type { StepResult } from "../../step/result.ts";
import type { AttemptContext } from "../type.ts";

/**
 * A runtime that runs in place on an engine thread: synchronous, quick and without side effects. A throw means that
 * the step fails INTERNALLY_FAILED with the message.
 *
 * @param now epoch milliseconds.
 */
export interface BuiltinRuntime {
  /** Canonical name. */
  readonly type: string;
  readonly leaf: true;
  start(context: AttemptContext, now: number): StepResult;
  execute(context: AttemptContext, now: number): StepResult;
  terminate(context: AttemptContext): StepResult;
}
