import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { toErrorData } from "../../src/error.ts";
import { type Json, type JsonObject, parseJson } from "../../src/json.ts";
import { mergeOutputParams } from "../../src/param/output.ts";
import type { Params } from "../../src/param/type.ts";
import { MAX_OUTPUTS } from "../../src/runtime/output.ts";
import { readReport } from "../../src/runtime/report.ts";

const MARKER = "PARAM_VALUE_IDENTICAL_TO_EVALUATED_RESULT";
const refused = (params: JsonObject, artifacts: JsonObject = {}): string => {
  try {
    readReport(params, artifacts);
  } catch (error) {
    const { message, details } = toErrorData(error);
    return [message, ...details].join("\n");
  }
  return "";
};

describe("reported params", () => {
  test("keep each value once, and say their type or show it", () => {
    const { params } = readReport(
      {
        rows: { type: "LONG", value: "12" },
        day: "2026-03-01",
        tables: { type: "STRING_ARRAY", evaluated_result: ["a", "b"], evaluated_time: 5 },
      },
      {},
    );
    expect(params).toEqual({
      rows: { type: "LONG", evaluated_result: 12 },
      day: { type: "STRING", evaluated_result: "2026-03-01" },
      tables: { type: "STRING_ARRAY", evaluated_result: ["a", "b"], evaluated_time: 5 },
    });
  });

  test("may have upstream's marker in the place of a value", () => {
    const long = "x".repeat(2_000);
    const { params } = readReport(
      {
        text: { type: "STRING", value: MARKER, evaluated_result: long },
        list: { type: "STRING_ARRAY", value: [MARKER], evaluated_result: ["a"] },
      },
      {},
    );
    expect([params?.text?.evaluated_result, params?.list?.evaluated_result]).toEqual([long, ["a"]]);
    expect(refused({ text: { type: "STRING", value: MARKER } })).toContain("Output [text]");
    expect(refused({ list: { type: "STRING_ARRAY", value: [MARKER] } })).toContain("no evaluated_result");
  });

  test("have room for 750,000 characters, each value counted once", () => {
    const text = "x".repeat(MAX_OUTPUTS - 100);
    expect(readReport({ text: { type: "STRING", value: text, evaluated_result: text } }, {}).params).toBeDefined();
    expect(refused({ text: "x".repeat(MAX_OUTPUTS) })).toContain("more than 750000");
    expect(refused({ text }, { a: { text: "x".repeat(1_000) } })).toContain("more than 750000");
  });

  test("are told where they are wrong", () => {
    expect(refused({ rows: { type: "LONG", value: "many" } })).toContain("Output [rows] is declared LONG");
    expect(refused({ rows: { type: "NUMBER", value: 1 } })).toContain("Output [rows] has type [NUMBER]");
    expect(refused({ rows: [1, "a"] })).toContain("Output [rows] mixes LONG and STRING");
    expect(refused({})).toContain("no outputs");
  });
});

describe("reported artifacts", () => {
  test("are free-form, or those that the engine reads", () => {
    const artifacts = {
      mine: { any: [1] },
      maestro_retry: { type: "RETRY", retryable: false },
      maestro_dynamic_output: { signal_outputs: [{ type: "MAP", evaluated_result: { name: "t" } }] },
    };
    expect(readReport({}, artifacts)).toEqual({ params: {}, artifacts });
  });

  test("are not those of the engine and its runtimes", () => {
    expect(refused({}, { maestro_foreach: {} })).toContain(
      "artifacts.maestro_foreach: a name that begins with maestro_",
    );
    expect(refused({}, { mine: "text" })).toContain("Artifact [mine] must be an object");
    expect(refused({}, { maestro_retry: { retryable: "no" } })).toContain("must be true or false");
    expect(refused({}, { maestro_dynamic_output: { signal_outputs: 1 } })).toContain("must be a list");
  });
});

const compat = resolve(process.env.MAESTRO_COMPAT_DIR ?? resolve(import.meta.dir, "../../../shared/compat"));
const folder = resolve(compat, "fixtures");
const fixture = (name: string): JsonObject => parseJson(readFileSync(resolve(folder, name), "utf8")) as JsonObject;
const results = (params: Params | JsonObject): Record<string, Json | undefined> =>
  Object.fromEntries(Object.entries(params).map(([name, param]) => [name, (param as JsonObject).evaluated_result]));

describe.skipIf(!existsSync(folder))("upstream's recorded output data", () => {
  test.each([
    "outputdata/sample-output-data.json",
    "outputdata/sample-output-data-payload.json",
    "api/sample-output-data-request.json",
  ])("%s is read whole", (name) => {
    const { params = {}, artifacts = {} } = fixture(name) as Record<string, JsonObject>;
    const reported = readReport(params, artifacts);
    expect(results(reported.params ?? {})).toEqual(results(params));
    expect(reported.artifacts as object).toEqual(artifacts);
  });

  test("changes what a step has as upstream's does", () => {
    const step = fixture("outputdata/sample-output-data-params-defaults.json") as unknown as Params;
    const updated = fixture("outputdata/sample-output-data-params-updated.json");
    const { params = {} } = readReport(updated, {});
    const identity = { workflow_instance_id: 1, step_instance_uuid: "u", step_attempt_id: 1, step_id: "s" };
    const merged = mergeOutputParams({ params: step, identity, time: 1 }, params, 99).params;
    for (const [name, param] of Object.entries(updated as unknown as Params)) {
      const { value, evaluated_result, evaluated_time } = param;
      if (param.type !== "MAP") expect(merged[name]?.value).toEqual(value as never);
      expect(merged[name]).toMatchObject({ evaluated_result, evaluated_time, source: "OUTPUT_PARAMETER" } as object);
    }
  });
});
