/** Expressions as the command line shows what is wrong with them. */
import { formatError, parse, SelError, sanitize } from "../sel/index.ts";
import { lint } from "../sel/lint.ts";
import { pointOut } from "./excerpt.ts";

/** Where a program that parses relies on what surprises, each as a text with its line and a caret. */
export const warningsOf = (where: string, source: string): readonly string[] =>
  lint(source).map(({ rule, position, message, hint }) =>
    pointOut(where, sanitize(source), { ...position, length: 1 }, `warning: ${message}; ${hint} [${rule}]`),
  );

/** What is wrong with a program, as a text with its line and a caret; undefined when it parses. */
export function problemOf(source: string): string | undefined {
  try {
    parse(source);
    return undefined;
  } catch (error) {
    if (error instanceof SelError) return formatError(sanitize(source), error);
    throw error;
  }
}
