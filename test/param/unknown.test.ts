// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
/** What the author of a text is told of the names in it that lead nowhere. */
import { describe, expect, test } from "bun:test";
import { MaestroError } from "../../src/error.ts";
import { interpolateText } from "../../src/param/index.ts";
import type { ParamDefinitions } from "../../src/param/type.ts";
import { context, noAnswers, runStep, scope, start } from "./support.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;

function failureOf(run: () => unknown): Pick<MaestroError, "code" | "message" | "details"> {
  try {
    run();
  } catch (error) {
    if (error instanceof MaestroError) return { code: error.code, message: error.message, details: error.details };
    throw error;
  }
  throw new Error("nothing failed");
}

const SCRIPT = 'cd "$HOME"\nfor f in $dir/*; do\n  echo "${f}" "$f"\ndone\necho $$x';
const extension = {
  ...noAnswers,
  getFromSignal: () => {
    throw new Error("this run has none");
  },
};
const step = (definition: ParamDefinitions) =>
  failureOf(() => runStep(definition, scope(start({ dir: text("/data") })), { extension }));

describe("a text with references that are not found", () => {
  test("has them all named at once, with their lines and the escape", () => {
    const shell = { type: "MAP", value: { script: text(SCRIPT) } } as const;
    expect(step({ shell })).toEqual({
      code: "INTERNAL_ERROR",
      message:
        "The referenced params [HOME], [f] are not found: neither step [me] nor the workflow has a param of that name. " +
        "A dollar that is to stay is written twice: $$HOME",
      details: ['shell.script, line 1: cd "$HOME"', 'shell.script, line 3: echo "${f}" "$f"'],
    });
  });

  test("is told so at a start", () => {
    expect(failureOf(() => start({ list: { type: "STRING_ARRAY", value: ["a", "${x.y} $z"] } }))).toEqual({
      code: "BAD_REQUEST",
      message:
        "The referenced params [x.y], [z] are not found: neither the workflow nor a signal has a param of that name. " +
        "A dollar that is to stay is written twice: $${x.y}",
      details: ["list[1], line 1: ${x.y} $z"],
    });
    const map = { env: { type: "STRING_MAP", value: { A: "1", B: "$b" } } } as const;
    expect(failureOf(() => start(map)).details).toEqual(["env.B, line 1: $b"]);
  });

  test("of an attribute has no param's name", () => {
    expect(failureOf(() => interpolateText("$limit seconds", start({}), context())).details).toEqual([
      "text, line 1: $limit seconds",
    ]);
  });

  test("names what other steps and the step itself lack", () => {
    const { message, details } = step({ a: text("$typo__rows\n$me__none\n$dir"), dir: text("$a__b") });
    expect(message).toContain("[typo__rows], [me__none] are not found: no step [typo] has ended successfully");
    expect(message).toContain("; step [me] has no param [none].");
    expect(details).toEqual(["a, line 1: $typo__rows", "a, line 2: $me__none"]);
  });

  test("is the one that is told of, not the text that refers to it", () => {
    expect(step({ a: text("$b $none"), b: text("$c $d") }).details).toEqual(["b, line 1: $c $d"]);
  });

  test("shows a long line's beginning, and the first lines of many", () => {
    const { details } = step({ a: text(`${"x".repeat(200)} $y\n`.repeat(2) + "$y\n".repeat(100)) });
    expect(details).toHaveLength(20);
    expect(details[0]).toBe(`a, line 1: ${"x".repeat(120)}…`);
  });
});

test("an expression has all its unknown names told at once", () => {
  expect(step({ n: { type: "LONG", expression: "one + dir + two" } })).toEqual({
    code: "INTERNAL_ERROR",
    message:
      "The referenced params [one], [two] are not found: neither step [me] nor the workflow has a param of that name",
    details: [],
  });
});
