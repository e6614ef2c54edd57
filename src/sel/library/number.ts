/** LONG, DOUBLE and BOOLEAN: methods and constructors; Math. */
import type { Box, DoubleBox, LongBox, StaticBox } from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";
import { doubleToLong, javaDoubleText, parseDouble, parseLong } from "../number.ts";
import {
  boolean,
  double,
  long,
  longContent,
  type Method,
  methods,
  nullContent,
  string,
  stringContent,
  wrongType,
} from "./method.ts";

function noOverload(type: string, name: string, box: Box): never {
  throw new SelError("unsupported", `${type} has no method ${name} for a ${box.type}`);
}

export const LONG_METHODS = methods<LongBox>({
  "toString/0": ({ content }, _args, cx) => string(String(content), cx),
  "toString/1": (_self, [a], cx) => string(String(longContent(a)), cx),
  "intValue/0": ({ content }, _args, cx) => long(content, cx),
  "parseLong/1": (_self, [a], cx) => long(parseLong(stringContent(a)), cx),
  "valueOf/1": (_self, [a], cx) => {
    if (a?.type === "LONG") return long(a.content, cx);
    return a?.type === "STRING" ? long(parseLong(a.content), cx) : noOverload("LONG", "valueOf", a as Box);
  },
});

function doubleContent(box: Box | undefined): number {
  return box?.type === "DOUBLE" ? box.content : wrongType("DOUBLE", box as Box);
}

function readDouble(text: string | null): number {
  return parseDouble(text ?? nullContent("the text"));
}

const toLong: Method<DoubleBox> = ({ content }, _args, cx) => long(doubleToLong(content), cx);

export const DOUBLE_METHODS = methods<DoubleBox>({
  "toString/0": ({ content }, _args, cx) => string(javaDoubleText(content), cx),
  "toString/1": (_self, [a], cx) => string(javaDoubleText(doubleContent(a)), cx),
  "intValue/0": toLong,
  "longValue/0": toLong,
  "parseDouble/1": (_self, [a], cx) => double(readDouble(stringContent(a)), cx),
  "valueOf/1": (_self, [a], cx) => {
    if (a?.type === "DOUBLE") return double(a.content, cx);
    return a?.type === "STRING" ? double(readDouble(a.content), cx) : noOverload("DOUBLE", "valueOf", a as Box);
  },
});

/** A number for `Math.pow`. Unset and null values have no number. */
function numeric(box: Box | undefined): number {
  if (box?.type === "LONG" || box?.type === "DOUBLE") return Number(box.content);
  if (box?.type === "NULL" || box?.content === null) return nullContent("the number");
  return wrongType("a number", box as Box);
}

/** Java and JS disagree about ±1 to the power of ±Infinity and NaN only: Java says NaN, as JS does. */
const pow = (base: number, exponent: number): number => base ** exponent;

export const MATH_METHODS = methods<StaticBox>({
  "min/2": (_self, [a, b], cx) => extreme(a, b, cx, (x, y) => x <= y),
  "max/2": (_self, [a, b], cx) => extreme(a, b, cx, (x, y) => x >= y),
  "pow/2": (_self, [a, b], cx) => double(pow(numeric(a), numeric(b)), cx),
  "random/0": (_self, _args, cx) => double(cx.nextRandom(), cx),
});

function extreme(
  a: Box | undefined,
  b: Box | undefined,
  cx: Context,
  wins: (x: number | bigint, y: number | bigint) => boolean,
): Box {
  const x = longContent(a);
  const y = longContent(b);
  return long(wins(x, y) ? x : y, cx);
}

function misfit(type: string, args: readonly Box[]): never {
  throw new SelError("type", `new ${type} can't take (${args.map((a) => a.type).join(", ")})`);
}

export function newLong(args: readonly Box[], cx: Context): Box {
  const [from] = args;
  if (args.length === 1 && from?.type === "LONG") return long(from.content, cx);
  if (args.length === 1 && from?.type === "STRING") return long(parseLong(from.content), cx);
  return misfit("Long", args);
}

export function newDouble(args: readonly Box[], cx: Context): Box {
  const [from] = args;
  if (args.length === 1 && from?.type === "DOUBLE") return double(from.content, cx);
  if (args.length === 1 && from?.type === "STRING") return double(readDouble(from.content), cx);
  return misfit("Double", args);
}

export function newBoolean(args: readonly Box[], cx: Context): Box {
  const [from] = args;
  if (args.length === 1 && from?.type === "BOOLEAN") return boolean(from.content, cx);
  if (args.length === 1 && from?.type === "STRING") return boolean(from.content?.toLowerCase() === "true", cx);
  return misfit("Boolean", args);
}
