import { expect, test } from "bun:test";
import { rawNumber } from "../../src/json.ts";
import { BUILTIN_RUNTIMES, type BuiltinRuntime } from "../../src/runtime/builtin/index.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import { contextOf } from "./harness.ts";

const noop = BUILTIN_RUNTIMES.get("NoOp") as BuiltinRuntime;
const sleep = BUILTIN_RUNTIMES.get("Sleep") as BuiltinRuntime;
const sleeping = (params: AttemptContext["params"]): AttemptContext => ({
  ...contextOf("Sleep", params),
  startTime: 1_000,
});

test("NoOp is done at once and stops when told", () => {
  const context = contextOf("NoOp", {});
  expect([noop.start(context, 0), noop.execute(context, 0), noop.terminate(context)].map(({ state }) => state)).toEqual(
    ["DONE", "DONE", "STOPPED"],
  );
});

test("Sleep waits for what is left of its time since the attempt's start", () => {
  expect(sleep.start(sleeping({}), 1_000)).toEqual({ state: "CONTINUE", nextPollDelay: 3_000 });
  expect(sleep.execute(sleeping({ sleep_seconds: 5 }), 5_500)).toEqual({ state: "CONTINUE", nextPollDelay: 500 });
  expect(sleep.execute(sleeping({ sleep_seconds: 5 }), 6_000)).toEqual({ state: "DONE" });
  expect(sleep.start(sleeping({ sleep_seconds: 0 }), 1_000)).toEqual({ state: "DONE" });
  expect(sleep.start(sleeping({ sleep_seconds: -1 }), 1_000)).toEqual({ state: "DONE" });
  expect(sleep.start(sleeping({ sleep_seconds: rawNumber("-9223372036854775808") }), 1_000)).toEqual({ state: "DONE" });
});

test("Sleep waits 120 days at most", () => {
  const longest = 120 * 86_400;
  expect(sleep.start(sleeping({ sleep_seconds: longest }), 1_000).nextPollDelay).toBe(longest * 1000);
  for (const sleep_seconds of [longest + 1, rawNumber("1795708700000000001"), rawNumber("9223372036854775807")]) {
    expect(() => sleep.start(sleeping({ sleep_seconds }), 1_000)).toThrow(
      "is out of range; it must be at most 10368000 seconds (120 days)",
    );
  }
});

test.each(["5", true, rawNumber("1.0"), 1.5, null])("Sleep refuses %p as seconds", (sleep_seconds) => {
  expect(() => sleep.start(sleeping({ sleep_seconds }), 1_000)).toThrow("Param [sleep_seconds] must be a LONG");
});
