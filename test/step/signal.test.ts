import { describe, expect, test } from "bun:test";
import { dynamicSignals, signalsProblem, signalsView } from "../../src/step/signal.ts";

const of = (...values: readonly object[]) => ({
  type: "DYNAMIC_OUTPUT",
  signal_outputs: values.map((evaluated_result) => ({ type: "MAP", evaluated_result })),
});
const info = { timestamp: 1, type: "LOG", level: "INFO", message: "two tables" };

describe("signals that a job names", () => {
  test("have texts and integers as params, and all else as payload", () => {
    const nested = { deep: [1.5] };
    expect(dynamicSignals(of({ name: "demo/table", day: 20260301, region: "eu", full: true, nested }))).toEqual([
      { name: "demo/table", params: { day: 20260301, region: "eu" }, payload: { full: true, nested } },
    ]);
  });

  test("are read from literals that were not evaluated", () => {
    const inner = { type: "MAP", value: { b: { type: "BOOLEAN", value: true } } };
    const value = { name: { type: "STRING", value: "t" }, at: { type: "LONG", value: 5 }, inner };
    expect(dynamicSignals({ signal_outputs: [{ type: "map", value }] })).toEqual([
      { name: "t", params: { at: 5 }, payload: { inner: { b: true } } },
    ]);
  });

  test("are shown with what the job says of them", () => {
    expect(signalsView({ maestro_dynamic_output: { ...of({ name: "t" }), info } })).toEqual({
      outputs: [{ name: "t" }],
      info,
    });
    expect(signalsView({})).toEqual({});
    expect(signalsView({ maestro_dynamic_output: of({ name: 1 }) })).toEqual({});
  });

  test.each([
    [of({}), "signal_outputs[0].name] must be a text"],
    [of({ name: "t" }, { name: " " }), "signal_outputs[1].name] must not be blank"],
    [of({ name: "maestro_t" }), 'signal_outputs[0].name] "maestro_t" must not start'],
    [of({ name: "t", half: 0.5 }), "signal_outputs[0].half] must be an integer"],
    [{ signal_outputs: {} }, "signal_outputs] must be a list"],
    [{ signal_outputs: [{ type: "STRING", value: "t" }] }, "signal_outputs[0]] must be a MAP param"],
  ])("%j can't be announced", (artifact, message) => {
    expect(signalsProblem({ maestro_dynamic_output: artifact })).toContain(`[maestro_dynamic_output.${message}`);
  });
});
