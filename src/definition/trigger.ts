/** Time triggers in their wire shape; `schedule.ts` tells when they fire. */
import { z } from "zod";
import { type ParsableLong, parsableLongSchema } from "./duration.ts";
import { caseless, type Fields, kind, reading, strict, text, typeError } from "./wire.ts";

export const PREDEFINED_SCHEDULES = ["@hourly", "@daily", "@weekly", "@monthly", "@yearly"] as const;

export type PredefinedSchedule = (typeof PREDEFINED_SCHEDULES)[number];

interface TriggerFields {
  /** Delays each firing by a fixed pseudo-random number of seconds below it; a bare number is milliseconds. */
  readonly fuzzy_max_delay?: ParsableLong | undefined;
}

export interface CronTimeTrigger extends TriggerFields {
  readonly cron: string;
  /** IANA zone, UTC when absent. */
  readonly timezone?: string | undefined;
  readonly type: "CRON";
}

export interface PredefinedTimeTrigger extends TriggerFields {
  readonly expression: PredefinedSchedule;
  readonly timezone?: string | undefined;
  readonly type: "PREDEFINED";
}

export interface IntervalTimeTrigger extends TriggerFields {
  /** A duration text such as `3h`; a bare number is seconds. */
  readonly interval: ParsableLong;
  /** The first firing: ISO 8601, or upstream's `MM-dd-yyyy HH:mm:ss.SSSz`. */
  readonly start: string;
  readonly type: "INTERVAL";
}

export type TimeTrigger = CronTimeTrigger | PredefinedTimeTrigger | IntervalTimeTrigger;

const fuzzy = { fuzzy_max_delay: parsableLongSchema.optional() };
const scheduleAlias = Object.fromEntries(PREDEFINED_SCHEDULES.map((schedule) => [schedule.slice(1), schedule]));

const cronSchema = strict({ cron: text, timezone: text.optional(), type: kind("CRON"), ...fuzzy }).meta({
  id: "CronTimeTrigger",
});
const predefinedSchema = strict({
  expression: caseless(PREDEFINED_SCHEDULES, scheduleAlias),
  timezone: text.optional(),
  type: kind("PREDEFINED"),
  ...fuzzy,
}).meta({ id: "PredefinedTimeTrigger" });
const intervalSchema = strict({
  interval: parsableLongSchema,
  start: text,
  type: kind("INTERVAL"),
  ...fuzzy,
}).meta({ id: "IntervalTimeTrigger" });

export const timeTriggerSchema: z.ZodType<TimeTrigger> = reading(
  (fields: Fields) => (typeof fields.type === "string" ? { ...fields, type: fields.type.toUpperCase() } : fields),
  z.discriminatedUnion("type", [cronSchema, predefinedSchema, intervalSchema], {
    error: typeError(["CRON", "PREDEFINED", "INTERVAL"]),
  }),
).meta({ id: "TimeTrigger" });
