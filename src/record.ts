/**
 * Plain objects as maps by text.
 *
 * Keys of users (ids of steps, names of params, keys of MAP values, tags, artifacts) may be names that every object has
 * from its prototype: `constructor`, `toString`, `__proto__`. So an object keyed by them is read with {@link own} or
 * `Object.entries`, and made with `Object.fromEntries`, a spread or a literal, which define `__proto__` like any other
 * key. `object[key]` finds what nobody put there, and `object.__proto__ = …` changes the prototype and stores nothing:
 * what grows entry by entry is a `Map`.
 */

/** The entry of a record; undefined for what it only inherits. */
export function own<V>(record: { readonly [key: string]: V } | undefined, key: string): V | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}
