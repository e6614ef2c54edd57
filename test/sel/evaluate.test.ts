import { describe, expect, test } from "bun:test";
import {
  BudgetExceeded,
  type EvaluateOptions,
  ExtensionRequest,
  evaluate,
  formatError,
  parse,
  references,
  SelError,
  type SelLimits,
  type SelValue,
  sanitize,
} from "../../src/sel/index.ts";

const NOW = 1_700_000_000_000;

function options(over: Partial<EvaluateOptions> = {}): EvaluateOptions {
  return { variables: () => undefined, now: NOW, seed: 1, ...over };
}

function failure(source: string, over: Partial<EvaluateOptions> = {}): SelError {
  try {
    evaluate(source, options(over));
  } catch (error) {
    if (error instanceof SelError) return error;
    throw error;
  }
  throw new Error(`${source} gave a value`);
}

const long = (value: number): SelValue => ({ type: "LONG", value: BigInt(value) });

describe("variables", () => {
  test("are asked for when they are read, and once", () => {
    const asked: string[] = [];
    const variables = (name: string): SelValue => {
      asked.push(name);
      return long(1);
    };
    expect(evaluate("if (false) return unused; return used + used;", options({ variables }))).toEqual(long(2));
    expect(asked).toEqual(["used"]);
  });

  test("may be expressions that are evaluated meanwhile", () => {
    const sources: Record<string, string> = { a: "b + b", b: "c * 2", c: "20 + 1" };
    const variables = (name: string): SelValue => evaluate(sources[name] ?? "null", options({ variables }));
    expect(evaluate("a + b", options({ variables }))).toEqual(long(126));
  });

  test("pass their own errors through unchanged", () => {
    const mine = new TypeError("a cycle");
    const variables = (): SelValue => {
      throw mine;
    };
    expect(() => evaluate("a + 1", options({ variables }))).toThrow(mine);
  });

  test("are never changed", () => {
    const value: SelValue = { type: "LONG_ARRAY", value: [1n, 2n] };
    evaluate("a[0] = 9; a", options({ variables: () => value }));
    expect(value.value).toEqual([1n, 2n]);
  });
});

describe("the extension", () => {
  test("that has no answer yet ends the evaluation with its request; the second pass repeats the first", () => {
    const answers = new Map<string, SelValue>();
    const extension = {
      call(method: string, args: readonly string[]): SelValue {
        const answer = answers.get(args.join("|"));
        if (answer === undefined) throw new ExtensionRequest(method, args);
        return answer;
      },
    };
    const source = "r = Math.random(); x = params.getFromStep('s', 'p'); return r + ':' + x;";
    let request: unknown;
    try {
      evaluate(source, options({ extension }));
    } catch (error) {
      request = error;
    }
    expect(request).toBeInstanceOf(ExtensionRequest);
    expect(request).toMatchObject({ method: "getFromStep", args: ["s", "p"] });
    answers.set("s|p", long(5));
    const first = evaluate(source, options({ extension }));
    expect(evaluate(source, options({ extension }))).toEqual(first);
  });

  test("that fails is an ext error; one with wrong arguments is unsupported", () => {
    const extension = {
      call(): SelValue {
        throw new Error("no such step");
      },
    };
    expect(failure("params.getFromStep('a')", { extension }).category).toBe("ext");
    expect(failure("params.getFromStep(1)", { extension }).category).toBe("unsupported");
    expect(failure("params.getFromStep('a')").category).toBe("unsupported");
  });
});

describe("budget and limits", () => {
  test("the inline budget stops a program with an outcome of its own", () => {
    const loop = "s = 0; for (i = 0; i < 1000; i += 1) s += i; return s;";
    expect(() => evaluate(loop, options({ budget: { visits: 500 } }))).toThrow(BudgetExceeded);
    const arrays = "for (i = 0; i < 20; i += 1) new long[20000]; return 1;";
    expect(() => evaluate(arrays, options({ budget: { visits: 20_000 } }))).toThrow(BudgetExceeded);
    expect(evaluate(arrays, options({}))).toEqual({ type: "LONG", value: 1n });
    expect(evaluate(loop, options({ budget: { visits: 1_000_000 } }))).toEqual(long(499500));
    expect(() => evaluate("Util.intsBetween(0, 100000, 1).length", options({ budget: { visits: 500 } }))).toThrow(
      BudgetExceeded,
    );
  });

  const cases: readonly [keyof SelLimits, number, string, string][] = [
    ["length", 5, "1 + 1", "limit-length"],
    ["loop", 10, "for (;;) {}", "limit-loop"],
    ["array", 10, "new int[10]", "limit-array"],
    ["stack", 3, "1 + (2 + (3 + 4))", "limit-stack"],
    ["visit", 100, "while (true) {}", "limit-visit"],
    ["memory", 200, "'a' + 'b' + 'c' + 'd' + 'e' + 'f'", "limit-memory"],
    ["timeoutMillis", 1, "x = 0; for (i = 0; i < 24000; i += 1) x += i;", "timeout"],
  ];
  for (const [name, value, source, category] of cases) {
    test(`${name} has its own category`, () => {
      expect(failure(source, { limits: { [name]: value } }).category).toBe(category as SelError["category"]);
    });
  }

  test("a clock enforces the timeout by wall time", () => {
    let time = 0;
    const clock = (): number => (time += 60_000);
    expect(failure("for (i = 0; i < 25000; i += 1) { j = i * i + i; }", { clock }).category).toBe("timeout");
  });

  const hungry: readonly [string, string][] = [
    ["catastrophic back references", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replaceAll('(a*)*(a*)*\\\\1b', 'x')"],
    ["nested quantifiers", "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!'.replaceAll('((a|aa)+)+$', 'x')"],
    ["empty repetitions", "'aaa'.replaceAll('(?:){2000000000}', 'x')"],
    ["long replacements", "s = 'a'; for (i = 0; i < 20; i += 1) s += s; s.replaceAll('a+', s.replace('a', '$0'))"],
    ["long patterns", "s = 'a'; for (i = 0; i < 20; i += 1) s += s; s.replaceAll(s, 'x')"],
    ["long date patterns", "s = 'y-'; for (i = 0; i < 20; i += 1) s += s; new DateTime(0).toString(s)"],
    [
      "searching long texts for ever",
      "s = 'a'; for (i = 0; i < 23; i += 1) s += s; n = 0; for (i = 0; i < 20000; i += 1) { if (s.contains('b')) n += 1; } '' + n",
    ],
    [
      "comparing long texts for ever",
      "s = 'a'; for (i = 0; i < 23; i += 1) s += s; t = s.trim(); n = 0; for (i = 0; i < 20000; i += 1) { if (s == t) n += 1; } '' + n",
    ],
    ["wide formats", "String.format('%1000000000d', 1)"],
    [
      "maps that double",
      "m = new Map(); for (i = 0; i < 60; i += 1) { Map n = new Map(); n.put('a', m); n.put('b', m); m = n; } Util.toJson(m)",
    ],
    [
      "deep maps",
      "Map m = new Map(); for (i = 0; i < 20000; i += 1) { n = new Map(); n.put('m', m); Map m = n; } return m;",
    ],
  ];
  for (const [what, source] of hungry) {
    test(`${what} end in bounded work`, () => {
      const outcome = ((): string => {
        try {
          return evaluate(source, options({ limits: { timeoutMillis: 1000 } })).type;
        } catch (error) {
          return error instanceof SelError ? error.category : String(error);
        }
      })();
      expect(["STRING", "MAP", "timeout", "limit-memory", "limit-stack", "unsupported", "argument"]).toContain(outcome);
    });
  }
});

describe("failures", () => {
  test("say where, why, and what would be right", () => {
    const source = "x = 1;\ny = x + foo.bar;";
    const error = failure(source);
    expect(error.position).toEqual({ offset: 19, line: 2, column: 13 });
    expect(formatError(source, error)).toBe(
      [
        "unsupported: NULL has no field bar (line 2, column 13)",
        "  y = x + foo.bar;",
        `  ${" ".repeat(12)}^`,
        "  the value is null: the name may be misspelt",
      ].join("\n"),
    );
  });

  test("of the parser point at the token", () => {
    const error = failure("x++;");
    expect([error.category, error.position?.column, error.hint]).toEqual(["parse", 2, "write x += 1"]);
  });

  test("count positions in the source, not in what unicode escapes stand for", () => {
    expect(failure("'\\u0041\\u0041' + ;").position?.column).toBe(18);
  });
});

describe("one evaluation", () => {
  for (const source of [
    "int c = +0; c += 1; c",
    "int c = 0; c += 1; c",
    "String s = 'a'; s += 'b'; s",
    "Integer += 1; Integer",
    "d = (0); d += 1; d",
    "m = new Map(); m.put('a', 0); int v = m.get('a'); v += 1; m.get('a')",
  ]) {
    test(`leaves nothing to the next: ${source}`, () => {
      expect(evaluate(source, options())).toEqual(evaluate(source, options()));
    });
  }
});

describe("programs", () => {
  test("are parsed once", () => {
    expect(parse("cached + 1")).toBe(parse("cached + 1"));
  });

  test("are sanitized", () => {
    expect(["  1 ", "1;", "{ 1; }", '{"a"}', ""].map(sanitize)).toEqual(["1;", "1;", "{ 1; }", '{"a"};', ""]);
  });

  test("tell the names that they reference in order", () => {
    expect(references("b + a + b + Math.max(c, 1) + params.x")).toEqual(["b", "a", "c", "params"]);
  });
});
