/** STRING: methods of its values and of the class name. */
import { arrayOf, type Box, boxArray, itemContent, type StringBox } from "../box.ts";
import type { Context } from "../context.ts";
import { SelError } from "../error.ts";
import { trimBlanks } from "../number.ts";
import { replaceAll, split } from "../regex/replace.ts";
import { javaText } from "../text.ts";
import { format } from "./format.ts";
import {
  argument,
  boolean,
  intArg,
  invoke,
  long,
  type Method,
  methods,
  nullContent,
  reflective,
  string,
  stringContent,
  textArg,
  wrongType,
} from "./method.ts";

type Own = (text: string, args: readonly Box[], cx: Context) => Box;

/** A method that needs a text to work on. */
function own(name: string, run: Own): Method<StringBox> {
  return reflective(name, ({ content }, args, cx) => {
    if (content === null) return argument("the text is null");
    cx.toil(content.length >> 4);
    return run(content, args, cx);
  });
}

function substring(text: string, from: number, to: number, cx: Context): Box {
  if (from < 0 || to > text.length || from > to) {
    argument(`[${from}, ${to}) is not a range of a text of length ${text.length}`);
  }
  return string(text.slice(from, to), cx);
}

function compare(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a.charCodeAt(i) - b.charCodeAt(i);
  }
  return a.length - b.length;
}

function replace(text: string, what: string, by: string, cx: Context): Box {
  const count = occurrences(text, what, (found) => cx.reserve(32 + 2 * found * (by.length - what.length)));
  cx.toil((text.length >> 4) + count);
  cx.reserve(32 + 2 * (text.length + count * (by.length - what.length)));
  return string(
    text.replaceAll(what, () => by),
    cx,
  );
}

/** @param check is told the number so far, now and then. */
function occurrences(text: string, what: string, check: (found: number) => void): number {
  if (what === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(what); at >= 0; at = text.indexOf(what, at + what.length)) {
    if ((++count & 0xfff) === 0) check(count);
  }
  return count;
}

function splitText(text: string, pattern: string, limit: number, cx: Context): Box {
  const parts = split(text, pattern, limit, cx);
  cx.charge(32 + parts.reduce((sum, part) => sum + 32 + 2 * part.length, 0));
  return boxArray(arrayOf("STRING"), parts);
}

/** Upper and lower case may grow a text threefold. */
function cased(text: string, change: (text: string) => string, cx: Context): Box {
  cx.reserve(32 + 2 * text.length);
  cx.toil(text.length >> 4);
  return string(change(text), cx);
}

const METHODS = methods<StringBox>({
  "length/0": own("length", (text, _args, cx) => long(text.length, cx)),
  "isEmpty/0": own("isEmpty", (text, _args, cx) => boolean(text === "", cx)),
  "trim/0": own("trim", (text, _args, cx) => string(trimBlanks(text), cx)),
  "toUpperCase/0": own("toUpperCase", (text, _args, cx) => cased(text, (t) => t.toUpperCase(), cx)),
  "toLowerCase/0": own("toLowerCase", (text, _args, cx) => cased(text, (t) => t.toLowerCase(), cx)),
  "startsWith/1": own("startsWith", (text, [a], cx) => boolean(text.startsWith(textArg(a)), cx)),
  "endsWith/1": own("endsWith", (text, [a], cx) => boolean(text.endsWith(textArg(a)), cx)),
  "contains/1": own("contains", (text, [a], cx) => boolean(text.includes(textArg(a)), cx)),
  "equals/1": own("equals", (text, [a], cx) => boolean(a?.type === "STRING" && a.content === text, cx)),
  "compareTo/1": own("compareTo", (text, [a], cx) => long(compare(text, textArg(a)), cx)),
  "lastIndexOf/1": own("lastIndexOf", (text, [a], cx) => long(text.lastIndexOf(textArg(a)), cx)),
  "substring/1": own("substring", (text, [a], cx) => substring(text, intArg(a), text.length, cx)),
  "substring/2": own("substring", (text, [a, b], cx) => substring(text, intArg(a), intArg(b), cx)),
  "replace/2": own("replace", (text, [a, b], cx) => replace(text, textArg(a), textArg(b), cx)),
  "replaceAll/2": own("replaceAll", (text, [a, b], cx) => string(replaceAll(text, textArg(a), textArg(b), cx), cx)),
  "split/1": own("split", (text, [a], cx) => splitText(text, textArg(a), 0, cx)),
  "split/2": own("split", (text, [a, b], cx) => splitText(text, textArg(a), intArg(b), cx)),
  "valueOf/1": reflective("valueOf", ({ content }, [a], cx) => {
    if (content !== null) argument("valueOf belongs to the class", "write String.valueOf(x)");
    return string(javaText(a as Box, cx), cx);
  }),
});

function join(args: readonly Box[], cx: Context): Box {
  const [separator, first] = args;
  if (separator === undefined) argument("join needs a separator");
  const between = stringContent(separator) ?? nullContent("the separator");
  const parts =
    first !== undefined && args.length === 2 && first.type.endsWith("_ARRAY")
      ? arrayParts(first)
      : args.slice(1).map(stringContent);
  const length = parts.reduce((sum, part) => sum + between.length + (part ?? "null").length, 0);
  cx.toil(parts.length);
  cx.reserve(32 + 2 * length);
  return string(parts.map((part) => part ?? "null").join(between), cx);
}

function arrayParts(box: Box): (string | null)[] {
  if (box.type !== "STRING_ARRAY") return wrongType("STRING_ARRAY", box);
  return box.content.map((item) => itemContent(item) as string | null);
}

const ESCAPED: ReadonlyMap<string, string> = new Map([
  ["\\", "\\\\"],
  ["\t", "\\t"],
  ["\b", "\\b"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\f", "\\f"],
  ['"', '\\"'],
]);

function escaped(receiver: StringBox, args: readonly Box[], cx: Context): Box {
  const [given] = args;
  if (args.length > 1 || (given !== undefined && given.type !== "STRING")) argument("escape takes one text at most");
  const text = (given === undefined ? receiver.content : (given as StringBox).content) ?? nullContent("the text");
  cx.reserve(32 + 4 * text.length);
  return string(
    text.replace(/[\\\t\b\n\r\f"]/g, (unit) => ESCAPED.get(unit) ?? unit),
    cx,
  );
}

/** Calls a method of a STRING or of the class name `String`. */
export function callString(receiver: StringBox, name: string, key: string, args: readonly Box[], cx: Context): Box {
  switch (name) {
    case "format": {
      const [pattern, ...values] = args;
      if (pattern === undefined) argument("format needs a format text");
      return string(format(stringContent(pattern) ?? nullContent("the format"), values, cx), cx);
    }
    case "join":
      return join(args, cx);
    case "escape":
      return escaped(receiver, args, cx);
    default:
      return invoke(METHODS, receiver, key, args, cx);
  }
}

/** `new String()`, `new String(STRING)`, `new String(LONG)`. */
export function newString(args: readonly Box[], cx: Context): Box {
  const [from] = args;
  if (from === undefined) return string("", cx);
  if (args.length === 1 && from.type === "STRING") return string(from.content, cx);
  if (args.length === 1 && from.type === "LONG") return string(String(from.content), cx);
  throw new SelError(
    "type",
    `new String can't take ${args.map((a) => a.type).join(", ")}`,
    undefined,
    "a STRING, a LONG or nothing",
  );
}
