import { expect, test } from "bun:test";
import { z } from "zod";
import { parseWire } from "../../src/definition/parse.ts";
import { closest } from "../../src/definition/suggest.ts";
import { caseless, double, flag, integer, long, object, open, setOf, text } from "../../src/definition/wire.ts";
import { MaestroError } from "../../src/error.ts";
import { parseJson, stringifyJson } from "../../src/json.ts";

/** The canonical text of a JSON text, or the findings. */
function through(schema: z.ZodType, json: string): string | readonly string[] {
  try {
    return stringifyJson(parseWire(schema, parseJson(json), "refused"));
  } catch (error) {
    if (error instanceof MaestroError) return error.details;
    throw error;
  }
}

test.each([
  ["12", "12"],
  ['"12"', "12"],
  ['" -7 "', "-7"],
  ["1.9", "1"],
  ["-1.9", "-1"],
  ["-0.5", "0"],
  ["1e3", "1000"],
  ["1.5E1", "15"],
  ["12345678901234567", "12345678901234567"],
  ["9223372036854775807", "9223372036854775807"],
  ["-9223372036854775808", "-9223372036854775808"],
  ["9223372036854775807.9", "9223372036854775807"],
  ["0e999999999", "0"],
])("a LONG reads %s as %s", (json, expected) => {
  expect(through(long, json)).toBe(expected);
});

test.each([
  "9223372036854775808",
  "-9223372036854775809",
  "1e30",
  "1e999999999",
  '"abc"',
  '"1.5"',
  '""',
  "true",
  "[]",
  "{}",
])("a LONG refuses %s", (json) => {
  expect(through(long, json)[0]).toEndWith("is not an integer from -9223372036854775808 to 9223372036854775807");
});

test.each([
  ["1.0", "1.0"],
  ["0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"],
  ['"2.50"', "2.50"],
  ['"1.5"', "1.5"],
  ["7", "7"],
])("a DOUBLE keeps the digits of %s", (json, expected) => {
  expect(through(double, json)).toBe(expected);
});

test.each(["1e400", '"NaN"', '"+1"', '"01"', "true", "null"])("a DOUBLE refuses %s", (json) => {
  expect(through(double, json)[0]).toContain("is not a number");
});

test("texts read numbers and booleans, booleans read texts and integers", () => {
  expect(through(text, "12")).toBe('"12"');
  expect(through(text, "1.50")).toBe('"1.50"');
  expect(through(text, "true")).toBe('"true"');
  expect(through(text, "[]")).toEqual(["a list is not a text"]);
  expect(through(flag, '"True"')).toBe("true");
  expect(through(flag, "0")).toBe("false");
  expect(through(flag, '"yes"')).toEqual(['"yes" is not true or false']);
});

test("bounded integers say their bounds", () => {
  const digit = integer({ min: 1, max: 9, text: "1 to 9" });
  expect(through(digit, '"9"')).toBe("9");
  for (const given of ["10", "0", "-1", "9223372036854775807"]) {
    expect(through(digit, given)).toEqual([`${given} is out of range; it must be 1 to 9`]);
  }
  expect(through(digit, "1e300")).toEqual(["1e300 is out of range; it must be 1 to 9"]);
  expect(through(digit, '"many"')).toEqual(['"many" is not an integer']);
  expect(through(integer(), "12345678901234567")).toEqual([
    "12345678901234567 is out of range; it must be -9007199254740991 to 9007199254740991",
  ]);
});

test("enums ignore case and suggest", () => {
  const colours = caseless(["RED", "GREEN"], { verde: "GREEN" });
  expect(through(colours, '"red"')).toBe('"RED"');
  expect(through(colours, '"Verde"')).toBe('"GREEN"');
  expect(through(colours, '"gren"')).toEqual(['"gren" is not one of RED, GREEN; did you mean "GREEN"?']);
  expect(through(colours, "5")).toEqual(["5 is not one of RED, GREEN"]);
});

test("objects drop nulls, write known keys in order, and refuse unknown ones with the nearest", () => {
  const point = object({ x: long, label: text.optional() });
  expect(through(point, '{"label":null,"x":1}')).toBe('{"x":1}');
  expect(through(point, '{"label":"a","x":1}')).toBe('{"x":1,"label":"a"}');
  expect(through(point, '{"x":1,"labl":"a"}')).toEqual(['unknown field "labl", did you mean "label"?']);
  expect(through(point, '{"x":1,"zebra":2}')).toEqual(['unknown field "zebra"; known are x, label']);
  expect(through(point, "[]")).toEqual(["a list is not an object"]);
  expect(through(point, "12345678901234567890")).toEqual(["12345678901234567000 is not an object"]);
});

test("objects with an extra bucket keep further keys behind the known ones", () => {
  expect(through(open({ x: long }), '{"b":[1.0],"x":1,"c":null}')).toBe('{"x":1,"b":[1.0]}');
});

test("sets drop repetitions", () => {
  expect(through(setOf(text), '["a","b","a"]')).toBe('["a","b"]');
});

test("JSON that is nested too deep, or has the key __proto__, is refused with its place", () => {
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  expect(through(z.unknown(), deep(200))).toBe(deep(200));
  expect(through(z.unknown(), deep(201))[0]).toEndWith(": is nested more than 200 levels deep; nest less");
  expect(through(z.unknown(), deep(50_000))[0]).toStartWith("[0][0][0]");
  expect(through(z.unknown(), '{"a":[{"__proto__":1}]}')).toEqual(["a[0].__proto__: this key cannot be used"]);
});

test("the nearest word ignores case and dashes, and knows swapped letters", () => {
  expect(closest("Failure-Mode", ["failure_mode", "timeout"])).toBe("failure_mode");
  expect(closest("tmieout", ["timeout"])).toBe("timeout");
  expect(closest("banana", ["timeout"])).toBeUndefined();
  expect(closest("x".repeat(100), ["x"])).toBeUndefined();
});
