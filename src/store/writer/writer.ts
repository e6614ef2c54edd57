/**
 * Group commit: everything that is queued while a commit is under way goes into the next one, coalesced per row. Idle,
 * it flushes at the end of the turn; there is no timer. It does not decide anything, and reads nothing.
 *
 * 1. Requests for one run commit in the order in which they were queued (D3), each as a whole.
 * 2. A transaction commits only while this node owns every group it writes for (D4); requests of a lost group are
 *    refused, the others go again.
 * 3. A passing failure is retried for ever; a commit whose outcome is unknown is repeated: every statement is idempotent.
 * 4. A request that Postgres refuses is answered with that, and so is what was queued for the same runs by then. It holds
 *    up nothing else, and is not tried again: its content would be refused again.
 * 5. One statement at a time, which is a transaction of its own.
 */

import { type Clock, nextTurn, pause, systemClock } from "../../clock.ts";
import {
  type GroupStamp,
  RefusedWrite,
  type Settled,
  StaleOwner,
  type StoredRun,
  type Write,
  type Writer,
} from "../../flow/port.ts";
import { parseJson } from "../../json.ts";
import type { Logger } from "../../log.ts";
import { isRefusal, pauseOf } from "../pipeline.ts";
import { type Batch, batchOf, type Request, runsOf } from "./batch.ts";

export interface WriterOptions {
  readonly log: Pick<Logger, "warn" | "error">;
  /** Told of each commit: rows as queued, and milliseconds. */
  readonly committed?: (rows: number, duration: number) => void;
  /** How long `stop` waits for a database that does not answer, milliseconds. Default 10,000. */
  readonly patience?: number;
  readonly clock?: Clock;
}

/** One transaction. @returns the run that it has ended, when that was the only one it wrote for */
export type CommitBatch = (batch: Batch) => Promise<StoredRun | undefined>;

/** Requests are taken until they have this many rows. */
const BATCH_ROWS = 1000;
/** SQLSTATE of `fence_groups`. */
const STALE = "MA001";

/** @param ended the run that it has ended, when it was alone in the batch */
interface Commit {
  readonly kind: "committed";
  readonly ended: StoredRun | undefined;
}

type Failure =
  | { readonly kind: "stale"; readonly stamps: readonly (readonly [groupId: number, generation: number])[] }
  | { readonly kind: "passing"; readonly error: unknown }
  | { readonly kind: "refused"; readonly error: unknown };

/** The writer has stopped with these rows uncommitted. */
class Abandoned extends Error {
  override readonly name = "Abandoned";
}

export class GroupWriter implements Writer {
  readonly #commitBatch: CommitBatch;
  readonly #options: WriterOptions;
  readonly #clock: Clock;
  #queue: Request[] = [];
  /** Runs of which a request was refused, each with the last one that was queued by then: all up to it are refused. */
  readonly #broken = new Map<number, number>();
  #running: Promise<void> | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  #rows = 0;
  #number = 0;
  #unsettled = 0;
  #waiting: { readonly number: number; left: number; readonly resolve: () => void }[] = [];

  constructor(commit: CommitBatch, options: WriterOptions) {
    this.#commitBatch = commit;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  get depth(): number {
    return this.#rows;
  }

  write(stamp: GroupStamp, rows: readonly Write[], settled?: Settled): void {
    if (this.#deadline !== Number.POSITIVE_INFINITY) throw new Error("the writer has stopped");
    this.#queue.push({ number: ++this.#number, stamp, rows, settled });
    this.#rows += rows.length;
    this.#unsettled++;
    this.#start();
  }

  flush(): Promise<void> {
    if (this.#unsettled === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ number: this.#number, left: this.#unsettled, resolve });
    });
  }

  /** Commits what is queued; gives up when Postgres does not answer for long. */
  async stop(): Promise<void> {
    this.#deadline = Math.min(this.#deadline, this.#clock.now() + (this.#options.patience ?? 10_000));
    await this.#start();
    const lost = this.#queue.length;
    if (lost > 0) this.#options.log.error("the writer stops with writes that did not commit", { requests: lost });
  }

  #start(): Promise<void> {
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        // What the last commit set off in this turn joins the next one.
        await nextTurn(this.#clock);
        const requests = this.#take();
        if (requests.length === 0) break;
        await this.#commit(requests);
      }
    } catch (error) {
      if (!(error instanceof Abandoned)) throw error;
    } finally {
      this.#running = undefined;
    }
  }

  #take(): readonly Request[] {
    let rows = 0;
    let end = 0;
    while (end < this.#queue.length && rows < BATCH_ROWS) rows += this.#queue[end++]?.rows.length ?? 0;
    const taken = this.#queue.splice(0, end);
    const oldest = taken[0]?.number ?? Number.POSITIVE_INFINITY;
    for (const [key, last] of this.#broken) if (last < oldest) this.#broken.delete(key);
    return this.#sound(taken);
  }

  /** Those that follow on no refused request of their run; the others are refused, too. */
  #sound(requests: readonly Request[]): readonly Request[] {
    if (this.#broken.size === 0) return requests;
    return requests.filter((request) => {
      const follows = [...runsOf(request)].some((key) => request.number <= (this.#broken.get(key) ?? 0));
      if (follows) this.#settle(request, new RefusedWrite("what it follows on was refused"));
      return !follows;
    });
  }

  async #commit(requests: readonly Request[]): Promise<void> {
    let left = requests;
    for (let tries = 0; left.length > 0; ) {
      const result = await this.#attempt(left);
      if (result.kind === "committed") {
        for (const request of left) this.#settle(request, undefined, result.ended);
        return;
      }
      if (result.kind === "refused") return this.#isolate(left, result.error);
      if (result.kind === "stale") left = this.#withoutStale(left, result.stamps);
      else await this.#pause(tries++, result.error, left);
    }
  }

  async #attempt(requests: readonly Request[]): Promise<Commit | Failure> {
    const start = this.#clock.elapsed();
    let ended: StoredRun | undefined;
    try {
      ended = await this.#commitBatch(batchOf(requests));
    } catch (error) {
      return this.#failureOf(error);
    }
    const rows = requests.reduce((sum, request) => sum + request.rows.length, 0);
    this.#options.committed?.(rows, this.#clock.elapsed() - start);
    return { kind: "committed", ended };
  }

  #failureOf(error: unknown): Failure {
    const { code, detail } = error as { readonly code?: unknown; readonly detail?: string };
    if (code === STALE) {
      const stamps = parseJson(detail ?? "[]") as readonly [number, number][];
      return stamps.length > 0 ? { kind: "stale", stamps } : { kind: "passing", error };
    }
    return { kind: isRefusal(error) ? "refused" : "passing", error };
  }

  #withoutStale(
    requests: readonly Request[],
    stamps: readonly (readonly [groupId: number, generation: number])[],
  ): readonly Request[] {
    const lost = new Set(stamps.map(([groupId, generation]) => `${groupId}:${generation}`));
    return requests.filter((request) => {
      const { groupId, generation } = request.stamp;
      if (!lost.has(`${groupId}:${generation}`)) return true;
      this.#settle(request, new StaleOwner(request.stamp));
      return false;
    });
  }

  async #pause(tries: number, error: unknown, requests: readonly Request[]): Promise<void> {
    if (this.#clock.now() >= this.#deadline) {
      this.#queue.unshift(...requests);
      throw new Abandoned();
    }
    if (tries === 3) this.#options.log.warn("writes are waiting for the database", { error, rows: this.#rows });
    await pause(this.#clock, pauseOf(tries, this.#clock.random()));
  }

  /** Halves until the refused request is alone. The first half goes first: that keeps the order. */
  async #isolate(requests: readonly Request[], error: unknown): Promise<void> {
    const [first] = requests;
    if (first === undefined) return;
    if (requests.length === 1) {
      const left = withoutTexts(first);
      if (left) {
        this.#options.log.error("Postgres refuses a piece of a log, which is left out", { error });
        return this.#commit([left]);
      }
      this.#options.log.error("Postgres refuses a write", { error, group: first.stamp.groupId });
      for (const key of runsOf(first)) this.#broken.set(key, this.#number);
      this.#settle(first, new RefusedWrite(error instanceof Error ? error.message : String(error), { cause: error }));
      return;
    }
    const middle = requests.length >> 1;
    await this.#commit(requests.slice(0, middle));
    await this.#commit(this.#sound(requests.slice(middle)));
  }

  #settle(request: Request, error?: StaleOwner | RefusedWrite, ended?: StoredRun): void {
    this.#rows -= request.rows.length;
    this.#unsettled--;
    try {
      request.settled?.(error, ended);
    } catch (thrown) {
      this.#options.log.error("a writer's callback failed", { error: thrown });
    }
    for (const waiter of this.#waiting) if (request.number <= waiter.number) waiter.left--;
    if (this.#waiting.some((waiter) => waiter.left === 0)) {
      const done = this.#waiting.filter((waiter) => waiter.left === 0);
      this.#waiting = this.#waiting.filter((waiter) => waiter.left > 0);
      for (const waiter of done) waiter.resolve();
    }
  }
}

/**
 * A request for logs alone, with a remark in the place of what Postgres refuses; undefined for any other request, and
 * for one that is that already.
 */
function withoutTexts(request: Request): Request | undefined {
  const rows = request.rows.map((row) =>
    row.kind === "log"
      ? { ...row, chunk: { ...row.chunk, text: `[${row.chunk.length} bytes that could not be stored]\n` } }
      : undefined,
  );
  const own = rows.filter((row) => row !== undefined);
  if (own.length < rows.length) return undefined;
  const isNew = own.some(({ chunk }, index) => {
    const before = request.rows[index];
    return before?.kind === "log" && before.chunk.text !== chunk.text;
  });
  return isNew ? { ...request, rows: own } : undefined;
}
