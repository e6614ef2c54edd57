/** What all built-in classes share: how methods are listed, found and charged. */
import { type Box, boxBoolean, boxDouble, boxLong, boxString, type Long, toInt } from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";
import { requireDataMap, Walk } from "../text.ts";

/** Runs a method. The arguments' number is right; their types are the method's business. */
export type Method<T extends Box = Box> = (receiver: T, args: readonly Box[], cx: Context) => Box;

/** Methods by name and number of arguments, for instance `substring/2`. */
export type Methods<T extends Box = Box> = ReadonlyMap<string, Method<T>>;

export function methods<T extends Box>(table: Record<string, Method<T>>): Methods<T> {
  return new Map(Object.entries(table));
}

/** @param key name and number of arguments. @throws SelError unsupported, naming what exists under that name. */
export function invoke<T extends Box>(
  table: Methods<T>,
  receiver: T,
  key: string,
  args: readonly Box[],
  cx: Context,
): Box {
  const method = table.get(key);
  return method === undefined ? unknownMethod(table, receiver, key) : method(receiver, args, cx);
}

function unknownMethod(table: Methods<never>, receiver: Box, key: string): never {
  const name = key.slice(0, key.indexOf("/"));
  const count = key.slice(name.length + 1);
  const keys = [...table.keys()];
  const others = keys.filter((other) => other.startsWith(`${name}/`)).map((other) => other.slice(name.length + 1));
  const all = [...new Set(keys.map((other) => other.slice(0, other.indexOf("/"))))].join(", ");
  const hint = others.length > 0 ? `${name} takes ${others.join(" or ")}` : `there are ${all || "no methods"}`;
  throw new SelError(
    "unsupported",
    `${receiver.type} has no method ${name} with ${count} argument(s)`,
    undefined,
    hint,
  );
}

export function wrongType(expected: string, box: Box): never {
  throw new SelError("type", `${box.type} given where ${expected} was expected`);
}

export function argument(message: string, hint?: string): never {
  throw new SelError("argument", message, undefined, hint);
}

/** The content of a STRING, which may be unset. @throws SelError type. */
export function stringContent(box: Box | undefined): string | null {
  return box?.type === "STRING" ? box.content : wrongType("STRING", box as Box);
}

/** The content of a LONG. @throws SelError type. */
export function longContent(box: Box | undefined): Long {
  return box?.type === "LONG" ? box.content : wrongType("LONG", box as Box);
}

export function nullContent(what: string): never {
  throw new SelError("null", `${what} is null`);
}

// Results, charged.

export function long(value: Long, cx: Context): Box {
  cx.charge(32);
  return boxLong(value);
}

export function double(value: number, cx: Context): Box {
  cx.charge(32);
  return boxDouble(value);
}

export function boolean(value: boolean, cx: Context): Box {
  cx.charge(32);
  return boxBoolean(value);
}

export function string(value: string | null, cx: Context): Box {
  cx.charge(32 + 2 * (value?.length ?? 0));
  return boxString(value);
}

// Arguments of reflective methods: any misfit is an `argument` error.

export function textArg(box: Box | undefined): string {
  if (box?.type === "STRING" && box.content !== null) return box.content;
  return argument(`${box?.type === "STRING" ? "null" : box?.type} given where a text was expected`);
}

/** An int: LONGs above 2^31−1 are refused, those below −2^31 lose their high bits (sel.md §2.7). */
export function intArg(box: Box | undefined): number {
  if (box?.type === "LONG" && box.content <= 2147483647) return toInt(box.content);
  return argument(`${box?.type === "LONG" ? String(box.content) : box?.type} given where a 32-bit number was expected`);
}

/** Arguments are unboxed before the call: what has no content can't be. @throws SelError unsupported. */
function requireConvertible(box: Box, cx: Context): void {
  if (box.type === "MAP") requireDataMap(box, new Walk(cx));
  else if (box.type === "UUID" || box.type === "MATH" || box.type.startsWith("PRESET_")) {
    throw new SelError("unsupported", `a value of type ${box.type} can't be passed to a method`);
  }
}

/** Limits and what must pass through are not a method's failure. */
function passes(error: unknown): boolean {
  if (!(error instanceof SelError)) return true;
  return error.category.startsWith("limit-") || error.category === "timeout";
}

/** A reflective call: whatever goes wrong inside is an `argument` error. */
export function reflective<T extends Box>(name: string, run: Method<T>): Method<T> {
  return (receiver, args, cx) => {
    for (const arg of args) requireConvertible(arg, cx);
    try {
      return run(receiver, args, cx);
    } catch (error) {
      if (passes(error)) throw error;
      const cause = error as SelError;
      throw new SelError("argument", `${name}: ${cause.message}`, undefined, cause.hint);
    }
  };
}
