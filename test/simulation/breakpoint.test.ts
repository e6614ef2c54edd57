/** Breakpoints in the engine alone: what they cost, whom they hold, and what is left of them. */
import { describe, expect, test } from "bun:test";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

const CHAIN = workflow([step("a", { to: { b: "true" } }), step("b", { type: "Job" })]);

async function begun(...breakpoints: readonly string[]): Promise<World> {
  const world = new World(CHAIN);
  world.runtime.results.set("b", { state: "DONE" });
  world.breakpoints = breakpoints;
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

/** As the API does it. */
async function resume(world: World, name: string): Promise<void> {
  world.paused.delete(name);
  const [key, stepId = ""] = name.split(" ");
  world.tell(Number(key), stepId);
  await world.settle();
}

describe("a step without a breakpoint", () => {
  test("is not asked for, and its run is one turn and one commit", async () => {
    const world = new World(workflow([step("a", { to: { b: "true" } }), step("b")]));
    world.breakpoints = ["elsewhere"];
    await world.boot();
    await world.start();
    await world.settle(1);
    expect([world.status(), world.commits, world.breakpointReads]).toEqual(["SUCCEEDED", 1, 0]);
  });

  test("whose breakpoint was removed without this node's hearing of it is asked for, and not held", async () => {
    const world = await begun("a");
    await resume(world, "1 a 1");
    world.breakpoints = [];
    await world.start();
    await world.settle();
    expect(world.status(2)).toBe("SUCCEEDED");
    expect(world.attempts.get(2)?.get("a:1")?.times.pause_time).toBeUndefined();
    const before = world.breakpointReads;
    await world.sweep();
    await world.start();
    await world.settle();
    expect([world.status(3), world.breakpointReads]).toEqual(["SUCCEEDED", before]);
  });
});

describe("a step with a breakpoint", () => {
  test("is paused, and so is its row among the paused ones, by one commit", async () => {
    const world = new World(CHAIN);
    world.breakpoints = ["a"];
    await world.boot();
    await world.start();
    while (world.statuses().a === undefined) await world.settle(1);
    expect([world.statuses(), [...world.paused]]).toEqual([{ a: "PAUSED" }, ["1 a 1"]]);
  });

  test("waits for ever, and goes on when it is resumed; the next one is held on its own", async () => {
    const world = await begun("a", "b");
    await world.pass(3_600_000);
    expect(world.statuses()).toEqual({ a: "PAUSED" });
    await resume(world, "1 a 1");
    expect(world.statuses()).toEqual({ a: "SUCCEEDED", b: "PAUSED" });
    expect(world.runtime.started).toEqual([]);
    await resume(world, "1 b 1");
    expect([world.statuses(), world.status()]).toEqual([{ a: "SUCCEEDED", b: "SUCCEEDED" }, "SUCCEEDED"]);
    expect(world.messages("a")).toEqual([
      ["INFO", "Paused by a breakpoint, until the step is resumed or the breakpoint is removed"],
    ]);
  });

  test("that was removed while the attempt was being stored goes on by itself", async () => {
    const world = new World(CHAIN);
    world.runtime.results.set("b", { state: "DONE" });
    world.breakpoints = ["a"];
    await world.boot();
    await world.start();
    // It has been asked for, and its row is on its way.
    await world.settle(1);
    expect([world.breakpointReads, world.statuses()]).toEqual([1, {}]);
    world.breakpoints = [];
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
    expect(world.attempts.get(1)?.get("a:1")?.times.pause_time).toBeDefined();
  });

  test("holds each attempt once, the retries too", async () => {
    const world = await begun("b");
    world.runtime.results.set("b:1", { state: "USER_ERROR" });
    await resume(world, "1 b 1");
    expect(world.statuses().b).toBe("USER_FAILED");
    await world.pass(60_000);
    expect([world.statuses().b, [...world.paused]]).toEqual(["PAUSED", ["1 b 2"]]);
    await resume(world, "1 b 2");
    expect(world.status()).toBe("SUCCEEDED");
  });

  test("holds nothing that has gone past it", async () => {
    const world = new World(CHAIN);
    await world.boot();
    await world.start();
    await world.settle();
    world.breakpoints = ["a", "b"];
    await world.sweep();
    await world.settle();
    expect([world.statuses(), world.paused.size]).toEqual([{ a: "SUCCEEDED", b: "RUNNING" }, 0]);
  });

  test("still holds the attempt after a crash at any commit, once", async () => {
    for (let crashAfter = 0; crashAfter < 4; crashAfter++) {
      const world = new World(CHAIN);
      world.runtime.results.set("b", { state: "DONE" });
      world.breakpoints = ["a"];
      await world.boot();
      await world.start();
      await world.settle(crashAfter);
      const since = world.attempts.get(1)?.get("a:1")?.times.pause_time;
      world.crash();
      await world.boot();
      await world.settle();
      expect([world.statuses(), [...world.paused]]).toEqual([{ a: "PAUSED" }, ["1 a 1"]]);
      if (since !== undefined) expect(world.attempts.get(1)?.get("a:1")?.times.pause_time).toBe(since);
      await resume(world, "1 a 1");
      expect(world.status()).toBe("SUCCEEDED");
    }
  });

  test("that is resumed while nobody owns the run goes on with its next owner", async () => {
    const world = await begun("a");
    world.crash();
    world.paused.clear();
    await world.boot();
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
  });

  test.each(["STOP", "KILL", "SKIP"] as const)("can be ended by %s, and is paused no longer", async (kind) => {
    const world = await begun("a");
    expect(world.paused.size).toBe(1);
    await world.act(1, kind, "a");
    await world.settle();
    const statuses = { STOP: "STOPPED", KILL: "FATALLY_FAILED", SKIP: "SKIPPED" };
    expect([world.statuses().a, world.paused.size]).toEqual([statuses[kind], 0]);
    expect(world.status()).not.toBe("IN_PROGRESS");
  });

  test("does not keep its run from taking too long", async () => {
    const world = new World(workflow([step("a")], { timeout: 30 }));
    world.breakpoints = ["a"];
    await world.boot();
    await world.start();
    await world.pass(30_000);
    expect([world.statuses(), world.status(), world.paused.size]).toEqual([{ a: "TIMED_OUT" }, "TIMED_OUT", 0]);
  });
});

describe("what a node knows of breakpoints", () => {
  test("is told, and true at once", async () => {
    const world = await begun();
    world.breakpoints = ["a"];
    world.addBreakpoint("a");
    await world.start();
    await world.settle();
    expect(world.statuses(2)).toEqual({ a: "PAUSED" });
  });

  test("is found by the sweep when nobody tells", async () => {
    const world = await begun();
    world.breakpoints = ["a"];
    await world.start();
    await world.settle();
    expect(world.status(2)).toBe("SUCCEEDED");
    await world.sweep();
    await world.start();
    await world.settle();
    expect(world.statuses(3)).toEqual({ a: "PAUSED" });
  });

  test("keeps what it is told while it is being read", async () => {
    const world = await begun();
    const answer = Promise.withResolvers<void>();
    world.slowReads = answer.promise;
    const sweep = world.sweep();
    await world.settle();
    world.breakpoints = ["a"];
    world.addBreakpoint("a");
    answer.resolve();
    await sweep;
    await world.start();
    await world.settle();
    expect(world.statuses(2)).toEqual({ a: "PAUSED" });
  });

  test("is nothing until it has been read: every step is asked for", async () => {
    const world = new World(workflow([step("a")]));
    world.breakpoints = ["a"];
    world.brokenReads = 1;
    await world.boot();
    await world.start();
    await world.settle();
    expect(world.statuses()).toEqual({ a: "PAUSED" });
    expect(world.errors).toHaveLength(1);
  });
});
