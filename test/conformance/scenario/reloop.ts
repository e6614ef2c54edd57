/** Restarts with loops and subworkflows in them: what is kept, what runs again, where a loop goes on. */
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
  repeat,
  sleep,
  subworkflow,
  text,
  to,
} from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { mostAtOnce, type Span } from "../kit/span.ts";
import { given, type Workflow } from "../kit/workflow.ts";

/** Iterations 1 to 5, of which the one that equals the workflow's param `bad` fails. */
const EACH = foreach(
  "each",
  { i: longs(1, 2, 3, 4, 5) },
  [noop("in", having({ q: computed("LONG", "10 / (i - bad)") }), to("in2")), noop("in2")],
  to("after"),
);

const looping = (...steps: readonly Part[]): Promise<Workflow> =>
  given([...steps, noop("after")], { params: { bad: long(3), ok: long(1) } });

/** Has ended, FAILED. */
async function failed(workflow: Workflow, params = {}): Promise<Run> {
  const run = await workflow.start(params);
  await run.ends("FAILED");
  return run;
}

const MEND = { run_params: { bad: long(99) } };

/** Number of the newest run of each iteration. */
async function newestRuns(run: Run, count: number): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (let number = 1; number <= count; number++) numbers.push((await run.step("each").iteration(number)).runId);
  return numbers;
}

/** Rounds that fail in round `bad`, counted from 1 on. */
const LOOP = repeat(
  "loop",
  "k < 3",
  { k: long(0) },
  [noop("count", having({ q: computed("LONG", "1 / (loop_index + 1 - bad)"), k: computed("LONG", "k + 1") }))],
  to("after"),
);

const roundsOf = async (run: Run) => (await run.step("loop").read()).artifacts?.maestro_while;

/** A parent whose child fails while `ok` is 0. */
async function parent(): Promise<Workflow> {
  const kid = await given([noop("k1", to("k2")), fragile("k2")], { params: { ok: long(1) } });
  return looping(noop("before", to("sub")), subworkflow("sub", kid.id, to("after")));
}

const BROKEN = { ok: long(0) };
const WHOLE = { run_params: { ok: long(1) } };

export const RELOOP = {
  "reloop foreach from incomplete: iterations that succeeded are kept, the others run again": async () => {
    const run = await failed(await looping(EACH));
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    const { runtime_overview } = await again.ends("SUCCEEDED");
    expect(await newestRuns(again, 5)).toEqual([1, 1, 2, 1, 1]);
    const artifact = (await again.step("each").read()).artifacts?.maestro_foreach;
    expect(artifact).toMatchObject({ foreach_run_id: 2, foreach_overview: { details: { SUCCEEDED: [[1, 5]] } } });
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 11, overview: { SUCCEEDED: { cnt: 11 } } });
    const third = await again.step("each").iteration(3);
    expect(await third.statuses()).toEqual({ in: "SUCCEEDED", in2: "SUCCEEDED" });
    expect((await third.read()).initiator.ancestors).toMatchObject([
      { workflow_id: run.workflowId, run_id: 2, step_id: "each" },
    ]);
  },

  "reloop foreach from incomplete: iterations that were never launched run, too": async () => {
    const loop = foreach(
      "each",
      { i: longs(1, 2, 3, 4) },
      [noop("in", having({ q: computed("LONG", "1 / (i - bad)") }))],
      { concurrency: 1 },
    );
    const run = await failed(await looping(loop), { bad: long(2) });
    expect(await run.step("each").iterations()).toEqual(["SUCCEEDED", "FAILED"]);
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    await again.ends("SUCCEEDED");
    expect(await again.step("each").iterations()).toEqual(Array(4).fill("SUCCEEDED"));
    expect((await newestRuns(again, 2)).slice(0, 2)).toEqual([1, 2]);
  },

  "reloop foreach from the beginning: every iteration runs again": async () => {
    const run = await failed(await looping(EACH));
    const again = await run.restart("RESTART_FROM_BEGINNING", MEND);
    await again.ends("SUCCEEDED");
    expect(await newestRuns(again, 5)).toEqual([2, 2, 2, 2, 2]);
  },

  "reloop foreach: the step of a complete one, restarted from the beginning, runs every iteration again": async () => {
    const run = await (await looping(EACH)).start({ bad: long(99) });
    await run.ends("SUCCEEDED");
    const again = await run.step("each").restartRun({ policy: "RESTART_FROM_BEGINNING" });
    await again.ends("SUCCEEDED");
    expect(await newestRuns(again, 5)).toEqual([2, 2, 2, 2, 2]);
  },

  "reloop foreach: a step in one iteration restarts the root, and that iteration alone": async () => {
    const body = [
      noop("w", to("in")),
      noop("in", having({ q: computed("LONG", "10 / (i - d)"), d: long(2) }), to("in2")),
      noop("in2"),
    ];
    const run = await failed(await looping(foreach("each", { i: longs(1, 2, 3) }, body)));
    const iteration = await run.step("each").iteration(2);
    const { workflow_run_id } = await iteration.step("in").restart({ params: { d: long(9) } });
    expect(workflow_run_id, "the root's new run").toBe(2);
    const again = await run.latest();
    const { run_config } = await again.ends("SUCCEEDED");
    expect(run_config).toMatchObject({
      policy: "RESTART_FROM_SPECIFIC",
      restart_config: {
        restart_path: [
          { workflow_id: iteration.workflowId, instance_id: 2, step_id: "in" },
          { workflow_id: run.workflowId, instance_id: 1, step_id: "each" },
        ],
      },
    });
    const second = await iteration.latest();
    expect(await second.statuses()).toEqual({ in: "SUCCEEDED", in2: "SUCCEEDED" });
    expect((await second.read()).run_config.policy).toBe("RESTART_FROM_SPECIFIC");
    expect([(await newestRuns(again, 1))[0], (await again.step("each").iteration(3)).runId]).toEqual([1, 1]);
    expect((await again.aggregate()).workflow_instance_status).toBe("SUCCEEDED");
  },

  "reloop foreach in place: the step runs again in the same run, and keeps what succeeded": async () => {
    const loop = foreach("each", { nap: longs(0, 600, 0) }, [sleep("nap", computed("LONG", "nap"))], to("after"));
    const run = await (await looping(loop, sleep("side", 600))).start();
    const second = await run.step("each").iteration(2);
    await second.step("nap").reaches("RUNNING");
    await second.step("nap").does("kill");
    await run.step("each").reaches("FATALLY_FAILED");
    await run.step("each").restart();
    const again = await run.step("each").iteration(2, 2);
    await again.step("nap").reaches("RUNNING");
    await again.step("nap").does("skip");
    await run.step("after").reaches("SUCCEEDED");
    expect(await newestRuns(run, 3)).toEqual([1, 2, 1]);
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "reloop foreach: an array that has grown runs its new iterations, and keeps what succeeded": async () => {
    const loop = foreach("each", { i: computed("LONG_ARRAY", "Util.intsBetween(1, n, 1)") }, [fragile("in")]);
    const workflow = await given([loop, fragile("bad")], { params: { n: long(3), ok: long(1) } });
    const run = await workflow.start({ ok: long(0) });
    await run.ends("FAILED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { ok: long(1), n: long(5) } });
    await again.ends("SUCCEEDED");
    expect(await again.step("each").iterations()).toEqual(Array(4).fill("SUCCEEDED"));
    expect((await again.step("each").read()).artifacts?.maestro_foreach?.total_loop_count).toBe(4);
  },

  "reloop foreach: an array that has shrunk forgets what is beyond it": async () => {
    const loop = foreach("each", { i: computed("LONG_ARRAY", "Util.intsBetween(1, n, 1)") }, [
      noop("in", having({ q: computed("LONG", "1 / (3 - i)") })),
    ]);
    const run = await failed(await given([loop], { params: { n: long(4) } }));
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { n: long(3) } });
    await again.ends("SUCCEEDED");
    expect(await newestRuns(again, 2)).toEqual([1, 1]);
    expect((await again.step("each").read()).artifacts?.maestro_foreach?.total_loop_count).toBe(2);
  },

  "reloop foreach: concurrency holds for iterations that run again": async () => {
    const body = [sleep("nap", computed("LONG", "ok")), fragile("in")];
    const loop = foreach("each", { i: longs(1, 2, 3, 4) }, body, {
      concurrency: 2,
      failure_mode: "FAIL_AFTER_RUNNING",
    });
    const run = await failed(await given([loop], { params: { ok: long(1) } }), BROKEN);
    const again = await run.restart("RESTART_FROM_BEGINNING", WHOLE);
    await again.ends("SUCCEEDED");
    const spans: Span[] = [];
    for (let number = 1; number <= 4; number++) {
      const { start_time, end_time } = await (await again.step("each").iteration(number)).read();
      spans.push({ start: start_time, end: end_time });
    }
    expect(mostAtOnce(spans)).toBe(2);
  },

  "reloop: what a loop or a subworkflow is about cannot be changed by a step's restart": async () => {
    const kid = await given([fragile("leaf")], { params: { ok: long(1) } });
    const loop = foreach("each", { i: longs(1) }, [fragile("in")]);
    const run = await failed(await looping(loop, subworkflow("sub", kid.id)), BROKEN);
    await run.step("each").refusesRestart(400, "RESTART_FROM_INCOMPLETE", { loop_params: map({ i: longs(2) }) });
    await run.step("sub").refusesRestart(400, "RESTART_FROM_INCOMPLETE", { subworkflow_id: text("other") });
    expect((await run.latest()).runId).toBe(1);
  },

  "reloop while from incomplete: goes on with the round that failed": async () => {
    const run = await failed(await looping(LOOP), { bad: long(2) });
    expect(await run.step("loop").iterations()).toEqual(["SUCCEEDED", "FAILED"]);
    const again = await run.restart("RESTART_FROM_INCOMPLETE", MEND);
    await again.ends("SUCCEEDED");
    expect(await roundsOf(again)).toMatchObject({
      loop_run_id: 2,
      first_iteration: 2,
      last_iteration: 3,
      loop_param_values: { k: [0, 1, 2, 3] },
    });
    expect((await again.step("loop").iteration(1)).runId, "the round that succeeded").toBe(1);
    expect((await again.step("loop").iteration(2)).runId).toBe(2);
  },

  "reloop while from the beginning: all rounds anew": async () => {
    const run = await failed(await looping(LOOP), { bad: long(2) });
    const again = await run.restart("RESTART_FROM_BEGINNING", MEND);
    await again.ends("SUCCEEDED");
    expect(await roundsOf(again)).toMatchObject({ loop_run_id: 2, first_iteration: 1, last_iteration: 3 });
    for (const number of [1, 2]) expect((await again.step("loop").iteration(number)).runId).toBe(2);
  },

  "reloop while: one that is reached for the first time in a restarted run begins with round 1": async () => {
    const run = await failed(await looping(fragile("first", to("loop")), LOOP), BROKEN);
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { ok: long(1), bad: long(99) } });
    await again.ends("SUCCEEDED");
    expect(await roundsOf(again)).toMatchObject({ first_iteration: 1, last_iteration: 3 });
  },

  "reloop while: one that failed on its first condition begins with round 1": async () => {
    const loop = repeat("loop", "1 / ok > 0 && k < 1", { k: long(0) }, [
      noop("count", having({ k: computed("LONG", "k + 1") })),
    ]);
    const run = await failed(await looping(loop), BROKEN);
    const again = await run.restart("RESTART_FROM_INCOMPLETE", WHOLE);
    await again.ends("SUCCEEDED");
    expect(await again.step("loop").iterations()).toEqual(["SUCCEEDED"]);
  },

  "reloop while: after a resumed run it can be restarted from the beginning": async () => {
    const run = await failed(await looping(LOOP), { bad: long(3) });
    const second = await run.restart("RESTART_FROM_INCOMPLETE");
    await second.ends("FAILED");
    const third = await second.restart("RESTART_FROM_BEGINNING", MEND);
    await third.ends("SUCCEEDED");
    expect(await roundsOf(third)).toMatchObject({ first_iteration: 1, last_iteration: 3 });
  },

  "reloop while: the step of a complete one, restarted, runs its rounds again": async () => {
    const run = await (await looping(LOOP)).start({ bad: long(99) });
    await run.ends("SUCCEEDED");
    const again = await run.step("loop").restartRun({ policy: "RESTART_FROM_BEGINNING" });
    await again.ends("SUCCEEDED");
    expect(await roundsOf(again)).toMatchObject({ loop_run_id: 2, first_iteration: 1, last_iteration: 3 });
  },

  "reloop subworkflow from incomplete: the child's instance gets a new run, from what is incomplete": async () => {
    const run = await failed(await parent(), BROKEN);
    const first = await run.step("sub").child();
    const again = await run.restart("RESTART_FROM_INCOMPLETE", WHOLE);
    const { runtime_overview } = await again.ends("SUCCEEDED");
    const child = await again.step("sub").child();
    expect([child.workflowId, child.instanceId, child.runId]).toEqual([first.workflowId, 1, 2]);
    expect(await child.statuses()).toEqual({ k2: "SUCCEEDED" });
    expect((await child.read()).run_config.policy).toBe("RESTART_FROM_INCOMPLETE");
    expect(runtime_overview?.rollup_overview).toEqual({ total_leaf_count: 4, overview: { SUCCEEDED: { cnt: 4 } } });
  },

  "reloop subworkflow from the beginning: the child's instance gets a new run, from the beginning": async () => {
    const run = await failed(await parent(), BROKEN);
    const again = await run.restart("RESTART_FROM_BEGINNING", WHOLE);
    await again.ends("SUCCEEDED");
    const child = await again.step("sub").child();
    expect([child.instanceId, child.runId]).toEqual([1, 2]);
    expect(await child.statuses()).toEqual({ k1: "SUCCEEDED", k2: "SUCCEEDED" });
  },

  "reloop subworkflow: a child that is complete counts as succeeded": async () => {
    const kid = await given([noop("k1")]);
    const run = await (await looping(subworkflow("sub", kid.id))).start();
    await run.ends("SUCCEEDED");
    const again = await run.step("sub").restartRun();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ sub: "SUCCEEDED" });
  },

  "reloop subworkflow: restarting the ended child restarts its root along the way": async () => {
    const run = await failed(await parent(), BROKEN);
    const child = await run.step("sub").child();
    const answer = await child.restart("RESTART_FROM_INCOMPLETE", WHOLE);
    expect(answer.runId, "the root's new run").toBe(2);
    const again = await run.latest();
    const body = await again.ends("SUCCEEDED");
    expect(body.run_config).toMatchObject({
      policy: "RESTART_FROM_SPECIFIC",
      restart_config: {
        restart_policy: "RESTART_FROM_INCOMPLETE",
        restart_path: [
          { workflow_id: child.workflowId, instance_id: 1, step_id: null },
          { workflow_id: run.workflowId, instance_id: 1, step_id: "sub" },
        ],
      },
    });
    expect(await again.statuses()).toEqual({ sub: "SUCCEEDED", after: "SUCCEEDED" });
    const second = await child.latest();
    expect([second.runId, (await second.read()).status]).toEqual([2, "SUCCEEDED"]);
  },

  "reloop subworkflow: an async child is a root of its own": async () => {
    const kid = await given([fragile("leaf")], { params: { ok: long(1) } });
    const run = await (await looping(subworkflow("sub", kid.id, { sync: false }))).start(BROKEN);
    await run.ends("SUCCEEDED");
    const child = await run.step("sub").child();
    await child.ends("FAILED");
    const again = await child.restart("RESTART_FROM_INCOMPLETE", WHOLE);
    await again.ends("SUCCEEDED");
    expect([again.runId, (await run.latest()).runId]).toEqual([2, 1]);
  },

  "reloop: a step deep in an ended tree makes a new run of every run above it": async () => {
    const body = [noop("in", having({ q: computed("LONG", "1 / d"), d: long(0) }), to("in2")), noop("in2")];
    const kid = await given([foreach("inner", { j: longs(1) }, body)]);
    const run = await failed(await looping(foreach("each", { i: longs(1) }, [subworkflow("sub", kid.id)])));
    const outer = await run.step("each").iteration(1);
    const child = await outer.step("sub").child();
    const inner = await child.step("inner").iteration(1);
    await inner.step("in").restart({ params: { d: long(1) } });
    const again = await run.latest();
    await again.ends("SUCCEEDED");
    for (const it of [run, outer, child, inner]) {
      const newest = await it.latest();
      expect([newest.runId > it.runId, (await newest.read()).run_config.policy]).toEqual([
        true,
        "RESTART_FROM_SPECIFIC",
      ]);
    }
    expect(await (await inner.latest()).statuses()).toEqual({ in: "SUCCEEDED", in2: "SUCCEEDED" });
  },

  "reloop: a stopped tree goes on where it was stopped": async () => {
    const body = [noop("w", to("nap")), sleep("nap", computed("LONG", "nap"))];
    const loop = foreach("each", { i: longs(1, 2) }, body, to("after"));
    const run = await (await given([loop, noop("after")], { params: { nap: long(600) } })).start();
    const first = await run.step("each").iteration(1);
    await first.step("nap").reaches("RUNNING");
    await run.stop();
    await run.ends("STOPPED");
    const again = await run.restart("RESTART_FROM_INCOMPLETE", { run_params: { nap: long(0) } });
    await again.ends("SUCCEEDED");
    const newest = await first.latest();
    expect(await newest.statuses(), "only what was stopped").toEqual({ nap: "SUCCEEDED" });
  },

  "reloop foreach: a failed iteration runs again while the step is RUNNING": async () => {
    const body = [
      sleep("nap", computed("LONG", "nap"), to("in")),
      noop("in", having({ q: computed("LONG", "1 / d"), d: computed("LONG", "nap") })),
    ];
    const run = await (await looping(foreach("each", { nap: longs(600, 0) }, body))).start();
    const [first, second] = [await run.step("each").iteration(1), await run.step("each").iteration(2)];
    await first.step("nap").reaches("RUNNING");
    await second.ends("FAILED");
    await second.step("in").restart({ params: { d: long(1) } });
    const again = await run.step("each").iteration(2, 2);
    await again.ends("SUCCEEDED");
    await first.step("nap").does("skip");
    await run.ends("SUCCEEDED");
    expect((await run.step("each").read()).artifacts?.maestro_foreach?.foreach_overview.stats).toEqual({
      SUCCEEDED: 2,
    });
    expect(run.runId).toBe((await run.latest()).runId);
  },

  "reloop: an iteration's step may restart everything from the root that embeds it": async () => {
    const body = [noop("w", to("in")), noop("in", having({ q: computed("LONG", "1 / d"), d: long(0) }))];
    const run = await failed(await looping(noop("before", to("each")), foreach("each", { i: longs(1, 2) }, body)));
    const iteration = await run.step("each").iteration(1);
    await iteration.step("in").restart({
      policy: "RESTART_FROM_BEGINNING",
      params: { d: long(1) },
      upstream_restart_mode: "RESTART_FROM_INLINE_ROOT",
    });
    const again = await run.latest();
    const body2 = await again.ends("SUCCEEDED");
    expect(body2.run_config.policy).toBe("RESTART_FROM_BEGINNING");
    expect(await again.statuses()).toMatchObject({ before: "SUCCEEDED", each: "SUCCEEDED" });
  },
};
