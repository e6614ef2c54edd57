/** Retry policies of typed steps: wire shape, defaults, and their numbers once texts are interpolated. */
import { z } from "zod";
import { badRequest } from "../error.ts";
import { type ParsableLong, parsableLongSchema, parseCount, parseDuration, type Reading } from "./duration.ts";
import { RANGE } from "./range.ts";
import { type Fields, kind, object, reading, strict, typeError } from "./wire.ts";

/** Every field may be a text with `${param}` of workflow params; backoffs may be duration texts. */
export interface RetryPolicy {
  readonly error_retry_limit?: ParsableLong | undefined;
  readonly platform_retry_limit?: ParsableLong | undefined;
  readonly timeout_retry_limit?: ParsableLong | undefined;
  readonly backoff?: BackoffPolicy | undefined;
}

export type BackoffPolicy = ExponentialBackoff | FixedBackoff;

export interface ExponentialBackoff {
  readonly error_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly error_retry_exponent?: ParsableLong | undefined;
  readonly error_retry_limit_in_secs?: ParsableLong | undefined;
  readonly platform_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly platform_retry_exponent?: ParsableLong | undefined;
  readonly platform_retry_limit_in_secs?: ParsableLong | undefined;
  readonly timeout_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly timeout_retry_exponent?: ParsableLong | undefined;
  readonly timeout_retry_limit_in_secs?: ParsableLong | undefined;
  readonly type: "EXPONENTIAL_BACKOFF";
}

export interface FixedBackoff {
  readonly error_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly platform_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly timeout_retry_backoff_in_secs?: ParsableLong | undefined;
  readonly type: "FIXED_BACKOFF";
}

const value = parsableLongSchema.optional();

const exponentialSchema = strict({
  error_retry_backoff_in_secs: value,
  error_retry_exponent: value,
  error_retry_limit_in_secs: value,
  platform_retry_backoff_in_secs: value,
  platform_retry_exponent: value,
  platform_retry_limit_in_secs: value,
  timeout_retry_backoff_in_secs: value,
  timeout_retry_exponent: value,
  timeout_retry_limit_in_secs: value,
  type: kind("EXPONENTIAL_BACKOFF"),
}).meta({ id: "ExponentialBackoff" });

const fixedSchema = strict({
  error_retry_backoff_in_secs: value,
  platform_retry_backoff_in_secs: value,
  timeout_retry_backoff_in_secs: value,
  type: kind("FIXED_BACKOFF"),
}).meta({ id: "FixedBackoff" });

export const backoffPolicySchema: z.ZodType<BackoffPolicy> = reading(
  (fields: Fields) => (typeof fields.type === "string" ? { ...fields, type: fields.type.toUpperCase() } : fields),
  z.discriminatedUnion("type", [exponentialSchema, fixedSchema], {
    error: typeError(["EXPONENTIAL_BACKOFF", "FIXED_BACKOFF"]),
  }),
).meta({ id: "BackoffPolicy" });

export const retryPolicySchema: z.ZodType<RetryPolicy> = object({
  error_retry_limit: value,
  platform_retry_limit: value,
  timeout_retry_limit: value,
  backoff: backoffPolicySchema.optional(),
}).meta({ id: "RetryPolicy", description: "How often and when a failed attempt is made again" });

/** A policy as plain numbers: limits count attempts beyond the first, the rest are seconds and exponents. */
export interface ResolvedRetryPolicy {
  readonly error_retry_limit: number;
  readonly platform_retry_limit: number;
  readonly timeout_retry_limit: number;
  readonly backoff: ResolvedBackoff;
}

export type ResolvedBackoff =
  | ({ readonly type: "EXPONENTIAL_BACKOFF" } & Readonly<Record<keyof typeof EXPONENTIAL_DEFAULTS, number>>)
  | ({ readonly type: "FIXED_BACKOFF" } & Readonly<Record<keyof typeof FIXED_DEFAULTS, number>>);

const LIMIT_DEFAULTS = { error_retry_limit: 2, platform_retry_limit: 10, timeout_retry_limit: 0 } as const;

const EXPONENTIAL_DEFAULTS = {
  error_retry_backoff_in_secs: 60,
  error_retry_exponent: 2,
  error_retry_limit_in_secs: 600,
  platform_retry_backoff_in_secs: 60,
  platform_retry_exponent: 2,
  platform_retry_limit_in_secs: 3600,
  timeout_retry_backoff_in_secs: 60,
  timeout_retry_exponent: 2,
  timeout_retry_limit_in_secs: 3600,
} as const;

const FIXED_DEFAULTS = {
  error_retry_backoff_in_secs: 60,
  platform_retry_backoff_in_secs: 60,
  timeout_retry_backoff_in_secs: 60,
} as const;

export const DEFAULT_RETRY_POLICY: ResolvedRetryPolicy = {
  ...LIMIT_DEFAULTS,
  backoff: { type: "EXPONENTIAL_BACKOFF", ...EXPONENTIAL_DEFAULTS },
};

/** What is wrong with the policy, by field; texts with `$` pass, since they are known only at run time. */
export type RetryProblem = { readonly field: string; readonly problem: string };

function readField(field: string, given: ParsableLong): Reading {
  if (!field.endsWith("_in_secs")) {
    return parseCount(given, field.endsWith("_exponent") ? RANGE.exponent : RANGE.retries);
  }
  const duration = parseDuration(given, "seconds", RANGE.backoff);
  return "problem" in duration ? duration : { value: duration.value / 1000 };
}

/** @param interpolate turns a text with `${param}` into its final text; a text without `$` does not reach it */
export function resolveRetryPolicy(
  policy: RetryPolicy | undefined,
  interpolate: (text: string) => string,
): ResolvedRetryPolicy {
  if (policy === undefined) return DEFAULT_RETRY_POLICY;
  const problems: string[] = [];
  const read = (field: string, given: ParsableLong): number => {
    const final = typeof given === "string" && given.includes("$") ? interpolate(given) : given;
    const found = readField(field, final);
    if ("value" in found) return found.value;
    problems.push(`retry_policy.${field}: ${found.problem}`);
    return 0;
  };
  const filled = (defaults: Readonly<Record<string, number>>, given: object): Record<string, number> =>
    Object.fromEntries(
      Object.entries(defaults).map(([field, fallback]) => {
        const own = (given as Readonly<Record<string, ParsableLong | undefined>>)[field];
        return [field, own === undefined ? fallback : read(field, own)];
      }),
    );
  const backoff = policy.backoff ?? { type: "EXPONENTIAL_BACKOFF" };
  const defaults = backoff.type === "FIXED_BACKOFF" ? FIXED_DEFAULTS : EXPONENTIAL_DEFAULTS;
  const resolved = {
    ...filled(LIMIT_DEFAULTS, policy),
    backoff: { type: backoff.type, ...filled(defaults, backoff) },
  };
  if (problems.length > 0) throw badRequest("Invalid retry policy", problems);
  return resolved as unknown as ResolvedRetryPolicy;
}

/** Findings at push. */
export function checkRetryPolicy(policy: RetryPolicy): readonly RetryProblem[] {
  const problems: RetryProblem[] = [];
  const check = (fields: object, prefix: string) => {
    for (const [field, given] of Object.entries(fields) as [string, ParsableLong][]) {
      if (field === "type" || field === "backoff" || given === undefined) continue;
      if (typeof given === "string" && given.includes("$")) continue;
      const found = readField(field, given);
      if ("problem" in found) problems.push({ field: prefix + field, problem: found.problem });
    }
  };
  check(policy, "");
  if (policy.backoff) check(policy.backoff, "backoff.");
  return problems;
}
