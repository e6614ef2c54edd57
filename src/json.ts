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

/**
 * The text may hold a number that needs care; otherwise plain `JSON.parse` is faithful and much faster. A number stands at
 * the beginning or behind a colon, a comma or a bracket: the digits of a UUID don't count.
 */
const SUSPECT = /(?:^|[:,[])\s*-?(?:\d{16}|\d+[.eE])/;

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

/** Levels of lists and objects in a text that a user sends; checked on the text, before anything recurses over it. */
export const MAX_DEPTH = 300;

/** What the text of a JSON value shows without being parsed. */
export interface Outline {
  /** Levels of lists and objects; one more than {@link MAX_DEPTH} when there are more. */
  readonly depth: number;
  /** Keys of all objects, each as often as it stands there. */
  readonly members: number;
  /** Where the look ended: the end of the text, or the bracket that goes too deep. */
  readonly end: number;
}

/** Counts brackets and colons outside texts. */
export function outlineOf(text: string): Outline {
  let level = 0;
  let depth = 0;
  let members = 0;
  let at = 0;
  for (; at < text.length && depth <= MAX_DEPTH; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfText(text, at);
    else if (code === 0x3a) members++;
    else if (code === 0x5b || code === 0x7b) depth = Math.max(depth, ++level);
    else if (code === 0x5d || code === 0x7d) level--;
  }
  return { depth, members, end: depth > MAX_DEPTH ? at - 1 : at };
}

function endOfText(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at;
}

/** Whether a key stands twice in one object of the text, of which parsing keeps the last. */
export const hasRepeatedKey = ({ members }: Outline, value: Json): boolean => members !== countMembers(value);

function countMembers(value: Json): number {
  if (typeof value !== "object" || value === null || json.isRawJSON(value)) return 0;
  const items = Object.values(value) as readonly Json[];
  return items.reduce((count: number, item) => count + countMembers(item), Array.isArray(value) ? 0 : items.length);
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
