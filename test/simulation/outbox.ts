/** The outbox of a simulated database: what `store/outbox.ts` promises, each method atomic. */
import type { Json } from "../../src/json.ts";
import type { Entry, Failure } from "../../src/queue/port.ts";
import type { LetterWrite, OutboxWrite } from "../../src/store/writer/batch.ts";

interface Row {
  readonly topic: string;
  readonly key: string;
  readonly payload: Json | undefined;
  readonly attempts: number;
  readonly nextTime: number;
  readonly error: string | undefined;
  readonly dead: boolean;
}

export class SimOutbox {
  readonly #rows = new Map<string, Row>();

  add({ topic, key, payload, held = 0 }: OutboxWrite): void {
    const known = this.#rows.get(nameOf(topic, key));
    const nextTime = known?.nextTime === held ? 0 : held;
    this.#set({ topic, key, payload, attempts: 0, nextTime, error: undefined, dead: false });
  }

  bury({ topic, key, payload, error }: LetterWrite, now: number): void {
    this.#set({ topic, key, payload, attempts: 0, nextTime: now, error, dead: true });
  }

  has(topic: string, key: string): boolean {
    return this.#rows.has(nameOf(topic, key));
  }

  delete(topic: string, key: string): void {
    this.#rows.delete(nameOf(topic, key));
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()];
  }

  take(topic: string, now: number, limit: number, hold: number): readonly Entry[] {
    const due = this.rows.filter((row) => row.topic === topic && !row.dead && row.nextTime <= now).slice(0, limit);
    for (const row of due) this.#set({ ...row, nextTime: now + hold });
    return due.map(({ key, payload, attempts }) => ({ topic, key, payload, attempts, token: now + hold }));
  }

  done(entries: readonly Entry[]): void {
    for (const entry of entries) if (this.#known(entry)) this.delete(entry.topic, entry.key);
  }

  failed(failures: readonly Failure[]): void {
    for (const { entry, error, time, dead } of failures) {
      const row = this.#known(entry);
      if (row) this.#set({ ...row, attempts: entry.attempts + 1, nextTime: time, error, dead });
    }
  }

  release(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const row = this.#known(entry);
      if (row) this.#set({ ...row, nextTime: 0 });
    }
  }

  #known({ topic, key, token }: Entry): Row | undefined {
    const row = this.#rows.get(nameOf(topic, key));
    return row?.nextTime === token && !row.dead ? row : undefined;
  }

  #set(row: Row): void {
    this.#rows.set(nameOf(row.topic, row.key), row);
  }
}

const nameOf = (topic: string, key: string): string => `${topic} ${key}`;
