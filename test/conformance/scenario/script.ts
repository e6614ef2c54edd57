/** Failures of users and outputs: scenarios that need the step type `shell`, which not every server has. */
import { expect } from "bun:test";
import { eventually, send } from "../kit/client.ts";
import { computed, having, long, map, noop, retried, shell, text, to, when } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

const errors = (error: number, seconds = 1) => retried({ error, platform: 0, timeout: 0 }, seconds);

/** A script that gives these outputs. It has no dollar in it, which other servers take for a param. */
const writes = (outputs: object): string => `echo '${JSON.stringify(outputs)}' > "\`printenv MAESTRO_OUTPUT\`"`;

export const SCRIPT = {
  "retry: a user's error is tried again up to its limit, then the step fails fatally": async () => {
    const run = await (await given([shell("a", "exit 3", errors(1, 3), to("b")), noop("b")])).start();
    await run.step("a").reaches("USER_FAILED");
    await run.ends("FAILED");
    const { step_attempt_id, step_retry } = await run.step("a").read();
    expect(step_attempt_id).toBe(2);
    expect(step_retry).toMatchObject({ error_retries: 1, error_retry_limit: 1, platform_retries: 0, retryable: false });
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED" });
  },

  "retry: an attempt that succeeds ends the retries": async () => {
    const script = "printenv MAESTRO_STEP_ATTEMPT_ID | grep -qx 2";
    const steps = [shell("a", script, errors(3), to("b")), noop("b")];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    const { step_attempt_id, runtime_state, step_retry } = await run.step("a").read();
    expect([step_attempt_id, runtime_state.status, step_retry.error_retries]).toEqual([2, "SUCCEEDED", 1]);
  },

  "retry: with a limit of 0 the first failure is fatal, and the failure mode governs it": async () => {
    const bad = shell("a", "exit 1", errors(0), to("b"), { failure_mode: "IGNORE_FAILURE" });
    const run = await (await given([bad, noop("b")])).start();
    await run.ends("SUCCEEDED");
    expect(await run.statuses()).toEqual({ a: "COMPLETED_WITH_ERROR", b: "SUCCEEDED" });
  },

  "retry: params are evaluated anew for each attempt": async () => {
    const step = shell("a", "exit 1", errors(1), having({ seen: computed("LONG", "step_attempt_id * 10") }));
    const run = await (await given([step])).start();
    await run.ends("FAILED");
    const seen = async (number: number) => (await run.step("a").read(number)).params.seen?.evaluated_result;
    expect([await seen(1), await seen(2)]).toEqual([10, 20]);
  },

  "output: changes the step's params, which conditions and later steps read": async () => {
    const rows = having({ rows: long(0) });
    const steps = [
      shell("a", writes({ rows: 5 }), rows, when({ b: "rows == 5", c: "rows != 5" })),
      noop("b", having({ seen: text("${a__rows}") })),
      noop("c"),
    ];
    const run = await (await given(steps)).start();
    await run.ends("SUCCEEDED");
    const { rows: output } = (await run.step("a").read()).params;
    expect([output?.evaluated_result, output?.source]).toEqual([5, "OUTPUT_PARAMETER"]);
    expect(await run.step("b").value("seen")).toBe("5");
    expect(await run.statuses()).toMatchObject({ b: "SUCCEEDED", c: "UNSATISFIED" });
  },

  "output: of a name that the step does not declare, or that is not mutable, fails it": async () => {
    const fixed = having({ rows: { ...long(0), mode: "CONSTANT" } });
    const steps = [
      shell("unknown", writes({ rows: 5 }), errors(0)),
      shell("fixed", writes({ rows: 5 }), fixed, errors(0)),
    ];
    const run = await (await given(steps)).start();
    await run.ends("FAILED");
    const ended = Object.values(await run.statuses());
    expect(ended.filter((it) => !it.endsWith("_FAILED"))).toEqual([]);
  },

  "timeout: a script that is under way is ended": async () => {
    const run = await (await given([shell("a", "sleep 600", { timeout: 1 })])).start();
    await run.ends("TIMED_OUT");
    expect(await run.statuses()).toEqual({ a: "TIMED_OUT" });
  },

  "step stop: a script that is under way is ended": async () => {
    const run = await (await given([shell("a", "sleep 600")])).start();
    await run.step("a").reaches("RUNNING");
    await run.step("a").does("stop");
    await run.ends("STOPPED");
    expect(await run.statuses()).toEqual({ a: "STOPPED" });
  },

  "run kill: a kill overtakes a stop whose jobs take their time": async () => {
    const script = "trap '' TERM; echo deaf; while :; do sleep 1; done";
    const stubborn = having({ shell: map({ script: text(script), grace_period: long(5) }) });
    const run = await (await given([shell("a", script, stubborn, { failure_mode: "IGNORE_FAILURE" })])).start();
    await run.step("a").reaches("RUNNING");
    const logs = async () => (await send("GET", `${run.step("a").attemptPath(1)}/logs`)).text;
    await eventually("the script to say that it hears no signals", logs, (it) => it.includes("deaf"));
    await run.stop();
    expect((await run.read()).status).toBe("IN_PROGRESS");
    await run.kill();
    await run.ends("FAILED");
    expect(await run.statuses()).toEqual({ a: "FATALLY_FAILED" });
  },

  "retry: an output that says so ends the retries": async () => {
    const script = writes({ artifacts: { maestro_retry: { type: "RETRY", retryable: false } } });
    const run = await (await given([shell("a", `${script}; exit 1`, errors(3))])).start();
    await run.ends("FAILED");
    const { step_attempt_id, runtime_state } = await run.step("a").read();
    expect([step_attempt_id, runtime_state.status]).toEqual([1, "FATALLY_FAILED"]);
  },
};
