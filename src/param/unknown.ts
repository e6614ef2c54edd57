/** Names that lead nowhere: which they all are, where they stand, and how to write what only looks like one. */
import { type ErrorCode, MaestroError } from "../error.ts";
import { textReferences } from "./interpolate.ts";

/** Characters of a line that are shown. */
const MAX_LINE = 120;
/** Lines that are shown. */
const MAX_LINES = 20;

/** One name that was looked up in vain. */
export class UnknownName extends MaestroError {
  constructor(
    code: ErrorCode,
    readonly param: string,
    /** The end of a sentence: who does not have it. */
    readonly reason: string,
  ) {
    super(code, `The referenced param [${param}] is not found: ${reason}`);
  }
}

/**
 * All names of one text or expression that were looked up in vain, as one error.
 * @param unknown at least one.
 */
export function unknownNames(unknown: readonly UnknownName[], lines: readonly string[], hint = ""): MaestroError {
  const names = unknown.map(({ param }) => `[${param}]`).join(", ");
  const reasons = [...new Set(unknown.map(({ reason }) => reason))].join("; ");
  const subject = unknown.length === 1 ? `param ${names} is` : `params ${names} are`;
  const message = `The referenced ${subject} not found: ${reasons}${hint}`;
  return new MaestroError(unknown[0]?.code ?? "BAD_REQUEST", message, { details: lines });
}

/** As {@link unknownNames}, for a text: with its lines, and the escape. @param place the param that holds the text */
export function unknownInText(unknown: readonly UnknownName[], template: string, place: string | undefined) {
  const names = new Set(unknown.map(({ param }) => param));
  const lines = linesWith(template, names).map(({ line, text }) => `${place ?? "text"}, line ${line}: ${text}`);
  return unknownNames(unknown, lines, `. ${escapeHint(unknown[0]?.param ?? "")}`);
}

export const escapeHint = (name: string): string =>
  `A dollar that is to stay is written twice: $$${/^\w+$/.test(name) ? name : `{${name}}`}`;

/** Lines of a text, from 1, that refer to one of the names. */
export function linesWith(
  template: string,
  names: ReadonlySet<string>,
): readonly { readonly line: number; readonly text: string }[] {
  const found = template.split("\n").flatMap((text, index) => {
    const refers = textReferences(text).some((name) => names.has(name));
    return refers ? [{ line: index + 1, text: shortened(text.trim()) }] : [];
  });
  return found.slice(0, MAX_LINES);
}

const shortened = (text: string): string => (text.length > MAX_LINE ? `${text.slice(0, MAX_LINE)}…` : text);
