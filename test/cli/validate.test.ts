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
  expect(out).toContain("bad.yaml:6:13: workflow.steps[0].step.type:");
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
  const two = await run(["validate", "-"], {
    stdin: GOOD_YAML.replace("  id: w", '  id: w\n  \'a"b\': 1\n  "x\\ny": 2'),
  });
  expect(two.out.match(/^-:.*field "[^ ]*/gm)).toEqual([
    '-:5:3: workflow: unknown field "a\\"b";',
    '-:6:3: workflow: unknown field "x\\ny";',
  ]);
});

test("expressions are parsed, and shown where they are", async () => {
  const stdin = GOOD.replace('"steps"', '"params":{"n":{"type":"LONG","expression":"1 +"}},"steps"');
  const { exit, out } = await run(["validate", "-"], { stdin });
  expect(exit).toBe(1);
  expect(out).toStartWith(`-:1:${stdin.indexOf('"1 +"') + 1}: workflow.params.n.expression: `);
  expect(out).toContain("of the expression)");
});

test("an expression of a step that does not parse is a warning, since a server takes it", async () => {
  const stdin = GOOD.replace('"type":"NoOp"', '"type":"NoOp","params":{"n":{"type":"LONG","expression":"1 +"}}');
  const { exit, out, err } = await run(["validate", "-"], { stdin });
  expect([exit, err]).toEqual([0, "-: ok, 1 to look at\n"]);
  expect(out).toStartWith(`-:1:${stdin.indexOf('"1 +"') + 1}: workflow.steps[0].step.params.n.expression: warning: `);
});

test("workflow params are evaluated as the server's dry run does", async () => {
  const stdin = GOOD.replace('"steps"', '"params":{"n":{"type":"LONG","expression":"nobody + 1"}},"steps"');
  const { exit, out } = await run(["validate", "-"], { stdin });
  expect(exit).toBe(1);
  expect(out).toStartWith(`-:1:${stdin.indexOf('"params"') + 1}: workflow.params: `);
});

test("the settings of the server count, where there are some", async () => {
  writeFileSync(join(cwd, "strict.yaml"), "params: {enforce_validators: true}\nlimits: {steps: 1}\n");
  const stdin = GOOD.replace('"steps"', '"params":{"n":{"type":"LONG","value":1,"validator":"@No"}},"steps"');
  const two = GOOD.replace("]}}", ',{"step":{"id":"b","type":"NoOp"}}]}}');
  const config = ["--config", "strict.yaml"];
  expect((await run(["validate", "-", ...config], { cwd, stdin })).out).toContain(
    "workflow.params.n.validator: @No is not",
  );
  expect((await run(["validate", "-", ...config], { cwd, stdin: two })).out).toContain("at most 1 are allowed");
  expect(await run(["validate", "-"], { cwd, stdin: two })).toMatchObject({ exit: 0 });
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
    "script": {"type": "STRING", "value": "cd $HOME\\necho $$x \${f}"},
    "working_dir": {"type": "STRING", "value": "$HOME/$dir"}}}}}}]}}`;

test("references that nothing in the file has are a warning at their place, all of a text in one", async () => {
  const { exit, out, err } = await run(["validate", "-"], { cwd, stdin: REFERS });
  expect([exit, err]).toEqual([0, "-: ok, 2 to look at\n"]);
  expect(out).toContain(
    "-:3:43: workflow.steps[0].step.params.shell.value.script.value: warning: line 2: $$x is the number",
  );
  expect(out).toContain("-:4:48: workflow.steps[0].step.params.shell.value.working_dir.value: warning: ");
  expect(out).toContain("[HOME], [dir] are not found");
  expect(out).toContain("A dollar that is to stay is written twice: $$HOME");
});

const GOOD_YAML = `# x
properties: {owner: 007}
workflow:
  id: w
  params: {version: {type: STRING, value: 1.10}}
  steps: [{step: {id: a, type: NoOp}}]
`;

test("a secret may be named by a step's literal, is refused elsewhere or badly named, and is text in an expression", async () => {
  const file = (token: string, param: string) =>
    `workflow:
  id: w
  params:
    p: {type: STRING, value: "${param}"}
  steps:
  - step:
      id: a
      type: shell
      params:
        e: {type: STRING, expression: "'\${secret.TOKEN}'"}
        shell:
          type: MAP
          value:
            script: {type: STRING, value: echo}
            env:
              type: STRING_MAP
              value:
                T: "${token}"
`;
  const good = await run(["validate", "-"], { stdin: file("Bearer ${secret.TOKEN}", "x") });
  expect(good.exit).toBe(0);
  expect(good.out).toStartWith(
    "-:10:39: workflow.steps[0].step.params.e.expression: warning: ${secret.TOKEN} in an expression is text and no secret",
  );
  expect(good.out.match(/^-:/gm)).toHaveLength(1);
  const { exit, out } = await run(["validate", "-"], { stdin: file("${secret.a b}", "${secret.TOKEN}") });
  expect(exit).toBe(1);
  expect(out).toContain("-:4:30: workflow.params.p.value: the secret [TOKEN] can't be used here: write ${secret.NAME}");
  expect(out).toContain(
    '-:18:20: workflow.steps[0].step.params.shell.value.env.value.T: "${secret.a b}" names no secret: the name of a secret has',
  );
});

test("stdin may be YAML, with a byte order mark and either line end", async () => {
  const texts = [
    GOOD_YAML,
    `\uFEFF${GOOD_YAML}`,
    GOOD_YAML.replaceAll("\n", "\r\n"),
    `\uFEFF${GOOD}`,
    GOOD.replace('"workflow":', "workflow: "),
  ];
  for (const stdin of texts) {
    expect(await run(["validate", "-"], { stdin })).toEqual({ exit: 0, out: "", err: "-: ok\n" });
  }
  const stdin = `\uFEFFworkflow: {id: w, steps: [{step: {id: a, type: Slep}}]}`;
  expect((await run(["validate", "-"], { stdin })).out).toStartWith("-:1:48: workflow.steps[0].step.type:");
});

const utf16 = (text: string) => Buffer.from(text, "utf16le");
test.each([
  ["UTF-16", "x.yaml", utf16(GOOD_YAML), "x.yaml:1:1: the file is UTF-16; save it as UTF-8"],
  ["UTF-16 with a mark", "x.json", utf16(`\uFEFF${GOOD}`), "x.json:1:1: the file is UTF-16; save it as UTF-8"],
  [
    "Latin-1",
    "x.yaml",
    Buffer.from("# \u00fc\nid: \u00e9tl", "latin1"),
    "x.yaml:1:3: the file is not UTF-8: the byte 0xfc",
  ],
  [
    "half a character",
    "x.json",
    Buffer.from("\u00e9\n\u00e9").subarray(0, 4),
    "x.json:2:1: the file is not UTF-8: the byte 0xc3",
  ],
  ["nothing", "x.yaml", Buffer.from(" \n"), "x.yaml:1:1: the file is empty"],
  [
    "a list",
    "x.yaml",
    Buffer.from("# no\n- 1"),
    "x.yaml:2:1: a definition is an object { properties, workflow }, and this is a list",
  ],
  [
    "a text",
    "x.json",
    Buffer.from('"w"'),
    'x.json:1:1: a definition is an object { properties, workflow }, and this is "w"',
  ],
  [
    "comments",
    "x.yaml",
    Buffer.from("# no\n"),
    "x.yaml:1:1: a definition is an object { properties, workflow }, and this is null",
  ],
  ["a comma too many", "x.json", Buffer.from(`${GOOD.slice(0, -1)},}`), 'no "," may stand before "}"'],
  [
    "upstream's DSL",
    "x.yaml",
    Buffer.from("# x\nWorkflow:\n  id: w\n  jobs:\n  - job: {id: a, type: NoOp}"),
    "x.yaml:2:1: this is the YAML DSL of Netflix Maestro, with jobs, which is not read here; write",
  ],
] as const)("a file that holds %s is told so, at its place", async (_, file, bytes, message) => {
  writeFileSync(join(cwd, file), bytes);
  const { exit, out, err } = await run(["validate", file], { cwd });
  expect([exit, err]).toEqual([1, ""]);
  expect(out).toContain(message);
});

test("a file that is longer than what a server reads is refused before it is read", async () => {
  writeFileSync(join(cwd, "long.json"), GOOD.padEnd(10_485_761));
  const { exit, err } = await run(["validate", "long.json"], { cwd });
  expect([exit, err]).toEqual([1, "maestro: long.json has 10485761 bytes; at most 10485760 are read\n"]);
});

test("a key that stands twice is a finding with both places, in JSON as in YAML", async () => {
  const json = GOOD.replace('"id":"w"', '"id":"w", "id":"v"');
  expect((await run(["validate", "-"], { stdin: json })).out).toStartWith(
    `-:1:${json.lastIndexOf('"id":"v"') + 1}: workflow.id: this key stands in line 1, column ${json.indexOf('"id":"w"') + 1} too`,
  );
  const out = await run(["validate", "--json", "-"], {
    stdin: GOOD_YAML.replace("  id: w", "  id: w\n  id: v\n  steps: []"),
  });
  expect(JSON.parse(out.out)).toMatchObject([
    { path: "workflow.id", line: 5, column: 3 },
    { path: "workflow.steps", line: 8, column: 3 },
  ]);
});
