import { expect, test } from "bun:test";
import { join } from "node:path";
import { type Command, EXIT, Failure, type Io } from "../../src/cli/command.ts";
import { dispatch } from "../../src/cli/dispatch.ts";
import { COMMANDS } from "../../src/cli/index.ts";
import { paint } from "../../src/cli/output.ts";
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
  expect(out).toContain("watch [options] <WORKFLOW> <INSTANCE>");
  expect(out).not.toContain("push");
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
  [["vresion"], "maestro: unknown command 'vresion' (Did you mean version?)\nTry: maestro --help"],
  [["workflow", "psuh"], "maestro workflow: unknown command 'psuh' (Did you mean push?)\nTry: maestro workflow --help"],
  [["toString"], "unknown command 'toString'"],
  [["version", "--jsn"], "maestro version: unknown option '--jsn' (Did you mean --json?)"],
  [["\x1b[2Jrun"], "unknown command '\\x1b[2Jrun'"],
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

const HOSTILE = "a\x1b]0;title\x07\r\u009b2J\u202eb";
const SHOWN = "a\\x1b]0;title\\x07\\x0d\\x9b2J\\u202eb";

test("what others wrote is shown escaped, wherever a command prints it", async () => {
  const error = new MaestroError("NOT_FOUND", HOSTILE, { details: [HOSTILE] });
  expect((await run(["fail"], { commands: throwing(error) })).err).toBe(`maestro: ${SHOWN}\n  ${SHOWN}\n`);
  const printing: Command = {
    ...(throwing(undefined)[0] as Command),
    run: async (_, io) => {
      io.out(`${paint(HOSTILE, "SUCCEEDED", io.colour)}\tcell`);
      io.err(HOSTILE);
      return EXIT.OK;
    },
  };
  const plain = await run(["fail"], { commands: [printing] });
  expect([plain.out, plain.err]).toEqual([`${SHOWN}\tcell\n`, `${SHOWN}\n`]);
  const coloured = await run(["fail"], { commands: [printing], colour: true });
  expect(coloured.out).toBe(`\x1b[32m${SHOWN}\x1b[0m\tcell\n`);
});

test("no sequence but our colours gets to a terminal, such as one that hides what follows", async () => {
  const hiding: Command = {
    ...(throwing(undefined)[0] as Command),
    run: async (_, io) => {
      io.out("\x1b[8mhidden\x1b[5m");
      return EXIT.OK;
    },
  };
  expect((await run(["fail"], { commands: [hiding], colour: true })).out).toBe("\\x1b[8mhidden\\x1b[5m\n");
});

test("no line of what the server wrote looks like a message of ours", async () => {
  const lines = "no such run\nmaestro: deleted";
  const error = new MaestroError("NOT_FOUND", lines, { details: [lines] });
  expect((await run(["fail"], { commands: throwing(error) })).err).toBe(
    "maestro: no such run\\nmaestro: deleted\n  no such run\n  maestro: deleted\n",
  );
});

test("a setting's bad value is a usage error of its command", async () => {
  const { exit, out, err } = await run(["serve", "--port", "70000"]);
  expect([exit, out]).toEqual([EXIT.USAGE, ""]);
  expect(err).toBe(
    'maestro serve: --port is "70000", and must be a whole number from 0 to 65535\nTry: maestro serve --help\n',
  );
});

test("the user is not looked up for a command that needs none", async () => {
  const outside = {
    get user(): string {
      throw new Error("looked up");
    },
    out() {},
    err() {},
    env: {},
    colour: false,
    terminal: { in: false, out: false, err: false },
  };
  const printing: Command = { ...(throwing(undefined)[0] as Command), run: async () => EXIT.OK };
  expect(await dispatch(["fail"], [printing], {}, outside as unknown as Io)).toBe(EXIT.OK);
});

test.each(["version", "--version", "-V"])("%s alone loads no other command, and says the same", async (word) => {
  const main = join(import.meta.dir, "../../src/main.ts");
  const code = `process.argv = ["", "", ${JSON.stringify(word)}]; await import(${JSON.stringify(main)});
    console.log(Object.keys(require.cache).filter((it) => /cli.(index|parser)\\.ts$/.test(it)).length);`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect([out, err]).toEqual([`${(await run(["version"])).out}0\n`, ""]);
});
