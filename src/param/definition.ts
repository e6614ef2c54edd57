/** From evaluated params back to definitions: what a parent passes down, and what an output replaces. */
import { isJsonObject, type Json } from "../json.ts";
import { escapeText } from "./interpolate.ts";
import { typeOf } from "./literal.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, ParamLiteral, ParamType } from "./type.ts";

/**
 * An evaluated param as a literal definition of its value. Dollars in the value are escaped: it is data, and evaluates
 * to itself wherever it is merged. A param that is not evaluated stays as it is.
 */
export function toDefinition(param: Parameter): ParamDefinition {
  const { evaluated_result, evaluated_time, info: _info, warn: _warn, expression, value, ...rest } = param;
  if (evaluated_time === undefined) return param;
  const nested = param.type === "MAP" && expression === undefined ? (value as ParamDefinitions) : {};
  return { value: toLiteral(param.type, evaluated_result ?? null, nested), ...rest };
}

function toLiteral(type: ParamType, result: Json, nested: ParamDefinitions): ParamLiteral {
  switch (type) {
    case "STRING":
      return escapeText(String(result));
    case "STRING_ARRAY":
      return (result as readonly Json[]).map(escapeJson) as readonly string[];
    case "STRING_MAP":
      return Object.fromEntries(
        Object.entries((result ?? {}) as object).map(([key, entry]) => [escapeText(key), escapeJson(entry)]),
      ) as { [key: string]: string };
    case "MAP":
      return mapLiteral(result, nested);
    default:
      return result as ParamLiteral;
  }
}

function escapeJson(value: Json): Json {
  return typeof value === "string" ? escapeText(value) : value;
}

function mapLiteral(result: Json, nested: ParamDefinitions): ParamDefinitions {
  const entries: [string, ParamDefinition][] = [];
  for (const [key, value] of Object.entries((result ?? {}) as object) as [string, Json][]) {
    const declared = Object.hasOwn(nested, key) ? nested[key] : undefined;
    const looks = typeOf(value);
    if (looks === undefined) continue;
    const type = declared && fits(declared.type, looks, value) ? declared.type : looks;
    const inner = declared?.type === "MAP" && declared.expression === undefined ? declared.value : {};
    const { expression: _e, value: _v, ...rest } = declared ?? { type };
    entries.push([key, { value: toLiteral(type, value, (inner ?? {}) as ParamDefinitions), ...rest, type }]);
  }
  return Object.fromEntries(entries);
}

/** Whether a value that looks like one type can be a literal of the declared one. */
function fits(declared: ParamType, looks: ParamType, value: Json): boolean {
  if (declared === looks) return true;
  if (declared === "STRING_MAP") return isJsonObject(value) && Object.values(value).every((v) => typeof v === "string");
  if (declared === "DOUBLE") return looks === "LONG";
  return Array.isArray(value) && declared.endsWith("_ARRAY") && (value.length === 0 || declared === "DOUBLE_ARRAY");
}
