/** Time-outs of steps and of runs. */
import { expect } from "bun:test";
import { fatal, long, noop, sleep, text, to } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

export const TIMEOUT = {
  "timeout: a step past its timeout is TIMED_OUT, others go on, and so ends the run": async () => {
    const steps = [
      sleep("late", 600, { timeout: 1 }, to("never")),
      noop("never"),
      sleep("side", 2, to("tail")),
      noop("tail"),
    ];
    const run = await (await given(steps)).start();
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ late: "TIMED_OUT", side: "SUCCEEDED", tail: "SUCCEEDED" });
  },

  "timeout: it fires on time, however long the step would sleep": async () => {
    const run = await (await given([sleep("late", 600, { timeout: "1s" })])).start();
    await run.ends("TIMED_OUT");
    const { runtime_state } = await run.step("late").read();
    const ms = Number(runtime_state.end_time) - Number(runtime_state.start_time);
    expect(ms).toBeGreaterThanOrEqual(1000);
    expect(ms, "milliseconds that it ran").toBeLessThan(10_000);
  },

  "timeout: a failure mode does not govern it": async () => {
    const late = sleep("late", 600, { timeout: 1, failure_mode: "IGNORE_FAILURE" }, to("never"));
    const run = await (await given([late, noop("never")])).start();
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ late: "TIMED_OUT" });
  },

  "timeout: a failed step outweighs one that is TIMED_OUT": async () => {
    const run = await (await given([sleep("late", 600, { timeout: 1 }), fatal("bad")])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ late: "TIMED_OUT", bad: "FATALLY_FAILED" });
  },

  "timeout: one that is TIMED_OUT outweighs a stopped one": async () => {
    const run = await (await given([sleep("late", 600, { timeout: 1 }), sleep("halted", 600)])).start();
    await run.step("halted").reaches("RUNNING");
    await run.step("halted").does("stop");
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ late: "TIMED_OUT", halted: "STOPPED" });
  },

  "timeout: of a step, may come from the workflow's params; the attempt shows it": async () => {
    const steps = [noop("a", { timeout: "${minutes} min" })];
    const run = await (await given(steps, { params: { minutes: long(3) } })).start();
    await run.ends("SUCCEEDED");
    expect(await run.step("a").read()).toMatchObject({ timeout_in_millis: 180_000 });
  },

  "timeout: of a step, that cannot be read when it begins, fails the step internally": async () => {
    const steps = [noop("a", { timeout: "${nap}" })];
    const run = await (await given(steps, { params: { nap: text("soon") } })).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED" });
  },

  "timeout: a run past its own ends TIMED_OUT, and so do its steps": async () => {
    const steps = [sleep("a", 600, to("b")), noop("b"), sleep("side", 600)];
    const run = await (await given(steps, { timeout: "1s" })).start();
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ a: "TIMED_OUT", side: "TIMED_OUT" });
  },

  "timeout: of a run, does not wait for a step's backoff": async () => {
    const backoff = { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: 600 };
    const late = sleep("a", 600, { timeout: 1, retry_policy: { timeout_retry_limit: 3, backoff } });
    const run = await (await given([late], { timeout: "5s" })).start();
    await run.step("a").reaches("TIMEOUT_FAILED");
    await run.ends("TIMED_OUT");
  },

  "timeout: of a run, is read when it starts": async () => {
    const workflow = await given([noop("a")], { params: { hours: long(2) }, timeout: "${hours} hours" });
    const run = await workflow.start();
    expect(await run.read()).toMatchObject({ timeout_in_millis: 7_200_000 });
    await workflow.refusesStart(400, { run_params: { hours: long(-1) } });
  },

  "timeout: 0, more than 120 days and no duration at all are refused": async () => {
    const workflow = await given([noop("a")]);
    for (const timeout of [0, "0s", "121 days", "soon"]) {
      await workflow.refusesPush(400, [noop("a")], { timeout });
      await workflow.refusesPush(400, [noop("a", { timeout })]);
    }
  },
};
