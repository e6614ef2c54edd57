/** Whether two definitions say the same: meta, source and evaluation do not count. */

import { isRawNumber } from "../json.ts";
import { own } from "../record.ts";
import type { ParamDefinition, ParamTag } from "./type.ts";

/** Same type, content, mode, validator and tags. */
export function sameParam(a: ParamDefinition, b: ParamDefinition): boolean {
  return (
    a.type === b.type &&
    a.expression === b.expression &&
    (a.mode ?? "MUTABLE") === (b.mode ?? "MUTABLE") &&
    a.validator === b.validator &&
    sameTags(a.tags, b.tags) &&
    (a.type === "MAP" ? sameMap(a.value, b.value) : sameLiteral(a.value, b.value))
  );
}

function sameTags(a: readonly ParamTag[] = [], b: readonly ParamTag[] = []): boolean {
  return a === b || (a.length === b.length && a.every((tag) => b.some((other) => other.name === tag.name)));
}

function sameMap(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = a as Record<string, ParamDefinition>;
  const right = b as Record<string, ParamDefinition>;
  const keys = Object.keys(left);
  if (keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => {
    const x = own(left, key);
    const y = own(right, key);
    return x !== undefined && y !== undefined && sameParam(x, y);
  });
}

/** Deep equality of JSON values; numbers by their value, so `3` and `3.0` are the same. */
export function sameLiteral(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isRawNumber(a) || isRawNumber(b)) return sameNumber(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const left = a as Record<string, unknown>;
  const right = b as Record<string, unknown>;
  const keys = Object.keys(left);
  if (Array.isArray(a) !== Array.isArray(b) || keys.length !== Object.keys(right).length) return false;
  return keys.every((key) => Object.hasOwn(right, key) && sameLiteral(left[key], right[key]));
}

function sameNumber(a: unknown, b: unknown): boolean {
  const x = isRawNumber(a) ? a.rawJSON : String(a);
  const y = isRawNumber(b) ? b.rawJSON : String(b);
  if (x === y) return true;
  const integers = /^-?\d+$/.test(x) && /^-?\d+$/.test(y);
  return !integers && typeof a !== "string" && typeof b !== "string" && Number(x) === Number(y);
}
