/** Stop, kill and skip: of a step, of a run, of all runs of a workflow. */
import { expect } from "bun:test";
import { ask } from "../kit/client.ts";
import type { Part } from "../kit/definition.ts";
import { noop, sleep, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import type { StepBody } from "../kit/wire.ts";
import { given } from "../kit/workflow.ts";

const IGNORE: Part = { failure_mode: "IGNORE_FAILURE" };

/** Started, with these steps RUNNING. */
async function running(steps: readonly Part[], ...ids: readonly string[]): Promise<Run> {
  const run = await (await given(steps)).start();
  for (const id of ids) await run.step(id).reaches("RUNNING");
  return run;
}

/** A step that waits ten minutes for its next attempt. */
const WAITS = sleep("a", 600, to("b"), {
  timeout: 1,
  retry_policy: { timeout_retry_limit: 1, backoff: { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: 600 } },
});

async function inBackoff(): Promise<Run> {
  const run = await (await given([WAITS, noop("b")])).start();
  await run.step("a").reaches("TIMEOUT_FAILED");
  return run;
}

const actionsOf = (step: StepBody): string => JSON.stringify(step.timeline);

export const ACTION = {
  "step stop: it ends STOPPED, what follows never starts, the others go on": async () => {
    const run = await running([sleep("a", 600, to("b")), noop("b"), sleep("side", 2, to("tail")), noop("tail")], "a");
    await run.step("a").does("stop");
    expect(await run.step("a").status()).toBe("STOPPED");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED", side: "SUCCEEDED", tail: "SUCCEEDED" });
    expect(actionsOf(await run.step("a").read()), "who did what").toMatch(/tester.*STOP|STOP.*tester/);
  },

  "step stop: a failure mode does not govern it": async () => {
    const run = await running([sleep("a", 600, IGNORE, to("b")), noop("b")], "a");
    await run.step("a").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED" });
  },

  "step stop: one that waits for its retry ends without waiting for the backoff": async () => {
    const run = await inBackoff();
    await run.step("a").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED" });
  },

  "step kill: it fails fatally, and the others go on": async () => {
    const run = await running([sleep("a", 600, to("b")), noop("b"), sleep("side", 2)], "a");
    await run.step("a").does("kill");
    expect(await run.step("a").status()).toBe("FATALLY_FAILED");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED", side: "SUCCEEDED" });
  },

  "step kill: its failure mode IGNORE_FAILURE completes it with an error": async () => {
    const run = await running([sleep("a", 600, IGNORE, to("b")), noop("b")], "a");
    await run.step("a").does("kill");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "COMPLETED_WITH_ERROR", b: "SUCCEEDED" });
  },

  "step kill: its failure mode FAIL_IMMEDIATELY stops the others": async () => {
    const run = await running([sleep("a", 600, { failure_mode: "FAIL_IMMEDIATELY" }), sleep("b", 600)], "a", "b");
    await run.step("a").does("kill");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED", b: "STOPPED" });
  },

  "step kill: one that waits for its retry fails at once": async () => {
    const run = await inBackoff();
    await run.step("a").does("kill");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED" });
  },

  "step skip: a running step ends SKIPPED, and what follows runs": async () => {
    const run = await running([sleep("a", 600, to("b")), noop("b")], "a");
    await run.step("a").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "SKIPPED", b: "SUCCEEDED" });
  },

  "step skip: one that waits for its retry is SKIPPED without waiting": async () => {
    const run = await inBackoff();
    await run.step("a").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "SKIPPED", b: "SUCCEEDED" });
  },

  "step actions: without blocking the answer does not wait, and the action is done": async () => {
    const run = await running([sleep("a", 600)], "a");
    await run.step("a").does("stop", "?blocking=false");
    await run.ends("STOPPED");
  },

  "step actions: what cannot be done is refused": async () => {
    const steps = [noop("done", to("a")), sleep("a", 600, to("b")), noop("b")];
    const run = await running(steps, "a");
    for (const action of ["stop", "kill"]) {
      await run.step("done").refuses(400, action);
      await run.step("nosuch").refuses(400, action);
      await run.step("b").refuses(404, action);
    }
    await run.step("b").refuses(400, "skip");
    await run.step("nosuch").refuses(400, "skip");
    await run.stop();
    await run.ends("STOPPED");
    for (const action of ["stop", "kill"]) await run.step("a").refuses(400, action);
  },

  "run stop: its running steps are STOPPED, and so is the run": async () => {
    const run = await running(
      [noop("done", to("a", "b")), sleep("a", 600, to("c")), sleep("b", 600), noop("c")],
      "a",
      "b",
    );
    const answer = await run.stop();
    expect(answer).toMatchObject({ completed: false, workflow_instance_status: "IN_PROGRESS" });
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ done: "SUCCEEDED", a: "STOPPED", b: "STOPPED" });
  },

  "run stop: a failure mode does not govern it": async () => {
    const run = await running([sleep("a", 600, IGNORE, to("b")), noop("b")], "a");
    await run.stop();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED" });
  },

  "run stop: a step that had failed before makes it FAILED": async () => {
    const run = await running([sleep("bad", 600), sleep("a", 600)], "bad", "a");
    await run.step("bad").does("kill");
    await run.stop();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ bad: "FATALLY_FAILED", a: "STOPPED" });
  },

  "run stop: reaches a step that waits for its retry": async () => {
    const run = await inBackoff();
    await run.stop();
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED" });
  },

  "run kill: its steps fail fatally, whatever their failure mode": async () => {
    const run = await running([sleep("a", 600, IGNORE, to("c")), sleep("b", 600), noop("c")], "a", "b");
    expect(await run.kill()).toMatchObject({ completed: false });
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED", b: "FATALLY_FAILED" });
  },

  "run actions: one that has ended so is done already, another ending is refused": async () => {
    const stopped = await running([sleep("a", 600)], "a");
    await stopped.stop();
    await stopped.ends("STOPPED");
    expect(await stopped.stop()).toMatchObject({ completed: true, workflow_instance_status: "STOPPED" });
    await stopped.refuses(400, "kill");
    const done = await (await given([noop("a")])).start();
    await done.ends("SUCCEEDED");
    await done.refuses(400, "stop");
    await done.refuses(400, "kill");
    await done.refuses(400, "unblock");
  },

  "run actions: queued runs end at once": async () => {
    const workflow = await given([sleep("a", 600)]);
    const first = await workflow.start();
    const [second, third] = [await workflow.start(), await workflow.start()];
    await first.reaches("IN_PROGRESS");
    expect(await second.stop()).toMatchObject({ completed: true, workflow_instance_status: "STOPPED" });
    expect(await third.kill()).toMatchObject({ completed: true, workflow_instance_status: "FAILED" });
    expect([(await second.read()).status, (await third.read()).status]).toEqual(["STOPPED", "FAILED"]);
    expect(await second.statuses(), "steps of a run that never ran").toEqual({});
    await first.stop();
    await first.ends("STOPPED");
  },

  "workflow stop: ends the running and the queued": async () => {
    const workflow = await given([sleep("a", 600)]);
    const runs = [await workflow.start(), await workflow.start(), await workflow.start()];
    await runs[0]?.step("a").reaches("RUNNING");
    await workflow.does("stop");
    for (const run of runs) await run.ends("STOPPED");
    expect((await workflow.overview()).nonterminal_instances).toEqual({ CREATED: 0, IN_PROGRESS: 0, PAUSED: 0 });
  },

  "workflow kill: fails the running and the queued": async () => {
    const workflow = await given([sleep("a", 600, IGNORE)], {}, { run_strategy: 2 });
    const runs = [await workflow.start(), await workflow.start(), await workflow.start()];
    await runs[0]?.step("a").reaches("RUNNING");
    await workflow.does("kill");
    for (const run of runs) await run.ends("FAILED");
  },

  "action map: what may be done with a run, by its status": async () => {
    expect(await ask<unknown>("GET", "/workflows/instances/action-map")).toEqual({
      CREATED: ["STOP", "KILL"],
      IN_PROGRESS: ["STOP", "KILL"],
      PAUSED: ["STOP", "KILL"],
      TIMED_OUT: ["RESTART"],
      STOPPED: ["RESTART"],
      SUCCEEDED: ["RESTART"],
      FAILED: ["RESTART", "UNBLOCK"],
    });
  },

  "action map: what may be done with a step, by its status": async () => {
    const live = ["STOP", "KILL", "SKIP"];
    const ended = ["RESTART", "SKIP"];
    expect(await ask<unknown>("GET", "/workflows/steps/instances/action-map")).toEqual({
      CREATED: ["PAUSE", "STOP", "KILL"],
      INITIALIZED: ["PAUSE", ...live],
      PAUSED: ["RESUME", ...live],
      WAITING_FOR_SIGNALS: [...live, "BYPASS_STEP_DEPENDENCIES"],
      EVALUATING_PARAMS: live,
      WAITING_FOR_PERMITS: live,
      STARTING: live,
      RUNNING: live,
      FINISHING: live,
      USER_FAILED: live,
      PLATFORM_FAILED: live,
      TIMEOUT_FAILED: live,
      DISABLED: ["RESTART"],
      UNSATISFIED: ["RESTART"],
      SKIPPED: ended,
      SUCCEEDED: ended,
      COMPLETED_WITH_ERROR: ended,
      FATALLY_FAILED: ended,
      INTERNALLY_FAILED: ended,
      STOPPED: ended,
      TIMED_OUT: ended,
    });
  },
};
