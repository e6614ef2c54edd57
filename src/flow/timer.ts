/** Many timers on one: a binary heap by due time, with a single callback of the clock armed for the earliest. */
import type { Clock, Timer } from "../clock.ts";

interface Entry extends Timer {
  readonly time: number;
  callback: (() => void) | undefined;
}

export class TimerHeap {
  readonly #clock: Clock;
  readonly #heap: Entry[] = [];
  #armed: { readonly time: number; readonly timer: Timer } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param time epoch ms; the past means as soon as possible, never at once. */
  at(time: number, callback: () => void): Timer {
    const entry: Entry = {
      time,
      callback,
      cancel() {
        this.callback = undefined;
      },
    };
    this.#push(entry);
    this.#arm();
    return entry;
  }

  stop(): void {
    this.#armed?.timer.cancel();
    this.#armed = undefined;
    this.#heap.length = 0;
  }

  #fire = (): void => {
    this.#armed = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first && first.time <= now; first = this.#heap[0]) {
      this.#pop();
      first.callback?.();
    }
    this.#arm();
  };

  #arm(): void {
    // Cancelled timers leave the heap when they come up; the head decides when to look next.
    while (this.#heap[0] && !this.#heap[0].callback) this.#pop();
    const first = this.#heap[0];
    if (!first) return;
    if (this.#armed && this.#armed.time <= first.time) return;
    this.#armed?.timer.cancel();
    this.#armed = { time: first.time, timer: this.#clock.at(first.time, this.#fire) };
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Entry;
      if (above.time <= entry.time) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Entry).time < (heap[child] as Entry).time) child++;
      const below = heap[child] as Entry;
      if (below.time >= last.time) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}
