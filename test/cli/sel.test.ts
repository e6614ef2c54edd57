import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./harness.ts";

test.each([
  ["1 + 2", [], "3"],
  ["x * 2", ["x=4611686018427387903"], "9223372036854775806"],
  ["x + y", ["x=1", "y:DOUBLE=2"], "3.0"],
  ["m.get('a') + list[1]", ['m={"a":1}', "list=[2,3]"], "4"],
  ["name + '!'", ["name=ann"], '"ann!"'],
  ["new long[]{1, 2};", [], "[1,2]"],
])("%s is evaluated", async (expression, params, expected) => {
  const argv = ["sel", "eval", expression, ...params.flatMap((it) => ["--param", it])];
  expect(await run(argv)).toEqual({ exit: 0, out: `${expected}\n`, err: "" });
});

test("--json shows the type", async () => {
  const { out } = await run(["sel", "eval", "1 > 2", "--json"]);
  expect(JSON.parse(out)).toEqual({ type: "BOOLEAN", value: false });
});

test("what fails is shown on stderr with a caret", async () => {
  const { exit, out, err } = await run(["sel", "eval", "1 + (2"]);
  expect([exit, out]).toEqual([1, ""]);
  expect(err).toContain("1 + (2");
  expect(err).toContain("^");
  expect((await run(["sel", "eval", "1 / 0"])).exit).toBe(1);
});

test("a batch answers each vector on a line of its own", async () => {
  const stdin = `{"id": "a", "expr": "1 + 1"}\n\n{"id": "b", "expr": "x +", "vars": {}}\n`;
  const { exit, out } = await run(["sel", "eval", "--batch", "-"], { stdin });
  expect(exit).toBe(0);
  expect(
    out
      .trim()
      .split("\n")
      .map((it) => JSON.parse(it)),
  ).toMatchObject([
    { id: "a", type: "LONG", value: 2 },
    { id: "b", error: "parse" },
  ]);
  const broken = await run(["sel", "eval", "--batch", "-"], { stdin: "{}\nx" });
  expect(broken).toMatchObject({ exit: 1, err: "maestro: vector 2 is not a JSON object: x\n" });
});

test("the limits are those of the settings", async () => {
  const loop = "n = 0; while (n < 50) { n += 1; } return n;";
  expect(await run(["sel", "eval", loop])).toMatchObject({ exit: 0, out: "50\n" });
  const short = await run(["sel", "eval", loop, "--sel-loop", "20"]);
  expect([short.exit, short.out]).toEqual([1, ""]);
  expect(short.err).toContain("20");
  expect(await run(["sel", "eval", "1 + 1"], { env: { MAESTRO_SEL_LENGTH: "3" } })).toMatchObject({ exit: 1 });
  expect(await run(["sel", "eval", "1", "--sel-stack", "0"])).toMatchObject({ exit: 2 });
});

test("a name that is not given is null, and that is said", async () => {
  const { exit, err } = await run(["sel", "eval", "x == null && y == 1", "-p", "y=1"]);
  expect([exit, err]).toEqual([0, "x is not given, so it is null: --param x=…\n"]);
});

test("either an expression or a batch", async () => {
  expect((await run(["sel", "eval"])).exit).toBe(2);
  expect((await run(["sel", "eval", "1", "--batch", "x"])).exit).toBe(2);
});

test("check says what does not parse, and where", async () => {
  const good = await run(["sel", "check", "-"], { stdin: "x = 1;\nreturn x + 1;" });
  expect(good).toEqual({ exit: 0, out: "", err: "-: ok, 1 checked\n" });
  const bad = await run(["sel", "check", "-"], { stdin: "x = 1;\nreturn x +;" });
  expect([bad.exit, bad.err]).toEqual([1, "-: 1 wrong, 1 checked\n"]);
  expect(bad.out).toContain("return x +;");
});

test("check warns of what surprises, and that is no failure", async () => {
  const { exit, out, err } = await run(["sel", "check", "-"], { stdin: "int x = n;\nx += 1;\nreturn x;" });
  expect([exit, err]).toEqual([0, "-: ok, 1 to look at, 1 checked\n"]);
  expect(out).toStartWith("-:1:5: warning: x is another name for n: assigning to x later changes both; write ");
  expect(out).toContain("[aliasing]\n  1 | int x = n;\n    |     ^");
  const params = { a: { type: "LONG", expression: "010" }, b: { type: "LONG", expression: "1 +" } };
  const many = JSON.stringify({ workflow: { id: "w", params, steps: [] } });
  const cwd = mkdtempSync(join(tmpdir(), "maestro-sel-"));
  writeFileSync(join(cwd, "d.json"), many);
  const both = await run(["sel", "check", "d.json"], { cwd });
  rmSync(cwd, { recursive: true });
  expect([both.exit, both.err]).toEqual([1, "d.json: 1 wrong, 1 to look at, 2 checked\n"]);
  expect(both.out).toStartWith("d.json: workflow.params.a.expression:1:1: warning: a leading zero");
});

test("check of a file that is no definition says where it is none", async () => {
  const cwd = mkdtempSync(join(tmpdir(), "maestro-sel-"));
  writeFileSync(join(cwd, "d.yaml"), "workflow:\n  id: w\n  params: {a: {expression: '1 +'}}\n  steps: []\n");
  const { exit, out, err } = await run(["sel", "check", "d.yaml"], { cwd });
  rmSync(cwd, { recursive: true });
  expect([exit, out]).toEqual([1, ""]);
  expect(err).toStartWith("maestro: d.yaml is no definition\n");
  expect(err).toContain("d.yaml:3:12: workflow.params.a.type: ");
});

test("check takes a definition's expressions one by one", async () => {
  const cwd = `${import.meta.dir}/../../examples`;
  expect(await run(["sel", "check", "params.json"], { cwd })).toMatchObject({ exit: 0, out: "" });
});
