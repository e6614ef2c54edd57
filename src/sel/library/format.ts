/** `String.format`: the part of java.util.Formatter that makes sense for SEL's values, in locale en_US. */
import type { Box } from "../box.ts";
import type { Context } from "../context.ts";
import { javaDoubleText, javaHash } from "../number.ts";
import { javaText, narrow } from "../text.ts";
import { argument } from "./method.ts";

interface Specifier {
  readonly text: string;
  readonly flags: string;
  readonly width: number;
  /** -1 when absent. */
  readonly precision: number;
  readonly conversion: string;
}

const SPECIFIER = /%(\d+\$|<)?([-#+ 0,(<]*)(\d+)?(\.\d+)?([tT]?[a-zA-Z%])/y;
const MAX_WIDTH = 2147483647;

/** @throws SelError argument for a bad format or an argument that does not fit; limit-memory. */
export function format(pattern: string, args: readonly Box[], cx: Context): string {
  let out = "";
  let ordinary = 0;
  let last = -1;
  for (let i = 0; i < pattern.length; ) {
    const next = pattern.indexOf("%", i);
    if (next < 0) return out + pattern.slice(i);
    out += pattern.slice(i, next);
    SPECIFIER.lastIndex = next;
    const match = SPECIFIER.exec(pattern);
    if (match === null) return argument(`the format is wrong at ${JSON.stringify(pattern.slice(next, next + 20))}`);
    i = next + match[0].length;
    const specifier = read(match);
    cx.reserve(2 * (out.length + Math.max(specifier.width, specifier.precision, 0)));
    if (specifier.conversion === "%" || specifier.conversion === "n") {
      out += bare(specifier);
      continue;
    }
    const position = match[1];
    if (position === "<" || specifier.flags.includes("<")) {
      if (last < 0) argument(`${specifier.text} refers to an argument before the first`);
    } else {
      last = position === undefined ? ordinary++ : Number.parseInt(position, 10) - 1;
    }
    const value = last < 0 ? undefined : args[last];
    if (value === undefined)
      return argument(`${specifier.text} has no argument`, "give as many values as the format names");
    out += convert(specifier, value, cx);
    cx.reserve(2 * out.length);
  }
  return out;
}

function read(match: RegExpExecArray): Specifier {
  const [text, , flags = "", width, precision, conversion = ""] = match;
  const wide = width === undefined ? -1 : Number(width);
  const exact = precision === undefined ? -1 : Number(precision.slice(1));
  if (wide > MAX_WIDTH || exact > MAX_WIDTH) argument(`${text}: the width or precision is too large`);
  const own = flags.replace("<", "");
  if (new Set(own).size !== own.length) argument(`${text}: a flag is given twice`);
  if ((flags.includes("-") || flags.includes("0")) && width === undefined) argument(`${text}: the flag needs a width`);
  if (flags.includes("-") && flags.includes("0")) argument(`${text}: the flags - and 0 exclude each other`);
  if (flags.includes("+") && flags.includes(" ")) argument(`${text}: the flags + and blank exclude each other`);
  return { text, flags, width: wide, precision: exact, conversion };
}

function bare(specifier: Specifier): string {
  if (specifier.conversion === "%") {
    if (specifier.precision >= 0 || specifier.flags.replace("-", "") !== "")
      argument(`${specifier.text} takes no flags`);
    return pad("%", specifier);
  }
  if (specifier.width >= 0 || specifier.precision >= 0 || specifier.flags !== "")
    argument(`${specifier.text} takes no flags`);
  return "\n";
}

function pad(text: string, { flags, width }: Specifier): string {
  if (text.length >= width) return text;
  return flags.includes("-") ? text.padEnd(width) : text.padStart(width);
}

function convert(specifier: Specifier, value: Box, cx: Context): string {
  const { conversion } = specifier;
  const text = lower(specifier, value, cx);
  return conversion !== conversion.toLowerCase() ? text.toUpperCase() : text;
}

const NO_UPPER = new Set(["D", "O", "F", "N"]);

function lower(specifier: Specifier, value: Box, cx: Context): string {
  const { conversion, text } = specifier;
  if (NO_UPPER.has(conversion)) return argument(`${text}: the conversion is not known`);
  switch (conversion.toLowerCase()) {
    case "s":
      return general(specifier, javaText(value, cx), "-");
    case "b":
      return general(
        specifier,
        String(value.type === "BOOLEAN" ? value.content : value.content !== null || isPreset(value)),
        "-",
      );
    case "h":
      return general(specifier, value.content === null ? "null" : hashOf(value, cx), "-");
    case "c":
      return character(specifier, value);
    case "d":
    case "x":
    case "o":
      return integral(specifier, value);
    case "e":
    case "f":
    case "g":
    case "a":
      return floating(specifier, value);
    default:
      return argument(`${text}: the conversion is not known`, "one of s d x o f e g b c h n %");
  }
}

function isPreset(value: Box): boolean {
  return value.type === "MATH" || value.type.startsWith("PRESET");
}

function onlyFlags(specifier: Specifier, allowed: string): void {
  for (const flag of specifier.flags) {
    if (!allowed.includes(flag) && flag !== "<")
      argument(`${specifier.text}: the flag ${flag} does not fit the conversion`);
  }
}

function general(specifier: Specifier, text: string, allowed: string): string {
  onlyFlags(specifier, allowed);
  return pad(specifier.precision >= 0 ? text.slice(0, specifier.precision) : text, specifier);
}

function hashOf(value: Box, cx: Context): string {
  switch (value.type) {
    case "LONG": {
      const bits = BigInt.asUintN(64, BigInt(narrow(value.content)));
      const hash = value.content > 2147483647 ? bits ^ (bits >> 32n) : bits;
      return BigInt.asUintN(32, hash).toString(16);
    }
    case "DOUBLE": {
      const bits = new BigUint64Array(new Float64Array([value.content]).buffer)[0] as bigint;
      return BigInt.asUintN(32, bits ^ (bits >> 32n)).toString(16);
    }
    case "BOOLEAN":
      return (value.content ? 1231 : 1237).toString(16);
    default:
      return (javaHash(javaText(value, cx)) >>> 0).toString(16);
  }
}

function character(specifier: Specifier, value: Box): string {
  onlyFlags(specifier, "-");
  if (specifier.precision >= 0) argument(`${specifier.text}: a character has no precision`);
  if (value.content === null) return pad("null", specifier);
  if (value.type !== "LONG") return argument(`${specifier.text} can't print a ${value.type}`);
  const code = narrow(value.content);
  if (typeof code !== "number" || code < 0 || code > 0x10ffff)
    return argument(`${specifier.text}: ${code} is not a character`);
  return pad(String.fromCodePoint(code), specifier);
}

function integral(specifier: Specifier, value: Box): string {
  const { conversion, precision, text } = specifier;
  if (precision >= 0) argument(`${text}: a whole number has no precision`);
  onlyFlags(specifier, conversion === "d" ? "-+ 0,(" : "-#0");
  if (value.content === null) return pad("null", { ...specifier, flags: specifier.flags.replace("0", "") });
  if (value.type !== "LONG")
    return argument(`${text} needs a LONG, not a ${value.type}`, "use %s for text and %f for a DOUBLE");
  const number = BigInt(narrow(value.content));
  if (conversion === "d") return signed(specifier, number < 0n, String(number < 0n ? -number : number));
  const bits = value.content > 2147483647 ? 64 : 32;
  const radix = conversion === "o" ? 8 : 16;
  const digits = BigInt.asUintN(bits, number).toString(radix);
  const prefix = specifier.flags.includes("#") ? (radix === 8 ? "0" : "0x") : "";
  const body = specifier.flags.includes("0") ? digits.padStart(specifier.width - prefix.length, "0") : digits;
  return pad(prefix + body, specifier);
}

function group(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** Sign, grouping and zeros around the digits of a number's size. */
function signed(specifier: Specifier, negative: boolean, digits: string): string {
  const { flags, width } = specifier;
  const [before, after] = negative
    ? flags.includes("(")
      ? ["(", ")"]
      : ["-", ""]
    : [flags.includes("+") ? "+" : flags.includes(" ") ? " " : "", ""];
  const grouped = flags.includes(",") ? group(digits) : digits;
  const room = width - (before ?? "").length - (after ?? "").length;
  const body = flags.includes("0") ? grouped.padStart(Math.max(0, room), "0") : grouped;
  return pad(`${before}${body}${after}`, specifier);
}

function floating(specifier: Specifier, value: Box): string {
  const { conversion, text } = specifier;
  const kind = conversion.toLowerCase();
  onlyFlags(specifier, kind === "a" ? "-#+ 0" : kind === "f" ? "-#+ 0,(" : kind === "e" ? "-#+ 0(" : "-+ 0,(");
  if (value.content === null) return pad("null", { ...specifier, flags: specifier.flags.replace("0", "") });
  if (value.type !== "DOUBLE") return argument(`${text} needs a DOUBLE, not a ${value.type}`, "use %d for a LONG");
  const number = value.content;
  const negative = number < 0 || Object.is(number, -0);
  if (!Number.isFinite(number)) {
    const plain = { ...specifier, flags: specifier.flags.replace("0", "").replace(",", "") };
    return Number.isNaN(number) ? pad("NaN", plain) : signed(plain, negative, "Infinity");
  }
  const size = Math.abs(number);
  if (kind === "a") return signed(specifier, negative, hexadecimal(size));
  return signed(specifier, negative, decimal(kind, size, specifier));
}

function decimal(kind: string, size: number, { precision, flags }: Specifier): string {
  const point = flags.includes("#") && precision === 0 ? "." : "";
  const places = precision < 0 ? 6 : precision;
  if (kind === "f") return fixed(size, places) + point;
  if (kind === "e") return scientific(size, places) + point;
  const significant = places === 0 ? 1 : places;
  if (size === 0) return fixed(0, significant - 1);
  const rounded = scientific(size, significant - 1);
  const exponent = Number(rounded.slice(rounded.indexOf("e") + 1));
  return exponent < -4 || exponent >= significant ? rounded : fixed(size, significant - 1 - exponent);
}

/** The shortest digits of a double and the place of its point: `0.d1d2d3… × 10^scale`. */
function shortest(size: number): { digits: string; scale: number } {
  const [mantissa = "0", exponent = "0"] = javaDoubleText(size).split("E");
  const [whole = "0", fraction = ""] = mantissa.split(".");
  const all = `${whole}${fraction}`;
  const digits = all.replace(/^0+/, "");
  const scale = whole.length + Number(exponent) - (all.length - digits.length);
  return { digits: digits.replace(/0+$/, ""), scale: digits === "" ? 0 : scale };
}

/** Digits rounded half up after `keep` of them; one more digit when the rounding carries over the first. */
function round(digits: string, keep: number): { digits: string; carried: boolean } {
  if (keep < 0) return { digits: "", carried: false };
  if (digits.length <= keep) return { digits: digits.padEnd(keep, "0"), carried: false };
  const up = (digits[keep] ?? "0") >= "5";
  if (!up) return { digits: digits.slice(0, keep), carried: false };
  const raised = (BigInt(digits.slice(0, keep) || "0") + 1n).toString().padStart(keep, "0");
  return { digits: raised, carried: raised.length > keep };
}

function fixed(size: number, places: number): string {
  const { digits, scale } = shortest(size);
  const rounded = round(digits, scale + places);
  const all = (rounded.digits || "0").padStart(places + 1, "0");
  const whole = all.slice(0, all.length - places).replace(/^0+(?=\d)/, "");
  return places === 0 ? whole : `${whole}.${all.slice(all.length - places)}`;
}

function scientific(size: number, places: number): string {
  const { digits, scale } = shortest(size);
  const rounded = round(digits, places + 1);
  const mantissa = rounded.digits.padEnd(places + 1, "0").slice(0, places + 1);
  const exponent = digits === "" ? 0 : scale - 1 + (rounded.carried ? 1 : 0);
  const fraction = places === 0 ? "" : `.${mantissa.slice(1)}`;
  return `${mantissa[0]}${fraction}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** `0x1.8p3`, as `Double.toHexString`. */
function hexadecimal(size: number): string {
  if (size === 0) return "0x0.0p0";
  const bits = new BigUint64Array(new Float64Array([size]).buffer)[0] as bigint;
  const exponent = Number(bits >> 52n);
  const fraction = (bits & 0xfffffffffffffn).toString(16).padStart(13, "0").replace(/0+$/, "") || "0";
  return exponent === 0 ? `0x0.${fraction}p-1022` : `0x1.${fraction}p${exponent - 1023}`;
}
