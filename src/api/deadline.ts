/**
 * How long an answer may take. It is a limit on the database's silence: it does not run while the caller sends its body,
 * while expressions are evaluated, which have limits of their own, or while the caller wants to wait.
 *
 * A handler that is given up goes on; what it does is not undone. {@link GivenUp} bounds how many of these there are.
 */
import { MaestroError } from "../error.ts";

export class Deadline {
  readonly #seconds: number;
  readonly #passed = Promise.withResolvers<never>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(seconds: number) {
    this.#seconds = seconds;
    this.#passed.promise.catch(() => {}); // a handler may answer without anybody having looked at it
  }

  /** From now on. @param more seconds beside the limit */
  begin(more = 0): void {
    this.pause();
    const seconds = this.#seconds + more;
    if (seconds === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#passed.reject(unanswered(this.#seconds)), seconds * 1000);
  }

  pause(): void {
    clearTimeout(this.#timer);
  }

  /**
   * Begins the work, and runs until it is done.
   *
   * @param late called with the work that goes on when the time is up @throws UNAVAILABLE then
   */
  async during<T>(begin: () => Promise<T> | T, late: (work: Promise<T>) => void): Promise<T> {
    this.begin();
    const work = Promise.try(begin);
    try {
      return await Promise.race([work, this.#passed.promise]);
    } catch (error) {
      if (error instanceof Unanswered) late(work);
      throw error;
    } finally {
      this.pause();
    }
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
