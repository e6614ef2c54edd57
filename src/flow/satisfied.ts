import type { Parameter } from "../param/type.ts";

/** The engine's own param of every attempt: at least one incoming condition was true. */
export const satisfiedParam = (satisfied: boolean, now: number): Parameter => ({
  value: satisfied,
  type: "BOOLEAN",
  evaluated_result: satisfied,
  evaluated_time: now,
});
