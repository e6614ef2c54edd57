/** Kinds of steps in each other. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { computed, foreach, having, long, longs, noop, repeat, sleep, subworkflow, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { given } from "../kit/workflow.ts";

/** A foreach of subworkflows of foreaches, whose innermost steps sleep for so long. */
async function tower(seconds: number, ...parts: readonly Part[]): Promise<Run> {
  const leaf = sleep("leaf", seconds, having({ v: computed("LONG", "i * 10 + j") }));
  const kid = await given([foreach("inner", { j: longs(1, 2, 3) }, [leaf])], {}, { run_strategy: 20 });
  return await (
    await given([
      foreach("outer", { i: longs(1, 2) }, [subworkflow("sub", kid.id)], ...parts, to("after")),
      noop("after"),
    ])
  ).start();
}

/** All that hang below an outer iteration: it, its child, and the child's iterations. */
async function below(run: Run, iteration: number): Promise<{ outer: Run; child: Run; leaves: Run[] }> {
  const outer = await run.step("outer").iteration(iteration);
  const child = await outer.step("sub").child();
  const inner = child.step("inner");
  return { outer, child, leaves: [await inner.iteration(1), await inner.iteration(2), await inner.iteration(3)] };
}

/** Every leaf of the tower sleeps. */
async function asleep(run: Run): Promise<void> {
  for (const iteration of [1, 2]) {
    for (const leaf of (await below(run, iteration)).leaves) await leaf.step("leaf").reaches("RUNNING");
  }
}

/** All below the outer iterations are STOPPED, runs and steps. */
async function expectStopped(run: Run): Promise<void> {
  for (const iteration of [1, 2]) {
    const { outer, child, leaves } = await below(run, iteration);
    const runs = await Promise.all([outer, child, ...leaves].map(async (it) => (await it.read()).status));
    expect(runs, "iteration, child and its iterations").toEqual(Array(5).fill("STOPPED"));
    expect([await outer.statuses(), await child.statuses(), await leaves[0]?.statuses()]).toEqual([
      { sub: "STOPPED" },
      { inner: "STOPPED" },
      { leaf: "STOPPED" },
    ]);
  }
}

export const NESTED = {
  "nested: foreach in subworkflow in foreach: values come down, leaves are counted up": async () => {
    const run = await tower(0);
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 7, overview: { SUCCEEDED: { cnt: 7 } } });
    const { child, leaves } = await below(run, 2);
    expect(await leaves[2]?.step("leaf").value("v")).toBe(23);
    const { initiator, correlation_id } = (await leaves[2]?.read()) ?? {};
    expect([initiator?.depth, correlation_id]).toEqual([3, `${run.workflowId}:1:1`]);
    expect(initiator?.ancestors?.map((it) => it.step_id)).toEqual(["outer", "sub", "inner"]);
    expect(initiator?.ancestors?.[2]).toMatchObject({ workflow_id: child.workflowId, instance_id: child.instanceId });
  },

  "nested stop: of the outermost step reaches every descendant": async () => {
    const run = await tower(600);
    await asleep(run);
    await run.step("outer").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ outer: "STOPPED" });
    await expectStopped(run);
  },

  "nested stop: of the run reaches every descendant": async () => {
    const run = await tower(600);
    await asleep(run);
    await run.stop();
    await run.ends("STOPPED");
    await expectStopped(run);
  },

  "nested kill: of the run fails its own step, descendants are STOPPED": async () => {
    const run = await tower(600);
    await asleep(run);
    await run.kill();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ outer: "FATALLY_FAILED" });
    await expectStopped(run);
  },

  "nested skip: of the outermost step stops every descendant, and the run goes on": async () => {
    const run = await tower(600);
    await asleep(run);
    await run.step("outer").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ outer: "SKIPPED", after: "SUCCEEDED" });
    await expectStopped(run);
  },

  "nested timeout: of the run reaches every descendant": async () => {
    const leaf = [foreach("inner", { j: longs(1, 2) }, [sleep("leaf", 600)])];
    const kid = await given(leaf);
    const run = await (await given([subworkflow("sub", kid.id)], { timeout: "4s" })).start();
    const child = await run.step("sub").child();
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ sub: "TIMED_OUT" });
    expect(await child.statuses()).toEqual({ inner: "STOPPED" });
    expect(await child.step("inner").iterations()).toEqual(["STOPPED", "STOPPED"]);
  },

  "nested: a foreach in a foreach may range over the outer value": async () => {
    const inner = foreach("inner", { j: computed("LONG_ARRAY", "Util.intsBetween(0, i, 1)") }, [noop("leaf")]);
    const run = await (await given([foreach("outer", { i: longs(0, 1, 3) }, [inner])])).start();
    const { runtime_overview } = await run.ends("SUCCEEDED");
    const sizes: number[] = [];
    for (let number = 1; number <= 3; number++) {
      sizes.push((await (await run.step("outer").iteration(number)).step("inner").iterations()).length);
    }
    expect(sizes).toEqual([0, 1, 3]);
    expect(runtime_overview?.rollup_overview?.total_leaf_count, "an empty loop is one leaf itself").toBe(5);
  },

  "nested: a while in a foreach counts for each iteration by itself": async () => {
    const loop = repeat("inner", "k < i", { k: long(0) }, [noop("count", having({ k: computed("LONG", "k + 1") }))]);
    const run = await (await given([foreach("outer", { i: longs(1, 2) }, [loop])])).start();
    await run.ends("SUCCEEDED");
    for (const number of [1, 2]) {
      const inner = (await run.step("outer").iteration(number)).step("inner");
      expect(await inner.iterations()).toHaveLength(number);
    }
  },

  "nested: a foreach in a while runs in each round": async () => {
    const body = [
      foreach("inner", { j: longs(1, 2) }, [noop("leaf")], to("count")),
      noop("count", having({ k: computed("LONG", "k + 1") })),
    ];
    const run = await (await given([repeat("outer", "k < 2", { k: long(0) }, body)])).start();
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 6, overview: { SUCCEEDED: { cnt: 6 } } });
    const round = await run.step("outer").iteration(2);
    expect(await round.step("inner").iterations()).toEqual(["SUCCEEDED", "SUCCEEDED"]);
  },

  "nested: an async subworkflow in a foreach is not reached by a stop": async () => {
    const kid = await given([sleep("leaf", 600)]);
    const body = [subworkflow("sub", kid.id, { sync: false }, to("wait")), sleep("wait", 600)];
    const run = await (await given([foreach("outer", { i: longs(1) }, body)])).start();
    const outer = await run.step("outer").iteration(1);
    const child = await outer.step("sub").child();
    await outer.step("wait").reaches("RUNNING");
    await child.step("leaf").reaches("RUNNING");
    await run.step("outer").does("stop");
    await run.ends("STOPPED");
    expect(await outer.statuses()).toEqual({ sub: "SUCCEEDED", wait: "STOPPED" });
    expect((await child.read()).status).toBe("IN_PROGRESS");
    await child.stop();
    await child.ends("STOPPED");
  },

  "nested: a failure deep inside fails each step above it": async () => {
    const kid = await given([
      foreach("inner", { j: longs(0, 1) }, [noop("leaf", having({ q: computed("LONG", "1 / j") }))]),
    ]);
    const run = await (await given([repeat("outer", "true", { k: long(0) }, [subworkflow("sub", kid.id)])])).start();
    const { runtime_overview } = await run.ends("FAILED");
    const round = await run.step("outer").iteration(1);
    const child = await round.step("sub").child();
    expect([await run.statuses(), await round.statuses(), await child.statuses()]).toEqual([
      { outer: "FATALLY_FAILED" },
      { sub: "FATALLY_FAILED" },
      { inner: "FATALLY_FAILED" },
    ]);
    expect(runtime_overview?.rollup_overview?.overview).toMatchObject({
      INTERNALLY_FAILED: { cnt: 1, ref: { [`${await child.step("inner").body()}:1`]: ["1:leaf:1"] } },
    });
  },
};
