/**
 * Which runs may be taken as they are handed over. A run that came into being after its group was taken over has had no
 * other owner; and if this owner has not had it yet, nothing has happened to it. Whatever else is read from its row.
 */

/** Keys that are remembered of a group. */
const MOST = 500;

export class Seen {
  /** It is known what there was at the take-over. */
  #hasBegun = false;
  /** Runs up to this key may have had another owner, or are forgotten. */
  #floor = 0;
  readonly #keys = new Set<number>();

  /** @param newest the highest key of any run, read after the group was taken over */
  begin(newest: number): void {
    this.#hasBegun = true;
    this.#floor = Math.max(this.#floor, newest);
    for (const key of this.#keys) if (key <= this.#floor) this.#keys.delete(key);
  }

  add(key: number): void {
    if (key <= this.#floor) return;
    this.#keys.add(key);
    if (this.#keys.size > MOST) this.#forget();
  }

  isNew(key: number): boolean {
    return this.#hasBegun && key > this.#floor && !this.#keys.has(key);
  }

  /** The older half. */
  #forget(): void {
    const old = [...this.#keys].sort((a, b) => a - b).slice(0, MOST / 2);
    this.#floor = old.at(-1) ?? this.#floor;
    for (const key of old) this.#keys.delete(key);
  }
}
