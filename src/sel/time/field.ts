/** The fields of a local moment: how each is read, set, floored, and which values it takes. */
import {
  civilOf,
  DAY,
  dayOf,
  isLeap,
  MAX_YEAR,
  MIN_YEAR,
  moment,
  monthLength,
  outOfRange,
  weekday,
  weeksIn,
  weekyearOf,
  weekyearStart,
  yearStart,
} from "./calendar.ts";
import type { Moment } from "./type.ts";

export interface Field {
  readonly get: (local: Moment) => number;
  /** Sets a value that is known to be in range. */
  readonly set: (local: Moment, value: number) => Moment;
  /** The start of the unit: everything smaller is reset. */
  readonly floor: (local: Moment) => Moment;
  readonly min: number;
  readonly max: (local: Moment) => number;
  /** Length of the unit and of what contains it, in milliseconds, for the order in which parsed fields apply. */
  readonly unit: number;
  readonly range: number;
}

export const HOUR = 3_600_000;
const WEEK = 7 * DAY;
const MONTH = 2_629_746_000;
const YEAR = 31_556_952_000;
const CENTURY = 100 * YEAR;

const midnight = (day: number): Moment => ({ day, ms: 0 });

function setYear(local: Moment, year: number): Moment {
  const { year: old } = civilOf(local.day);
  let offset = local.day - yearStart(old);
  if (offset >= 59) offset += (isLeap(year) ? 1 : 0) - (isLeap(old) ? 1 : 0);
  return moment(yearStart(year) + offset, local.ms);
}

export function setMonth(local: Moment, year: number, month: number): Moment {
  const { day } = civilOf(local.day);
  return moment(dayOf(year, month, Math.min(day, monthLength(year, month))), local.ms);
}

function setWeekyear(local: Moment, weekyear: number): Moment {
  const week = Math.min(weekyearOf(local.day).week, weeksIn(weekyear));
  return moment(weekyearStart(weekyear) + (week - 1) * 7 + weekday(local.day) - 1, local.ms);
}

/** A field of the time of day: `size` milliseconds, counted from 0 to `count − 1` within its range. */
function clock(size: number, count: number): Field {
  const get = ({ ms }: Moment): number => Math.floor(ms / size) % count;
  return {
    get,
    set: (local, value) => ({ day: local.day, ms: local.ms + (value - get(local)) * size }),
    floor: (local) => ({ day: local.day, ms: local.ms - (local.ms % size) }),
    min: 0,
    max: () => count - 1,
    unit: size,
    range: size * count,
  };
}

/** The same clock with `count` written for 0. */
function clockhour(base: Field, count: number): Field {
  return {
    ...base,
    get: (local) => base.get(local) || count,
    set: (local, value) => base.set(local, value === count ? 0 : value),
    min: 1,
    max: () => count,
  };
}

const yearOfEra = (year: number): number => (year > 0 ? year : 1 - year);
const yearOf = (local: Moment): number => civilOf(local.day).year;
const setYearOfEra = (local: Moment, value: number): Moment => setYear(local, yearOf(local) > 0 ? value : 1 - value);

const DATE_FIELDS: readonly (readonly [string, Field])[] = [
  [
    "era",
    {
      get: (local) => (yearOf(local) > 0 ? 1 : 0),
      set: (local, value) => (yearOf(local) > 0 === (value === 1) ? local : setYear(local, 1 - yearOf(local))),
      floor: (local) => midnight(yearStart(yearOf(local) > 0 ? 1 : MIN_YEAR + 1)),
      min: 0,
      max: () => 1,
      unit: Number.POSITIVE_INFINITY,
      range: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "centuryOfEra",
    {
      get: (local) => Math.floor(yearOfEra(yearOf(local)) / 100),
      set: (local, value) => setYearOfEra(local, value * 100 + (yearOfEra(yearOf(local)) % 100)),
      floor: (local) => {
        const year = yearOf(local);
        return midnight(yearStart(year > 0 ? year - (year % 100) : year - ((((year - 1) % 100) + 100) % 100)));
      },
      min: 0,
      max: () => Math.floor(MAX_YEAR / 100),
      unit: CENTURY,
      range: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "yearOfEra",
    {
      get: (local) => yearOfEra(yearOf(local)),
      set: setYearOfEra,
      floor: (local) => midnight(yearStart(yearOf(local))),
      min: 1,
      max: () => MAX_YEAR,
      unit: YEAR,
      range: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "year",
    {
      get: yearOf,
      set: setYear,
      floor: (local) => midnight(yearStart(yearOf(local))),
      min: MIN_YEAR,
      max: () => MAX_YEAR,
      unit: YEAR,
      range: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "weekyear",
    {
      get: (local) => weekyearOf(local.day).weekyear,
      set: setWeekyear,
      floor: (local) => midnight(weekyearStart(weekyearOf(local.day).weekyear)),
      min: MIN_YEAR,
      max: () => MAX_YEAR,
      unit: YEAR,
      range: Number.POSITIVE_INFINITY,
    },
  ],
  [
    "monthOfYear",
    {
      get: (local) => civilOf(local.day).month,
      set: (local, value) => setMonth(local, yearOf(local), value),
      floor: (local) => midnight(local.day - civilOf(local.day).day + 1),
      min: 1,
      max: () => 12,
      unit: MONTH,
      range: YEAR,
    },
  ],
  [
    "weekOfWeekyear",
    {
      get: (local) => weekyearOf(local.day).week,
      set: (local, value) => moment(local.day + (value - weekyearOf(local.day).week) * 7, local.ms),
      floor: (local) => midnight(local.day - weekday(local.day) + 1),
      min: 1,
      max: (local) => weeksIn(weekyearOf(local.day).weekyear),
      unit: WEEK,
      range: YEAR,
    },
  ],
  [
    "dayOfYear",
    {
      get: (local) => local.day - yearStart(yearOf(local)) + 1,
      set: (local, value) => moment(yearStart(yearOf(local)) + value - 1, local.ms),
      floor: (local) => midnight(local.day),
      min: 1,
      max: (local) => (isLeap(yearOf(local)) ? 366 : 365),
      unit: DAY,
      range: YEAR,
    },
  ],
  [
    "dayOfMonth",
    {
      get: (local) => civilOf(local.day).day,
      set: (local, value) => moment(local.day + value - civilOf(local.day).day, local.ms),
      floor: (local) => midnight(local.day),
      min: 1,
      max: (local) => {
        const { year, month } = civilOf(local.day);
        return monthLength(year, month);
      },
      unit: DAY,
      range: MONTH,
    },
  ],
  [
    "dayOfWeek",
    {
      get: (local) => weekday(local.day),
      set: (local, value) => moment(local.day + value - weekday(local.day), local.ms),
      floor: (local) => midnight(local.day),
      min: 1,
      max: () => 7,
      unit: DAY,
      range: WEEK,
    },
  ],
];

const hourOfDay = clock(HOUR, 24);
const hourOfHalfday = clock(HOUR, 12);

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ...DATE_FIELDS,
  ["halfdayOfDay", clock(12 * HOUR, 2)],
  ["hourOfDay", hourOfDay],
  ["clockhourOfDay", clockhour(hourOfDay, 24)],
  ["hourOfHalfday", hourOfHalfday],
  ["clockhourOfHalfday", clockhour(hourOfHalfday, 12)],
  ["minuteOfDay", clock(60_000, 1440)],
  ["minuteOfHour", clock(60_000, 60)],
  ["secondOfDay", clock(1000, 86_400)],
  ["secondOfMinute", clock(1000, 60)],
  ["millisOfDay", clock(1, DAY)],
  ["millisOfSecond", clock(1, 1000)],
]);

/** @param name one of the names above; the caller knows that it is. */
export function fieldOf(name: string): Field {
  const field = FIELDS.get(name);
  if (field === undefined) throw new RangeError(`no field ${name}`);
  return field;
}

/** @throws SelError argument when the value is out of range. */
export function setField(name: string, local: Moment, value: number): Moment {
  const field = fieldOf(name);
  const max = field.max(local);
  if (value < field.min || value > max) outOfRange(name, value, field.min, max);
  return field.set(local, value);
}
