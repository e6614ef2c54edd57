/**
 * Three forms of one value: JSON (literals and evaluated results), {@link SelValue} (inside expressions), and text
 * (inside interpolated strings). A LONG beyond ±(2^53−1) and an integral double are {@link RawNumber}s in JSON, so
 * that both keep digits and type through storage.
 */
import { internalError } from "../error.ts";
import {
  isRawNumber,
  type Json,
  jsonToLong,
  longToJson,
  type RawNumber,
  rawNumber,
  stringifyJson,
  withinLong,
} from "../json.ts";
import { javaDoubleText, NULL_VALUE, type SelValue } from "../sel/index.ts";
import type { ParamType } from "./type.ts";

/** A double as JSON: integral ones and those in scientific notation as Java prints them (`3.0`, `1.0E20`). */
export function doubleToJson(value: number): number | RawNumber | string {
  if (!Number.isFinite(value)) return javaDoubleText(value);
  const text = javaDoubleText(value);
  return text === String(value) ? value : rawNumber(text);
}

/** Reads a number of JSON as a double; undefined for anything else. */
export function jsonToDouble(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return isRawNumber(value) ? Number(value.rawJSON) : undefined;
}

/** Parses what Java's `Long.parseLong` accepts; undefined otherwise. */
export function parseLong(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  return withinLong(BigInt(text.startsWith("+") ? text.slice(1) : text));
}

/** An evaluation's value as JSON; a map keeps its order. */
export function toJson(value: SelValue): Json {
  switch (value.type) {
    case "NULL":
      return null;
    case "LONG":
    case "INTEGER":
      return longToJson(value.value);
    case "DOUBLE":
      return doubleToJson(value.value);
    case "BIGDECIMAL":
      return doubleToJson(Number(value.value));
    case "LONG_ARRAY":
      return value.value.map(longToJson);
    case "DOUBLE_ARRAY":
      return value.value.map(doubleToJson);
    case "LIST":
      return value.value.map(toJson);
    case "MAP":
      return Object.fromEntries([...value.value].map(([key, entry]) => [key, toJson(entry)]));
    default:
      return value.value as Json;
  }
}

/**
 * An evaluated result as an expression sees it. The declared type decides; members of maps are typed by their look.
 * @throws MaestroError INTERNAL_ERROR for a result that is not of the declared type
 */
export function toSel(type: ParamType, result: Json | undefined): SelValue {
  if (result === undefined || result === null) return NULL_VALUE;
  switch (type) {
    case "STRING":
      return { type, value: String(result) };
    case "LONG":
      return { type, value: longOf(result) };
    case "DOUBLE":
      return { type, value: doubleOf(result) };
    case "BOOLEAN":
      return { type, value: result === true };
    case "STRING_ARRAY":
      return { type, value: result as readonly (string | null)[] };
    case "LONG_ARRAY":
      return { type, value: (result as readonly Json[]).map((item) => longOf(item)) };
    case "DOUBLE_ARRAY":
      return { type, value: (result as readonly Json[]).map((item) => doubleOf(item)) };
    case "BOOLEAN_ARRAY":
      return { type, value: result as readonly boolean[] };
    default:
      return untypedToSel(result);
  }
}

const longOf = (result: Json): bigint => jsonToLong(result) ?? notLong(result);

function notLong(result: Json): never {
  throw internalError(`[${stringifyJson(result)}] is no LONG, an integer of 64 bits`);
}

/** NaN and the infinities are texts in JSON. */
const doubleOf = (result: Json): number => jsonToDouble(result) ?? Number(result);

/** A JSON value without declared type: digits alone are a LONG, a fraction or exponent makes a DOUBLE. */
export function untypedToSel(value: Json): SelValue {
  if (value === null) return NULL_VALUE;
  if (typeof value === "string") return { type: "STRING", value };
  if (typeof value === "boolean") return { type: "BOOLEAN", value };
  const long = jsonToLong(value);
  if (long !== undefined) return { type: "LONG", value: long };
  const double = jsonToDouble(value);
  if (double !== undefined) return { type: "DOUBLE", value: double };
  if (Array.isArray(value)) return arrayToSel(value as readonly Json[]);
  return {
    type: "MAP",
    value: new Map(Object.entries(value as object).map(([key, entry]) => [key, untypedToSel(entry)])),
  };
}

function arrayToSel(items: readonly Json[]): SelValue {
  const type = arrayTypeOf(items);
  return type === undefined ? { type: "LIST", value: items.map(untypedToSel) } : toSel(type, items);
}

/** The array type whose elements all items are (an empty array passes for LONGs), or undefined for a mixed one. */
export function arrayTypeOf(items: readonly Json[]): ParamType | undefined {
  if (items.every((item) => jsonToLong(item) !== undefined)) return "LONG_ARRAY";
  if (items.every((item) => jsonToDouble(item) !== undefined)) return "DOUBLE_ARRAY";
  if (items.every((item) => typeof item === "string" || item === null)) return "STRING_ARRAY";
  if (items.every((item) => typeof item === "boolean")) return "BOOLEAN_ARRAY";
  return undefined;
}

/** The type whose literal a plain JSON value can be; undefined for null and mixed arrays. */
export function typeOf(value: Json): ParamType | undefined {
  if (Array.isArray(value)) return arrayTypeOf(value as readonly Json[]);
  const sel = untypedToSel(value);
  switch (sel.type) {
    case "STRING":
    case "LONG":
    case "DOUBLE":
    case "BOOLEAN":
    case "MAP":
      return sel.type;
    default:
      return undefined;
  }
}

/** An evaluated result as interpolated text: scalars as Java prints them, arrays and maps as compact JSON. */
export function toText(type: ParamType, result: Json): string {
  if (typeof result === "string") return result;
  if (type === "DOUBLE") return javaDoubleText(doubleOf(result));
  if (type === "DOUBLE_ARRAY" && Array.isArray(result)) {
    return stringifyJson(result.map((item: Json) => doubleToJson(doubleOf(item))));
  }
  return stringifyJson(result);
}
