/** Restarts, skips and stops that go through trees of runs: upwards to a root that has ended or still runs, and down again. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { computed, foreach, having, long, longs, noop, repeat, sleep, subworkflow, to } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { given } from "../kit/workflow.ts";

/** Fails while its own param `d` is 0. */
const touchy = (id: string, ...parts: readonly Part[]): Part =>
  noop(id, having({ q: computed("LONG", "1 / d"), d: long(0) }), ...parts);

const MEND = { params: { d: long(1) } };

/** `before` → `sub` → `after`, and these steps beside; the child is `k1` → `in`, which fails → `k2`. */
async function parent(...beside: readonly Part[]): Promise<{ run: Run; child: Run }> {
  const kid = await given([noop("k1", to("in")), touchy("in", to("k2")), noop("k2")]);
  const steps = [noop("before", to("sub")), subworkflow("sub", kid.id, to("after")), noop("after"), ...beside];
  const run = await (await given(steps)).start();
  const child = await run.step("sub").child();
  await child.ends("FAILED");
  return { run, child };
}

const policyOf = async (run: Run): Promise<string> => (await run.read()).run_config.policy;

export const TREE = {
  "tree: a step of an ended child restarts its root, and in the child that step alone": async () => {
    const { run, child } = await parent();
    await run.ends("FAILED");
    await child.step("in").restart(MEND);
    const again = await run.latest();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ sub: "SUCCEEDED", after: "SUCCEEDED" });
    const second = await child.latest();
    expect([second.runId, await policyOf(second)]).toEqual([2, "RESTART_FROM_SPECIFIC"]);
    expect(await second.statuses()).toEqual({ in: "SUCCEEDED", k2: "SUCCEEDED" });
  },

  "tree: a step of an ended child whose root still runs restarts the root's step in place": async () => {
    const { run, child } = await parent(sleep("side", 600));
    await run.step("sub").reaches("FATALLY_FAILED");
    await child.step("in").restart(MEND);
    await run.step("sub").attemptReaches(2, "SUCCEEDED");
    await run.step("after").reaches("SUCCEEDED");
    const second = await child.latest();
    expect([second.runId, await second.statuses()]).toEqual([2, { in: "SUCCEEDED", k2: "SUCCEEDED" }]);
    expect((await run.latest()).runId).toBe(1);
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "tree: an ended child whose root still runs is restarted in place, too": async () => {
    const { run, child } = await parent(sleep("side", 600));
    await run.step("sub").reaches("FATALLY_FAILED");
    await child.restart("RESTART_FROM_BEGINNING");
    await run.step("sub").attemptReaches(2, "FATALLY_FAILED");
    const second = await child.latest();
    expect([second.runId, await second.statuses()]).toEqual([2, { k1: "SUCCEEDED", in: "INTERNALLY_FAILED" }]);
    await run.stop();
    await run.ends("FAILED");
  },

  "tree: the step of a failed child, restarted in place, goes on with what is incomplete in it": async () => {
    const kid = await given([noop("k1", to("nap")), sleep("nap", 600)]);
    const run = await (
      await given([subworkflow("sub", kid.id, to("after")), noop("after"), sleep("side", 600)])
    ).start();
    const child = await run.step("sub").child();
    await child.step("nap").reaches("RUNNING");
    await child.step("nap").does("kill");
    await run.step("sub").reaches("FATALLY_FAILED");
    await run.step("sub").restart();
    await run.step("sub").attemptReaches(2, "RUNNING");
    const second = await run.step("sub").child();
    expect([second.instanceId, second.runId]).toEqual([1, 2]);
    await second.step("nap").reaches("RUNNING");
    await second.step("nap").does("skip");
    await run.step("after").reaches("SUCCEEDED");
    expect(await second.statuses()).toEqual({ nap: "SKIPPED" });
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "tree: the step of a child, restarted from the beginning, runs the child from the beginning": async () => {
    const { run, child } = await parent();
    await run.ends("FAILED");
    const again = await run.step("sub").restartRun({ policy: "RESTART_FROM_BEGINNING" });
    await again.ends("FAILED");
    const second = await child.latest();
    expect([second.runId, await policyOf(second)]).toEqual([2, "RESTART_FROM_BEGINNING"]);
    expect(await second.statuses()).toEqual({ k1: "SUCCEEDED", in: "INTERNALLY_FAILED" });
  },

  "tree: a failed step of an ended child is skipped by new runs along the way": async () => {
    const { run, child } = await parent();
    await run.ends("FAILED");
    await child.step("in").does("skip");
    const again = await run.latest();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ sub: "SUCCEEDED", after: "SUCCEEDED" });
    expect(await (await child.latest()).statuses()).toEqual({ in: "SKIPPED", k2: "SUCCEEDED" });
  },

  "tree: a failed loop's step is skipped as a whole": async () => {
    const loop = foreach(
      "each",
      { i: longs(0, 1) },
      [noop("in", having({ q: computed("LONG", "1 / i") }))],
      to("after"),
    );
    const run = await (await given([loop, noop("after")])).start();
    await run.ends("FAILED");
    await run.step("each").does("skip");
    const again = await run.latest();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ each: "SKIPPED", after: "SUCCEEDED" });
  },

  "tree: a failed iteration goes on inside with what is incomplete in it": async () => {
    const body = [
      noop("one", to("two")),
      noop("two", having({ q: computed("LONG", "1 / ok") }), to("three")),
      noop("three"),
    ];
    const workflow = await given([foreach("each", { i: longs(1, 2) }, body)], { params: { ok: long(1) } });
    const run = await workflow.start({ ok: long(0) });
    await run.ends("FAILED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { ok: long(1) } });
    const { runtime_overview } = await again.ends("SUCCEEDED");
    for (const number of [1, 2]) {
      const iteration = await again.step("each").iteration(number);
      expect([iteration.runId, await iteration.statuses()]).toEqual([2, { two: "SUCCEEDED", three: "SUCCEEDED" }]);
    }
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 6, overview: { SUCCEEDED: { cnt: 6 } } });
  },

  "tree: a while's step, restarted in place, goes on with its failed round": async () => {
    const body = [
      sleep("nap", computed("LONG", "k == 1 ? 600 : 0"), to("count")),
      noop("count", having({ k: computed("LONG", "k + 1") })),
    ];
    const run = await (
      await given([repeat("loop", "k < 3", { k: long(0) }, body, to("after")), noop("after"), sleep("side", 600)])
    ).start();
    const second = await run.step("loop").iteration(2);
    await second.step("nap").reaches("RUNNING");
    await second.step("nap").does("kill");
    await run.step("loop").reaches("FATALLY_FAILED");
    await run.step("loop").restart();
    const again = await run.step("loop").iteration(2, 2);
    await again.step("nap").reaches("RUNNING");
    await again.step("nap").does("skip");
    await run.step("after").reaches("SUCCEEDED");
    expect(await run.step("loop").iterations()).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "tree: a restarted parent starts a fresh async child, while the first still runs": async () => {
    const kid = await given([sleep("leaf", 600)], {}, { run_strategy: 5 });
    const run = await (await given([subworkflow("sub", kid.id, { sync: false })])).start();
    await run.ends("SUCCEEDED");
    const first = await run.step("sub").child();
    await first.step("leaf").reaches("RUNNING");
    const again = await run.restart("RESTART_FROM_BEGINNING");
    await again.ends("SUCCEEDED");
    const second = await again.step("sub").child();
    expect([second.instanceId, second.runId]).toEqual([2, 1]);
    expect((await first.read()).status).toBe("IN_PROGRESS");
    await kid.does("stop");
  },

  "tree: a restarted tree can be stopped, and restarted once more": async () => {
    const body = [noop("w", to("nap")), sleep("nap", computed("LONG", "nap"))];
    const kid = await given([foreach("inner", { j: longs(1, 2) }, body)], { params: { nap: long(0) } });
    const run = await (await given([subworkflow("sub", kid.id)], { params: { nap: long(600) } })).start();
    const inner = await (await run.step("sub").child()).step("inner").iteration(2);
    await inner.step("nap").reaches("RUNNING");
    await run.stop();
    await run.ends("STOPPED");
    const second = await run.restart("RESTART_FROM_INCOMPLETE");
    const newer = await (await second.step("sub").child()).step("inner").iteration(2, 2);
    await newer.step("nap").reaches("RUNNING");
    await second.stop();
    await second.ends("STOPPED");
    expect((await newer.read()).status).toBe("STOPPED");
    const third = await second.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    const { runtime_overview } = await third.ends("SUCCEEDED");
    expect(await (await inner.latest()).statuses()).toEqual({ nap: "SUCCEEDED" });
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 4, overview: { SUCCEEDED: { cnt: 4 } } });
  },

  "tree: stopping a child stops its root's step, and a restart of the root goes on with that child": async () => {
    const kid = await given([noop("k1", to("nap")), sleep("nap", computed("LONG", "nap"))], {
      params: { nap: long(0) },
    });
    const run = await (await given([subworkflow("sub", kid.id)], { params: { nap: long(600) } })).start();
    const child = await run.step("sub").child();
    await child.step("nap").reaches("RUNNING");
    await child.stop();
    await run.ends("STOPPED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    await again.ends("SUCCEEDED");
    const second = await again.step("sub").child();
    expect([second.runId, await second.statuses()]).toEqual([2, { nap: "SUCCEEDED" }]);
  },

  "tree: an older run of a child is not acted on": async () => {
    const { run, child } = await parent();
    await run.ends("FAILED");
    await child.step("in").restart(MEND);
    await (await run.latest()).ends("SUCCEEDED");
    await child.refuses(400, "stop");
    await run.refuses(400, "kill");
    expect([(await child.read()).status, (await child.latest()).runId]).toEqual(["FAILED", 2]);
  },
};
