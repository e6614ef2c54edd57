/** First in, first out: taking one costs the same however many stand behind it. */
export class Line<T> {
  #items: T[] = [];
  /** Those before it have been taken. */
  #first = 0;

  get size(): number {
    return this.#items.length - this.#first;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    const item = this.#items[this.#first];
    if (this.size === 0) return undefined;
    this.#first++;
    if (this.size === 0) this.clear();
    return item;
  }

  clear(): void {
    this.#items = [];
    this.#first = 0;
  }
}
