/** What a client reads of a tree of runs while it is under way. */
import { expect } from "bun:test";
import { ask, eventually } from "../kit/client.ts";
import { foreach, longs, noop, sleep, subworkflow, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import type { Rollup } from "../kit/wire.ts";
import { given } from "../kit/workflow.ts";

const rollupOf = async (run: Run): Promise<Rollup | undefined> => (await run.read()).runtime_overview?.rollup_overview;

/** Waits until the rollup is so. */
async function shows(run: Run, expected: Rollup): Promise<void> {
  const look = async () => await rollupOf(run);
  await eventually(`the rollup ${JSON.stringify(expected)}`, look, (it) => Bun.deepEquals(it, expected));
}

export const LIVE = {
  "live: a tree's rollup counts what runs in it, and names each": async () => {
    const kid = await given([sleep("leaf", 600)]);
    const steps = [subworkflow("sub", kid.id), foreach("each", { i: longs(1, 2) }, [sleep("in", 600)]), noop("lone")];
    const run = await (await given(steps)).start();
    const inline = await run.step("each").body();
    for (const number of [1, 2]) await (await run.step("each").iteration(number)).step("in").reaches("RUNNING");
    await (await run.step("sub").child()).step("leaf").reaches("RUNNING");
    await shows(run, {
      total_leaf_count: 4,
      overview: {
        SUCCEEDED: { cnt: 1 },
        RUNNING: { cnt: 3, ref: { [`${kid.id}:1`]: ["1:leaf:1"], [`${inline}:1`]: ["1:in:1", "2:in:1"] } },
      },
    });
    await run.stop();
    const { runtime_overview } = await run.ends("STOPPED");
    expect(runtime_overview?.rollup_overview).toEqual({
      total_leaf_count: 4,
      overview: { SUCCEEDED: { cnt: 1 }, STOPPED: { cnt: 3 } },
    });
  },

  "live: a tree of trees is counted down to its leaves": async () => {
    const kid = await given([foreach("inner", { j: longs(1, 2, 3) }, [sleep("leaf", 600)])], {}, { run_strategy: 20 });
    const run = await (await given([foreach("outer", { i: longs(1, 2) }, [subworkflow("sub", kid.id)])])).start();
    const leaves = async () => (await rollupOf(run))?.overview?.RUNNING?.cnt;
    await eventually("6 RUNNING leaves in the rollup", leaves, (it) => it === 6);
    expect((await rollupOf(run))?.total_leaf_count).toBe(6);
    await run.stop();
    await run.ends("STOPPED");
  },

  "live: a foreach counts its iterations by status": async () => {
    const loop = foreach("each", { nap: longs(600, 0, 600) }, [sleep("in", { type: "LONG", expression: "nap" })]);
    const run = await (await given([loop])).start();
    await (await run.step("each").iteration(2)).ends("SUCCEEDED");
    for (const number of [1, 3]) await (await run.step("each").iteration(number)).step("in").reaches("RUNNING");
    const overview = async () => (await run.step("each").read()).artifacts?.maestro_foreach?.foreach_overview;
    const details = { IN_PROGRESS: [1, 3], SUCCEEDED: [2] };
    await eventually(`details ${JSON.stringify(details)}`, overview, (it) => Bun.deepEquals(it?.details, details));
    expect((await overview())?.stats).toEqual({ IN_PROGRESS: 2, SUCCEEDED: 1 });
    await run.stop();
    await run.ends("STOPPED");
  },

  "live: what has failed in a tree is named while the rest goes on": async () => {
    const loop = foreach("each", { nap: longs(600, 600) }, [
      sleep("in", { type: "LONG", expression: "nap" }, to("after")),
      noop("after"),
    ]);
    const run = await (await given([loop])).start();
    const [first, second] = [await run.step("each").iteration(1), await run.step("each").iteration(2)];
    for (const iteration of [first, second]) await iteration.step("in").reaches("RUNNING");
    await first.step("in").does("kill");
    await shows(run, {
      total_leaf_count: 2,
      overview: {
        RUNNING: { cnt: 1, ref: { [`${first.workflowId}:1`]: ["2:in:1"] } },
        FATALLY_FAILED: { cnt: 1, ref: { [`${first.workflowId}:1`]: ["1:in:1"] } },
      },
    });
    await run.stop();
    await run.ends("STOPPED");
  },

  "live: the inline workflow of a loop is found by the way to it, and the way by it": async () => {
    const run = await (
      await given([foreach("outer", { i: longs(1) }, [foreach("inner", { j: longs(1) }, [noop("leaf")])])])
    ).start();
    await run.ends("SUCCEEDED");
    const outer = await run.step("outer").iteration(1);
    const inner = await outer.step("inner").iteration(1);
    const path = await ask<readonly unknown[]>("GET", `/workflows/${inner.workflowId}/instances/1/inline-path`);
    expect(path.slice(0, 2)).toMatchObject([
      { workflow_id: run.workflowId, instance_id: 1, step_id: "outer" },
      { workflow_id: outer.workflowId, instance_id: 1, step_id: "inner" },
    ]);
  },
};
