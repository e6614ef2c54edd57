/** Between boundary values and boxes. */
import {
  arrayOf,
  type Box,
  boxArray,
  boxBoolean,
  boxDouble,
  boxLong,
  boxMap,
  boxString,
  type ElementType,
  type Item,
  isArray,
  itemContent,
  type Long,
  NULL,
  wrapLong,
} from "./box.ts";
import type { Context } from "./context.ts";
import { SelError } from "./error.ts";
import { hashOrder } from "./number.ts";
import { rehashed, requireData, Walk } from "./text.ts";
import type { SelValue } from "./value.ts";

/** A variable or an extension's answer, deep-copied into boxes and charged. @throws SelError unsupported, argument. */
export function fromValue(value: SelValue, cx: Context): Box {
  switch (value.type) {
    case "NULL":
      return NULL;
    case "STRING":
      cx.charge(32 + 2 * value.value.length);
      return boxString(value.value);
    case "LONG":
    case "INTEGER":
      cx.charge(32);
      return boxLong(wrapLong(value.value));
    case "DOUBLE":
      cx.charge(32);
      return boxDouble(value.value);
    case "BOOLEAN":
      cx.charge(32);
      return boxBoolean(value.value);
    case "MAP":
      return fromMap(value.value, cx);
    case "STRING_ARRAY":
      return fromArray("STRING", value.value, cx);
    case "LONG_ARRAY":
      return fromArray("LONG", value.value.map(wrapLong), cx);
    case "DOUBLE_ARRAY":
      return fromArray("DOUBLE", value.value, cx);
    case "BOOLEAN_ARRAY":
      return fromArray("BOOLEAN", value.value, cx);
    default:
      throw new SelError("unsupported", `a value of type ${value.type} can't be used in an expression`);
  }
}

function fromArray(element: ElementType, items: readonly Item[], cx: Context): Box {
  let bytes = 32 + 32 * items.length;
  if (element === "STRING") for (const item of items) bytes += 2 * ((item as string | null)?.length ?? 0);
  cx.charge(bytes);
  return boxArray(arrayOf(element), [...items]);
}

function fromMap(entries: ReadonlyMap<string, SelValue>, cx: Context): Box {
  const map = new Map<string, Box>();
  cx.charge(32);
  for (const [key, value] of hashOrder(entries)) {
    if (value.type === "NULL") throw new SelError("argument", `the map's entry ${JSON.stringify(key)} is null`);
    cx.charge(32 + 2 * key.length);
    map.set(key, fromValue(value, cx));
  }
  return boxMap(map);
}

const RETURNABLE = "STRING, LONG, DOUBLE, BOOLEAN, an array of these, or a MAP";

/**
 * A program's result. An unset string or map is NULL that says what it would be.
 * @throws SelError invalid-return-type; unsupported for a map that holds what is not data.
 */
export function toValue(box: Box, cx: Context): SelValue {
  switch (box.type) {
    case "STRING":
      return box.content === null ? { type: "NULL", of: "STRING" } : { type: "STRING", value: box.content };
    case "LONG":
      return { type: "LONG", value: BigInt(box.content) };
    case "DOUBLE":
      return { type: "DOUBLE", value: box.content };
    case "BOOLEAN":
      return { type: "BOOLEAN", value: box.content };
    case "MAP":
      return toMap(box, new Walk(cx), cx);
    default:
      if (isArray(box)) return toArray(box);
      throw new SelError("invalid-return-type", `the result is ${described(box)}`, undefined, `return ${RETURNABLE}`);
  }
}

function described(box: Box): string {
  if (box.type === "VOID") return "nothing: the last statement has no value";
  return box.type === "NULL" ? "null: a name may be misspelt" : `of type ${box.type}`;
}

function toArray(box: Box & { content: Item[] }): SelValue {
  const items = box.content.map(itemContent);
  switch (box.type as string) {
    case "STRING_ARRAY":
      return { type: "STRING_ARRAY", value: items as (string | null)[] };
    case "LONG_ARRAY":
      return { type: "LONG_ARRAY", value: (items as Long[]).map(BigInt) };
    case "DOUBLE_ARRAY":
      return { type: "DOUBLE_ARRAY", value: items as number[] };
    default:
      return { type: "BOOLEAN_ARRAY", value: items as boolean[] };
  }
}

function toMap(box: Box & { type: "MAP" }, walk: Walk, cx: Context): SelValue {
  const { content } = box;
  if (content === null) return { type: "NULL", of: "MAP" };
  return walk.enter(content, () => {
    const map = new Map<string, SelValue>();
    for (const [key, value] of rehashed(content)) {
      requireData(value);
      walk.count(key.length);
      map.set(key, value.type === "MAP" ? toMap(value, walk, cx) : toValue(value, cx));
    }
    return { type: "MAP", value: map };
  });
}
