/**
 * Gives the flows of a thread their turns. A flow with mail stands in one queue; a slice of time ends with a return to
 * the event loop, so that results, timers and messages get in however busy the flows are. While the writer is behind,
 * no flow gets a turn: that is the engine's back-pressure.
 */

export interface Scheduled {
  /** Works through its mail until `deadline` (a `performance.now()` instant); true when there is more to do. */
  turn(deadline: number): boolean;
}

export interface SchedulerOptions {
  /** How long flows may hold the thread, milliseconds. */
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
  #running = false;
  #stopped = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#slice = options.slice ?? 5;
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

  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#queued.clear();
  }

  #run = (): void => {
    const deadline = performance.now() + this.#slice;
    const waiting = this.#queue;
    this.#queue = [];
    let done = 0;
    while (done < waiting.length && !this.#options.congested()) {
      const flow = waiting[done++] as Scheduled;
      this.#queued.delete(flow);
      if (flow.turn(deadline)) this.ready(flow);
      if (performance.now() >= deadline) break;
    }
    if (done < waiting.length) this.#queue = waiting.slice(done).concat(this.#queue);
    this.#next();
  };

  #next(): void {
    if (this.#queue.length === 0) {
      this.#running = false;
    } else if (this.#options.congested()) {
      void this.#options.relief().then(this.#run);
    } else {
      setImmediate(this.#run);
    }
  }
}
