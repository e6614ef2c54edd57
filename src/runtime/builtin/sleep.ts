import { outside, RANGE } from "../../definition/range.ts";
import { badRequest } from "../../error.ts";
import { type Json, jsonToLong, stringifyJson } from "../../json.ts";
import type { StepResult } from "../../step/result.ts";
import type { AttemptContext } from "../type.ts";
import type { BuiltinRuntime } from "./type.ts";

const DEFAULT_SECONDS = 3;

/**
 * Ends `sleep_seconds` (LONG, default 3, at most 120 days) after the attempt's start time, so a fail-over does not
 * extend it; a time that has passed is no wait.
 */
export const sleep: BuiltinRuntime = {
  type: "Sleep",
  leaf: true,
  start: check,
  execute: check,
  terminate: () => ({ state: "STOPPED" }),
};

function check(context: AttemptContext, now: number): StepResult {
  const end = context.startTime + sleepMs(context.params.sleep_seconds);
  return now >= end ? { state: "DONE" } : { state: "CONTINUE", nextPollDelay: end - now };
}

/** @throws MaestroError when the param is not a LONG, or out of range. */
function sleepMs(value: Json | undefined): number {
  if (value === undefined) return DEFAULT_SECONDS * 1000;
  const long = jsonToLong(value);
  if (long === undefined) {
    throw badRequest(`Param [sleep_seconds] must be a LONG, such as 30, and is ${stringifyJson(value)}`);
  }
  const ms = Math.max(0, Number(long) * 1000);
  const problem = outside(RANGE.sleep, ms, value);
  if (problem !== undefined) throw badRequest(`Param [sleep_seconds]: ${problem}`);
  return ms;
}
