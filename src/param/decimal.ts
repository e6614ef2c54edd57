/** Exact comparison of decimal numbers by their texts, whatever their size: nothing is expanded. */
import { isRawNumber, type Json } from "../json.ts";

interface Decimal {
  readonly negative: boolean;
  /** Significant digits, without zeros at either end; empty for zero. */
  readonly digits: string;
  /** Digits before the point; negative for zeros right after it. */
  readonly point: number;
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,15}))?$/;

/** Reads `12`, `-0.5`, `1E3`; undefined for anything else. */
export function readDecimal(text: string): Decimal | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  const all = whole + fraction;
  if (all === "") return undefined;
  const lead = /^0*/.exec(all)?.[0].length ?? 0;
  const digits = trimEnd(all.slice(lead));
  if (digits === "") return { negative: false, digits, point: 0 };
  return { negative: sign === "-", digits, point: whole.length - lead + Number(exponent) };
}

function trimEnd(digits: string): string {
  let end = digits.length;
  while (end > 0 && digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}

/** A number of JSON, or a numeric text, as a decimal. */
export function decimalOf(value: Json): Decimal | undefined {
  if (typeof value === "number") return readDecimal(String(value));
  if (isRawNumber(value)) return readDecimal(value.rawJSON);
  return typeof value === "string" ? readDecimal(value.trim()) : undefined;
}

/** Below 0, 0 or above 0, as for `sort`. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const signs = signOf(a) - signOf(b);
  if (signs !== 0) return signs;
  const size = a.point - b.point || compareTexts(a.digits, b.digits);
  return a.negative ? -size : size;
}

/** -1, 0 or 1. */
export function signOf({ negative, digits }: Decimal): number {
  if (digits === "") return 0;
  return negative ? -1 : 1;
}

/** How many digits stand before and after the point, without needless zeros. */
export function digitCounts({ digits, point }: Decimal): { readonly integer: number; readonly fraction: number } {
  return { integer: digits === "" ? 0 : Math.max(0, point), fraction: Math.max(0, digits.length - point) };
}

/** Digits after a common point compare as texts: a shorter one counts as filled up with zeros. */
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
