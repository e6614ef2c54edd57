import { describe, expect, test } from "bun:test";
import { evaluate, SelError, type SelValue } from "../../src/sel/index.ts";
import { LINT_RULES, type LintRule, lint } from "../../src/sel/lint.ts";
import { vectors } from "./vectors.ts";

const rules = (source: string): readonly LintRule[] => lint(source).map(({ rule }) => rule);

interface Case {
  readonly warned: readonly string[];
  readonly fine: readonly string[];
}

const CASES: Readonly<Record<LintRule, Case>> = {
  "shared-literal": {
    warned: [
      "r = 0; for (i = 0; i < 3; i += 1) { int c = 0; c += 1; r = c; } return r;",
      "while (n < 3) { String s = ('a'); s += 'b'; n = s.length(); } return n;",
      "c = 0; for (i = 0; i < 3; i += 1) { for (int j = 0; j < 3; j += 1) { c += 1; } } return c;",
    ],
    fine: [
      "int c = 0; c += 1; return c;",
      "r = 0; for (int i = 0; i < 3; i += 1) { int c = 2; r += c; } return r;",
      "r = 0; for (i = 0; i < 3; i += 1) { int c = 0 + 0; c += 1; r = c; } return r;",
      "r = 0; for (i = 0; i < 3; i += 1) { c = 0; c += 1; r = c; } return r;",
    ],
  },
  aliasing: {
    warned: [
      "int x = 5; int y = x; y += 1; return x;",
      "int x = 5; int y = x; x = 6; return y;",
      "int y = n; y += 1; return n;",
      "int t = a[0]; t += 5; return a[0];",
      "int t = a[0]; a[0] = 5; return t;",
      "int v = m.get('k'); v += 1; return m.get('k');",
      "int y = n > 1 ? n : 0; y += 1; return n;",
      "int x = (y = 5); x += 1; return y;",
    ],
    fine: [
      "x = 5; y = x; y += 1; return x;",
      "int x = 5; int y = x; return y;",
      "int y = x + 0; y += 1; return x;",
      "int[] b = a; b[0] = 1; return b;",
      "int y = params.get('n'); y += 1; return y;",
    ],
  },
  "stored-box": {
    warned: [
      "m = new Map(); for (i = 0; i < 3; i += 1) { m.put('' + i, i); } return m;",
      "m = new Map(); v = 1; m.put('k', v); v = 2; return m;",
    ],
    fine: [
      "m = new Map(); for (i = 0; i < 3; i += 1) { m.put('' + i, i + 0); } return m;",
      "m = new Map(); v = 1; m.put('k', v); return m;",
    ],
  },
  "no-short-circuit": {
    warned: [
      "x != null && x.length() > 0",
      "x == null || x.isEmpty()",
      "d != 0 && 10 / d > 1",
      "i < a.length && a[i] > 0",
      "ok || (x = 5) > 1",
      "m.containsKey('k') && m.get('k').length() > 1",
    ],
    fine: [
      "x != null ? x.length() > 0 : false",
      "a > 1 && b < 2",
      "n > 3 && n / 2 > 1",
      "s.isEmpty() && s.length() < 3",
      "x != null && y.length() > 0",
    ],
  },
  "no-block-scope": {
    warned: [
      "if (n > 1) { int x = 2; } return x;",
      "for (int i = 0; i < 3; i += 1) { n.length(); } return i;",
      "int x = 1; if (n > 1) { int x = 2; } return x;",
      "x = 0; if (n > 1) { int x = 1; } return x;",
    ],
    fine: [
      "int x = 1; if (n > 1) { x = 2; } return x;",
      "r = 0; for (int i = 0; i < 3; i += 1) { r += i; } for (int i = 0; i < 3; i += 1) { r += i; } return r;",
      "if (n > 1) { int x = 1 + 0; return x; } else { int x = 2; return x; }",
      "if (n > 1) { x = 1; } return x;",
    ],
  },
  "unseen-param": {
    warned: ["n += 1; return n;", "n = n + 1; return n;", "int n = n + 1; return n;"],
    fine: [
      "m = n + 1; return m;",
      "n = 1; n += 1; return n;",
      "x = n; n = n + 1; return n;",
      "int n = 1; n += 1; return n;",
    ],
  },
  "built-in-name": {
    warned: ["int Math = 1; return Math;", "String = 'x'; return 1;", "params = 1; return params;"],
    fine: ["return Math.max(1, 2);", "math = 1; return math;"],
  },
  comparison: {
    warned: ["1 == '1'", "int n = 5; return n != '5.0';", "Map m = f; return m == null;", "null + x", "null < x"],
    fine: [
      "x == '1'",
      "'1' == x",
      "Map m = f; return null == m;",
      "x + 1",
      "String s = f; return s == null;",
      "1 == 2",
    ],
  },
  "no-promotion": {
    warned: ["double d = 1; return d;", "int i = 1.5; return i;", "double d = 1.0; d += -1; return d;"],
    fine: ["double d = 1.0; return d * 2;", "int i = 1; i += 2; return i;", "double d = x; return d;"],
  },
  "leading-zero": { warned: ["010 + 1", "x == 007"], fine: ["10 + 0", "0", "0.5", "'010'"] },
  "narrowed-long": {
    warned: ["String.valueOf(-3000000000)", "Util.toJson(-3000000000)", "a[4294967297]", "new int[4294967298];"],
    fine: ["'' + -3000000000", "Long.toString(-3000000000)", "String.valueOf(-3)", "a[1]", "x.put('k', -3000000000)"],
  },
  subscript: {
    warned: ["new int[2][2]", "m['k']"],
    fine: ["new int[]{1, 2}[1]", "params['k']", "a[i]"],
  },
  "stray-jump": {
    warned: ["if (n > 1) { break; } return 1;", "continue; return 1;"],
    fine: ["while (n < 3) { if (n > 1) { break; } } return 1;", "for (i = 0; i < 3; i += 1) continue; return 1;"],
  },
  "no-result": {
    warned: [
      "n = 5; if (n > 2) { n = 3; }",
      "5; int x = 1;",
      "for (i = 0; i < 3; i += 1) { i; }",
      "if (n > 1) return 1;",
    ],
    fine: [
      "if (n > 1) return 1; else return 2;",
      "while (true) { return 1; }",
      "n > 1",
      "{ n; }",
      "throw 'no'",
      "for (;;) { if (n > 1) return 1; }",
    ],
  },
};

describe.each([...LINT_RULES])("%s", (rule) => {
  const { warned, fine } = CASES[rule];
  test.each([...warned])("warns of %s", (source) => expect(rules(source)).toContain(rule));
  test.each([...fine])("does not warn of %s", (source) => expect(rules(source)).not.toContain(rule));
});

test("a warning has its place, what happens and what would be right", () => {
  expect(lint("x = 1;\nreturn x == 1 && 10 / y > 1;")).toEqual([
    {
      rule: "no-short-circuit",
      position: { offset: 21, line: 2, column: 15 },
      message: "both sides of && are always evaluated: the right side divides whatever the left side says",
      hint: 'guard with "test ? … : false"',
    },
  ]);
});

test("ordinary programs have none", () => {
  for (const source of [
    "1 + 2",
    "n > 40 ? 'big' : 'small'",
    "s = 0; for (i = 1; i <= 10; i += 1) { if (i % 2 == 0) continue; s += i; } return s;",
    "m = new Map(); m.put('k', 5); return m.get('k');",
    "new DateTime(RUN_TS).withZone(DateTimeZone.forID('UTC')).minusDays(1).toString('yyyyMMdd');",
    "if (status_code >= 200 && status_code < 300) return 'DONE'; return 'USER_ERROR';",
  ]) {
    expect([source, rules(source)]).toEqual([source, []]);
  }
});

/** The rules claim how programs behave: so they do. */
test.each([
  ["int x = 5; int y = x; y += 1; return x;", 6n],
  ["c = 0; for (i = 0; i < 3; i += 1) { for (int j = 0; j < 3; j += 1) { c += 1; } } return c;", 3n],
  ["if (true) { int x = 2; } return x;", 2n],
  ["010", 10n],
])("%s gives %s", (source, value) => {
  const result: SelValue = evaluate(source, { variables: () => undefined, now: 0, seed: 0 });
  expect(result).toMatchObject({ value });
});

test("any program that parses can be looked at, however long its chains", () => {
  for (const source of [
    `1${" + 1".repeat(2_400)}`,
    `x${".y".repeat(4_000)}`,
    `a${" && a".repeat(1_900)}`,
    `x${"[0]".repeat(3_000)}`,
  ]) {
    const begin = performance.now();
    lint(source);
    expect(performance.now() - begin).toBeLessThan(3_000);
  }
});

test("every recorded program can be looked at", async () => {
  let seen = 0;
  for (const name of ["language", "hostile", "reference"] as const) {
    for (const { expr } of await vectors(name)) {
      try {
        for (const { position } of lint(String(expr))) expect(position.line).toBeGreaterThan(0);
        seen += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(SelError);
      }
    }
  }
  expect(seen).toBeGreaterThan(500);
});
