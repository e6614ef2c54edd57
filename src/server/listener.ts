/** Who waits for something to happen to a run or an attempt: listeners by key, each called for every hint. */
export class Listeners {
  readonly #byKey = new Map<string, Set<() => void>>();

  /** @returns takes the listener away again */
  add(key: string, listener: () => void): () => void {
    const set = this.#byKey.get(key) ?? new Set();
    set.add(listener);
    this.#byKey.set(key, set);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#byKey.get(key) === set) this.#byKey.delete(key);
    };
  }

  tell(keys: Iterable<string>): void {
    for (const key of keys) for (const listener of this.#byKey.get(key) ?? []) listener();
  }
}
