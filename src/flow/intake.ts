/**
 * Steps on their way in, a generation at a time: those whose predecessors have completed, those that are to be prepared,
 * those that are prepared and go when the whole generation is. So steps that become ready together begin together: none
 * sees another's end.
 */
import { Line } from "./line.ts";

interface Prepared {
  /** Starts the step, if it still is to be started. */
  go(): void;
}

export class Intake {
  #ready = new Line<string>();
  #preparing = new Line<string>();
  readonly #prepared = new Line<Prepared>();

  /** Steps that have not begun. */
  get waiting(): number {
    return this.#ready.size + this.#preparing.size;
  }

  get isEmpty(): boolean {
    return this.waiting + this.#prepared.size === 0;
  }

  add(steps: Iterable<string>): void {
    for (const id of steps) this.#ready.push(id);
  }

  prepared(step: Prepared): void {
    this.#prepared.push(step);
  }

  /** One step's next move. @returns false when there is none */
  advance(begin: (stepId: string) => void): boolean {
    const preparing = this.#preparing.take();
    if (preparing !== undefined) {
      begin(preparing);
      return true;
    }
    const prepared = this.#prepared.take();
    if (prepared) prepared.go();
    else if (this.#ready.size === 0) return false;
    else [this.#preparing, this.#ready] = [this.#ready, this.#preparing];
    return true;
  }

  /** None begins any more. */
  holdBack(): void {
    this.#ready.clear();
    this.#preparing.clear();
  }

  clear(): void {
    this.holdBack();
    this.#prepared.clear();
  }
}
