/** Steps that are tried again while their run lasts, and runs that go on from what earlier ones have left. */
import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/run/model.ts";
import { stepRestart } from "../../src/run/restart.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

const RETRY = { error_retry_limit: 0 };
const CONFIG = stepRestart({ workflowId: "w", instanceId: 1 }, "a", "RESTART_FROM_INCOMPLETE", undefined).config;

/** a ─▶ next, beside b; a has failed for good, and b is a job that goes on. */
async function failed(): Promise<World> {
  const world = new World(
    workflow([
      step("a", { type: "Job", to: { next: "true" }, retry_policy: RETRY }),
      step("next"),
      step("b", { type: "Job" }),
    ]),
  );
  await world.boot();
  await world.start();
  await world.settle();
  await end(world, "a", "USER_ERROR");
  expect(world.statuses()).toEqual({ a: "FATALLY_FAILED", b: "RUNNING" });
  return world;
}

async function end(world: World, stepId: string, state: "DONE" | "USER_ERROR"): Promise<void> {
  world.runtime.results.set(stepId, { state });
  world.wake(stepId);
  await world.settle();
}

/** As the row and its word would be read again, after a crash. */
async function reboot(world: World): Promise<void> {
  world.crash();
  await world.boot();
  await world.settle();
}

describe("a step that is restarted in place", () => {
  test("runs again as another attempt, and what follows it goes on", async () => {
    const world = await failed();
    world.runtime.results.delete("a");
    await world.act(1, "RESTART", "a", { after: 1, restart: CONFIG });
    await world.settle();
    expect([world.statuses().a, world.attempts.get(1)?.get("a:2")?.restart, world.said.size]).toEqual([
      "RUNNING",
      CONFIG,
      0,
    ]);
    await end(world, "a", "DONE");
    await end(world, "b", "DONE");
    expect([world.statuses(), world.status()]).toEqual([
      { a: "SUCCEEDED", b: "SUCCEEDED", next: "SUCCEEDED" },
      "SUCCEEDED",
    ]);
    expect(world.attempts.get(1)?.get("a:1")?.status).toBe("FATALLY_FAILED");
  });

  test("keeps its run from ending", async () => {
    const world = await failed();
    world.runtime.results.delete("a");
    // Both are said in one turn: the step that is left to end, and the one that begins anew.
    world.said.set(1, [
      { kind: "STOP", stepId: "b", user: "tester", reason: "", createTime: 1 },
      { kind: "RESTART", stepId: "a", user: "tester", reason: "", createTime: 2, after: 1, restart: CONFIG },
    ]);
    await world.sweep();
    await world.settle();
    expect([world.statuses(), world.status()]).toEqual([{ a: "RUNNING", b: "STOPPED" }, "IN_PROGRESS"]);
    await end(world, "a", "DONE");
    expect(world.status()).toBe("STOPPED");
  });

  test("begins once, though the word comes again, and though its owner dies", async () => {
    const world = await failed();
    world.runtime.results.delete("a");
    const word = {
      kind: "RESTART",
      stepId: "a",
      user: "t",
      reason: "",
      createTime: 1,
      after: 1,
      restart: CONFIG,
    } as const;
    for (const another of [() => world.sweep(), () => reboot(world), () => reboot(world)]) {
      world.said.set(1, [word]);
      await another();
      await world.settle();
      expect([Object.keys(Object.fromEntries(world.attempts.get(1) ?? [])), world.said.size]).toEqual([
        ["a:1", "b:1", "a:2"],
        0,
      ]);
    }
  });

  test("does not when it has gone on since, or its run is being ended; and nobody waits for that word", async () => {
    const world = await failed();
    await world.act(1, "RESTART", "a", { after: 7, restart: CONFIG });
    await world.settle();
    expect([world.attempts.get(1)?.has("a:2"), world.said.size]).toEqual([false, 0]);
    world.runtime.terminations.set("b", new Promise(() => {}));
    await world.act(1, "STOP");
    await world.act(1, "RESTART", "a", { after: 1, restart: CONFIG });
    await world.settle();
    expect([world.attempts.get(1)?.has("a:2"), world.status()]).toEqual([false, "IN_PROGRESS"]);
  });

  test("is not one that is under way; and nobody waits for that word", async () => {
    const world = await failed();
    await world.act(1, "RESTART", "b", { after: 1, restart: CONFIG });
    await world.settle();
    expect([world.statuses().b, world.attempts.get(1)?.has("b:2"), world.said.size]).toEqual(["RUNNING", false, 0]);
  });
});

describe("a word that comes again after it was carried out", () => {
  test("does not end the attempt that has been made since", async () => {
    const world = await failed();
    world.runtime.results.delete("a");
    await world.act(1, "RESTART", "a", { after: 1, restart: CONFIG });
    await world.settle();
    const stop = { kind: "STOP", stepId: "a", user: "t", reason: "", createTime: 1 } as const;
    world.said.set(1, [stop]);
    await world.sweep();
    await world.settle();
    expect([world.attempts.get(1)?.get("a:2")?.status, world.said.size]).toEqual(["STOPPED", 0]);
    await world.act(1, "RESTART", "a", { after: 2, restart: CONFIG });
    await world.settle();
    world.said.set(1, [stop]);
    await world.sweep();
    await world.settle();
    expect(world.statuses()).toEqual({ a: "RUNNING", b: "RUNNING" });
  });
});

describe("a step that has failed in a run that goes on", () => {
  test.each([
    ["SKIP", "SKIPPED"],
    ["SUCCEED", "SUCCEEDED"],
  ] as const)("(%s) has another attempt that ends so at once", async (kind, status) => {
    const world = await failed();
    await world.act(1, kind, "a", { after: 1 });
    await world.settle();
    expect([world.statuses(), world.said.size]).toEqual([{ a: status, b: "RUNNING", next: "SUCCEEDED" }, 0]);
    await end(world, "b", "DONE");
    expect(world.status()).toBe("SUCCEEDED");
  });

  test("is declared done with outputs", async () => {
    const world = await failed();
    await world.act(1, "SUCCEED", "b", { outputs: { rows: { type: "LONG", value: 1 } } });
    await world.settle();
    expect([world.statuses().b, world.runtime.terminated]).toEqual(["SUCCEEDED", ["b:1"]]);
  });
});

/** Two branches, a ─▶ next and b ─▶ last; the first run has ended with both at their beginnings failed. */
async function twoFailed(): Promise<World> {
  const world = new World(
    workflow([
      step("a", { type: "Job", to: { join: "true" }, retry_policy: RETRY }),
      step("b", { type: "Job", to: { join: "true" }, retry_policy: RETRY }),
      step("c", { to: { join: "false" } }),
      step("join"),
    ]),
  );
  await world.boot();
  await world.start();
  await world.settle();
  await end(world, "a", "USER_ERROR");
  await end(world, "b", "USER_ERROR");
  expect(world.status()).toBe("FAILED");
  const first = world.runs.get(1) as Run;
  world.crash();
  world.runtime.results.clear();
  const made = { key: 2, runId: 2, uuid: "second", executionId: "second", status: "CREATED" } as const;
  const unmade = { startTime: undefined, endTime: undefined, overview: undefined, timeline: [] };
  const config = { policy: "RESTART_FROM_SPECIFIC", restart_config: CONFIG } as const;
  world.runs.set(2, { ...first, ...made, ...unmade, config });
  await world.boot();
  await world.settle();
  return world;
}

const statuses = (world: World) =>
  Object.fromEntries([...(world.attempts.get(2) ?? [])].map(([name, { status }]) => [name, status]));

describe("a run that restarts one step", () => {
  test("leaves the other unfinished ones, and is as they are when it succeeds itself", async () => {
    const world = await twoFailed();
    expect(statuses(world)).toEqual({ "a:1": "RUNNING" });
    await reboot(world);
    expect(statuses(world)).toEqual({ "a:1": "RUNNING" });
    await end(world, "a", "DONE");
    const run = world.runs.get(2);
    expect([statuses(world), run?.status, run?.overview?.runStatus]).toEqual([
      { "a:1": "SUCCEEDED" },
      "FAILED",
      "SUCCEEDED",
    ]);
    expect(run?.overview).toMatchObject({
      total: 3,
      rollup: { total_leaf_count: 2, overview: { SUCCEEDED: { cnt: 2 } } },
    });
  });

  test("makes those too that are restarted while it lasts, and then what has waited for both", async () => {
    const world = await twoFailed();
    await world.act(2, "RESTART", "b", { after: 0, restart: CONFIG });
    await world.settle();
    expect([statuses(world), world.said.size]).toEqual([{ "a:1": "RUNNING", "b:1": "RUNNING" }, 0]);
    await reboot(world);
    await end(world, "a", "DONE");
    expect(world.runs.get(2)?.status).toBe("IN_PROGRESS");
    await end(world, "b", "DONE");
    const run = world.runs.get(2);
    expect([statuses(world), run?.status, run?.overview?.runStatus]).toEqual([
      { "a:1": "SUCCEEDED", "b:1": "SUCCEEDED", "join:1": "SUCCEEDED" },
      "SUCCEEDED",
      undefined,
    ]);
  });

  test("skips one that was held", async () => {
    const world = await twoFailed();
    await world.act(2, "SKIP", "b", { after: 0, restart: CONFIG });
    await world.settle();
    expect([statuses(world), world.said.size]).toEqual([{ "a:1": "RUNNING", "b:1": "SKIPPED" }, 0]);
  });
});
