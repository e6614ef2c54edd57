/** The functions of `Util`. Dates are in UTC unless a zone is given. */
import { arrayOf, type Box, boxArray, type Long, type StaticBox, toInt } from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";
import { parseLong } from "../number.ts";
import { textOf, toJson } from "../text.ts";
import { inZone, plus } from "../time/arithmetic.ts";
import { between, civilOf, DAY, millisOf, moment, momentOf } from "../time/calendar.ts";
import { parseTime } from "../time/parse.ts";
import { compilePattern, print } from "../time/pattern.ts";
import type { DateTime } from "../time/type.ts";
import { UTC, zoneOf } from "../time/zone.ts";
import { argument, invoke, long, longContent, methods, nullContent, string, stringContent } from "./method.ts";

const DATE = compilePattern("yyyyMMdd");
const DATE_HOUR = compilePattern("yyyyMMddHH");

function given(expected: string, box: Box | undefined): never {
  throw new SelError("type", `${box?.type} given where ${expected} was expected`);
}

/** The text of a STRING or LONG. */
function textual(box: Box | undefined, cx: Context): string {
  if (box?.type !== "STRING" && box?.type !== "LONG") return given("STRING or LONG", box);
  cx.charge(32);
  return box.content === null ? nullContent("the text") : String(box.content);
}

/** The number of a STRING or LONG. */
function numeric(box: Box | undefined, cx: Context): Long {
  if (box?.type !== "STRING" && box?.type !== "LONG") return given("LONG or STRING", box);
  cx.charge(32);
  return box.type === "LONG" ? box.content : parseLong(box.content);
}

function dateOf(box: Box | undefined, cx: Context): DateTime {
  return parseTime(DATE, textual(box, cx), UTC, cx.options.now);
}

function dateInt(time: DateTime): string {
  return print(DATE, time);
}

/** Subtracts a number of units that may be larger than 32 bits. */
function minus(time: DateTime, count: Long, size: number): DateTime {
  const millis = BigInt(millisOf(time)) - BigInt(count) * BigInt(size);
  if (BigInt.asIntN(64, millis) !== millis) argument("the calculation leaves the range of time");
  return inZone(momentOf(Number.isSafeInteger(Number(millis)) ? Number(millis) : millis), time.zone);
}

function dateIntHourToTs(args: readonly Box[], cx: Context): Box {
  const [date, hour, zoneId, days, hours] = args;
  const text = textual(date, cx) + textual(hour, cx);
  const zone = zoneOf(textual(zoneId, cx));
  const time = parseTime(DATE_HOUR, text, zone, cx.options.now);
  const back = numeric(days, cx);
  const earlier = plus(time, "Days", -toInt(back));
  return long(millisOf(minus(earlier, toInt(numeric(hours, cx)), 3_600_000)), cx);
}

const DURATION_UNITS = ["year", "month", "week", "day", "hour", "minute", "second", "millisecond"] as const;
const DURATION_SIZES: readonly number[] = [0, 0, 7 * DAY, DAY, 3_600_000, 60_000, 1000, 1];
const DURATION_PART = /([+-]?\d+) (year|month|week|day|hour|minute|second|millisecond)s?/iy;
const DURATION_JOINT = /,? and |, | /iy;

/** English duration text in milliseconds. @throws SelError argument; unsupported for years and months. */
function duration(text: string): number {
  let total = 0;
  let previous = -1;
  let at = 0;
  const wrong = (): never =>
    argument(`${JSON.stringify(text.slice(0, 100))} is not a duration`, "for instance '1 hour and 30 minutes'");
  while (at < text.length) {
    if (at > 0) {
      DURATION_JOINT.lastIndex = at;
      at += (DURATION_JOINT.exec(text) ?? wrong())[0].length;
    }
    DURATION_PART.lastIndex = at;
    const [all, count = "", unit = ""] = DURATION_PART.exec(text) ?? wrong();
    const index = DURATION_UNITS.indexOf(unit.toLowerCase() as (typeof DURATION_UNITS)[number]);
    if (index <= previous) wrong();
    if (index < 2 && Number(count) !== 0) {
      throw new SelError("unsupported", `${unit}s vary in length`, undefined, "use weeks or days");
    }
    previous = index;
    at += all.length;
    total += Number(count) * (DURATION_SIZES[index] ?? 0);
  }
  return total;
}

function timeout(deadline: DateTime, text: string, cx: Context): Box {
  const length = duration(text);
  if (!Number.isSafeInteger(length)) argument("the duration is too long");
  const carry = Math.floor(length / DAY);
  const end = moment(deadline.day + carry, deadline.ms + (length - carry * DAY));
  return string(`${Math.max(0, between(end, momentOf(cx.options.now)))} milliseconds`, cx);
}

function intText(box: Box, cx: Context): number {
  const text = textOf(box, cx);
  const value = parseLong(text);
  if (typeof value !== "number" || value !== (value | 0)) {
    throw new SelError("number-format", `${text} does not fit 32 bits`);
  }
  return value;
}

/** Charges an array of `count` LONGs before it is built. */
function chargeLongs(count: number, cx: Context): void {
  cx.reserve(32 + 32 * count);
  cx.toil(count);
  cx.charge(32 + 32 * count);
}

function dateNumber(day: number): number {
  const { year, month, day: date } = civilOf(day);
  return year * 10_000 + month * 100 + date;
}

function dateIntsBetween(args: readonly Box[], cx: Context): Box {
  const [from, to] = [dateOf(args[0], cx), dateOf(args[1], cx)];
  const step = intText(args[2] as Box, cx);
  if (step === 0) argument("the step is 0", "use 1 or -1");
  const [start, stop] = step > 0 ? [from.day, to.day] : [to.day, from.day];
  const count = Math.max(0, Math.ceil((stop - start) / Math.abs(step)));
  chargeLongs(count, cx);
  const days = Array.from({ length: count }, (_unused, i) => dateNumber(start + i * Math.abs(step)));
  return boxArray(arrayOf("LONG"), step > 0 ? days : days.reverse());
}

function intsBetween(args: readonly Box[], cx: Context): Box {
  const [from = 0, to = 0, step = 0] = args.map((arg) => toInt(numeric(arg, cx)));
  const items: number[] = [];
  const inside = (value: number): boolean => (step > 0 ? value < to : value > to);
  if (step === 0 && inside(from)) argument("a step of 0 never ends", "use 1 or -1");
  cx.reserve(32 * Math.max(0, Math.ceil((to - from) / (step || 1))));
  for (let value = from; inside(value); value = (value + step) | 0) {
    cx.charge(32);
    if ((items.push(value) & 1023) === 0) cx.toil(1024);
  }
  cx.charge(32);
  return boxArray(arrayOf("LONG"), items);
}

const METHODS = methods<StaticBox>({
  "dateIntToTs/1": (_self, [date], cx) => long(millisOf(dateOf(date, cx)), cx),
  "tsToDateInt/1": (_self, [ts], cx) => string(dateInt(inZone(momentOf(numeric(ts, cx)), UTC)), cx),
  "incrementDateInt/2": (_self, [date, days], cx) => {
    const count = longContent(days);
    return string(dateInt(plus(dateOf(date, cx), "Days", toInt(count))), cx);
  },
  "dateIntHourToTs/5": (_self, args, cx) => dateIntHourToTs(args, cx),
  "timeoutForDateTimeDeadline/2": (_self, [time, text], cx) => {
    if (time?.type !== "DATETIME") return given("DATETIME", time);
    const deadline = time.content ?? nullContent("the date-time");
    return timeout(deadline, stringContent(text) ?? nullContent("the duration"), cx);
  },
  "timeoutForDateIntDeadline/2": (_self, [date, text], cx) => {
    const deadline = dateOf(date, cx);
    return timeout(deadline, stringContent(text) ?? nullContent("the duration"), cx);
  },
  "dateIntsBetween/3": (_self, args, cx) => dateIntsBetween(args, cx),
  "intsBetween/3": (_self, args, cx) => intsBetween(args, cx),
});

/** Calls a function of `Util`. */
export function callUtil(receiver: StaticBox, name: string, key: string, args: readonly Box[], cx: Context): Box {
  if (name !== "toJson") return invoke(METHODS, receiver, key, args, cx);
  const [value] = args;
  if (value === undefined || args.length !== 1) argument("toJson takes one value");
  return string(toJson(value, cx), cx);
}
