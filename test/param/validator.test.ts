import { describe, expect, test } from "bun:test";
import { MaestroError } from "../../src/error.ts";
import { type Json, rawNumber } from "../../src/json.ts";
import { evaluateWorkflowParams, mergeWorkflowParams, type ParamDefinitions } from "../../src/param/index.ts";
import type { ParamType } from "../../src/param/type.ts";
import { enforceValidators, literalFindings, problemOf, problemsIn } from "../../src/param/validator.ts";
import { BudgetExceeded } from "../../src/sel/index.ts";
import { context } from "./support.ts";

/** The findings about one evaluated value; none when it passes. */
function findings(validator: string, type: ParamType, result: Json): readonly string[] {
  try {
    enforceValidators({ p: { type, validator, evaluated_result: result, evaluated_time: 1 } });
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError) || error.code !== "BAD_REQUEST") throw error;
    return error.details.length > 0 ? error.details : [error.message];
  }
}

const passes = (validator: string, type: ParamType, result: Json): boolean =>
  findings(validator, type, result).length === 0;

const LONG_MAX = rawNumber("9223372036854775807");

describe("a constraint passes and refuses", () => {
  const table: readonly (readonly [string, ParamType, readonly Json[], readonly Json[]])[] = [
    ["@NotNull", "STRING_MAP", [{}, { a: "b" }], [null]],
    ["@Null", "STRING_MAP", [null], [{}]],
    ["@NotEmpty", "STRING", ["a", " "], ["", null]],
    ["@NotEmpty", "LONG_ARRAY", [[1]], [[]]],
    ["@NotEmpty", "MAP", [{ a: 1 }], [{}]],
    ["@NotBlank", "STRING", ["a "], ["", " \t\n", null]],
    ["@NotBlank", "STRING_ARRAY", [[], ["a"]], [["a", " "]]],
    ["@AssertTrue", "BOOLEAN", [true, null], [false]],
    ["@AssertFalse", "BOOLEAN_ARRAY", [[false, false]], [[false, true]]],
    ["@Min(0)", "LONG", [0, 5, LONG_MAX], [-1]],
    ["@Min(9223372036854775807)", "LONG", [LONG_MAX], [rawNumber("9223372036854775806")]],
    ["@Min(value = 2L)", "DOUBLE", [2, rawNumber("2.0"), rawNumber("1.0E20")], [1.999, "NaN"]],
    ["@Max(100)", "LONG_ARRAY", [[1, 100]], [[1, 101]]],
    ["@Max(10)", "STRING", ["9", "1E1"], ["10.5", "many"]],
    ['@DecimalMin("0.1")', "DOUBLE", [0.1, 1], [rawNumber("0.09999999999999999999")]],
    ['@DecimalMin(value = "0.1", inclusive = false)', "DOUBLE", [0.2], [0.1, -3]],
    ['@DecimalMax(value = "1E3", inclusive = false)', "LONG", [999], [1000]],
    ["@Positive", "LONG", [1], [0, -1]],
    ["@PositiveOrZero", "DOUBLE", [0, rawNumber("0.0")], [-0.5]],
    ["@Negative", "LONG", [-1], [0]],
    ["@NegativeOrZero", "LONG", [0, -1], [1]],
    ["@Digits(integer = 2, fraction = 1)", "DOUBLE", [99.5, 0.5, rawNumber("10.0")], [100, 1.25]],
    ["@Size(min = 2, max = 3)", "STRING", ["ab", "abc"], ["a", "abcd"]],
    ["@Size(max = 1)", "STRING_MAP", [{}, { a: "x" }], [{ a: "x", b: "y" }]],
    ["@Length(min = 1)", "STRING_ARRAY", [["a"]], [["a", ""]]],
    ["@Range(min = -1, max = 1)", "LONG", [-1, 0, 1], [-2, 2]],
    ['@Pattern(regexp = "[a-z]+\\\\d?")', "STRING", ["abc", "abc1"], ["", "abc12", "1abc", "abc\n"]],
    ['@Pattern(regexp = "a|bc")', "STRING_MAP", [{ k: "a" }, { k: "bc" }], [{ k: "abc" }]],
    ['@Pattern(regexp = "ab", flags = Pattern.Flag.CASE_INSENSITIVE)', "STRING", ["AB"], ["AC"]],
    ['@Pattern(regexp = "a b # both", flags = {COMMENTS, CASE_INSENSITIVE})', "STRING", ["AB"], ["A B"]],
    ['@Pattern(regexp = "\\\\Qa.c")', "STRING", ["a.c"], ["abc"]],
    ["@Email", "STRING", ["a.b+c@x-1.example", ""], ["a", "a@", "@x", "a..b@x", "a@x_y", "a@-x"]],
    ["@URL", "STRING", ["https://a.example/b?c", ""], ["a.example", "http:/x", "http://["]],
    [
      '@URL(protocol = "https", host = "a.example", port = 8443)',
      "STRING",
      ["https://a.example:8443/"],
      ["https://a.example/"],
    ],
    ["@UniqueElements", "LONG_ARRAY", [[1, 2], []], [[1, 2, 1]]],
    ["@NotBlank @Size(max = 3), @Pattern(regexp = 'a*')", "STRING", ["aa"], [" ", "aaaa", "b"]],
    ["@javax.validation.constraints.NotNull @Min( 1 )", "LONG", [1], [null, 0]],
  ];
  test.each(table)("%s on a %s", (validator, type, good, bad) => {
    expect(problemOf(validator, type)).toBeUndefined();
    for (const value of good) expect([value, findings(validator, type, value)]).toEqual([value, []]);
    for (const value of bad) expect([value, passes(validator, type, value)]).toEqual([value, false]);
  });
});

test("a finding names the place, the rule and the value", () => {
  expect(findings("@Min(1) @Max(5)", "LONG_ARRAY", [0, 3, 9])).toEqual([
    "p[0]: must be greater than or equal to 1, and is 0",
    "p[2]: must be less than or equal to 5, and is 9",
  ]);
  expect(findings("@NotBlank", "STRING_MAP", { k: "" })).toEqual(['p.k: must not be blank, and is ""']);
  const own = '@Size(min = 2, max = 4, message = "takes {min} to {max}, {this} \\"or\\" not")';
  expect(findings(own, "STRING", "a")).toEqual(['p: takes 2 to 4, {this} "or" not, and is "a"']);
});

describe("a validator that can't be run says what would be right", () => {
  test.each([
    ["", "STRING", "is empty; write an annotation such as @NotNull"],
    ["NotNull", "STRING", "expected an annotation, which begins with @"],
    ["@notnull", "STRING", "did you mean @NotNull?"],
    ["@Nonsense", "STRING", "known are @NotNull"],
    ["@constructor", "STRING", "is not known"],
    ["@Future", "LONG", "depends on the clock"],
    ["@Min", "LONG", '@Min needs "value"; write it like @Min(1)'],
    ["@Min(1.5)", "LONG", '"value" must be an integer'],
    ['@Min("1")', "LONG", '"value" must be an integer'],
    ["@Min(least = 1)", "LONG", '@Min has no attribute "least"; it has value, message'],
    ["@Min(1, 2)", "LONG", "the attribute value is given twice"],
    ["@Min(1", "LONG", 'expected "," or ")", at its end'],
    ['@Size(max = "3)', "STRING", "a text is not closed"],
    ["@Min(1)", "BOOLEAN", "@Min does not apply to a BOOLEAN; these do: @NotNull"],
    ["@NotBlank", "LONG", "@NotBlank does not apply to a LONG"],
    ["@Size(max = 1)", "LONG", "@Size does not apply to a LONG"],
    ['@Pattern("a")', "STRING", '@Pattern has no attribute "value"; it has regexp, flags, message'],
    ['@Pattern(regexp = "(a")', "STRING", "@Pattern: "],
    ['@Pattern(regexp = "a)(b")', "STRING", "@Pattern: "],
    ['@Pattern(regexp = "a", flags = CANON_EQ)', "STRING", '"flags" must be of CASE_INSENSITIVE'],
    ['@DecimalMin(value = "1", inclusive = maybe)', "DOUBLE", '"inclusive" must be true or false'],
  ] as const)("%j on a %s", (validator, type, problem) => {
    expect(problemOf(validator, type)).toContain(problem);
    const value = type === "LONG" || type === "DOUBLE" ? 1 : type === "BOOLEAN" ? true : "a";
    expect(findings(validator, type, value)[0]).toContain(problem);
  });

  test("in a definition, with its path, inside of maps too", () => {
    const definitions: ParamDefinitions = {
      good: { type: "LONG", value: 1, validator: "@Min(0)" },
      bad: { type: "LONG", value: 1, validator: "positive" },
      map: { type: "MAP", value: { inner: { type: "STRING", value: "x", validator: "@AssertTrue" } } },
    };
    expect(problemsIn(definitions).map(({ keys }) => keys)).toEqual([
      ["bad", "validator"],
      ["map", "value", "inner", "validator"],
    ]);
  });
});

describe("hostile validators end soon", () => {
  test.each([
    ["nested repetition", '@Pattern(regexp = "(a+)+b")', "a".repeat(30_000)],
    ["alternatives", '@Pattern(regexp = "(a|a|aa)*c")', "a".repeat(30_000)],
    ["back references", '@Pattern(regexp = "(a*)(a*)(a*)\\\\1\\\\2\\\\3b")', "a".repeat(2_000)],
    ["a large repetition", '@Pattern(regexp = "((a{1,900}){1,900}){1,900}")', "a"],
    ["an email", "@Email", `${"a.".repeat(300_000)}@x`],
    ["a url", "@URL", `http://${"a.".repeat(300_000)}`],
    ["blanks", "@NotBlank", " ".repeat(700_000)],
  ])("%s", (_name, validator, value) => {
    const begin = performance.now();
    expect(findings(validator, "STRING", value)).not.toEqual([]);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  test("one that exceeds its allowance says so", () => {
    const validator = '@Pattern(regexp = "(a*)(a*)(a*)\\\\1\\\\2\\\\3b")';
    expect(findings(validator, "STRING", "a".repeat(2_000))).toEqual([
      "The validators of these params take too long: simplify their patterns, or validate shorter texts",
    ]);
  });

  test("a decimal of any exponent is compared without being written out", () => {
    expect(passes('@DecimalMax("1E999999999999")', "LONG", LONG_MAX)).toBe(true);
    expect(passes('@DecimalMin("-1E-999999999999")', "LONG", -1)).toBe(false);
    expect(passes("@Digits(integer = 5, fraction = 2)", "DOUBLE", rawNumber("1E300"))).toBe(false);
  });

  test.each(["@Size(".repeat(3_000), "{".repeat(9_000), `@Pattern(flags = ${"{".repeat(9_000)}`, "@A.".repeat(6_000)])(
    "the syntax of %.12s… is refused",
    (validator) => {
      expect(problemOf(validator, "STRING")).toBeDefined();
    },
  );

  test("a validator that is too long is refused, and its finding is short", () => {
    expect(problemOf(`@Size(min = 1)${" ".repeat(20_000)}`, "STRING")).toBe("is longer than 20000 characters");
    expect(problemOf(`x${"y".repeat(10_000)}`, "STRING")?.length).toBeLessThan(300);
  });

  test("within a budget the evaluation is handed on instead", () => {
    const params = {
      p: { type: "STRING", validator: '@Pattern(regexp = "(a+)+b")', evaluated_result: "a".repeat(30_000) },
    } as const;
    expect(() => enforceValidators(params, { visits: 20_000 })).toThrow(BudgetExceeded);
  });
});

describe("the params of a run", () => {
  const evaluate = (definition: ParamDefinitions, enforce: boolean) =>
    evaluateWorkflowParams(mergeWorkflowParams({ definition, source: "LAUNCH" }), {
      ...context(),
      enforceValidators: enforce,
    });
  const definition: ParamDefinitions = {
    a: { type: "LONG", expression: "1 - 2", validator: "@Min(0)" },
    b: { type: "STRING", value: "x${a}", validator: '@Pattern(regexp = "[a-z]+")' },
    m: { type: "MAP", value: { n: { type: "LONG", expression: "a * 2", validator: "@Positive" } } },
  };

  test("are refused with every finding, results of expressions and insides of maps included", () => {
    let details: readonly string[] = [];
    try {
      evaluate(definition, true);
    } catch (error) {
      details = (error as MaestroError).details;
    }
    expect(details).toEqual([
      "a: must be greater than or equal to 0, and is -1",
      'b: must match "[a-z]+", and is "x-1"',
      "m.n: must be greater than 0, and is -2",
    ]);
  });

  test("pass as they are when validators are not enforced, and keep their texts", () => {
    expect(evaluate(definition, false).params.a).toMatchObject({ evaluated_result: -1, validator: "@Min(0)" });
  });

  test("of which only literals that refer to nothing are known before a start", () => {
    expect(
      literalFindings({
        a: { type: "LONG", value: -1, validator: "@Min(0)" },
        b: { type: "LONG", expression: "0 - 1", validator: "@Min(0)" },
        c: { type: "STRING", value: "${a}!", validator: "@Size(max = 1)" },
        m: { type: "MAP", value: { s: { type: "STRING", value: "", validator: "@NotBlank" } }, validator: "@NotEmpty" },
      }),
    ).toEqual(["a: must be greater than or equal to 0, and is -1", 'm.s: must not be blank, and is ""']);
  });

  test("leave out what the server has put in for itself", () => {
    const loop = { type: "LONG", value: -1, validator: "@Min(0)", source: "SYSTEM_DEFAULT" } as const;
    expect(literalFindings({ loop_index: { ...loop, mode: "CONSTANT" } })).toEqual([]);
    expect(literalFindings({ mine: { ...loop, mode: "MUTABLE" } })).toHaveLength(1);
  });
});
