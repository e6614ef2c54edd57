import { expect, test } from "bun:test";
import { parseWire } from "../../src/definition/parse.ts";
import { readSchedule } from "../../src/definition/schedule.ts";
import { timeTriggerSchema } from "../../src/definition/trigger.ts";

const read = (json: unknown) => readSchedule(parseWire(timeTriggerSchema, json, "refused"));

/** The next firings after an instant, as ISO texts. */
function firings(json: unknown, after: string, count = 3): string[] {
  const found = read(json);
  if ("problem" in found) throw new Error(found.problem);
  const texts: string[] = [];
  let last = Date.parse(after);
  while (texts.length < count) {
    const next = found.schedule.next(last);
    if (next === undefined) break;
    texts.push(new Date(next).toISOString().replace(":00.000Z", "Z"));
    last = next;
  }
  return texts;
}

test("five fields are Unix: Sunday is 0 and 7, a day of month or week is enough", () => {
  expect(firings({ type: "CRON", cron: "0 3 * * 7" }, "2026-01-01T00:00:00Z", 2)).toEqual([
    "2026-01-04T03:00Z",
    "2026-01-11T03:00Z",
  ]);
  expect(firings({ type: "cron", cron: "0 3 1 * 1" }, "2026-01-01T03:00:00Z", 2)).toEqual([
    "2026-01-05T03:00Z",
    "2026-01-12T03:00Z",
  ]);
});

test("six and seven fields are Quartz: seconds first, Monday is 2, a year may end it", () => {
  expect(firings({ type: "CRON", cron: "0 0 4 ? * 2" }, "2026-01-01T00:00:00Z", 1)).toEqual(["2026-01-05T04:00Z"]);
  expect(firings({ type: "CRON", cron: "0 0 12 1/1 * ? *" }, "2026-01-01T12:00:00Z", 1)).toEqual(["2026-01-02T12:00Z"]);
  expect(firings({ type: "CRON", cron: "0 0 0 1 1 ? 2030" }, "2026-01-01T00:00:00Z")).toEqual(["2030-01-01T00:00Z"]);
});

test.each([
  ["hourly", "2026-05-06T08:00Z"],
  ["@Daily", "2026-05-07T00:00Z"],
  ["@weekly", "2026-05-10T00:00Z"],
  ["MONTHLY", "2026-06-01T00:00Z"],
  ["@yearly", "2027-01-01T00:00Z"],
])("the predefined schedule %s fires next at %s", (expression, next) => {
  expect(firings({ type: "PREDEFINED", expression }, "2026-05-06T07:08:09Z", 1)).toEqual([next]);
});

test("a schedule follows its zone through changes of the clock", () => {
  const daily = { type: "CRON", cron: "0 3 * * *", timezone: "America/Los_Angeles" };
  expect(firings(daily, "2026-03-07T00:00:00Z")).toEqual([
    "2026-03-07T11:00Z",
    "2026-03-08T10:00Z",
    "2026-03-09T10:00Z",
  ]);
  expect(firings({ type: "PREDEFINED", expression: "@daily", timezone: " " }, "2026-01-01T00:00:00Z", 1)).toEqual([
    "2026-01-02T00:00Z",
  ]);
});

test("intervals count from their start, in any of its spellings", () => {
  const every = { type: "INTERVAL", interval: "3H" };
  expect(firings({ ...every, start: "2021-03-26 16:00:00.000PST" }, "2021-03-20T00:00:00Z", 2)).toEqual([
    "2021-03-27T00:00Z",
    "2021-03-27T03:00Z",
  ]);
  for (const start of [
    "2026-01-01T00:30:00Z",
    "01-01-2026 00:30:00.000UTC",
    "2026-01-01T01:30+01:00",
    "2026-01-01 00:30",
  ]) {
    expect(firings({ ...every, start }, "2026-01-01T00:30:00Z", 2)).toEqual(["2026-01-01T03:30Z", "2026-01-01T06:30Z"]);
  }
});

test.each([
  [{ type: "CRON", cron: "not a cron" }, "cron", "3 fields"],
  [{ type: "CRON", cron: "0 30 * * *" }, "cron", "Invalid value for hour: 30"],
  [{ type: "CRON", cron: "0 0 4 L-3 * ?" }, "cron", "L has to be a value of its own"],
  [{ type: "CRON", cron: "@daily" }, "cron", "1 fields"],
  [{ type: "CRON", cron: "0 3 * * *", timezone: "Mars/Base" }, "timezone", "not a time zone"],
  [{ type: "INTERVAL", interval: "often", start: "2026-01-01" }, "interval", "not a duration"],
  [{ type: "INTERVAL", interval: 0, start: "2026-01-01T00:00:00Z" }, "interval", "more than 0"],
  [{ type: "INTERVAL", interval: 60, start: "02-30-2026 00:00:00.000Z" }, "start", "not an instant"],
  [{ type: "INTERVAL", interval: 60, start: "tomorrow" }, "start", "not an instant"],
])("%j is refused", (json, field, reason) => {
  const found = read(json);
  expect("problem" in found && [found.field, found.problem.includes(reason)]).toEqual([field, true]);
});
