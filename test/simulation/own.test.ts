/** What becomes of a group's runs when the group changes hands. */
import { describe, expect, test } from "bun:test";
import type { Run } from "../../src/run/model.ts";
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

  test("leaves what has not had its turn as it is, and goes no further in the middle of one", async () => {
    const world = new World(workflow([step("a")]));
    await world.boot();
    let given: Promise<void> | undefined;
    world.onParams = () => {
      given ??= world.disown();
    };
    await Promise.all([world.start(), world.start()]);
    await world.settle();
    await given;
    expect([world.commits, world.status(1), world.status(2)]).toEqual([0, "CREATED", "CREATED"]);
    await world.boot();
    await world.settle();
    expect([world.status(1), world.status(2)]).toEqual(["SUCCEEDED", "SUCCEEDED"]);
  });
});

test("a new owner looks at once for what a former one has announced, and with every sweep", async () => {
  const world = new World(workflow([step("a")]));
  await world.boot();
  expect(world.outboxLooks).toBe(1);
  await world.sweep();
  expect(world.outboxLooks).toBe(2);
});

describe("a group that has another owner", () => {
  const running = async (): Promise<World> => {
    const world = new World(workflow([step("job", { type: "Job", timeout: 60 })]));
    await world.boot();
    await world.start();
    await world.settle();
    return world;
  };

  test("is dropped at the first write that is refused, and the node is told", async () => {
    const world = await running();
    world.generation++;
    world.runtime.results.set("job", { state: "CONTINUE", artifacts: { seen: { it: 1 } } });
    world.wake("job");
    await world.settle();
    expect([world.lost, world.counters.activeRuns]).toEqual([[0], 0]);
  });

  test("and is this one's again has one actor for each run", async () => {
    const world = await running();
    await world.claimAgain();
    await world.settle();
    await world.pass(61_000);
    expect([world.runtime.terminated, world.status()]).toEqual([["job:1"], "TIMED_OUT"]);
  });

  test("and is this one's again is not lost by what the former one had queued", async () => {
    const world = await running();
    world.runtime.results.set("job", { state: "CONTINUE", artifacts: { seen: { it: 1 } } });
    world.wake("job");
    await world.settle(0);
    await world.claimAgain();
    await world.settle();
    expect([world.lost, world.counters.activeRuns]).toEqual([[], 1]);
    world.runtime.results.set("job", { state: "DONE" });
    world.wake("job");
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
  });

  test("does not run again what was let go before it came, and was run by another one", async () => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    await world.boot();
    const answer = Promise.withResolvers<void>();
    world.slowStarts = answer.promise;
    const start = world.start();
    await world.settle();
    const run = world.runs.get(1) as Run;
    world.runs.set(1, { ...run, status: "SUCCEEDED", startTime: 1, endTime: 2 });
    await world.claimAgain();
    answer.resolve();
    await start;
    await world.settle();
    expect([world.status(), world.runtime.started]).toEqual(["SUCCEEDED", []]);
  });
});

describe("a run that was let go elsewhere", () => {
  const handed = async (): Promise<readonly [World, Run]> => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    await world.boot();
    return [world, await world.letGo()];
  };

  test("begins as it is handed over, without being read", async () => {
    const [world, run] = await handed();
    world.hand(run);
    await world.settle();
    expect([world.runReads, world.runtime.started]).toEqual([0, ["job:1"]]);
  });

  test("begins once, though the word comes again while it runs, and after it has ended", async () => {
    const [world, run] = await handed();
    world.hand(run);
    world.hand(run);
    await world.settle();
    world.runtime.results.set("job", { state: "DONE" });
    world.wake("job");
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
    world.hand(run);
    await world.settle();
    expect([world.runtime.started, world.counters.activeRuns]).toEqual([["job:1"], 0]);
  });

  test("is read by an owner that came after it", async () => {
    const [world, run] = await handed();
    await world.boot();
    const reads = world.runReads;
    world.hand(run);
    await world.settle();
    expect([world.runReads - reads, world.runtime.started]).toEqual([0, ["job:1"]]);
    const late = await world.letGo();
    await world.disown();
    world.hand(late);
    await world.settle();
    expect(world.runtime.started).toEqual(["job:1"]);
  });

  test.each(["", "{", "null", '{"key": 99}'])("is read when what came with the hint is %p", async (text) => {
    const [world, run] = await handed();
    world.handText(run.key, text);
    await world.settle();
    expect([world.runReads, world.runtime.started]).toEqual([1, ["job:1"]]);
  });

  test("that nobody was told of is found by the sweep", async () => {
    const [world] = await handed();
    await world.sweep();
    await world.settle();
    expect(world.runtime.started).toEqual(["job:1"]);
  });
});

describe("a word to a run", () => {
  test("is read without the run", async () => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    await world.boot();
    await world.start();
    await world.settle();
    await world.act(1, "STOP");
    await world.settle();
    expect([world.status(), world.runReads, world.wordReads]).toEqual(["STOPPED", 0, 1]);
    expect(world.said.size).toBe(0);
  });

  test("that is heard twice changes nothing more", async () => {
    const world = new World(workflow([step("job", { type: "Job" })]));
    world.runtime.terminations.set("job", new Promise(() => {}));
    await world.boot();
    await world.start();
    await world.settle();
    await world.act(1, "STOP");
    world.hint(1);
    world.hint(1);
    await world.settle();
    expect(world.runtime.terminated).toEqual(["job:1"]);
    await world.pass(86_460_000);
    expect(world.messages("job").filter(([, text]) => text.includes("[STOP]"))).toHaveLength(1);
  });
});
