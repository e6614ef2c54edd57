// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/json.ts";
import { deriveDefault, WORKFLOW_DEFAULTS } from "../../src/param/derive.ts";
import { selExtension } from "../../src/param/extension.ts";
import {
  allStepParams,
  allWorkflowParams,
  buildCatalog,
  evaluateWorkflowParams,
  mergeStepParams,
  mergeWorkflowParams,
  type WorkflowParams,
} from "../../src/param/index.ts";
import { toJson, toSel } from "../../src/param/literal.ts";
import { dateText, hourText, instantOf, offsetAt, plusDays } from "../../src/param/zone.ts";
import { evaluate } from "../../src/sel/index.ts";
import { context, NOW, runStep, scope, start } from "./support.ts";

const HOUR = 3_600_000;

function derived(run: WorkflowParams): Record<string, Json | undefined> {
  return Object.fromEntries(
    Object.entries(allWorkflowParams(run)).map(([name, param]) => [name, param.evaluated_result]),
  );
}

describe("built-in workflow params", () => {
  test("follow from the time of the start", () => {
    expect(derived(start({}))).toEqual({
      DSL_DEFAULT_TZ: "UTC",
      WORKFLOW_CRON_TIMEZONE: "UTC",
      RUN_TS: NOW,
      TARGET_RUN_DATE: "20231114",
      TARGET_RUN_HOUR: "22",
      DERIVED_RUN_TS: Date.parse("2023-11-14T22:00:00Z"),
      DERIVED_RUN_DATE_US_PACIFIC: "20231114",
      DERIVED_RUN_DATE_US_PACIFIC_MINUS_ONE: "20231113",
      DERIVED_RUN_DATE_UTC: "20231114",
      DERIVED_RUN_DATE_UTC_MINUS_ONE: "20231113",
      DERIVED_RUN_DATE_UTC_PLUS_ONE: "20231115",
      DERIVED_RUN_DATE_UTC_MINUS_ONE_HOUR: "20231114",
      DERIVED_RUN_DATE_UTC_PLUS_ONE_HOUR: "20231114",
      DERIVED_RUN_HOUR_US_PACIFIC: "14",
      DERIVED_RUN_HOUR_UTC: "22",
      DERIVED_RUN_HOUR_UTC_MINUS_ONE_HOUR: "21",
      DERIVED_RUN_HOUR_UTC_PLUS_ONE_HOUR: "23",
      LOCAL_RUN_DATE: "20231114",
      RUN_DATE: "20231114",
      RUN_DATE_MINUS_1: "20231113",
      RUN_DATE_MINUS_7: "20231107",
      owner: "ann",
      workflow_id: "wf",
    });
  });

  test("have the wire shape of evaluated defaults", () => {
    const all = allWorkflowParams(start({}));
    expect(all.RUN_DATE).toEqual({
      expression: "new DateTime(RUN_TS).withZone(DateTimeZone.forID('UTC')).toString('yyyyMMdd');",
      type: "STRING",
      tags: [],
      mode: "MUTABLE_ON_START",
      evaluated_result: "20231114",
      evaluated_time: NOW,
      source: "SYSTEM_DEFAULT",
    });
    expect(all.owner).toMatchObject({ mode: "CONSTANT", source: "SYSTEM_DEFAULT" });
    expect(all.owner).not.toHaveProperty("internal_mode");
    expect(all).not.toHaveProperty("job_template_version");
  });

  test("follow an overridden one, and the initiator's time zone", () => {
    const runParams = { RUN_TS: { type: "LONG", value: Date.parse("2024-01-01T02:30:00Z") } } as const;
    const merged = mergeWorkflowParams({ runParams, source: "LAUNCH" });
    const instance = { ...context().instance, initiator_timezone: "America/New_York" };
    const run = evaluateWorkflowParams(merged, context({ instance }));
    expect(derived(run)).toMatchObject({
      WORKFLOW_CRON_TIMEZONE: "America/New_York",
      TARGET_RUN_DATE: "20231231",
      TARGET_RUN_HOUR: "21",
      LOCAL_RUN_DATE: "20231231",
      RUN_DATE: "20240101",
      DERIVED_RUN_TS: Date.parse("2024-01-01T02:00:00Z"),
    });
    expect(run.params.RUN_TS).toMatchObject({ mode: "MUTABLE_ON_START", source: "LAUNCH" });
  });

  test("can be referred to, also by what overrides another one", () => {
    const run = start({
      d: { type: "STRING", value: "day=${RUN_DATE}" },
      RUN_DATE: { type: "STRING", value: "$TARGET_RUN_DATE!" },
    });
    expect(run.params.d?.evaluated_result).toBe("day=20231114!");
  });

  test("that can't be derived refuse the start", () => {
    const zone = { WORKFLOW_CRON_TIMEZONE: { type: "STRING", value: "Mars/Olympus" } } as const;
    expect(() => start(zone)).toThrow(/time zone \[Mars\/Olympus\] is not known/);
    expect(() => start({ TARGET_RUN_DATE: { type: "STRING", value: "soon" } })).toThrow(/\[soon22\].*yyyyMMdd/);
    expect(() => start({ RUN_TS: { type: "LONG", value: 9e15 } })).toThrow(/is no time/);
  });

  test("belong to the system where they are reserved", () => {
    expect(() => start({ owner: { type: "STRING", value: "eve" } })).toThrow(/\[CONSTANT\] for parameter \[owner\]/);
    expect(() => start({}, { runParams: { workflow_id: { type: "STRING", value: "x" } } })).toThrow(/\[workflow_id\]/);
  });

  test("can be replaced, taken away and added to by configuration", () => {
    const catalog = buildCatalog({
      workflow: {
        RUN_DATE: { type: "STRING", value: "fixed" },
        RUN_DATE_MINUS_7: null,
        team: { type: "STRING", value: "data" },
      },
    });
    const all = derived(start({}, { catalog }));
    expect(all).toMatchObject({ RUN_DATE: "fixed", team: "data", RUN_DATE_MINUS_1: "20231113" });
    expect(all).not.toHaveProperty("RUN_DATE_MINUS_7");
  });
});

describe("direct computation of a default", () => {
  const times = [
    NOW,
    Date.parse("2024-03-10T09:59:59Z"),
    Date.parse("2024-11-03T08:30:00Z"),
    Date.parse("2024-12-31T23:59:59Z"),
    0,
  ];
  const zones = [undefined, "America/Los_Angeles", "Asia/Kolkata", "Pacific/Auckland"];
  const cases = times.flatMap((time) => zones.map((zone) => [new Date(time).toISOString(), zone, time] as const));

  test.each(cases)("equals its expression at %s in %s", (_text, zone, now) => {
    const at = context({ now, instance: { ...context().instance, initiator_timezone: zone } });
    const inputs = { run_ts: now, initiator_timezone: zone, owner: "ann", workflow_id: "wf", time: now };
    const direct = (name: string): Json => deriveDefault(name, inputs, direct)?.evaluated_result ?? null;
    for (const [name, { param }] of WORKFLOW_DEFAULTS) {
      const variables = (other: string) => toSel(WORKFLOW_DEFAULTS.get(other)?.param.type ?? "STRING", direct(other));
      const value = evaluate(param.expression ?? "", { variables, extension: selExtension(at), now, seed: 1 });
      expect([name, direct(name)]).toEqual([name, toJson(value)]);
    }
  });
});

describe("calendar arithmetic", () => {
  const ny = "America/New_York";
  test("offsets", () => {
    expect(offsetAt(ny, Date.parse("2024-03-10T06:59:59Z"))).toBe(-5 * HOUR);
    expect(offsetAt(ny, Date.parse("2024-03-10T07:00:00Z"))).toBe(-4 * HOUR);
    expect(offsetAt("Asia/Kolkata", NOW)).toBe(5.5 * HOUR);
    expect(offsetAt("UTC", NOW)).toBe(0);
  });

  test("a local hour that happens twice is the earlier one, one that is skipped is refused", () => {
    expect(instantOf("20241103", "01", ny)).toBe(Date.parse("2024-11-03T05:00:00Z"));
    expect(() => instantOf("20240310", "02", ny)).toThrow(/does not exist/);
    expect(instantOf("20240310", "03", ny)).toBe(Date.parse("2024-03-10T07:00:00Z"));
    expect(() => instantOf("20240310", "24", ny)).toThrow(/is not a date and hour/);
  });

  test("days keep the local time over a change of clocks", () => {
    const noon = Date.parse("2024-03-09T17:00:00Z");
    expect(hourText(noon, ny)).toBe("12");
    expect(hourText(plusDays(noon, 1, ny), ny)).toBe("12");
    expect(plusDays(noon, 1, ny) - noon).toBe(23 * HOUR);
    expect(dateText(plusDays(noon, -10, ny), ny)).toBe("20240228");
  });
});

describe("built-in step params", () => {
  test("every step has four", () => {
    const step = runStep({}, scope(start({})));
    expect(step.params).toEqual({});
    const all = allStepParams(step);
    expect(Object.fromEntries(Object.entries(all).map(([name, param]) => [name, param.evaluated_result]))).toEqual({
      workflow_instance_id: 7,
      step_instance_uuid: "4f3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e6f",
      step_attempt_id: 1,
      step_id: "me",
    });
    expect(all.step_id).toEqual({
      expression: "params.getFromStep('step_id');",
      type: "STRING",
      tags: [],
      mode: "CONSTANT",
      source: "SYSTEM_DEFAULT",
      evaluated_result: "me",
      evaluated_time: NOW,
    });
  });

  test("are reserved, and can be referred to", () => {
    const at = scope(start({}));
    expect(() => runStep({ step_id: { type: "STRING", value: "x" } }, at)).toThrow(/\[step_id\]/);
    const step = runStep({ name: { type: "STRING", value: "${workflow_instance_id}/$step_attempt_id" } }, at);
    expect(step.params.name?.evaluated_result).toBe("7/1");
  });

  const loop = { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [7] } } } as const;
  const merge = (stepType: string, definition = {}) =>
    mergeStepParams({ stepType, definition, source: "LAUNCH", fresh: true });

  test("of loops", () => {
    expect(merge("foreach", { loop_params: loop })).toEqual({
      loop_params: {
        value: { i: { value: [7], type: "LONG_ARRAY", tags: [], mode: "MUTABLE_ON_START", source: "DEFINITION" } },
        type: "MAP",
        validator: "@NotEmpty",
        tags: [],
        mode: "MUTABLE_ON_START",
        source: "DEFINITION",
      },
      loop_index: {
        value: -1,
        type: "LONG",
        validator: "@Min(0)",
        tags: [],
        mode: "CONSTANT",
        source: "SYSTEM_DEFAULT",
      },
    });
    expect(merge("While", { loop_params: loop }).condition).toMatchObject({ value: false, mode: "CONSTANT" });
    expect(() => merge("foreach")).toThrow("[loop_params] is a required parameter (type=[MAP])");
  });

  test("of subworkflows", () => {
    expect(() => merge("subworkflow")).toThrow("[subworkflow_id] is a required parameter");
    const kid = { subworkflow_id: { type: "STRING", value: "kid" } };
    expect(merge("subworkflow", kid).subworkflow_version).toEqual({
      value: "active",
      type: "STRING",
      validator: "@NotEmpty",
      tags: [],
      mode: "MUTABLE_ON_START",
      source: "SYSTEM_DEFAULT",
    });
  });

  test("of http, kubernetes and notebook steps", () => {
    const text = (value: string) => ({ type: "STRING", value });
    const http = merge("Http", { http: { type: "MAP", value: { url: text("http://x") } } });
    expect(Object.keys((http.http?.value ?? {}) as object)).toEqual(["url", "method", "headers"]);
    expect(http.http).toMatchObject({ source: "DEFINITION", tags: [{ name: "http" }] });
    expect(() => merge("Http")).toThrow("[http.url] is a required parameter");
    const pod = merge("Kubernetes", { kubernetes: { type: "MAP", value: { image: text("busybox") } } });
    expect(Object.keys((pod.kubernetes?.value ?? {}) as object)).toEqual(["app_name", "image", "env"]);
    const notebook = merge("Notebook", {
      kubernetes: { type: "MAP", value: { image: text("python:3") } },
      notebook: { type: "MAP", value: { input_path: text("a.ipynb") } },
    });
    expect(Object.keys((notebook.notebook?.value ?? {}) as object)).toEqual([
      "init_command",
      "input_path",
      "output_path",
      "run_id",
    ]);
  });
});
