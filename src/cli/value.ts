/** Params as a user writes them on the command line: types are inferred, or given. */
import {
  isJsonObject,
  isRawNumber,
  type Json,
  type JsonObject,
  jsonToLong,
  parseJson,
  rawNumber,
  withinLong,
} from "../json.ts";
import { PARAM_TYPES, type ParamType } from "../param/type.ts";
import { UsageError } from "./argument.ts";

/** A param in wire shape. */
export interface ParamValue {
  readonly type: ParamType;
  readonly value: Json;
}

/**
 * `name=value` or `name:TYPE=value`.
 * @throws UsageError
 */
export function parseParam(text: string): readonly [name: string, param: ParamValue] {
  const equals = text.indexOf("=");
  if (equals < 1) throw new UsageError("must be NAME=VALUE or NAME:TYPE=VALUE");
  const [name = "", typeName] = text.slice(0, equals).split(":", 2);
  const value = text.slice(equals + 1);
  if (typeName === undefined) return [name, infer(value)];
  const type = PARAM_TYPES.find((it) => it === typeName.toUpperCase());
  if (!type) throw new UsageError(`must have one of the types ${PARAM_TYPES.join(", ")}, not "${typeName}"`);
  return [name, { type, value: type === "STRING" ? value : typed(type, value) }];
}

/** `7` is a LONG, `1.5` a DOUBLE, `true` a BOOLEAN, JSON arrays and objects what they hold, anything else a STRING. */
export function infer(text: string): ParamValue {
  if (/^-?(0|[1-9]\d*)$/.test(text) && withinLong(BigInt(text)) !== undefined) {
    return { type: "LONG", value: parseJson(text) };
  }
  if (/^-?(0|[1-9]\d*)(\.\d+([eE][+-]?\d+)?|[eE][+-]?\d+)$/.test(text)) {
    return { type: "DOUBLE", value: rawNumber(text) };
  }
  if (text === "true" || text === "false") return { type: "BOOLEAN", value: text === "true" };
  if (/^\s*[[{]/.test(text)) {
    const value = tryJson(text);
    if (value !== undefined) return inferJson(value);
  }
  return { type: "STRING", value: text };
}

/** A JSON value as a param: the narrowest type that holds it. @throws UsageError for null and lists of lists. */
export function inferJson(value: Json): ParamValue {
  if (typeof value === "string") return { type: "STRING", value };
  if (typeof value === "boolean") return { type: "BOOLEAN", value };
  if (isNumber(value)) return { type: isInteger(value) ? "LONG" : "DOUBLE", value };
  if (Array.isArray(value)) return inferArray(value);
  if (!isJsonObject(value)) throw new UsageError("a param can't be null; leave it out");
  const items = Object.values(value);
  if (items.every((it) => typeof it === "string")) return { type: "STRING_MAP", value };
  return { type: "MAP", value: mapValues(value) };
}

/**
 * The params of a file: each is a value, or a definition as in a workflow (`{ type, value }` or `{ type, expression }`).
 * @throws UsageError
 */
export function paramsOf(json: Json, file: string): JsonObject {
  if (!isJsonObject(json)) throw new UsageError(`${file} must hold an object of params, such as {"rows": 3}`);
  return mapValues(json);
}

function mapValues(value: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isDefinition(item) ? item : { ...inferJson(item) }]),
  );
}

function isDefinition(value: Json): boolean {
  if (!isJsonObject(value) || typeof value.type !== "string") return false;
  const type = value.type.toUpperCase();
  return PARAM_TYPES.some((it) => it === type) && ("value" in value || "expression" in value);
}

function inferArray(value: readonly Json[]): ParamValue {
  if (value.every((it) => typeof it === "string")) return { type: "STRING_ARRAY", value };
  if (value.every((it) => typeof it === "boolean")) return { type: "BOOLEAN_ARRAY", value };
  if (value.every(isNumber)) return { type: value.every(isInteger) ? "LONG_ARRAY" : "DOUBLE_ARRAY", value };
  throw new UsageError("a list param must hold only texts, only numbers or only booleans");
}

/** The value of a type that was named. */
function typed(type: ParamType, text: string): Json {
  const value = tryJson(text);
  const actual = value === undefined || value === null ? undefined : inferJson(value).type;
  const empty = Array.isArray(value) && value.length === 0 && type.endsWith("_ARRAY");
  const widened = (actual === "LONG" && type === "DOUBLE") || (actual === "LONG_ARRAY" && type === "DOUBLE_ARRAY");
  const map = actual === "STRING_MAP" && type === "MAP";
  if (value === undefined || !(actual === type || empty || widened || map)) {
    throw new UsageError(`must have a value that is a ${type}, not "${text}"`);
  }
  return map && isJsonObject(value) ? mapValues(value) : type === "MAP" ? inferJson(value).value : value;
}

function tryJson(text: string): Json | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const isNumber = (value: Json): boolean => typeof value === "number" || isRawNumber(value);

/** @throws UsageError for an integer that 64 bits don't hold */
function isInteger(value: Json): boolean {
  if (jsonToLong(value) !== undefined) return true;
  const text = isRawNumber(value) ? value.rawJSON : String(value);
  if (/^-?\d+$/.test(text)) throw new UsageError(`${text} is an integer of more than 64 bits; write it as a text`);
  return false;
}
