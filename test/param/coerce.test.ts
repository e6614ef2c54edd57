import { describe, expect, test } from "bun:test";
import { stringifyJson } from "../../src/json.ts";
import { castLiteral, coerceResult } from "../../src/param/coerce.ts";
import type { ParamLiteral, ParamType } from "../../src/param/type.ts";
import { evaluate } from "../../src/sel/index.ts";
import vectors from "./coercion-vectors.json";
import { NOW } from "./support.ts";

interface Vector {
  readonly id: string;
  readonly expr: string;
  readonly paramType: ParamType;
  readonly json?: string;
  readonly meta?: Readonly<Record<string, string>>;
  readonly error?: string;
  readonly javaException?: string;
}

describe("coercion of results", () => {
  test.each((vectors as unknown as Vector[]).map((vector) => [vector.id, vector] as const))(
    "vector %s",
    (_id, vector) => {
      const run = () =>
        coerceResult("p", vector.paramType, evaluate(vector.expr, { variables: () => undefined, now: NOW, seed: 1 }));
      if (vector.error !== undefined) return expect(run).toThrow();
      const { result, ...notes } = run();
      expect(stringifyJson(result)).toBe(vector.json as string);
      expect(Object.keys(notes)).toEqual(Object.keys(vector.meta ?? {}));
    },
  );

  test("the vectors are all here", () => expect(vectors).toHaveLength(390));

  test("failures have upstream's classes", () => {
    const failed = (vectors as unknown as Vector[]).filter((vector) => vector.error === "coercion");
    for (const { expr, paramType, javaException = "", id } of failed) {
      let code = "";
      try {
        coerceResult("p", paramType, evaluate(expr, { variables: () => undefined, now: NOW, seed: 1 }));
      } catch (error) {
        code = (error as { code: string }).code;
      }
      const internal = /MaestroInternalError|ClassCastException/.test(javaException);
      expect([id, code]).toEqual([id, internal ? "INTERNAL_ERROR" : "BAD_REQUEST"]);
    }
  });
});

describe("casts of literals when merging", () => {
  const cases: [ParamType, ParamType, ParamLiteral, ParamLiteral | undefined][] = [
    ["LONG", "STRING", 7, "7"],
    ["DOUBLE", "STRING", 1.5, "1.5"],
    ["BOOLEAN", "STRING", true, "true"],
    ["STRING", "LONG", "12", 12],
    ["STRING", "LONG", "1.5", undefined],
    ["DOUBLE", "LONG", 1.5, undefined],
    ["LONG", "DOUBLE", 3, 3],
    ["STRING", "DOUBLE", "1.5", 1.5],
    ["STRING", "DOUBLE", "NaN", undefined],
    ["STRING", "BOOLEAN", "TRUE", true],
    ["STRING", "BOOLEAN", "yes", undefined],
    ["LONG", "BOOLEAN", 1, undefined],
    ["LONG_ARRAY", "STRING_ARRAY", [1, 2], ["1", "2"]],
    ["LONG_ARRAY", "DOUBLE_ARRAY", [1, 2], [1, 2]],
    ["STRING_ARRAY", "LONG_ARRAY", ["1"], undefined],
    ["STRING_ARRAY", "STRING", ["1"], undefined],
    ["STRING", "STRING_ARRAY", "a", undefined],
  ];
  test.each(cases)("%s → %s of %p", (from, to, value, expected) => {
    if (expected !== undefined) return expect(castLiteral("x", from, to, value)).toEqual(expected);
    expect(() => castLiteral("x", from, to, value)).toThrow(new RegExp(`\\[${to}\\].*\\[${from}\\]`));
  });
});
