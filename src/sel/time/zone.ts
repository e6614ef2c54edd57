/**
 * Time zones: fixed offsets, and IANA zones whose rules come from the runtime. Ids follow tzdata 2022a, upstream's:
 * an alias becomes its canonical zone, ids that are younger are unknown.
 *
 * Offsets of a zone are remembered as intervals between two transitions. What is remembered is data about the world,
 * bounded by the number of zones and of their transitions; nothing of a program's.
 */
import { SelError } from "../error.ts";
import { aliases, LATER_IDS, SEPARATE_IDS } from "./alias.ts";
import { DAY } from "./calendar.ts";
import type { Moment, Zone } from "./type.ts";

interface Interval {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** Rules repeat with the calendar, every 400 years: a later instant has the offset of its twin before this day. */
const LAST_DAY = 300_000;
/** Before this day (year −1) every zone has its first offset. */
const FIRST_DAY = -720_000;
const CYCLE = 146_097;

function sample(id: string, millis: number): Interval {
  const time = Temporal.Instant.fromEpochMilliseconds(millis).toZonedDateTimeISO(id);
  const previous = time.getTimeZoneTransition("previous");
  const next = time.getTimeZoneTransition("next");
  const offset = Math.trunc(time.offsetNanoseconds / 1e6);
  // The previous transition is strictly before: at a transition itself the interval starts at it or a little later.
  return { from: previous?.epochMilliseconds ?? -Infinity, to: next?.epochMilliseconds ?? Infinity, offset };
}

function startsAt(id: string, interval: Interval, millis: number): Interval {
  const before = Temporal.Instant.fromEpochMilliseconds(millis - 1).toZonedDateTimeISO(id).offsetNanoseconds / 1e6;
  return Math.trunc(before) === interval.offset ? interval : { ...interval, from: millis };
}

function ianaZone(id: string): Zone {
  const known: Interval[] = [];
  let last: Interval | undefined;
  const offsetAt = ({ day, ms }: Moment): number => {
    const within = day > LAST_DAY ? LAST_DAY - CYCLE + ((day - LAST_DAY) % CYCLE) : Math.max(day, FIRST_DAY);
    const millis = within * DAY + ms;
    if (last !== undefined && millis >= last.from && millis < last.to) return last.offset;
    last = known.find((interval) => millis >= interval.from && millis < interval.to);
    if (last === undefined) {
      last = startsAt(id, sample(id, millis), millis);
      known.push(last);
    }
    return last.offset;
  };
  return { id, offsetAt, fixed: false };
}

export const UTC: Zone = { id: "UTC", offsetAt: () => 0, fixed: true };

const two = (n: number): string => String(n).padStart(2, "0");

/** `+05:30`, with seconds and milliseconds when they are not zero. */
export function offsetText(offset: number, separator = ":"): string {
  const size = Math.abs(offset);
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor(size / 60_000) % 60;
  const seconds = Math.floor(size / 1000) % 60;
  const millis = size % 1000;
  let text = `${offset < 0 ? "-" : "+"}${two(hours)}${separator}${two(minutes)}`;
  if (seconds !== 0 || millis !== 0) text += `${separator}${two(seconds)}`;
  if (millis !== 0) text += `${separator === "" ? "" : "."}${String(millis).padStart(3, "0")}`;
  return text;
}

export function fixedZone(offset: number): Zone {
  return offset === 0 ? UTC : { id: offsetText(offset), offsetAt: () => offset, fixed: true };
}

const zones = new Map<string, Zone>();
let ids: ReadonlyMap<string, string> | undefined;

/** Every known id with the id of the zone that it stands for. */
export function zoneIds(): ReadonlyMap<string, string> {
  if (ids !== undefined) return ids;
  const all = new Map<string, string>();
  for (const id of Intl.supportedValuesOf("timeZone")) {
    if (!LATER_IDS.has(id)) all.set(id, id);
  }
  for (const id of SEPARATE_IDS) all.set(id, id);
  for (const [alias, id] of aliases()) all.set(alias, id);
  all.delete("GMT");
  all.set("GMT", "Etc/GMT").set("UTC", "UTC");
  ids = all;
  return all;
}

const OFFSET = /^([+-])(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]?(\d{1,3}))?)?)?$/;

/** The zone of an exact id or an offset. @throws SelError argument. */
export function zoneOf(id: string): Zone {
  if (id === "UTC") return UTC;
  const canonical = zoneIds().get(id);
  if (canonical !== undefined) {
    const zone = zones.get(canonical) ?? ianaZone(canonical);
    zones.set(canonical, zone);
    return zone;
  }
  const parts = OFFSET.exec(id);
  const [hours, minutes, seconds] = [2, 3, 4].map((i) => Number(parts?.[i] ?? 0)) as [number, number, number];
  if (parts === null || hours > 23 || minutes > 59 || seconds > 59) {
    const hint = "an IANA id such as 'America/Los_Angeles', 'UTC', or an offset such as '+05:30'";
    throw new SelError("argument", `the time zone ${JSON.stringify(id.slice(0, 100))} is not known`, undefined, hint);
  }
  const size = ((hours * 60 + minutes) * 60 + seconds) * 1000 + Number((parts[5] ?? "").padEnd(3, "0"));
  return fixedZone(parts[1] === "-" ? -size : size);
}
