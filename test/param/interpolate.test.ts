// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in text are the subject
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type Json, parseJson, rawNumber, stringifyJson } from "../../src/json.ts";
import { Evaluation } from "../../src/param/evaluate.ts";
import { escapeText, interpolate, textReferences } from "../../src/param/interpolate.ts";
import { toText } from "../../src/param/literal.ts";
import type { Parameter, ParamLiteral, ParamType } from "../../src/param/type.ts";
import vectors from "./interpolation-vectors.json";
import { context, NOW, start } from "./support.ts";

interface Vector {
  readonly id: string;
  readonly template: unknown;
  readonly params: Readonly<Record<string, { type: ParamType; value?: unknown; unevaluated?: boolean }>>;
  readonly refs: readonly string[];
  readonly expect?: unknown;
  readonly error?: string;
}

/** Vectors tag what plain JSON can't say. */
function untag(value: unknown): Json {
  if (typeof value !== "object" || value === null) return value as Json;
  if (Array.isArray(value)) return value.map(untag);
  const { $type, value: tagged } = value as { $type?: string; value?: unknown };
  if ($type === undefined) return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, untag(entry)]));
  if ($type === "LONG" || $type === "DOUBLE") return rawNumber(String(tagged));
  if ($type === "DOUBLE_ARRAY") return (tagged as string[]).map(rawNumber);
  return untag(tagged);
}

const known = (type: ParamType, result: Json): Parameter => ({ type, evaluated_result: result, evaluated_time: NOW });

function typeOfTemplate(template: unknown): ParamType {
  if (typeof template === "string") return "STRING";
  return Array.isArray(template) ? "STRING_ARRAY" : "STRING_MAP";
}

/** The template as a param beside the vector's params. */
function apply({ template, params }: Vector): unknown {
  const others = Object.entries(params).map(([name, { type, value, unevaluated }]) => {
    return [name, unevaluated ? { type } : known(type, untag(value))] as const;
  });
  const param: Parameter = { type: typeOfTemplate(template), value: template as ParamLiteral };
  const all = { ...Object.fromEntries(others), "the template": param };
  return new Evaluation(all, { kind: "workflow" }, context()).all()["the template"]?.evaluated_result;
}

describe("interpolation", () => {
  test.each((vectors as Vector[]).map((vector) => [vector.id, vector] as const))("vector %s", (_id, vector) => {
    if (vector.error !== undefined) expect(() => apply(vector)).toThrow();
    else expect(apply(vector)).toEqual(vector.expect);
  });

  test("the vectors are all here", () => expect(vectors).toHaveLength(108));

  test("names what a text would insert", () => {
    for (const { template, refs, id } of vectors as Vector[]) {
      // Upstream also counts references behind an even run of four or more dollars, which insert nothing.
      if (typeof template !== "string" || template.includes("$$$$")) continue;
      expect([id, [...textReferences(template)].sort()]).toEqual([id, [...refs].sort()]);
    }
  });

  test("escaped data comes back as it was, and mentions nothing", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("$", "{", "}", "a", "b", "1", " ", "é") }), (data) => {
        const template = escapeText(data);
        expect(interpolate(template, () => "BAD")).toBe(data);
        expect(textReferences(template)).toEqual([]);
      }),
    );
  });
});

describe("evaluated text", () => {
  test("is data: what it inserts is not scanned again, by nobody", () => {
    const run = start({
      a: { type: "STRING", value: "$$b ${c}" },
      b: { type: "STRING", value: "x" },
      c: { type: "STRING", value: "$${b}" },
    });
    expect(run.params.a?.evaluated_result).toBe("$b ${b}");
    const child = start({}, { inherited: run, source: "SUBWORKFLOW" });
    expect(child.params.a?.evaluated_result).toBe("$b ${b}");
  });

  test("doubles print as Java prints them, through storage too", () => {
    const value = parseJson(stringifyJson({ d: rawNumber("3.0"), e: rawNumber("1.0E20"), l: 3 }));
    expect(toText("MAP", value)).toBe('{"d":3.0,"e":1.0E20,"l":3}');
  });
});
