/** What a LONG is, and that every part of the program takes the same numbers for one. */
import { describe, expect, test } from "bun:test";
import { parseJson as parsePlugin, stringifyJson as stringifyPlugin } from "@maestro/sdk";
import { infer, inferJson, parseParam } from "../src/cli/value.ts";
import { paramDefinitionSchema } from "../src/definition/parameter.ts";
import {
  isRawNumber,
  type Json,
  jsonToLong,
  LONG_MIN,
  longToJson,
  numberToJson,
  parseJson,
  stringifyJson,
  withinLong,
} from "../src/json.ts";
import { compactParams, expandParams } from "../src/param/compact.ts";
import { evaluateCondition } from "../src/param/index.ts";
import { toJson, toSel, typeOf, untypedToSel } from "../src/param/literal.ts";
import { mergeOutputParams } from "../src/param/output.ts";
import type { ParamDefinitions, Params } from "../src/param/type.ts";
import { outputParams } from "../src/runtime/output.ts";
import { takeResult, toPlain } from "../src/runtime/result.ts";
import { evaluate } from "../src/sel/index.ts";
import { evaluateVector } from "../src/sel/vector.ts";
import { context, runStep, scope, start } from "./param/support.ts";
import { BEYOND, LONGS } from "./support/long.ts";

/** For each value by its digits: what came out. Compared as a whole, so that a failure names its values. */
const each = (values: readonly bigint[], road: (digits: string, value: bigint) => unknown): readonly string[] =>
  values.map((value) => {
    try {
      const out = road(value.toString(), value);
      return typeof out === "string" ? out : stringifyJson(out);
    } catch (error) {
      return `${value}: ${String(error)}`;
    }
  });
const digitsOf = (values: readonly bigint[]): readonly string[] => values.map(String);
const expectWhole = (road: (digits: string, value: bigint) => unknown) =>
  expect(each(LONGS, road)).toEqual([...digitsOf(LONGS)]);

const isLarge = (value: bigint): boolean => value > 2n ** 53n - 1n || value < 1n - 2n ** 53n;

describe("JSON", () => {
  test("an integer is plain exactly while it is safe, whether a double holds it or not", () => {
    const values = [...LONGS, ...BEYOND];
    expect(values.map((value) => isRawNumber(parseJson(value.toString())))).toEqual(values.map(isLarge));
    expect(values.map((value) => isRawNumber(parsePlugin(value.toString())))).toEqual(values.map(isLarge));
  });

  test("a number that needs care is kept wherever it stands, and what only looks like one in a text is no number", () => {
    for (const number of ["1.0", "-1.50", "1e3", "-2E+1", "9007199254740993", "-12345678901234567890"]) {
      for (const [before, after] of [
        ["", ""],
        ["\t\r\n ", " "],
        ["[", "]"],
        ["[ 1,\n", "\t]"],
        ['{"a":', "}"],
        ['{"a" :\t', ',"b":2}'],
      ]) {
        const text = `${before}${number}${after}`;
        expect(stringifyJson(parseJson(text))).toBe(text.replace(/\s/g, ""));
      }
    }
    const texts = ["4e3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e6f", ":1.0", ",1e3", "[12345678901234567890", '\\":1.0'];
    expect(parseJson(JSON.stringify(texts))).toEqual(texts);
  });

  test("every LONG is read, written and told from what is none", () => {
    expectWhole((digits) => parseJson(digits));
    expectWhole((digits) => stringifyPlugin(parsePlugin(digits)));
    expect(LONGS.map((value) => jsonToLong(parseJson(value.toString())))).toEqual([...LONGS]);
    expect(LONGS.map((value) => jsonToLong(longToJson(value)))).toEqual([...LONGS]);
    expect(BEYOND.map((value) => jsonToLong(parseJson(value.toString())))).toEqual(BEYOND.map(() => undefined));
    for (const text of ["1.0", "1e3", "1e17", "1e21", "1e+21", '"1"', "true", "null", "[1]"]) {
      expect([text, jsonToLong(parseJson(text))]).toEqual([text, undefined]);
    }
  });

  test("a number that a program made counts for exactly what it holds", () => {
    const exact = LONGS.filter((value) => BigInt(Number(value)) === value);
    expect(exact.map((value) => jsonToLong(Number(value)))).toEqual([...exact]);
    expect(exact.map((value) => jsonToLong(numberToJson(Number(value))))).toEqual([...exact]);
    expect([2 ** 63, 1e21, 1e300, -1e20].map((value) => stringifyJson(numberToJson(value)))).toEqual([
      "9.223372036854776e+18",
      "1e+21",
      "1e+300",
      "-1e+20",
    ]);
  });
});

const definitionOf = (type: string, json: string) =>
  paramDefinitionSchema.parse(parseJson(`{"type": "${type}", "value": ${json}}`));
const long = (digits: string) => definitionOf("LONG", digits);
const evaluated = (definitions: ParamDefinitions): Params => start(definitions).params;

describe("a definition", () => {
  test("keeps every LONG, as a number and as a text, alone, in an array and in a MAP", () => {
    expectWhole((digits) => long(digits).value);
    expectWhole((digits) => long(`"${digits}"`).value);
    const all = `[${LONGS.join()}]`;
    expect(stringifyJson(definitionOf("LONG_ARRAY", all).value)).toBe(all);
    expectWhole((digits) => {
      const { value } = definitionOf("MAP", `{"a": {"type": "LONG", "value": ${digits}}}`);
      return (value as ParamDefinitions).a?.value;
    });
  });

  test("refuses what 64 bits don't hold, and says so", () => {
    const says = each(BEYOND, (digits) => {
      const { success, error } = paramDefinitionSchema.safeParse(parseJson(`{"type": "LONG", "value": ${digits}}`));
      return success ? "taken" : (error?.issues[0]?.message ?? "");
    });
    for (const text of says) {
      expect(text).toContain("is not an integer from -9223372036854775808 to 9223372036854775807");
    }
  });
});

describe("an expression", () => {
  const value = (digits: string, source: string, definitions: ParamDefinitions = {}) =>
    evaluated({ x: long(digits), ...definitions, y: { type: "LONG", expression: source } }).y?.evaluated_result;

  test("sees, returns and reckons with every LONG", () => {
    expectWhole((digits) => value(digits, "x"));
    expectWhole((digits) => value(digits, "x + 5 - 5"));
    expectWhole((digits) => value(digits, "Long.valueOf(t)", { t: { type: "STRING", value: digits } }));
    expectWhole((digits) =>
      value(digits, "m.get('a')", { m: definitionOf("MAP", `{"a": {"type": "LONG", "value": ${digits}}}`) }),
    );
    expectWhole((digits) => value(digits, "l[0]", { l: definitionOf("LONG_ARRAY", `[${digits}]`) }));
    expectWhole(
      (digits) => evaluated({ x: long(digits), y: { type: "STRING", expression: "'' + x" } }).y?.evaluated_result,
    );
  });

  test("steps to the next one, and wraps at the end as Java does", () => {
    expect(each(LONGS, (digits) => value(digits, "x + 1"))).toEqual(
      LONGS.map((it) => String(BigInt.asIntN(64, it + 1n))),
    );
  });

  test("takes literals of every size; of the least, the digits alone are too large", () => {
    const literals = LONGS.filter((it) => it !== LONG_MIN);
    expect(each(literals, (digits) => toJson(evaluate(`${digits}L`, OPTIONS)))).toEqual(digitsOf(literals));
    expect(toJson(evaluate(`${LONG_MIN + 1n} - 1`, OPTIONS))).toEqual(longToJson(LONG_MIN));
  });

  test("of a batch takes the same numbers, and refuses others", () => {
    const typed = (digits: string) => evaluateVector({ id: 1, expr: "x", vars: { x: parseJson(digits) } });
    expectWhole((digits) => (typed(digits).typed as { v: string }).v);
    for (const it of BEYOND) expect(String(typed(it.toString()).message)).toContain("integer of more than 64 bits");
  });

  test("of a stored LONG that is none fails, instead of being 0", () => {
    expect(() => toSel("LONG", 1.5)).toThrow("[1.5] is no LONG, an integer of 64 bits");
    expect(() => toSel("LONG_ARRAY", [1, "2"])).toThrow('["2"] is no LONG');
    expect(toSel("DOUBLE", "Infinity")).toEqual({ type: "DOUBLE", value: Number.POSITIVE_INFINITY });
  });
});

const OPTIONS = { variables: () => undefined, now: 0, seed: 0 };

test("interpolated text has every digit", () => {
  expectWhole(
    (digits) => evaluated({ x: long(digits), t: { type: "STRING", value: "$" + "{x}" } }).t?.evaluated_result,
  );
  const all = `[${LONGS.join()}]`;
  expect(
    evaluated({ x: definitionOf("LONG_ARRAY", all), t: { type: "STRING", value: "$x" } }).t?.evaluated_result,
  ).toBe(all);
});

test("a condition tells every LONG from its neighbour", () => {
  const holds = (digits: string, condition: string) => {
    const workflow = start({ x: long(digits), t: { type: "STRING", value: digits } });
    return evaluateCondition(condition, scope(workflow), context());
  };
  expect(LONGS.filter((it) => !holds(it.toString(), "x == Long.valueOf(t)"))).toEqual([]);
  expect(LONGS.filter((it) => holds(it.toString(), "x == Long.valueOf(t) + 1"))).toEqual([]);
});

test("a run param overrides a LONG, as a number and as a text", () => {
  const run = (type: string, json: string) =>
    start({ x: { type: "LONG", value: 1 } }, { runParams: { x: definitionOf(type, json) } }).params.x?.evaluated_result;
  expectWhole((digits) => run("LONG", digits));
  expectWhole((digits) => run("STRING", `"${digits}"`));
});

test("stored params come back with every digit and as the same type", () => {
  expectWhole((digits) => {
    const map = definitionOf("MAP", `{"a": {"type": "LONG", "value": ${digits}}}`);
    const run = start({ x: long(digits), m: map, y: { type: "LONG", expression: "x" } });
    const back = expandParams(parseJson(stringifyJson(compactParams(run))) as never);
    expect(back).toEqual(run);
    return back.params.y?.evaluated_result;
  });
});

describe("a plugin", () => {
  const DECLARED = { x: { type: "LONG", value: 0 } } as const;
  const merged = (output: Params): Json | undefined => {
    const step = runStep({ ...DECLARED, m: { type: "MAP", value: {} } }, scope(start({})));
    return mergeOutputParams(step, output, 0).params.x?.evaluated_result;
  };
  const type = { type: "t" } as never;

  test("puts out every LONG: read from JSON, as a bigint, as a number, declared", () => {
    expectWhole((digits) => merged(outputParams({ x: parsePlugin(digits) }, {})));
    expectWhole((_, it) => merged(outputParams({ x: it }, {})));
    expectWhole((digits) => merged(outputParams({}, { x: parseJson(`{"type": "LONG", "value": ${digits}}`) })));
    expectWhole((digits) => merged(outputParams({}, { x: parseJson(`{"type": "long", "value": "${digits}"}`) })));
    const exact = LONGS.filter((it) => BigInt(Number(it)) === it);
    expect(each(exact, (_, it) => merged(outputParams({ x: Number(it) }, {})))).toEqual(digitsOf(exact));
  });

  test("puts them out in MAPs, arrays and artifacts", () => {
    const all = Object.fromEntries(LONGS.map((it) => [`k${it}`, it]));
    const text = `{${LONGS.map((it) => `"k${it}":${it}`).join()}}`;
    expect(stringifyJson(outputParams({ m: all }, {}).m?.evaluated_result)).toBe(text);
    expect(stringifyJson(outputParams({ l: LONGS }, {}).l)).toBe(
      `{"type":"LONG_ARRAY","value":[${LONGS.join()}],"evaluated_result":[${LONGS.join()}]}`,
    );
    const { artifacts } = takeResult(type, { state: "CONTINUE", artifacts: { a: all } }, 0);
    expect(stringifyJson(artifacts?.a)).toBe(text);
    expect(stringifyJson(takeResult(type, { state: "CONTINUE", artifacts: { a: { n: 2 ** 62 } } }, 0).artifacts)).toBe(
      '{"a":{"n":4611686018427387904}}',
    );
  });

  test("is told of an integer beyond 64 bits, unless a program reckoned it as a double", () => {
    const says = each(BEYOND, (digits) => outputParams({ x: parseJson(digits) }, {}));
    for (const text of says) expect(text).toContain("Output [x] is an integer of more than 64 bits");
    expect(outputParams({ x: 1e300 }, {}).x?.type).toBe("DOUBLE");
    expect(outputParams({ x: 2 ** 63 }, {}).x?.type).toBe("DOUBLE");
  });

  test("can't declare a type that the value does not have", () => {
    const declared = (output: Json) => () => outputParams({}, { x: output });
    expect(declared({ type: "LONG", value: "many" })).toThrow(
      'Output [x] is declared LONG: "many" is not an integer from -9223372036854775808 to 9223372036854775807',
    );
    expect(declared({ type: "BOOLEAN", value: "yes" })).toThrow("Output [x] is declared BOOLEAN: ");
    expect(declared({ type: "MAP", value: 1 })).toThrow("Output [x] is declared MAP: ");
  });

  test("gets a bigint for every integer that is not safe", () => {
    const got = LONGS.map((it) => toPlain(parseJson(it.toString())));
    expect(got).toEqual(LONGS.map((it) => (isLarge(it) ? it : Number(it))));
  });
});

describe("the command line", () => {
  test("takes every LONG for one", () => {
    const text = (param: { readonly type: string; readonly value: Json }) =>
      param.type === "LONG" ? stringifyJson(param.value) : param.type;
    expectWhole((digits) => text(infer(digits)));
    expectWhole((digits) => text(parseParam(`x=${digits}`)[1]));
    expectWhole((digits) => text(parseParam(`x:LONG=${digits}`)[1]));
    expectWhole((digits) => text(inferJson(parseJson(digits))));
    expect(infer(`[${LONGS.join()}]`).type).toBe("LONG_ARRAY");
  });

  test("says of an integer in JSON that it has more than 64 bits, and keeps the text of one alone", () => {
    for (const it of BEYOND) {
      expect(() => parseParam(`x=[${it}]`)).toThrow(`${it} is an integer of more than 64 bits; write it as a text`);
      expect(infer(it.toString())).toEqual({ type: "STRING", value: it.toString() });
    }
  });
});

test("members of a result without a declared type are LONGs", () => {
  expect(LONGS.filter((it) => typeOf(parseJson(it.toString())) !== "LONG")).toEqual([]);
  expectWhole((digits) => toJson(untypedToSel(parseJson(digits))));
  expect(BEYOND.filter((it) => withinLong(it) !== undefined)).toEqual([]);
});
