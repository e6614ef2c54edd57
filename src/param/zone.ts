/** Calendar arithmetic that the default params need: instants to dates and back in an IANA zone. */
import { badRequest } from "../error.ts";

const DAY = 86_400_000;
/** A little less than a Date holds, so that neighbouring days are dates too. */
const MAX_MILLIS = 8.6e15;
/** Zone offsets change on quarter hours only, so one answer serves a quarter. */
const QUARTER = 900_000;

interface ZoneClock {
  readonly format: Intl.DateTimeFormat;
  readonly offsets: Map<number, number>;
}

const clocks = new Map<string, ZoneClock>();

function clockOf(zone: string): ZoneClock {
  const known = clocks.get(zone);
  if (known) return known;
  const clock = { format: formatOf(zone), offsets: new Map<number, number>() };
  if (clocks.size > 1000) clocks.clear();
  clocks.set(zone, clock);
  return clock;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US-u-ca-iso8601-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
  } catch {
    throw badRequest(`The time zone [${zone}] is not known: expected an IANA id such as UTC or America/Los_Angeles`);
  }
}

/** Milliseconds to add to UTC at an instant. @throws MaestroError BAD_REQUEST for an unknown zone. */
export function offsetAt(zone: string, millis: number): number {
  if (!(Math.abs(millis) <= MAX_MILLIS)) throw badRequest(`[${millis}] is no time in milliseconds since 1970`);
  if (zone === "UTC") return 0;
  const { format, offsets } = clockOf(zone);
  const quarter = Math.floor(millis / QUARTER);
  const known = offsets.get(quarter);
  if (known !== undefined) return known;
  const offset = readOffset(format, quarter * QUARTER);
  if (offsets.size > 10_000) offsets.clear();
  offsets.set(quarter, offset);
  return offset;
}

function readOffset(format: Intl.DateTimeFormat, millis: number): number {
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(millis)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - millis;
}

/** `yyyyMMdd` of an instant in a zone. */
export function dateText(millis: number, zone: string): string {
  const local = new Date(millis + offsetAt(zone, millis));
  return pad(local.getUTCFullYear(), 4) + pad(local.getUTCMonth() + 1, 2) + pad(local.getUTCDate(), 2);
}

/** `HH` of an instant in a zone. */
export function hourText(millis: number, zone: string): string {
  return pad(new Date(millis + offsetAt(zone, millis)).getUTCHours(), 2);
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}

/** The same local time some days later, as calendars count: a day may have 23 or 25 hours. */
export function plusDays(millis: number, days: number, zone: string): number {
  const local = millis + offsetAt(zone, millis) + days * DAY;
  return fromLocal(local, zone, offsetAt(zone, millis)) ?? local - offsetAt(zone, local - DAY);
}

/**
 * The instant of a local date and hour. Of two (clocks go back) the earlier one.
 * @throws MaestroError BAD_REQUEST for text that is no date and hour, or a local time that a zone skips.
 */
export function instantOf(date: string, hour: string, zone: string): number {
  const text = date + hour;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(text);
  const local = match ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:00:00Z`) : Number.NaN;
  if (Number.isNaN(local) || match?.[4] === "24") {
    throw badRequest(`[${text}] is not a date and hour: expected yyyyMMdd and HH`);
  }
  const instant = fromLocal(local, zone);
  if (instant === undefined) throw badRequest(`The local time [${text}] does not exist in the time zone [${zone}]`);
  return instant;
}

/** The instant of a local time; `preferred` decides between two offsets, else the earlier instant wins. */
function fromLocal(local: number, zone: string, preferred?: number): number | undefined {
  const candidates = [preferred, offsetAt(zone, local - DAY), offsetAt(zone, local + DAY)];
  for (const offset of candidates) {
    if (offset !== undefined && offsetAt(zone, local - offset) === offset) return local - offset;
  }
  return undefined;
}
