import type { SelError } from "./error.ts";
import { sanitize } from "./program.ts";

const CONTEXT = 60;

/**
 * A failure for people: the source line, a caret under the place, the reason, and what would be right.
 * @param source the expression as it was given.
 */
export function formatError(source: string, error: SelError): string {
  const reason = `${error.category}: ${error.message}`;
  const hint = error.hint === undefined ? [] : [`  ${error.hint}`];
  if (error.position === undefined) return [reason, ...hint].join("\n");
  const { line, column } = error.position;
  const text = sanitize(source).split(/\r\n|\r|\n/)[line - 1] ?? "";
  const start = Math.max(0, column - 1 - CONTEXT);
  const shown = text.slice(start, column - 1 + CONTEXT).replaceAll("\t", " ");
  const caret = `${" ".repeat(column - 1 - start)}^`;
  return [`${reason} (line ${line}, column ${column})`, `  ${shown}`, `  ${caret}`, ...hint].join("\n");
}
