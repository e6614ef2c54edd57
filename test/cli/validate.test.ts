// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are among the subjects
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./harness.ts";

let cwd = "";
beforeAll(() => {
  cwd = mkdtempSync(join(tmpdir(), "maestro-validate-"));
  writeFileSync(join(cwd, "good.json"), GOOD);
  writeFileSync(join(cwd, "bad.json"), BAD);
  writeFileSync(join(cwd, "bad.yaml"), BAD_YAML);
  writeFileSync(join(cwd, "broken.json"), '{"workflow": {');
});
afterAll(() => rmSync(cwd, { recursive: true, force: true }));

const GOOD = '{"properties":{"owner":"ann"},"workflow":{"id":"w","steps":[{"step":{"id":"a","type":"NoOp"}}]}}';
const BAD = `{
  "workflow": {
    "id": "w",
    "steps": [
      {"step": {"id": "a", "type": "Slep"}},
      {"step": {"id": "a", "type": "NoOp"}}
    ]
  }
}`;
const BAD_YAML = "workflow:\n  id: w\n  steps:\n  - step:\n      id: a\n      type: Slep\n";

test("a good file is ok, with nothing on stdout", async () => {
  expect(await run(["validate", "good.json"], { cwd })).toEqual({ exit: 0, out: "", err: "good.json: ok\n" });
  expect(await run(["validate", "-"], { cwd, stdin: GOOD })).toMatchObject({ exit: 0 });
});

test("every finding of every file is shown at its place", async () => {
  const { exit, out, err } = await run(["validate", "good.json", "bad.json", "bad.yaml"], { cwd });
  expect([exit, err]).toEqual([1, "good.json: ok\n"]);
  expect(out).toContain('bad.json:5:36: workflow.steps[0].step.type: "Slep" is not a step type');
  expect(out).toContain(`  5 |       {"step": {"id": "a", "type": "Slep"}},\n    |${" ".repeat(36)}^^^^^^`);
  expect(out).toContain("bad.json:6:23: workflow.steps[1].step.id:");
  expect(out).toContain("bad.yaml:6:7: workflow.steps[0].step.type:");
});

test("findings can be had as JSON", async () => {
  const { exit, out } = await run(["validate", "--json", "bad.json", "broken.json"], { cwd });
  expect(exit).toBe(1);
  expect(JSON.parse(out)).toMatchObject([
    { file: "bad.json", path: "workflow.steps[0].step.type", line: 5, column: 36 },
    { file: "bad.json", path: "workflow.steps[1].step.id", line: 6, column: 23 },
    { file: "broken.json", line: 1, column: 15 },
  ]);
  expect(JSON.parse((await run(["validate", "--json", "good.json"], { cwd })).out)).toEqual([]);
});

test("an unknown field is shown by its name", async () => {
  const stdin = GOOD.replace('"id":"w"', '"id":"w","stepz":3');
  const { out } = await run(["validate", "-"], { stdin });
  expect(out).toStartWith(`-:1:${stdin.indexOf('"stepz"') + 1}: workflow: unknown field "stepz"`);
});

test("expressions are parsed, and shown where they are", async () => {
  const stdin = GOOD.replace('"steps"', '"params":{"n":{"type":"LONG","expression":"1 +"}},"steps"');
  const { exit, out } = await run(["validate", "-"], { stdin });
  expect(exit).toBe(1);
  expect(out).toStartWith(`-:1:${stdin.indexOf('"1 +"') + 1}: workflow.params.n.expression: `);
  expect(out).toContain("of the expression)");
});

test("a validator that can't be run is a warning, at its place", async () => {
  const params =
    '"params":{"n":{"type":"LONG","value":1,"validator":"@Minn(1)"},"m":{"type":"MAP","value":{"s":{"type":"STRING","value":"","validator":"@NotBlank"}}}}';
  const stdin = GOOD.replace('"steps"', `${params},"steps"`);
  const { exit, out, err } = await run(["validate", "-"], { stdin });
  expect([exit, err]).toEqual([0, "-: ok, 1 to look at\n"]);
  expect(out).toStartWith(
    `-:1:${stdin.indexOf('"@Minn') + 1}: workflow.params.n.validator: warning: @Minn is not known`,
  );
  const json = await run(["validate", "--json", "-"], { stdin });
  expect(JSON.parse(json.out)).toMatchObject([{ level: "warning", path: "workflow.params.n.validator" }]);
});

test("a plugin's step type can be named", async () => {
  const stdin = GOOD.replace("NoOp", "greet");
  expect(await run(["validate", "-"], { stdin })).toMatchObject({ exit: 1 });
  expect(await run(["validate", "-", "--step-type", "greet"], { stdin })).toMatchObject({ exit: 0 });
});

test("the shell step is known", async () => {
  expect(await run(["validate", "-"], { stdin: GOOD.replace("NoOp", "shell") })).toMatchObject({ exit: 0 });
});

test("a file that isn't there is not found", async () => {
  const { exit, err } = await run(["validate", "none.json"], { cwd });
  expect([exit, err]).toEqual([3, "maestro: there is no file none.json\n"]);
});

const REFERS = `{"properties": {"owner": "ann"}, "workflow": {"id": "w", "steps": [{"step": {"id": "a", "type": "shell", "params": {
  "shell": {"type": "MAP", "value": {
    "script": {"type": "STRING", "value": "cd $HOME\\necho $$x \${f}"}}}}}}]}}`;

test("references that nothing in the file has are a warning at their place, all of a text in one", async () => {
  const { exit, out, err } = await run(["validate", "-"], { cwd, stdin: REFERS });
  expect([exit, err]).toEqual([0, "-: ok, 1 to look at\n"]);
  expect(out).toContain("-:3:43: workflow.steps[0].step.params.shell.value.script.value: warning: ");
  expect(out).toContain("[HOME] (line 1: cd $HOME), [f] (line 2: echo $$x ${f}) are not found");
  expect(out).toContain("A dollar that is to stay is written twice: $$HOME");
});
