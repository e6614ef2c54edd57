/** Numbers as Java reads and prints them. */
import { type Long, wrapLong } from "./box.ts";
import { SelError } from "./error.ts";

/** A double's text as `Double.toString` of JDK 19 and later prints it: the shortest digits that read back the same. */
export function javaDoubleText(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (x === 0) return Object.is(x, -0) ? "-0.0" : "0.0";
  const sign = x < 0 ? "-" : "";
  const size = Math.abs(x);
  if (size === Infinity) return `${sign}Infinity`;
  if (size >= 1e-3 && size < 1e7) {
    const text = String(size);
    return sign + (text.includes(".") ? text : `${text}.0`);
  }
  const shortest = size.toExponential();
  // With one digit Java picks the nearest decimal of two digits, which differs for subnormals (4.9E-324).
  const [digits, exponent] = (shortest.includes(".") ? shortest : size.toExponential(1)).split("e");
  return `${sign}${digits}E${Number(exponent)}`;
}

const DIGIT = /\p{Nd}/u;

/** The value of any Unicode decimal digit (of the basic plane), or -1. */
function digitValue(unit: number): number {
  if (unit >= 48 && unit <= 57) return unit - 48;
  if (unit < 0x660 || !DIGIT.test(String.fromCharCode(unit))) return -1;
  let start = unit;
  while (DIGIT.test(String.fromCharCode(start - 1))) start--;
  return (unit - start) % 10;
}

/** Texts with more zeros in front than anybody writes are refused, so that reading takes constant time. */
const MAX_DIGITS = 1_000;

/** Text as a LONG: an optional sign and decimal digits that fit 64 bits. @throws SelError number-format. */
export function parseLong(text: string | null): Long {
  const bad = (): never => {
    const shown = text === null ? "null" : JSON.stringify(text.slice(0, 100));
    throw new SelError("number-format", `${shown} is not a whole number`, undefined, "digits with an optional sign");
  };
  if (text === null) return bad();
  const signed = text[0] === "-" || text[0] === "+";
  if (text.length === (signed ? 1 : 0)) return bad();
  if (text.length > MAX_DIGITS) return bad();
  let digits = "";
  for (let i = signed ? 1 : 0; i < text.length; i++) {
    const value = digitValue(text.charCodeAt(i));
    if (value < 0) return bad();
    if (digits !== "" || value !== 0) digits += value;
    if (digits.length > 19) return bad();
  }
  const value = BigInt(`${text[0] === "-" ? "-" : ""}${digits || "0"}`);
  return BigInt.asIntN(64, value) === value ? wrapLong(value) : bad();
}

const DECIMAL = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/;
const HEX = /^([+-]?)0[xX]([0-9a-fA-F]*)\.?([0-9a-fA-F]*)[pP]([+-]?\d+)[fFdD]?$/;

/** Text as a DOUBLE, by Java's rules. @throws SelError number-format. */
export function parseDouble(text: string): number {
  const trimmed = trimBlanks(text);
  if (trimmed.length > MAX_DIGITS) throw new SelError("number-format", "the number has too many digits");
  if (DECIMAL.test(trimmed)) return Number(trimmed.replace(/[fFdD]$/, ""));
  const hex = HEX.exec(trimmed);
  const digits = `${hex?.[2] ?? ""}${hex?.[3] ?? ""}`;
  if (hex === null || digits === "") {
    const shown = JSON.stringify(text.slice(0, 100));
    throw new SelError("number-format", `${shown} is not a number`, undefined, "for instance 1.5 or 2e10");
  }
  const exponent = Math.max(-5000, Math.min(5000, Number(hex[4]))) - 4 * (hex[3] ?? "").length;
  const value = scale(Number(BigInt(`0x${digits}`)), exponent);
  return hex[1] === "-" ? -value : value;
}

/** x·2^exponent without an intermediate overflow or underflow. */
function scale(x: number, exponent: number): number {
  let value = x;
  let rest = exponent;
  for (; rest > 1000; rest -= 1000) value *= 2 ** 1000;
  for (; rest < -1000 && value !== 0; rest += 1000) value *= 2 ** -1000;
  return value * 2 ** Math.max(-1074, rest);
}

/** Removes characters up to U+0020 at both ends. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text.charCodeAt(start) <= 32) start++;
  while (end > start && text.charCodeAt(end - 1) <= 32) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/** A double as a LONG: towards zero, saturated, NaN is 0. */
export function doubleToLong(x: number): Long {
  if (Number.isNaN(x)) return 0;
  if (x >= 2 ** 63) return 9223372036854775807n;
  if (x <= -(2 ** 63)) return -9223372036854775808n;
  const whole = Math.trunc(x);
  return Number.isSafeInteger(whole) ? whole + 0 : BigInt(whole);
}

/** `String.hashCode()`. */
export function javaHash(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return hash;
}

/** The entries of a map in the order in which Java's `HashMap` iterates them. */
export function hashOrder<T>(map: ReadonlyMap<string, T>): [string, T][] {
  let table = 16;
  while (map.size > table * 0.75) table *= 2;
  const bucket = (key: string): number => {
    const hash = javaHash(key);
    return (hash ^ (hash >>> 16)) & (table - 1);
  };
  return [...map]
    .map((entry) => ({ entry, bucket: bucket(entry[0]) }))
    .sort((a, b) => a.bucket - b.bucket)
    .map((e) => e.entry);
}
