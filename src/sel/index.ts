/** SEL, the expression language: its public face. Pure: clock and randomness are arguments. */
import { SelError } from "./error.ts";
import type { SelLimits } from "./limit.ts";
import type { SelValue } from "./value.ts";

export { BudgetExceeded, ExtensionRequest, type Position, type SelCategory, SelError } from "./error.ts";
export { DEFAULT_LIMITS, type SelLimits } from "./limit.ts";
export { type HostValue, NULL_VALUE, type SelType, type SelValue } from "./value.ts";

/** Functions of `params`, answered synchronously. */
export interface SelExtension {
  /**
   * @returns the answer.
   * @throws ExtensionRequest to have the caller of {@link evaluate} fetch it; any other error fails the evaluation
   * with category `ext`.
   */
  call(method: string, args: readonly string[]): SelValue;
}

export interface EvaluateOptions {
  /**
   * Looked up when the program first reads the name, at most once per name and evaluation (`params.x` asks each time).
   * May call {@link evaluate} itself. What it throws reaches the caller of `evaluate` unchanged.
   */
  readonly variables: (name: string) => SelValue | undefined;
  readonly extension?: SelExtension;
  readonly limits?: Partial<SelLimits>;
  /** Epoch milliseconds: what `System.currentTimeMillis()` and `new DateTime()` say. */
  readonly now: number;
  /** Seed of `Math.random()` and `UUID.randomUUID()`. */
  readonly seed: number;
  /** Stop with {@link BudgetExceeded} after so many visited nodes. */
  readonly budget?: { readonly visits: number };
}

/** A parsed program. Opaque. */
export interface Program {
  readonly source: string;
}

/**
 * Sanitizes, parses (cached) and runs an expression.
 * @returns NULL only for an unset string or map; every other result that can't be a value is `invalid-return-type`.
 * @throws SelError, BudgetExceeded, ExtensionRequest, and what `variables` throws.
 */
export function evaluate(source: string, options: EvaluateOptions): SelValue {
  throw new SelError("fatal", `cannot evaluate yet: ${source} at ${options.now}`);
}

/** The names that an expression is considered to reference, in order of first sight. @throws SelError parse. */
export function references(source: string): readonly string[] {
  return [parse(source).source];
}

/** Sanitizes and parses; cached. @throws SelError `parse` or `limit-length`. */
export function parse(source: string): Program {
  throw new SelError("fatal", `cannot parse yet: ${source}`);
}

/** Trims the text and appends the `;` that a bare expression may omit. */
export function sanitize(source: string): string {
  const text = source.replace(/^[\0- ]+|[\0- ]+$/g, "");
  const complete = text === "" || text.endsWith(";") || (text.endsWith("}") && !text.startsWith('{"'));
  return complete ? text : `${text};`;
}

/** The failure with its source line, a caret, the reason, and what would be right. */
export function formatError(source: string, error: SelError): string {
  return `${source}: ${error.message}`;
}

/** A double's text as Java (JDK 19 and later) prints it. */
export function javaDoubleText(x: number): string {
  return String(x);
}
