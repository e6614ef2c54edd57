/** The timers of a state machine: it says when what is due, and they are armed and cancelled accordingly. */
import type { Timer } from "../clock.ts";
import type { TimerHeap } from "./timer.ts";

type Due<Name extends string> = { readonly [name in Name]?: number };

export class Timing<Name extends string> {
  readonly #timers: TimerHeap;
  readonly #due: (name: Name, time: number) => void;
  readonly #armed = new Map<Name, { readonly time: number; readonly timer: Timer }>();

  constructor(timers: TimerHeap, due: (name: Name, time: number) => void) {
    this.#timers = timers;
    this.#due = due;
  }

  /** @param wanted epoch ms, by name; whatever is not there is cancelled */
  set(wanted: Due<Name>): void {
    const armed = this.#armed;
    for (const [name, { time, timer }] of armed) {
      if (wanted[name] === time) continue;
      timer.cancel();
      armed.delete(name);
    }
    for (const [name, time] of Object.entries(wanted) as [Name, number][]) {
      if (armed.has(name)) continue;
      const timer = this.#timers.at(time, () => {
        armed.delete(name);
        this.#due(name, time);
      });
      armed.set(name, { time, timer });
    }
  }
}
