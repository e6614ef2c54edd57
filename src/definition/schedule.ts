/**
 * When a time trigger fires. Pure: instants come in as arguments.
 *
 * Cron texts of five fields are Unix (weekdays from Sunday = 0), of six or seven Quartz (seconds first, weekdays from
 * Sunday = 1, an optional year).
 */
import { Cron } from "croner";
import { parseDuration } from "./duration.ts";
import { shown } from "./finding.ts";
import { RANGE } from "./range.ts";
import type { PredefinedSchedule, TimeTrigger } from "./trigger.ts";

export interface Schedule {
  /** The first firing strictly after the instant (epoch ms), without fuzz; undefined when there is none. */
  next(after: number): number | undefined;
}

export type ScheduleReading = { readonly schedule: Schedule } | { readonly field: string; readonly problem: string };

const CRON_OF: Readonly<Record<PredefinedSchedule, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
};

/** A trigger's schedule, or what is wrong with the trigger. */
export function readSchedule(trigger: TimeTrigger): ScheduleReading {
  if (trigger.type === "INTERVAL") return intervalSchedule(trigger.interval, trigger.start);
  const timezone = trigger.timezone?.trim() || "UTC";
  if (!isZone(timezone)) {
    return {
      field: "timezone",
      problem: `${shown(timezone)} is not a time zone; use an IANA name such as "Europe/Paris"`,
    };
  }
  return trigger.type === "PREDEFINED"
    ? cronSchedule(CRON_OF[trigger.expression], timezone)
    : cronSchedule(trigger.cron, timezone);
}

/** @returns the time zone of a trigger: UTC when it has none */
export const zoneOf = (trigger: TimeTrigger): string =>
  (trigger.type === "INTERVAL" ? undefined : trigger.timezone?.trim()) || "UTC";

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function cronSchedule(text: string, timezone: string): ScheduleReading {
  const pattern = text.trim().replace(/\s+/g, " ");
  const fields = pattern.split(" ").length;
  const problem = (why: string) => ({
    field: "cron",
    problem: `${shown(text)} is not a cron schedule (${why}); write 5 fields as Unix does, such as "0 3 * * *", or 6 to 7 as Quartz does, such as "0 0 3 ? * MON"`,
  });
  if (fields < 5 || fields > 7) return problem(`${fields} fields`);
  const quartz = fields > 5;
  try {
    const cron = new Cron(pattern, {
      timezone,
      mode: quartz ? "6-or-7-parts" : "5-part",
      sloppyRanges: quartz,
      alternativeWeekdays: quartz,
    });
    return { schedule: { next: (after) => cron.nextRun(new Date(after))?.getTime() } };
  } catch (error) {
    return problem(error instanceof Error ? error.message.replace(/^\w+: /, "") : String(error));
  }
}

function intervalSchedule(interval: Parameters<typeof parseDuration>[0], start: string): ScheduleReading {
  const every = parseDuration(interval, "seconds", RANGE.interval);
  if ("problem" in every) return { field: "interval", problem: every.problem };
  const first = parseStart(start);
  if (first === undefined) {
    return {
      field: "start",
      problem: `${shown(start)} is not an instant; write it as "2026-03-26T16:00:00Z" or "03-26-2026 16:00:00.000UTC"`,
    };
  }
  const step = every.value;
  return {
    schedule: {
      next: (after) => (after < first ? first : first + (Math.floor((after - first) / step) + 1) * step),
    },
  };
}

/** Zone abbreviations that may end a start, as minutes from UTC. */
const ZONE_MINUTES: Readonly<Record<string, number>> = {
  "": 0,
  Z: 0,
  UTC: 0,
  GMT: 0,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
};

const START =
  /^(?:(\d{4})-(\d\d)-(\d\d)|(\d\d)-(\d\d)-(\d{4}))[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)? ?([A-Z]{1,3}|[+-]\d\d:?\d\d)?$/i;

function parseStart(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match = START.exec(text.trim());
  if (!match) return undefined;
  const [, isoYear, isoMonth, isoDay, month, day, year, hour, minute, second = "0", milli = "0", zone = ""] = match;
  const offset = zoneMinutes(zone);
  if (offset === undefined) return undefined;
  const date = [isoYear ?? year, isoMonth ?? month, isoDay ?? day].map(Number) as [number, number, number];
  const time = [Number(hour), Number(minute), Number(second)] as const;
  if (date[1] < 1 || date[1] > 12 || time[0] > 23 || time[1] > 59 || time[2] > 59) return undefined;
  const instant = Date.UTC(date[0], date[1] - 1, date[2], ...time, Number(milli.padEnd(3, "0")));
  if (new Date(instant).getUTCDate() !== date[2]) return undefined;
  return instant - offset * 60_000;
}

function zoneMinutes(zone: string): number | undefined {
  const match = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  if (!match) return ZONE_MINUTES[zone.toUpperCase()];
  return (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}
