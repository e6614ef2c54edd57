/**
 * A simulated process: a clock that runs only while it does. While it is paused, what is due waits; once it is dead,
 * nothing of it happens any more.
 */
import type { Clock, Timer } from "../../src/clock.ts";
import type { SimClock } from "./clock.ts";

export class SimProcess implements Clock {
  readonly random: () => number;
  readonly #world: SimClock;
  /** How wrong its time of day is, ms. */
  readonly #skew: number;
  #spent = 0;
  #pausedUntil = 0;
  #isDead = false;

  constructor(world: SimClock, skew: number) {
    this.#world = world;
    this.#skew = skew;
    this.random = world.random;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  get isPaused(): boolean {
    return this.#world.elapsed() < this.#pausedUntil;
  }

  /** `kill -9`. */
  kill(): void {
    this.#isDead = true;
  }

  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#world.elapsed() + ms);
  }

  resume(): void {
    this.#pausedUntil = 0;
  }

  /** Work takes time, a little for each look at the clock: so slices end, wherever chance has it. */
  elapsed(): number {
    this.#spent += this.random() < 0.1 ? this.random() * 6 : 0;
    return this.#world.elapsed() + this.#spent;
  }

  now(): number {
    return this.#world.now() + this.#skew;
  }

  at(time: number, callback: () => void): Timer {
    return this.#world.at(time - this.#skew, () => this.enter(callback));
  }

  after(delay: number, callback: () => void): Timer {
    return this.#world.after(delay, () => this.enter(callback));
  }

  soon(callback: () => void): Timer {
    return this.#world.soon(() => this.enter(callback));
  }

  /** Something happens in it, once it runs. */
  enter(event: () => void): void {
    if (this.#isDead) return;
    if (this.isPaused) this.#world.at(this.#pausedUntil, () => this.enter(event));
    else event();
  }
}
