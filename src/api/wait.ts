/** Waiting for something in the database to change: a hint wakes at once, a slow re-read makes up for lost hints. */
import type { Clock, Timer } from "../clock.ts";
import type { Unsubscribe } from "./port.ts";

/** Milliseconds between two looks when no hint comes. */
export const RE_READ = 1000;

/** @typeParam News what a hint may bring along */
export class Wakeup<News = void> {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #unsubscribe: Unsubscribe;
  readonly #onAbort = (): void => this.#wake();
  /** A hint came since the last wait began to look. */
  #hinted = false;
  /** What a hint has brought and nobody has taken yet. */
  #news: News | undefined;
  #resolve: (() => void) | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, signal: AbortSignal, subscribe: (listener: (news?: News) => void) => Unsubscribe) {
    this.#clock = clock;
    this.#signal = signal;
    this.#unsubscribe = subscribe((news) => {
      this.#hinted = true;
      this.#news = news ?? this.#news;
      this.#wake();
    });
    signal.addEventListener("abort", this.#onAbort);
  }

  /**
   * Resolves at a hint, also one that came before the call; at the instant (epoch ms); or when the client is gone.
   * @returns what a hint has brought
   */
  async until(time: number): Promise<News | undefined> {
    if (!this.#hinted && !this.#signal.aborted) await this.#sleep(time);
    const news = this.#news;
    this.#hinted = false;
    this.#news = undefined;
    return news;
  }

  #sleep(time: number): Promise<void> {
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
    resolve();
  }
}
