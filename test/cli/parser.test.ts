import { expect, test } from "bun:test";
import { type Arguments, JSON_OPTION, option, positional, wholeNumber } from "../../src/cli/argument.ts";
import type { Command } from "../../src/cli/command.ts";
import { parse } from "../../src/cli/parser.ts";
import { CLIENT_SETTING_OPTIONS } from "../../src/cli/setting.ts";

const WORKFLOW = positional({ name: "WORKFLOW", summary: "The id" });
const FILES = positional({ name: "FILE", summary: "A file", optional: true, repeat: true });
const PARAM = option({ name: "--param", short: "-p", placeholder: "K=V", summary: "", repeat: true });
const LIMIT = option({ name: "--limit", placeholder: "N", summary: "", read: wholeNumber(1, 200) });
const SHELL = option({ name: "--shell", placeholder: "NAME", summary: "", choices: ["bash", "zsh"] });
const VERSION = option({ name: "--version", placeholder: "V", summary: "" });

const command = (name: string, positionals: Command["positionals"], options: Command["options"]): Command => ({
  ...{ name, positionals, options, summary: "", examples: [] },
  run: async () => 0,
});

const COMMANDS = [
  command("run do", [WORKFLOW, FILES], [PARAM, LIMIT, SHELL, VERSION, JSON_OPTION, ...CLIENT_SETTING_OPTIONS]),
  command("one", [WORKFLOW], []),
];

function parsed(...argv: string[]): Arguments {
  const request = parse(argv, COMMANDS, { run: "" });
  if (request.kind !== "run") throw new Error(request.kind);
  return request.args;
}

const done = (...argv: string[]): Arguments => parsed("run", "do", ...argv);

test("options and positionals may be mixed", () => {
  const args = done("--limit", "3", "etl", "-p", "a=1", "x", "--json", "--param=b=2", "y");
  expect([args.need(WORKFLOW), args.all(FILES)]).toEqual(["etl", ["x", "y"]]);
  expect(args.all(PARAM)).toEqual(["a=1", "b=2"]);
  expect([args.get(LIMIT), args.has(JSON_OPTION), args.get(SHELL)]).toEqual([3, true, undefined]);
});

test.each([
  [["--json", "--server", "http://a", "run", "do", "etl"]],
  [["--json", "run", "--server=http://a", "do", "etl"]],
  [["run", "do", "etl", "--json", "--server", "http://a"]],
])("what many commands take may stand before them: %j", (argv) => {
  const args = parsed(...argv);
  expect([args.has(JSON_OPTION), args.texts.get("--server")]).toEqual([true, ["http://a"]]);
  expect(args.need(WORKFLOW)).toBe("etl");
});

test("a command's own option is its own, though another word is spelt alike before a command", () => {
  expect(done("etl", "--version", "3").get(VERSION)).toBe("3");
});

test("after -- everything is positional, and - is a file name", () => {
  const args = done("--", "--json", "-");
  expect([args.need(WORKFLOW), args.all(FILES), args.has(JSON_OPTION)]).toEqual(["--json", ["-"], false]);
  expect(done("etl", "-").all(FILES)).toEqual(["-"]);
});

test("a value may begin with a dash or be empty", () => {
  expect(done("etl", "--param", "-1").all(PARAM)).toEqual(["-1"]);
  expect(done("etl", "--param", "--json").all(PARAM)).toEqual(["--json"]);
  expect(done("etl", "--param=").all(PARAM)).toEqual([""]);
});

test.each([
  [["run", "do"], "run do", "missing required argument 'WORKFLOW'"],
  [["run", "do", "a", "--jsno"], "run do", "unknown option '--jsno' (Did you mean --json?)"],
  [["run", "do", "a", "-x"], "run do", "unknown option '-x'"],
  [["run", "do", "a", "--limit"], "run do", "option '--limit <N>' argument missing"],
  [["run", "do", "a", "--json=yes"], "run do", "unknown option '--json=yes'"],
  [["run", "do", "a", "--limit", "1", "--limit", "2"], "run do", "--limit is given more than once"],
  [["--server", "http://a", "run", "do", "a", "--server", "http://b"], "run do", "--server is given more than once"],
  [
    ["run", "do", "a", "--shell", "bahs"],
    "run do",
    '--shell is "bahs", and must be one of bash, zsh; did you mean bash?',
  ],
  [["run", "do", "a", "--limit", "0"], "run do", '--limit is "0", and must be a whole number from 1 to 200'],
  [["run", "do", "a", "--limit", "1e2"], "run do", "must be a whole number"],
  [["run", "do", "a", "--limit", "201"], "run do", "must be a whole number from 1 to 200"],
  [["run", "du"], "run", "unknown command 'du' (Did you mean do?)"],
  [["run", "toString"], "run", "unknown command 'toString'"],
  [["rnu"], "", "unknown command 'rnu' (Did you mean run?)"],
  [["one", "x", "y"], "one", "too many arguments"],
  [["--json", "one", "x"], "one", "takes no --json"],
  [["--jsno", "one", "x"], "", "unknown option '--jsno'"],
  [["help", "rnu"], "", "unknown command 'rnu' (Did you mean run?)"],
  [["rnu", "-h"], "", "unknown command 'rnu'"],
  [["help", "run", "du"], "run", "unknown command 'du' (Did you mean do?)"],
  [["--help", "run", "du"], "run", "unknown command 'du'"],
])("%j is refused", (argv, name, message) => {
  let error: unknown;
  try {
    parse(argv, COMMANDS, { run: "" });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ name: "UsageError", command: name });
  expect((error as Error).message).toContain(message);
});

test.each([
  [["run", "do", "-h"], "help", false],
  [["run", "do", "etl", "--help", "--limit", "nonsense"], "help", true],
  [["help", "run", "do"], "help", true],
  [["run", "--help"], "help", true],
  [["--help", "run", "do"], "help", true],
  [["-h", "run"], "help", false],
  [["-h"], "help", false],
  [["run"], "incomplete", undefined],
  [[], "incomplete", undefined],
  [["--json"], "incomplete", undefined],
] as const)("%j asks for %s", (argv, kind, isLong) => {
  expect(parse(argv, COMMANDS, { run: "" })).toMatchObject(isLong === undefined ? { kind } : { kind, isLong });
});
