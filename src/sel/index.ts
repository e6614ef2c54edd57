/**
 * SEL, the expression language: its public face. Pure: clock and randomness are arguments, and nothing of an
 * evaluation outlives it.
 */
import { Context, type EvaluateOptions, Passing } from "./context.ts";
import { toValue } from "./convert.ts";
import { SelError } from "./error.ts";
import { DEFAULT_LIMITS, type SelLimits } from "./limit.ts";
import { type Program, parse } from "./program.ts";
import type { SelValue } from "./value.ts";

export type { EvaluateOptions, SelExtension } from "./context.ts";
export { BudgetExceeded, ExtensionRequest, type Position, type SelCategory, SelError } from "./error.ts";
export { DEFAULT_LIMITS, type SelLimits } from "./limit.ts";
export { javaDoubleText } from "./number.ts";
export { type Program, parse, sanitize } from "./program.ts";
export { formatError } from "./report.ts";
export { type HostValue, NULL_VALUE, type SelType, type SelValue } from "./value.ts";

function limitsOf(given: Partial<SelLimits> | undefined): SelLimits {
  return given === undefined ? DEFAULT_LIMITS : { ...DEFAULT_LIMITS, ...given };
}

/** Gives a failure its place, turns the host's own limits into ours, and lets through what is the caller's. */
function translate(error: unknown, cx: Context): unknown {
  if (error instanceof Passing) return error.cause;
  if (error instanceof SelError) {
    if (error.position !== undefined || cx.at === undefined) return error;
    return new SelError(error.category, error.message, cx.at, error.hint);
  }
  if (error instanceof RangeError)
    return new SelError("fatal", `the evaluation outgrew its host: ${error.message}`, cx.at);
  return error;
}

function run(program: Program, options: EvaluateOptions, limits: SelLimits): SelValue {
  const code = program.code(limits.stack);
  const cx = new Context(options, limits, code.slots, code.literals);
  try {
    cx.reserve(program.tree.memory);
    return toValue(code.run(cx), cx);
  } catch (error) {
    throw translate(error, cx);
  }
}

/**
 * Sanitizes, parses (cached) and runs an expression.
 * @returns NULL only for an unset string or map; every other result that can't be a value is `invalid-return-type`.
 * @throws SelError, BudgetExceeded, ExtensionRequest, and what `variables` throws.
 */
export function evaluate(source: string, options: EvaluateOptions): SelValue {
  const limits = limitsOf(options.limits);
  return run(parse(source, limits.length), options, limits);
}

/** The names that an expression is considered to reference, in order of first sight. @throws SelError parse. */
export function references(source: string): readonly string[] {
  return parse(source).references;
}
