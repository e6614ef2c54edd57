/** Waiting for something in the database to change: a hint wakes at once, a slow re-read makes up for lost hints. */
import type { Clock, Timer } from "../clock.ts";
import type { Unsubscribe } from "./port.ts";

/** Milliseconds between two looks when no hint comes. */
export const RE_READ = 1000;

export class Wakeup {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #unsubscribe: Unsubscribe;
  readonly #onAbort = (): void => this.#wake();
  /** A hint came since the last wait began to look. */
  #hinted = false;
  #resolve: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, signal: AbortSignal, subscribe: (listener: () => void) => Unsubscribe) {
    this.#clock = clock;
    this.#signal = signal;
    this.#unsubscribe = subscribe(() => {
      this.#hinted = true;
      this.#wake();
    });
    signal.addEventListener("abort", this.#onAbort);
  }

  /** Resolves at a hint, also one that came before the call; at the instant (epoch ms); or when the client is gone. */
  until(time: number): Promise<void> {
    if (this.#hinted || this.#signal.aborted) {
      this.#hinted = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#resolve = resolve;
      this.#timer = this.#clock.at(time, () => this.#wake());
    });
  }

  close(): void {
    this.#unsubscribe();
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#wake();
  }

  #wake(): void {
    this.#timer?.cancel();
    const resolve = this.#resolve;
    if (resolve === undefined) return;
    this.#resolve = undefined;
    this.#hinted = false;
    resolve();
  }
}
