/** Job templates: what a step has from the one that it names, and steps that have their type from one. */
import { expect } from "bun:test";
import { ask, refuses } from "../kit/client.ts";
import type { Params, Part } from "../kit/definition.ts";
import { foreach, having, long, longs, noop, text, to } from "../kit/definition.ts";
import type { Step } from "../kit/run.ts";
import { freshId, given } from "../kit/workflow.ts";

const put = (job_type: string, params: Params, more: Part = {}): Promise<Part> => {
  const definition = { job_type, step_type: "NoOp", version: "default", params, ...more };
  return ask("POST", "/job-templates", { owner: "tester", status: "TEST", support: "-", definition });
};

const named = (sub_type: string, sub_type_version?: string): Part => ({
  sub_type,
  ...(sub_type_version === undefined ? {} : { sub_type_version }),
});

const template = (id: string, ...parts: readonly Part[]): Part => ({ template: Object.assign({ id }, ...parts) });

/** Value and source of params. */
async function valuesOf(step: Step, ...names: readonly string[]): Promise<readonly unknown[]> {
  const { params } = await step.read();
  return names.map((name) => params[name]?.evaluated_result);
}

export const TEMPLATE = {
  "template: params lie over each other: parents, template, the workflow's of the same name, the step's": async () => {
    const [base, name] = [freshId("base"), freshId("jt")];
    await put(base, { a: text("base"), b: text("base"), c: text("base"), d: text("base") });
    const own = { b: text("template"), c: text("template"), d: text("template") };
    await put(name, own, { inherit_from: { [base]: "default", [freshId("none")]: "v1" } });
    const steps = [noop("s", named(name), having({ d: text("step") }))];
    const run = await (await given(steps, { params: { c: text("workflow"), e: text("workflow") } })).start();
    await run.ends("SUCCEEDED");
    expect(await valuesOf(run.step("s"), "a", "b", "c", "d", "e")).toEqual([
      ...["base", "template", "workflow", "step"],
      undefined,
    ]);
  },

  "template: the version is the step's, else the workflow's param, else default": async () => {
    const name = freshId("jt");
    for (const version of ["default", "v1", "v2"]) await put(name, { v: text(version) }, { version });
    const steps = [noop("own", named(name, "v${number}")), noop("free", named(name))];
    const workflow = await given(steps, { params: { number: long(2) } });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    expect([...(await valuesOf(run.step("own"), "v")), ...(await valuesOf(run.step("free"), "v"))]).toEqual([
      "v2",
      "default",
    ]);
    const other = await (await given(steps, { params: { number: long(2), job_template_version: text("v1") } })).start();
    await other.ends("SUCCEEDED");
    expect([...(await valuesOf(other.step("own"), "v")), ...(await valuesOf(other.step("free"), "v"))]).toEqual([
      "v2",
      "v1",
    ]);
  },

  "template: a change counts for what begins after its answer; one that is gone adds nothing": async () => {
    const name = freshId("jt");
    const workflow = await given([noop("s", named(name))]);
    for (const value of [1, 2, 3]) {
      await put(name, { n: long(value) });
      const run = await workflow.start();
      await run.ends("SUCCEEDED");
      expect(await valuesOf(run.step("s"), "n")).toEqual([value]);
    }
    await refuses(200, "DELETE", `/job-templates/${name}`);
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    expect(await valuesOf(run.step("s"), "n")).toEqual([undefined]);
  },

  "template: its tags are the step's, for permits too": async () => {
    const [name, tag] = [freshId("jt"), freshId("tag")];
    await put(name, {}, { tags: [tag] });
    await refuses(200, "POST", "/tag-permits", { tag, max_allowed: 0 });
    const run = await (await given([noop("s", named(name), { tags: ["mine"] })])).start();
    const { tags } = await run.step("s").reaches("WAITING_FOR_PERMITS");
    expect(tags.map((it) => it.name).sort()).toEqual(["mine", tag].sort());
    await refuses(200, "DELETE", `/tag-permits/${tag}`);
    await run.ends("SUCCEEDED");
  },

  "template: one for steps of another type, or a cycle, is an error": async () => {
    const [name, other] = [freshId("jt"), freshId("jt")];
    await put(name, {}, { step_type: "Sleep" });
    await refuses(400, "POST", "/workflows", {
      properties: { owner: "tester" },
      workflow: { id: freshId("wf"), steps: [noop("s", named(name))] },
    });
    await put(other, {}, { inherit_from: { [name]: "default" } });
    const definition = { job_type: name, step_type: "NoOp", version: "default", inherit_from: { [other]: "default" } };
    await refuses(400, "POST", "/job-templates", { owner: "t", status: "s", support: "s", definition });
  },

  "step template: has its type, params and tags from the job template": async () => {
    const name = freshId("jt");
    await put(name, { sleep_seconds: long(600) }, { step_type: "Sleep", tags: [name] });
    const run = await (await given([template("s", named(name), to("after")), noop("after")])).start();
    const { tags } = await run.step("s").reaches("RUNNING");
    expect(tags).toEqual([{ name }]);
    expect(await valuesOf(run.step("s"), "sleep_seconds")).toEqual([600]);
    await run.step("s").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step template: its own params lie over the template's, in loops too": async () => {
    const name = freshId("jt");
    await put(name, { sleep_seconds: long(600), twice: { type: "LONG", expression: "i * 2" } }, { step_type: "Sleep" });
    const body = template("s", named(name), having({ sleep_seconds: long(0) }));
    const run = await (await given([foreach("each", { i: longs(1, 2) }, [body])])).start();
    await run.ends("SUCCEEDED");
    const second = await run.step("each").iteration(2);
    expect(await valuesOf(second.step("s"), "sleep_seconds", "twice")).toEqual([0, 4]);
  },

  "step template: params that only the template has are put out, and changed by a restart": async () => {
    const name = freshId("jt");
    await put(name, { sleep_seconds: long(600), rows: long(0) }, { step_type: "Sleep" });
    const workflow = await given([
      template("s", named(name), to("after")),
      noop("after", having({ n: { type: "LONG", expression: "s__rows" } })),
    ]);
    const run = await workflow.start();
    await run.step("s").reaches("RUNNING");
    await run.step("s").refusesSuccess(400, { nosuch: long(1) });
    await run.step("s").succeed({ rows: long(5) });
    await run.ends("SUCCEEDED");
    expect(await valuesOf(run.step("after"), "n")).toEqual([5]);
    const again = await run.step("s").restartRun({ params: { sleep_seconds: long(0), rows: long(7) } });
    await again.ends("SUCCEEDED");
    expect(await valuesOf(again.step("after"), "n")).toEqual([7]);
  },

  "step template: one that does not exist is refused at the push, and ends the step when it is gone": async () => {
    const name = freshId("jt");
    const steps = [template("s", named(name))];
    const request = { properties: { owner: "tester" }, workflow: { id: freshId("wf"), steps } };
    await refuses(400, "POST", "/workflows", request);
    await put(name, {});
    const workflow = await given(steps);
    await refuses(200, "DELETE", `/job-templates/${name}`);
    const run = await workflow.start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ s: "INTERNALLY_FAILED" });
  },
};
