import { expect, test } from "bun:test";
import { createLogger, type LoggerOptions } from "../src/log.ts";

function logger(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = [];
  const log = createLogger({
    format: "json",
    level: "info",
    now: () => Date.UTC(2024, 4, 1, 12, 0, 0, 5),
    write: (line) => void lines.push(line),
    ...options,
  });
  return { log, lines };
}

test("a JSON line has the time, the level, the message, then what it is about", () => {
  const { log, lines } = logger();
  const step = log.child({ attempt: 2, workflow: "etl" }).child({ step: "a", instance: 7, run: 1 });
  step.warn("slow", { took: 12n, host: "x" });
  expect(lines).toEqual([
    '{"time":"2024-05-01T12:00:00.005Z","level":"warn","message":"slow",' +
      '"workflow":"etl","instance":7,"run":1,"step":"a","attempt":2,"took":"12","host":"x"}\n',
  ]);
});

test("lines below the level are not written", () => {
  const { log, lines } = logger({ level: "warn" });
  for (const level of ["trace", "debug", "info", "warn", "error"] as const) log[level](level);
  expect(lines.map((it) => JSON.parse(it).level)).toEqual(["warn", "error"]);
  expect([log.enabled("info"), log.enabled("warn")]).toEqual([false, true]);
});

test("an error is its message; its stack is for those who debug", () => {
  const error = new Error("no luck");
  const { log, lines } = logger();
  log.error("failed", { error });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ error: "no luck" });
  expect(lines[0]).not.toContain("stack");
  const debug = logger({ level: "debug" });
  debug.log.error("failed", { error });
  expect(JSON.parse(debug.lines[0] ?? "").stack).toContain("log.test.ts");
});

test("a message can't forge a second JSON line", () => {
  const { log, lines } = logger();
  log.info('a\n{"level":"error"}', { workflow: "x\ny" });
  expect(lines[0]?.trimEnd().split("\n").length).toBe(1);
});

test("pretty lines are for people", () => {
  const { log, lines } = logger({ format: "pretty" });
  log.info("ready", { workflow: "etl", note: "two words", skipped: undefined });
  expect(lines).toEqual(['12:00:00.005 INFO  ready workflow=etl note="two words"\n']);
  const coloured = logger({ format: "pretty", colour: true });
  coloured.log.error("oops");
  expect(coloured.lines[0]).toContain("\x1b[31mERROR\x1b[0m");
});

test("what a terminal would obey is shown escaped", () => {
  const { log, lines } = logger({ format: "pretty" });
  log.info("step\x1b[2J\nfailed", { step: "a\u009b", reason: "x y\u202e\x7f", host: "\ud800" });
  expect(lines).toEqual([
    '12:00:00.005 INFO  step\\x1b[2J\\nfailed step="a\\x9b" reason="x y\\u202e\\x7f" host=\\ud800\n',
  ]);
});
