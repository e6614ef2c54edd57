/**
 * JSON that keeps numbers faithful.
 *
 * A number that a JS `number` would not print back as it was read (an integer beyond ±(2^53−1), a decimal with more
 * digits than a double holds, `1.0`) is carried as a {@link RawNumber}; every other value is plain. `stringifyJson`
 * writes such a number back digit by digit. Nothing else in the program calls `JSON.parse` on wire or stored data.
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
    return source === undefined || source === String(value) ? value : json.rawJSON(source);
  }) as (this: unknown, key: string, value: unknown) => unknown) as Json;
}

export function stringifyJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent);
}

/** A LONG (64-bit) as JSON: a plain number while that is exact. */
export function longToJson(value: bigint): number | RawNumber {
  const asNumber = Number(value);
  return Number.isSafeInteger(asNumber) ? asNumber : json.rawJSON(value.toString());
}

/** A plain JSON object: not null, not an array, not a {@link RawNumber}. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !json.isRawJSON(value);
}
