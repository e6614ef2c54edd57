/** Maps by texts of users hold every text, and nothing that nobody put there. */
import { describe, expect, test } from "bun:test";
import { mapOf, text } from "../src/definition/wire.ts";
import { type Json, type JsonObject, parseJson, stringifyJson } from "../src/json.ts";
import { buildCatalog } from "../src/param/defaults.ts";
import { toDefinition } from "../src/param/definition.ts";
import { sameLiteral, sameParam } from "../src/param/equal.ts";
import { allStepParams, allWorkflowParams } from "../src/param/index.ts";
import { mergeOutputParams } from "../src/param/output.ts";
import type { Parameter } from "../src/param/type.ts";
import { own } from "../src/record.ts";
import { evaluateJob } from "../src/run/evaluation.ts";
import { outputParams } from "../src/runtime/output.ts";
import { StepTypeRegistry } from "../src/runtime/registry.ts";
import { takeResult, toPlain } from "../src/runtime/result.ts";
import { mergeArtifacts } from "../src/step/attempt.ts";
import { context, finishedStep, runStep, scope, start } from "./param/support.ts";
import { INHERITED, USABLE } from "./support/name.ts";

const record = <V>(value: (name: string) => V): { readonly [name: string]: V } =>
  Object.fromEntries(INHERITED.map((name) => [name, value(name)]));
const texts = record((name) => `of ${name}`);
const string = (value: string) => ({ type: "STRING", value }) as const;
const TYPE = { type: "t" } as never;

test("an entry of a record is its own", () => {
  for (const name of INHERITED) {
    expect(own<unknown>({}, name)).toBeUndefined();
    expect(own(texts, name)).toBe(`of ${name}`);
  }
  expect(own(undefined, "x")).toBeUndefined();
});

test("JSON keeps every key, with exact numbers beside it, too", () => {
  const json = stringifyJson({ ...texts, n: 1 });
  expect(stringifyJson(parseJson(json))).toBe(json);
  const exact = json.replace('"n":1', '"n":1.0');
  expect(stringifyJson(parseJson(exact))).toBe(exact);
});

test("a map on the wire is an object, not a number", () => {
  expect(mapOf(text).safeParse(parseJson("1.50")).success).toBe(false);
  expect(mapOf(text).parse(parseJson('{"constructor": 1.50}'))).toEqual({ constructor: "1.50" });
});

describe("what a plugin answers", () => {
  test("keeps every key of outputs and artifacts", () => {
    const { outputs, artifacts } = takeResult(
      TYPE,
      { state: "DONE", outputs: { m: texts, ...texts }, artifacts: { a: texts } },
      0,
    );
    expect(stringifyJson(outputs?.m?.evaluated_result)).toBe(stringifyJson(texts));
    expect(Object.keys(outputs ?? {})).toEqual(["m", ...INHERITED]);
    expect(stringifyJson(artifacts?.a)).toBe(stringifyJson(texts));
    expect(stringifyJson(toPlain(texts))).toBe(stringifyJson(texts));
  });

  test("adds to the artifacts that are there, whatever their keys", () => {
    const first = record((name): JsonObject => ({ [name]: 1 }));
    const second = record((): JsonObject => ({ second: 2 }));
    expect(stringifyJson(mergeArtifacts({}, first))).toBe(stringifyJson(first));
    const merged = mergeArtifacts(first, second);
    for (const name of INHERITED) expect(stringifyJson(own(merged, name))).toBe(`{"${name}":1,"second":2}`);
  });

  test("merges into the step's params, entry by entry", () => {
    const declared = { type: "MAP", value: { base: { type: "MAP", value: {} } } } as const;
    const step = runStep(
      { m: declared, ...Object.fromEntries(USABLE.map((name) => [name, string("")])) },
      scope(start({})),
    );
    const own_ = Object.fromEntries(USABLE.map((name) => [name, `out ${name}`]));
    const merged = mergeOutputParams(step, outputParams({ m: { base: texts, ...texts }, ...own_ }, {}), 0);
    const again = mergeOutputParams(merged, outputParams({ m: { base: { last: "1" } } }, {}), 0);
    const result = again.params.m?.evaluated_result;
    expect(stringifyJson(result)).toBe(stringifyJson({ base: { ...texts, last: "1" }, ...texts }));
    for (const name of USABLE) expect(own(again.params, name)?.evaluated_result).toBe(`out ${name}`);
    expect(stringifyJson(own(toDefinition(again.params.m as Parameter).value as JsonObject, "__proto__"))).toContain(
      "of __proto__",
    );
  });

  test("is refused under a name that the step does not declare, whatever every object inherits", () => {
    const step = runStep({}, scope(start({})));
    for (const name of USABLE) {
      expect(() => mergeOutputParams(step, outputParams({ [name]: 1 }, {}), 0)).toThrow(`[${name}], not defined`);
    }
  });
});

describe("params", () => {
  test("are all in the wire shape of a run and of a step", () => {
    const params = record((name) => ({ ...string(name), evaluated_result: name, evaluated_time: 1 }));
    const { defaults } = start({});
    expect(Object.keys(allWorkflowParams({ params, defaults }))).toEqual(expect.arrayContaining([...INHERITED]));
    const { identity } = runStep({}, scope(start({})));
    expect(Object.keys(allStepParams({ params, identity, time: 1 }))).toEqual(expect.arrayContaining([...INHERITED]));
  });

  test("that only one of two has make them differ", () => {
    for (const name of INHERITED) {
      const [one, other] = [{ [name]: 1 }, { other: 1 }];
      expect([sameLiteral(one, other), sameLiteral(other, one)]).toEqual([false, false]);
      expect(sameLiteral(one, { [name]: 1 })).toBe(true);
      const map = (value: object) => ({ type: "MAP", value }) as never;
      expect(sameParam(map({ [name]: string("") }), map({ other: string("") }))).toBe(false);
    }
  });

  test("of a step are read by other steps on the evaluation thread, and missing ones are not found", () => {
    const instance = context().instance;
    const setting = { environment: "test", limits: {}, catalog: buildCatalog() };
    const { facts, workflow } = scope(start({}));
    const evaluate = (finished: JsonObject, expression: string) =>
      evaluateJob(
        { kind: "condition", instance, now: 0, seed: 0, expression, step: { facts, workflow, finished } as never },
        setting,
      );
    for (const name of USABLE) {
      const step = finishedStep(name, { [name]: { ...string("x"), evaluated_result: "x", evaluated_time: 1 } });
      expect(evaluate({ [name]: step as unknown as Json }, `${name}__${name} == 'x'`)).toBe(true);
      expect(() => evaluate({}, `${name}__${name} == 'x'`)).toThrow();
      expect(() => evaluate({}, `${name} == 'x'`)).toThrow(`The referenced param [${name}] is not found`);
    }
  });
});

test("a plugin's required settings with such names are missed, and its defaults may be for a type with such a name", () => {
  const schema = {
    type: "object",
    required: USABLE,
    properties: Object.fromEntries(USABLE.map((name) => [name, { type: "string" }])),
  };
  const registry = new StepTypeRegistry([{ type: "t", schema, defaultParams: {} } as never]);
  expect(registry.check("t", { t: { type: "MAP", value: {} } })).toEqual(
    USABLE.map((name) => `Param [t.${name}] is required`),
  );
  expect(registry.check("t", {})).toHaveLength(USABLE.length);
  for (const name of USABLE) {
    expect(new StepTypeRegistry([]).find(name)).toBeUndefined();
    const types = { [name]: { x: { type: "LONG", value: 1 } } } as const;
    expect(buildCatalog({ types }).types.get(name)?.has("x")).toBe(true);
  }
});
