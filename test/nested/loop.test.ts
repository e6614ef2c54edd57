import { describe, expect, test } from "bun:test";
import { literalOf, loopParams, Product } from "../../src/nested/loop.ts";
import type { ParamDefinitions, Params } from "../../src/param/type.ts";

const NO_LIMIT = 1_000;

function params(value: ParamDefinitions, results: Record<string, unknown>): Params {
  return { loop_params: { type: "MAP", value, evaluated_result: results, evaluated_time: 1 } } as unknown as Params;
}

const array = (type: "LONG_ARRAY" | "STRING_ARRAY", value: unknown) => ({ type, value }) as ParamDefinitions[string];
const TWO = params(
  { i: array("LONG_ARRAY", [1, 2, 3]), s: array("STRING_ARRAY", ["a", "b"]) },
  { i: [1, 2, 3], s: ["a", "b"] },
);

describe("the iterations of a foreach", () => {
  test("are all combinations, once each; the param that is written first varies fastest", () => {
    const product = new Product(TWO, NO_LIMIT);
    const all = Array.from({ length: product.total }, (_, index) => product.at(index).map(({ result }) => result));
    expect(all).toEqual([
      [1, "a"],
      [2, "a"],
      [3, "a"],
      [1, "b"],
      [2, "b"],
      [3, "b"],
    ]);
    expect(product.at(4)).toEqual([
      { name: "i", type: "LONG", result: 2 },
      { name: "s", type: "STRING", result: "b" },
    ]);
  });

  test("are none when one of the arrays is empty", () => {
    const value = { i: array("LONG_ARRAY", [1, 2]), s: array("STRING_ARRAY", []) };
    expect(new Product(params(value, { i: [1, 2], s: [] }), NO_LIMIT).total).toBe(0);
  });

  test("are refused beyond the limit, and at it not", () => {
    expect(new Product(TWO, 6).total).toBe(6);
    expect(() => new Product(TWO, 5)).toThrow("loop_params make 6 iterations; at most 5 are possible");
  });

  test("go over arrays only", () => {
    expect(() => new Product(params({ n: { type: "LONG", value: 1 } }, { n: 1 }), NO_LIMIT)).toThrow(
      "loop_params.n is a LONG; a foreach goes over arrays of STRING, LONG, DOUBLE or BOOLEAN",
    );
  });
});

describe("loop params", () => {
  test("must be a map", () => {
    expect(() => loopParams({})).toThrow("Param [loop_params] must be a MAP");
  });

  test("have the type that is declared, else that of their value", () => {
    expect(loopParams(params({ d: { type: "DOUBLE", value: 1 } }, { d: 1, t: "x" }))).toEqual([
      { name: "d", type: "DOUBLE", result: 1 },
      { name: "t", type: "STRING", result: "x" },
    ]);
  });

  test("may have any name", () => {
    expect(loopParams(params({}, JSON.parse('{"constructor":[1],"toString":"x"}'))).map(({ type }) => type)).toEqual([
      "LONG_ARRAY",
      "STRING",
    ]);
  });

  test("go on as literals", () => {
    expect(literalOf("LONG", 3)).toMatchObject({ type: "LONG", value: 3 });
  });
});
