/** Permits as the engine asks for them: what they cost, who waits, who is told, what a crash leaves. */
import { describe, expect, test } from "bun:test";
import type { Workflow } from "../../src/definition/workflow.ts";
import { step, type Written, workflow } from "./definition.ts";
import { World } from "./world.ts";

const tagged = (id: string, ...names: readonly string[]) => job(id, { tags: names.map((name) => ({ name })) });
const job = (id: string, written: Written = {}) => step(id, { type: "Job", ...written });

async function started(definition: Workflow, limits: Readonly<Record<string, number>> = {}): Promise<World> {
  const world = new World(definition);
  for (const [tag, limit] of Object.entries(limits)) world.permits.limits.set(tag, limit);
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

/** The job of the step's attempt ends. */
async function end(world: World, stepId: string, state: "DONE" | "USER_ERROR" = "DONE"): Promise<void> {
  world.runtime.results.set(stepId, { state });
  world.wake(stepId);
  await world.settle();
  world.runtime.results.delete(stepId);
}

/** How many steps are in the status. */
const count = (world: World, status: string, key = 1): number =>
  Object.values(world.statuses(key)).filter((it) => it === status).length;

const FIVE = workflow(["a", "b", "c", "d", "e"].map((id) => tagged(id, "db")));

test("a step without tags and limits costs no call, no row and no commit", async () => {
  const world = new World(workflow([step("a"), step("b")]));
  await world.boot();
  const calls = world.permits.calls;
  await world.start();
  await world.settle(1);
  expect([world.status(), world.commits, world.permits.calls]).toEqual(["SUCCEEDED", 1, calls]);
});

test("steps that come to the gate together are granted in one call, and at once", async () => {
  const world = new World(FIVE);
  await world.boot();
  const calls = world.permits.calls;
  await world.start();
  await world.settle();
  expect([count(world, "RUNNING"), world.permits.calls - calls]).toEqual([5, 1]);
  expect(world.messages("a")).toEqual([]);
});

test("as many run as the tag's limit allows, and the next one goes when one has ended, without any time passing", async () => {
  const world = await started(FIVE, { db: 2 });
  expect(world.statuses()).toEqual({
    a: "RUNNING",
    b: "RUNNING",
    c: "WAITING_FOR_PERMITS",
    d: "WAITING_FOR_PERMITS",
    e: "WAITING_FOR_PERMITS",
  });
  expect(world.messages("c")).toEqual([["INFO", "Waits for a permit of the tag [db]"]]);
  const { calls } = world.permits;
  await end(world, "b");
  expect(world.statuses()).toMatchObject({ b: "SUCCEEDED", c: "RUNNING", d: "WAITING_FOR_PERMITS" });
  // The step that is told of its grant does not ask again.
  expect(world.permits.calls - calls).toBe(1);
  for (const id of ["a", "c", "d", "e"]) await end(world, id);
  expect([world.status(), world.permits.rows.size]).toEqual(["SUCCEEDED", 0]);
});

test("a failed attempt gives its permit back, and the retry queues behind those that wait", async () => {
  const world = await started(FIVE, { db: 1 });
  await end(world, "a", "USER_ERROR");
  expect(world.statuses()).toMatchObject({ a: "USER_FAILED", b: "RUNNING" });
  await world.pass(120_000);
  expect(world.statuses()).toMatchObject({ a: "WAITING_FOR_PERMITS", b: "RUNNING" });
  for (const id of ["b", "c", "d"]) await end(world, id);
  expect(world.statuses()).toMatchObject({ a: "WAITING_FOR_PERMITS", e: "RUNNING" });
  await end(world, "e");
  expect(world.statuses()).toMatchObject({ a: "RUNNING" });
});

test("a step that is stopped while it waits leaves the queue", async () => {
  const world = await started(FIVE, { db: 1 });
  await world.act(1, "SKIP", "b");
  await world.settle();
  await end(world, "a");
  expect(world.statuses()).toMatchObject({ a: "SUCCEEDED", b: "SKIPPED", c: "RUNNING" });
});

test("a step needs all its permits at once, and one that waits does not hold up those behind it", async () => {
  const steps = [tagged("a", "red"), tagged("b", "red", "green"), tagged("c", "green"), tagged("d", "green")];
  const world = await started(workflow(steps), { red: 1, green: 1 });
  expect(world.statuses()).toMatchObject({
    a: "RUNNING",
    b: "WAITING_FOR_PERMITS",
    c: "RUNNING",
    d: "WAITING_FOR_PERMITS",
  });
  await end(world, "a");
  expect(world.statuses()).toMatchObject({ b: "WAITING_FOR_PERMITS" });
  expect(world.messages("b").map(([, text]) => text)).toEqual(["Waits for a permit of the tag [red]"]);
  await end(world, "c");
  expect(world.statuses()).toMatchObject({ b: "RUNNING", d: "WAITING_FOR_PERMITS" });
});

describe("limits that nobody has set for a tag", () => {
  test("the workflow's step_concurrency holds its steps back, over all its runs", async () => {
    const world = new World(workflow([job("a"), job("b")]));
    world.stepConcurrency = 3;
    await world.boot();
    await world.start();
    await world.start();
    await world.settle();
    expect([count(world, "RUNNING"), count(world, "RUNNING", 2)]).toEqual([2, 1]);
  });

  test("the definition's instance_step_concurrency holds back the steps of each run by itself", async () => {
    const world = await started(workflow([job("a"), job("b"), step("c")], { instance_step_concurrency: 1 }));
    await world.start();
    await world.settle();
    expect([count(world, "RUNNING"), count(world, "RUNNING", 2)]).toEqual([1, 1]);
    expect([...world.permits.rows.values()].map(({ wants }) => wants[0])).toContainEqual({
      tag: "maestro_wf:1:1",
      limit: 1,
    });
  });
});

describe("a crash", () => {
  test("at any commit leaves no permit behind and starts no step without one", async () => {
    for (let crashAfter = 0; crashAfter < 14; crashAfter++) {
      const world = new World(FIVE);
      world.permits.limits.set("db", 2);
      world.runtime.onCall = ({ uuid }) => expect(world.permits.rows.get(uuid)?.granted).toBe(true);
      for (const id of ["a", "b", "c", "d", "e"]) world.runtime.results.set(id, { state: "DONE" });
      await world.boot();
      await world.start();
      await world.settle(crashAfter);
      world.crash();
      await world.boot();
      await world.settle();
      expect([crashAfter, world.status(), world.permits.rows.size]).toEqual([crashAfter, "SUCCEEDED", 0]);
    }
  });

  test("between the end of a holder and the next grant is found by the next owner", async () => {
    const world = await started(FIVE, { db: 1 });
    world.runtime.results.set("a", { state: "DONE" });
    world.wake("a");
    await world.settle(0);
    world.commitOnly();
    expect(world.statuses()).toMatchObject({ a: "SUCCEEDED", b: "WAITING_FOR_PERMITS" });
    world.crash();
    await world.boot();
    await world.settle();
    expect(world.statuses()).toMatchObject({ a: "SUCCEEDED", b: "RUNNING" });
  });

  test("an attempt that is adopted still holds its permit", async () => {
    const world = await started(FIVE, { db: 1 });
    world.crash();
    await world.boot();
    await world.settle();
    expect(world.statuses()).toMatchObject({ a: "RUNNING", b: "WAITING_FOR_PERMITS" });
    await end(world, "a");
    expect(world.statuses()).toMatchObject({ a: "SUCCEEDED", b: "RUNNING" });
  });
});

describe("a call of the store that fails", () => {
  test("is made again by whoever waits, and the timeline says why", async () => {
    const world = new World(FIVE);
    await world.boot();
    world.permits.fails = true;
    await world.start();
    await world.settle();
    expect(count(world, "WAITING_FOR_PERMITS")).toBe(5);
    world.permits.fails = false;
    await world.pass(5_000);
    expect(count(world, "RUNNING")).toBe(5);
    expect(world.messages("a")[0]?.[1]).toContain("[permits] could not be asked");
  });

  test("does not lose what was left free: the next call looks at it", async () => {
    const world = await started(FIVE, { db: 1 });
    world.permits.fails = true;
    await end(world, "a");
    world.permits.fails = false;
    expect(world.statuses()).toMatchObject({ a: "SUCCEEDED", b: "WAITING_FOR_PERMITS" });
    await world.start();
    await world.settle();
    expect(world.statuses()).toMatchObject({ b: "RUNNING", c: "WAITING_FOR_PERMITS" });
    expect(count(world, "WAITING_FOR_PERMITS", 2)).toBe(5);
  });
});

test("what was left free without a word is found by the sweep", async () => {
  const world = await started(FIVE, { db: 1 });
  world.permits.release(world.attempts.get(1)?.get("a:1")?.uuid ?? "");
  await world.pass(60_000);
  expect(world.statuses()).toMatchObject({ b: "WAITING_FOR_PERMITS" });
  await world.sweep();
  await world.settle();
  expect(world.statuses()).toMatchObject({ b: "RUNNING" });
});
