/** What is said to one step of a run. */
import { describe, expect, test } from "bun:test";
import type { TypedStep } from "../../src/definition/step.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

/** a ─▶ next, beside b; a and b are jobs. */
async function running(a: Partial<TypedStep> = {}): Promise<World> {
  const world = new World(
    workflow([step("a", { type: "Job", to: { next: "true" }, ...a }), step("next"), step("b", { type: "Job" })]),
  );
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

async function finish(world: World): Promise<void> {
  world.runtime.results.set("b", { state: "DONE" });
  world.wake("b");
  await world.settle();
}

describe("a word to a step", () => {
  test.each([
    ["STOP", {}, { a: "STOPPED", b: "SUCCEEDED" }, "STOPPED"],
    ["KILL", {}, { a: "FATALLY_FAILED", b: "SUCCEEDED" }, "FAILED"],
    [
      "KILL",
      { failure_mode: "IGNORE_FAILURE" },
      { a: "COMPLETED_WITH_ERROR", b: "SUCCEEDED", next: "SUCCEEDED" },
      "SUCCEEDED",
    ],
    ["SKIP", {}, { a: "SKIPPED", b: "SUCCEEDED", next: "SUCCEEDED" }, "SUCCEEDED"],
  ] as const)("(%s, under %p) ends its job, and the other steps go on", async (kind, mode, statuses, status) => {
    const world = await running(mode);
    await world.act(1, kind, "a");
    await world.settle();
    expect([world.runtime.terminated, world.status()]).toEqual([["a:1"], "IN_PROGRESS"]);
    expect(world.said.size).toBe(0);
    await finish(world);
    expect([world.statuses(), world.status()]).toEqual([statuses, status]);
  });

  test("KILL under FAIL_IMMEDIATELY ends the run", async () => {
    const world = await running({ failure_mode: "FAIL_IMMEDIATELY" });
    await world.act(1, "KILL", "a");
    await world.settle();
    expect([world.statuses(), world.status()]).toEqual([{ a: "FATALLY_FAILED", b: "STOPPED" }, "FAILED"]);
  });

  test("ends the wait for a retry", async () => {
    const world = await running();
    world.runtime.results.set("a", { state: "USER_ERROR" });
    world.wake("a");
    await world.settle();
    await world.act(1, "SKIP", "a");
    await world.settle();
    expect(world.statuses()).toEqual({ a: "SKIPPED", b: "RUNNING", next: "SUCCEEDED" });
    expect(world.attempts.get(1)?.get("a:2")?.status).toBe("SKIPPED");
  });

  test("that was said before a crash is carried out after it, once", async () => {
    const world = await running();
    world.crash();
    world.said.set(1, [{ kind: "SKIP", stepId: "a", user: "tester", reason: "", createTime: 0 }]);
    await world.boot();
    await world.settle();
    expect([world.statuses(), world.said.size]).toEqual([{ a: "SKIPPED", b: "RUNNING", next: "SUCCEEDED" }, 0]);
    expect(world.messages("a").map(([, text]) => text)).toContain("User [tester] takes action [SKIP] on the step");
  });

  test("that has ended, or never began, changes nothing", async () => {
    const world = await running();
    world.runtime.results.set("a", { state: "DONE" });
    world.wake("a");
    await world.settle();
    await world.act(1, "KILL", "a");
    await world.act(1, "STOP", "nowhere");
    await world.settle();
    await finish(world);
    expect([world.statuses(), world.status()]).toEqual([
      { a: "SUCCEEDED", b: "SUCCEEDED", next: "SUCCEEDED" },
      "SUCCEEDED",
    ]);
    await world.sweep();
    expect(world.said.size).toBe(0);
  });

  test("leaves a word to another step alone", async () => {
    const world = await running();
    world.runtime.terminations.set("b", new Promise(() => {}));
    await world.act(1, "STOP", "b");
    await world.act(1, "STOP", "a");
    await world.settle();
    expect(world.said.get(1)?.map((word) => word.stepId)).toEqual(["b"]);
  });
});
