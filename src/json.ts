/**
 * JSON that keeps numbers faithful, and the rule of what a LONG is.
 *
 * A number that a JS `number` would not print back as it was read (a decimal with more digits than a double holds,
 * `1.0`), and every integer beyond ±(2^53−1), is carried as a {@link RawNumber}; every other value is plain. So an
 * integer is plain exactly while it is safe: whether a double happens to hold it makes no difference. `stringifyJson`
 * writes a RawNumber back digit by digit. Nothing else in the program calls `JSON.parse` on wire or stored data.
 *
 * A LONG is an integer of 64 bits, written with digits alone: {@link jsonToLong} and {@link longToJson} are the only
 * way between its JSON and its value.
 */

/** A number kept as its source text: what `JSON.rawJSON` makes. Frozen, null prototype, key `rawJSON`. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type Json = null | boolean | number | string | RawNumber | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

type RawJson = typeof JSON & {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
};
const json = JSON as RawJson;

/** The text may hold a number that needs care; otherwise plain `JSON.parse` is faithful and much faster. */
const SUSPECT = /\d{16}|\d[.eE]/;

export function isRawNumber(value: unknown): value is RawNumber {
  return typeof value === "object" && value !== null && json.isRawJSON(value);
}

/** @param text digits as they shall be printed, e.g. `9223372036854775807` or `1.0`. */
export function rawNumber(text: string): RawNumber {
  return json.rawJSON(text);
}

/** @throws SyntaxError when the text is not JSON. */
export function parseJson(text: string): Json {
  if (!SUSPECT.test(text)) return JSON.parse(text) as Json;
  return JSON.parse(text, ((_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number") return value;
    const source = context?.source;
    return source === undefined || (source === String(value) && !isLarge(value)) ? value : json.rawJSON(source);
  }) as (this: unknown, key: string, value: unknown) => unknown) as Json;
}

export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent);
}

/** An integer that its neighbours round to. */
const isLarge = (value: number): boolean => Number.isInteger(value) && !Number.isSafeInteger(value);

export const LONG_MIN = -(2n ** 63n);
export const LONG_MAX = 2n ** 63n - 1n;

const DIGITS = /^-?\d{1,19}$/;

/** A LONG as JSON: a plain number while that is safe. */
export function longToJson(value: bigint): number | RawNumber {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : json.rawJSON(value.toString());
}

/**
 * The LONG that a value of JSON is; undefined for a fraction, an exponent, anything beyond 64 bits, and what is no
 * number. A plain number that is not safe was made by a program, not read: it counts for exactly what it holds.
 */
export function jsonToLong(value: unknown): bigint | undefined {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  if (typeof value === "number") return Number.isInteger(value) ? withinLong(BigInt(value)) : undefined;
  return isRawNumber(value) && DIGITS.test(value.rawJSON) ? withinLong(BigInt(value.rawJSON)) : undefined;
}

/**
 * A number that a program made, which is finite, as JSON that reads back as the same value: a LONG where it is an
 * integer of 64 bits, with an exponent where it is beyond.
 */
export function numberToJson(value: number): number | RawNumber {
  if (!isLarge(value)) return value;
  const long = withinLong(BigInt(value));
  return long === undefined ? json.rawJSON(value.toExponential()) : longToJson(long);
}

/** The value if 64 bits hold it. */
export function withinLong(value: bigint): bigint | undefined {
  return value >= LONG_MIN && value <= LONG_MAX ? value : undefined;
}

/** A plain JSON object: not null, not an array, not a {@link RawNumber}. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}
