/**
 * The ranges of the numbers that a definition brings. Schemas, rules, built-in step types, the engine and README have
 * them from here; what a plugin answers has its ranges in the SDK.
 */
import { shown } from "./finding.ts";

/** Both ends are included. */
export interface Range {
  readonly min: number;
  readonly max: number;
  /** Such as `1 to 99`, with the unit that a user writes. */
  readonly text: string;
}

const SECOND = 1_000;
const DAY = 86_400_000;

const count = (min: number, max: number): Range => ({ min, max, text: `${min} to ${max}` });

/** What definitions may say, by what it is. Durations are in milliseconds; their texts are in the units of the field. */
export const RANGE = {
  /** Of workflows and steps. */
  timeout: { min: 1, max: 120 * DAY, text: "more than 0 and at most 120 days" },
  retries: count(0, 99),
  backoff: { min: SECOND, max: DAY, text: "1 to 86400 seconds" },
  exponent: count(0, 2_147_483_647),
  /** What a Sleep step waits; below 0 counts as 0, for who computes it from an instant that has passed. */
  sleep: { min: 0, max: 120 * DAY, text: "at most 10368000 seconds (120 days)" },
  fuzzyDelay: { min: 1, max: 120 * DAY, text: "more than 0 and at most 120 days" },
  interval: { min: 1, max: 36_525 * DAY, text: "more than 0 and at most 36525 days" },
  /** Epoch milliseconds. */
  instant: { min: 0, max: 253_402_300_799_999, text: "0 to 253402300799999 (the years 1970 to 9999)" },
  workflowConcurrency: count(1, 1000),
  stepConcurrency: count(1, 1000),
  instanceStepConcurrency: count(1, 999),
  foreachConcurrency: count(1, 500),
  /** Steps with a tag at a time. */
  permits: count(0, 2_147_483_647),
  /** Minutes after which an alert is due. */
  alertMinutes: count(0, 172_800),
  /** Hours after midnight by which a run is to be complete. */
  alertHours: count(0, 2_880),
} as const satisfies Readonly<Record<string, Range>>;

/** What is wrong with a number outside its range; undefined within. @param given as the user wrote it */
export function outside(range: Range, value: number, given: unknown = value): string | undefined {
  if (value >= range.min && value <= range.max) return undefined;
  return `${shown(given)} is out of range; it must be ${range.text}`;
}
