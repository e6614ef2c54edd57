import { expect, test } from "bun:test";
import { parseWire } from "../../src/definition/parse.ts";
import {
  checkRetryPolicy,
  DEFAULT_RETRY_POLICY,
  type RetryPolicy,
  resolveRetryPolicy,
  retryPolicySchema,
} from "../../src/definition/retry.ts";
import type { MaestroError } from "../../src/error.ts";

const plain = (text: string): string => text;
const policy = (json: unknown): RetryPolicy => parseWire(retryPolicySchema, json, "refused");

test("an absent policy is the default", () => {
  expect(resolveRetryPolicy(undefined, plain)).toEqual(DEFAULT_RETRY_POLICY);
  expect(resolveRetryPolicy({}, plain)).toEqual(DEFAULT_RETRY_POLICY);
  expect(DEFAULT_RETRY_POLICY).toMatchObject({
    error_retry_limit: 2,
    platform_retry_limit: 10,
    timeout_retry_limit: 0,
  });
});

test("missing fields are filled one by one, with the defaults of the backoff's type", () => {
  const exponential = policy({
    error_retry_limit: "5",
    backoff: { type: "exponential_backoff", error_retry_backoff_in_secs: "1 min 40 s" },
  });
  expect(resolveRetryPolicy(exponential, plain)).toEqual({
    ...DEFAULT_RETRY_POLICY,
    error_retry_limit: 5,
    backoff: { ...DEFAULT_RETRY_POLICY.backoff, error_retry_backoff_in_secs: 100 },
  } as never);
  const fixed = policy({ backoff: { type: "FIXED_BACKOFF", platform_retry_backoff_in_secs: 7 } });
  expect(resolveRetryPolicy(fixed, plain).backoff).toEqual({
    type: "FIXED_BACKOFF",
    error_retry_backoff_in_secs: 60,
    platform_retry_backoff_in_secs: 7,
    timeout_retry_backoff_in_secs: 60,
  });
});

test("texts are interpolated first, and only those with references", () => {
  const seen: string[] = [];
  const interpolate = (text: string) => {
    seen.push(text);
    return text === "$n" ? "3" : "2 mins";
  };
  const given = policy({
    error_retry_limit: "$n",
    platform_retry_limit: "4",
    backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: "${wait}" },
  });
  expect(resolveRetryPolicy(given, interpolate)).toMatchObject({
    error_retry_limit: 3,
    platform_retry_limit: 4,
    backoff: { error_retry_backoff_in_secs: 120 },
  });
  expect(seen).toEqual(["$n", "${wait}"]);
});

test("every bad field is named when references turn out wrong", () => {
  const given = policy({ error_retry_limit: "$n", timeout_retry_limit: "$n" });
  try {
    resolveRetryPolicy(given, () => "many");
    throw new Error("not refused");
  } catch (error) {
    expect((error as MaestroError).details).toEqual([
      'retry_policy.error_retry_limit: "many" is not a number; write digits only, such as 3',
      'retry_policy.timeout_retry_limit: "many" is not a number; write digits only, such as 3',
    ]);
  }
});

test.each([
  [{ error_retry_limit: 100 }, "error_retry_limit"],
  [{ platform_retry_limit: "100" }, "platform_retry_limit"],
  [{ timeout_retry_limit: "1 h" }, "timeout_retry_limit"],
  [{ backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 0 } }, "backoff.error_retry_backoff_in_secs"],
  [
    { backoff: { type: "FIXED_BACKOFF", timeout_retry_backoff_in_secs: 86_401 } },
    "backoff.timeout_retry_backoff_in_secs",
  ],
  [{ backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: "soon" } }, "backoff.error_retry_backoff_in_secs"],
  [{ backoff: { type: "EXPONENTIAL_BACKOFF", error_retry_exponent: 2_147_483_648 } }, "backoff.error_retry_exponent"],
  [
    { backoff: { type: "EXPONENTIAL_BACKOFF", platform_retry_limit_in_secs: "2 days" } },
    "backoff.platform_retry_limit_in_secs",
  ],
])("%j is refused at push", (given, field) => {
  expect(checkRetryPolicy(policy(given)).map((found) => found.field)).toEqual([field]);
});

test("the ends of the ranges, and texts with references, pass at push", () => {
  const ends = { error_retry_limit: 99, platform_retry_limit: 0, timeout_retry_limit: "$x" };
  const backoff = {
    type: "EXPONENTIAL_BACKOFF",
    error_retry_backoff_in_secs: 1,
    error_retry_limit_in_secs: "1 day",
    error_retry_exponent: 0,
  };
  expect(checkRetryPolicy(policy({ ...ends, backoff }))).toEqual([]);
});

test("a backoff needs a type, and a fixed one has no exponents", () => {
  expect(() => policy({ backoff: { error_retry_backoff_in_secs: 1 } })).toThrow("refused");
  expect(() => policy({ backoff: { type: "FIXED_BACKOFF", error_retry_exponent: 1 } })).toThrow("refused");
});
