/** Foreach: iterations, how many at a time, what becomes of the step when one fails, stopping. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import {
  computed,
  foreach,
  fragile,
  having,
  long,
  longs,
  map,
  noop,
  sleep,
  text,
  texts,
  to,
  when,
} from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { mostAtOnce, type Span } from "../kit/span.ts";
import { given } from "../kit/workflow.ts";

/** Sleeps as many seconds as the iteration's `nap`. */
const NAPPING = [sleep("nap", computed("LONG", "nap"))];

const napping = (naps: readonly number[], ...parts: readonly Part[]): Part =>
  foreach("each", { nap: longs(...naps) }, NAPPING, ...parts);

/** Iterations sleep for so many seconds; one of 0 fails internally. */
const RISKY = [
  noop("risk", when({ nap: "nap > 0", bad: "nap == 0" })),
  sleep("nap", computed("LONG", "nap")),
  noop("bad", having({ quotient: computed("LONG", "1 / 0") })),
];

const risky = (naps: readonly number[], ...parts: readonly Part[]): Part =>
  foreach("each", { nap: longs(...naps) }, RISKY, ...parts);

const started = async (...steps: readonly Part[]): Promise<Run> => (await given(steps)).start();

/** An iteration whose step sleeps. */
async function asleep(run: Run, iteration: number): Promise<Run> {
  const it = await run.step("each").iteration(iteration);
  await it.step("nap").reaches("RUNNING");
  return it;
}

/** The most iterations that were under way at one instant. */
async function atOnce(run: Run, count: number): Promise<number> {
  const spans: Span[] = [];
  for (let number = 1; number <= count; number++) {
    const { start_time, end_time } = await (await run.step("each").iteration(number)).read();
    spans.push({ start: start_time, end: end_time });
  }
  return mostAtOnce(spans);
}

const overviewOf = async (run: Run) => (await run.step("each").read()).artifacts?.maestro_foreach;

export const FOREACH = {
  "foreach: two loop params make their cross product, the first varies fastest": async () => {
    const over = { a: longs(1, 2), b: texts("x", "y", "z") };
    const run = await started(
      foreach("each", over, [noop("in", having({ seen: computed("STRING", "loop_index + '=' + a + b") }))]),
    );
    await run.ends("SUCCEEDED");
    const seen: unknown[] = [];
    for (let number = 1; number <= 6; number++) {
      seen.push(await (await run.step("each").iteration(number)).step("in").value("seen"));
    }
    expect(seen).toEqual(["0=1x", "1=2x", "2=1y", "3=2y", "4=1z", "5=2z"]);
    expect(await overviewOf(run)).toMatchObject({ total_loop_count: 6, next_loop_index: 6, foreach_run_id: 1 });
  },

  "foreach: iterations are runs of an inline workflow, and name the step that started them": async () => {
    const workflow = await given([napping([0, 0], having({ extra: text("x-${n}") }))], { params: { n: long(9) } });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    const iteration = await run.step("each").iteration(2);
    expect(iteration.workflowId).toStartWith("maestro_foreach_");
    const body = await iteration.read();
    expect(body).toMatchObject({
      correlation_id: `${workflow.id}:1:1`,
      run_config: { policy: "START_FRESH_NEW_RUN", runtime_tags: [{ name: "maestro_foreach" }] },
      initiator: {
        type: "FOREACH",
        depth: 1,
        ancestors: [{ workflow_id: workflow.id, instance_id: 1, run_id: 1, step_id: "each", step_attempt_id: 1 }],
      },
    });
    const told = ["nap", "loop_index", "n", "extra"].map((name) => body.params[name]?.evaluated_result);
    expect(told, "values of the loop, of the workflow and of the loop's step").toEqual([0, 1, 9, "x-9"]);
    expect(body.params.loop_params, "the loop's arrays").toBeUndefined();
    expect([body.params.nap?.source, body.params.n?.source]).toEqual(["FOREACH", "FOREACH"]);
  },

  "foreach: the workflow id that an iteration sees is its own": async () => {
    const run = await started(foreach("each", { i: longs(1) }, [noop("in", having({ seen: text("${workflow_id}") }))]));
    await run.ends("SUCCEEDED");
    const iteration = await run.step("each").iteration(1);
    expect(await iteration.step("in").value("seen")).toBe(iteration.workflowId);
  },

  "foreach: what follows waits for all iterations": async () => {
    const run = await started(napping([0, 1, 0], to("after")), noop("after"));
    await run.ends("SUCCEEDED");
    const last = Number((await (await run.step("each").iteration(2)).read()).end_time);
    expect(Number((await run.step("after").read()).runtime_state.create_time)).toBeGreaterThanOrEqual(last);
    expect(await run.step("each").iterations()).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
  },

  "foreach: an empty array is no iteration, and success": async () => {
    const over = { i: computed("LONG_ARRAY", "Util.intsBetween(1, 1, 1)"), j: longs(1, 2) };
    const run = await started(foreach("each", over, [noop("in")], to("after")), noop("after"));
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ each: "SUCCEEDED", after: "SUCCEEDED" });
    expect(await overviewOf(run)).toMatchObject({ total_loop_count: 0, next_loop_index: 0 });
    expect(await run.step("each").iterations()).toEqual([]);
    expect(runtime_overview?.rollup_overview?.total_leaf_count, "it counts as one leaf itself").toBe(2);
  },

  "foreach: the arrays may come from expressions": async () => {
    const over = { i: computed("LONG_ARRAY", "Util.intsBetween(0, n, 2)") };
    const workflow = await given([foreach("each", over, [noop("in")])], { params: { n: long(7) } });
    const run = await workflow.start();
    await run.ends("SUCCEEDED");
    expect((await run.step("each").read()).params.loop_params?.evaluated_result).toEqual({ i: [0, 2, 4, 6] });
    expect(await run.step("each").iterations()).toHaveLength(4);
  },

  "foreach: concurrency bounds how many iterations are under way": async () => {
    const run = await started(napping([1, 1, 1, 1, 1], { concurrency: 2 }));
    await run.ends("SUCCEEDED");
    expect(await atOnce(run, 5)).toBe(2);
  },

  "foreach: without concurrency all are under way at once": async () => {
    const run = await started(napping(Array(25).fill(600)));
    for (let number = 1; number <= 25; number++) await asleep(run, number);
    await run.stop();
    await run.ends("STOPPED");
  },

  "foreach: any that ends makes room for the next": async () => {
    const run = await started(napping([600, 0, 0, 0], { concurrency: 2 }));
    const first = await asleep(run, 1);
    await (await run.step("each").iteration(4)).ends("SUCCEEDED");
    await first.step("nap").does("skip");
    await run.ends("SUCCEEDED");
  },

  "foreach: with strict ordering a slow one holds back those beyond the window": async () => {
    const run = await started(napping([600, 0, 0, 0], { concurrency: 2, strict_ordering: true }));
    const first = await asleep(run, 1);
    await (await run.step("each").iteration(2)).ends("SUCCEEDED");
    expect(await run.step("each").iterations()).toEqual(["IN_PROGRESS", "SUCCEEDED"]);
    await first.step("nap").does("skip");
    await run.ends("SUCCEEDED");
    const freed = Number((await first.read()).end_time);
    expect((await (await run.step("each").iteration(3)).read()).create_time).toBeGreaterThanOrEqual(freed);
  },

  "foreach: after a failed iteration FAIL_AFTER_RUNNING launches no more, and waits for those under way": async () => {
    const run = await started(risky([600, 0, 1, 1, 1], { concurrency: 2 }, to("after")), noop("after"));
    const first = await asleep(run, 1);
    await (await run.step("each").iteration(2)).ends("FAILED");
    expect(await run.step("each").status()).toBe("RUNNING");
    await first.step("nap").does("skip");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ each: "FATALLY_FAILED" });
    expect(await run.step("each").iterations()).toEqual(["SUCCEEDED", "FAILED"]);
    expect(await overviewOf(run)).toMatchObject({
      total_loop_count: 5,
      foreach_overview: { stats: { SUCCEEDED: 1, FAILED: 1 }, details: { SUCCEEDED: [1], FAILED: [2] } },
    });
  },

  "foreach: after a failed iteration FAIL_IMMEDIATELY ends those under way, and the run": async () => {
    const loop = risky([600, 0, 1], { concurrency: 2, failure_mode: "FAIL_IMMEDIATELY" });
    const run = await started(loop, sleep("side", 600));
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ each: "FATALLY_FAILED", side: "STOPPED" });
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "FAILED"]);
  },

  "foreach: with IGNORE_FAILURE a failed iteration completes it with an error": async () => {
    const loop = risky([1, 0], { failure_mode: "IGNORE_FAILURE" }, to("after"));
    const run = await started(loop, noop("after"));
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ each: "COMPLETED_WITH_ERROR", after: "SUCCEEDED" });
    expect(await run.step("each").iterations()).toEqual(["SUCCEEDED", "FAILED"]);
  },

  "foreach: a stopped iteration does not keep others from starting; in the end the step is STOPPED": async () => {
    const run = await started(napping([600, 0, 0], { concurrency: 1 }, to("after")), noop("after"));
    await (await asleep(run, 1)).stop();
    await run.ends("STOPPED");
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "SUCCEEDED", "SUCCEEDED"]);
    expect(await run.statuses()).toEqual({ each: "STOPPED" });
  },

  "foreach: an iteration with a timed-out step makes it TIMED_OUT, whatever others were stopped": async () => {
    const late = [sleep("nap", computed("LONG", "nap"), { timeout: 4 })];
    const run = await started(foreach("each", { nap: longs(600, 600) }, late));
    await (await asleep(run, 1)).stop();
    await run.ends("TIMED_OUT");
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "TIMED_OUT"]);
    expect(await run.statuses()).toEqual({ each: "TIMED_OUT" });
  },

  "foreach stop: all iterations and their steps are STOPPED, and so is the step": async () => {
    const run = await started(napping([600, 600, 600], { concurrency: 2 }, to("after")), noop("after"));
    const [first] = [await asleep(run, 1), await asleep(run, 2)];
    await run.step("each").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ each: "STOPPED" });
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "STOPPED"]);
    expect(await first.statuses()).toEqual({ nap: "STOPPED" });
  },

  "foreach kill: its iterations are STOPPED, and the step fails by its failure mode": async () => {
    const run = await started(napping([600, 600], { failure_mode: "IGNORE_FAILURE" }, to("after")), noop("after"));
    const first = await asleep(run, 1);
    await run.step("each").does("kill");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ each: "COMPLETED_WITH_ERROR", after: "SUCCEEDED" });
    expect((await first.read()).status).toBe("STOPPED");
  },

  "foreach skip: its iterations are STOPPED, the step is SKIPPED, and what follows runs": async () => {
    const run = await started(napping([600, 600], to("after")), noop("after"));
    await asleep(run, 1);
    await run.step("each").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ each: "SKIPPED", after: "SUCCEEDED" });
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "STOPPED"]);
  },

  "foreach: killing the run fails the step, and stops what is in it": async () => {
    const run = await started(napping([600], { failure_mode: "IGNORE_FAILURE" }, to("after")), noop("after"));
    const first = await asleep(run, 1);
    await run.kill();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ each: "FATALLY_FAILED" });
    expect(await first.statuses()).toEqual({ nap: "STOPPED" });
  },

  "foreach: past its timeout the step is TIMED_OUT, and its iterations STOPPED": async () => {
    const run = await started(napping([600, 600], { timeout: 3 }));
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ each: "TIMED_OUT" });
    expect(await run.step("each").iterations()).toEqual(["STOPPED", "STOPPED"]);
  },

  "foreach: killing a step in an iteration fails the iteration": async () => {
    const run = await started(napping([600, 0]));
    const first = await asleep(run, 1);
    await first.step("nap").does("kill");
    await first.ends("FAILED");
    await run.ends("FAILED");
    expect(await run.step("each").iterations()).toEqual(["FAILED", "SUCCEEDED"]);
  },

  "foreach: the rollup counts the leaves of all iterations, and names what failed in them": async () => {
    const body = [noop("one", to("two")), noop("two", having({ quotient: computed("LONG", "1 / (i - 2)") }))];
    const run = await started(foreach("each", { i: longs(1, 2, 3) }, body), noop("lone"));
    const { runtime_overview } = await run.ends("FAILED");
    expect(runtime_overview?.rollup_overview).toEqual({
      total_leaf_count: 7,
      overview: {
        SUCCEEDED: { cnt: 6 },
        INTERNALLY_FAILED: { cnt: 1, ref: { [`${await run.step("each").body()}:1`]: ["2:two:1"] } },
      },
    });
    expect(runtime_overview?.total_step_count).toBe(2);
  },

  "foreach: loops without params, steps or arrays are refused at the push": async () => {
    const workflow = await given([noop("a")]);
    for (const loop of [
      foreach("each", {}, [noop("in")]),
      foreach("each", { i: longs(1) }, []),
      foreach("each", { i: long(1) }, [noop("in")]),
      foreach("each", { i: map({}) }, [noop("in")]),
      foreach("each", { i: longs(1) }, [noop("in")], { concurrency: 501 }),
      foreach("each", { i: longs(1) }, [foreach("inner", { i: longs(1) }, [noop("in")])]),
      foreach("each", { i: longs(1) }, [noop("each")]),
    ]) {
      await workflow.refusesPush(400, [loop]);
    }
  },

  "foreach: a body's param that cannot be evaluated fails the iteration, not the launch": async () => {
    const workflow = await given([foreach("each", { i: longs(1, 2) }, [fragile("in")])], { params: { ok: long(0) } });
    const run = await workflow.start();
    await run.ends("FAILED");
    expect(await run.step("each").iterations()).toEqual(["FAILED", "FAILED"]);
  },
};
