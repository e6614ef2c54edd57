import { expect, test } from "bun:test";
import { type Command, EXIT, Failure } from "../../src/cli/command.ts";
import { COMMANDS } from "../../src/cli/index.ts";
import { type ErrorCode, MaestroError } from "../../src/error.ts";
import { ConfigError } from "../../src/server/config.ts";
import { run } from "./harness.ts";

const throwing = (error: unknown): readonly Command[] => [
  {
    name: "fail",
    summary: "Fails",
    positionals: [],
    options: [],
    examples: [],
    run: () => Promise.reject(error),
  },
];

test("without a command the overview goes to stderr, and it is a usage error", async () => {
  const { exit, out, err } = await run([]);
  expect([exit, out]).toEqual([EXIT.USAGE, ""]);
  for (const { name } of COMMANDS) expect(err).toContain(name);
});

test("help that was asked for goes to stdout", async () => {
  for (const argv of [["--help"], ["-h"], ["help"]]) {
    const { exit, out, err } = await run(argv);
    expect([exit, err]).toEqual([EXIT.OK, ""]);
    expect(out).toContain("workflow push");
  }
});

test("a group alone lists its commands", async () => {
  expect(await run(["run"])).toMatchObject({ exit: EXIT.USAGE, out: "" });
  const { exit, out } = await run(["run", "--help"]);
  expect(exit).toBe(EXIT.OK);
  expect(out).toContain("run watch");
  expect(out).not.toContain("workflow push");
});

test.each(COMMANDS.map((it) => [it.name] as const))("%s has help, and examples that parse as its own", async (name) => {
  const command = COMMANDS.find((it) => it.name === name);
  expect(command?.examples.length).toBeGreaterThan(0);
  for (const example of command?.examples ?? []) expect(example.startsWith(name)).toBe(true);
  const long = await run([...name.split(" "), "--help"]);
  expect(long.exit).toBe(EXIT.OK);
  expect(long.out.indexOf("Examples:")).toBeLessThan(long.out.indexOf("Usage:"));
  for (const option of command?.options ?? []) expect(long.out).toContain(option.name);
  const short = await run([...name.split(" "), "-h"]);
  expect(short.out).not.toContain("Examples:");
  expect((await run(["help", ...name.split(" ")])).out).toBe(long.out);
});

test.each([
  [["vresion"], 'there is no command "vresion"; did you mean "maestro version"?'],
  [["workflow", "psuh"], 'there is no command "workflow psuh"; did you mean "maestro workflow push"?'],
  [["workfow"], 'did you mean "maestro workflow"?'],
  [["toString"], 'there is no command "toString"'],
  [["version", "--jsn"], "there is no option --jsn; did you mean --json?"],
])("%j is a usage error with a suggestion", async (argv, message) => {
  const { exit, out, err } = await run(argv);
  expect([exit, out]).toEqual([EXIT.USAGE, ""]);
  expect(err).toContain(message);
});

test.each([
  ["NOT_FOUND", 3],
  ["GONE", 3],
  ["UNAUTHORIZED", 4],
  ["FORBIDDEN", 4],
  ["CONFLICT", 5],
  ["PRECONDITION_FAILED", 5],
  ["BAD_REQUEST", 1],
  ["INTERNAL_ERROR", 1],
] as const)("an error %s exits with %i", async (code: ErrorCode, exit) => {
  const result = await run(["fail"], { commands: throwing(new MaestroError(code, "why", { details: ["where"] })) });
  expect(result).toEqual({ exit, out: "", err: "maestro: why\n  where\n" });
});

test("other failures have their message and no stack", async () => {
  expect(await run(["fail"], { commands: throwing(new Failure("late", EXIT.WAIT)) })).toMatchObject({ exit: 6 });
  expect(await run(["fail"], { commands: throwing(new ConfigError("--port")) })).toMatchObject({ exit: 2 });
  const { exit, err } = await run(["fail"], { commands: throwing(new TypeError("oops")) });
  expect([exit, err]).toEqual([1, "maestro: oops\n"]);
});

test("the version is data", async () => {
  const { exit, out, err } = await run(["version", "--json"]);
  expect([exit, err]).toEqual([0, ""]);
  expect(JSON.parse(out)).toMatchObject({ bun: Bun.version, platform: process.platform });
  expect((await run(["--version"])).out).toStartWith("maestro ");
});
