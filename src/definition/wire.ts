/**
 * The building blocks of the wire schemas: JSON read as upstream's Jackson reads it.
 *
 * Scalars coerce (`"12"` reads into an integer, `12` into a text, `1.9` truncates into an integer, `"true"` into a
 * boolean), a null field equals an absent one, ordinary objects refuse unknown keys, and some enums ignore case.
 * Every coercion is a `z.preprocess`, so that what the OpenAPI document shows is the schema behind it.
 */
import { z } from "zod";
import { isRawNumber, jsonToLong, longToJson, type RawNumber, rawNumber, withinLong } from "../json.ts";
import { shown } from "./finding.ts";
import { outside, RANGE, type Range } from "./range.ts";
import { closest, notOneOf } from "./suggest.ts";

/** What a request may say beyond what its schema shows: for the API document. */
export interface Spellings {
  /** The values of the enum in any case. */
  readonly anyCase?: boolean;
  /** Further values of the enum. */
  readonly values?: readonly string[];
  /** JSON Schemas of other things that are read as this; enums among them in any case. */
  readonly takes?: readonly Readonly<Record<string, unknown>>[];
  /** JSON Schema that stands for this one, in requests and in replies. */
  readonly instead?: Readonly<Record<string, unknown>>;
}

export const spellings = z.registry<Spellings>();

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** The integer part of a decimal text; undefined when it is none or has more digits than a 64-bit integer. */
function integerPart(text: string): bigint | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = match;
  const exponent = Number(exponentText);
  if (exponent > 40) return /^0*$/.test(whole + fraction) ? 0n : undefined;
  const digits = whole + fraction;
  const end = whole.length + exponent;
  const kept = end <= 0 ? "0" : digits.slice(0, end).padEnd(Math.min(end, 400), "0");
  if (kept.replace(/^0+/, "").length > 19) return undefined;
  return BigInt(sign + kept);
}

/** An int64 as JSON (plain while exact); anything else comes back as it was, for the schema to refuse. */
function toLong(value: unknown): unknown {
  const long = jsonToLong(value);
  if (long !== undefined) return longToJson(long);
  const text = typeof value === "string" ? value.trim() : typeof value === "number" ? String(value) : rawText(value);
  if (text === undefined || (typeof value === "string" && !/^-?\d+$/.test(text))) return value;
  const parsed = integerPart(text);
  return parsed === undefined || withinLong(parsed) === undefined ? value : longToJson(parsed);
}

const rawText = (value: unknown): string | undefined => (isRawNumber(value) ? value.rawJSON : undefined);

const isLong = (value: unknown): boolean => jsonToLong(value) !== undefined;

/** A number with its text kept; a numeric text reads as one. */
function toDouble(value: unknown): unknown {
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (!DECIMAL.test(text) || /^-?0\d/.test(text)) return value;
  return String(Number(text)) === text ? Number(text) : rawNumber(text);
}

const isDouble = (value: unknown): boolean =>
  Number.isFinite(value) || (isRawNumber(value) && Number.isFinite(Number(value.rawJSON)));

function toText(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return rawText(value) ?? value;
}

function toBoolean(value: unknown): unknown {
  const long = jsonToLong(value);
  if (long !== undefined) return long !== 0n;
  if (typeof value !== "string") return value;
  const text = value.trim();
  if (text === "true" || text === "True" || text === "TRUE") return true;
  return text === "false" || text === "False" || text === "FALSE" ? false : value;
}

/** A safe integer where possible, else the value as it was. */
const toInteger = (value: unknown): unknown => {
  const long = toLong(value);
  return typeof long === "number" ? long : value;
};

export const text = z.preprocess(toText, z.string());
export const flag = z.preprocess(toBoolean, z.boolean());

/** What a JS number holds exactly. */
const SAFE: Range = {
  min: Number.MIN_SAFE_INTEGER,
  max: Number.MAX_SAFE_INTEGER,
  text: `${Number.MIN_SAFE_INTEGER} to ${Number.MAX_SAFE_INTEGER}`,
};

/** An integer within a range. */
export const integer = (range: Range = SAFE) => {
  const error = ({ input }: z.core.$ZodRawIssue): string => {
    if (input === undefined) return "is required, an integer";
    const long = jsonToLong(toLong(input));
    const whole = long === undefined ? Number(rawText(input) ?? Number.NaN) : Number(long);
    const problem = Number.isInteger(whole) ? outside(range, whole, input) : undefined;
    return problem ?? `${shown(input)} is not an integer`;
  };
  const schema = z.int({ error });
  return z.preprocess(toInteger, range === SAFE ? schema : schema.min(range.min, { error }).max(range.max, { error }));
};

/** Epoch milliseconds. */
export const instant = integer(RANGE.instant).meta({ description: "Epoch milliseconds" });

/** The `type` of one kind of a union whose reading brings it to upper case. */
export function kind<const T extends string>(type: T) {
  const schema = z.literal(type);
  spellings.add(schema, { anyCase: true });
  return schema;
}

/** A 64-bit integer: a RawNumber when a JS number would not be exact. */
export const long: z.ZodType<number | RawNumber> = z.preprocess(
  toLong,
  z
    .any()
    .refine(isLong, {
      abort: true,
      error: (issue) => `${shown(issue.input)} is not an integer from -9223372036854775808 to 9223372036854775807`,
    })
    .meta({ type: "integer", format: "int64" }),
);

/** A decimal number whose literal text survives. */
export const double: z.ZodType<number | RawNumber> = z.preprocess(
  toDouble,
  z
    .any()
    .refine(isDouble, {
      abort: true,
      error: (issue) => `${shown(issue.input)} is not a number that a 64-bit double can hold`,
    })
    .meta({ type: "number" }),
);

/** An enum read in any case; `alias` maps further spellings (lower case) to a value. */
export function caseless<const V extends readonly [string, ...string[]]>(
  values: V,
  alias: Readonly<Record<string, V[number]>> = {},
) {
  const byLowerCase = new Map<string, string>(Object.entries<string>(alias));
  for (const value of values) byLowerCase.set(value.toLowerCase(), value);
  const schema = z.enum(values as unknown as [V[number], ...V[number][]]);
  spellings.add(schema, { anyCase: true, values: Object.keys(alias) });
  return z.preprocess(
    (value) => (typeof value === "string" ? (byLowerCase.get(value.toLowerCase()) ?? value) : value),
    schema,
  );
}

/** As {@link caseless}, but a text that is none of the values passes as it is, for a rule to refuse later. */
export function leniently<const V extends readonly [string, ...string[]]>(values: V) {
  const byLowerCase = new Map<string, string>(values.map((value) => [value.toLowerCase(), value]));
  return z.preprocess(
    (value) => (typeof value === "string" ? (byLowerCase.get(value.toLowerCase()) ?? value) : value),
    z.string().meta({ enum: [...values] }),
  );
}

/** The object without its null fields; the object itself when it has none. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  if (isRawNumber(value)) return Number(value.rawJSON);
  for (const key in value) {
    if ((value as Record<string, unknown>)[key] === null) {
      return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
    }
  }
  return value;
}

export type Fields = Record<string, unknown>;

const prepared = (prepare: ((fields: Fields) => unknown) | undefined) => (value: unknown) => {
  const plain = withoutNulls(value);
  if (prepare === undefined || typeof plain !== "object" || plain === null || Array.isArray(plain)) return plain;
  return prepare(plain as Fields);
};

/** An ordinary object: unknown keys are refused, with the nearest known one. */
export function object<S extends z.core.$ZodLooseShape>(shape: S, prepare?: (fields: Fields) => unknown) {
  return z.preprocess(prepared(prepare), strict(shape));
}

/** What {@link object} checks, without its reading of nulls: for unions, which read them outside. */
export function strict<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys" ? unknownKeys(issue.keys as string[], Object.keys(shape)) : undefined,
  });
}

/** An object with an extra bucket: keys beyond the shape are kept, after the known ones. */
export function open<S extends z.core.$ZodLooseShape>(shape: S, prepare?: (fields: Fields) => unknown) {
  return z.preprocess(prepared(prepare), z.looseObject(shape));
}

/** The reading of nulls and `prepare`, in front of any schema for objects. */
export const reading = <T extends z.core.SomeType>(prepare: ((value: Fields) => unknown) | undefined, schema: T) =>
  z.preprocess(prepared(prepare), schema);

/** The error of a union on `type`: says which types there are. */
export const typeError =
  (types: readonly string[]) =>
  (issue: z.core.$ZodRawIssue): string | undefined =>
    issue.code === "invalid_union" ? notOneOf((issue.input as Fields | undefined)?.type, types) : undefined;

/** A line for each key. */
function unknownKeys(keys: readonly string[], known: readonly string[]): string {
  return keys
    .map((key) => {
      const near = closest(key, known);
      return `unknown field ${shown(key)}${near ? `, did you mean "${near}"?` : `; known are ${known.join(", ")}`}`;
    })
    .join("\n");
}

/** A set on the wire: a list without repetitions, in the order given. */
export const setOf = <T extends z.core.SomeType>(item: T) =>
  z.preprocess((value) => (Array.isArray(value) ? [...new Set(value)] : value), z.array(item));

/** A map by name, in the order written. A number is none, although it may be carried as an object. */
export const mapOf = <T extends z.core.SomeType>(item: T) =>
  z.preprocess((value) => (isRawNumber(value) ? Number(value.rawJSON) : value), z.record(z.string(), item));
