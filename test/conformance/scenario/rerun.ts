/** Restarts of single steps: in a new run of an ended one, or in place in a run that is under way. */
import { expect } from "bun:test";
import type { Part } from "../kit/definition.ts";
import { computed, fatal, having, long, noop, retried, shell, sleep, to, when } from "../kit/definition.ts";
import type { Run } from "../kit/run.ts";
import { given } from "../kit/workflow.ts";

/** Fails while its own param `d` is 0. */
const touchy = (id: string, ...parts: readonly Part[]): Part =>
  noop(id, having({ y: computed("LONG", "1 / d"), d: long(0) }), ...parts);

const MEND = { params: { d: long(1) } };

const started = async (...steps: readonly Part[]): Promise<Run> => (await given(steps)).start();

/** Has ended, FAILED. */
async function failed(...steps: readonly Part[]): Promise<Run> {
  const run = await started(...steps);
  await run.ends("FAILED");
  return run;
}

/** Under way, since `side` sleeps; the step `a` has failed. */
async function limping(...steps: readonly Part[]): Promise<Run> {
  const run = await started(...steps, sleep("side", 600));
  await run.step("a").reaches("INTERNALLY_FAILED", "FATALLY_FAILED");
  return run;
}

export const RERUN = {
  "step restart of an ended run: a new run from that step on, with params for it": async () => {
    const run = await failed(noop("before", to("a")), touchy("a", to("after")), noop("after"), noop("lone"));
    const again = await run.step("a").restartRun(MEND);
    const body = await again.ends("SUCCEEDED");
    expect(again.runId).toBe(2);
    expect(await again.statuses()).toEqual({ a: "SUCCEEDED", after: "SUCCEEDED" });
    expect(body.run_config).toMatchObject({
      policy: "RESTART_FROM_SPECIFIC",
      restart_config: {
        restart_policy: "RESTART_FROM_SPECIFIC",
        restart_path: [{ workflow_id: run.workflowId, instance_id: 1, step_id: "a" }],
        step_restart_params: { a: { d: { type: "LONG", value: 1 } } },
      },
    });
    const { params, step_attempt_id } = await again.step("a").read();
    expect([params.d?.evaluated_result, params.d?.source, step_attempt_id]).toEqual([1, "RESTART", 1]);
    expect((await again.aggregate()).workflow_instance_status).toBe("SUCCEEDED");
  },

  "step restart of an ended run: a complete step, too, and all that follows": async () => {
    const run = await started(noop("a", to("b")), noop("b", to("c")), noop("c"), noop("lone"));
    await run.ends("SUCCEEDED");
    const again = await run.step("b").restartRun();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ b: "SUCCEEDED", c: "SUCCEEDED" });
  },

  "step restart of an ended run: another failed step stays as it was, and the instance stays FAILED": async () => {
    const run = await failed(touchy("a", to("a2")), noop("a2"), touchy("b", to("b2")), noop("b2"));
    const again = await run.step("a").restartRun(MEND);
    const body = await again.ends("FAILED");
    expect(body.runtime_overview?.run_status, "of the run itself").toBe("SUCCEEDED");
    expect(await again.statuses()).toEqual({ a: "SUCCEEDED", a2: "SUCCEEDED" });
    const { workflow_instance_status, step_aggregated_views: views } = await again.aggregate();
    expect(workflow_instance_status).toBe("FAILED");
    expect(views).toMatchObject({
      a: { status: "SUCCEEDED", workflow_run_id: 2 },
      b: { status: "INTERNALLY_FAILED", workflow_run_id: 1 },
      b2: { status: "NOT_CREATED" },
    });
    const third = await again.step("b").restartRun(MEND);
    await third.ends("SUCCEEDED");
    expect((await third.aggregate()).workflow_instance_status).toBe("SUCCEEDED");
  },

  "step restart of an ended run: only the step that was named is forced, what follows decides by its conditions":
    async () => {
      const run = await started(
        noop("choose", when({ no: "false" })),
        noop("no", when({ after: "true", never: "false" })),
        noop("after"),
        noop("never"),
      );
      await run.ends("SUCCEEDED");
      const again = await run.step("no").restartRun();
      await again.ends("SUCCEEDED");
      expect(await again.statuses()).toEqual({ no: "SUCCEEDED", after: "SUCCEEDED", never: "UNSATISFIED" });
    },

  "step restart of an ended run: a join behind it counts what the others were": async () => {
    const run = await started(noop("a", when({ join: "false" })), noop("b", when({ join: "true" })), noop("join"));
    await run.ends("SUCCEEDED");
    const again = await run.step("a").restartRun();
    await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ a: "SUCCEEDED", join: "SUCCEEDED" });
  },

  "step restart of an ended run: params given to a step count in later restarts": async () => {
    const run = await failed(touchy("a", to("b")), fatal("b"));
    const second = await run.step("a").restartRun(MEND);
    await second.ends("FAILED");
    expect(await second.statuses()).toEqual({ a: "SUCCEEDED", b: "FATALLY_FAILED" });
    const third = await second.restart("RESTART_FROM_BEGINNING");
    await third.ends("FAILED");
    expect(await third.statuses()).toEqual({ a: "SUCCEEDED", b: "FATALLY_FAILED" });
  },

  "step restart: a step that is unknown or was never created is refused": async () => {
    const run = await failed(touchy("a", to("b")), noop("b"));
    await run.step("nosuch").refusesRestart(400);
    await run.step("b").refusesRestart(400);
  },

  "step restart in place: a further attempt in the same run, then what follows runs": async () => {
    const run = await limping(touchy("a", to("b")), noop("b"));
    const answer = await run.step("a").restart(MEND);
    expect(answer).toMatchObject({ status: "CREATED", workflow_run_id: 1, step_attempt_id: 2 });
    await run.step("b").reaches("SUCCEEDED");
    const second = await run.step("a").read();
    expect([second.step_attempt_id, second.runtime_state.status, second.step_retry.manual_retries]).toEqual([
      2,
      "SUCCEEDED",
      1,
    ]);
    expect([second.params.d?.evaluated_result, second.params.d?.source]).toEqual([1, "LAUNCH"]);
    expect((await run.step("a").read(1)).runtime_state.status).toBe("INTERNALLY_FAILED");
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step restart in place: under FAIL_AFTER_RUNNING the join behind it runs in the end": async () => {
    const run = await started(
      noop("root", to("b", "c")),
      sleep("b", 600, to("d")),
      sleep("c", 600, to("d")),
      noop("d"),
    );
    await run.step("b").reaches("RUNNING");
    await run.step("b").does("kill");
    await run.step("b").restart({ params: { sleep_seconds: long(0) } });
    await run.step("b").attemptReaches(2, "SUCCEEDED");
    await run.step("c").does("skip");
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ root: "SUCCEEDED", b: "SUCCEEDED", c: "SKIPPED", d: "SUCCEEDED" });
  },

  "step restart in place: stopped and timed-out steps, too": async () => {
    const run = await started(
      sleep("halted", 600, to("h2")),
      noop("h2"),
      sleep("late", 600, { timeout: 1 }, to("l2")),
      noop("l2"),
      sleep("side", 600),
    );
    await run.step("halted").reaches("RUNNING");
    await run.step("halted").does("stop");
    await run.step("late").reaches("TIMED_OUT");
    for (const step of ["halted", "late"]) await run.step(step).restart({ params: { sleep_seconds: long(0) } });
    await run.step("h2").reaches("SUCCEEDED");
    await run.step("l2").reaches("SUCCEEDED");
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step restart in place: an attempt that fails again can be restarted again": async () => {
    const run = await limping(touchy("a"));
    await run.step("a").restart();
    await run.step("a").attemptReaches(2, "INTERNALLY_FAILED");
    await run.step("a").restart(MEND);
    await run.step("a").attemptReaches(3, "SUCCEEDED");
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step restart in place: the restarted attempt is tried again by its policy afresh": async () => {
    const policy = retried({ error: 1, platform: 0, timeout: 0 });
    const run = await started(shell("a", "exit 1", policy), sleep("side", 600));
    await run.step("a").attemptReaches(2, "FATALLY_FAILED");
    await run.step("a").restart();
    await run.step("a").attemptReaches(4, "FATALLY_FAILED");
    await run.stop();
    await run.ends("FAILED");
  },

  "step restart in place: of a step that runs, succeeded, or has a retry before it is refused": async () => {
    const policy = {
      retry_policy: { timeout_retry_limit: 1, backoff: { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: 600 } },
    };
    const run = await started(noop("done"), sleep("waits", 600, { timeout: 1 }, policy), sleep("side", 600));
    await run.step("side").reaches("RUNNING");
    await run.step("waits").reaches("TIMEOUT_FAILED");
    for (const step of ["done", "side", "waits", "nosuch"]) await run.step(step).refusesRestart(400);
    await run.stop();
    await run.ends("STOPPED");
  },

  "step restart in place: with another failure mode than FAIL_AFTER_RUNNING it is refused": async () => {
    const run = await limping(touchy("a", { failure_mode: "FAIL_IMMEDIATELY" }));
    await run.step("a").refusesRestart(400);
    await run.stop();
    await run.ends("FAILED");
  },

  "step restart in place: what a SPECIFIC restart left out can be continued": async () => {
    const run = await failed(sleep("a", 0, to("a2")), noop("a2"), touchy("b", to("b2")), noop("b2"), touchy("c"));
    const again = await run.step("a").restartRun({ params: { sleep_seconds: long(600) } });
    await again.step("a").reaches("RUNNING");
    await again.step("b").restart(MEND);
    await again.step("b2").reaches("SUCCEEDED");
    await again.step("a").does("skip");
    await again.ends("FAILED");
    expect(await again.statuses()).toMatchObject({ a: "SKIPPED", a2: "SUCCEEDED", b: "SUCCEEDED", b2: "SUCCEEDED" });
    expect(await again.overall()).toMatchObject({ b: "SUCCEEDED", c: "INTERNALLY_FAILED" });
  },

  "step skip: of a failed step of an ended run makes a new run in which it is SKIPPED": async () => {
    const run = await failed(touchy("a", to("b")), noop("b"));
    await run.step("a").does("skip");
    const again = await run.latest();
    expect(again.runId).toBe(2);
    const body = await again.ends("SUCCEEDED");
    expect(await again.statuses()).toEqual({ a: "SKIPPED", b: "SUCCEEDED" });
    expect(body.run_config).toMatchObject({ policy: "RESTART_FROM_SPECIFIC", restart_config: { skip_steps: ["a"] } });
    expect((await again.step("a").read()).runtime_state.start_time, "a SKIPPED step's start").toBeUndefined();
  },

  "step skip: of a failed step in a run that is under way lets what follows run": async () => {
    const run = await limping(touchy("a", to("b")), noop("b"));
    await run.step("a").does("skip");
    await run.step("a").reaches("SKIPPED");
    await run.step("b").reaches("SUCCEEDED");
    await run.step("side").does("skip");
    await run.ends("SUCCEEDED");
  },

  "step restart in place: conditions after it are decided by the new attempt": async () => {
    const run = await limping(touchy("a", when({ yes: "d == 1", no: "d != 1" })), noop("yes"), noop("no"));
    await run.step("a").restart(MEND);
    await run.step("yes").reaches("SUCCEEDED");
    await run.step("no").reaches("UNSATISFIED");
    await run.stop();
    await run.ends("STOPPED");
  },
};
