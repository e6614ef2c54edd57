import { badRequest } from "../../error.ts";
import { isRawNumber, type Json, stringifyJson } from "../../json.ts";
import type { AttemptContext, StepResult } from "../type.ts";
import type { BuiltinRuntime } from "./type.ts";

const DEFAULT_SECONDS = 3;

/** Ends `sleep_seconds` (LONG, default 3) after the attempt's start time, so a fail-over does not extend it. */
export const sleep: BuiltinRuntime = {
  type: "Sleep",
  leaf: true,
  start: check,
  execute: check,
  terminate: () => ({ state: "STOPPED" }),
};

function check(context: AttemptContext, now: number): StepResult {
  const end = context.startTime + sleepSeconds(context.params.sleep_seconds) * 1000;
  return now >= end ? { state: "DONE" } : { state: "CONTINUE", nextPollDelay: end - now };
}

/** @throws MaestroError when the param is not a LONG. */
function sleepSeconds(value: Json | undefined): number {
  if (value === undefined) return DEFAULT_SECONDS;
  if (typeof value === "number" && Number.isInteger(value)) return value;
  if (isRawNumber(value) && /^-?\d+$/.test(value.rawJSON)) return Number(value.rawJSON);
  throw badRequest(`Param [sleep_seconds] must be a LONG, such as 30, and is ${stringifyJson(value)}`);
}
