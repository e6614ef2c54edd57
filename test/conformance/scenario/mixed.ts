/** Loops and subworkflows beside failure modes, strategies and each other's actions. */
import { expect } from "bun:test";
import { ask, refuses } from "../kit/client.ts";
import type { Part } from "../kit/definition.ts";
import {
  boolean,
  computed,
  fatal,
  foreach,
  having,
  long,
  longs,
  noop,
  repeat,
  sleep,
  subworkflow,
  text,
  to,
  when,
} from "../kit/definition.ts";
import { mostAtOnce, type Span } from "../kit/span.ts";
import { given } from "../kit/workflow.ts";

const IMMEDIATELY: Part = { failure_mode: "FAIL_IMMEDIATELY" };

const doubles = (...value: number[]): Part => ({ type: "DOUBLE_ARRAY", value });
const booleans = (...value: boolean[]): Part => ({ type: "BOOLEAN_ARRAY", value });

export const MIXED = {
  "mixed: FAIL_IMMEDIATELY beside a loop and a subworkflow stops all that is in them": async () => {
    const kid = await given([sleep("leaf", 600)]);
    const steps = [
      foreach("each", { i: longs(1, 2) }, [sleep("in", 600)]),
      subworkflow("sub", kid.id),
      sleep("bad", 600, IMMEDIATELY),
    ];
    const run = await (await given(steps)).start();
    const [iteration, child] = [await run.step("each").iteration(2), await run.step("sub").child()];
    await iteration.step("in").reaches("RUNNING");
    await child.step("leaf").reaches("RUNNING");
    await run.step("bad").reaches("RUNNING");
    await run.step("bad").does("kill");
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ each: "STOPPED", sub: "STOPPED", bad: "FATALLY_FAILED" });
    expect([await iteration.statuses(), await child.statuses()]).toEqual([{ in: "STOPPED" }, { leaf: "STOPPED" }]);
  },

  "mixed: FAIL_IMMEDIATELY inside an iteration stops that iteration alone": async () => {
    const body = [
      noop("choose", when({ bad: "i == 1" })),
      fatal("bad", IMMEDIATELY),
      sleep("side", computed("LONG", "i == 1 ? 600 : 1")),
    ];
    const run = await (await given([foreach("each", { i: longs(1, 2) }, body)])).start();
    await run.ends("FAILED");
    const [first, second] = [await run.step("each").iteration(1), await run.step("each").iteration(2)];
    expect(await first.statuses()).toMatchObject({ bad: "FATALLY_FAILED", side: "STOPPED" });
    expect([(await first.read()).status, (await second.read()).status]).toEqual(["FAILED", "SUCCEEDED"]);
    expect(await second.statuses()).toMatchObject({ bad: "UNSATISFIED", side: "SUCCEEDED" });
  },

  "mixed: IGNORE_FAILURE inside an iteration lets it succeed": async () => {
    const body = [fatal("bad", { failure_mode: "IGNORE_FAILURE" }, to("after")), noop("after")];
    const run = await (await given([foreach("each", { i: longs(1) }, body)])).start();
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(runtime_overview?.rollup_overview).toEqual({
      total_leaf_count: 2,
      overview: { COMPLETED_WITH_ERROR: { cnt: 1 }, SUCCEEDED: { cnt: 1 } },
    });
  },

  "mixed: loop values keep the type of their array": async () => {
    const over = { d: doubles(1.5), b: booleans(true) };
    const body = [noop("in", having({ half: computed("DOUBLE", "d / 2"), no: computed("BOOLEAN", "!b") }))];
    const run = await (await given([foreach("each", over, body)])).start();
    await run.ends("SUCCEEDED");
    const iteration = await run.step("each").iteration(1);
    const { d, b } = (await iteration.read()).params;
    expect([d, b]).toMatchObject([
      { type: "DOUBLE", evaluated_result: 1.5 },
      { type: "BOOLEAN", evaluated_result: true },
    ]);
    const { half, no } = (await iteration.step("in").read()).params;
    expect([half?.evaluated_result, no?.evaluated_result]).toEqual([0.75, false]);
  },

  "mixed: children of a loop wait by their workflow's run strategy": async () => {
    const kid = await given([sleep("leaf", 1)]);
    const run = await (await given([foreach("each", { i: longs(1, 2, 3) }, [subworkflow("sub", kid.id)])])).start();
    await run.ends("SUCCEEDED");
    const spans: Span[] = [];
    for (const number of [1, 2, 3]) {
      const child = await (await run.step("each").iteration(number)).step("sub").child();
      const { start_time, end_time } = await child.read();
      spans.push({ start: start_time, end: end_time });
    }
    expect(mostAtOnce(spans)).toBe(1);
    expect((await kid.overview()).latest_instance_id).toBe(3);
  },

  "mixed: LAST_ONLY stops a whole tree, then runs the new one": async () => {
    const workflow = await given(
      [foreach("each", { i: longs(1, 2) }, [sleep("in", 600)])],
      {},
      { run_strategy: "LAST_ONLY" },
    );
    const first = await workflow.start();
    const iteration = await first.step("each").iteration(2);
    await iteration.step("in").reaches("RUNNING");
    const second = await workflow.start();
    await first.ends("STOPPED");
    expect((await iteration.read()).status).toBe("STOPPED");
    await second.reaches("IN_PROGRESS");
    expect((await second.step("each").iteration(1)).workflowId, "loop bodies of two instances").not.toBe(
      iteration.workflowId,
    );
    await workflow.does("stop");
    await second.ends("STOPPED");
  },

  "mixed: a stop right after the start ends a large loop, and leaves nothing behind": async () => {
    const range = { i: computed("LONG_ARRAY", "Util.intsBetween(0, 300, 1)") };
    const run = await (await given([foreach("each", range, [sleep("in", 600)])])).start();
    await run.step("each").iteration(1);
    await run.stop();
    await run.ends("STOPPED");
    const statuses = new Set(await run.step("each").iterations());
    expect([...statuses]).toEqual(["STOPPED"]);
  },

  "mixed: a while hands its values down to a subworkflow, and takes none back": async () => {
    const kid = await given([noop("leaf", having({ seen: computed("LONG", "k * 10"), k: long(99) }))], {
      params: { k: long(0) },
    });
    const body = [
      subworkflow("sub", kid.id, to("count")),
      noop("count", having({ k: computed("LONG", "loop_index + 1") })),
    ];
    const run = await (await given([repeat("loop", "k < 2", { k: long(0) }, body)])).start();
    await run.ends("SUCCEEDED");
    const second = await (await run.step("loop").iteration(2)).step("sub").child();
    expect((await second.read()).params.k?.evaluated_result).toBe(1);
    expect((await run.step("loop").read()).artifacts?.maestro_while?.loop_param_values).toEqual({ k: [0, 1, 2] });
  },

  "mixed: a while in a while counts for itself": async () => {
    const inner = repeat(
      "inner",
      "j < 2",
      { j: long(0) },
      [noop("one", having({ j: computed("LONG", "j + 1") }))],
      to("two"),
    );
    const body = [inner, noop("two", having({ k: computed("LONG", "k + 1") }))];
    const run = await (await given([repeat("outer", "k < 2", { k: long(0) }, body)])).start();
    const { runtime_overview } = await run.ends("SUCCEEDED");
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 6, overview: { SUCCEEDED: { cnt: 6 } } });
  },

  "mixed: conditions behind a loop see its params": async () => {
    const loop = foreach(
      "each",
      { i: longs(1, 2) },
      [noop("in")],
      having({ flag: boolean(true) }),
      when({ yes: "flag", no: "!flag" }),
    );
    const run = await (await given([loop, noop("yes"), noop("no")])).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ each: "SUCCEEDED", yes: "SUCCEEDED", no: "UNSATISFIED" });
  },

  "mixed: the definition of a loop's body is read by the inline workflow's id": async () => {
    const run = await (await given([foreach("each", { i: longs(1) }, [noop("in", to("in2")), noop("in2")])])).start();
    await run.ends("SUCCEEDED");
    const inline = await run.step("each").body();
    const { workflow } = await ask<{ workflow: { steps: readonly { step: { id: string } }[] } }>(
      "GET",
      `/workflows/${inline}/versions/1`,
    );
    expect(workflow.steps.map((it) => it.step.id)).toEqual(["in", "in2"]);
    await refuses(422, "DELETE", `/workflows/${inline}`);
  },

  "mixed: a run's own actions and views work on an iteration, too": async () => {
    const run = await (
      await given([foreach("each", { i: longs(1, 2) }, [sleep("in", 600, having({ t: text("x${i}") }))])])
    ).start();
    const [first, second] = [await run.step("each").iteration(1), await run.step("each").iteration(2)];
    for (const iteration of [first, second]) await iteration.step("in").reaches("RUNNING");
    await first.kill();
    await first.ends("FAILED");
    expect(await first.overall()).toEqual({ in: "FATALLY_FAILED" });
    expect(await second.step("in").value("t")).toBe("x2");
    await second.step("in").does("skip");
    await run.ends("FAILED");
    expect(await run.step("each").iterations()).toEqual(["FAILED", "SUCCEEDED"]);
  },

  "mixed: the workflow cannot be deleted while its tree is under way": async () => {
    const workflow = await given([foreach("each", { i: longs(1) }, [sleep("in", 600)])]);
    const run = await workflow.start();
    await (await run.step("each").iteration(1)).step("in").reaches("RUNNING");
    await refuses(400, "DELETE", workflow.path);
    await run.stop();
    await run.ends("STOPPED");
    await refuses(200, "DELETE", workflow.path);
  },
};
