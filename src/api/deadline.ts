/**
 * How long an answer may take. It is a limit on the database's silence: it does not run while the caller sends its body,
 * while expressions are evaluated, which have limits of their own, or while the caller wants to wait.
 *
 * A handler that is given up goes on; what it does is not undone. {@link GivenUp} bounds how many of these there are.
 */
import { MaestroError } from "../error.ts";

/** Milliseconds between two looks at the deadlines that run. */
const TICK = 50;

/** The deadlines that run. One timer looks at all of them: hardly one ever passes, and a timer for each costs too much. */
export class Deadlines {
  #listed: Deadline[] = [];
  #ticker: ReturnType<typeof setInterval> | undefined;

  /** @param seconds that an answer may take; infinite: as long as it takes */
  of(seconds: number): Deadline {
    return new Deadline(seconds, (deadline) => this.#list(deadline));
  }

  #list(deadline: Deadline): void {
    this.#listed.push(deadline);
    this.#ticker ??= setInterval(() => this.#look(), TICK);
  }

  #look(): void {
    const now = performance.now();
    this.#listed = this.#listed.filter((deadline) => deadline.runs(now));
    if (this.#listed.length > 0) return;
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }
}

export class Deadline {
  /** How long an answer may take. */
  readonly seconds: number;
  readonly #list: (deadline: Deadline) => void;
  #isListed = false;
  /** An instant of `performance.now()`; infinite while it does not run. */
  #due = Number.POSITIVE_INFINITY;
  #giveUp: (error: Unanswered) => void = () => {};

  /** @param list has it looked at from then on, until it does not run */
  constructor(seconds: number, list: (deadline: Deadline) => void) {
    this.seconds = seconds;
    this.#list = list;
  }

  /** From now on. @param more seconds beside the limit */
  begin(more = 0): void {
    this.#due = performance.now() + (this.seconds + more) * 1000;
    if (this.#isListed || this.#due === Number.POSITIVE_INFINITY) return;
    this.#isListed = true;
    this.#list(this);
  }

  pause(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** False when it no longer does: it was paused, or has passed just now. */
  runs(now: number): boolean {
    if (this.#due <= now) {
      this.pause();
      this.#giveUp(unanswered(this.seconds));
    }
    this.#isListed = this.#due !== Number.POSITIVE_INFINITY;
    return this.#isListed;
  }

  /**
   * Begins the work, and runs until it is done.
   *
   * @param late called with the work that goes on when the time is up @throws UNAVAILABLE then
   */
  during<T>(begin: () => Promise<T> | T, late: (work: Promise<T>) => void): Promise<T> {
    this.begin();
    const work = Promise.try(begin);
    return new Promise<T>((resolve, reject) => {
      this.#giveUp = (error) => {
        late(work);
        reject(error);
      };
      const done = (): void => this.pause();
      work.then(done, done);
      work.then(resolve, reject);
    });
  }
}

/** The database has been silent for so long. */
export class Unanswered extends MaestroError {}

const unanswered = (seconds: number): Unanswered =>
  new Unanswered("UNAVAILABLE", `The database has not answered within ${seconds} seconds.`, { retryable: true });

/** Handlers that go on though their callers have been told that they were given up. */
export class GivenUp {
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  add(work: Promise<unknown>): void {
    this.#count++;
    const done = (): void => void this.#count--;
    work.then(done, done);
  }

  /** @throws UNAVAILABLE while there are too many */
  check(): void {
    if (this.#count < this.#most) return;
    const message = `The database has not answered ${this.#count} requests; no more are passed on until it does.`;
    throw new Unanswered("UNAVAILABLE", message, { retryable: true });
  }
}
