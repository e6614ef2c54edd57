/** Breakpoints: which attempts they pause, and who lets them go. */
import { expect } from "bun:test";
import { ask, refuses } from "../kit/client.ts";
import type { Part } from "../kit/definition.ts";
import { computed, foreach, having, long, longs, noop, repeat, retried, sleep, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { freshId, given, type Workflow } from "../kit/workflow.ts";

const BASE = "/workflows/steps/breakpoints";

const query = (workflow: string, step: string): string => `?workflowId=${workflow}&stepId=${step}`;

const set = (workflow: Workflow, step: string): Promise<Part> =>
  ask("POST", BASE, { workflow_id: workflow.id, step_id: step });

const remove = (workflow: Workflow, step: string, more = ""): Promise<void> =>
  refuses(200, "DELETE", `${BASE}${query(workflow.id, step)}${more}`);

const pausedOf = (workflow: Workflow, step: string): Promise<readonly { workflow_instance_id: number }[]> =>
  ask("GET", `${BASE}/paused-step-attempts${query(workflow.id, step)}`);

const resumePath = (run: Run, step: string, attempt = 1): string =>
  `${BASE}/${run.workflowId}/instances/${run.instanceId}/runs/${run.runId}/steps/${step}/attempts/${attempt}/actions/resume`;

async function resume(run: Run, step: string, attempt = 1): Promise<void> {
  await ask("PUT", resumePath(run, step, attempt));
}

/** A → b, with a breakpoint on b. */
async function broken(): Promise<Workflow> {
  const workflow = await given([noop("a", to("b")), noop("b")], {}, { run_strategy: 5 });
  await set(workflow, "b");
  return workflow;
}

export const BREAKPOINT = {
  "breakpoint: pauses the step before it waits for anything else; resuming the attempt leaves the breakpoint":
    async () => {
      const workflow = await broken();
      const run = await workflow.start();
      const { runtime_state } = await run.step("b").reaches("PAUSED");
      expect(runtime_state.pause_time).toBeNumber();
      expect(runtime_state.wait_signal_time).toBeUndefined();
      expect((await run.read()).status).toBe("IN_PROGRESS");
      await resume(run, "b");
      await run.ends("SUCCEEDED");
      const next = await workflow.start();
      await next.step("b").reaches("PAUSED");
      await workflow.does("stop");
      await next.ends("STOPPED");
    },

  "breakpoint: is listed, and so is what it pauses": async () => {
    const workflow = await broken();
    const runs = [await workflow.start(), await workflow.start()];
    for (const run of runs) await run.step("b").reaches("PAUSED");
    expect(await ask<unknown[]>("GET", `${BASE}${query(workflow.id, "b")}`)).toMatchObject([
      { workflow_id: workflow.id, step_id: "b", created_by: "tester" },
    ]);
    expect(await ask<unknown[]>("GET", `${BASE}${query(workflow.id, "a")}`)).toEqual([]);
    const paused = await pausedOf(workflow, "b");
    expect(paused.map((it) => it.workflow_instance_id).sort()).toEqual([1, 2]);
    await remove(workflow, "b");
    for (const run of runs) await run.ends("SUCCEEDED");
    expect(await pausedOf(workflow, "b")).toEqual([]);
  },

  "breakpoint: removing it lets go all that it pauses, unless it is told not to": async () => {
    const workflow = await broken();
    const run = await workflow.start();
    await run.step("b").reaches("PAUSED");
    await remove(workflow, "b", "&resume=false");
    const next = await workflow.start();
    await next.ends("SUCCEEDED");
    expect(await run.step("b").status()).toBe("PAUSED");
    await resume(run, "b");
    await run.ends("SUCCEEDED");
  },

  "breakpoint: one that is set later does not pause an attempt that is further": async () => {
    const workflow = await given([sleep("a", 600)]);
    const run = await workflow.start();
    await run.step("a").reaches("RUNNING");
    await set(workflow, "a");
    expect(await run.step("a").status()).toBe("RUNNING");
    await run.step("a").does("skip");
    await run.ends("SUCCEEDED");
    await remove(workflow, "a");
  },

  "breakpoint: pauses each attempt once": async () => {
    const policy = retried({ error: 0, platform: 0, timeout: 1 });
    const workflow = await given([sleep("a", 600, { timeout: 1 }, policy)]);
    await set(workflow, "a");
    const run = await workflow.start();
    await run.step("a").attemptReaches(1, "PAUSED");
    await resume(run, "a", 1);
    await run.step("a").attemptReaches(2, "PAUSED");
    await resume(run, "a", 2);
    await run.ends("TIMED_OUT");
  },

  "breakpoint: a paused step can be stopped, killed and skipped": async () => {
    const workflow = await given([noop("a", to("b")), noop("b", to("c")), noop("c")], {}, { run_strategy: 5 });
    await set(workflow, "b");
    const runs = [await workflow.start(), await workflow.start(), await workflow.start()] as const;
    for (const run of runs) await run.step("b").reaches("PAUSED");
    await runs[0].step("b").does("stop");
    await runs[1].step("b").does("kill");
    await runs[2].step("b").does("skip");
    await runs[0].ends("STOPPED");
    await runs[1].ends("FAILED");
    await runs[2].ends("SUCCEEDED");
    expect(await runs[2].statuses()).toEqual({ a: "SUCCEEDED", b: "SKIPPED", c: "SUCCEEDED" });
    expect(await pausedOf(workflow, "b"), "attempts that are paused").toEqual([]);
  },

  "breakpoint: a pause does not count for the step's timeout, and does for the run's": async () => {
    const steps = [noop("a", { timeout: 1 })];
    const workflow = await given(steps, { timeout: "4s" });
    await set(workflow, "a");
    const run = await workflow.start();
    await run.step("a").reaches("PAUSED");
    await run.ends("TIMED_OUT");
    expect((await run.step("a").read()).runtime_state.start_time).toBeUndefined();
  },

  "breakpoint: pauses a step inside a loop, at any depth": async () => {
    const inner = foreach("inner", { j: longs(1, 2) }, [noop("leaf")], to("count"));
    const count = noop("count", having({ k: computed("LONG", "k + 1") }));
    const workflow = await given([repeat("outer", "k < 1", { k: long(0) }, [inner, count])]);
    await set(workflow, "leaf");
    const run = await workflow.start();
    const loop = (await run.step("outer").iteration(1)).step("inner");
    for (const number of [1, 2]) await (await loop.iteration(number)).step("leaf").reaches("PAUSED");
    await remove(workflow, "leaf");
    await run.ends("SUCCEEDED");
  },

  "breakpoint: setting it twice is setting it once; wrong requests are refused": async () => {
    const workflow = await broken();
    expect(await set(workflow, "b")).toMatchObject({ workflow_id: workflow.id, step_id: "b" });
    await refuses(400, "POST", BASE, { workflow_id: workflow.id, step_id: "nosuch" });
    await refuses(400, "POST", BASE, { workflow_id: workflow.id, step_id: "b", workflow_version: 1 });
    await refuses(400, "POST", BASE, { workflow_id: workflow.id });
    await refuses(404, "POST", BASE, { workflow_id: freshId("none"), step_id: "b" });
    await remove(workflow, "b");
    await refuses(404, "DELETE", `${BASE}${query(workflow.id, "b")}`);
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    await refuses(404, "PUT", resumePath(run, "b"));
  },
};
