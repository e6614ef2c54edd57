/** One line of a test vector or of a batch: tagged JSON in, JSON out (the compatibility vectors' form). */

import { isJsonObject, isRawNumber, type Json, type JsonObject, rawNumber, withinLong } from "../json.ts";
import { ExtensionRequest, evaluate, SelError, type SelExtension, type SelLimits, type SelValue } from "./index.ts";
import { javaDoubleText } from "./number.ts";

/** The clock of the recorded vectors. */
const FROZEN_NOW = 1_700_000_000_000;

function numberText(json: Json): string {
  return isRawNumber(json) ? json.rawJSON : typeof json === "string" ? json : String(json);
}

/** @throws RangeError for an integer that 64 bits don't hold, SyntaxError for what is no integer */
function toLong(json: Json): bigint {
  const long = withinLong(BigInt(numberText(json)));
  if (long === undefined) throw new RangeError(`${numberText(json)} is an integer of more than 64 bits`);
  return long;
}

function toDouble(json: Json): number {
  return Number(numberText(json));
}

const isInteger = (json: Json): boolean => /^-?\d+$/.test(numberText(json));

/** Reads a JSON value, tagged with `$type` where plain JSON is ambiguous. @throws TypeError for what it can't read. */
export function fromJson(json: Json): SelValue {
  if (json === null) return { type: "NULL" };
  if (typeof json === "string") return { type: "STRING", value: json };
  if (typeof json === "boolean") return { type: "BOOLEAN", value: json };
  if (typeof json === "number" || isRawNumber(json)) {
    return isInteger(json) ? { type: "LONG", value: toLong(json) } : { type: "DOUBLE", value: toDouble(json) };
  }
  if (Array.isArray(json)) return fromArray(json);
  const object = json as JsonObject;
  const tag = object.$type;
  return typeof tag === "string" ? fromTagged(tag, object.value ?? null) : fromObject(object);
}

function fromObject(object: JsonObject): SelValue {
  return { type: "MAP", value: new Map(Object.entries(object).map(([key, value]) => [key, fromJson(value)])) };
}

function fromArray(items: readonly Json[]): SelValue {
  if (items.every((item) => typeof item === "boolean")) {
    if (items.length > 0) return { type: "BOOLEAN_ARRAY", value: items };
  }
  const isNumber = (item: Json): boolean => typeof item === "number" || isRawNumber(item);
  if (items.length > 0 && items.every(isNumber))
    return fromTagged(items.every(isInteger) ? "LONG_ARRAY" : "DOUBLE_ARRAY", items);
  return fromTagged("STRING_ARRAY", items);
}

function fromTagged(tag: string, value: Json): SelValue {
  const items = Array.isArray(value) ? (value as readonly Json[]) : [];
  switch (tag) {
    case "NULL":
      return { type: "NULL" };
    case "STRING":
      return { type: "STRING", value: String(value) };
    case "BOOLEAN":
      return { type: "BOOLEAN", value: value === true || value === "true" };
    case "LONG":
    case "INTEGER":
      return { type: tag, value: toLong(value) };
    case "DOUBLE":
      return { type: "DOUBLE", value: toDouble(value) };
    case "BIGDECIMAL":
      return { type: "BIGDECIMAL", value: numberText(value) };
    case "LIST":
      return { type: "LIST", value: items.map(fromJson) };
    case "MAP":
      return fromObject(isJsonObject(value) ? value : {});
    case "LONG_ARRAY":
      return { type: "LONG_ARRAY", value: items.map(toLong) };
    case "DOUBLE_ARRAY":
      return { type: "DOUBLE_ARRAY", value: items.map(toDouble) };
    case "STRING_ARRAY":
      return { type: "STRING_ARRAY", value: items.map((item) => (item === null ? null : String(item))) };
    case "BOOLEAN_ARRAY":
      return { type: "BOOLEAN_ARRAY", value: items.map((item) => item === true || item === "true") };
    default:
      throw new TypeError(`unknown $type ${tag}`);
  }
}

function friendlyLong(value: bigint): Json {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function friendlyDouble(value: number): Json {
  if (!Number.isFinite(value) || Object.is(value, -0)) return javaDoubleText(value);
  // With its ".0", so that a reader can tell it from a LONG.
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? rawNumber(`${value}.0`) : value;
}

function object(entries: Iterable<readonly [string, Json]>): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, value] of entries) {
    Object.defineProperty(result, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return result;
}

/** The friendly form: plain JSON, with text for numbers that it can't hold. */
export function toExpect(value: SelValue): Json {
  switch (value.type) {
    case "NULL":
      return null;
    case "LONG":
    case "INTEGER":
      return friendlyLong(value.value);
    case "DOUBLE":
      return friendlyDouble(value.value);
    case "LONG_ARRAY":
      return value.value.map(friendlyLong);
    case "DOUBLE_ARRAY":
      return value.value.map(friendlyDouble);
    case "MAP":
      return object([...value.value].map(([key, member]) => [key, toExpect(member)] as const));
    case "LIST":
      return value.value.map(toExpect);
    default:
      return value.value;
  }
}

/** The authoritative form: `{t, v}` all the way down, numbers as text. */
export function toTyped(value: SelValue, top = true): Json {
  switch (value.type) {
    case "NULL":
      return top && value.of !== undefined ? { t: value.of, v: null } : { t: "NULL" };
    case "LONG":
    case "INTEGER":
      return { t: value.type, v: value.value.toString() };
    case "DOUBLE":
      return { t: value.type, v: javaDoubleText(value.value) };
    case "LONG_ARRAY":
      return { t: value.type, v: value.value.map(String) };
    case "DOUBLE_ARRAY":
      return { t: value.type, v: value.value.map(javaDoubleText) };
    case "MAP":
      return {
        t: value.type,
        v: object([...value.value].map(([key, member]) => [key, toTyped(member, false)] as const)),
      };
    case "LIST":
      return { t: value.type, v: value.value.map((member) => toTyped(member, false)) };
    default:
      return { t: value.type, v: value.value };
  }
}

/** Answers from a table with keys `method|argument|…`; `{"$throw": "message"}` fails. */
function tableExtension(table: JsonObject): SelExtension {
  const answers = new Map(Object.entries(table));
  return {
    call(method, args) {
      const answer = answers.get([method, ...args].join("|"));
      const known = [...answers.keys()].some(
        (key) => key.split("|").length === args.length + 1 && key.split("|")[0] === method,
      );
      if (answer === undefined && !known) throw new SelError("unsupported", `params has no function ${method}`);
      if (answer === undefined) throw new Error(`no answer to ${method}(${args.join(", ")})`);
      if (isJsonObject(answer) && answer.$throw !== undefined) throw new Error(String(answer.$throw));
      return fromJson(answer);
    },
  };
}

function limitsOf(json: JsonObject): Partial<SelLimits> {
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, Number(numberText(value))]));
}

function variablesOf(json: JsonObject): (name: string) => SelValue | undefined {
  const all = new Map(Object.entries(json));
  return (name) => {
    const value = all.get(name);
    return value === undefined ? undefined : fromJson(value);
  };
}

function failure(id: Json, error: unknown): JsonObject {
  if (error instanceof SelError) return { id, error: error.category, message: error.message };
  if (error instanceof ExtensionRequest) return { id, error: "ext", message: error.message };
  return { id, error: "fatal", message: error instanceof Error ? error.message : String(error) };
}

const nested = (json: Json | undefined): JsonObject => (json !== undefined && isJsonObject(json) ? json : {});

/**
 * Evaluates one line `{id, expr, vars?, ext?, limits?, now?}`.
 * @returns `{id, type, value, typed}` or `{id, error, message}`. Never throws.
 */
export function evaluateVector(line: JsonObject): JsonObject {
  const id = line.id ?? null;
  try {
    const value = evaluate(String(line.expr ?? ""), {
      variables: variablesOf(nested(line.vars)),
      limits: limitsOf(nested(line.limits)),
      now: line.now === undefined ? FROZEN_NOW : Number(numberText(line.now)),
      seed: 0,
      ...(line.ext === undefined ? {} : { extension: tableExtension(nested(line.ext)) }),
    });
    const type = value.type === "NULL" ? (value.of ?? "NULL") : value.type;
    return { id, type, value: toExpect(value), typed: toTyped(value) };
  } catch (error) {
    return failure(id, error);
  }
}
