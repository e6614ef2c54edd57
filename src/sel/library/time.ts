/** DATETIME and its relatives. */
import {
  type Box,
  boxDays,
  boxFormatter,
  boxProperty,
  boxTime,
  boxZone,
  type DaysBox,
  type FormatterBox,
  type PropertyBox,
  type TimeBox,
  toInt,
  type ZoneBox,
} from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";
import {
  daysBetween,
  inZone,
  localMoment,
  localOf,
  plus,
  resolveStrictly,
  startOfDay,
  type Unit,
  withField,
} from "../time/arithmetic.ts";
import { compareMoments, DAY, millisOf, momentOf, outOfRange } from "../time/calendar.ts";
import { fieldOf } from "../time/field.ts";
import { isoText, parseIso } from "../time/iso.ts";
import { parseTime } from "../time/parse.ts";
import { compilePattern, fieldText, print, printedLength } from "../time/pattern.ts";
import type { DateTime, Formatter, Zone } from "../time/type.ts";
import { UTC, zoneOf } from "../time/zone.ts";
import {
  argument,
  boolean,
  intArg,
  long,
  longContent,
  type Method,
  type Methods,
  methods,
  nullContent,
  reflective,
  string,
  stringContent,
  textArg,
  wrongType,
} from "./method.ts";

function time(value: DateTime, cx: Context): Box {
  cx.charge(32);
  return boxTime(value);
}

export function timeContent(box: Box | undefined): DateTime {
  if (box?.type !== "DATETIME") return wrongType("DATETIME", box as Box);
  return box.content ?? argument("the date-time is null");
}

export function zoneContent(box: Box | undefined): Zone | null {
  return box?.type === "DATETIME_ZONE" ? box.content : wrongType("DATETIME_ZONE", box as Box);
}

/** Prints after charging for what it may become. */
export function printTime(formatter: Formatter, value: DateTime, cx: Context): string {
  cx.toil(formatter.parts.length * 8);
  cx.reserve(32 + 2 * printedLength(formatter));
  return print(formatter, value);
}

export function formatterOf(pattern: string, cx: Context): Formatter {
  cx.toil(pattern.length);
  cx.reserve(pattern.length * 64);
  return compilePattern(pattern);
}

type Own = (value: DateTime, args: readonly Box[], cx: Context) => Box;

function own(name: string, run: Own): Method<TimeBox> {
  return reflective(name, ({ content }, args, cx) =>
    content === null ? argument("the date-time is null") : run(content, args, cx),
  );
}

const UNITS: readonly Unit[] = ["Years", "Months", "Weeks", "Days", "Hours", "Minutes", "Seconds", "Millis"];
const SETTABLE = (
  "year weekyear monthOfYear weekOfWeekyear dayOfYear dayOfMonth dayOfWeek hourOfDay minuteOfHour secondOfMinute " +
  "millisOfSecond millisOfDay"
).split(" ");
const READABLE = [...SETTABLE, "minuteOfDay", "secondOfDay"];
const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

function fieldMethods(): [string, Method<TimeBox>][] {
  const list: [string, Method<TimeBox>][] = [];
  for (const unit of UNITS) {
    list.push([`plus${unit}/1`, own(`plus${unit}`, (value, [n], cx) => time(plus(value, unit, intArg(n)), cx))]);
    list.push([`minus${unit}/1`, own(`minus${unit}`, (value, [n], cx) => time(plus(value, unit, -intArg(n)), cx))]);
  }
  for (const name of SETTABLE) {
    const method = `with${capital(name)}`;
    list.push([`${method}/1`, own(method, (value, [n], cx) => time(withField(value, name, intArg(n)), cx))]);
  }
  for (const name of READABLE) {
    const method = `get${capital(name)}`;
    list.push([`${method}/0`, own(method, (value, _args, cx) => long(fieldOf(name).get(localOf(value)), cx))]);
    if (name === "year") continue;
    const property: Own = (value, _args, cx) => {
      cx.charge(32);
      return boxProperty({ field: name, time: value });
    };
    list.push([`${name}/0`, own(name, property)]);
  }
  return list;
}

/** The other side of a comparison; null means now. */
function other(box: Box | undefined, cx: Context): { day: number; ms: number } {
  if (box?.type === "NULL" || (box?.type === "DATETIME" && box.content === null)) return momentOf(cx.options.now);
  return box?.type === "DATETIME" && box.content !== null ? box.content : argument(`${box?.type} is not a DATETIME`);
}

function comparison(name: string, test: (order: number) => boolean): [string, Method<TimeBox>] {
  return [`${name}/1`, own(name, (value, [b], cx) => boolean(test(compareMoments(value, other(b, cx))), cx))];
}

function changeZone(name: string): [string, Method<TimeBox>] {
  const run: Own = (value, [zone], cx) => {
    if (zone?.type !== "DATETIME_ZONE" && zone?.type !== "NULL")
      argument(`${zone?.type} is not a time zone`, "use DateTimeZone.forID('…')");
    return time(inZone(value, zone.content ?? UTC), cx);
  };
  return [`${name}/1`, own(name, run)];
}

const toText: Own = (value, [pattern], cx) => {
  if (pattern?.type === "NULL" || (pattern?.type === "STRING" && pattern.content === null))
    return string(isoText(value), cx);
  return string(printTime(formatterOf(textArg(pattern), cx), value, cx), cx);
};

const parse: Method<TimeBox> = ({ content }, [text, formatter], cx) => {
  if (content !== null) argument("parse belongs to the class", "write DateTime.parse(text, formatter)");
  const read = textArg(text);
  if (formatter?.type !== "DATETIME_FORMATTER" || formatter.content === null)
    argument(`${formatter?.type} is not a formatter`);
  return time(parseTime(formatter.content as Formatter, read, UTC, cx.options.now), cx);
};

export const TIME_METHODS: Methods<TimeBox> = new Map<string, Method<TimeBox>>([
  ...fieldMethods(),
  comparison("isAfter", (order) => order > 0),
  comparison("isBefore", (order) => order < 0),
  comparison("isEqual", (order) => order === 0),
  changeZone("withZone"),
  changeZone("toDateTime"),
  ["getMillis/0", own("getMillis", (value, _args, cx) => long(millisOf(value), cx))],
  ["withTimeAtStartOfDay/0", own("withTimeAtStartOfDay", (value, _args, cx) => time(startOfDay(value), cx))],
  ["toString/0", own("toString", (value, _args, cx) => string(isoText(value), cx))],
  ["toString/1", own("toString", toText)],
  ["parse/2", reflective("parse", parse)],
]);

function set(value: PropertyBox["content"], which: "min" | "max", cx: Context): Box {
  const { field, time: of } = value ?? nullContent("the property");
  const { min, max } = fieldOf(field);
  return time(withField(of, field, which === "min" ? min : max(localOf(of))), cx);
}

function propertyValue({ content }: PropertyBox): { field: string; value: number } {
  const { field, time: of } = content ?? nullContent("the property");
  return { field, value: fieldOf(field).get(localOf(of)) };
}

export const PROPERTY_METHODS = methods<PropertyBox>({
  "get/0": (self, _args, cx) => long(propertyValue(self).value, cx),
  "getAsText/0": (self, _args, cx) => {
    const { field, value } = propertyValue(self);
    return string(fieldText(field, value), cx);
  },
  "withMinimumValue/0": ({ content }, _args, cx) => set(content, "min", cx),
  "withMaximumValue/0": ({ content }, _args, cx) => set(content, "max", cx),
});

export const DAYS_METHODS = methods<DaysBox>({
  "daysBetween/2": (_self, [a, b], cx) => {
    const [from, to] = [timeContent(a), timeContent(b)];
    cx.charge(32);
    return boxDays(daysBetween(from, to));
  },
  "getDays/0": ({ content }, _args, cx) => long(content ?? nullContent("the days"), cx),
});

export const ZONE_METHODS = methods<ZoneBox>({
  "forID/1": (_self, [id], cx) => {
    const zone = zoneOf(stringContent(id) ?? "UTC");
    cx.charge(32);
    return boxZone(zone);
  },
  "getOffset/1": ({ content }, [at], cx) => {
    if (at?.type !== "DATETIME") return wrongType("DATETIME", at as Box);
    const zone = content ?? nullContent("the time zone");
    return long(zone.offsetAt(at.content ?? momentOf(cx.options.now)), cx);
  },
});

function formatterContent({ content }: FormatterBox): Formatter {
  return content ?? nullContent("the formatter");
}

function noOverload(name: string, box: Box | undefined): never {
  throw new SelError("unsupported", `DATETIME_FORMATTER has no method ${name} for a ${box?.type}`);
}

export const FORMATTER_METHODS = methods<FormatterBox>({
  "forPattern/1": (_self, [pattern], cx) => {
    const formatter = formatterOf(stringContent(pattern) ?? argument("the date pattern is null"), cx);
    cx.charge(32);
    return boxFormatter(formatter);
  },
  "withZone/1": (self, [zone], cx) => {
    const to = zoneContent(zone);
    cx.charge(32);
    return boxFormatter({ ...formatterContent(self), zone: to });
  },
  "parseDateTime/1": (self, [text], cx) => {
    if (text?.type !== "STRING" && text?.type !== "LONG") return noOverload("parseDateTime", text);
    const formatter = formatterContent(self);
    return time(parseTime(formatter, String(text.content ?? nullContent("the text")), UTC, cx.options.now), cx);
  },
  "parseMillis/1": (self, [text], cx) => {
    const read = stringContent(text);
    const formatter = formatterContent(self);
    return long(millisOf(parseTime(formatter, read ?? nullContent("the text"), UTC, cx.options.now)), cx);
  },
  "print/1": (self, [value], cx) => {
    if (value?.type !== "LONG" && value?.type !== "DATETIME") return noOverload("print", value);
    const formatter = formatterContent(self);
    const shown =
      value.type === "LONG"
        ? inZone(momentOf(value.content), UTC)
        : (value.content ?? inZone(momentOf(cx.options.now), UTC));
    return string(printTime(formatter, shown, cx), cx);
  },
});

/** An instant from one value, shown in `zone`. */
function instant(box: Box, zone: Zone, cx: Context): DateTime {
  switch (box.type) {
    case "NULL":
      return inZone(momentOf(cx.options.now), zone);
    case "LONG":
      return inZone(momentOf(box.content), zone);
    case "STRING":
      return box.content === null ? inZone(momentOf(cx.options.now), zone) : parseIso(box.content, zone);
    case "DATETIME":
      return inZone(box.content ?? momentOf(cx.options.now), zone);
    default:
      return argument(`a date-time can't be made from a ${box.type}`, "use milliseconds, ISO text or another DateTime");
  }
}

const CLOCK = [
  ["hourOfDay", 23, 3_600_000],
  ["minuteOfHour", 59, 60_000],
  ["secondOfMinute", 59, 1000],
  ["millisOfSecond", 999, 1],
] as const;

function fromFields(args: readonly Box[]): DateTime {
  const [year = 0, month = 0, day = 0, ...clock] = args.slice(0, 7).map((arg) => toInt(longContent(arg)));
  const zone = zoneContent(args[7]) ?? UTC;
  let ms = 0;
  CLOCK.forEach(([name, max, size], i) => {
    const value = clock[i] ?? 0;
    if (value < 0 || value > max) outOfRange(name, value, 0, max);
    ms += value * size;
  });
  return resolveStrictly(localMoment(year, month, day, ms % DAY), zone);
}

export function newTime(args: readonly Box[], cx: Context): Box {
  const [first, second] = args;
  if (args.length === 8) return time(fromFields(args), cx);
  if (first === undefined) return time(inZone(momentOf(cx.options.now), UTC), cx);
  if (args.length === 2) {
    const zone = zoneContent(second) ?? UTC;
    return time(instant(first, zone, cx), cx);
  }
  if (args.length === 1) {
    const zone = first.type === "DATETIME" ? (first.content?.zone ?? UTC) : UTC;
    return time(instant(first, zone, cx), cx);
  }
  throw new SelError(
    "type",
    `new DateTime can't take ${args.length} arguments`,
    undefined,
    "none, a value, a value and a zone, or seven fields and a zone",
  );
}
