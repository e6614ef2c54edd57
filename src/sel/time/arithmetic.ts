/** Date-times: instants with a zone. Arithmetic in units of a day and more works on local time, the rest on instants. */
import { SelError } from "../error.ts";
import { civilOf, DAY, dayOf, MAX_YEAR, MIN_YEAR, moment, outOfRange } from "./calendar.ts";
import { fieldOf, setField, setMonth } from "./field.ts";
import type { DateTime, Moment, Zone } from "./type.ts";

/** What the clocks on the wall show. */
export function localOf(time: DateTime): Moment {
  const offset = time.zone.offsetAt(time);
  return offset === 0 ? time : unchecked(time.day, time.ms + offset);
}

function unchecked(day: number, ms: number): Moment {
  const carry = Math.floor(ms / DAY);
  return { day: day + carry, ms: ms - carry * DAY };
}

export function inZone(instant: Moment, zone: Zone): DateTime {
  return { day: instant.day, ms: instant.ms, zone };
}

interface Candidates {
  /** The offsets before and after the nearest transition, equal when there is none near. */
  readonly before: number;
  readonly after: number;
  /** Those of them that are in force at the local time: none in a gap, two in an overlap. */
  readonly valid: readonly number[];
}

function candidates(local: Moment, zone: Zone): Candidates {
  const before = zone.offsetAt(unchecked(local.day - 1, local.ms));
  const after = zone.offsetAt(unchecked(local.day + 1, local.ms));
  const inForce = (offset: number): boolean => zone.offsetAt(unchecked(local.day, local.ms - offset)) === offset;
  const valid = inForce(before) ? [before] : [];
  if (after !== before && inForce(after)) valid.push(after);
  return { before, after, valid };
}

/**
 * The instant of a local time. In an overlap the offset of `original` is kept if it can be, else the earlier instant
 * wins; a gap is jumped over.
 */
export function resolve(local: Moment, zone: Zone, original?: DateTime): DateTime {
  if (zone.fixed) return inZone(moment(local.day, local.ms - zone.offsetAt(local)), zone);
  const { before, valid } = candidates(local, zone);
  const kept = original?.zone.offsetAt(original);
  const offset = kept !== undefined && valid.includes(kept) ? kept : (valid[0] ?? before);
  return inZone(moment(local.day, local.ms - offset), zone);
}

/** As {@link resolve}, but a local time in a gap is refused. @throws SelError argument. */
export function resolveStrictly(local: Moment, zone: Zone): DateTime {
  if (!zone.fixed && candidates(local, zone).valid.length === 0) {
    throw new SelError("argument", `this local time does not exist in ${zone.id}: the clocks skip it`);
  }
  return resolve(local, zone);
}

/** Sets one field. @throws SelError argument for a value out of range or a time that the clocks skip. */
export function withField(time: DateTime, name: string, value: number): DateTime {
  const result = resolve(setField(name, localOf(time), value), time.zone, time);
  if (fieldOf(name).get(localOf(result)) !== value) {
    throw new SelError("argument", `${value} for ${name} does not exist in ${time.zone.id}: the clocks skip it`);
  }
  return result;
}

export type Unit = "Years" | "Months" | "Weeks" | "Days" | "Hours" | "Minutes" | "Seconds" | "Millis";

const EXACT: Partial<Record<Unit, number>> = { Hours: 3_600_000, Minutes: 60_000, Seconds: 1000, Millis: 1 };

/** @throws SelError argument when the result leaves the calendar. */
export function plus(time: DateTime, unit: Unit, count: number): DateTime {
  if (count === 0) return time;
  const exact = EXACT[unit];
  if (exact !== undefined) {
    const days = Math.trunc((count * exact) / DAY);
    return inZone(moment(time.day + days, time.ms + (count * exact - days * DAY)), time.zone);
  }
  const local = localOf(time);
  return resolve(addLocally(local, unit, count), time.zone, time);
}

function addLocally(local: Moment, unit: Unit, count: number): Moment {
  if (unit === "Weeks" || unit === "Days") return moment(local.day + count * (unit === "Weeks" ? 7 : 1), local.ms);
  const { year, month } = civilOf(local.day);
  if (unit === "Years") return setField("year", local, year + count);
  const months = year * 12 + month - 1 + count;
  const target = Math.floor(months / 12);
  if (target < MIN_YEAR || target > MAX_YEAR) outOfRange("year", target, MIN_YEAR, MAX_YEAR);
  return setMonth(local, target, months - target * 12 + 1);
}

/** The first instant of the local day. */
export function startOfDay(time: DateTime): DateTime {
  const local = { day: localOf(time).day, ms: 0 };
  if (time.zone.fixed) return resolve(local, time.zone);
  const { before, after, valid } = candidates(local, time.zone);
  if (valid.length > 0) return resolve(local, time.zone);
  // In a gap at midnight the day starts where the gap ends: at the transition itself.
  const size = after - before;
  const inside = resolve(local, time.zone);
  let low = 0;
  let high = size;
  const offsetBack = (back: number): number => time.zone.offsetAt(unchecked(inside.day, inside.ms - back));
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsetBack(middle) === after) low = middle;
    else high = middle - 1;
  }
  return inZone(unchecked(inside.day, inside.ms - low), time.zone);
}

/** Whole days from `a` to `b` on `a`'s clocks, towards zero. @throws SelError arithmetic beyond 32 bits. */
export function daysBetween(a: DateTime, b: DateTime): number {
  const from = localOf(a);
  const to = localOf(inZone(b, a.zone));
  const days = to.day - from.day;
  const rest = to.ms - from.ms;
  const whole = days > 0 && rest < 0 ? days - 1 : days < 0 && rest > 0 ? days + 1 : days;
  if (whole !== (whole | 0)) throw new SelError("arithmetic", `${whole} days are more than 32 bits hold`);
  return whole;
}

/** A local moment from calendar fields. @throws SelError argument. */
export function localMoment(year: number, month: number, day: number, ms: number): Moment {
  const first = setField("monthOfYear", setField("year", { day: 0, ms: 0 }, year), month);
  return moment(setField("dayOfMonth", { day: dayOf(year, month, 1), ms: 0 }, day).day + first.ms, ms);
}
