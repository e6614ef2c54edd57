import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { cleanUp, type MergeContext, type MergeTarget, mergeInto, mergeParam } from "../../src/param/merge.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, ParamMode, ParamSource } from "../../src/param/type.ts";

const DEFINITION: MergeContext = { source: "DEFINITION" };
const LAUNCH: MergeContext = { source: "LAUNCH" };

function merged(...layers: [ParamDefinitions, MergeContext][]): Record<string, Parameter> {
  const target: MergeTarget = new Map();
  for (const [definitions, context] of layers) mergeInto(target, definitions, context);
  return { ...cleanUp(target) };
}

const long = (value: number, more: Partial<ParamDefinition> = {}): ParamDefinition => ({
  type: "LONG",
  value,
  ...more,
});

describe("what a merge makes of a param", () => {
  test("a new one gets mode, tags and source, and loses its meta", () => {
    const { x } = merged([{ x: { ...long(1), note: "gone", source: "LAUNCH" } }, DEFINITION]);
    expect(x).toEqual({ type: "LONG", value: 1, tags: [], mode: "MUTABLE", source: "DEFINITION" });
  });

  test("an override keeps the base's validator, adds tags, takes a stricter mode", () => {
    const { x } = merged(
      [{ x: long(1, { validator: "@Min(0)", tags: [{ name: "a" }] }) }, DEFINITION],
      [{ x: long(2, { tags: [{ name: "b" }, { name: "a" }], mode: "MUTABLE_ON_START" }) }, LAUNCH],
    );
    expect(x).toEqual({
      type: "LONG",
      value: 2,
      validator: "@Min(0)",
      tags: [{ name: "a" }, { name: "b" }],
      mode: "MUTABLE_ON_START",
      source: "LAUNCH",
    });
  });

  test("the base's type wins, an expression is converted later", () => {
    const base = { t: { type: "STRING", value: "a" } } as const;
    expect(merged([base, DEFINITION], [{ t: long(7) }, LAUNCH]).t).toMatchObject({ type: "STRING", value: "7" });
    const expression = merged([base, DEFINITION], [{ t: { type: "LONG", expression: "1 + 1" } }, LAUNCH]).t;
    expect(expression).toMatchObject({ type: "STRING", expression: "1 + 1" });
    expect(expression).not.toHaveProperty("value");
  });

  test("maps merge entry by entry, entries keep their own sources and inherit the map's mode", () => {
    const base: ParamDefinitions = {
      m: {
        type: "MAP",
        mode: "MUTABLE_ON_START",
        value: { a: long(1), b: long(2), deep: { type: "MAP", value: { x: long(1) } } },
      },
      s: { type: "STRING_MAP", value: { k: "1", l: "2" } },
    };
    const change: ParamDefinitions = {
      m: { type: "MAP", value: { a: long(5), deep: { type: "MAP", value: { y: long(2) } } } },
      s: { type: "STRING_MAP", value: { l: "3", n: "4" } },
    };
    const { m, s } = merged([base, DEFINITION], [change, LAUNCH]);
    const mode = "MUTABLE_ON_START";
    expect(m?.value).toEqual({
      a: { type: "LONG", value: 5, tags: [], mode, source: "LAUNCH" },
      b: { type: "LONG", value: 2, tags: [], mode, source: "DEFINITION" },
      deep: {
        type: "MAP",
        value: {
          x: { type: "LONG", value: 1, tags: [], mode, source: "DEFINITION" },
          y: { type: "LONG", value: 2, tags: [], mode, source: "LAUNCH" },
        },
        tags: [],
        mode,
        source: "LAUNCH",
      },
    });
    expect(s?.value).toEqual({ k: "1", l: "3", n: "4" });
  });

  test("an expression replaces a literal map as a whole", () => {
    const { m } = merged(
      [{ m: { type: "MAP", value: { a: long(1) } } }, DEFINITION],
      [{ m: { type: "MAP", expression: "new Map()" } }, LAUNCH],
    );
    expect(m?.expression).toBe("new Map()");
    expect(m).not.toHaveProperty("value");
  });
});

describe("what a merge refuses", () => {
  const map: ParamDefinition = { type: "MAP", value: { a: long(1) } };
  const cases: [string, ParamDefinition, ParamDefinition, RegExp][] = [
    ["a literal map over an expression", { type: "MAP", expression: "m" }, map, /literal map into \[x\]/],
    ["a text over a map", map, { type: "STRING", value: "x" }, /type mismatch for \[x\].*\[STRING\].*\[MAP\]/],
    ["a map over a text", { type: "STRING", value: "x" }, { type: "STRING_MAP", value: {} }, /type mismatch/],
    ["a value that can't be cast", long(1), { type: "STRING", value: "a" }, /\[x\] has type \[LONG\].*\[STRING\]/],
    ["a looser mode", long(1, { mode: "MUTABLE_ON_START" }), long(2, { mode: "MUTABLE" }), /to be less strict .*\[x\]/],
    ["a source", long(1), long(2, { source: "SYSTEM" }), /Cannot modify source .*\[x\]/],
    ["an internal mode", long(1), long(2, { internal_mode: "OPTIONAL" }), /Cannot modify system mode .*\[x\]/],
    ["an IMMUTABLE param", long(1, { mode: "IMMUTABLE" }), long(2), /with mode \[IMMUTABLE\] for parameter \[x\]/],
    ["a stricter mode that nobody could change", long(1), long(2, { mode: "CONSTANT" }), /with mode \[CONSTANT\]/],
  ];
  test.each(cases)("%s", (_what, base, change, message) => {
    expect(() => merged([{ x: base }, DEFINITION], [{ x: change }, LAUNCH])).toThrow(message);
  });

  test("a new param with an internal mode of its own", () => {
    expect(() => merged([{ x: long(1, { internal_mode: "OPTIONAL" }) }, LAUNCH])).toThrow(/system mode/);
  });

  test("an entry of a map by its path", () => {
    const base = { m: { type: "MAP", value: { b: long(2, { mode: "IMMUTABLE" }) } } } as const;
    const change = { m: { type: "MAP", value: { b: long(3) } } } as const;
    expect(() => merged([base, DEFINITION], [change, LAUNCH])).toThrow(/\[m\.b\]/);
  });
});

describe("modes", () => {
  const modes: readonly ParamMode[] = [
    "MUTABLE",
    "MUTABLE_ON_START_RESTART",
    "MUTABLE_ON_START",
    "IMMUTABLE",
    "CONSTANT",
  ];
  const onStart = modes.slice(0, 3);
  const allowed: [string, MergeContext, readonly ParamMode[]][] = [
    ...(["DEFINITION", "LAUNCH", "SIGNAL", "TIME_TRIGGER", "TEMPLATE", "SUBWORKFLOW", "FOREACH", "WHILE"] as const).map(
      (source): [string, MergeContext, readonly ParamMode[]] => [source, { source }, onStart],
    ),
    ["RESTART", { source: "RESTART" }, modes.slice(0, 2)],
    ["LAUNCH in a restart", { source: "LAUNCH", restart: true }, modes.slice(0, 2)],
    ["SUBWORKFLOW in a restart", { source: "SUBWORKFLOW", upstream: true, restart: true }, modes.slice(0, 2)],
    ["OUTPUT_PARAMETER", { source: "OUTPUT_PARAMETER" }, ["MUTABLE"]],
    ["SYSTEM_DEFAULT", { source: "SYSTEM_DEFAULT" }, modes],
    ["TEMPLATE_SCHEMA", { source: "TEMPLATE_SCHEMA" }, modes],
  ];
  test.each(allowed)("%s may change", (_name, context, expected) => {
    const accepted = modes.filter((mode) => {
      const base = mergeParam("x", undefined, long(1, { mode }), DEFINITION);
      try {
        mergeParam("x", base, long(2), context);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual([...expected]);
  });

  test.each(modes)("an equal override of a %s param is no change, and names its source", (mode) => {
    const base = mergeParam("x", undefined, long(1, { mode }), DEFINITION);
    expect(mergeParam("x", base, { type: "STRING", value: "1" }, LAUNCH)).toEqual({ ...base, source: "LAUNCH" });
  });

  test("a parent's own params override even what is reserved, its users' do not", () => {
    const reserved = mergeParam("x", undefined, long(1, { internal_mode: "RESERVED" }), { source: "SYSTEM_DEFAULT" });
    const upstream: MergeContext = { source: "SUBWORKFLOW", upstream: true };
    const passed = (source: ParamSource) => mergeParam("x", reserved, long(2, { source }), upstream);
    expect(passed("SYSTEM_DEFAULT")).toMatchObject({ value: 2, mode: "CONSTANT", source: "SUBWORKFLOW" });
    expect(() => passed("DEFINITION")).toThrow(/with mode \[CONSTANT\]/);
    expect(mergeParam("x", reserved, long(1, { source: "DEFINITION" }), upstream).value).toBe(1);
  });

  test("a parent's looser mode is ignored", () => {
    const base = mergeParam("x", undefined, long(1, { mode: "MUTABLE_ON_START" }), DEFINITION);
    const change = long(2, { mode: "MUTABLE", source: "DEFINITION" });
    expect(mergeParam("x", base, change, { source: "FOREACH", upstream: true }).mode).toBe("MUTABLE_ON_START");
  });
});

describe("the end of a merge", () => {
  const system: MergeContext = { source: "SYSTEM_DEFAULT" };

  test("drops what is optional and empty, at any depth", () => {
    const optional = { internal_mode: "OPTIONAL" } as const;
    const params = merged([
      {
        gone: { type: "STRING", ...optional },
        emptied: { type: "MAP", ...optional, value: { a: { type: "STRING", ...optional } } },
        kept: { type: "MAP", value: { a: { type: "STRING", ...optional }, b: long(1, { internal_mode: "PROVIDED" }) } },
      },
      system,
    ]);
    expect(Object.keys(params)).toEqual(["kept"]);
    expect(params.kept?.value).toEqual({
      b: { type: "LONG", value: 1, tags: [], mode: "MUTABLE", source: "SYSTEM_DEFAULT" },
    });
  });

  test("demands what is required, and names it with its type", () => {
    const required = { internal_mode: "REQUIRED" } as const;
    expect(() => merged([{ x: { type: "LONG", ...required } }, system])).toThrow(
      "[x] is a required parameter (type=[LONG])",
    );
    const nested: ParamDefinitions = { m: { type: "MAP", value: { x: { type: "STRING", ...required } } } };
    expect(() => merged([nested, system])).toThrow("[m.x] is a required parameter (type=[STRING])");
    const given = merged([{ x: { type: "LONG", ...required } }, system], [{ x: long(1) }, DEFINITION]);
    expect(given.x).toEqual({ type: "LONG", value: 1, tags: [], mode: "MUTABLE", source: "DEFINITION" });
  });
});

describe("merging in general", () => {
  const names = fc.constantFrom("a", "b", "c");
  const definition = fc.record({ type: fc.constant("LONG" as const), value: fc.integer({ min: 0, max: 3 }) });
  const layer = fc.dictionary(names, definition, { maxKeys: 3 });

  test("the order of names within a layer does not matter, the last layer wins", () => {
    fc.assert(
      fc.property(layer, layer, (lower, upper) => {
        const reversed = (it: ParamDefinitions) => Object.fromEntries(Object.entries(it).reverse());
        const one = merged([lower, DEFINITION], [upper, LAUNCH]);
        expect(merged([reversed(lower), DEFINITION], [reversed(upper), LAUNCH])).toEqual(one);
        for (const [name, { value }] of Object.entries({ ...lower, ...upper })) expect(one[name]?.value).toBe(value);
      }),
    );
  });

  test("merging a layer twice is merging it once", () => {
    fc.assert(
      fc.property(layer, layer, (lower, upper) => {
        const once = merged([lower, DEFINITION], [upper, LAUNCH]);
        expect(merged([lower, DEFINITION], [upper, LAUNCH], [upper, LAUNCH])).toEqual(once);
      }),
    );
  });
});
