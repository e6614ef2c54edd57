/**
 * What lies between the parts of a simulated cluster: messages take a while, and may be lost, late or repeated; a link may
 * be cut. Nothing here knows what a message means.
 */
import type { SimClock } from "./clock.ts";

/** How bad it is, from 0 to 1. */
export interface Weather {
  readonly loss: number;
  readonly repeat: number;
  /** Of messages that take up to seconds. */
  readonly late: number;
}

export const FAIR: Weather = { loss: 0, repeat: 0, late: 0 };

export class Network {
  weather: Weather = FAIR;
  readonly #clock: SimClock;
  /** Links that are cut, both ways. */
  readonly #cut = new Set<string>();

  constructor(clock: SimClock) {
    this.#clock = clock;
  }

  cut(a: string, b: string): void {
    this.#cut.add(linkOf(a, b));
  }

  heal(a: string, b: string): void {
    this.#cut.delete(linkOf(a, b));
  }

  healAll(): void {
    this.#cut.clear();
    this.weather = FAIR;
  }

  isCut(a: string, b: string): boolean {
    return this.#cut.has(linkOf(a, b));
  }

  /** A message of which nobody hears whether it came. */
  send(from: string, to: string, deliver: () => void): void {
    const { loss, repeat } = this.weather;
    const { random } = this.#clock;
    if (this.isCut(from, to) || random() < loss) return;
    this.#clock.after(this.delay(), deliver);
    if (random() < repeat) this.#clock.after(this.delay(), deliver);
  }

  /** Milliseconds on the way. */
  delay(): number {
    const { random } = this.#clock;
    return random() < this.weather.late ? random() * 5_000 : 0.1 + random() * 1.5;
  }
}

const linkOf = (a: string, b: string): string => (a < b ? `${a} ${b}` : `${b} ${a}`);
