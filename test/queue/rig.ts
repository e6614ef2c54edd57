/** Queues of several nodes on one real database, on a clock that a test moves. Waits for what is under way, not for time. */
import { createLogger } from "../../src/log.ts";
import { Lane, type LaneOptions } from "../../src/queue/lane.ts";
import type { Entry, Processor, QueueStore } from "../../src/queue/port.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { Sql } from "../../src/store/connection.ts";
import { openQueueStore } from "../../src/store/outbox.ts";
import { FakeClock } from "../simulation/clock.ts";

export class Rig {
  readonly clock = new FakeClock();
  /** What queues have logged. */
  readonly logged: string[] = [];
  /** Statements so far, by the method of the store. */
  readonly statements: string[] = [];
  readonly #sql: Sql;
  readonly #pending = new Set<Promise<unknown>>();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** A node's queue. Calls that do not end are not waited for. */
  queue(...processors: readonly Processor[]): Queue {
    return new Queue({ processors, ...this.#options() });
  }

  lane(processor: Processor): Lane {
    return new Lane(processor, this.#options());
  }

  #options(): LaneOptions {
    const log = createLogger({ format: "json", level: "warn", write: (line) => this.logged.push(line) });
    return { store: this.#store(), clock: this.clock, log };
  }

  #store(): QueueStore {
    const store = openQueueStore(this.#sql);
    const watched =
      <A extends readonly unknown[], R>(name: string, work: (...args: A) => Promise<R>) =>
      (...args: A): Promise<R> => {
        this.statements.push(name);
        return this.pending(work(...args));
      };
    return {
      take: watched("take", store.take),
      done: watched("done", store.done),
      failed: watched("failed", store.failed),
      release: watched("release", store.release),
    };
  }

  /** Work that {@link quiet} waits for. */
  pending<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work);
    const settled = (): void => void this.#pending.delete(work);
    work.then(settled, settled);
    return work;
  }

  /** Resolves when no statement is under way, and none follows on one. */
  async quiet(): Promise<void> {
    for (let still = 0; still < 4; still++) {
      if (this.#pending.size > 0) still = 0;
      await Promise.allSettled(this.#pending);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Moves time, from one timer to the next. */
  async moveTo(time: number): Promise<void> {
    await this.quiet();
    while (this.clock.next !== undefined && this.clock.next <= time) {
      this.clock.moveTo(this.clock.next);
      await this.quiet();
    }
    this.clock.moveTo(time);
    await this.quiet();
  }
}

/** What a processor was given, call by call, and what becomes of the calls. */
export class Handled {
  readonly calls: (readonly Entry[])[] = [];
  readonly #held: PromiseWithResolvers<void>[] = [];

  get keys(): readonly string[] {
    return this.calls.flat().map(({ key }) => key);
  }

  /** For a processor's `handle`: notes the call, and fails as `fail` says. */
  by = async (entries: readonly Entry[]): Promise<void> => {
    this.calls.push(entries);
    await this.fail(entries);
  };

  fail: (entries: readonly Entry[]) => Promise<void> | void = () => {};

  /** For `fail`: the call ends when it is let go. */
  hold = (): Promise<void> => {
    const held = Promise.withResolvers<void>();
    this.#held.push(held);
    return held.promise;
  };

  /** Lets all calls go that are held. */
  letGo(): void {
    for (const { resolve } of this.#held.splice(0)) resolve();
  }
}
