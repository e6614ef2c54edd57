import { expect, test } from "bun:test";
import { pointOut } from "../../src/cli/excerpt.ts";

const text = `{
  "workflow": {
    "id": "x",
    "steps": [
      {"step": {"id": "a"}},
      {"step": {"id": 7, "a b": [true]}}
    ]
  }
}`;

test("a place is shown with its line and a caret", () => {
  expect(pointOut("f.json", text, { line: 6, column: 23, length: 1 }, "no")).toBe(
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

test("the caret stands below the place, whatever the characters before it look like", () => {
  const shown = pointOut("f", "\u65e5\u672c \x1b[1m\t\x07y", { line: 1, column: 9, length: 2 }, "no").split("\n");
  expect(shown.slice(1)).toEqual(["  1 | \u65e5\u672c \\x1b[1m\t\\x07y", "    |             \t^^^^^"]);
});
