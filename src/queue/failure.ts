/** What becomes of a try that has failed. */
import type { Entry, Failure } from "./port.ts";

/** Another try would fail, too: the row is dead at once. */
export class PermanentFailure extends Error {
  override readonly name = "PermanentFailure";
}

/** Tries after which a row is dead: about a day with the backoff below. */
export const MOST_ATTEMPTS = 30;
const FIRST_BACKOFF = 1000;
const LONGEST_BACKOFF = 3_600_000;
/** Characters of an error that are kept. */
const MOST_ERROR = 2_000;

/** Milliseconds before the next try after `failures` failed ones: a second, doubled up to an hour. */
export const backoff = (failures: number): number => Math.min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF);

/** @param now epoch ms */
export function failureOf(entry: Entry, error: unknown, now: number): Failure {
  const failures = entry.attempts + 1;
  const dead = error instanceof PermanentFailure || failures >= MOST_ATTEMPTS;
  return { entry, error: reasonOf(error), dead, time: dead ? now : now + backoff(failures) };
}

/** Of bounded length. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > MOST_ERROR ? `${text.slice(0, MOST_ERROR)}…` : text;
}
