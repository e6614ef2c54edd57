/** Clocks for tests: one whose time a test moves, and one in which all that happens is an event in a queue. */
import { type Clock, systemClock, type Timer } from "../../src/clock.ts";
import { SLICE } from "../../src/flow/scheduler.ts";

/** Time that stands still until a test moves it. What is to happen soon happens in the event loop's next turn. */
export class FakeClock implements Clock {
  readonly soon = systemClock.soon;
  readonly random = systemClock.random;
  #now = 1_700_000_000_000;
  #timers: { time: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  /** As the machine's, and as much more as the time was moved. */
  elapsed(): number {
    return systemClock.elapsed() + this.#now;
  }

  at(time: number, callback: () => void): Timer {
    const entry = { time, callback };
    this.#timers.push(entry);
    const cancel = (): void => {
      this.#timers = this.#timers.filter((other) => other !== entry);
    };
    return { cancel };
  }

  after(delay: number, callback: () => void): Timer {
    return this.at(this.#now + delay, callback);
  }

  get armed(): number {
    return this.#timers.length;
  }

  /** The earliest instant at which something is due. */
  get next(): number | undefined {
    return this.#timers.length === 0 ? undefined : Math.min(...this.#timers.map(({ time }) => time));
  }

  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time);
    const due = this.#timers.filter((entry) => entry.time <= this.#now).sort((a, b) => a.time - b.time);
    this.#timers = this.#timers.filter((entry) => entry.time > this.#now);
    for (const { callback } of due) callback();
  }
}

interface Entry {
  readonly time: number;
  readonly order: number;
  callback: (() => void) | undefined;
}

/** How many looks at the clock find that a slice is over. */
const SLOW = 0.05;
/** The longest turn of an event loop, ms. */
const BUSY = 200;

/** Time and chance out of a seed: whatever happens is an event in one queue, and time is that of the event. */
export class SimClock implements Clock {
  readonly random: () => number;
  #now = 1_700_000_000_000;
  #spent = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  constructor(seed = 1) {
    this.random = chanceOf(seed);
  }

  now(): number {
    return Math.floor(this.#now);
  }

  /** Work takes its time: now and then as long as a thread may be held. */
  elapsed(): number {
    if (this.random() < SLOW) this.#spent += SLICE;
    return this.#now + this.#spent;
  }

  at(time: number, callback: () => void): Timer {
    const entry: Entry = { time: Math.max(time, this.#now), order: this.#order++, callback };
    this.#rise(entry);
    const cancel = (): void => {
      entry.callback = undefined;
    };
    return { cancel };
  }

  after(delay: number, callback: () => void): Timer {
    return this.at(this.#now + delay, callback);
  }

  soon(callback: () => void): Timer {
    return this.at(this.#now + (this.random() < SLOW ? this.random() * BUSY : 0), callback);
  }

  /** When the next event is; undefined: there is none. */
  get next(): number | undefined {
    while (this.#heap.length > 0 && this.#heap[0]?.callback === undefined) this.#take();
    return this.#heap[0]?.time;
  }

  /** The next event happens. @returns false when there is none */
  step(): boolean {
    if (this.next === undefined) return false;
    const { time, callback } = this.#take() as Entry;
    this.#now = time;
    callback?.();
    return true;
  }

  #rise(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    for (;;) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = entry;
  }

  #take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || first === last) return first;
    let index = 0;
    for (;;) {
      const left = index * 2 + 1;
      const [a, b] = [heap[left], heap[left + 1]];
      const least = a && b && isBefore(b, a) ? left + 1 : left;
      const below = heap[least];
      if (below === undefined || !isBefore(below, last)) break;
      heap[index] = below;
      index = least;
    }
    heap[index] = last;
    return first;
  }
}

const isBefore = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
