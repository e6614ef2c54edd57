/** ISO 8601 text of date-times. */
import { SelError } from "../error.ts";
import { inZone, localOf, resolveStrictly } from "./arithmetic.ts";
import { civilOf, moment, outOfRange } from "./calendar.ts";
import { setField } from "./field.ts";
import type { DateTime, Moment, Zone } from "./type.ts";
import { offsetText } from "./zone.ts";

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** `2023-03-15T13:45:30.123Z`. */
export function isoText(time: DateTime): string {
  const local = localOf(time);
  const { year, month, day } = civilOf(local.day);
  const offset = time.zone.offsetAt(time);
  const seconds = Math.floor(local.ms / 1000);
  const years = year < 0 ? `-${String(-year).padStart(4, "0")}` : String(year).padStart(4, "0");
  const clock = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const millis = String(local.ms % 1000).padStart(3, "0");
  return `${years}-${two(month)}-${two(day)}T${clock}.${millis}${offset === 0 ? "Z" : offsetText(offset)}`;
}

const DATE = /^([+-]?\d{1,9})(?:-W(\d{1,2})(?:-(\d))?(?!\d)|-(\d{3})(?!\d)|-(\d{1,2})(?:-(\d{1,2}))?)?/;
const TIME =
  /^T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2}))?)?(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d(?::?\d\d(?:[.,]?\d{1,3})?)?)?)?/;

function dateOf(match: RegExpExecArray): Moment {
  const [, year, week, weekdayText, dayOfYear, month, day] = match;
  const start = { day: 0, ms: 0 };
  if (week !== undefined) {
    const monday = setField("weekOfWeekyear", setField("dayOfWeek", setField("weekyear", start, Number(year)), 1), 1);
    return setField("dayOfWeek", setField("weekOfWeekyear", monday, Number(week)), Number(weekdayText ?? 1));
  }
  const first = setField("dayOfYear", setField("year", start, Number(year)), 1);
  if (dayOfYear !== undefined) return setField("dayOfYear", first, Number(dayOfYear));
  return setField("dayOfMonth", setField("monthOfYear", first, Number(month ?? 1)), Number(day ?? 1));
}

function checked(value: string | undefined, field: string, max: number): number {
  const number = Number(value ?? 0);
  if (number > max) outOfRange(field, number, 0, max);
  return number;
}

function timeOf(match: RegExpExecArray): number {
  const [, hour, minute, second, fraction] = match;
  const unit = second !== undefined ? 1000 : minute !== undefined ? 60_000 : 3_600_000;
  const whole = checked(hour, "hourOfDay", 23) * 3_600_000 + checked(minute, "minuteOfHour", 59) * 60_000;
  const parsed = fraction === undefined ? 0 : Math.floor((Number(fraction) * unit) / 10 ** fraction.length);
  return whole + checked(second, "secondOfMinute", 59) * 1000 + parsed;
}

function offsetOf(text: string): number {
  if (text === "Z") return 0;
  const [hours = 0, minutes = 0, seconds = 0] = (text.slice(1).match(/\d\d/g) ?? []).slice(0, 3).map(Number);
  const millis = /[.,](\d{1,3})$/.exec(text)?.[1] ?? "";
  if (hours > 23 || minutes > 59 || seconds > 59) throw new SelError("argument", `the offset ${text} is out of range`);
  return (text[0] === "-" ? -1 : 1) * (((hours * 60 + minutes) * 60 + seconds) * 1000 + Number(millis.padEnd(3, "0")));
}

/** Reads ISO text; without an offset in the given zone, in which the result is shown. @throws SelError argument. */
export function parseIso(text: string, zone: Zone): DateTime {
  const date = DATE.exec(text);
  const rest = text.slice(date?.[0].length ?? 0);
  const time = TIME.exec(rest);
  const complete = (time?.[0] ?? "").length === rest.length;
  if (!complete || (date === null && time?.[1] === undefined)) {
    const hint = "for instance 2023-03-15 or 2023-03-15T13:45:30.123Z";
    throw new SelError("argument", `${JSON.stringify(text.slice(0, 100))} is not an ISO date-time`, undefined, hint);
  }
  const day = date === null ? 0 : dateOf(date).day;
  const ms = time === null ? 0 : timeOf(time);
  const offset = time?.[5];
  if (offset !== undefined) return inZone(moment(day, ms - offsetOf(offset)), zone);
  return inZone(resolveStrictly({ day, ms }, zone), zone);
}
