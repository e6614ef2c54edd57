/**
 * Durations and other numbers that may be written as text.
 *
 * A duration text is a sum of `<number> <unit>` parts (units d, h, m, s, ms and their longer spellings; fractions
 * allowed), separated by blanks and commas or nothing, in any order: `2 hours, 5 mins`, `1.5h`, `1d12h`. A text that is
 * not understood as a whole is refused; so is an empty one. A bare number counts in the unit of the field.
 */
import { z } from "zod";
import { isRawNumber, type RawNumber } from "../json.ts";
import { own } from "../record.ts";
import { shown } from "./finding.ts";
import { outside, RANGE, type Range } from "./range.ts";

/** A non-negative integer, or a text: a number, a duration or a reference like `${x}`. Written back as given. */
export type ParsableLong = number | RawNumber | string;

/** A number too big to be exact becomes its digits, so that the field's own range is what refuses it. */
function toParsable(value: unknown): unknown {
  const number = isRawNumber(value) ? Number(value.rawJSON) : value;
  if (typeof number !== "number" || !Number.isFinite(number)) return value;
  const whole = Math.trunc(number);
  if (Number.isSafeInteger(whole) || whole < 0) return whole;
  return isRawNumber(value) && /^\d+$/.test(value.rawJSON) ? value.rawJSON : String(BigInt(whole));
}

/** Number texts (`"12"`) stay texts; a fraction of a JSON number is cut off. */
export const parsableLongSchema: z.ZodType<ParsableLong> = z
  .preprocess(
    toParsable,
    z.union([z.int({ abort: true }).min(0), z.string()], {
      error: 'must be a non-negative integer, or a text such as "90", "2 hours" or "$param"',
    }),
  )
  .meta({
    id: "ParsableLong",
    description: "A non-negative integer, a duration text, or a text that refers to params",
  });

const DAY = 86_400_000;
const HOUR = 3_600_000;
const MINUTE = 60_000;
const SECOND = 1_000;

const UNITS: Readonly<Record<string, number>> = {
  d: DAY,
  day: DAY,
  days: DAY,
  h: HOUR,
  hr: HOUR,
  hrs: HOUR,
  hour: HOUR,
  hours: HOUR,
  m: MINUTE,
  min: MINUTE,
  mins: MINUTE,
  minute: MINUTE,
  minutes: MINUTE,
  s: SECOND,
  sec: SECOND,
  secs: SECOND,
  second: SECOND,
  seconds: SECOND,
  ms: 1,
  milli: 1,
  millis: 1,
  millisecond: 1,
  milliseconds: 1,
};

/** Longer texts are no durations; keeps the work on hostile input bounded. */
const MAX_TEXT = 256;
const PART = /[\s,]*(\d+(?:\.\d+)?)\s*([a-z]+)/y;

/** What was read, or what is wrong with it and what would be right. */
export type Reading = { readonly value: number } | { readonly problem: string };

/** The text holds a reference: it is known only at run time. */
export const isInterpolated = (value: ParsableLong): boolean => typeof value === "string" && value.includes("$");

/**
 * A duration in milliseconds.
 * @param bare what a number without a unit counts: seconds for timeouts and retries, milliseconds for trigger delays
 */
export function parseDuration(value: ParsableLong, bare: "seconds" | "milliseconds", range: Range): Reading {
  const total = milliseconds(value, bare === "seconds" ? SECOND : 1);
  if (total === undefined) return { problem: `${shown(value)} is not a duration; ${RIGHT[bare]}` };
  return within(range, total, value);
}

function milliseconds(value: ParsableLong, factor: number): number | undefined {
  if (typeof value !== "string") return (isRawNumber(value) ? Number(value.rawJSON) : value) * factor;
  const text = value.trim().toLowerCase();
  if (/^\d+$/.test(text)) return Number(text) * factor;
  const total = text.length > MAX_TEXT ? undefined : sumOfParts(text);
  return total === undefined ? undefined : Math.round(total);
}

function within(range: Range, value: number, given: ParsableLong): Reading {
  const problem = outside(range, value, given);
  return problem === undefined ? { value } : { problem };
}

const RIGHT = {
  seconds: 'write a number of seconds, or parts with units d, h, m, s or ms such as "2 hours, 5 mins"',
  milliseconds: 'write a number of milliseconds, or parts with units d, h, m, s or ms such as "10 minutes"',
} as const;

function sumOfParts(text: string): number | undefined {
  let total = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    const unit = own(UNITS, part[2] ?? "");
    if (unit === undefined) return undefined;
    total += Number(part[1]) * unit;
    end = PART.lastIndex;
  }
  return end > 0 && /^[\s,]*$/.test(text.slice(end)) ? total : undefined;
}

/** A plain count: a number, or a text of digits. */
export function parseCount(value: ParsableLong, range: Range): Reading {
  if (typeof value !== "string") return within(range, isRawNumber(value) ? Number(value.rawJSON) : value, value);
  const text = value.trim();
  return /^\d+$/.test(text)
    ? within(range, Number(text), value)
    : { problem: `${shown(value)} is not a number; write digits only, such as 3` };
}

/** A timeout in milliseconds: a bare number is seconds. */
export const parseTimeout = (value: ParsableLong): Reading => parseDuration(value, "seconds", RANGE.timeout);
