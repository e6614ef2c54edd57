import { expect, test } from "bun:test";
import { JsonPlaces, JsonSyntaxError, parsePath, placeAt, pointOut } from "../../src/cli/locate.ts";
import { findInYaml, parseYaml, YamlError } from "../../src/cli/yaml.ts";

const text = `{
  "workflow": {
    "id": "x",
    "steps": [
      {"step": {"id": "a"}},
      {"step": {"id": 7, "a b": [true]}}
    ]
  }
}`;

test("a path is read in its parts", () => {
  expect(parsePath('workflow.steps[10].params["a \\"b"].value')).toEqual([
    "workflow",
    "steps",
    10,
    "params",
    'a "b',
    "value",
  ]);
  expect(parsePath("")).toEqual([]);
  expect(parsePath("no path at all")).toBeUndefined();
  expect(parsePath("a..b")).toBeUndefined();
});

test.each([
  ["workflow.id", 3, 11, 3],
  ["workflow.steps[1].step.id", 6, 23, 1],
  ["workflow.steps", 4, 5, 7],
  ["workflow.steps[0]", 5, 7, 1],
  ['workflow.steps[1].step["a b"][0]', 6, 34, 4],
  ["workflow.steps[1].step.type", 6, 8, 6],
  ["workflow.steps[9].step", 4, 5, 7],
  ["properties.owner", 1, 1, 1],
])("%s is found at line %i, column %i", (path, line, column, length) => {
  expect(new JsonPlaces(text).find(parsePath(path) ?? [])).toEqual({ line, column, length });
});

test("a member may be shown by its key", () => {
  expect(new JsonPlaces(text).find(["workflow", "id"], true)).toEqual({ line: 3, column: 5, length: 4 });
});

test.each([
  ['{"a": 1,\n "b": ]}', 2, 7, "expected a value"],
  ['{"a": 1,}', 1, 8, 'no "," may stand before "}"'],
  ["[1, 2,]", 1, 6, 'no "," may stand before "]"'],
  ['{"a": 1\n "b": 2}', 2, 2, 'expected "," or "}"'],
  ['{"a" 1}', 1, 6, 'expected ":" after the key "a"'],
  ["{a: 1}", 1, 2, "expected a key in double quotes"],
  ["{'a': 1}", 1, 2, "expected a key in double quotes"],
  ['{"a": "x\ny"}', 1, 7, "must end with a double quote on its line"],
  ['{"a": "\\x"}', 1, 8, "an unknown escape"],
  ['{"a": 1} x', 1, 10, "nothing may follow"],
  ['{"a": 01}', 1, 8, 'expected "," or "}"'],
  ['{"a":', 1, 6, "expected a value, found the end of the file"],
  ["", 1, 1, "expected a value, found the end of the file"],
  ["[".repeat(1000), 1, 502, "nested deeper"],
])("%j is refused at line %i, column %i", (broken, line, column, message) => {
  try {
    new JsonPlaces(broken);
    throw new Error("was accepted");
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    expect(error.message).toContain(message);
    expect(error.place).toMatchObject({ line, column });
  }
});

test("what the scanner accepts is what JSON.parse accepts", () => {
  const samples = [
    '{"a":[1,-0,1.5e+3,"\\u00e9\\n",null,true,{}]}',
    " [ ] ",
    '"x"',
    "1.",
    "-",
    "tru",
    "nulll",
    '"\t"',
    "+1",
  ];
  for (const sample of samples) {
    let accepted = true;
    let valid = true;
    try {
      new JsonPlaces(sample);
    } catch {
      accepted = false;
    }
    try {
      JSON.parse(sample);
    } catch {
      valid = false;
    }
    expect([sample, accepted]).toEqual([sample, valid]);
  }
});

test("a place is shown with its line and a caret", () => {
  expect(pointOut("f.json", text, placeAt(text, text.indexOf("7"), 1), "no")).toBe(
    ["f.json:6:23: no", '  6 |       {"step": {"id": 7, "a b": [true]}}', "    |                       ^"].join("\n"),
  );
  expect(pointOut("f", "\t\tx", { line: 1, column: 3, length: 1 }, "no")).toEndWith("    | \t\t^");
});

test("a place in a long line is shown with what is around it", () => {
  const long = `${"a".repeat(500)}X${"b".repeat(500)}`;
  const shown = pointOut("f", long, { line: 1, column: 501, length: 1 }, "no").split("\n");
  expect(shown[1]?.length).toBeLessThan(140);
  expect(shown[1]?.[shown[2]?.indexOf("^") ?? 0]).toBe("X");
});

const yaml = `# a comment
workflow:
  id: x
  steps:
  - step:
      id: a

  - step:
      id: b
      "a b": 1
    more: [1, 2]
properties:
  owner: ann
`;

test.each([
  ["workflow.id", 3],
  ["workflow.steps", 4],
  ["workflow.steps[0].step.id", 6],
  ["workflow.steps[1].step.id", 9],
  ['workflow.steps[1].step["a b"]', 10],
  ["workflow.steps[1].more[1]", 11],
  ["properties.owner", 13],
  ["workflow.nothing", 2],
])("in YAML, %s is found in line %i", (path, line) => {
  expect(findInYaml(yaml, parsePath(path) ?? []).line).toBe(line);
});

test("broken YAML and numbers that would lose digits are refused with their line", () => {
  for (const [broken, line] of [
    ["a: 1\nb: [1,\nc: 2\n", 2],
    ["a: 1\nb: 9223372036854775807\n", 2],
  ] as const) {
    try {
      parseYaml(broken);
      throw new Error("was accepted");
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      expect(error.place.line).toBeGreaterThanOrEqual(line);
    }
  }
});
