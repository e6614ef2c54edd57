/** Conversions between declared types: of an evaluation's result, and of a literal that is merged over another type. */
import { badRequest, internalError, type MaestroError } from "../error.ts";
import { isJsonObject, isRawNumber, type Json, jsonToLong, longToJson, stringifyJson } from "../json.ts";
import { javaDoubleText, type SelValue } from "../sel/index.ts";
import { doubleToJson, jsonToDouble, parseLong, toJson } from "./literal.ts";
import type { ParamLiteral, ParamType } from "./type.ts";

/** A result in its declared type, with the note that a silent conversion leaves in the param's meta. */
export interface Coerced {
  readonly result: Json;
  readonly info?: string;
  readonly warn?: string;
}

/** What `BigDecimal` reads: no blanks, no NaN, no Infinity. */
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * An evaluation's result as the declared type.
 * @throws MaestroError BAD_REQUEST, or INTERNAL_ERROR for a result that is no array or map where one is declared.
 */
export function coerceResult(name: string, type: ParamType, value: SelValue): Coerced {
  switch (type) {
    case "STRING":
      return coerceString(name, value);
    case "LONG":
      return coerceLong(name, value);
    case "DOUBLE":
      return coerceDouble(name, value);
    case "BOOLEAN":
      return coerceBoolean(name, value);
    case "MAP":
    case "STRING_MAP":
      if (value.type === "MAP" || value.type === "NULL") return { result: toJson(value) };
      throw internalError(`Param [${name}] is expected to be a map but is a ${value.type}`);
    default:
      return coerceArray(name, type, value);
  }
}

function incompatible(name: string, type: string, value: SelValue): MaestroError {
  return badRequest(`Param [${name}] is expected to be a ${type} compatible type but is a ${value.type}`);
}

function coerceString(name: string, value: SelValue): Coerced {
  switch (value.type) {
    case "STRING":
      return { result: value.value };
    case "LONG":
    case "INTEGER":
    case "DOUBLE":
    case "BIGDECIMAL":
    case "BOOLEAN": {
      const info = `Implicitly converted the evaluated result to a string for type ${value.type}`;
      return { result: scalarText(value.value), info };
    }
    default:
      throw incompatible(name, "String", value);
  }
}

function scalarText(value: string | bigint | number | boolean | null): string {
  return typeof value === "number" ? javaDoubleText(value) : String(value);
}

function coerceLong(name: string, value: SelValue): Coerced {
  if (value.type === "LONG" || value.type === "INTEGER") return { result: longToJson(value.value) };
  if (value.type !== "STRING") throw incompatible(name, "Long", value);
  const long = parseLong(value.value);
  if (long === undefined) {
    throw badRequest(`Param [${name}] is expected to be a Long but its text [${value.value}] is not a 64-bit integer`);
  }
  return { result: longToJson(long), warn: "Implicitly converted the evaluated result to a long for type String" };
}

function coerceDouble(name: string, value: SelValue): Coerced {
  if (value.type === "DOUBLE" && Number.isFinite(value.value)) return { result: doubleToJson(value.value) };
  const text = "value" in value && typeof value.value !== "object" ? scalarText(value.value) : value.type;
  if (!DECIMAL.test(text)) {
    throw badRequest(`Param [${name}] is expected to be a Double but [${text}] is not a decimal number`);
  }
  return { result: doubleToJson(Number(text)) };
}

function coerceBoolean(name: string, value: SelValue): Coerced {
  if (value.type === "BOOLEAN") return { result: value.value };
  if (value.type !== "STRING") throw incompatible(name, "Boolean", value);
  const text = value.value.toLowerCase();
  if (text !== "true" && text !== "false") {
    throw badRequest(`Param [${name}] is expected to have a Boolean compatible result but is [${value.value}]`);
  }
  const warn = "Implicitly converted the evaluated result to a boolean for type String";
  return { result: text === "true", warn };
}

function coerceArray(name: string, type: ParamType, value: SelValue): Coerced {
  if (value.type === type) return { result: toJson(value) };
  if (value.type === "LIST") return coerceList(name, type, value.value);
  const items = type === "STRING_ARRAY" && "value" in value && Array.isArray(value.value) ? value.value : undefined;
  if (items === undefined) {
    throw internalError(`Param [${name}] is expected to be a ${type} but its result is a ${value.type}`);
  }
  const info = `Implicitly converted the evaluated result to a string array for type ${value.type}`;
  return { result: (items as readonly (bigint | number | boolean)[]).map(scalarText), info };
}

function coerceList(name: string, type: ParamType, items: readonly SelValue[]): Coerced {
  const element = type.slice(0, -"_ARRAY".length) as ParamType;
  return { result: items.map((item) => coerceResult(name, element, item).result) };
}

/**
 * A literal of one type as a literal of another, when an override's type differs from that of its base.
 * @throws MaestroError BAD_REQUEST naming both types.
 */
export function castLiteral(name: string, from: ParamType, to: ParamType, value: ParamLiteral): ParamLiteral {
  const cast = from === to ? value : convert(from, to, value);
  if (cast === undefined) throw castError(name, from, to, value);
  return cast;
}

function convert(from: ParamType, to: ParamType, value: ParamLiteral): ParamLiteral | undefined {
  if (to.endsWith("_ARRAY")) {
    if (!from.endsWith("_ARRAY") || !Array.isArray(value)) return undefined;
    if (value.length > 0 && to !== "STRING_ARRAY" && !(to === "DOUBLE_ARRAY" && from === "LONG_ARRAY"))
      return undefined;
    const items = value.map((item: ParamLiteral) => convertScalar(elementOf(to), item));
    return items.includes(undefined) ? undefined : (items as unknown as ParamLiteral);
  }
  return from.endsWith("_ARRAY") || isJsonObject(value) ? undefined : convertScalar(to, value);
}

function elementOf(type: ParamType): ParamType {
  return type.slice(0, -"_ARRAY".length) as ParamType;
}

function convertScalar(to: ParamType, value: ParamLiteral): ParamLiteral | undefined {
  const text = isRawNumber(value) ? value.rawJSON : String(value);
  switch (to) {
    case "STRING":
      return text;
    case "LONG": {
      const long = typeof value === "string" ? parseLong(value) : jsonToLong(value);
      return long === undefined ? undefined : longToJson(long);
    }
    case "DOUBLE":
      if (typeof value !== "string") return jsonToDouble(value) === undefined ? undefined : value;
      return DECIMAL.test(text) ? (doubleToJson(Number(text)) as ParamLiteral) : undefined;
    case "BOOLEAN":
      if (typeof value === "boolean") return value;
      return typeof value === "string" && /^(true|false)$/i.test(value) ? value.toLowerCase() === "true" : undefined;
    default:
      return undefined;
  }
}

function castError(name: string, from: ParamType, to: ParamType, value: ParamLiteral): MaestroError {
  const shown = stringifyJson(value).slice(0, 100);
  return badRequest(`Parameter [${name}] has type [${to}]: cannot cast value [${shown}] of type [${from}] to it`);
}
