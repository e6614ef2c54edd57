/** Params: modes, merging, references, conversions, and what expressions are told. */
import { expect } from "bun:test";
import { boolean, computed, having, long, longs, map, noop, text, texts, to } from "../kit/definition.ts";
import type { Evaluated } from "../kit/wire.ts";
import { given } from "../kit/workflow.ts";

const values = (params: Evaluated, ...names: readonly string[]): readonly unknown[] =>
  names.map((name) => params[name]?.evaluated_result);

const MODES = ["MUTABLE", "MUTABLE_ON_START", "MUTABLE_ON_START_RESTART", "IMMUTABLE", "CONSTANT"];
const moded = Object.fromEntries(MODES.map((mode) => [mode.toLowerCase(), { ...long(1), mode }]));

export const PARAM = {
  "params: a start may change what is mutable then, and nothing else": async () => {
    const workflow = await given([noop("a")], { params: moded });
    for (const name of ["immutable", "constant"]) await workflow.refusesStart(400, { run_params: { [name]: long(2) } });
    const open = ["mutable", "mutable_on_start", "mutable_on_start_restart"];
    const run = await workflow.start(Object.fromEntries(open.map((name) => [name, long(2)])));
    const { params } = await run.ends("SUCCEEDED");
    expect(values(params, ...open, "immutable", "constant")).toEqual([2, 2, 2, 1, 1]);
    expect([params.mutable?.source, params.constant?.source]).toEqual(["LAUNCH", "DEFINITION"]);
  },

  "params: an equal value is no change": async () => {
    const workflow = await given([noop("a")], { params: moded });
    const run = await workflow.start({ constant: long(1), immutable: text("1") });
    expect(values((await run.ends("SUCCEEDED")).params, "constant", "immutable")).toEqual([1, 1]);
  },

  "params: a mode may be made stricter, never looser": async () => {
    const workflow = await given([noop("a")], { params: moded });
    await workflow.refusesStart(400, { run_params: { mutable_on_start: { ...long(2), mode: "MUTABLE" } } });
    const run = await workflow.start({ mutable: { ...long(2), mode: "MUTABLE_ON_START" } });
    expect((await run.ends("SUCCEEDED")).params.mutable).toMatchObject({
      mode: "MUTABLE_ON_START",
      evaluated_result: 2,
    });
  },

  "params: a start may add names, which the definition's own may refer to": async () => {
    const steps = [noop("a", having({ seen: text("${extra}") }))];
    const run = await (await given(steps)).start({ extra: text("more") });
    await run.ends("SUCCEEDED");
    expect(await run.step("a").value("seen")).toBe("more");
  },

  "params: maps are merged name by name, arrays are replaced": async () => {
    const params = { m: map({ a: long(1), b: long(2) }), list: longs(1, 2, 3) };
    const workflow = await given([noop("a")], { params });
    const run = await workflow.start({ m: map({ b: long(5), c: text("x") }), list: longs(9) });
    expect(values((await run.ends("SUCCEEDED")).params, "m", "list")).toEqual([{ a: 1, b: 5, c: "x" }, [9]]);
    await workflow.refusesStart(400, { run_params: { m: text("none") } });
  },

  "params: a value of another type is converted to the definition's": async () => {
    const workflow = await given([noop("a")], { params: { n: long(1), t: text("a"), b: boolean(false) } });
    const run = await workflow.start({ n: text("7"), t: long(8), b: text("TRUE") });
    expect(values((await run.ends("SUCCEEDED")).params, "n", "t", "b")).toEqual([7, "8", true]);
    await workflow.refusesStart(400, { run_params: { n: text("many") } });
  },

  "params: expressions refer to others in any order, and not in a circle": async () => {
    const params = { c: computed("LONG", "b * 2"), b: computed("LONG", "a + 1"), a: long(1) };
    const workflow = await given([noop("s")], { params });
    expect(values((await (await workflow.start()).ends("SUCCEEDED")).params, "c")).toEqual([4]);
    await workflow.refusesPush(400, [noop("s")], { params: { x: computed("LONG", "y"), y: computed("LONG", "x") } });
  },

  "params: texts take in params by name, and two dollars are one": async () => {
    const params = { n: long(3), list: texts("a", "b") };
    const steps = [noop("a", having({ t: text("${n}/$n/$${n}/$$n"), all: text("${list}") }))];
    const run = await (await given(steps, { params })).start();
    await run.ends("SUCCEEDED");
    const step = await run.step("a").read();
    expect(values(step.params, "t", "all")).toEqual(["3/3/${n}/$n", '["a","b"]']);
  },

  "params: an unknown name fails the step internally, and at a workflow's param the push": async () => {
    const run = await (await given([noop("a", having({ t: text("${nosuch}") }))])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED" });
    await (await given([noop("a")])).refusesPush(400, [noop("a")], { params: { t: text("${nosuch}") } });
  },

  "params: a step reads those of steps that have ended": async () => {
    const steps = [
      noop("first", having({ size: computed("LONG", "n + 1") }), to("second")),
      noop("second", having({ seen: computed("LONG", "first__size * 10"), said: text("size ${first__size}") })),
    ];
    const run = await (await given(steps, { params: { n: long(1) } })).start();
    await run.ends("SUCCEEDED");
    expect(values((await run.step("second").read()).params, "seen", "said")).toEqual([20, "size 2"]);
  },

  "params: a step does not read those of a step that has not ended": async () => {
    const steps = [
      noop("first", having({ seen: computed("LONG", "second__size") }), to("second")),
      noop("second", having({ size: long(1) })),
    ];
    const run = await (await given(steps)).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ first: "INTERNALLY_FAILED" });
  },

  "params: a step's own wins over the workflow's; inside its definition the name means the workflow's": async () => {
    const steps = [noop("a", having({ seen: text("${x}"), x: text("${x}_daily") }))];
    const run = await (await given(steps, { params: { x: text("job") } })).start();
    await run.ends("SUCCEEDED");
    expect(values((await run.step("a").read()).params, "x", "seen")).toEqual(["job_daily", "job_daily"]);
  },

  "params: evaluated values are data, not interpolated again": async () => {
    const steps = [
      noop("first", having({ t: text("$${x}") }), to("second")),
      noop("second", having({ seen: text("${first__t}") })),
    ];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    expect(await run.step("second").value("seen")).toBe("${x}");
  },

  "params: expressions are told of their run, their step and how it was started": async () => {
    const steps = [
      noop(
        "a",
        having({
          run: computed(
            "STRING",
            "params.getFromInstance('workflow_id') + ':' + params.getFromInstance('workflow_instance_id') + ':' + params.getFromInstance('workflow_run_id')",
          ),
          who: computed(
            "STRING",
            "params.getFromInstance('INITIATOR_TYPE') + ' ' + params.getFromInstance('INITIATOR_RUNNER_NAME')",
          ),
          policy: computed("STRING", "params.getFromInstance('RUN_POLICY')"),
          me: computed("STRING", "params.getFromStep('step_id') + ' ' + params.getFromStep('step_attempt_id')"),
        }),
        to("b"),
      ),
      noop("b", having({ before: computed("STRING", "params.getFromStep('a', 'MAESTRO_STEP_STATUS')") })),
    ];
    const workflow = await given(steps);
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    const { params } = await run.step("a").read();
    expect(values(params, "run", "who", "policy", "me")).toEqual([
      `${workflow.id}:1:1`,
      "MANUAL tester",
      "START_FRESH_NEW_RUN",
      "a 1",
    ]);
    expect(await run.step("b").value("before")).toBe("SUCCEEDED");
  },

  "params: every run and every step has the server's own": async () => {
    const workflow = await given([noop("a")]);
    const run = await workflow.start();
    const { params } = await run.ends("SUCCEEDED");
    expect(values(params, "owner", "workflow_id", "DSL_DEFAULT_TZ")).toEqual(["tester", workflow.id, "UTC"]);
    expect(params.RUN_TS?.evaluated_result).toBeNumber();
    const step = await run.step("a").read();
    expect(values(step.params, "workflow_instance_id", "step_attempt_id", "step_id")).toEqual([1, 1, "a"]);
  },

  "params: names that belong to the server are refused": async () => {
    const workflow = await given([noop("a")]);
    for (const name of ["params", "util", "maestro", "owner", "workflow_id", "maestro_x", "a__b"]) {
      await workflow.refusesStart(400, { run_params: { [name]: text("x") } });
    }
    await workflow.refusesStart(400, { run_params: { x: { ...text("y"), source: "SYSTEM" } } });
  },

  "params: a param has a value or an expression": async () => {
    const workflow = await given([noop("a")]);
    for (const param of [{ type: "LONG" }, { type: "LONG", value: 1, expression: "1" }]) {
      await workflow.refusesStart(400, { run_params: { x: param } });
    }
  },
};
