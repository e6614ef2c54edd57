/**
 * Questions of a moment, put together: those that come while one look is under way wait for the next one. So many askers
 * cost one round trip, and one connection.
 */
import type { Clock } from "../clock.ts";

/** Questions in one look. */
const MOST = 1_000;

interface Asked<Q, A> {
  readonly question: Q;
  resolve(answer: A): void;
  reject(error: unknown): void;
}

export class Gathering<Q, A> {
  readonly #clock: Clock;
  readonly #look: (questions: readonly Q[]) => Promise<readonly A[]>;
  #waiting: Asked<Q, A>[] = [];
  #isLooking = false;

  /** @param look answers in the order of the questions */
  constructor(clock: Clock, look: (questions: readonly Q[]) => Promise<readonly A[]>) {
    this.#clock = clock;
    this.#look = look;
  }

  /** @throws as the look that it is part of */
  ask(question: Q): Promise<A> {
    const { promise, resolve, reject } = Promise.withResolvers<A>();
    this.#waiting.push({ question, resolve, reject });
    if (!this.#isLooking) {
      this.#isLooking = true;
      this.#clock.soon(() => void this.#answer());
    }
    return promise;
  }

  async #answer(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, MOST);
      try {
        const answers = await this.#look(some.map(({ question }) => question));
        for (const [index, asked] of some.entries()) asked.resolve(answers[index] as A);
      } catch (error) {
        for (const asked of some) asked.reject(error);
      }
    }
    this.#isLooking = false;
  }
}
