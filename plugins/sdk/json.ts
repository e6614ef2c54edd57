/**
 * JSON that keeps 64-bit integers and exact decimals: a number that JS would not print back, and every integer beyond
 * ±(2^53−1), is a {@link RawNumber}.
 */

/** What `JSON.rawJSON` makes: a number as its source text. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type Json = null | boolean | number | string | RawNumber | readonly Json[] | { readonly [key: string]: Json };

export type JsonObject = { readonly [key: string]: Json };

const json = JSON as typeof JSON & { rawJSON(text: string): RawNumber; isRawJSON(value: unknown): value is RawNumber };

export function isRawNumber(value: unknown): value is RawNumber {
  return json.isRawJSON(value);
}

/** @throws SyntaxError when the text is not JSON. */
export function parseJson(text: string): Json {
  return JSON.parse(text, ((_key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== "number") return value;
    const source = context?.source;
    const large = Number.isInteger(value) && !Number.isSafeInteger(value);
    return source === undefined || (source === String(value) && !large) ? value : json.rawJSON(source);
  }) as (this: unknown, key: string, value: unknown) => unknown) as Json;
}

/** A bigint is printed as an integer. */
export function stringifyJson(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (typeof item === "bigint" ? json.rawJSON(item.toString()) : item));
}
