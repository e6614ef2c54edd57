type Listener<News> = (news: News) => void;

/** Requests that wait for news of a run or an attempt: listeners by its key, each called for every hint. */
export class Listeners<News = void> {
  readonly #byKey = new Map<string, Set<Listener<News>>>();

  /** @returns takes the listener away again */
  add(key: string, listener: Listener<News>): () => void {
    const set = this.#byKey.get(key) ?? new Set();
    set.add(listener);
    this.#byKey.set(key, set);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.#byKey.get(key) === set) this.#byKey.delete(key);
    };
  }

  tell(key: string, news: News): void {
    for (const listener of this.#byKey.get(key) ?? []) listener(news);
  }
}
