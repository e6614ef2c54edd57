/** Sets of iteration ids, kept as intervals: a loop's iterations mostly end side by side. */

/** One id as a number, consecutive ones as `[first, last]`. */
export type IntervalList = readonly (number | readonly [first: number, last: number])[];

export class Intervals {
  /** Ascending and disjoint; no interval touches the next. */
  readonly #firsts: number[] = [];
  readonly #lasts: number[] = [];
  #size = 0;

  static of(list: IntervalList): Intervals {
    const set = new Intervals();
    for (const item of list) {
      const [first, last] = typeof item === "number" ? [item, item] : item;
      set.#append(first, last);
    }
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** Undefined when it is empty. */
  get least(): number | undefined {
    return this.#firsts[0];
  }

  /** Undefined when it is empty. */
  get greatest(): number | undefined {
    return this.#lasts.at(-1);
  }

  has(id: number): boolean {
    const at = this.#at(id);
    return at >= 0 && id <= (this.#lasts[at] as number);
  }

  /** The last id of the interval that holds this one; undefined when it is not in the set. */
  endOf(id: number): number | undefined {
    const at = this.#at(id);
    const last = this.#lasts[at];
    return at >= 0 && last !== undefined && id <= last ? last : undefined;
  }

  add(id: number): void {
    if (this.has(id)) return;
    this.#size++;
    const at = this.#at(id);
    const joinsBefore = at >= 0 && this.#lasts[at] === id - 1;
    const joinsAfter = this.#firsts[at + 1] === id + 1;
    if (joinsBefore && joinsAfter) {
      this.#lasts[at] = this.#lasts[at + 1] as number;
      this.#cut(at + 1);
    } else if (joinsBefore) this.#lasts[at] = id;
    else if (joinsAfter) this.#firsts[at + 1] = id;
    else {
      this.#firsts.splice(at + 1, 0, id);
      this.#lasts.splice(at + 1, 0, id);
    }
  }

  delete(id: number): boolean {
    if (!this.has(id)) return false;
    this.#size--;
    const at = this.#at(id);
    const [first, last] = [this.#firsts[at] as number, this.#lasts[at] as number];
    if (first === last) this.#cut(at);
    else if (id === first) this.#firsts[at] = id + 1;
    else if (id === last) this.#lasts[at] = id - 1;
    else {
      this.#lasts[at] = id - 1;
      this.#firsts.splice(at + 1, 0, id + 1);
      this.#lasts.splice(at + 1, 0, last);
    }
    return true;
  }

  toList(): IntervalList {
    return this.#firsts.map((first, at) => {
      const last = this.#lasts[at] as number;
      return first === last ? first : ([first, last] as const);
    });
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const [at, first] of this.#firsts.entries()) {
      for (let id = first; id <= (this.#lasts[at] as number); id++) yield id;
    }
  }

  #append(first: number, last: number): void {
    const end = this.#lasts.length - 1;
    const before = this.#lasts[end];
    if (before !== undefined && first <= before) {
      for (let id = first; id <= last; id++) this.add(id);
      return;
    }
    this.#size += last - first + 1;
    if (before === first - 1) this.#lasts[end] = last;
    else {
      this.#firsts.push(first);
      this.#lasts.push(last);
    }
  }

  #cut(at: number): void {
    this.#firsts.splice(at, 1);
    this.#lasts.splice(at, 1);
  }

  /** The last interval that begins at or before the id; −1: none does. */
  #at(id: number): number {
    let low = 0;
    let high = this.#firsts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#firsts[middle] as number) <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
