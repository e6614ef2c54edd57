/**
 * Output that need not be text, as text from which it can be had again. Bytes that are no part of UTF-8, and NUL, which
 * Postgres does not store, have a private character each, 256 from {@link FIRST} on; whatever holds one of these itself is
 * taken for such bytes, so that nothing has two meanings.
 */
import { isUtf8 } from "node:buffer";

const FIRST = 0x10fe00;
const PRIVATE = /[\u{10fe00}-\u{10feff}]/u;
const ALL_PRIVATE = /[\u{10fe00}-\u{10feff}]+/gu;

/** Each chunk of an output for itself: none begins or ends within a character. */
export function textOf(bytes: Buffer): string {
  if (isUtf8(bytes) && !bytes.includes(0)) {
    const text = bytes.toString("utf8");
    if (!PRIVATE.test(text)) return text;
  }
  const pieces: string[] = [];
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = characterAt(bytes, at);
    if (length === 0) {
      pieces.push(bytes.toString("utf8", from, at), String.fromCodePoint(FIRST + (bytes[at] as number)));
      from = at + 1;
    }
    at += length || 1;
  }
  pieces.push(bytes.toString("utf8", from));
  return pieces.join("");
}

/** The output as it was. */
export function bytesOf(text: string): Buffer {
  if (!PRIVATE.test(text)) return Buffer.from(text);
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { 0: run, index } of text.matchAll(ALL_PRIVATE)) {
    pieces.push(Buffer.from(text.slice(from, index)), Buffer.from(Array.from(run, byteOf)));
    from = index + run.length;
  }
  pieces.push(Buffer.from(text.slice(from)));
  return Buffer.concat(pieces);
}

/** For people: `\xff` in the place of a byte that is no text. */
export const shownBytes = (text: string): string =>
  PRIVATE.test(text)
    ? text.replace(ALL_PRIVATE, (run) =>
        Array.from(run, (character) => `\\x${byteOf(character).toString(16).padStart(2, "0")}`).join(""),
      )
    : text;

const byteOf = (character: string): number => (character.codePointAt(0) as number) - FIRST;

/** Bytes of the character that begins there; 0: a byte that is none, or has a private character. */
function characterAt(bytes: Buffer, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return first === 0 ? 0 : 1;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  const whole = bytes.subarray(at, at + length);
  if (length === 0 || whole.length < length || !isUtf8(whole)) return 0;
  return length === 4 && PRIVATE.test(whole.toString("utf8")) ? 0 : length;
}
