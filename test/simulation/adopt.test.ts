/** What an owner that died leaves to the next one, and calls that are under way when something else happens. */
import { describe, expect, test } from "bun:test";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { StepResult } from "../../src/step/result.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

async function running(definition: Workflow, prepare: (world: World) => void = () => {}): Promise<World> {
  const world = new World(definition);
  prepare(world);
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

async function crashed(world: World): Promise<void> {
  world.crash();
  await world.boot();
  await world.settle();
}

const JOB = workflow([step("a", { type: "Job", timeout: "10s" })], { timeout: 30 });

describe("the next owner", () => {
  test("asks a running job how it is, and does not start it again", async () => {
    const world = await running(JOB);
    const asked: string[] = [];
    world.runtime.onCall = ({ identity }) => asked.push(identity.stepId);
    await crashed(world);
    expect([world.runtime.started, asked]).toEqual([["a:1"], ["a"]]);
  });

  test("counts a step's timeout from the attempt's start", async () => {
    const world = await running(JOB);
    await world.pass(6_000);
    await crashed(world);
    await world.pass(3_999);
    expect(world.statuses()).toEqual({ a: "RUNNING" });
    await world.pass(1);
    expect(world.statuses()).toEqual({ a: "TIMED_OUT" });
  });

  test("counts a run's timeout from the run's start", async () => {
    const world = await running(workflow([step("a", { type: "Job" })], { timeout: 30 }));
    await world.pass(20_000);
    await crashed(world);
    await world.pass(9_999);
    expect(world.status()).toBe("IN_PROGRESS");
    await world.pass(1);
    expect(world.status()).toBe("TIMED_OUT");
  });

  test("carries on what a failure under FAIL_IMMEDIATELY has begun", async () => {
    const world = await running(
      workflow([
        step("bad", { type: "Job", failure_mode: "FAIL_IMMEDIATELY" }),
        step("side", { type: "Job", to: { tail: "true" } }),
        step("tail"),
      ]),
      (it) => {
        it.runtime.results.set("bad", { state: "FATAL_ERROR" });
        it.runtime.terminations.set("side", new Promise(() => {}));
      },
    );
    expect(world.statuses()).toEqual({ bad: "FATALLY_FAILED", side: "STARTING" });
    world.runtime.terminations.clear();
    world.runtime.results.set("side", { state: "CONTINUE" });
    await crashed(world);
    expect([world.statuses(), world.status()]).toEqual([{ bad: "FATALLY_FAILED", side: "STOPPED" }, "FAILED"]);
  });
});

describe("a call to a runtime that is under way", () => {
  test("is answered in vain when the step is being ended", async () => {
    const answer = Promise.withResolvers<StepResult>();
    const end = Promise.withResolvers<StepResult>();
    const world = await running(JOB, (it) => {
      it.runtime.results.set("a", answer.promise);
      it.runtime.terminations.set("a", end.promise);
    });
    await world.act(1, "STOP");
    answer.resolve({ state: "DONE" });
    await world.settle();
    expect(world.status()).toBe("IN_PROGRESS");
    end.resolve({ state: "STOPPED" });
    await world.settle();
    expect([world.statuses(), world.status()]).toEqual([{ a: "STOPPED" }, "STOPPED"]);
  });

  test("is followed by another one when a wake came meanwhile", async () => {
    const world = await running(JOB);
    const answer = Promise.withResolvers<StepResult>();
    world.runtime.results.set("a", answer.promise);
    world.wake("a");
    await world.settle();
    world.wake("a");
    world.runtime.results.set("a", { state: "DONE" });
    answer.resolve({ state: "CONTINUE" });
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
  });
});

test("STOP keeps steps from beginning that were to begin, and the run is not taken for a success", async () => {
  const world = await running(workflow([step("a", { type: "Job", to: { b: "true" } }), step("b")]));
  world.crash();
  const [attempt] = [...(world.attempts.get(1)?.values() ?? [])];
  if (!attempt) throw new Error("no attempt");
  world.attempts.get(1)?.set("a:1", { ...attempt, status: "SUCCEEDED", conditions: { b: true } });
  world.said.set(1, [{ kind: "STOP", stepId: undefined, user: "tester", reason: "", createTime: 0 }]);
  await world.boot();
  await world.settle();
  expect([world.statuses(), world.status()]).toEqual([{ a: "SUCCEEDED" }, "STOPPED"]);
});

test("a start that a workflow's old state refuses is tried with the one of now", async () => {
  const world = new World(workflow([step("a")]));
  world.activeVersion = 0;
  await world.boot();
  await world.start();
  world.activeVersion = 1;
  world.revision++;
  expect((await world.start({}, "active")).versionId).toBe(1);
  world.activeVersion = 0;
  world.revision++;
  await expect(world.start({}, "active")).rejects.toThrow("Cannot find an active version");
});

test("steps are numbered on from those of the former owner", async () => {
  const world = await running(workflow([step("a", { type: "Job", to: { b: "true" } }), step("b", { type: "Job" })]));
  world.crash();
  world.runtime.results.set("a", { state: "DONE" });
  await world.boot();
  await world.settle();
  const numbers = [...(world.attempts.get(1)?.values() ?? [])].map((it) => [it.stepId, it.stepInstanceId]);
  expect(numbers).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
});
