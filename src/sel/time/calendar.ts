/** The proleptic ISO calendar on day numbers (days since 1970-01-01). */
import { type Long, wrapLong } from "../box.ts";
import { SelError } from "../error.ts";
import type { Moment } from "./type.ts";

export const DAY = 86_400_000;
export const MIN_YEAR = -292_275_054;
export const MAX_YEAR = 292_278_993;
/** Beyond this day the milliseconds may not fit 64 bits. */
const SAFE_DAY = 106_751_991_166;

export interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

export function monthLength(year: number, month: number): number {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

export function dayOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

export function civilOf(day: number): Civil {
  const z = day + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}

/** 1 = Monday … 7 = Sunday. */
export function weekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1;
}

export function yearStart(year: number): number {
  return dayOf(year, 1, 1);
}

/** The Monday of week 1. */
export function weekyearStart(weekyear: number): number {
  const fourth = dayOf(weekyear, 1, 4);
  return fourth - weekday(fourth) + 1;
}

export function weekyearOf(day: number): { weekyear: number; week: number } {
  const weekyear = civilOf(day - weekday(day) + 4).year;
  return { weekyear, week: Math.floor((day - weekyearStart(weekyear)) / 7) + 1 };
}

export function weeksIn(weekyear: number): number {
  return (weekyearStart(weekyear + 1) - weekyearStart(weekyear)) / 7;
}

export function outOfRange(field: string, value: number, min: number, max: number): never {
  throw new SelError("argument", `${value} for ${field} must be in the range [${min},${max}]`);
}

/** @throws SelError argument when the instant does not fit 64 bits of milliseconds. */
export function moment(day: number, ms: number): Moment {
  const carry = Math.floor(ms / DAY);
  const result = { day: day + carry, ms: ms - carry * DAY };
  if (Math.abs(result.day) > SAFE_DAY) {
    const millis = exactMillis(result);
    if (BigInt.asIntN(64, millis) !== millis)
      throw new SelError("argument", "the calculation leaves the range of time");
  }
  return result;
}

function exactMillis(at: Moment): bigint {
  return BigInt(at.day) * 86_400_000n + BigInt(at.ms);
}

export function momentOf(millis: Long): Moment {
  if (typeof millis === "number") {
    const day = Math.floor(millis / DAY);
    return { day, ms: millis - day * DAY };
  }
  const day = millis / 86_400_000n - (millis % 86_400_000n < 0n ? 1n : 0n);
  return { day: Number(day), ms: Number(millis - day * 86_400_000n) };
}

export function millisOf(at: Moment): Long {
  const quick = at.day * DAY + at.ms;
  return Number.isSafeInteger(quick) && Math.abs(at.day) < 104_000_000 ? quick : wrapLong(exactMillis(at));
}

/** Milliseconds from `b` to `a`, exact while both are within a few thousand years. */
export function between(a: Moment, b: Moment): number {
  return (a.day - b.day) * DAY + (a.ms - b.ms);
}

export function compareMoments(a: Moment, b: Moment): number {
  return a.day - b.day || a.ms - b.ms;
}
