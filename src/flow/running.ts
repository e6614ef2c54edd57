/**
 * Runs that were started through this node, are under way on it and have not been reported as ended: a wait for such a
 * run begins without a read of the database. The oldest runs are forgotten beyond a bound; a wait for those reads first.
 */
import { LRUCache } from "lru-cache";
import { type RunRef, runIdentity } from "../run/model.ts";

/** Runs remembered; the oldest goes first. */
const MOST = 10_000;

export class Running {
  /** Groups by identity. */
  readonly #groups: LRUCache<string, number>;

  constructor(most = MOST) {
    this.#groups = new LRUCache({ max: most });
  }

  add(run: RunRef, groupId: number): void {
    this.#groups.set(runIdentity(run), groupId);
  }

  has(run: RunRef): boolean {
    return this.#groups.has(runIdentity(run));
  }

  ended(run: RunRef): void {
    this.#groups.delete(runIdentity(run));
  }

  /** The runs of these groups go on under another owner, which reports their ends to another node. */
  disown(groups: readonly number[]): void {
    const gone = new Set(groups);
    for (const [identity, groupId] of this.#groups) if (gone.has(groupId)) this.#groups.delete(identity);
  }

  clear(): void {
    this.#groups.clear();
  }
}
