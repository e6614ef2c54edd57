/** Date-time patterns: from text to parts, and printing. The letters are Joda-Time's (sel.md §3.9). */
import { SelError } from "../error.ts";
import { localOf } from "./arithmetic.ts";
import { fieldOf } from "./field.ts";
import { AM_PM, ERAS, longZoneName, MONTHS, shortZoneName, WEEKDAYS } from "./name.ts";
import type { DateTime, Formatter, Moment, Part } from "./type.ts";
import { offsetText } from "./zone.ts";

const TOKEN = /([A-Za-z])\1*|(?:'(?:[^']|'')*'?|[^A-Za-z'])+/g;
const NUMERIC = new Set("CxYydhHmsSeDwkK");

/** Fields of a plain number, and how many digits they take at most when they are parsed. */
const NUMBERS: ReadonlyMap<string, readonly [field: string, digits: number]> = new Map([
  ["d", ["dayOfMonth", 2]],
  ["h", ["clockhourOfHalfday", 2]],
  ["H", ["hourOfDay", 2]],
  ["k", ["clockhourOfDay", 2]],
  ["K", ["hourOfHalfday", 2]],
  ["m", ["minuteOfHour", 2]],
  ["s", ["secondOfMinute", 2]],
  ["e", ["dayOfWeek", 1]],
  ["D", ["dayOfYear", 3]],
  ["w", ["weekOfWeekyear", 2]],
]);
const YEARS: ReadonlyMap<string, string> = new Map([
  ["y", "year"],
  ["Y", "yearOfEra"],
  ["x", "weekyear"],
]);

function literalText(token: string): string {
  let text = "";
  for (let i = 0; i < token.length; i++) {
    if (token[i] !== "'") text += token[i];
    else if (token[i + 1] === "'") text += token[i++];
  }
  return text;
}

function isNumeric(token: string | undefined): boolean {
  if (token === undefined) return false;
  return NUMERIC.has(token[0] ?? "") || (token[0] === "M" && token.length <= 2);
}

function number(field: string, min: number, max: number, signed = false): Part {
  return { kind: "number", field, min, max: Math.max(min, max), signed };
}

function yearPart(letter: string, count: number, next: string | undefined): Part {
  const field = YEARS.get(letter) ?? "year";
  if (count === 2) {
    return { kind: "twoDigits", field: letter === "Y" ? "year" : field, lenient: !isNumeric(next) };
  }
  return number(field, count, isNumeric(next) ? count : 9, letter !== "Y");
}

function part(token: string, next: string | undefined): Part {
  const letter = token[0] ?? "";
  const count = token.length;
  const plain = NUMBERS.get(letter);
  if (plain !== undefined) return number(plain[0], count, plain[1]);
  if (YEARS.has(letter)) return yearPart(letter, count, next);
  switch (letter) {
    case "G":
      return { kind: "text", field: "era", short: true };
    case "C":
      return number("centuryOfEra", count, count, true);
    case "M":
      return count >= 3 ? { kind: "text", field: "monthOfYear", short: count < 4 } : number("monthOfYear", count, 2);
    case "a":
      return { kind: "text", field: "halfdayOfDay", short: true };
    case "S":
      return { kind: "fraction", digits: count };
    case "E":
      return { kind: "text", field: "dayOfWeek", short: count < 4 };
    case "z":
      return { kind: "zoneName", short: count < 4 };
    case "Z":
      return count > 2 ? { kind: "zoneId" } : { kind: "zoneOffset", separated: count === 2 };
    default: {
      const hint = "put text between single quotes; the letters are G C y Y x w e E D M d a K h H k m s S z Z";
      throw new SelError("argument", `the pattern letter ${letter} has no meaning`, undefined, hint);
    }
  }
}

/** Compiled patterns: pure functions of their text, and few. */
const compiled = new Map<string, Formatter>();
const MAX_COMPILED = 256;
const MAX_LENGTH = 64;

/** @throws SelError argument when the pattern is empty or has an unknown letter. */
export function compilePattern(pattern: string): Formatter {
  const known = compiled.get(pattern);
  if (known !== undefined) return known;
  const formatter = compileParts(pattern);
  if (compiled.size >= MAX_COMPILED) compiled.clear();
  if (pattern.length <= MAX_LENGTH) compiled.set(pattern, formatter);
  return formatter;
}

function compileParts(pattern: string): Formatter {
  if (pattern === "") throw new SelError("argument", "the date pattern is empty", undefined, "for instance 'yyyyMMdd'");
  const tokens = pattern.match(TOKEN) ?? [];
  const parts = tokens.map((token, i): Part => {
    const isLetter = /^[A-Za-z]/.test(token);
    return isLetter ? part(token, tokens[i + 1]) : { kind: "literal", text: literalText(token) };
  });
  return { parts, zone: null };
}

function padded(value: number, width: number): string {
  return value < 0 ? `-${String(-value).padStart(width, "0")}` : String(value).padStart(width, "0");
}

/** The text forms of a text field, by value. */
export function textForms(field: string): readonly (readonly [value: number, long: string, short: string])[] {
  switch (field) {
    case "monthOfYear":
      return MONTHS.map((name, i) => [i + 1, name, name.slice(0, 3)]);
    case "dayOfWeek":
      return WEEKDAYS.map((name, i) => [i + 1, name, name.slice(0, 3)]);
    case "halfdayOfDay":
      return AM_PM.map((name, i) => [i, name, name]);
    default:
      return ERAS.map((name, i) => [i, name, name]);
  }
}

/** The English text of a field's value: a name for months and weekdays, else the number. */
export function fieldText(field: string, value: number): string {
  if (field !== "monthOfYear" && field !== "dayOfWeek") return String(value);
  return textForms(field).find(([of]) => of === value)?.[1] ?? String(value);
}

function printPart(item: Part, local: Moment, time: DateTime): string {
  switch (item.kind) {
    case "literal":
      return item.text;
    case "number":
      return padded(fieldOf(item.field).get(local), item.min);
    case "twoDigits":
      return padded(Math.abs(fieldOf(item.field).get(local) % 100), 2);
    case "text": {
      const value = fieldOf(item.field).get(local);
      const form = textForms(item.field).find(([of]) => of === value);
      return (item.short ? form?.[2] : form?.[1]) ?? "";
    }
    case "fraction":
      return String(local.ms % 1000)
        .padStart(3, "0")
        .padEnd(item.digits, "0")
        .slice(0, item.digits);
    case "zoneName":
      return item.short ? shortZoneName(time) : longZoneName(time);
    case "zoneOffset":
      return offsetText(time.zone.offsetAt(time), item.separated ? ":" : "");
    case "zoneId":
      return time.zone.id;
  }
}

/** The length of what {@link print} would make, at most; for charging before printing. */
export function printedLength(formatter: Formatter): number {
  return formatter.parts.reduce((sum, item) => {
    if (item.kind === "literal") return sum + item.text.length;
    return sum + (item.kind === "number" ? Math.max(12, item.min) : item.kind === "fraction" ? item.digits : 48);
  }, 0);
}

/** In the formatter's zone if it has one, else in the moment's own. */
export function print(formatter: Formatter, time: DateTime): string {
  const shown = formatter.zone === null ? time : { ...time, zone: formatter.zone };
  const local = localOf(shown);
  let text = "";
  for (const item of formatter.parts) text += printPart(item, local, shown);
  return text;
}
