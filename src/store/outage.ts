/**
 * A database that does not take what it is given: away, read-only, full, over its limits. Those who ask get one error
 * that says so in our words, and the log gets the database's own, each once a minute, and a line when it is over.
 */
import { MaestroError } from "../error.ts";
import type { Logger } from "../log.ts";
import { failureOf } from "./pipeline.ts";

/** Milliseconds after which a reason that has been logged is logged again. */
const LOG_EVERY = 60_000;
/** Reasons that are logged in that time. */
const MOST_REASONS = 5;

export class Outage {
  readonly #log: Pick<Logger, "error" | "warn">;
  readonly #now: () => number;
  #since: number | undefined;
  #last = Number.NEGATIVE_INFINITY;
  #logged = Number.NEGATIVE_INFINITY;
  readonly #reasons = new Set<string>();
  #refused = 0;

  /** @param now milliseconds of a clock that does not jump */
  constructor(log: Pick<Logger, "error" | "warn">, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  /** Milliseconds since something was refused last; undefined when nothing was, or the database has answered since. */
  get age(): number | undefined {
    return this.#since === undefined ? undefined : this.#now() - this.#last;
  }

  /** @returns what to throw instead of the error: UNAVAILABLE when the failure passes, the error itself otherwise */
  seen(error: unknown): unknown {
    if (error instanceof MaestroError || failureOf(error) === "permanent") return error;
    this.begun(error);
    return unavailable(error);
  }

  /** Something was refused, or has not been answered in time. */
  begun(error: unknown): void {
    const now = this.#now();
    this.#since ??= now;
    this.#last = now;
    this.#refused++;
    if (now - this.#logged >= LOG_EVERY) {
      this.#logged = now;
      this.#reasons.clear();
    }
    const reason = error instanceof Error ? error.message : String(error);
    if (this.#reasons.has(reason) || this.#reasons.size >= MOST_REASONS) return;
    this.#reasons.add(reason);
    this.#log.error("the database does not take what it is given; callers are told to come again", {
      error,
      refused: this.#refused,
    });
  }

  /** The database has taken a write. */
  over(): void {
    if (this.#since === undefined) return;
    const seconds = Math.round((this.#now() - this.#since) / 1000);
    this.#log.warn("the database takes writes again", { refused: this.#refused, seconds });
    this.#since = undefined;
    this.#refused = 0;
    this.#logged = Number.NEGATIVE_INFINITY;
  }
}

export const unavailable = (cause?: unknown): MaestroError =>
  new MaestroError("UNAVAILABLE", "The database cannot answer at the moment; the server's log says why.", {
    retryable: true,
    cause,
  });
