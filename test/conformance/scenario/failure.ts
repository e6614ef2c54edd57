/** What becomes of a run in which a step fails: failure modes, and failures that they do not govern. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { computed, fatal, having, noop, sleep, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { given } from "../kit/workflow.ts";

const mode = (failure_mode: string): Part => ({ failure_mode });

/** A → (B, C) → D: B fails fatally while C runs. */
async function diamond(failureMode: string, seconds: number): Promise<Run> {
  const steps = [
    noop("a", to("b", "c")),
    fatal("b", mode(failureMode), to("d")),
    sleep("c", seconds, to("d")),
    noop("d"),
  ];
  return await (await given(steps)).start();
}

export const FAILURE = {
  "failure: FAIL_AFTER_RUNNING lets the others run to their end, and what follows never starts": async () => {
    const run = await diamond("FAIL_AFTER_RUNNING", 1);
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "SUCCEEDED", b: "FATALLY_FAILED", c: "SUCCEEDED" });
  },

  "failure: FAIL_AFTER_RUNNING is the default": async () => {
    const run = await (await given([fatal("bad"), sleep("side", 1, to("tail")), noop("tail")])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ bad: "FATALLY_FAILED", side: "SUCCEEDED", tail: "SUCCEEDED" });
  },

  "failure: FAIL_IMMEDIATELY stops all that run": async () => {
    const run = await diamond("FAIL_IMMEDIATELY", 600);
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "SUCCEEDED", b: "FATALLY_FAILED", c: "STOPPED" });
  },

  "failure: IGNORE_FAILURE completes the step with an error, and the run goes on": async () => {
    const run = await diamond("IGNORE_FAILURE", 1);
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({
      a: "SUCCEEDED",
      b: "COMPLETED_WITH_ERROR",
      c: "SUCCEEDED",
      d: "SUCCEEDED",
    });
  },

  "failure: a step whose params cannot be evaluated fails internally, whatever its failure mode": async () => {
    const broken = having({ z: computed("LONG", "1 / 0") });
    const run = await (await given([noop("a", broken, mode("IGNORE_FAILURE"), to("b")), noop("b")])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED" });
    const { runtime_state, timeline } = await run.step("a").read();
    expect(runtime_state.evaluate_param_time).toBeNumber();
    expect(runtime_state.wait_permit_time, "it never waited for permits").toBeUndefined();
    expect(JSON.stringify(timeline), "the reason in the timeline").toContain("z");
  },

  "failure: an internal failure does not fail the run immediately": async () => {
    const broken = having({ z: computed("LONG", "1 / 0") });
    const run = await (await given([noop("a", broken, mode("FAIL_IMMEDIATELY")), sleep("b", 1)])).start();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "INTERNALLY_FAILED", b: "SUCCEEDED" });
  },

  "failure: a step type that the server cannot run fails the step, and nothing is tried again": async () => {
    const run = await (await given([fatal("bad", { retry_policy: { error_retry_limit: 5 } })])).start();
    await run.ends("FAILED");
    const { step_attempt_id, step_retry } = await run.step("bad").read();
    expect([step_attempt_id, step_retry.retryable]).toEqual([1, false]);
  },
};
