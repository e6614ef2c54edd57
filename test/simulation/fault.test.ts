/** Faults of a row, of the engine's own code, and of a runtime that does not end its job: each keeps to its own run. */
import { describe, expect, test } from "bun:test";
import type { Workflow } from "../../src/definition/workflow.ts";
import type { Write } from "../../src/flow/port.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

async function running(definition: Workflow, prepare: (world: World) => void = () => {}, runs = 1): Promise<World> {
  const world = new World(definition);
  prepare(world);
  await world.boot();
  for (let count = 0; count < runs; count++) await world.start();
  await world.settle();
  return world;
}

const of = (stepId: string, status: string) => ({ step_id: stepId, step_attempt_id: 1, status });

const attemptAt =
  (stepId: string, runKey = 1) =>
  (row: Write): boolean =>
    row.kind === "attempt" && row.runKey === runKey && row.attempt.stepId === stepId;

describe("rows that can't be stored", () => {
  const beside = workflow([
    step("job", { type: "Job", to: { late: "true" } }),
    step("late"),
    step("quick", { to: { next: "true" } }),
    step("next"),
  ]);

  test("end their own run as failed, with the reason, and stop its jobs; the other runs go on", async () => {
    const refusesEnd = (row: Write): boolean => attemptAt("job")(row) && ended(row);
    const ended = (row: Write): boolean => row.kind === "attempt" && row.attempt.status === "SUCCEEDED";
    const world = await running(
      beside,
      (it) => {
        it.refuses = refusesEnd;
      },
      2,
    );
    expect([world.status(1), world.status(2)]).toEqual(["IN_PROGRESS", "IN_PROGRESS"]);
    world.runtime.results.set("job", { state: "DONE" });
    const asked: number[] = [];
    world.runtime.onCall = ({ identity }) => asked.push(identity.instanceId);
    world.wake("job");
    await world.settle();
    expect(asked).toEqual([1, 2]);
    expect(world.statuses(1)).toEqual({ job: "STOPPED", quick: "SUCCEEDED", next: "SUCCEEDED" });
    expect(world.runtime.terminated).toEqual(["job:1"]);
    expect(world.status(1)).toBe("FAILED");
    const reason = "The database refuses the state of steps [job], [late]: value out of range. The run cannot go on";
    expect(world.runMessages(1)).toContainEqual(["ERROR", reason]);
    expect([world.status(2), world.statuses(2).late]).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(world.counters).toMatchObject({ activeRuns: 0, parkedRuns: 0 });
    expect(world.outbox).toEqual(new Set(["dequeue:wf"]));
    expect([...world.letters]).toEqual([
      [
        "[wf][1][1]",
        {
          ...{ kind: "dead-letter", topic: "refused-run", key: "[wf][1][1]", error: reason },
          payload: {
            ...{ workflow_id: "wf", workflow_instance_id: 1, workflow_run_id: 1, refused_count: 3 },
            refused: [
              { ...of("job", "SUCCEEDED"), content: expect.stringContaining('"status":"SUCCEEDED"') },
              { ...of("late", "SUCCEEDED"), content: expect.stringContaining('"stepId":"late"') },
              { status: "SUCCEEDED", content: expect.stringContaining('"overview":{"total":4') },
            ],
          },
        },
      ],
    ]);
  });

  test("take what the run had queued behind them along, and the run fails once", async () => {
    const both = workflow([step("one", { type: "Job" }), step("two", { type: "Job" })]);
    const world = await running(both);
    world.refuses = (row) => attemptAt("one")(row) && row.kind === "attempt" && row.attempt.status === "SUCCEEDED";
    world.runtime.results.set("one", { state: "DONE" });
    world.wake("one");
    await world.settle(0);
    world.runtime.results.set("two", { state: "DONE" });
    world.wake("two");
    await world.settle();
    expect([world.status(), world.counters.parkedRuns]).toEqual(["FAILED", 0]);
  });

  test("of a step that has no row yet fail the run, though nothing is known of the step", async () => {
    const world = await running(workflow([step("bad")]), (it) => {
      it.refuses = attemptAt("bad");
    });
    expect([world.status(), world.statuses()]).toEqual(["FAILED", {}]);
    expect(world.runMessages()).toContainEqual([
      "ERROR",
      "The database refuses the state of step [bad]: value out of range. The run cannot go on",
    ]);
  });

  test("of the run's own end let it end as failed", async () => {
    const world = await running(workflow([step("a")]), (it) => {
      it.refuses = (row) => row.kind === "run" && row.change.status === "SUCCEEDED";
    });
    expect([world.status(), world.counters.activeRuns]).toEqual(["FAILED", 0]);
  });

  test("do not start what follows on them in memory alone", async () => {
    const world = await running(
      workflow([step("bad", { to: { job: "true" } }), step("job", { type: "Job" })]),
      (it) => {
        it.refuses = attemptAt("bad");
      },
    );
    expect(world.runtime.started).toEqual([]);
    expect(world.status()).toBe("FAILED");
  });

  test("park the run when its end is refused, too; KILL ends it as soon as it can be stored", async () => {
    const world = await running(beside, (it) => {
      it.refuses = (row) => row.kind === "attempt" && row.attempt.stepId === "job" && row.attempt.status !== "STARTING";
    });
    expect(world.counters).toMatchObject({ activeRuns: 0, parkedRuns: 1 });
    expect(world.runMessages().at(-1)?.[1]).toStartWith("The run is parked until it is stopped or killed");
    expect(world.letters.get("[wf][1][1]")?.error).toStartWith("The database refuses the state of step [job]");
    const { commits } = world;
    await world.sweep();
    expect(world.commits).toBe(commits);
    await world.act(1, "STOP");
    await world.settle();
    const { runReads } = world;
    expect([world.status(), world.counters.parkedRuns, runReads > 0]).toEqual(["IN_PROGRESS", 1, true]);
    for (let sweeps = 0; sweeps < 3; sweeps++) await world.sweep();
    await world.settle();
    expect(world.runReads).toBe(runReads);
    world.refuses = () => false;
    await world.act(1, "KILL");
    await world.settle();
    expect([world.status(), world.statuses().job]).toEqual(["FAILED", "FATALLY_FAILED"]);
    expect(world.counters).toMatchObject({ activeRuns: 0, parkedRuns: 0 });
  });
});

describe("a turn that throws", () => {
  const bad = workflow([step("a", { to: { job: "true" } }), step("job", { type: "Job" })]);
  const throwing = (world: World): void => {
    let isFirst = true;
    world.onRuntime = () => {
      if (!isFirst) return;
      isFirst = false;
      throw new Error("a bug of ours");
    };
  };

  test("parks its run, with the reason in the timeline; the others go on", async () => {
    const world = await running(bad, throwing, 2);
    expect(world.counters).toMatchObject({ activeRuns: 1, parkedRuns: 1 });
    expect(world.runMessages(1)).toContainEqual([
      "ERROR",
      "The run is parked until it is stopped or killed, or has another owner: a bug of ours",
    ]);
    expect(world.status(1)).not.toBe("FAILED");
    expect(world.errors.join()).toContain("a bug of ours");
    expect(world.statuses(2).job).toBe("RUNNING");
    await world.sweep();
    expect(world.runReads).toBe(0);
    world.hint(1);
    await world.settle();
    expect(world.counters).toMatchObject({ activeRuns: 1, parkedRuns: 1 });
  });

  test("does not keep its run from being stopped", async () => {
    const world = await running(bad, throwing);
    await world.act(1, "STOP");
    await world.settle();
    expect(world.status()).toBe("STOPPED");
    expect(world.said.size).toBe(0);
  });

  test("is tried again by the next owner", async () => {
    const world = await running(bad, throwing);
    world.crash();
    await world.boot();
    await world.settle();
    expect(world.statuses().job).toBe("RUNNING");
    expect(world.counters).toMatchObject({ activeRuns: 1, parkedRuns: 0 });
  });
});

describe("a runtime that does not end its job", () => {
  const job = workflow([step("job", { type: "Job", failure_mode: "IGNORE_FAILURE" })]);
  const stubborn = (world: World): void => void world.runtime.terminations.set("job", { state: "CONTINUE" });
  const silent = (world: World): void => void world.runtime.terminations.set("job", new Promise(() => {}));

  test("is asked for a minute when the run is stopped; then the step ends with a warning", async () => {
    const world = await running(job, stubborn);
    await world.act(1, "STOP");
    await world.pass(59_999);
    expect(world.statuses().job).toBe("RUNNING");
    expect(world.runtime.terminated.length).toBeGreaterThan(5);
    await world.pass(1);
    expect([world.statuses().job, world.status()]).toEqual(["STOPPED", "STOPPED"]);
    expect(world.messages("job").at(-1)).toEqual([
      "WARN",
      "Its runtime has not ended the job within 1m, so the step ends without: the job may still run",
    ]);
  });

  test("has a minute after a KILL, though it says nothing", async () => {
    const world = await running(job, silent);
    await world.act(1, "STOP");
    await world.pass(3_600_000);
    expect(world.status()).toBe("IN_PROGRESS");
    await world.act(1, "KILL");
    await world.pass(59_999);
    expect(world.status()).toBe("IN_PROGRESS");
    await world.pass(1);
    expect([world.statuses().job, world.status()]).toEqual(["FATALLY_FAILED", "FAILED"]);
  });

  test("and says nothing has a day and a minute after a STOP: its own grace period may be a day", async () => {
    const world = await running(job, silent);
    await world.act(1, "STOP");
    await world.pass(86_459_999);
    expect(world.status()).toBe("IN_PROGRESS");
    await world.pass(1);
    expect(world.status()).toBe("STOPPED");
  });

  test("when it answers at last after the step has ended, changes nothing", async () => {
    const answer = Promise.withResolvers<never>();
    const world = await running(job, (it) => void it.runtime.terminations.set("job", answer.promise));
    await world.act(1, "KILL");
    await world.pass(60_000);
    answer.resolve({ state: "STOPPED" } as never);
    const { commits } = world;
    await world.pass(10_000);
    expect([world.statuses().job, world.commits]).toEqual(["FATALLY_FAILED", commits]);
  });

  test("that a timeout was to end, and try again, is not tried again when the run is stopped meanwhile", async () => {
    const retry = { timeout_retry_limit: 3, backoff: { type: "FIXED_BACKOFF" as const } };
    const world = await running(workflow([step("job", { type: "Job", timeout: 2, retry_policy: retry })]), stubborn);
    await world.pass(2_000);
    await world.act(1, "STOP");
    await world.pass(60_000);
    expect([world.statuses().job, world.status()]).toEqual(["STOPPED", "STOPPED"]);
    expect(world.runtime.started).toEqual(["job:1"]);
  });

  test("ends as killed when it is killed while it is stopped, whatever it answers", async () => {
    const world = await running(job, stubborn);
    await world.act(1, "STOP");
    await world.act(1, "KILL");
    world.runtime.terminations.delete("job");
    await world.pass(5_000);
    expect([world.statuses().job, world.status()]).toEqual(["FATALLY_FAILED", "FAILED"]);
    expect(world.messages("job").map(([, text]) => text.slice(0, 32))).toContain("User [tester] takes action [KILL");
  });
});

test("an action that comes while the run's end commits does not stay", async () => {
  const world = await running(workflow([step("a")]));
  world.said.set(1, [{ kind: "STOP", stepId: undefined, user: "tester", reason: "", createTime: 0 }]);
  await world.sweep();
  expect([world.said.size, world.status()]).toEqual([0, "SUCCEEDED"]);
});
