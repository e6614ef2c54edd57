/** Values of secrets are found in what a plugin says, however it is cut, and nothing else is lost. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { LEAST_SECRET, MASK, Redactor } from "../../src/runtime/redact.ts";
import { secretValue } from "./secret.ts";

const TOKEN = 's3cr3t/t+ken\'d "q"';

test.each([
  ["as it is", TOKEN],
  ["in JSON", JSON.stringify({ password: TOKEN })],
  ["in a URL", `https://u:${encodeURIComponent(TOKEN)}@example.org`],
  ["in a form", new URLSearchParams({ a: "b c" }).toString() + encodeURIComponent(TOKEN).replaceAll("%20", "+")],
  ["between a shell's quotes", `+ curl '${TOKEN.replaceAll("'", "'\\''")}'`],
  ["twice", `${TOKEN}${TOKEN}`],
])("a value is masked %s", (_, text) => {
  const clean = new Redactor([TOKEN]).text(text);
  expect(clean).toContain(MASK);
  expect(clean).not.toContain("s3cr3t");
});

test("a value is masked in JSON with its letters as they are, and without", () => {
  const value = 'pässw"ört';
  for (const text of [
    JSON.stringify(value),
    JSON.stringify(value).replaceAll("ä", "\\u00e4").replaceAll("ö", "\\u00f6"),
  ]) {
    expect(new Redactor([value]).text(text)).toBe(`"${MASK}"`);
  }
});

test.each([0, 1, 2])("a value is masked in base64, %d bytes after its beginning", (before) => {
  const whole = Buffer.from(`${"u".repeat(before)}${TOKEN}:end`);
  const redactor = new Redactor([TOKEN]);
  for (const form of ["base64", "base64url"] as const) {
    const clean = redactor.text(whole.toString(form));
    expect(clean).toContain(MASK);
    // Two characters beside it at most share bits with it.
    expect(clean.length).toBeLessThanOrEqual(Math.ceil((before * 4) / 3) + MASK.length + 10);
  }
});

test("values that overlap are masked together", () => {
  expect(new Redactor(["abcdefgh", "efghijkl"]).text("1abcdefghijkl2")).toBe(`1${MASK}2`);
  expect(new Redactor(["abcabcab"]).text("xabcabcabcaby")).toBe(`x${MASK}y`);
});

test("what a mask joins is looked at again", () => {
  const redactor = new Redactor(["ab***cd", "secret99"]);
  expect(redactor.text("absecret99cd")).toBe(MASK);
});

test("data are plain afterwards: keys, texts, numbers that show a value", () => {
  const redactor = new Redactor(["12345678", "password!"]);
  const answer = {
    "a password!": [1, "my password!", { n: 12345678, big: 1234567890123n, other: 7 }],
    when: new Date(0),
    none: null,
    missing: undefined,
  };
  expect(redactor.data(answer)).toEqual({
    [`a ${MASK}`]: [1, `my ${MASK}`, { n: MASK, big: `${MASK}90123`, other: 7 }],
    when: "1970-01-01T00:00:00.000Z",
    none: null,
    missing: undefined,
  });
});

test("the end of a text waits while it may be the beginning of a value", () => {
  const redactor = new Redactor(["abcdefgh"]);
  expect(redactor.ready("xyabc")).toBe(2);
  expect(redactor.ready("xyabcx")).toBe(6);
  expect(redactor.ready("xyabcdefgh.")).toBe(11);
  expect(redactor.ready("abcdefg")).toBe(0);
});

test("nothing waits for the end of a value that lies over one that is complete", () => {
  const redactor = new Redactor(["abcdefgh", "ghijklmn"]);
  expect(redactor.ready("1abcdefgh")).toBe(1);
  expect(redactor.piece("1abcdefgh", false)).toBe(`1${MASK}`);
});

test("what begins or ends within a value after a cut shows no part of it", () => {
  const redactor = new Redactor(["abcdefghijkl"]);
  expect(redactor.piece("jkl and more", true)).toBe(`${MASK} and more`);
  expect(redactor.piece("jkl and more", false)).toBe("jkl and more");
  expect(redactor.piece("efghijkl and more", false)).toBe(`${MASK} and more`);
  expect(redactor.piece("the end abcdefg", false)).toBe(`the end ${MASK}`);
  expect(redactor.piece("the end abc", false)).toBe("the end abc");
});

test("cut anywhere, a text shows no value, and all that is no value", () => {
  const texts = fc.array(
    fc.oneof(
      fc.string({ maxLength: 8 }).filter((part) => !part.includes("*")),
      fc.integer({ min: 0, max: 1 }),
    ),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      fc.array(secretValue, { minLength: 2, maxLength: 2 }),
      texts,
      fc.array(fc.nat(), { maxLength: 8 }),
      (values, parts, cuts) => {
        const whole = parts.map((part) => (typeof part === "number" ? values[part] : part)).join("");
        const redactor = new Redactor(values);
        const borders = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length].toSorted((a, b) => a - b);
        let [said, held, from] = ["", "", 0];
        for (const to of borders) {
          const text = held + whole.slice(from, to);
          from = to;
          const ready = redactor.ready(text);
          said += redactor.piece(text.slice(0, ready), false);
          held = text.slice(ready);
        }
        said += redactor.piece(held, false);
        for (const value of values) expect(said).not.toContain(value);
        const kept = said.split(MASK);
        let at = 0;
        for (const piece of kept) {
          at = whole.indexOf(piece, at);
          expect(at).toBeGreaterThanOrEqual(0);
          at += piece.length;
        }
        if (!values.some((value) => whole.includes(value.slice(0, LEAST_SECRET))))
          expect(said.length).toBe(whole.length);
      },
    ),
    { numRuns: 500 },
  );
});
