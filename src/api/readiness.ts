/**
 * Whether the database takes writes: a row of its own is written, for real, when somebody asks. Those who ask together
 * share one look, and one that is not answered is not followed by another. While something is refused it looks by
 * itself, so that the log says when that is over.
 */
import type { Sql } from "../store/connection.ts";
import type { Outage } from "../store/outage.ts";
import { probe } from "../store/probe.ts";

/** Milliseconds that a look may take. */
const PATIENCE = 1_500;
/** Milliseconds for which a refusal counts: what a look writes may have room where others have none. */
const RECENT = 5_000;
/** Milliseconds between looks during an outage. */
const PAUSE = 1_000;

export class Readiness {
  readonly #sql: Sql;
  readonly #outage: Outage;
  #look: Promise<unknown> | undefined;
  #since = 0;
  #watch: ReturnType<typeof setTimeout> | undefined;

  constructor(sql: Sql, outage: Outage) {
    this.#sql = sql;
    this.#outage = outage;
  }

  /** @returns what is wrong; undefined when nothing is. Within two seconds. */
  async problem(): Promise<string | undefined> {
    const failure = await this.#result();
    const { age } = this.#outage;
    if (failure === undefined && age !== undefined && age < RECENT) {
      return `the database has refused something ${Math.round(age / 1000)} s ago`;
    }
    if (failure === undefined) this.#outage.over();
    return failure;
  }

  /** Looks now and then until the outage is over. */
  watch(): void {
    if (this.#watch !== undefined || this.#outage.age === undefined) return;
    this.#watch = setTimeout(async () => {
      await this.problem();
      this.#watch = undefined;
      this.watch();
    }, PAUSE);
    this.#watch.unref();
  }

  async #result(): Promise<string | undefined> {
    if (this.#look === undefined) {
      this.#since = performance.now();
      this.#look = probe(this.#sql)
        .then(
          () => undefined,
          (error: unknown) => error,
        )
        .finally(() => {
          this.#look = undefined;
        });
    }
    const late = Promise.withResolvers<typeof LATE>();
    const timer = setTimeout(() => late.resolve(LATE), PATIENCE);
    const error = await Promise.race([this.#look, late.promise]);
    clearTimeout(timer);
    if (error === undefined) return undefined;
    if (error !== LATE) this.#outage.begun(error);
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    if (error === LATE) return `the database has not answered a write for ${seconds} s`;
    return `the database takes no write: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const LATE = Symbol("late");
