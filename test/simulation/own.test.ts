/** What becomes of a group's runs when the group changes hands. */
import { describe, expect, test } from "bun:test";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

describe("a group that is given up", () => {
  test("is at rest only when what its runs have queued has committed", async () => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    await world.boot();
    await world.start();
    await world.settle(0);
    expect(world.commits).toBe(0);
    await world.disown();
    expect([world.commits, world.statuses()]).toEqual([1, { job: "STARTING" }]);
    expect(world.runtime.started).toEqual([]);
  });

  test("starts no job any more, though the row that lets it has committed", async () => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    await world.boot();
    await world.start();
    await world.settle(0);
    await Promise.all([world.disown(), world.settle()]);
    expect([world.status(), world.statuses()]).toEqual(["IN_PROGRESS", { job: "STARTING" }]);
    expect(world.runtime.started).toEqual([]);
    await world.boot();
    await world.settle();
    expect(world.runtime.started).toEqual(["job:1"]);
  });
});
