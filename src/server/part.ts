/**
 * The parts of a node: each is started on the ones before it, and they are stopped in reverse.
 *
 * Some parts need each other. The earlier one of such a pair refers to the later one as {@link Later}; whatever it asks
 * of the later one, it asks when both are there.
 */
import { internalError } from "../error.ts";
import type { Logger } from "../log.ts";

/** Something with a lifetime. */
export interface Part {
  /** What it does once others can refer to it; for a part that is made and started in one, nothing. */
  start?(): Promise<void>;
  /** Also after a start that failed. */
  stop(): Promise<void> | void;
}

/** How long a part may take to stop, ms: Postgres needs 15 s if it has to be made to. */
const STOP_WITHIN = 20_000;

export class Parts {
  readonly #log: Logger;
  readonly #giveUp: AbortSignal | undefined;
  readonly #started: { readonly name: string; readonly part: Part }[] = [];

  /** @param giveUp nothing more is started once it is aborted */
  constructor(log: Logger, giveUp?: AbortSignal) {
    this.#log = log;
    this.#giveUp = giveUp;
  }

  /** @throws the reason of the abort, or what `make` or the part's start throws */
  async start<P extends Part>(name: string, make: () => Promise<P> | P): Promise<P> {
    this.#giveUp?.throwIfAborted();
    const part = await make();
    this.#started.push({ name, part });
    await part.start?.();
    return part;
  }

  /** Stops what has been started, the newest first; one that fails is logged, and the next is stopped. */
  async stop(): Promise<void> {
    for (const { name, part } of this.#started.splice(0).reverse()) {
      try {
        await stopped(part);
      } catch (error) {
        this.#log.warn("a part did not stop in order", { part: name, error });
      }
    }
  }
}

/** @throws Error when it takes too long; the next part is stopped all the same */
async function stopped(part: Part): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`it takes more than ${STOP_WITHIN / 1000} s`)), STOP_WITHIN);
  try {
    await Promise.race([part.stop(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A part that is started after one that refers to it. */
export class Later<P> {
  readonly #name: string;
  #part: P | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  set(part: P): P {
    this.#part = part;
    return part;
  }

  /** @throws INTERNAL_ERROR before it is set */
  get part(): P {
    if (this.#part === undefined) throw internalError(`${this.#name} is used before it has been started`);
    return this.#part;
  }
}
