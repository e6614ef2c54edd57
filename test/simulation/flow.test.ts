import { describe, expect, test } from "bun:test";
import type { TypedStep } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { Place } from "../../src/step/model.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

async function run(definition: Workflow): Promise<World> {
  const world = new World(definition);
  await world.boot();
  await world.start();
  await world.settle();
  return world;
}

describe("a run of steps that end at once", () => {
  test("goes through a diamond and succeeds, with one row a step and a place freed in the strategy", async () => {
    const world = await run(
      workflow([
        step("a", { to: { b: "true", c: "true" } }),
        step("b", { to: { d: "true" } }),
        step("c", { to: { d: "true" } }),
        step("d"),
      ]),
    );
    expect(world.statuses()).toEqual({ a: "SUCCEEDED", b: "SUCCEEDED", c: "SUCCEEDED", d: "SUCCEEDED" });
    expect(world.status()).toBe("SUCCEEDED");
    expect(world.outbox).toEqual(new Set(["dequeue:wf"]));
    expect(world.commits).toBe(1);
  });

  test("a join runs when one of its conditions is true, and is UNSATISFIED when none is", async () => {
    const world = await run(
      workflow([
        step("a", { to: { b: "false", c: "true", x: "false" } }),
        step("b", { to: { d: "true" } }),
        step("c", { to: { d: "true" } }),
        step("d"),
        step("x", { to: { y: "true" } }),
        step("y"),
      ]),
    );
    expect(world.statuses()).toEqual({
      a: "SUCCEEDED",
      b: "UNSATISFIED",
      c: "SUCCEEDED",
      d: "SUCCEEDED",
      x: "UNSATISFIED",
      y: "UNSATISFIED",
    });
    expect(world.status()).toBe("SUCCEEDED");
  });

  test("a param that cannot be evaluated fails the step internally, whatever its failure mode, and nothing follows", async () => {
    const bad = { fail: { type: "LONG" as const, value: 1 } };
    const world = await run(
      workflow([step("a", { params: bad, failure_mode: "IGNORE_FAILURE", to: { b: "true" } }), step("b"), step("c")]),
    );
    expect(world.statuses()).toEqual({ a: "INTERNALLY_FAILED", c: "SUCCEEDED" });
    expect(world.status()).toBe("FAILED");
  });

  test("a thousand steps in a chain end without a deep stack", async () => {
    const steps = Array.from({ length: 1000 }, (_, i) =>
      step(`s${i}`, i < 999 ? { to: { [`s${i + 1}`]: "true" } } : {}),
    );
    const world = await run(workflow(steps));
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
    expect(Object.keys(world.statuses())).toHaveLength(1000);
  });
});

describe("failure modes", () => {
  const job = (mode: TypedStep["failure_mode"]): Workflow =>
    workflow([
      step("bad", { type: "Job", failure_mode: mode, to: { after: "true" } }),
      step("after"),
      step("side", { type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 100 } }, to: { tail: "true" } }),
      step("tail"),
    ]);

  async function fail(mode: TypedStep["failure_mode"]): Promise<World> {
    const world = new World(job(mode));
    world.runtime.results.set("bad", { state: "FATAL_ERROR" });
    await world.boot();
    await world.start();
    await world.settle();
    return world;
  }

  test("FAIL_AFTER_RUNNING lets other branches end, then fails the run", async () => {
    const world = await fail("FAIL_AFTER_RUNNING");
    expect(world.status()).toBe("IN_PROGRESS");
    await world.pass(100_000);
    expect(world.statuses()).toEqual({ bad: "FATALLY_FAILED", side: "SUCCEEDED", tail: "SUCCEEDED" });
    expect(world.status()).toBe("FAILED");
  });

  test("FAIL_IMMEDIATELY stops the rest and fails the run", async () => {
    const world = await fail("FAIL_IMMEDIATELY");
    expect(world.statuses()).toEqual({ bad: "FATALLY_FAILED", side: "STOPPED" });
    expect(world.status()).toBe("FAILED");
  });

  test("IGNORE_FAILURE goes on as if the step had succeeded", async () => {
    const world = await fail("IGNORE_FAILURE");
    await world.pass(100_000);
    expect(world.statuses()).toEqual({
      bad: "COMPLETED_WITH_ERROR",
      after: "SUCCEEDED",
      side: "SUCCEEDED",
      tail: "SUCCEEDED",
    });
    expect(world.status()).toBe("SUCCEEDED");
  });
});

describe("retries", () => {
  test("user errors are retried after 60 and 120 seconds, then the step fails for good", async () => {
    const world = new World(workflow([step("a", { type: "Job" })]));
    world.runtime.results.set("a", { state: "USER_ERROR" });
    await world.boot();
    await world.start();
    await world.settle();
    expect(world.statuses()).toEqual({ a: "USER_FAILED" });
    await world.pass(59_999);
    expect(world.runtime.started).toEqual(["a:1"]);
    await world.pass(1);
    expect(world.runtime.started).toEqual(["a:1", "a:2"]);
    await world.pass(120_000);
    expect(world.runtime.started).toEqual(["a:1", "a:2", "a:3"]);
    expect(world.statuses()).toEqual({ a: "FATALLY_FAILED" });
    expect(world.status()).toBe("FAILED");
  });

  test("a fixed backoff waits the same time; platform errors have a budget of their own", async () => {
    const policy = {
      error_retry_limit: 0,
      platform_retry_limit: 2,
      backoff: { type: "FIXED_BACKOFF" as const, platform_retry_backoff_in_secs: 5 },
    };
    const world = new World(workflow([step("a", { type: "Job", retry_policy: policy })]));
    world.runtime.results.set("a", { state: "PLATFORM_ERROR" });
    world.runtime.results.set("a:3", { state: "DONE" });
    await world.boot();
    await world.start();
    await world.pass(4_999);
    expect(world.runtime.started).toHaveLength(1);
    await world.pass(1);
    await world.pass(5_000);
    expect(world.statuses()).toEqual({ a: "SUCCEEDED" });
  });

  test("the backoff runs from the failure, so a crash does not extend it", async () => {
    const world = new World(workflow([step("a", { type: "Job" })]));
    world.runtime.results.set("a:1", { state: "USER_ERROR" });
    world.runtime.results.set("a:2", { state: "DONE" });
    await world.boot();
    await world.start();
    await world.pass(30_000);
    world.crash();
    await world.boot();
    await world.pass(29_999);
    expect(world.runtime.started).toEqual(["a:1"]);
    await world.pass(1);
    expect(world.statuses()).toEqual({ a: "SUCCEEDED" });
  });
});

describe("timeouts", () => {
  test("a step's timeout fires on time, ends the job and the run as TIMED_OUT", async () => {
    const world = await run(workflow([step("a", { type: "Job", timeout: "2s", to: { b: "true" } }), step("b")]));
    await world.pass(1_999);
    expect(world.statuses()).toEqual({ a: "RUNNING" });
    await world.pass(1);
    expect(world.runtime.terminated).toEqual(["a:1"]);
    expect(world.statuses()).toEqual({ a: "TIMED_OUT" });
    expect(world.status()).toBe("TIMED_OUT");
  });

  test("a timeout that is retried terminates the old job before the next attempt starts", async () => {
    const retry = {
      timeout_retry_limit: "1",
      backoff: { type: "FIXED_BACKOFF" as const, timeout_retry_backoff_in_secs: 1 },
    };
    const world = await run(workflow([step("a", { type: "Job", timeout: 2, retry_policy: retry })]));
    await world.pass(2_000);
    expect(world.runtime.terminated).toEqual(["a:1"]);
    expect(world.runtime.started).toEqual(["a:1"]);
    await world.pass(1_000);
    expect(world.runtime.started).toEqual(["a:1", "a:2"]);
    await world.pass(2_000);
    expect(world.statuses()).toEqual({ a: "TIMED_OUT" });
  });

  test("the timeline says which limit was reached, how the job ended, and when it is tried again", async () => {
    const retry = { timeout_retry_limit: 1, error_retry_limit: 0 };
    const world = await run(workflow([step("a", { type: "Job", timeout: 2, retry_policy: retry })]));
    await world.pass(2_000);
    expect(world.messages("a")).toEqual([
      ["ERROR", "The step ran longer than its timeout of 2s"],
      ["INFO", "Stopped with SIGTERM"],
      ["INFO", "Attempt 2 of 2 begins 1m after this failure"],
    ]);
  });

  test("the run's timeout ends every live step, waiting retries included", async () => {
    const world = new World(workflow([step("a", { type: "Job" }), step("b", { type: "Job" })], { timeout: 30 }));
    world.runtime.results.set("b", { state: "USER_ERROR" });
    await world.boot();
    await world.start();
    await world.pass(29_999);
    expect(world.statuses()).toEqual({ a: "RUNNING", b: "USER_FAILED" });
    await world.pass(1);
    expect(world.statuses()).toEqual({ a: "TIMED_OUT", b: "TIMED_OUT" });
    expect(world.status()).toBe("TIMED_OUT");
  });
});

describe("stop and kill", () => {
  test("STOP ends live steps as STOPPED, and what was never made stays so", async () => {
    const world = await run(workflow([step("a", { type: "Job", to: { b: "true" } }), step("b"), step("c")]));
    await world.act(1, "STOP");
    await world.settle();
    expect(world.statuses()).toEqual({ a: "STOPPED", c: "SUCCEEDED" });
    expect(world.status()).toBe("STOPPED");
    expect(world.said.size).toBe(0);
  });

  test("KILL fails the run even where failures are ignored", async () => {
    const world = await run(workflow([step("a", { type: "Job", failure_mode: "IGNORE_FAILURE" })]));
    await world.act(1, "KILL");
    await world.settle();
    expect(world.statuses()).toEqual({ a: "FATALLY_FAILED" });
    expect(world.status()).toBe("FAILED");
  });

  test("a step that waits for its retry ends at once", async () => {
    const world = new World(workflow([step("a", { type: "Job" })]));
    world.runtime.results.set("a", { state: "USER_ERROR" });
    await world.boot();
    await world.start();
    await world.settle();
    await world.act(1, "STOP");
    await world.settle();
    const attempts = [...(world.attempts.get(1)?.values() ?? [])];
    expect(attempts.map((it) => [it.attemptId, it.status])).toEqual([
      [1, "USER_FAILED"],
      [2, "STOPPED"],
    ]);
    expect(world.status()).toBe("STOPPED");
  });

  test("an action that was accepted before a crash is carried out after it", async () => {
    const world = await run(workflow([step("a", { type: "Job" })]));
    world.crash();
    world.said.set(1, [{ kind: "STOP", stepId: undefined, user: "tester", reason: "", createTime: 0 }]);
    await world.boot();
    await world.settle();
    expect(world.status()).toBe("STOPPED");
  });
});

describe("a crash after any commit", () => {
  const definition = workflow([
    step("a", { to: { b: "true", c: "true" } }),
    step("b", { type: "Job", to: { d: "true" } }),
    step("c", { type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 2 } }, to: { d: "false" } }),
    step("d", { type: "Job", to: { e: "true" } }),
    step("e"),
  ]);

  async function play(crashAfter: number): Promise<World> {
    const world = new World(definition);
    await playIn(world, crashAfter);
    return world;
  }

  async function playIn(world: World, crashAfter: number): Promise<void> {
    await world.boot();
    await world.start();
    await world.settle(crashAfter);
    world.crash();
    await world.boot();
    await world.settle();
    for (const job of ["b", "d"]) {
      world.runtime.results.set(job, { state: "DONE" });
      world.wake(job);
      await world.pass(3_000);
    }
  }

  test("the run goes on to the same end, and no job starts a second attempt", async () => {
    for (let crashAfter = 0; crashAfter < 8; crashAfter++) {
      const world = await play(crashAfter);
      expect(world.statuses()).toEqual({
        a: "SUCCEEDED",
        b: "SUCCEEDED",
        c: "SUCCEEDED",
        d: "SUCCEEDED",
        e: "SUCCEEDED",
      });
      expect(world.status()).toBe("SUCCEEDED");
      expect(new Set(world.runtime.started)).toEqual(new Set(["b:1", "d:1"]));
    }
  });

  test("no job starts before its row is committed", async () => {
    const world = new World(definition);
    await world.boot();
    await world.start();
    await world.settle(0);
    expect(world.runtime.started).toEqual([]);
    await world.settle();
    expect(world.runtime.started).toEqual(["b:1"]);
  });

  test("where a job begins is committed before it does, and whoever comes after a crash is told", async () => {
    for (let crashAfter = 0; crashAfter < 8; crashAfter++) {
      const world = new World(definition);
      const told = new Map<string, (Place | undefined)[]>();
      world.runtime.onCall = ({ identity, place }) => {
        const { stepId } = identity;
        expect(place).toEqual(world.attempts.get(1)?.get(`${stepId}:1`)?.place);
        told.set(stepId, [...(told.get(stepId) ?? []), place]);
      };
      await playIn(world, crashAfter);
      for (const [, [first, ...later]] of told) {
        expect(first?.directory).toMatch(/^\/node-[12]\/attempt$/);
        for (const place of later) expect(place).toEqual(first);
      }
      const places = [...(world.attempts.get(1)?.values() ?? [])].map(({ stepId, place }) => [stepId, place]);
      expect(Object.fromEntries(places)).toEqual({
        a: undefined,
        b: told.get("b")?.[0],
        c: undefined,
        d: told.get("d")?.[0],
        e: undefined,
      });
    }
  });

  test("a retry begins where its owner is, not where the attempt before it was", async () => {
    const world = new World(workflow([step("a", { type: "Job" })]));
    world.runtime.results.set("a:1", { state: "PLATFORM_ERROR" });
    await world.boot();
    await world.start();
    await world.settle();
    world.crash();
    await world.boot();
    await world.pass(60_000);
    const directories = [...(world.attempts.get(1)?.values() ?? [])].map(({ place }) => place?.directory);
    expect(directories).toEqual(["/node-1/attempt", "/node-2/attempt"]);
  });
});

test("steps that become ready together begin together: none sees another's end", async () => {
  const seen: Record<string, string | undefined> = {};
  const world = new World(workflow([step("a", { to: { b: "true", c: "true" } }), step("b"), step("c"), step("d")]));
  world.onParams = ({ node, attemptOf }) => {
    seen[node.id] = ["a", "b", "c", "d"].filter((id) => attemptOf(id)?.status === "SUCCEEDED").join();
  };
  await world.boot();
  await world.start();
  await world.settle();
  expect(seen).toEqual({ a: "", d: "", b: "a,d", c: "a,d" });
});

test("the end of a run is told once it has committed", async () => {
  const world = await run(workflow([step("a", { type: "Job" })]));
  world.runtime.results.set("a", { state: "DONE" });
  world.wake("a");
  await world.settle(0);
  expect(world.ends).toEqual([]);
  await world.settle();
  expect(world.ends).toMatchObject([{ workflowId: "wf", instanceId: 1, runId: 1 }]);
});

test("a start says who has the run, unless its strategy holds it back", async () => {
  const world = await run(workflow([step("a")]));
  expect((await world.start()).groupId).toBe(0);
  world.holdBack = true;
  expect((await world.start()).groupId).toBeUndefined();
});

describe("room for queued runs", () => {
  test("where no run is known to wait, the ends of a while are looked at together", async () => {
    const world = await run(workflow([step("a")]));
    await world.start();
    await world.settle();
    expect(world.dequeues).toEqual([]);
    await world.pass(100);
    expect(world.dequeues).toEqual([["wf"]]);
  });

  test("where one waits, an end lets it go at once", async () => {
    const world = await run(workflow([step("a")]));
    world.holdBack = true;
    await world.start();
    world.holdBack = false;
    await world.start();
    await world.settle();
    expect(world.dequeues).toEqual([["wf"]]);
  });
});

describe("what a start knows of its workflow", () => {
  test("is read once, and again when the workflow has changed since", async () => {
    const world = await run(workflow([step("a")]));
    expect((await world.start()).versionId).toBe(1);
    expect(world.headReads).toBe(1);
    world.revision++;
    expect((await world.start()).versionId).toBe(2);
    expect(world.headReads).toBe(2);
    await world.settle();
    expect(world.runs.size).toBe(3);
  });
});

test("a run that ended while it was being read is not taken up again", async () => {
  const world = new World(workflow([step("a", { type: "Job" })]));
  await world.boot();
  const run = await world.letGo();
  const answer = Promise.withResolvers<void>();
  world.slowReads = answer.promise;
  world.hint(1);
  world.runtime.results.set("a", { state: "DONE" });
  world.hand(run);
  await world.settle();
  expect(world.status()).toBe("SUCCEEDED");
  world.runtime.results.set("a", { state: "PLATFORM_ERROR" }); // what a job whose traces are gone would answer
  answer.resolve();
  await world.pass(1_000);
  expect(world.statuses()).toEqual({ a: "SUCCEEDED" });
});

describe("many starts at once", () => {
  test("let others in between two of them, however many have come", async () => {
    const world = new World(workflow([step("a")]));
    const order: string[] = [];
    world.onStart = () => order.push("start");
    await world.boot({ slice: 0 });
    const starts = Array.from({ length: 5 }, () => world.start());
    const ticks = new Promise<void>((resolve) => {
      const tick = (): void => {
        order.push("tick");
        if (order.filter((it) => it === "start").length < 5) setImmediate(tick);
        else resolve();
      };
      setImmediate(tick);
    });
    await Promise.all([...starts, ticks]);
    expect(order.filter((it) => it === "start")).toHaveLength(5);
    for (let first = order.indexOf("start"), next = 0; next >= 0; first = next) {
      next = order.indexOf("start", first + 1);
      if (next >= 0) expect(order.slice(first, next)).toContain("tick");
    }
  });
});

test("the traces of a job go once the row of its end has committed, and not before", async () => {
  const world = new World(workflow([step("a", { type: "Job" })]));
  await world.boot();
  await world.start();
  await world.settle();
  world.runtime.results.set("a", { state: "DONE" });
  world.wake("a");
  await world.settle(0);
  expect(world.forgotten).toEqual([]);
  await world.settle();
  expect(world.forgotten).toHaveLength(1);
});

test("a job does not begin on a commit that was heard of late, but on the next one", async () => {
  const world = new World(workflow([step("a", { type: "Job" })]));
  await world.boot();
  await world.start();
  await world.settle(0);
  world.clock.moveTo(world.clock.now() + 6_000);
  await world.settle(1);
  expect([world.commits, world.runtime.started]).toEqual([1, []]);
  await world.settle();
  expect([world.commits >= 2, world.runtime.started]).toEqual([true, ["a:1"]]);
});
