import { expect, test } from "bun:test";
import {
  parsableLongSchema,
  parseCount,
  parseDuration,
  parseTimeout,
  resolveTimeout,
} from "../../src/definition/duration.ts";
import { parseWire } from "../../src/definition/parse.ts";
import { parseJson, rawNumber, stringifyJson } from "../../src/json.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  ["2 hours, 5 mins", 2 * HOUR + 5 * MINUTE],
  ["10 minutes 5 seconds 1 day", DAY + 10 * MINUTE + 5 * SECOND],
  ["1h2m", HOUR + 2 * MINUTE],
  ["1.5h", 90 * MINUTE],
  ["5mins", 5 * MINUTE],
  ["1 min 40 s", 100 * SECOND],
  ["2HOURS", 2 * HOUR],
  [" 1 d ", DAY],
  ["3 hrs,2 secs", 3 * HOUR + 2 * SECOND],
  ["1 hr 1 sec 1 milli", HOUR + SECOND + 1],
  ["250ms", 250],
  ["0.0005s", 1],
  ["123456", 123_456 * SECOND],
  [90, 90 * SECOND],
])("%p is %d ms", (text, ms) => {
  expect(parseDuration(text, "seconds")).toEqual({ value: ms });
});

test("a bare number counts in the unit of its field", () => {
  expect(parseDuration(4320, "milliseconds")).toEqual({ value: 4320 });
  expect(parseDuration("4320", "milliseconds")).toEqual({ value: 4320 });
  expect(parseDuration(rawNumber("12345678901234567"), "milliseconds")).toEqual({ value: Number("12345678901234567") });
});

test.each([
  "",
  " ",
  "h",
  "5 fortnights",
  "5 constructor",
  "1h and 2m",
  "1 h; 2 m",
  "1..5h",
  "-1h",
  "1h-",
  "1.h",
  "1 2 h",
  ",",
  "1h".repeat(200),
])("%p is refused with what would be right", (text) => {
  const read = parseDuration(text, "seconds");
  expect("problem" in read && read.problem).toContain('such as "2 hours, 5 mins"');
});

test("timeouts are more than zero and at most 120 days", () => {
  expect(parseTimeout("120 days")).toEqual({ value: 120 * DAY });
  expect(parseTimeout("120 days 1 ms")).toHaveProperty("problem");
  expect(parseTimeout(0)).toEqual({
    problem: "0 seconds is out of range; it must be more than 0 and at most 120 days",
  });
  expect(parseTimeout("0 h")).toHaveProperty("problem");
});

test("a timeout with references is resolved at run time", () => {
  const interpolate = (text: string) => text.replace("${n}", "7");
  expect(resolveTimeout("${n} minutes", interpolate)).toBe(7 * MINUTE);
  expect(() => resolveTimeout("${n} moons", interpolate)).toThrow('"7 moons" is not a duration');
});

test("counts are digits only", () => {
  expect(parseCount("12")).toEqual({ value: 12 });
  expect(parseCount("1 h")).toEqual({ problem: '"1 h" is not a number; write digits only, such as 3' });
});

test.each([
  ["12345", "12345"],
  ['"10 minutes"', '"10 minutes"'],
  ['"123"', '"123"'],
  ["1.9", "1"],
  ["0", "0"],
])("%s is written back as %s", (json, expected) => {
  expect(stringifyJson(parseWire(parsableLongSchema, parseJson(json), "refused"))).toBe(expected);
});

test.each(["-1", "true", "[]", "1e300"])("%s is no duration on the wire", (json) => {
  expect(() => parseWire(parsableLongSchema, parseJson(json), "refused")).toThrow("refused");
});
