/** The text form of values: what `+` appends, and what Java prints for an unboxed value (sel.md §2.6). */
import {
  type Box,
  type BoxType,
  type Item,
  isArray,
  isBox,
  itemContent,
  type Long,
  type MapBox,
  toInt,
} from "./box.ts";
import type { Context } from "./context.ts";
import { SelError } from "./error.ts";
import { hashOrder, javaDoubleText } from "./number.ts";
import { isoText } from "./time/iso.ts";

/** Maps inside maps: deeper than this is refused, before the host's stack would overflow. */
const MAX_DEPTH = 500;

/** Identity text names a JVM class and a hash; the hash is not reproducible, so ours is constant. */
const IDENTITY: Partial<Record<BoxType, string>> = {
  STRING_ARRAY: "[Ljava.lang.String;@0",
  LONG_ARRAY: "[J@0",
  DOUBLE_ARRAY: "[D@0",
  BOOLEAN_ARRAY: "[Z@0",
};

function noContent(type: BoxType): never {
  throw new SelError("unsupported", `${type} has no text form`, undefined, "append one of its values instead");
}

/** Follows the maps that are being walked: none may contain itself, nor be nested without end. */
export class Walk {
  private readonly open = new Set<object>();

  constructor(private readonly cx: Context) {}

  /** Runs `inside` for a map's content. @throws SelError when the map contains itself or is nested too deeply. */
  enter<T>(content: object, inside: () => T): T {
    if (this.open.has(content)) throw new SelError("unsupported", "the map contains itself", undefined, "put a copy");
    if (this.open.size >= MAX_DEPTH) throw new SelError("limit-stack", `maps nested deeper than ${MAX_DEPTH} levels`);
    this.open.add(content);
    const result = inside();
    this.open.delete(content);
    return result;
  }

  /** Charges one value and its characters to the growth limit. */
  count(units: number): void {
    this.cx.grow(32 + 2 * units);
    this.cx.toil(4);
  }
}

function bareText(content: string | null | Long | boolean, double: boolean): string {
  return double ? javaDoubleText(content as number) : String(content);
}

/** The text that `+` and `+=` append. @throws SelError unsupported for values without content. */
export function textOf(box: Box, cx: Context): string {
  switch (box.type) {
    case "STRING":
      return box.content ?? "null";
    case "DOUBLE":
      return javaDoubleText(box.content);
    case "MAP":
      return mapText(box, new Walk(cx), nestedText);
    case "LONG_ARRAY":
    case "STRING_ARRAY":
    case "DOUBLE_ARRAY":
    case "BOOLEAN_ARRAY":
      return "[Lcom.netflix.sel.type.SelType;@0";
    default:
      return scalarText(box);
  }
}

function scalarText(box: Box): string {
  if (box.content === null && box.type !== "UUID" && !box.type.startsWith("PRESET") && box.type !== "MATH")
    return "null";
  switch (box.type) {
    case "LONG":
    case "BOOLEAN":
      return String(box.content);
    case "DATETIME":
      return box.content === null ? "null" : isoText(box.content);
    case "DATETIME_ZONE":
      return box.content?.id ?? "null";
    case "DATETIME_FORMATTER":
      return "org.joda.time.format.DateTimeFormatter@0";
    case "DATETIME_PROPERTY":
      return `Property[${box.content?.field}]`;
    case "DATETIME_DAYS":
      return `P${box.content}D`;
    default:
      return noContent(box.type);
  }
}

function mapText(map: MapBox, walk: Walk, member: (box: Box, walk: Walk) => string): string {
  const { content } = map;
  if (content === null) return "null";
  return walk.enter(content, () => {
    let text = "{";
    for (const [key, value] of hashOrder(content)) {
      const piece = `${text === "{" ? "" : ", "}${key}=${member(value, walk)}`;
      walk.count(piece.length);
      text += piece;
    }
    return `${text}}`;
  });
}

function nestedText(box: Box, walk: Walk): string {
  if (box.type === "MAP") return mapText(box, walk, nestedText);
  if (box.type === "NULL") return "NULL";
  if (isArray(box)) {
    walk.count(box.content.length * 8);
    return `[${box.content.map((item) => bareText(itemContent(item), box.type === "DOUBLE_ARRAY")).join(", ")}]`;
  }
  if (box.type === "STRING") return box.content ?? "null";
  if (box.type === "DOUBLE") return javaDoubleText(box.content);
  if (box.type === "UUID") return "com.netflix.sel.type.SelJavaUUID@0";
  return box.type.startsWith("PRESET") || box.type === "MATH" ? box.type : scalarText(box);
}

/** A LONG as a reflective Java method receives it: a 32-bit int unless it is greater than 2^31−1. */
export function narrow(value: Long): Long {
  return typeof value === "number" && value <= 2147483647 && value >= -2147483648
    ? value
    : value > 2147483647
      ? value
      : toInt(value);
}

/** The text of the unboxed Java value: `String.valueOf(x)` and `%s`. */
export function javaText(box: Box, cx: Context): string {
  switch (box.type) {
    case "LONG":
      return String(narrow(box.content));
    case "MAP":
      return mapText(box, new Walk(cx), unboxedText);
    case "NULL":
      return "null";
    default:
      return IDENTITY[box.type] ?? textOf(box, cx);
  }
}

function unboxedText(box: Box, walk: Walk): string {
  if (box.type === "MAP") return mapText(box, walk, unboxedText);
  requireData(box);
  return IDENTITY[box.type] ?? nestedText(box, walk);
}

/** Only data may be a value of a map that leaves the language. @throws SelError unsupported. */
export function requireData(box: Box): void {
  switch (box.type) {
    case "STRING":
    case "LONG":
    case "DOUBLE":
    case "BOOLEAN":
    case "MAP":
      return;
    default:
      if (isArray(box)) return;
      throw new SelError("unsupported", `a map that is used as data can't hold a value of type ${box.type}`);
  }
}

/** Only data in a map and in the maps within it. @throws SelError unsupported. */
export function requireDataMap(map: MapBox, walk: Walk): void {
  const { content } = map;
  if (content === null) return;
  walk.enter(content, () => {
    for (const value of content.values()) {
      walk.count(0);
      requireData(value);
      if (value.type === "MAP") requireDataMap(value, walk);
    }
  });
}

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ['"', '\\"'],
  ["\\", "\\\\"],
]);

/** A JSON string as Jackson writes it. */
export function quote(text: string): string {
  const body = text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes exactly these
    /[\u0000-\u001f"\\]/g,
    (unit) => SHORT_ESCAPES.get(unit) ?? `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`,
  );
  return `"${body}"`;
}

function doubleJson(x: number): string {
  return Number.isFinite(x) ? javaDoubleText(x) : quote(javaDoubleText(x));
}

/** A value as JSON text. @throws SelError `ext` for what is not data, `unsupported` inside a map. */
export function toJson(box: Box, cx: Context): string {
  if (box.type === "LONG") return String(narrow(box.content));
  if (box.type === "NULL") return "null";
  if (box.type !== "MAP" && box.type !== "STRING" && box.type !== "DOUBLE" && box.type !== "BOOLEAN" && !isArray(box)) {
    throw new SelError("ext", `a value of type ${box.type} can't be written as JSON`, undefined, "use its toString()");
  }
  return jsonText(box, new Walk(cx));
}

function itemJson(item: Item, double: boolean): string {
  const content = itemContent(item);
  if (content === null) return "null";
  if (typeof content === "string") return quote(content);
  return double ? doubleJson(content as number) : String(content);
}

function jsonText(box: Box, walk: Walk): string {
  if (box.type === "MAP") {
    const { content } = box;
    if (content === null) return "null";
    return walk.enter(content, () => {
      let text = "{";
      for (const [key, value] of rehashed(content)) {
        requireData(value);
        walk.count(key.length * 2);
        text += `${text === "{" ? "" : ","}${quote(key)}:${jsonText(value, walk)}`;
      }
      return `${text}}`;
    });
  }
  if (isArray(box)) {
    const parts: string[] = [];
    for (const item of box.content) {
      const part = itemJson(item, box.type === "DOUBLE_ARRAY");
      walk.count(part.length);
      parts.push(part);
    }
    return `[${parts.join(",")}]`;
  }
  if (isBox(box) && box.type === "STRING") {
    walk.count((box.content?.length ?? 4) * 2);
    return box.content === null ? "null" : quote(box.content);
  }
  return box.type === "DOUBLE" ? doubleJson(box.content) : String(box.content);
}

/** Unboxing inserts the entries into a new table in iteration order. */
export function rehashed(map: ReadonlyMap<string, Box>): [string, Box][] {
  return hashOrder(new Map(hashOrder(map)));
}
