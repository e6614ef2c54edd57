/** What the queue needs: rows, from the store, and processors, from whoever acts on a topic. */
import type { Json } from "../json.ts";

/** A row of the outbox that is to be acted on. */
export interface Entry {
  readonly topic: string;
  readonly key: string;
  readonly payload: Json | undefined;
  /** Failed tries before this one. */
  readonly attempts: number;
  /**
   * Names the announcement or the taking of the row that this entry stands for: until this instant (epoch ms) the row is
   * nobody else's. When somebody announces the key again, or takes it, the row has another token, and what this entry
   * says of the row does not count any more. 0: the row is everybody's.
   */
  readonly token: number;
}

/** A try that has failed. */
export interface Failure {
  readonly entry: Entry;
  readonly error: string;
  /** Epoch ms: when it is tried again; of a dead one, when it died. */
  readonly time: number;
  /** No further try: the row waits for an operator. */
  readonly dead: boolean;
}

/** Each method is one statement; what it is told of rows that have another token by now it ignores. */
export interface QueueStore {
  /**
   * Rows that are due, the longest due first; nobody else gets them for `hold` milliseconds.
   * @param now epoch ms
   */
  take(topic: string, now: number, limit: number, hold: number): Promise<readonly Entry[]>;
  /** Deletes rows that are acted on. */
  done(entries: readonly Entry[]): Promise<void>;
  failed(failures: readonly Failure[]): Promise<void>;
  /** Rows that were not acted on: whoever looks next gets them. */
  release(entries: readonly Entry[]): Promise<void>;
}

/**
 * Acts on the rows of a topic.
 *
 * It may be called more than once for a row: after a crash, after a failure, and when it takes longer than `hold`. Two
 * rows of a topic never have the same key, and no two calls of a node have entries of one key at a time; so work that has
 * to keep an order shares a key, whose row says that there is something to do, while the tables that it was announced
 * with say what. Other keys go on meanwhile.
 */
export interface Processor {
  readonly topic: string;
  /** Calls at a time on this thread. Default 1. */
  readonly concurrency?: number;
  /** Entries of one call. Default 1. One that has failed before goes alone. */
  readonly batch?: number;
  /** Milliseconds that a row is this thread's alone once it is taken: longer than a call takes. Default 30,000. */
  readonly hold?: number;
  /**
   * The rows go in the work's own transaction, and twice the work does no more than once. Such rows are announced
   * without a token. Default: a row goes once the call has resolved.
   */
  readonly settles?: boolean;
  /** @throws PermanentFailure when another try would fail as well; anything else is tried again, later and later */
  handle(entries: readonly Entry[]): Promise<void>;
}
