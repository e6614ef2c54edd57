import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  BudgetExceeded,
  type EvaluateOptions,
  evaluate,
  javaDoubleText,
  SelError,
  type SelValue,
} from "../../src/sel/index.ts";
import { parseDouble } from "../../src/sel/number.ts";
import { parseTree } from "../../src/sel/parser.ts";
import { programs } from "./generate.ts";
import { printTree, shape } from "./print.ts";
import { vectors } from "./vectors.ts";

const OPTIONS: EvaluateOptions = { variables: () => undefined, now: 1_700_000_000_000, seed: 7 };
const TIGHT = { loop: 50, array: 50, visit: 20_000, memory: 200_000, timeoutMillis: 50 };

function parsed(source: string): ReturnType<typeof parseTree> | undefined {
  try {
    return parseTree(source);
  } catch {
    return undefined;
  }
}

function run(source: string, variables: Record<string, SelValue> = {}): SelValue {
  return evaluate(source, {
    ...OPTIONS,
    variables: (name) => (Object.hasOwn(variables, name) ? variables[name] : undefined),
  });
}

describe("print and parse again", () => {
  test("recorded programs keep their tree", async () => {
    let count = 0;
    for (const { expr } of await vectors("language")) {
      const tree = parsed(`${String(expr)};`) ?? parsed(String(expr));
      if (tree === undefined) continue;
      count++;
      expect(shape(parseTree(printTree(tree)))).toEqual(shape(tree));
    }
    expect(count).toBeGreaterThan(1900);
  });

  test("random programs keep their tree", () => {
    fc.assert(
      fc.property(programs, (source) => {
        const tree = parsed(source);
        fc.pre(tree !== undefined);
        expect(shape(parseTree(printTree(tree)))).toEqual(shape(tree));
      }),
      { numRuns: 300 },
    );
  });
});

describe("random programs", () => {
  test("end with a value or a SelError, within their limits, and twice the same way", () => {
    const outcome = (source: string): unknown => {
      try {
        return evaluate(source, { ...OPTIONS, limits: TIGHT });
      } catch (error) {
        expect(error).toBeInstanceOf(SelError);
        expect((error as SelError).category).not.toBe("fatal");
        return [(error as SelError).category, (error as SelError).message];
      }
    };
    fc.assert(
      fc.property(programs, (source) => {
        expect(outcome(source)).toEqual(outcome(source));
      }),
      { numRuns: 1500 },
    );
  });

  test("stop within their budget", () => {
    fc.assert(
      fc.property(programs, fc.integer({ min: 1, max: 200 }), (source, visits) => {
        try {
          evaluate(source, { ...OPTIONS, limits: TIGHT, budget: { visits } });
        } catch (error) {
          expect(error instanceof SelError || error instanceof BudgetExceeded).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

const edge = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(
    0n,
    1n,
    -1n,
    2n ** 53n,
    2n ** 53n - 1n,
    -(2n ** 53n),
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 31n,
    -(2n ** 31n) - 1n,
  ),
  fc.bigInt({ min: -100n, max: 100n }),
);

describe("whole numbers", () => {
  test("are 64-bit two's complement, as BigInt computes it", () => {
    fc.assert(
      fc.property(edge, edge, fc.constantFrom("+", "-", "*", "/", "%"), (x, y, operator) => {
        const variables: Record<string, SelValue> = { x: { type: "LONG", value: x }, y: { type: "LONG", value: y } };
        if (y === 0n && (operator === "/" || operator === "%")) {
          expect(() => run(`x ${operator} y`, variables)).toThrow("zero");
          return;
        }
        const exact = { "+": x + y, "-": x - y, "*": x * y, "/": y && x / y, "%": y && x % y }[operator];
        const wanted: SelValue = { type: "LONG", value: BigInt.asIntN(64, exact) };
        expect(run(`x ${operator} y`, variables)).toEqual(wanted);
        expect(run(`x ${operator}= y; x`, variables)).toEqual(wanted);
      }),
      { numRuns: 1000 },
    );
  });

  test("compare as integers", () => {
    fc.assert(
      fc.property(edge, edge, (x, y) => {
        const variables: Record<string, SelValue> = { x: { type: "LONG", value: x }, y: { type: "LONG", value: y } };
        const verdicts = [x < y, x <= y, x > y, x >= y, x === y, x !== y];
        const got = ["<", "<=", ">", ">=", "==", "!="].map(
          (operator) => run(`x ${operator} y`, variables).type === "BOOLEAN" && run(`x ${operator} y`, variables),
        );
        expect(got).toEqual(verdicts.map((value) => ({ type: "BOOLEAN", value })));
      }),
      { numRuns: 200 },
    );
  });
});

describe("the text of doubles", () => {
  test("reads back as the same number", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (x) => {
        expect(Object.is(parseDouble(javaDoubleText(x)), x)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

describe("regular expressions", () => {
  const atom = fc.constantFrom(
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    "\\\\d",
    "(a|b)",
    "(?:ab)",
    "a?",
    "b*",
    "(a*)",
    "a+?",
    "(?=b)",
    "(?!a)",
    "a{1,2}",
  );
  const pattern = fc
    .array(fc.oneof(atom, atom, fc.constantFrom("|", "(a|ab)*", "(b+)+", "^", "$")), { minLength: 1, maxLength: 6 })
    .map((p) => p.join(""));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "1", "c"), maxLength: 12 });

  /** The matches, by the host's engine: the same syntax and the same rules on this subset. */
  function hostReplace(subject: string, source: string): string {
    return subject.replaceAll(new RegExp(source.replaceAll("\\\\", "\\"), "gu"), (all) => `<${all}>`);
  }

  test("match what the host's engine matches", () => {
    fc.assert(
      fc.property(pattern, text, (source, subject) => {
        fc.pre(!/^[*+?{]|\|[*+?{]|[\^$|][*+?{]/.test(source));
        expect(run(`'${subject}'.replaceAll('${source}', '<$0>')`)).toEqual({
          type: "STRING",
          value: hostReplace(subject, source),
        });
      }),
      { numRuns: 1500 },
    );
  });
});
