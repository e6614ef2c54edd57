import { expect, test } from "bun:test";
import { bytesOf, shownBytes, textOf } from "../src/bytes.ts";

/** Each row: bytes, and how they are shown. */
test.each<[string, readonly number[] | string, string]>([
  ["text", "grüße 漢 😀\n", "grüße 漢 😀\n"],
  ["no bytes", "", ""],
  ["NUL", "a\0b", "a\\x00b"],
  ["bytes that are none of UTF-8", [0x61, 0xff, 0xfe, 0x62], "a\\xff\\xfeb"],
  ["a character that is cut", [0xe6, 0xbc, 0x61, 0xe6, 0xbc], "\\xe6\\xbca\\xe6\\xbc"],
  ["a character that is longer than it need be", [0xc0, 0xaf, 0xe0, 0x80, 0xaf], "\\xc0\\xaf\\xe0\\x80\\xaf"],
  ["half of a pair", [0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"],
  ["beyond Unicode", [0xf4, 0x90, 0x80, 0x80, 0xf5], "\\xf4\\x90\\x80\\x80\\xf5"],
  ["what stands for a byte", "\u{10fe41}x\u{10feff}", "\\xf4\\x8f\\xb9\\x81x\\xf4\\x8f\\xbb\\xbf"],
  ["its neighbours", "\u{10fdff}\u{10ff00}", "\u{10fdff}\u{10ff00}"],
  ["a replacement character", "\ufffd\u2400", "\ufffd\u2400"],
  ["what looks like it", "\\xff", "\\xff"],
])("%s is kept, and shown", (_, given, shown) => {
  const bytes = Buffer.from(given as string);
  const text = textOf(bytes);
  expect([bytesOf(text).toString("hex"), shownBytes(text)]).toEqual([bytes.toString("hex"), shown]);
  expect(text).not.toContain("\0");
  expect(text.isWellFormed()).toBe(true);
});

test("any bytes are kept", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const hash = (part: number) => new Bun.CryptoHasher("sha512").update(`${seed} ${part}`).digest();
    const bytes = Buffer.concat([hash(1), Buffer.from("ä\u{10fe00}"), hash(2), hash(3).subarray(0, seed % 64)]);
    expect(bytesOf(textOf(bytes)).equals(bytes)).toBe(true);
  }
});
