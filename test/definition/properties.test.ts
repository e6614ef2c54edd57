import { expect, test } from "bun:test";
import { alertingSchema } from "../../src/definition/alerting.ts";
import { parseWire } from "../../src/definition/parse.ts";
import { applyUpdate, mergeForPush, type Properties, propertiesSchema } from "../../src/definition/properties.ts";
import { runStrategySchema } from "../../src/definition/strategy.ts";
import { parsePropertiesUpdateRequest } from "../../src/definition/validate.ts";
import { MaestroError } from "../../src/error.ts";

const properties = (json: unknown): Properties => parseWire(propertiesSchema, json, "refused");
const update = (json: unknown) => parsePropertiesUpdateRequest(json);

function details(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (error instanceof MaestroError) return error.details;
  }
  return [];
}

test.each([
  ["LAST_ONLY", { rule: "LAST_ONLY", workflow_concurrency: 1 }],
  ["parallel", { rule: "PARALLEL", workflow_concurrency: 20 }],
  [7, { rule: "PARALLEL", workflow_concurrency: 7 }],
  [
    { rule: "Parallel", workflow_concurrency: "3" },
    { rule: "PARALLEL", workflow_concurrency: 3 },
  ],
  [{ rule: "STRICT_SEQUENTIAL" }, { rule: "STRICT_SEQUENTIAL", workflow_concurrency: 1 }],
  [
    { rule: "FIRST_ONLY", workflow_concurrency: null },
    { rule: "FIRST_ONLY", workflow_concurrency: 1 },
  ],
  [{}, { rule: "SEQUENTIAL", workflow_concurrency: 1 }],
])("the run strategy %j is written as an object", (json, expected) => {
  const parsed = parseWire(runStrategySchema, json, "refused");
  expect(parsed).toEqual(expected as never);
  expect(parseWire(runStrategySchema, parsed, "refused")).toEqual(parsed);
});

test.each([
  "SOMETIMES",
  0,
  1001,
  { rule: "SEQUENTIAL", workflow_concurrency: 2 },
  { rule: "PARALLEL", extra: 1 },
  true,
])("the run strategy %j is refused", (json) => {
  expect(() => parseWire(runStrategySchema, json, "refused")).toThrow("refused");
});

const previous = properties({
  owner: { name: "ann", team: "x" },
  run_strategy: 7,
  step_concurrency: 5,
  alerting: { emails: ["a@b.test"] },
  alerting_disabled: true,
  time_trigger_disabled: true,
  description: "d1",
});

test("a first version needs an owner", () => {
  expect(details(() => mergeForPush(undefined, {}))).toEqual([
    "properties.owner: the first version of a workflow needs an owner",
  ]);
  expect(details(() => mergeForPush(undefined, undefined)).length).toBe(1);
  expect(mergeForPush(undefined, { owner: "bob" })).toEqual({ owner: "bob" });
});

test("a push without properties keeps the snapshot", () => {
  expect(mergeForPush(previous, undefined)).toBeUndefined();
});

test("a push resets run strategy, step concurrency and alerting when they are absent, and keeps the rest", () => {
  expect(mergeForPush(previous, properties({ step_concurrency: 9, description: "d2" }))).toEqual({
    owner: { name: "ann", team: "x" },
    step_concurrency: 9,
    alerting_disabled: true,
    time_trigger_disabled: true,
    description: "d2",
  });
});

test("an update replaces what it gives", () => {
  const { alerting: _, ...rest } = previous;
  expect(applyUpdate(previous, update({ owner: "bob", signal_trigger_disabled: false, alerting: {} }))).toEqual({
    ...rest,
    alerting: {},
    owner: "bob",
    signal_trigger_disabled: false,
  });
  expect(applyUpdate(previous, update({}))).toEqual(previous);
});

test("an update resets run strategy and step concurrency", () => {
  const reset = applyUpdate(previous, update({ reset_run_strategy_rule: true, reset_step_concurrency: true }));
  expect(reset.run_strategy).toBeUndefined();
  expect("step_concurrency" in reset).toBe(false);
  expect(applyUpdate(previous, update({ reset_workflow_concurrency: true })).run_strategy).toEqual({
    rule: "PARALLEL",
    workflow_concurrency: 20,
  });
  const lastOnly = properties({ run_strategy: "LAST_ONLY" });
  expect(applyUpdate(lastOnly, update({ reset_workflow_concurrency: true }))).toEqual(lastOnly);
});

test.each([
  [{ run_strategy: "SEQUENTIAL", reset_run_strategy_rule: true }],
  [{ run_strategy: 3, reset_workflow_concurrency: true }],
  [{ step_concurrency: 3, reset_step_concurrency: true }],
])("%j sets and resets the same thing", (json) => {
  expect(details(() => applyUpdate(previous, update(json)))[0]).toContain("set and reset");
});

test.each([
  [{ step_concurrency: 0 }],
  [{ step_concurrency: 1001 }],
  [{ tags: ["x"] }],
  [{ nonsense: 1 }],
  [{ alerting: { nonsense: 1 } }],
  [{ access_control: {} }],
  [{ description: "x".repeat(16_385) }],
])("an update with %j is refused", (json) => {
  expect(() => update(json)).toThrow("Invalid workflow properties update request");
});

test("alerting is written canonically", () => {
  const json = {
    emails: ["a", "a"],
    bypass_digest_config: { steps: ["s"] },
    type_configs: { STEP_FAILURE: { actions: ["EMAIL", "page"], granularity: "step" } },
    pagerduty_config: { severity: "warning" },
    tct: { completed_by_hour: 5 },
  };
  expect(parseWire(alertingSchema, json, "refused")).toEqual({
    emails: ["a"],
    bypass_digest_config: { workflow: false, steps: ["s"] },
    type_configs: { STEP_FAILURE: { actions: ["email", "page"], disabled: false, granularity: "STEP" } },
    pagerduty_config: { severity: "WARNING" },
    tct: { completed_by_hour: 5 },
  });
});

test.each([
  [{ tct: {} }, "tct: needs exactly one of"],
  [{ tct: { completed_by_hour: 1, duration_minutes: 1 } }, "tct: needs exactly one of"],
  [{ type_configs: { step_failure: {} } }, "type_configs"],
  [{ type_configs: { STEP_FAILURE: { actions: ["shout"] } } }, "type_configs.STEP_FAILURE.actions[0]"],
])("alerting with %j is refused", (json, place) => {
  expect(details(() => parseWire(alertingSchema, json, "refused"))[0]).toStartWith(place);
});
