/** Asking a server again and again that may go away for a while, as one does that is being restarted. */
import { MaestroError } from "../error.ts";
import { inLine } from "../printable.ts";
import { Unreachable } from "./client.ts";

/** How long a server may be away before nobody waits for it any more, ms. */
const LIMIT = 600_000;

export class Patience {
  readonly #server: string;
  readonly #say: (line: string | undefined) => void;
  #hasAnswered = false;
  #awaySince: number | undefined;

  /** @param say is told that the server has gone, and with nothing that it is back */
  constructor(server: string, say: (line: string | undefined) => void) {
    this.#server = server;
    this.#say = say;
  }

  /**
   * @param signal aborted when nobody wants the answer any more
   * @returns undefined while the server is away
   * @throws whatever the request failed with: when it has other reasons, when the server has never answered, and when it
   *   has been away for ten minutes
   */
  async ask<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T | undefined> {
    try {
      const answer = await request();
      this.answered();
      return answer;
    } catch (error) {
      if (signal?.aborted === true) return undefined;
      if (!this.#hasAnswered || !isAway(error)) throw error;
      this.#wait(error);
      return undefined;
    }
  }

  /** The server is there. Requests whose answers take long say so when they begin. */
  answered(): void {
    this.#hasAnswered = true;
    if (this.#awaySince !== undefined) this.#say(undefined);
    this.#awaySince = undefined;
  }

  #wait(error: Unreachable | MaestroError): void {
    const now = performance.now();
    if (this.#awaySince === undefined) {
      const reason = inLine(error instanceof Unreachable ? error.reason : error.message);
      this.#say(`${this.#server} does not answer (${reason}); waiting for it to come back`);
    }
    this.#awaySince ??= now;
    if (now - this.#awaySince > LIMIT) throw error;
  }
}

/** A server that begins or drains says UNAVAILABLE. */
const isAway = (error: unknown): error is Unreachable | MaestroError =>
  error instanceof Unreachable || (error instanceof MaestroError && error.code === "UNAVAILABLE");
