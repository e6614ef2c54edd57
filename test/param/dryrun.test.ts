// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import { type DryRun, dryRunWorkflowParams, type ParamDefinitions } from "../../src/param/index.ts";
import { NOW, results } from "./support.ts";

function dryRun(definition: ParamDefinitions, more: Partial<DryRun> = {}) {
  const run: DryRun = {
    definition,
    signals: new Set(["sig"]),
    triggerParams: new Set(["day"]),
    workflowId: "wf",
    owner: "ann",
    environment: "test",
    ...more,
  };
  return results(dryRunWorkflowParams(run, { now: NOW, seed: 1 }).params);
}

const text = (value: string) => ({ type: "STRING", value }) as const;

describe("a dry run", () => {
  test("evaluates params as a start does", () => {
    expect(dryRun({ a: text("$RUN_DATE by $owner") })).toEqual({ a: "20231114 by ann" });
    expect(() => dryRun({ a: text("$nope") })).toThrow(/\[nope\]/);
  });

  test("stands in for signals that are declared", () => {
    expect(dryRun({ a: text("${sig__day}") })).toEqual({ a: "20220101" });
    expect(() => dryRun({ a: text("${other__day}") })).toThrow(/\[other\] is not declared/);
  });

  test("runs as VALIDATION", () => {
    const who = { type: "STRING", expression: "params.getFromInstance('INITIATOR_TYPE')" } as const;
    const day = { type: "STRING", expression: "params.getFromSignal('day')" } as const;
    expect(dryRun({ who, day })).toEqual({ who: "VALIDATION", day: "20220101" });
  });

  test("gives dates to params that expect them", () => {
    const dates = { FROM_DATE: text("$TO_DATE"), TO_DATE: { type: "LONG", value: 1 } } as const;
    expect(dryRun(dates)).toEqual({ FROM_DATE: "20210101", TO_DATE: 1 });
  });

  test("looks at the workflow's own time zone", () => {
    const param = { z: text("$DSL_DEFAULT_TZ $LOCAL_RUN_DATE") };
    expect(dryRun(param, { timezone: "Asia/Tokyo" })).toEqual({ z: "Asia/Tokyo 20231115" });
  });
});
