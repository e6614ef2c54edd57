/**
 * Gives the flows of a thread their turns. A flow with mail stands in one queue; a slice of time ends with a return to
 * the event loop, so that results, timers and messages get in however busy the flows are. While the writer is behind,
 * no flow gets a turn: that is the engine's back-pressure.
 */

import type { Clock } from "../clock.ts";

export interface Scheduled {
  /** Works through its mail until `deadline` (a `elapsed` of the clock); true when there is more to do. */
  turn(deadline: number): boolean;
  /** The turn has thrown. It gets no further one unless it is ready again. */
  failed(error: unknown): void;
}

/** How long flows or starts may hold the thread, ms, before others get in. */
export const SLICE = 5;

export interface SchedulerOptions {
  readonly clock: Clock;
  /** As {@link SLICE}, which is the default. */
  readonly slice?: number;
  /** True while nothing more may be produced. */
  readonly congested: () => boolean;
  /** Resolves when the congestion is worth another look. */
  readonly relief: () => Promise<void>;
}

export class Scheduler {
  readonly #slice: number;
  readonly #options: SchedulerOptions;
  #queue: Scheduled[] = [];
  readonly #queued = new Set<Scheduled>();
  #below: { readonly backlog: number; readonly callback: () => void }[] = [];
  #running = false;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#slice = options.slice ?? SLICE;
  }

  /** The flow has mail. */
  ready(flow: Scheduled): void {
    if (this.#stopped || this.#queued.has(flow)) return;
    this.#queued.add(flow);
    this.#queue.push(flow);
    if (this.#running) return;
    this.#running = true;
    queueMicrotask(this.#run);
  }

  /** Flows that wait for a turn. */
  get backlog(): number {
    return this.#queue.length;
  }

  /** Callbacks that wait for less to do. */
  get waiting(): number {
    return this.#below.length;
  }

  /** Calls back once, when less than so many flows wait for a turn. */
  whenBelow(backlog: number, callback: () => void): void {
    this.#below.push({ backlog, callback });
  }

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#queued.clear();
  }

  #run = (): void => {
    const deadline = this.#options.clock.elapsed() + this.#slice;
    const waiting = this.#queue;
    this.#queue = [];
    let done = 0;
    while (done < waiting.length && !this.#options.congested()) {
      const flow = waiting[done++] as Scheduled;
      this.#queued.delete(flow);
      if (turned(flow, deadline)) this.ready(flow);
      if (this.#options.clock.elapsed() >= deadline) break;
    }
    if (done < waiting.length) this.#queue = waiting.slice(done).concat(this.#queue);
    this.#next();
  };

  #next(): void {
    if (this.#below.length > 0) this.#tellBelow();
    if (this.#queue.length === 0) {
      this.#running = false;
    } else if (this.#options.congested()) {
      void this.#options.relief().then(this.#run);
    } else {
      this.#options.clock.soon(this.#run);
    }
  }

  #tellBelow(): void {
    const now = this.#below.filter(({ backlog }) => this.#queue.length < backlog);
    if (now.length === 0) return;
    this.#below = this.#below.filter((waiting) => !now.includes(waiting));
    for (const { callback } of now) callback();
  }
}

/** One flow's fault is not the others'. */
function turned(flow: Scheduled, deadline: number): boolean {
  try {
    return flow.turn(deadline);
  } catch (error) {
    flow.failed(error);
    return false;
  }
}
