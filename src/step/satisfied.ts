/** The engine's own param of every attempt that has begun: whether at least one incoming condition was true. */
import type { Parameter, Params } from "../param/type.ts";
import type { StepAttempt } from "./model.ts";

const SATISFIED = "maestro_step_satisfied";

/** An attempt's params with the engine's own one, which follows from its status and is not stored. */
export function withSatisfied({ status, times, params }: Pick<StepAttempt, "status" | "times" | "params">): Params {
  const unsatisfied = status === "UNSATISFIED";
  const time = unsatisfied ? times.end_time : times.initialize_time;
  return time === undefined ? params : { ...params, [SATISFIED]: literal(!unsatisfied, time) };
}

const literal = (value: boolean, time: number): Parameter => ({
  value,
  type: "BOOLEAN",
  evaluated_result: value,
  evaluated_time: time,
});
