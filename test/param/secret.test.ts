/** References to secrets: they pass evaluation with the name alone, and only where a literal itself writes them. */
import { describe, expect, test } from "bun:test";
import { MaestroError } from "../../src/error.ts";
import {
  evaluateCondition,
  evaluateDefinitions,
  interpolateText,
  type ParamDefinitions,
} from "../../src/param/index.ts";
import { replaceSecrets, secretMentions, secretPlaces, secretReferences } from "../../src/param/secret.ts";
import { context, finishedStep, results, runStep, scope, start } from "./support.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;

function errorOf(run: () => unknown): string {
  try {
    run();
    return "none";
  } catch (error) {
    return error instanceof MaestroError ? error.message : String(error);
  }
}

const run = start({ data: text("$${secret.OTHER}"), plain: text("x"), dollar: text("$$") });
const step = (definition: ParamDefinitions) => runStep(definition, scope(run));
const NESTED: ParamDefinitions = {
  shell: {
    type: "MAP",
    value: {
      script: text("echo"),
      env: { type: "STRING_MAP", value: { A: "${secret.A}", B: "b", C: "${plain} ${secret.C}" } },
      list: { type: "STRING_ARRAY", value: ["no", "${secret.D-1.x}"] },
      made: { type: "STRING", expression: "'${secret.E}'" },
    },
  },
  own: text("Bearer ${secret.T}"),
  data: text("${data}"),
};

test("a reference passes evaluation as it is, in every kind of literal", () => {
  expect(results(step(NESTED).params)).toEqual({
    shell: {
      script: "echo",
      env: { A: "${secret.A}", B: "b", C: "x ${secret.C}" },
      list: ["no", "${secret.D-1.x}"],
      made: "${secret.E}",
    },
    own: "Bearer ${secret.T}",
    data: "${secret.OTHER}",
  });
});

test("its place is known; what is inserted or made by an expression has none", () => {
  expect(secretPlaces(step(NESTED).params)).toEqual([
    ["shell", "env", "A"],
    ["shell", "env", "C"],
    ["shell", "list", 1],
    ["own"],
  ]);
});

test.each([
  ["${secret.A}", ["A"]],
  ["$${secret.A}", []],
  ["$$${secret.A}", ["A"]],
  ["$secret.A ${secret} ${secrets.A} ${a.secret.b}", []],
  ["${secret.B}${secret.A}${secret.B}", ["B", "A", "B"]],
])("%p names %j", (template, names) => {
  expect(secretReferences(template)).toEqual(names);
});

test("values go where the names stand, and are not looked at again", () => {
  const value = (name: string) => (name === "A" ? "${secret.B}" : "$&");
  expect(replaceSecrets("1 ${secret.A} $${secret.B} ${secret.}", value)).toBe("1 ${secret.B} $$& ${secret.}");
});

test.each([
  ["${secret.1}", 'begins with a letter or "_"'],
  ["${secret.}", 'begins with a letter or "_"'],
  ["a\n${secret.a b}", 'has letters, digits, "_", "-" and "."'],
  ["${secret.A", "the closing brace is missing"],
  [`\${secret.${"x".repeat(129)}}`, "at most 128 characters"],
])("%p is not the name of one", (template, problem) => {
  const [mention] = secretMentions(template);
  expect(mention?.problem).toInclude(problem);
  expect(mention?.line).toBe(template.includes("\n") ? 2 : 1);
});

describe("is refused", () => {
  test.each(["${data} ${secret.A}", "${dollar}{secret.B} ${secret.A}", "$${secret.B} ${secret.A}"])(
    "the text %p, in which data looks like a secret",
    (value) => {
      expect(errorOf(() => step({ x: text(value) }))).toInclude("keep the two apart");
    },
  );

  test("a param that names one, in another param or an expression", () => {
    const own = { token: text("${secret.A}") };
    const why = "Param [token] names a secret, so its value can't be used elsewhere";
    expect(errorOf(() => step({ ...own, x: text("${token}") }))).toInclude(why);
    expect(errorOf(() => step({ ...own, x: { type: "STRING", expression: "token + '!'" } }))).toInclude(why);
    const after = scope(run, { one: finishedStep("one", step(own).params) });
    expect(errorOf(() => runStep({ x: text("${one__token}") }, after))).toInclude("names a secret");
    expect(errorOf(() => evaluateCondition("one__token == 'a'", after, context()))).toInclude("names a secret");
  });

  test("one that is no literal of a step's own", () => {
    const why = "The secret [A] can't be used here: write ${secret.NAME} into a literal param of the step";
    expect(errorOf(() => start({ x: text("${secret.A}") }))).toInclude(why);
    expect(errorOf(() => interpolateText("${secret.A}", run, context()))).toInclude(why);
    expect(errorOf(() => evaluateDefinitions({ x: text("${secret.A}") }, scope(run), context()))).toInclude(why);
    expect(errorOf(() => step({ x: { type: "STRING_MAP", value: { "${secret.A}": "b" } } }))).toInclude(why);
  });

  test("one under a key that is made from params", () => {
    const value = { "${plain}": "${secret.A}" };
    expect(errorOf(() => step({ x: { type: "STRING_MAP", value } }))).toInclude("write a plain key");
  });

  test("a name that can't be one, and the params that are not there beside it", () => {
    expect(errorOf(() => step({ x: text("${secret.a/b}") }))).toInclude("names no secret");
    const missing = errorOf(() => step({ x: text("${secret.A} ${nobody}") }));
    expect(missing).toInclude("[nobody] is not found");
    expect(missing).not.toInclude("secret.A");
  });
});
