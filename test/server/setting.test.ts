import { describe, expect, test } from "bun:test";
import { parseJson, stringifyJson } from "../../src/json.ts";
import {
  allWorkflowParams,
  evaluateWorkflowParams,
  mergeStepParams,
  mergeWorkflowParams,
} from "../../src/param/index.ts";
import { type Config, loadConfig } from "../../src/server/config.ts";
import type { EvaluationSetup } from "../../src/server/evaluation/protocol.ts";
import { evaluationSetting, evaluationSetup } from "../../src/server/evaluation/setting.ts";
import { context } from "../param/support.ts";

const AROUND = { env: {}, cwd: "/nowhere", home: "/nowhere", uid: 1, cores: 1, terminal: false } as const;

/** As a thread gets it: by text. */
function settingOf(config: Partial<Config>) {
  const setup = evaluationSetup({ ...loadConfig(new Map(), AROUND), ...config }, [
    { type: "Greet", version: "1", title: "", schema: {}, code: [], defaultParams: PLUGIN },
  ]);
  return evaluationSetting(parseJson(stringifyJson(setup)) as unknown as EvaluationSetup);
}

const PLUGIN = {
  greeting: { type: "STRING", value: "hello" },
  volume: { type: "LONG", value: 3 },
};

describe("default params of the configuration", () => {
  const { catalog } = settingOf({
    defaultParams: {
      workflow: {
        TEAM: { type: "STRING", value: "data" },
        RUN_DATE_MINUS_7: null,
        TARGET_RUN_HOUR: { type: "STRING", value: "07" },
      },
      step: { note: { type: "STRING", expression: "step_id + '!'" } },
      types: {
        greet: { volume: { type: "LONG", value: 11 }, greeting: null },
        noop: { idle: { type: "BOOLEAN", value: true } },
      },
    },
  });

  test("replace, add and take away params of a run", () => {
    const merged = mergeWorkflowParams({ definition: {}, source: "LAUNCH", catalog });
    const params = allWorkflowParams(evaluateWorkflowParams(merged, context()));
    expect(params.TEAM).toMatchObject({ evaluated_result: "data", source: "SYSTEM_DEFAULT" });
    expect(params.TARGET_RUN_HOUR?.evaluated_result).toBe("07");
    expect(params).not.toHaveProperty("RUN_DATE_MINUS_7");
    expect(params.RUN_DATE?.evaluated_result).toBe("20231114");
  });

  test("change those of every step and of a plugin's type", () => {
    const greet = mergeStepParams({ stepType: "greet", source: "LAUNCH", fresh: true, catalog });
    expect(Object.keys(greet)).toEqual(["note", "volume"]);
    expect(greet.volume?.value).toBe(11);
    const noop = mergeStepParams({ stepType: "NoOp", source: "LAUNCH", fresh: true, catalog });
    expect(Object.keys(noop)).toEqual(["note", "idle"]);
  });
});

test("limits and switches reach the threads", () => {
  const { sel, params } = loadConfig(new Map(), AROUND);
  const setting = settingOf({
    environment: "staging",
    sel: { ...sel, loop: 7, visits: 8, timeoutMs: 9 },
    params: { ...params, enforceValidators: true, maxChars: 5_000 },
  });
  expect(setting).toMatchObject({
    environment: "staging",
    limits: { length: 10_000, loop: 7, array: 25_001, stack: 128, visit: 8, memory: 100_000_000, timeoutMillis: 9 },
    enforceValidators: true,
    maxChars: 5_000,
  });
  const merged = mergeWorkflowParams({
    definition: { s: { type: "STRING", value: "x".repeat(5_000) } },
    source: "LAUNCH",
  });
  expect(() => evaluateWorkflowParams(merged, context({ maxChars: setting.maxChars }))).toThrow("the limit is 5000");
});
