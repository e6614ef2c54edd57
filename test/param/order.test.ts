// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import type { JsonObject } from "../../src/json.ts";
import { parseJson, rawNumber, stringifyJson } from "../../src/json.ts";
import {
  allStepParams,
  allWorkflowParams,
  compactParams,
  compactStepParams,
  evaluateWorkflowParams,
  expandParams,
  expandStepParams,
  mergeOutputParams,
  mergeStepParams,
  mergeWorkflowParams,
  OutputError,
  type ParamDefinition,
  type ParamDefinitions,
  passedDown,
  templateParams,
  type WorkflowMerge,
  type WorkflowParams,
} from "../../src/param/index.ts";
import { context, NOW, results, runStep, scope, start } from "./support.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;
const long = (value: number) => ({ type: "LONG", value }) as const;
const LATER = NOW + 86_400_000;

function restart(previous: WorkflowParams, more: Partial<WorkflowMerge>, restartParams?: ParamDefinitions) {
  const merged = mergeWorkflowParams({ source: "LAUNCH", restart: { previous, restartParams }, ...more });
  return evaluateWorkflowParams(merged, context({ now: LATER }));
}

describe("a restart", () => {
  const definition: ParamDefinitions = {
    m: long(1),
    text: text("m is $m"),
    twice: text("$text, $text"),
    alone: text("day $RUN_DATE"),
    fixed: { type: "LONG", value: 1, mode: "MUTABLE_ON_START" },
    map: { type: "MAP", value: { a: long(1), b: text("$m") } },
  };

  test("keeps what the run before had, clock included", () => {
    const before = start(definition);
    const after = restart(before, {});
    expect(after).toEqual(before);
    expect(allWorkflowParams(after).RUN_TS?.evaluated_result).toBe(NOW);
  });

  test("evaluates again what follows from an overridden param, and nothing else", () => {
    const after = restart(start(definition), {}, { m: long(2) });
    expect(results(after.params)).toEqual({
      m: 2,
      text: "m is 2",
      twice: "m is 2, m is 2",
      alone: "day 20231114",
      fixed: 1,
      map: { a: 1, b: "2" },
    });
    expect(after.params.m).toMatchObject({ source: "RESTART", evaluated_time: LATER });
    expect(after.params.twice).toMatchObject({ source: "DEFINITION", evaluated_time: LATER });
    expect(after.params.alone).toMatchObject({ evaluated_time: NOW });
  });

  test("may repeat overrides, which hold in later restarts", () => {
    const once = restart(start(definition), {}, { m: long(2) });
    const twice = restart(once, { runParams: { m: long(2) } });
    expect(results(twice.params)).toEqual(results(once.params));
  });

  test("refuses what may not change in it, new names included", () => {
    const before = start(definition);
    expect(() => restart(before, {}, { fixed: long(2) })).toThrow(/\[MUTABLE_ON_START\] for parameter \[fixed\]/);
    expect(() => restart(before, {}, { RUN_TS: long(2) })).toThrow(/\[RUN_TS\]/);
    expect(() => restart(before, {}, { owner: text("eve") })).toThrow(/\[owner\]/);
    expect(() => restart(before, {}, { add: { ...long(1), mode: "IMMUTABLE" } })).toThrow(/\[IMMUTABLE\].*\[add\]/);
    expect(restart(before, {}, { add: long(8), fixed: long(1) }).params.add).toMatchObject({ source: "RESTART" });
  });

  test("evaluates IMMUTABLE params anew, since their definition holds", () => {
    const before = start({ i: { type: "LONG", expression: "System.currentTimeMillis()", mode: "IMMUTABLE" } });
    expect(restart(before, {}).params.i?.evaluated_result).toBe(LATER);
  });

  test("of a run without params merges as a start does", () => {
    const merged = mergeWorkflowParams({
      definition,
      source: "LAUNCH",
      restart: { previous: { params: {} }, restartParams: { m: long(3) } },
    });
    const run = evaluateWorkflowParams(merged, context({ now: LATER }));
    expect(results(run.params)).toMatchObject({ m: 3, text: "m is 3" });
    expect(allWorkflowParams(run).RUN_TS?.evaluated_result).toBe(LATER);
  });
});

describe("a child", () => {
  const parent = start({ up: text("from $RUN_DATE"), who: text("parent"), cost: text("5$$ each") });

  function child(definition: ParamDefinitions, more: Partial<WorkflowMerge> = {}): WorkflowParams {
    const merged = mergeWorkflowParams({ definition, inherited: parent, source: "SUBWORKFLOW", ...more });
    const instance = { ...context().instance, workflow_id: "kid", owner: "bob", initiator_type: "SUBWORKFLOW" };
    return evaluateWorkflowParams(merged, context({ now: LATER, instance }));
  }

  test("gets its parent's params, defaults included, and its own id and owner", () => {
    const run = child({ who: text("nobody"), own: long(1) });
    expect(run.params.who).toMatchObject({ value: "parent", evaluated_result: "parent", source: "SUBWORKFLOW" });
    expect(run.params.own).toMatchObject({ source: "DEFINITION" });
    const all = allWorkflowParams(run);
    expect(all.RUN_TS).toEqual({
      value: NOW,
      type: "LONG",
      tags: [],
      mode: "MUTABLE_ON_START",
      source: "SUBWORKFLOW",
      evaluated_result: NOW,
      evaluated_time: LATER,
    });
    expect(all.workflow_id).toMatchObject({ evaluated_result: "kid", source: "SYSTEM_DEFAULT" });
    expect(all.owner).toMatchObject({ evaluated_result: "bob" });
  });

  test("takes values as data", () => {
    expect(child({}).params.cost).toMatchObject({ value: "5$$ each", evaluated_result: "5$ each" });
  });

  test("may not be given another value for what it holds constant", () => {
    expect(() => child({ who: { ...text("me"), mode: "CONSTANT" } })).toThrow(/\[CONSTANT\] for parameter \[who\]/);
    expect(child({ who: { ...text("parent"), mode: "CONSTANT" } }).params.who).toMatchObject({ mode: "CONSTANT" });
    expect(() => child({ who: long(1) })).toThrow(/\[who\] has type \[LONG\]/);
  });

  test("that defines a default itself gets the parent's value for it all the same", () => {
    expect(child({ RUN_DATE: text("mine") }).params.RUN_DATE).toMatchObject({
      value: "20231114",
      source: "SUBWORKFLOW",
      mode: "MUTABLE_ON_START",
    });
  });

  test("gets the step's params on top, and restarts with what it had", () => {
    const run = child({}, { runParams: { loop_index: long(2) }, source: "FOREACH" });
    expect(run.params.loop_index).toMatchObject({ evaluated_result: 2, mode: "MUTABLE", source: "FOREACH" });
    const merged = mergeWorkflowParams({
      inherited: parent,
      runParams: { loop_index: long(2) },
      source: "FOREACH",
      restart: { previous: run },
    });
    const again = evaluateWorkflowParams(merged, context({ now: LATER + 1 }));
    expect(results(again.params)).toEqual(results(run.params));
    expect(allWorkflowParams(again).workflow_id?.evaluated_result).toBe("kid");
  });

  test("shows what was passed down in the wire shape", () => {
    const passed = passedDown(parent);
    expect(passed.up).toEqual({
      value: "from 20231114",
      type: "STRING",
      tags: [],
      mode: "MUTABLE",
      source: "DEFINITION",
    });
    expect(passed.RUN_TS).toMatchObject({ value: NOW, source: "SYSTEM_DEFAULT" });
    expect(passed).not.toHaveProperty("owner");
  });
});

describe("layers of a step", () => {
  const definition: ParamDefinitions = { a: long(1), s: { type: "LONG", value: 1, mode: "MUTABLE_ON_START" } };
  const merge = (more: Partial<Parameters<typeof mergeStepParams>[0]>) =>
    mergeStepParams({ stepType: "NoOp", definition, source: "LAUNCH", fresh: true, ...more });

  test("template, then definition, then run, then restart", () => {
    const params = merge({
      template: { a: long(0), t: long(0) },
      runParams: { a: long(2), new: long(9) },
      restartParams: { a: long(3) },
    });
    expect(params.a).toMatchObject({ value: 3, source: "LAUNCH" });
    expect(params.t).toMatchObject({ value: 0, source: "TEMPLATE_SCHEMA" });
    expect(params.new).toMatchObject({ value: 9, source: "LAUNCH" });
    expect(Object.keys(params)).toEqual(["a", "t", "new", "s"]);
  });

  test("in a restarted run only what may change on restart changes", () => {
    expect(merge({ runParams: { s: long(2) } }).s).toMatchObject({ value: 2 });
    expect(() => merge({ restartParams: { s: long(2) }, fresh: false })).toThrow(/\[MUTABLE_ON_START\].*\[s\]/);
    expect(merge({ restartParams: { a: long(2) }, fresh: false }).a).toMatchObject({ source: "RESTART" });
    expect(merge({ restartParams: { a: long(2) }, fresh: false, source: "FOREACH" }).a?.source).toBe("FOREACH");
  });

  test("a workflow param overrides a template's, the definition both", () => {
    const run = start({ who: text("from-workflow"), level: long(7) });
    const layers: ParamDefinitions[] = [
      { who: { ...text("t-${step_id}"), internal_mode: "OPTIONAL" }, level: { ...long(1), internal_mode: "PROVIDED" } },
      { only: text("$who"), level: long(2) },
    ];
    const template = templateParams(layers, run);
    const params = merge({ template, definition: { level: long(5) } });
    expect(params).toEqual({
      who: { value: "from-workflow", type: "STRING", tags: [], mode: "MUTABLE", source: "WORKFLOW_PARAMETER" },
      level: { value: 5, type: "LONG", tags: [], mode: "MUTABLE", source: "DEFINITION" },
      only: { value: "$who", type: "STRING", tags: [], mode: "MUTABLE", source: "TEMPLATE_SCHEMA" },
    });
  });

  test("injected params are put as they are", () => {
    const injected = { z: { type: "LONG", value: 5, source: "SYSTEM_INJECTED" } } as const;
    expect(merge({ injected }).z).toBe(injected.z);
  });
});

describe("outputs", () => {
  const step = runStep(
    {
      n: long(1),
      t: text("$n"),
      m: { type: "MAP", value: { a: long(1), b: long(2) } },
      s: { type: "STRING_MAP", value: { k: "1" } },
      c: { type: "LONG", value: 1, mode: "MUTABLE_ON_START" },
    },
    scope(start({})),
  );
  const merge = (outputs: ParamDefinitions) => mergeOutputParams(step, outputs, LATER).params;

  test("replace values as data, and merge into maps", () => {
    const params = merge({
      n: long(7),
      t: text("costs $n"),
      m: { type: "MAP", value: { b: long(5), z: long(9) } },
      s: { type: "STRING_MAP", value: { l: "$x" } },
    });
    expect(results(params)).toMatchObject({ n: 7, t: "costs $n", m: { a: 1, b: 5, z: 9 }, s: { k: "1", l: "$x" } });
    expect(params.n).toMatchObject({ value: 7, source: "OUTPUT_PARAMETER", evaluated_time: LATER });
    expect(params.m?.value).toMatchObject({ a: { value: 1, source: "DEFINITION" }, z: { source: "OUTPUT_PARAMETER" } });
  });

  test("keep the declared type", () => {
    expect(merge({ t: long(7) }).t).toMatchObject({ type: "STRING", value: "7", evaluated_result: "7" });
    expect(() => merge({ n: text("x") })).toThrow(/\[n\]/);
  });

  test("fill the declared type with what JSON does not tell apart from it", () => {
    const declared: ParamDefinitions = {
      n: long(1),
      d: { type: "DOUBLE", value: 0 },
      ds: { type: "DOUBLE_ARRAY", value: [] },
      ls: { type: "LONG_ARRAY", value: [1] },
      s: { type: "STRING_MAP", value: { k: "1" } },
      t: text(""),
    };
    const typed = runStep(declared, scope(start({})));
    const fill = (outputs: ParamDefinitions) => results(mergeOutputParams(typed, outputs, LATER).params);
    const whole = (text: string): ParamDefinition => ({ type: "DOUBLE", value: rawNumber(text) });
    expect(fill({ n: whole("30.0") })).toMatchObject({ n: 30 });
    expect(fill({ n: whole("9223372036854775807.0") }).n).toEqual(rawNumber("9223372036854775807"));
    expect(fill({ n: whole("3e2"), d: long(3) })).toMatchObject({ n: 300, d: rawNumber("3.0") });
    expect(fill({ ds: { type: "LONG_ARRAY", value: [1, 2] }, ls: { type: "STRING_ARRAY", value: [] } })).toMatchObject({
      ds: [rawNumber("1.0"), rawNumber("2.0")],
      ls: [],
    });
    const map = { type: "MAP", value: { a: text("$x"), b: long(5), c: { type: "BOOLEAN", value: true } } } as const;
    expect(fill({ s: map })).toMatchObject({ s: { k: "1", a: "$x", b: "5", c: "true" } });
    expect(mergeOutputParams(typed, { n: whole("30.0") }, LATER).params.n).toMatchObject({ type: "LONG", value: 30 });
  });

  test.each<[string, ParamDefinitions, string]>([
    [
      "a name that is not there",
      { nope: { type: "LONG_ARRAY", value: [1] } },
      'Invalid output parameter [nope], not defined in params: write "nope": {"type":"LONG_ARRAY","value":[]} into the step\'s params, or leave it out',
    ],
    [
      "a text for a LONG",
      { n: text("many") },
      'Output [n] is the STRING "many", and the step declares a LONG: write a whole number, such as 30',
    ],
    [
      "half of one",
      { n: { type: "DOUBLE", value: 2.5 } },
      "Output [n] is the DOUBLE 2.5, and the step declares a LONG",
    ],
    [
      "a number for a map",
      { m: long(1) },
      'Output [m] is the LONG 1, and the step declares a MAP: write an object, such as {"a": 1}',
    ],
    [
      "a map in a STRING_MAP",
      { s: { type: "MAP", value: { a: { type: "MAP", value: {} } } } },
      "Output [s.a] is {}, and the step declares a STRING_MAP",
    ],
  ])("%s is its author's mistake", (_, outputs, message) => {
    const put = () => mergeOutputParams(step, outputs, LATER);
    expect(put).toThrow(OutputError);
    expect(put).toThrow(message);
  });

  test("go to defined and MUTABLE params only", () => {
    expect(() => merge({ nope: long(1) })).toThrow("Invalid output parameter [nope], not defined in params");
    expect(() => merge({ c: long(2) })).toThrow(/\[MUTABLE_ON_START\] for parameter \[c\]/);
    expect(() => merge({ step_id: text("x") })).toThrow(/\[step_id\]/);
  });
});

describe("stored params", () => {
  const definition: ParamDefinitions = {
    a: text("x"),
    b: { type: "STRING", value: "$a!", tags: [{ name: "t" }], mode: "IMMUTABLE" },
    d: { type: "DOUBLE", value: 3 },
    big: { type: "LONG", value: rawNumber("9223372036854775807") },
    da: { type: "DOUBLE_ARRAY", value: [1, 2.5] },
    m: { type: "MAP", value: { a: long(1), deep: { type: "MAP", value: { x: { type: "DOUBLE", value: 2 } } } } },
    sm: { type: "STRING_MAP", value: { k: "v" } },
    empty: { type: "STRING_ARRAY", value: [] },
  };
  const through = (stored: JsonObject) => parseJson(stringifyJson(stored)) as JsonObject;

  test("come back as they were", () => {
    for (const run of [start(definition), start({}), start({}, { inherited: start(definition), source: "FOREACH" })]) {
      const back = expandParams(through(compactParams(run)));
      expect(back).toEqual(run);
      expect(stringifyJson(allWorkflowParams(back).d?.evaluated_result)).toBe(
        stringifyJson(allWorkflowParams(run).d?.evaluated_result),
      );
    }
    expect(expandParams({})).toEqual({ params: {} });
  });

  test("of a step too, the ones that the engine makes included", () => {
    const step = runStep(definition, scope(start({})));
    const bare = { type: "BOOLEAN", value: true, evaluated_result: true, evaluated_time: NOW } as const;
    const all = { ...step, params: { ...step.params, maestro_step_satisfied: bare } };
    const back = expandStepParams(through(compactStepParams(all)), step.identity);
    expect(allStepParams(back)).toEqual(allStepParams(all));
    const failed = { params: { maestro_step_satisfied: bare }, identity: step.identity };
    expect(allStepParams(expandStepParams(through(compactStepParams(failed)), step.identity))).toEqual(failed.params);
  });

  test("are small: a run without params of its own stores no param", () => {
    expect(stringifyJson(compactParams(start({}))).length).toBeLessThan(120);
    expect(stringifyJson(compactStepParams(runStep({}, scope(start({})))))).toBe(`{"t":${NOW},"e":true}`);
    const stored = compactParams(start({ a: text("x") }));
    expect(stored.p).toEqual({ a: { value: "x", type: "STRING" } });
  });
});
