/** Attempts, their backoffs and their limits. Failures that are tried again need the step type `shell`. */
import { expect } from "bun:test";
import { computed, having, long, noop, retried, shell, sleep, text, to } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

const errors = (error: number) => retried({ error, platform: 0, timeout: 0 });

export const RETRY = {
  "retry: a step past its timeout is tried again as often as its policy says, then it is TIMED_OUT": async () => {
    const policy = retried({ error: 0, platform: 0, timeout: 1 });
    const run = await (await given([sleep("a", 600, { timeout: "1s" }, policy, to("b")), noop("b")])).start();
    await run.step("a").reaches("TIMEOUT_FAILED");
    expect((await run.read()).status, "the run in a step's backoff").toBe("IN_PROGRESS");
    await run.ends("TIMED_OUT");
    const [first, last] = [await run.step("a").read(1), await run.step("a").read()];
    expect(first.runtime_state.status).toBe("TIMEOUT_FAILED");
    expect([last.step_attempt_id, last.runtime_state.status]).toEqual([2, "TIMED_OUT"]);
    expect(last.step_retry).toMatchObject({
      timeout_retries: 1,
      timeout_retry_limit: 1,
      error_retries: 0,
      retryable: false,
    });
    expect(await run.statuses()).toEqual({ a: "TIMED_OUT" });
  },

  "retry: the next attempt comes a backoff after the end of the last": async () => {
    const policy = retried({ error: 0, platform: 0, timeout: 1 });
    const run = await (await given([sleep("a", 600, { timeout: "1s" }, policy)])).start();
    await run.ends("TIMED_OUT");
    const first = Number((await run.step("a").read(1)).runtime_state.end_time);
    const second = Number((await run.step("a").read(2)).runtime_state.create_time);
    expect(second - first, "milliseconds between the attempts").toBeGreaterThanOrEqual(1000);
  },

  "retry: a user's error is tried again up to its limit, then the step fails fatally": async () => {
    const run = await (await given([shell("a", "exit 3", errors(1), to("b")), noop("b")])).start();
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

  "retry: what a policy leaves out has its default, and its numbers may come from the workflow's params": async () => {
    const retry_policy = {
      error_retry_limit: "${tries}",
      backoff: { type: "EXPONENTIAL_BACKOFF", error_retry_backoff_in_secs: 7 },
    };
    const run = await (await given([noop("a", { retry_policy }), noop("b")], { params: { tries: long(4) } })).start();
    await run.ends("SUCCEEDED");
    expect((await run.step("a").read()).step_retry).toMatchObject({
      error_retry_limit: 4,
      platform_retry_limit: 10,
      timeout_retry_limit: 0,
      backoff: {
        type: "EXPONENTIAL_BACKOFF",
        error_retry_backoff_in_secs: 7,
        error_retry_exponent: 2,
        error_retry_limit_in_secs: 600,
        platform_retry_backoff_in_secs: 60,
        platform_retry_limit_in_secs: 3600,
        timeout_retry_backoff_in_secs: 60,
      },
    });
    expect((await run.step("b").read()).step_retry).toMatchObject({
      error_retry_limit: 2,
      platform_retry_limit: 10,
      timeout_retry_limit: 0,
      backoff: { type: "EXPONENTIAL_BACKOFF", error_retry_backoff_in_secs: 60, error_retry_limit_in_secs: 600 },
    });
  },

  "retry: a policy that cannot be read gives way to the default": async () => {
    const retry_policy = { error_retry_limit: "${tries}" };
    const run = await (await given([noop("a", { retry_policy })], { params: { tries: text("many") } })).start();
    await run.ends("SUCCEEDED");
    expect((await run.step("a").read()).step_retry).toMatchObject({ error_retry_limit: 2, platform_retry_limit: 10 });
  },

  "retry: limits and backoffs out of their range are refused": async () => {
    const workflow = await given([noop("a")]);
    for (const policy of [
      { error_retry_limit: 100 },
      { backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 0 } },
      { backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 86_401 } },
    ]) {
      await workflow.refusesPush(400, [noop("a", { retry_policy: policy })]);
    }
  },
};
