/**
 * Many timers on one: a binary heap by due time, with a single callback of the clock armed for the earliest. A timer that
 * is cancelled leaves the heap at once: most timers are timeouts of days, which hardly ever come up.
 */
import type { Clock, Timer } from "../clock.ts";

interface Entry extends Timer {
  readonly time: number;
  readonly callback: () => void;
  /** Where in the heap it stands; -1: it has fired, or was cancelled. */
  index: number;
}

export class TimerHeap {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #armed: { readonly time: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Timers that may still fire. */
  get size(): number {
    return this.#heap.length;
  }

  /** @param time epoch ms; the past means as soon as possible, never at once. */
  at(time: number, callback: () => void): Timer {
    const index = this.#heap.length;
    const entry: Entry = { time, callback, index, cancel: () => this.#remove(entry) };
    this.#heap.push(entry);
    this.#rise(entry);
    this.#arm();
    return entry;
  }

  stop(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    for (const entry of this.#heap) entry.index = -1;
    this.#heap.length = 0;
  }

  #fire = (): void => {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.time <= now; first = this.#heap[0]) {
      this.#remove(first);
      first.callback();
    }
    this.#arm();
  };

  /** The clock's timer may be earlier than the earliest entry, whose like was cancelled: it then looks again. */
  #arm(): void {
    const first = this.#heap[0];
    if (!first || (this.#armed && this.#armed.time <= first.time)) return;
    this.#armed?.timer.cancel();
    this.#armed = { time: first.time, timer: this.#clock.at(first.time, this.#fire) };
  }

  #remove(entry: Entry): void {
    const { index } = entry;
    const last = this.#heap.at(-1);
    if (index < 0 || !last) return;
    entry.index = -1;
    this.#heap.pop();
    if (last === entry) return;
    this.#place(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    for (;;) {
      const parent = (entry.index - 1) >> 1;
      const above = this.#heap[parent];
      if (!above || above.time <= entry.time) return;
      this.#swap(entry, above);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#heap[entry.index * 2 + 1];
      const right = this.#heap[entry.index * 2 + 2];
      const below = right && left && right.time < left.time ? right : left;
      if (!below || below.time >= entry.time) return;
      this.#swap(entry, below);
    }
  }

  #swap(a: Entry, b: Entry): void {
    const { index } = a;
    this.#place(a, b.index);
    this.#place(b, index);
  }

  #place(entry: Entry, index: number): void {
    this.#heap[index] = entry;
    entry.index = index;
  }
}
