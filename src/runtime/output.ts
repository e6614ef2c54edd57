/** Output params from what a runtime returned: plain values get the type that they show. */
import { literalSchema } from "../definition/parameter.ts";
import { badRequest } from "../error.ts";
import {
  isJsonObject,
  isRawNumber,
  type Json,
  type JsonObject,
  jsonToLong,
  longToJson,
  numberToJson,
  type RawNumber,
  stringifyJson,
  withinLong,
} from "../json.ts";
import { PARAM_TYPES, type Parameter, type ParamLiteral, type Params, type ParamType } from "../param/type.ts";

/** Characters of all outputs as JSON, each value counted once. */
export const MAX_OUTPUTS = 750_000;

/** Where a value stands that is the evaluated result once more: upstream's, to save space. In an array, its only item. */
const IDENTICAL = "PARAM_VALUE_IDENTICAL_TO_EVALUATED_RESULT";

/**
 * @param plain values by name: string → STRING, integer → LONG (a JS number beyond 64 bits: DOUBLE), decimal → DOUBLE,
 *   boolean → BOOLEAN, arrays of one of these, object → MAP.
 * @param typed parameters in wire shape: `{ type, value }` or `{ type, evaluated_result }`.
 * @throws MaestroError with the path of what can't be a param.
 */
export function outputParams(
  plain: Readonly<Record<string, unknown>>,
  typed: Readonly<Record<string, unknown>>,
): Params {
  const params: Params = Object.fromEntries([
    ...Object.entries(plain).map(([name, value]) => [name, infer(value, name)] as const),
    ...Object.entries(typed).map(([name, value]) => [name, declared(value, name)] as const),
  ]);
  const size = outputsSize(params);
  if (size > MAX_OUTPUTS) throw badRequest(`The outputs have ${size} characters, more than ${MAX_OUTPUTS}`);
  return params;
}

/** Outputs among which some say their type, and the others are plain values. @throws as {@link outputParams} */
export function mixedParams(values: JsonObject): Params {
  const entries = Object.entries(values);
  return outputParams(
    Object.fromEntries(entries.filter(([, value]) => !isTyped(value))),
    Object.fromEntries(entries.filter(([, value]) => isTyped(value))),
  );
}

const isTyped = (value: Json): boolean =>
  isJsonObject(value) && typeof value.type === "string" && ("value" in value || "evaluated_result" in value);

function outputsSize(params: Params): number {
  const once = Object.entries(params).map(([name, { type, evaluated_result }]) => [name, { type, evaluated_result }]);
  return stringifyJson(Object.fromEntries(once)).length;
}

function infer(value: unknown, path: string): Parameter {
  if (Array.isArray(value)) {
    const items = value.map((item, index) => scalar(item, `${path}[${index}]`));
    return { type: arrayType(items, path), value: items as ParamLiteral, evaluated_result: items };
  }
  if (!isJsonObject(value)) {
    const result = scalar(value, path);
    return { type: scalarType(result), value: result, evaluated_result: result };
  }
  const entries = Object.entries(value).map(([key, item]) => [key, infer(item, `${path}.${key}`)] as const);
  const result = Object.fromEntries(entries.map(([key, param]) => [key, param.evaluated_result as Json]));
  return { type: "MAP", value: Object.fromEntries(entries), evaluated_result: result };
}

type Scalar = string | boolean | number | RawNumber;

function scalar(value: unknown, path: string): Scalar {
  if (typeof value === "string") {
    if (value.includes("\0")) throw badRequest(`Output [${path}] holds a NUL character`);
    return value;
  }
  if (typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return numberToJson(value);
  if (typeof value === "bigint" && withinLong(value) !== undefined) return longToJson(value);
  if (isRawNumber(value) && (isDecimal(value) || jsonToLong(value) !== undefined)) return value;
  throw badRequest(`Output [${path}] is ${describe(value)}, which can't be a param`);
}

const isDecimal = ({ rawJSON }: RawNumber): boolean => /[.eE]/.test(rawJSON);

function scalarType(value: Scalar): ParamType {
  if (typeof value === "string") return "STRING";
  if (typeof value === "boolean") return "BOOLEAN";
  return jsonToLong(value) === undefined ? "DOUBLE" : "LONG";
}

function arrayType(items: readonly Scalar[], path: string): ParamType {
  const types = new Set(items.map(scalarType));
  const [first = "STRING", second] = types;
  if (second === undefined) return `${first}_ARRAY` as ParamType;
  if ([...types].every((type) => type === "LONG" || type === "DOUBLE")) return "DOUBLE_ARRAY";
  throw badRequest(`Output [${path}] mixes ${[...types].join(" and ")} in one array`);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array in an array";
  if (isRawNumber(value) || typeof value === "bigint") return "an integer of more than 64 bits";
  return typeof value === "object" ? "an object in an array" : String(value);
}

function declared(value: unknown, path: string): Parameter {
  if (!isJsonObject(value)) throw badRequest(`Output [${path}] must be a parameter with its type`);
  const type = PARAM_TYPES.find((name) => name === String(value.type).toUpperCase());
  if (type === undefined)
    throw badRequest(`Output [${path}] has type [${value.type}]; known are ${PARAM_TYPES.join(", ")}`);
  const plain = infer(value.evaluated_result ?? plainValue(literalOf(value, path)), path);
  const { evaluated_time: time } = value;
  const timed = typeof time === "number" && Number.isSafeInteger(time) && time >= 0 ? { evaluated_time: time } : {};
  if (type === "MAP" && plain.type === "MAP") return { ...plain, ...timed };
  const result = readAs(type, plain.evaluated_result ?? null, path);
  return { type, value: result as ParamLiteral, evaluated_result: result, ...timed };
}

/** Of a param without a result. */
function literalOf({ value }: JsonObject, path: string): Json | undefined {
  const text = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (text !== IDENTICAL) return value;
  throw badRequest(`Output [${path}] has the value ${IDENTICAL}, and no evaluated_result`);
}

/** A plain value as the declared type reads it in a definition: `"12"` is a LONG, too. */
function readAs(type: ParamType, value: Json, path: string): Json {
  const read = literalSchema(type).safeParse(value);
  if (read.success) return read.data as Json;
  throw badRequest(`Output [${path}] is declared ${type}: ${read.error.issues.map((it) => it.message).join("; ")}`);
}

/** A literal as a plain value: the definitions in a MAP give their values. */
function plainValue(literal: Json | undefined): Json | undefined {
  if (!isJsonObject(literal)) return literal;
  const entries = Object.entries(literal).map(([key, item]) => [
    key,
    isDefinition(item) ? definitionValue(item) : item,
  ]);
  return Object.fromEntries(entries) as JsonObject;
}

const isDefinition = (item: Json): item is JsonObject =>
  isJsonObject(item) && (PARAM_TYPES as readonly unknown[]).includes(item.type);

const definitionValue = (item: JsonObject): Json | undefined => item.evaluated_result ?? plainValue(item.value);
