/** A place in a file, shown to people. */
import type { Span } from "../definition/text/read.ts";
import { printable } from "../printable.ts";

/** `file:3:7: message`, the line, and a caret below the place. */
export function pointOut(file: string, text: string, { line, column, length }: Span, message: string): string {
  const head = `${file}:${line}:${column}: ${message}`;
  const source = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  // A long line is shown around the place.
  const from = column > 100 ? column - 60 : 0;
  const shown = source.slice(from, from + 120);
  const at = column - 1 - from;
  const lead = printable(shown.slice(0, at)).split("\t");
  const blank = lead.map((it) => " ".repeat(Bun.stringWidth(it))).join("\t");
  const caret = "^".repeat(Math.max(1, Bun.stringWidth(printable(shown.slice(at, at + length)))));
  const margin = `${line}`.length;
  return [head, `  ${line} | ${printable(shown)}`, `  ${" ".repeat(margin)} | ${blank}${caret}`].join("\n");
}
