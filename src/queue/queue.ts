/**
 * The queue of one thread: acts on rows of the outbox, which are inserted with the state that they announce (D6), each at
 * least once. Whoever has committed a row says so, and its processor acts without a look at the database; what nobody has
 * said, or nobody has heard, a sweep finds. Every topic has a lane of its own, so that neither a slow processor nor a
 * million rows of one hold back another.
 */

import type { Json } from "../json.ts";
import { Lane, type LaneOptions } from "./lane.ts";
import type { Processor } from "./port.ts";

/** A row whose commit was heard of. */
export interface Announcement {
  readonly topic: string;
  readonly key: string;
  readonly payload?: Json;
  /** Epoch ms until which the row is the announcer's alone, as it stands in the row. Default: it is everybody's. */
  readonly held?: number;
}

export interface QueueOptions extends LaneOptions {
  readonly processors: readonly Processor[];
  /** How long `stop` waits for the calls under way, milliseconds. Default 2,000. */
  readonly patience?: number;
}

export class Queue {
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #patience: number;

  constructor({ processors, patience = 2_000, ...options }: QueueOptions) {
    this.#lanes = new Map(processors.map((processor) => [processor.topic, new Lane(processor, options)]));
    this.#patience = patience;
  }

  /** Acts on rows that have committed. Those of topics that another thread processes are left to it. */
  announce(rows: readonly Announcement[]): void {
    const entries = rows.map(({ topic, key, payload, held = 0 }) => ({
      topic,
      key,
      payload,
      attempts: 0,
      token: held,
    }));
    for (const [topic, ofTopic] of Map.groupBy(entries, ({ topic }) => topic))
      this.#lanes.get(topic)?.announce(ofTopic);
  }

  /** Resolves when the rows that are due are taken. */
  async sweep(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.sweep()));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.stop(this.#patience)));
  }
}
