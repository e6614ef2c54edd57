/**
 * Every class by name: default values, constructors, methods, fields. The only way from a name in a program to code.
 */
import {
  arrayOf,
  type Box,
  type BoxType,
  boxArray,
  boxLong,
  boxMap,
  boxOf,
  boxUuid,
  boxZone,
  type ElementType,
  isArray,
  type MapBox,
  NULL,
  type StaticBox,
  type StaticType,
} from "../box.ts";
import type { Context } from "../context.ts";
import { Passing } from "../context.ts";
import { fromValue } from "../convert.ts";
import { ExtensionRequest, SelError } from "../error.ts";
import { UTC } from "../time/zone.ts";
import { boolean, invoke, long, methods, nullContent, string, wrongType } from "./method.ts";
import { DOUBLE_METHODS, LONG_METHODS, MATH_METHODS, newBoolean, newDouble, newLong } from "./number.ts";
import { callString, newString } from "./string.ts";
import { DAYS_METHODS, FORMATTER_METHODS, newTime, PROPERTY_METHODS, TIME_METHODS, ZONE_METHODS } from "./time.ts";
import { callUtil } from "./util.ts";

/** Names that may stand for a type in declarations and after `new`. */
const TYPES: ReadonlyMap<string, BoxType> = new Map<string, BoxType>([
  ["int", "LONG"],
  ["long", "LONG"],
  ["Integer", "LONG"],
  ["Long", "LONG"],
  ["float", "DOUBLE"],
  ["double", "DOUBLE"],
  ["Float", "DOUBLE"],
  ["Double", "DOUBLE"],
  ["boolean", "BOOLEAN"],
  ["Boolean", "BOOLEAN"],
  ["String", "STRING"],
  ["Map", "MAP"],
  ["HashMap", "MAP"],
  ["LinkedHashMap", "MAP"],
  ["DateTime", "DATETIME"],
  ["DateTimeZone", "DATETIME_ZONE"],
  ["DateTimeFormatter", "DATETIME_FORMATTER"],
  ["DateTimeFormat", "DATETIME_FORMATTER"],
  ["Property", "DATETIME_PROPERTY"],
  ["Days", "DATETIME_DAYS"],
  ["UUID", "UUID"],
]);

const OBJECTS: ReadonlyMap<string, StaticType> = new Map<string, StaticType>([
  ["DateTimeConstants", "PRESET_MISC_FUNC_FIELDS"],
  ["System", "PRESET_MISC_FUNC_FIELDS"],
  ["Arrays", "PRESET_MISC_FUNC_FIELDS"],
  ["Math", "MATH"],
  ["Util", "PRESET_UTIL_FUNCTION"],
  ["params", "PRESET_PARAMS"],
]);

const PRIMITIVES: ReadonlySet<string> = new Set(["int", "long", "float", "double", "boolean"]);

/** @throws SelError unsupported. */
export function typeNamed(name: string): BoxType {
  const type = TYPES.get(name);
  if (type !== undefined) return type;
  const hint = `there are ${[...TYPES.keys()].join(", ")}`;
  throw new SelError("unsupported", `there is no class ${name} that could be used here`, undefined, hint);
}

function elementType(type: BoxType): ElementType | undefined {
  return type === "STRING" || type === "LONG" || type === "DOUBLE" || type === "BOOLEAN" ? type : undefined;
}

/** The type of a declared array. @throws SelError unsupported, type. */
export function declaredType(name: string, array: boolean): BoxType {
  const type = typeNamed(name);
  if (!array) return type;
  const element = elementType(type);
  if (element === undefined) throw new SelError("type", `there are no arrays of ${type}`);
  return arrayOf(element);
}

/** The element type of `new T[…]`. @throws SelError unsupported. */
export function newElementType(name: string): ElementType {
  const type = typeNamed(name);
  const element = elementType(type);
  if (element === undefined) throw new SelError("unsupported", `there are no arrays of ${type}`);
  return element;
}

/** A fresh box of a type, as a declaration without a value makes it. @throws SelError unsupported. */
export function defaultBox(type: BoxType): Box {
  switch (type) {
    case "LONG":
      return boxLong(0);
    case "DOUBLE":
      return boxOf(type, 0);
    case "BOOLEAN":
      return boxOf(type, false);
    case "STRING_ARRAY":
    case "LONG_ARRAY":
    case "DOUBLE_ARRAY":
    case "BOOLEAN_ARRAY":
      return boxArray(type, []);
    case "NULL":
    case "VOID":
    case "MATH":
    case "PRESET_PARAMS":
    case "PRESET_UTIL_FUNCTION":
    case "PRESET_MISC_FUNC_FIELDS":
      throw new SelError("unsupported", `a variable can't hold a value of type ${type}`);
    default:
      return boxOf(type, null);
  }
}

/** Whether a name is one of the classes and objects that every program sees. */
export function isStatic(name: string): boolean {
  return (TYPES.has(name) && !PRIMITIVES.has(name)) || OBJECTS.has(name);
}

/** The fresh box of a static name, undefined when it is not one. */
export function staticBox(name: string): Box | undefined {
  const object = OBJECTS.get(name);
  if (object !== undefined) return boxOf(object, null);
  const type = PRIMITIVES.has(name) ? undefined : TYPES.get(name);
  return type === undefined ? undefined : defaultBox(type);
}

function keyOf(box: Box | undefined): string {
  if (box?.type !== "STRING") return wrongType("STRING", box as Box);
  return box.content ?? "null";
}

const MAP_METHODS = methods<MapBox>({
  "size/0": ({ content }, _args, cx) => long(content?.size ?? 0, cx),
  "containsKey/1": ({ content }, [k], cx) => {
    const name = keyOf(k);
    return boolean(content?.has(name) ?? false, cx);
  },
  "get/1": ({ content }, [k]) => (content ?? nullContent("the map")).get(keyOf(k)) ?? NULL,
  "getOrDefault/2": ({ content }, [k, otherwise]) =>
    (content ?? nullContent("the map")).get(keyOf(k)) ?? (otherwise as Box),
  "put/2": ({ content }, [k, value], cx) => {
    const map = content ?? nullContent("the map");
    const name = keyOf(k);
    const before = map.get(name);
    if (before === undefined) cx.grow(32);
    map.set(name, value as Box);
    return before ?? NULL;
  },
});

const MISC_METHODS = methods<StaticBox>({
  "currentTimeMillis/0": (_self, _args, cx) => long(cx.options.now, cx),
  "asList/1": (_self, [value]) => value as Box,
});

function uuid(cx: Context): string {
  const hex = Array.from({ length: 4 }, () => cx.nextWord().toString(16).padStart(8, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const UUID_METHODS = methods<Extract<Box, { type: "UUID" }>>({
  "randomUUID/0": (_self, _args, cx) => {
    cx.charge(32);
    return boxUuid(uuid(cx));
  },
  "toString/0": ({ content }, _args, cx) => string(content ?? "null", cx),
});

/** An input variable in a box of its own, NULL when there is none. */
export function param(name: string, cx: Context): Box {
  const value = cx.variable(name);
  return value === undefined ? NULL : fromValue(value, cx);
}

function callExtension(self: StaticBox, name: string, args: readonly Box[], cx: Context): Box {
  const { extension } = cx.options;
  const texts: string[] = [];
  for (const arg of args) {
    if (arg.type === "STRING" && arg.content !== null) texts.push(arg.content);
  }
  if (extension === undefined || texts.length !== args.length || args.length > 3) {
    const hint =
      extension === undefined ? "there are get and containsKey" : "all arguments must be STRING, three at most";
    throw new SelError("unsupported", `${self.type} has no method ${name} with these arguments`, undefined, hint);
  }
  try {
    return fromValue(extension.call(name, texts), cx);
  } catch (error) {
    if (error instanceof SelError) throw error;
    if (error instanceof ExtensionRequest) throw new Passing(error);
    throw new SelError("ext", `params.${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function callParams(self: StaticBox, name: string, args: readonly Box[], cx: Context): Box {
  if (args.length === 1 && name === "get") return param(keyOf(args[0]), cx);
  if (args.length === 1 && name === "containsKey") return boolean(cx.variable(keyOf(args[0])) !== undefined, cx);
  return callExtension(self, name, args, cx);
}

const NONE = methods<Box>({});
const NULL_HINT = "the value is null: the name may be misspelt";

/**
 * Calls a method; `key` is its name and number of arguments, `substring/2`.
 * @throws SelError of any category; Passing for what belongs to the caller of `evaluate`.
 */
export function call(box: Box, name: string, key: string, args: readonly Box[], cx: Context): Box {
  switch (box.type) {
    case "STRING":
      return callString(box, name, key, args, cx);
    case "LONG":
      return invoke(LONG_METHODS, box, key, args, cx);
    case "DOUBLE":
      return invoke(DOUBLE_METHODS, box, key, args, cx);
    case "MAP":
      return invoke(MAP_METHODS, box, key, args, cx);
    case "DATETIME":
      return invoke(TIME_METHODS, box, key, args, cx);
    case "DATETIME_ZONE":
      return invoke(ZONE_METHODS, box, key, args, cx);
    case "DATETIME_FORMATTER":
      return invoke(FORMATTER_METHODS, box, key, args, cx);
    case "DATETIME_PROPERTY":
      return invoke(PROPERTY_METHODS, box, key, args, cx);
    case "DATETIME_DAYS":
      return invoke(DAYS_METHODS, box, key, args, cx);
    case "UUID":
      return invoke(UUID_METHODS, box, key, args, cx);
    case "MATH":
      return invoke(MATH_METHODS, box, key, args, cx);
    case "PRESET_UTIL_FUNCTION":
      return callUtil(box, name, key, args, cx);
    case "PRESET_MISC_FUNC_FIELDS":
      return invoke(MISC_METHODS, box, key, args, cx);
    case "PRESET_PARAMS":
      return callParams(box, name, args, cx);
    case "NULL":
      throw new SelError("unsupported", `null has no method ${name}`, undefined, NULL_HINT);
    default:
      return invoke(NONE, box, key, args, cx);
  }
}

/** Reads a field. @throws SelError unsupported. */
export function field(box: Box, name: string, cx: Context): Box {
  if (isArray(box) && name === "length") return long(box.content.length, cx);
  if (box.type === "DATETIME_ZONE" && name === "UTC") return boxZone(UTC);
  if (box.type === "PRESET_MISC_FUNC_FIELDS" && name === "SUNDAY") return long(7, cx);
  if (box.type === "PRESET_PARAMS") return param(name, cx);
  const hint = box.type === "NULL" ? NULL_HINT : undefined;
  throw new SelError("unsupported", `${box.type} has no field ${name}`, undefined, hint);
}

/** `new T(…)`. @throws SelError unsupported, type, number-format, argument. */
export function construct(name: string, args: readonly Box[], cx: Context): Box {
  const type = typeNamed(name);
  switch (type) {
    case "STRING":
      return newString(args, cx);
    case "LONG":
      return newLong(args, cx);
    case "DOUBLE":
      return newDouble(args, cx);
    case "BOOLEAN":
      return newBoolean(args, cx);
    case "DATETIME":
      return newTime(args, cx);
    case "MAP":
      if (args.length > 0) throw new SelError("type", `new ${name} takes no arguments`);
      cx.charge(32);
      return boxMap(new Map());
    default:
      throw new SelError("unsupported", `${type} has no constructor`);
  }
}
