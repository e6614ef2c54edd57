/**
 * Runs that have ended while something about runs was being read. What a read found unfinished may have ended before the
 * answer is looked at; taking such a run up again would run its steps a second time.
 *
 * An end is remembered for as long as a read that began before it is under way, and no longer.
 */
export class RecentlyEnded {
  #now = 0;
  /** Run key → when it ended; in that order. */
  readonly #ends = new Map<number, number>();
  /** When the reads under way began; in that order. */
  readonly #reads = new Set<number>();

  /** Reads, and acts on what was read: all of it before an end within that time is forgotten. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const began = ++this.#now;
    this.#reads.add(began);
    try {
      return await work();
    } finally {
      this.#reads.delete(began);
      this.#forget();
    }
  }

  add(key: number): void {
    if (this.#reads.size === 0) return;
    this.#ends.delete(key);
    this.#ends.set(key, ++this.#now);
  }

  has(key: number): boolean {
    return this.#ends.has(key);
  }

  get size(): number {
    return this.#ends.size;
  }

  #forget(): void {
    const [oldest = Number.POSITIVE_INFINITY] = this.#reads;
    for (const [key, ended] of this.#ends) {
      if (ended > oldest) return;
      this.#ends.delete(key);
    }
  }
}
