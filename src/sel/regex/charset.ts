/** Sets of characters by name, as java.util.regex knows them. */
import { SelError } from "../error.ts";
import type { CharTest } from "./node.ts";

const between =
  (from: number, to: number): CharTest =>
  (code) =>
    code >= from && code <= to;
const any =
  (...tests: readonly CharTest[]): CharTest =>
  (code) =>
    tests.some((test) => test(code));

export const digit = between(48, 57);
const lower = between(97, 122);
const upper = between(65, 90);
const alpha = any(lower, upper);
export const word = any(alpha, digit, (code) => code === 95);
export const space: CharTest = (code) => code === 32 || (code >= 9 && code <= 13);
export const horizontal: CharTest = (code) =>
  code === 9 ||
  code === 32 ||
  code === 0xa0 ||
  code === 0x1680 ||
  code === 0x180e ||
  (code >= 0x2000 && code <= 0x200a) ||
  code === 0x202f ||
  code === 0x205f ||
  code === 0x3000;
export const vertical: CharTest = (code) =>
  (code >= 10 && code <= 13) || code === 0x85 || code === 0x2028 || code === 0x2029;
const punct = any(between(33, 47), between(58, 64), between(91, 96), between(123, 126));

const POSIX: ReadonlyMap<string, CharTest> = new Map<string, CharTest>([
  ["Lower", lower],
  ["Upper", upper],
  ["ASCII", between(0, 127)],
  ["Alpha", alpha],
  ["Digit", digit],
  ["Alnum", any(alpha, digit)],
  ["Punct", punct],
  ["Graph", between(33, 126)],
  ["Print", between(32, 126)],
  ["Blank", (code) => code === 32 || code === 9],
  ["Cntrl", any(between(0, 31), (code) => code === 127)],
  ["XDigit", any(digit, between(65, 70), between(97, 102))],
  ["Space", space],
]);

/** What POSIX names and `\d \w \s` mean with the flag U. */
const UNICODE: ReadonlyMap<string, string> = new Map([
  ["Lower", "\\p{Lowercase}"],
  ["Upper", "\\p{Uppercase}"],
  ["Alpha", "\\p{Alphabetic}"],
  ["Digit", "\\p{Nd}"],
  ["Alnum", "[\\p{Alphabetic}\\p{Nd}]"],
  ["Punct", "\\p{P}"],
  ["Graph", "[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]"],
  ["Print", "[^\\p{Cc}\\p{Cs}\\p{Cn}]"],
  ["Blank", "[\\p{Zs}\\t]"],
  ["Cntrl", "\\p{Cc}"],
  ["XDigit", "[\\p{Nd}\\p{Hex_Digit}]"],
  ["Space", "\\p{White_Space}"],
  ["word", "[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]"],
]);

const JAVA: ReadonlyMap<string, string> = new Map([
  ["javaLowerCase", "\\p{Lowercase}"],
  ["javaUpperCase", "\\p{Uppercase}"],
  ["javaWhitespace", "[\\t-\\r\\x1c-\\x1f\\p{Z}]"],
  ["javaMirrored", "\\p{Bidi_Mirrored}"],
  ["javaLetter", "\\p{L}"],
  ["javaDigit", "\\p{Nd}"],
  ["javaLetterOrDigit", "[\\p{L}\\p{Nd}]"],
  ["javaAlphabetic", "\\p{Alphabetic}"],
  ["IsAlphabetic", "\\p{Alphabetic}"],
  ["IsLetter", "\\p{L}"],
  ["IsDigit", "\\p{Nd}"],
  ["IsLowercase", "\\p{Lowercase}"],
  ["IsUppercase", "\\p{Uppercase}"],
  ["IsWhite_Space", "\\p{White_Space}"],
  ["IsPunctuation", "\\p{P}"],
  ["IsIdeographic", "\\p{Ideographic}"],
  ["IsEmoji", "\\p{Emoji}"],
  ["L1", "[\\0-\\xff]"],
  ["all", "[^]"],
]);

/** One character against a class that we wrote ourselves: constant time. */
function unicode(source: string): CharTest {
  const pattern = new RegExp(`^${source}$`, "u");
  return (code) => pattern.test(String.fromCodePoint(code));
}

function property(name: string): string {
  const known = JAVA.get(name);
  if (known !== undefined) return known;
  const [, key = "", value = ""] = /^(?:(\w+)=)?(\w+)$/.exec(name) ?? [];
  if (/^(?:sc|script)$/i.test(key)) return `\\p{Script=${value}}`;
  if (/^(?:gc|general_category)$/i.test(key)) return `\\p{${value}}`;
  if (/^[A-Z][a-z&]?$/.test(name)) return name === "LC" ? "[\\p{Lu}\\p{Ll}\\p{Lt}]" : `\\p{${name}}`;
  const bare = /^Is(\w+)$/.exec(name)?.[1];
  if (bare !== undefined) return /^[A-Z][a-z]?$/.test(bare) ? `\\p{${bare}}` : `\\p{Script=${bare}}`;
  return "";
}

/** @throws SelError argument for a name that is not known. */
export function namedSet(name: string, unicodeClass: boolean): CharTest {
  const wide = UNICODE.get(name);
  if (unicodeClass && wide !== undefined) return unicode(wide);
  const posix = POSIX.get(name);
  if (posix !== undefined) return posix;
  const source = property(name);
  try {
    if (source !== "") return unicode(source);
  } catch {
    // An unknown script or category: reported below.
  }
  throw new SelError("argument", `the character property ${JSON.stringify(name)} is not known`);
}

/** A set as the flag i sees it: ASCII letters in both cases, or all letters with the flag u. */
export function folded(test: CharTest, unicodeCase: boolean): CharTest {
  return (code) => {
    if (test(code)) return true;
    if (alpha(code)) return test(code ^ 32);
    if (!unicodeCase || code < 128) return false;
    const text = String.fromCodePoint(code);
    return [text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase()].some(
      (other) => other !== text && other.length === text.length && test(other.codePointAt(0) ?? -1),
    );
  };
}
