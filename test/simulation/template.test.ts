/** Steps that have their type and tags from a job template: what an attempt has found lasts as long as it does. */
import { expect, test } from "bun:test";
import type { Step } from "../../src/definition/step.ts";
import type { EvaluationPort } from "../../src/flow/evaluation.ts";
import type { Lineage } from "../../src/run/template.ts";
import { step, workflow } from "./definition.ts";
import { plainEvaluation } from "./evaluation.ts";
import { World } from "./world.ts";

const lineage: Lineage = {
  ...{ jobType: "jt", version: "default", stepType: "Job", tags: [{ name: "db" }], params: [], missing: [] },
};
const missing = [{ jobType: "base", version: "v1" }];
const untyped: Step = { template: { id: "a", sub_type: "jt", transition: {} } };
const WORKFLOW = workflow([untyped]);

/** @param found by the first attempt, the second, … */
function finding(...found: readonly (Lineage | undefined)[]): EvaluationPort {
  let asked = 0;
  return { ...plainEvaluation, template: () => found[Math.min(asked++, found.length - 1)] };
}

async function started(definition = WORKFLOW, evaluation = finding(lineage), limit = 1): Promise<World> {
  const world = new World(definition, evaluation);
  world.permits.limits.set("db", limit);
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

test("a step is a job of its template's type, needs a permit of its template's tag, and gives it back", async () => {
  const world = await started();
  expect([world.statuses(), world.permits.rows.size]).toEqual([{ a: "RUNNING" }, 1]);
  world.runtime.results.set("a", { state: "DONE" });
  world.wake("a");
  await world.settle();
  expect([world.status(), world.permits.rows.size]).toEqual(["SUCCEEDED", 0]);
});

test("whoever adopts it knows its type and its permit, though the template is gone", async () => {
  const world = await started(WORKFLOW, finding(lineage, undefined));
  world.crash();
  await world.boot();
  await world.settle();
  expect(world.statuses()).toEqual({ a: "RUNNING" });
  world.runtime.results.set("a", { state: "DONE" });
  world.wake("a");
  await world.settle();
  expect([world.status(), world.permits.rows.size]).toEqual(["SUCCEEDED", 0]);
});

test("whoever adopts it at the gate has it wait for the permit of its template's tag", async () => {
  const world = await started(WORKFLOW, finding(lineage, undefined), 0);
  expect(world.statuses()).toEqual({ a: "WAITING_FOR_PERMITS" });
  world.crash();
  await world.boot();
  await world.settle();
  expect(world.statuses()).toEqual({ a: "WAITING_FOR_PERMITS" });
});

test("the next attempt has what its template is by then", async () => {
  const world = await started(WORKFLOW, finding(lineage, { ...lineage, stepType: "Other" }));
  world.runtime.results.set("a", { state: "USER_ERROR" });
  world.wake("a");
  await world.settle();
  expect(world.statuses()).toEqual({ a: "USER_FAILED" });
  await world.pass(120_000);
  expect(world.statuses()).toEqual({ a: "FATALLY_FAILED" });
  expect(world.messages("a").flat().join()).toContain("no runtime");
});

test("a step that has a type does without a template, and its timeline says so", async () => {
  const typed = (id: string) => step(id, { sub_type: "jt" });
  const none = await started(workflow([typed("a")]), finding(undefined));
  expect([none.status(), none.messages("a")[0]]).toEqual([
    "SUCCEEDED",
    ["WARN", expect.stringContaining("runs without")],
  ]);
  const orphan = await started(workflow([typed("a")]), finding({ ...lineage, stepType: "NoOp", missing }));
  expect(orphan.messages("a")[0]).toEqual(["WARN", expect.stringContaining("[base][v1]")]);
});
