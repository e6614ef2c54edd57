/** Attempts, their backoffs and their limits. */
import { expect } from "bun:test";
import { long, noop, retried, sleep, text, to } from "../kit/definition.ts";
import { given } from "../kit/workflow.ts";

export const RETRY = {
  "retry: a step past its timeout is tried again as often as its policy says, then it is TIMED_OUT": async () => {
    const policy = retried({ error: 0, platform: 0, timeout: 1 }, 3);
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
