import { expect, test } from "bun:test";
import { parsableLongSchema, parseCount, parseDuration, parseTimeout } from "../../src/definition/duration.ts";
import { parseWire } from "../../src/definition/parse.ts";
import type { Range } from "../../src/definition/range.ts";
import { parseJson, rawNumber, stringifyJson } from "../../src/json.ts";
import { timeoutOf } from "../../src/run/timeout.ts";

/** All that a number can be. */
const ANY: Range = { min: 0, max: Number.MAX_VALUE, text: "anything" };
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
  expect(parseDuration(text, "seconds", ANY)).toEqual({ value: ms });
});

test("a bare number counts in the unit of its field", () => {
  expect(parseDuration(4320, "milliseconds", ANY)).toEqual({ value: 4320 });
  expect(parseDuration("4320", "milliseconds", ANY)).toEqual({ value: 4320 });
  expect(parseDuration(rawNumber("12345678901234567"), "milliseconds", ANY)).toEqual({
    value: Number("12345678901234567"),
  });
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
  const read = parseDuration(text, "seconds", ANY);
  expect("problem" in read && read.problem).toContain('such as "2 hours, 5 mins"');
});

test("timeouts are more than zero and at most 120 days", () => {
  expect(parseTimeout("120 days")).toEqual({ value: 120 * DAY });
  expect(parseTimeout("120 days 1 ms")).toHaveProperty("problem");
  expect(parseTimeout(0)).toEqual({
    problem: "0 is out of range; it must be more than 0 and at most 120 days",
  });
  expect(parseTimeout("0 h")).toHaveProperty("problem");
});

test("a timeout with references is resolved at run time", () => {
  const interpolate = (text: string) => text.replace("${n}", "7");
  expect(timeoutOf("${n} minutes", "it", interpolate)).toBe(7 * MINUTE);
  expect(() => timeoutOf("${n} moons", "it", interpolate)).toThrow('timeout of it: "7 moons" is not a duration');
  expect(() => timeoutOf("${n}000 days", "it", interpolate)).toThrow(
    'timeout of it: "7000 days" is out of range; it must be more than 0 and at most 120 days',
  );
});

test("counts are digits only", () => {
  expect(parseCount("12", ANY)).toEqual({ value: 12 });
  expect(parseCount("1 h", ANY)).toEqual({ problem: '"1 h" is not a number; write digits only, such as 3' });
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

test.each(["-1", "-1e300", "true", "[]"])("%s is no duration on the wire", (json) => {
  expect(() => parseWire(parsableLongSchema, parseJson(json), "refused")).toThrow("refused");
});
