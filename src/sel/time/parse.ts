/**
 * Parsing by pattern. Parts collect field values; the values are applied from the largest unit to the smallest, each
 * resetting what is smaller, twice over, which is what makes odd combinations (a weekday without a date) come out as
 * they do in Joda-Time.
 */
import { SelError } from "../error.ts";
import { inZone, resolveStrictly } from "./arithmetic.ts";
import { civilOf, DAY, moment, momentOf } from "./calendar.ts";
import { type Field, fieldOf, setField } from "./field.ts";
import { textForms } from "./pattern.ts";
import type { DateTime, Formatter, Moment, Part, Zone } from "./type.ts";
import { zoneIds, zoneOf } from "./zone.ts";

interface Found {
  readonly name: string;
  readonly field: Field;
  readonly value: number;
}

interface Bucket {
  readonly found: Found[];
  readonly pivot: number;
  offset: number | undefined;
  zone: Zone | undefined;
}

/** The abbreviations that `z` reads. */
const ZONE_NAMES: ReadonlyMap<string, string> = new Map([
  ["UTC", "UTC"],
  ["GMT", "UTC"],
  ["EST", "America/New_York"],
  ["EDT", "America/New_York"],
  ["CST", "America/Chicago"],
  ["CDT", "America/Chicago"],
  ["MST", "America/Denver"],
  ["MDT", "America/Denver"],
  ["PST", "America/Los_Angeles"],
  ["PDT", "America/Los_Angeles"],
  ["UT", "UTC"],
]);

const isDigit = (unit: string | undefined): boolean => unit !== undefined && unit >= "0" && unit <= "9";

/** How many digits stand at `index`, up to `max`. */
function digits(text: string, index: number, max: number): number {
  let count = 0;
  while (count < max && isDigit(text[index + count])) count++;
  return count;
}

function save(bucket: Bucket, name: string, value: number): void {
  bucket.found.push({ name, field: fieldOf(name), value });
}

/** Every reader gives the index after what it read, or the bitwise complement of where it failed. */
function readNumber(bucket: Bucket, text: string, index: number, name: string, max: number, signed: boolean): number {
  const sign = text[index];
  const hasSign = signed && (sign === "-" || sign === "+") && isDigit(text[index + 1]) && max > 1;
  const start = hasSign ? index + 1 : index;
  const count = digits(text, start, max);
  if (count === 0) return ~index;
  const value = Number(text.slice(start, start + count));
  save(bucket, name, sign === "-" && hasSign ? -value : value);
  return start + count;
}

function readTwoDigits(bucket: Bucket, text: string, index: number, name: string, lenient: boolean): number {
  const sign = text[index] === "-" || text[index] === "+";
  const count = digits(text, sign ? index + 1 : index, 9);
  if (lenient && (sign || count !== 2)) return readNumber(bucket, text, index, name, 9, true);
  if (digits(text, index, 2) < 2) return ~index;
  const low = bucket.pivot - 50;
  const first = low >= 0 ? low % 100 : 99 + ((low + 1) % 100);
  const year = Number(text.slice(index, index + 2));
  save(bucket, name, year + low + (year < first ? 100 : 0) - first);
  return index + 2;
}

function readText(bucket: Bucket, text: string, index: number, name: string): number {
  let best: readonly [value: number, length: number] | undefined;
  const extra: (readonly [number, string, string])[] =
    name === "era"
      ? [
          [0, "BCE", "BCE"],
          [1, "CE", "CE"],
        ]
      : [];
  for (const [value, ...forms] of [...textForms(name), ...extra]) {
    for (const form of forms) {
      if (best !== undefined && form.length <= best[1]) continue;
      if (text.slice(index, index + form.length).toLowerCase() === form.toLowerCase()) best = [value, form.length];
    }
  }
  if (best === undefined) return ~index;
  save(bucket, name, best[0]);
  return index + best[1];
}

function readFraction(bucket: Bucket, text: string, index: number, max: number): number {
  const count = digits(text, index, max);
  if (count === 0) return ~index;
  save(bucket, "millisOfSecond", Number(text.slice(index, index + Math.min(3, count)).padEnd(3, "0")));
  return index + count;
}

function readOffset(bucket: Bucket, text: string, index: number): number {
  if (text[index]?.toLowerCase() === "z") {
    bucket.offset = 0;
    return index + 1;
  }
  const sign = text[index] === "-" ? -1 : text[index] === "+" ? 1 : 0;
  if (sign === 0 || digits(text, index + 1, 2) < 2) return ~index;
  let at = index + 3;
  let size = Number(text.slice(index + 1, at));
  if (size > 23) return ~at;
  size *= 3_600_000;
  const separated = text[at] === ":";
  for (const unit of [60_000, 1000]) {
    if (separated && text[at] !== ":") break;
    const start = separated ? at + 1 : at;
    const count = digits(text, start, 2);
    if (count === 0 && !separated) break;
    const value = Number(text.slice(start, start + 2));
    if (count < 2 || value > 59) return ~start;
    size += value * unit;
    at = start + 2;
  }
  bucket.offset = sign * size;
  return at;
}

function readLongest(text: string, index: number, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  for (const name of names) {
    if (name.length > (best?.length ?? 0) && text.startsWith(name, index)) best = name;
  }
  return best;
}

function readPart(bucket: Bucket, part: Part, text: string, index: number): number {
  switch (part.kind) {
    case "literal": {
      const end = index + part.text.length;
      return text.slice(index, end).toLowerCase() === part.text.toLowerCase() ? end : ~index;
    }
    case "number":
      return readNumber(bucket, text, index, part.field, part.max, part.signed);
    case "twoDigits":
      return readTwoDigits(bucket, text, index, part.field, part.lenient);
    case "text":
      return readText(bucket, text, index, part.field);
    case "fraction":
      return readFraction(bucket, text, index, part.digits);
    case "zoneOffset":
      return readOffset(bucket, text, index);
    case "zoneName": {
      if (!part.short) throw new SelError("unsupported", "the pattern zzzz only prints", undefined, "use z, Z or ZZZ");
      const name = readLongest(text, index, ZONE_NAMES.keys());
      if (name === undefined) return ~index;
      bucket.zone = zoneOf(ZONE_NAMES.get(name) ?? "UTC");
      return index + name.length;
    }
    case "zoneId": {
      const id = readLongest(text, index, zoneIds().keys());
      if (id === undefined) return ~index;
      bucket.zone = zoneOf(id);
      return index + id.length;
    }
  }
}

const MONTH = 2_629_746_000;

/** The local moment that the found values describe. */
function compute(found: readonly Found[]): Moment {
  const order = [...found].sort(
    (a, b) => compareUnits(b.field.range, a.field.range) || compareUnits(b.field.unit, a.field.unit),
  );
  const first = order[0];
  if (first !== undefined && first.field.unit >= DAY && first.field.unit <= MONTH) {
    return compute([...found, { name: "year", field: fieldOf("year"), value: 2000 }]);
  }
  let local: Moment = { day: 0, ms: 0 };
  for (const { name, field, value } of order) local = field.floor(setField(name, local, value));
  order.forEach(({ name, field, value }, i) => {
    local = setField(name, local, value);
    if (i === order.length - 1) local = field.floor(local);
  });
  return local;
}

function compareUnits(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

function malformed(text: string, at: number): never {
  const shown = JSON.stringify(text.slice(0, 200));
  const rest = JSON.stringify(text.slice(at, at + 100));
  const message =
    at <= 0
      ? `${shown} is not such a date`
      : at >= text.length
        ? `${shown} is too short`
        : `${shown} is malformed at ${rest}`;
  throw new SelError("argument", message, undefined, "the text must fit the pattern");
}

/**
 * @param base the zone of a formatter without one.
 * @param now decides the century of two-digit years.
 * @throws SelError argument.
 */
export function parseTime(formatter: Formatter, text: string, base: Zone, now: number): DateTime {
  const pivot = civilOf(momentOf(now).day).year - 30;
  const bucket: Bucket = { found: [], pivot, offset: undefined, zone: undefined };
  let index = 0;
  for (const part of formatter.parts) {
    index = readPart(bucket, part, text, index);
    if (index < 0) malformed(text, ~index);
  }
  if (index < text.length) malformed(text, index);
  const local = compute(bucket.found);
  const zone = bucket.zone ?? formatter.zone ?? base;
  const shown = formatter.zone ?? zone;
  if (bucket.offset !== undefined) return inZone(moment(local.day, local.ms - bucket.offset), shown);
  return inZone(resolveStrictly(local, zone), shown);
}
