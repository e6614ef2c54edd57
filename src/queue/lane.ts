/**
 * One topic's part of the queue on one thread: what waits in memory, what is worked on, and when to look for more.
 *
 * 1. The row is the truth. What is in memory may be lost: the row is taken by a sweep, here or elsewhere, when its time
 *    has come.
 * 2. What is in memory is bounded. What does not fit is not kept, and looked for when there is room again.
 * 3. No two calls have entries of one key at a time; of what waits for a key, the newest announcement stays.
 * 4. An entry whose token has run out is not worked on: somebody else may have the row by now.
 * 5. A failure is written down before it counts: while the database takes nothing, no row loses a try.
 */
import type { Clock, Timer } from "../clock.ts";
import type { Logger } from "../log.ts";
import { failureOf, PermanentFailure } from "./failure.ts";
import type { Entry, Processor, QueueStore } from "./port.ts";

export interface LaneOptions {
  readonly store: QueueStore;
  readonly clock: Clock;
  readonly log: Pick<Logger, "warn" | "error">;
}

/** Entries of a topic that wait in memory. */
export const MOST_WAITING = 10_000;
/** Entries that a sweep takes at least, if there is room: those of one call are taken together. */
const TAKEN = 100;
const HOLD = 30_000;
/** Between two looks at a database that does not answer, ms: doubled from the first to the last. */
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

export class Lane {
  readonly #processor: Processor;
  readonly #store: QueueStore;
  readonly #clock: Clock;
  readonly #log: LaneOptions["log"];
  readonly #waiting = new Map<string, Entry>();
  readonly #working = new Map<string, Entry>();
  readonly #calls = new Set<Promise<void>>();
  /** There may be rows to act on that are not in memory. */
  #behind = false;
  #sweeping = false;
  #stopped = false;
  #timer: Timer | undefined;
  /** When the timer fires. */
  #due = Number.POSITIVE_INFINITY;
  #pauses = 0;

  constructor(processor: Processor, { store, clock, log }: LaneOptions) {
    this.#processor = processor;
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
  }

  /** Entries in memory: those that wait and those that are worked on. */
  get size(): number {
    return this.#waiting.size + this.#working.size;
  }

  /** The rows have committed: they are acted on at once, if there is room. */
  announce(entries: readonly Entry[]): void {
    if (this.#stopped) return;
    for (const entry of entries) {
      // To delete an everybody's row could delete what is announced meanwhile: it has to be taken first.
      if (entry.token === 0 && this.#processor.settles !== true) this.#behind = true;
      else this.#add(entry);
    }
    this.#advance();
  }

  /** Takes rows that are due. What becomes of them is not waited for. */
  async sweep(): Promise<void> {
    const { topic, batch = 1, hold = HOLD } = this.#processor;
    const room = Math.min(Math.max(TAKEN, batch), MOST_WAITING - this.#waiting.size);
    if (room <= 0) this.#behind = true;
    if (this.#stopped || this.#sweeping || room <= 0) return;
    this.#sweeping = true;
    this.#behind = false;
    try {
      const taken = await this.#store.take(topic, this.#clock.now(), room, hold);
      this.#pauses = 0;
      if (taken.length === room) this.#behind = true;
      if (this.#stopped) await this.#store.release(taken);
      else for (const entry of taken) this.#add(entry);
    } catch (error) {
      this.#unstored("rows of the outbox can't be read", error);
    } finally {
      this.#sweeping = false;
    }
    this.#advance();
  }

  /** Waits for the calls under way, no longer than `patience` milliseconds, and lets go of everything else. */
  async stop(patience: number): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    await this.#release(waiting);
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.after(patience, late.resolve);
    await Promise.race([Promise.all(this.#calls), late.promise]);
    timer.cancel();
    await this.#release([...this.#working.values()]);
  }

  async #release(entries: readonly Entry[]): Promise<void> {
    const held = entries.filter(({ token }) => token !== 0);
    if (held.length === 0) return;
    // Whoever looks next waits for the end of the hold then.
    await this.#store.release(held).catch((error) => this.#log.warn("rows of the outbox are not let go", { error }));
  }

  #add(entry: Entry): void {
    if (this.#waiting.size < MOST_WAITING || this.#waiting.has(entry.key)) this.#waiting.set(entry.key, entry);
    else this.#behind = true;
  }

  #advance(): void {
    const { concurrency = 1 } = this.#processor;
    while (!this.#stopped && this.#calls.size < concurrency) {
      const entries = this.#next();
      if (entries.length === 0) break;
      for (const entry of entries) this.#working.set(entry.key, entry);
      const call = this.#work(entries).finally(() => {
        this.#calls.delete(call);
        for (const { key } of entries) this.#working.delete(key);
        this.#advance();
      });
      this.#calls.add(call);
    }
    if (this.#behind && this.#waiting.size === 0) void this.sweep();
  }

  /** What the next call is given: takes it out of what waits. */
  #next(): readonly Entry[] {
    const { batch = 1 } = this.#processor;
    const now = this.#clock.now();
    const entries: Entry[] = [];
    for (const [key, entry] of this.#waiting) {
      if (this.#working.has(key)) continue;
      const goesAlone = entry.attempts > 0;
      if (goesAlone && entries.length > 0) continue;
      this.#waiting.delete(key);
      if (entry.token !== 0 && entry.token <= now) this.#behind = true;
      else entries.push(entry);
      if (entries.length === batch || (goesAlone && entries.length > 0)) break;
    }
    return entries;
  }

  async #work(entries: readonly Entry[]): Promise<void> {
    try {
      await this.#processor.handle(entries);
    } catch (error) {
      if (entries.length === 1 || !(error instanceof PermanentFailure)) return this.#failed(entries, error);
      // One of them is to blame.
      const middle = entries.length >> 1;
      await this.#work(entries.slice(0, middle));
      return this.#work(entries.slice(middle));
    }
    if (this.#processor.settles === true) return;
    await this.#store
      .done(entries)
      .catch((error) => this.#unstored("rows of the outbox are acted on, and not deleted", error));
  }

  async #failed(entries: readonly Entry[], error: unknown): Promise<void> {
    const failures = entries.map((entry) => failureOf(entry, error, this.#clock.now()));
    try {
      await this.#store.failed(failures);
    } catch (unwritten) {
      return this.#unstored("a failure of the outbox can't be written down", unwritten, error);
    }
    const [first] = failures;
    const { topic } = this.#processor;
    for (const { entry, dead } of failures) {
      if (dead) this.#log.error("a row of the outbox is dead", { topic, key: entry.key, error });
    }
    const later = failures.filter(({ dead }) => !dead);
    if (later.length === 0) return;
    this.#wake(Math.min(...later.map(({ time }) => time)));
    this.#log.warn("rows of the outbox failed, and are tried again", {
      ...{ topic, key: first?.entry.key, rows: later.length, failures: (first?.entry.attempts ?? 0) + 1, error },
    });
  }

  #unstored(what: string, error: unknown, failure?: unknown): void {
    if (this.#stopped) return;
    this.#log.warn(what, { topic: this.#processor.topic, error, failure });
    this.#wake(this.#clock.now() + Math.min(FIRST_PAUSE * 2 ** this.#pauses++, LONGEST_PAUSE));
  }

  /** Looks again at that time, if not before. */
  #wake(time: number): void {
    if (this.#stopped || time >= this.#due) return;
    this.#timer?.cancel();
    this.#due = time;
    this.#timer = this.#clock.at(time, () => {
      this.#due = Number.POSITIVE_INFINITY;
      void this.sweep();
    });
  }
}
