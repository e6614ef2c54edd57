import { expect, test } from "bun:test";
import { parseArguments, type Signature } from "../../src/cli/argument.ts";

const signature: Signature = {
  positionals: [
    { name: "WORKFLOW", summary: "the id" },
    { name: "FILE", summary: "a file", optional: true, repeat: true },
  ],
  options: [
    { name: "--param", short: "-p", placeholder: "K=V", summary: "", repeat: true },
    { name: "--limit", placeholder: "N", summary: "" },
    { name: "--shell", placeholder: "NAME", summary: "", choices: ["bash", "zsh"] },
    { name: "--json", summary: "" },
  ],
};
const parse = (...argv: string[]) => parseArguments(signature, argv);

test("options and positionals may be mixed", () => {
  const args = parse("--limit", "3", "etl", "-p", "a=1", "x", "--json", "--param=b=2", "y");
  expect(args.positionals).toEqual(["etl", "x", "y"]);
  expect(args.all("--param")).toEqual(["a=1", "b=2"]);
  expect([args.get("--limit"), args.has("--json"), args.integer("--limit", 1)]).toEqual(["3", true, 3]);
});

test("after -- everything is positional, and - is a file name", () => {
  expect(parse("--", "--json", "-").positionals).toEqual(["--json", "-"]);
  expect(parse("etl", "-").positionals).toEqual(["etl", "-"]);
});

test("a value may begin with a dash or be empty", () => {
  expect(parse("etl", "--param", "-1").all("--param")).toEqual(["-1"]);
  expect(parse("etl", "--param=").all("--param")).toEqual([""]);
});

test.each([
  [[], "WORKFLOW is missing: the id"],
  [["a", "--jsno"], "there is no option --jsno; did you mean --json?"],
  [["a", "-x"], "there is no option -x"],
  [["a", "--limit"], "--limit needs a value: --limit N"],
  [["a", "--json=yes"], "--json takes no value"],
  [["a", "--limit", "1", "--limit", "2"], "--limit is given 2 times, and can be given once"],
  [["a", "--shell", "bahs"], '--shell is "bahs", and must be one of bash, zsh; did you mean bash?'],
] as const)("%j is refused", (argv, message) => {
  expect(() => parse(...argv)).toThrow(message);
});

test("one positional too many is refused", () => {
  const one: Signature = { positionals: [{ name: "A", summary: "" }], options: [] };
  expect(() => parseArguments(one, ["x", "y"])).toThrow('"y" is one argument too many');
});

test("a number out of range is refused", () => {
  expect(() => parse("a", "--limit", "0").integer("--limit", 1)).toThrow(
    '--limit is "0", and must be a whole number from 1',
  );
  expect(() => parse("a", "--limit", "1e3").integer("--limit", 1)).toThrow("whole number");
});
