/** The reader of definition files: values, places and refusals, of JSON and of YAML. */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";
import fc from "fast-check";
import { stringify } from "yaml";
import { partsOf, pathOf } from "../../src/definition/finding.ts";
import { workflowCreateRequestSchema } from "../../src/definition/metadata.ts";
import { type Reading, readJsonText, readYamlText, TextError } from "../../src/definition/text/read.ts";
import { isJsonObject, type Json, parseJson, stringifyJson } from "../../src/json.ts";
import { LONGS } from "../support/long.ts";

const readDefinition = (text: string): Reading => readYamlText(text, workflowCreateRequestSchema);

/** `line:column: path: message` of each problem. */
function refusal(read: () => Reading): readonly string[] {
  try {
    const { value } = read();
    return [`was accepted as ${stringifyJson(value)}`];
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    return error.problems.map(
      ({ span, path, message }) => `${span.line}:${span.column}: ${path === undefined ? "" : `${path}: `}${message}`,
    );
  }
}

/** What the span underlines. */
function textAt(text: string, { spanOf }: Reading, path: string, byKey = false): string {
  const { line, column, length } = spanOf(partsOf(path) ?? [], byKey);
  return (text.split("\n")[line - 1] ?? "").slice(column - 1, column - 1 + length);
}

/** Every text, number, boolean and null, with what leads to it. */
function* scalarsIn(value: Json, path: readonly (string | number)[] = []): Generator<readonly [typeof path, Json]> {
  if (Array.isArray(value)) for (const [index, item] of value.entries()) yield* scalarsIn(item, [...path, index]);
  else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* scalarsIn(item, [...path, key]);
  } else if (path.length > 0) yield [path, value];
}

test("a path is read in its parts, and joined again", () => {
  const path = 'workflow.steps[10].params["a \\"b.c"].value';
  const parts = ["workflow", "steps", 10, "params", 'a "b.c', "value"];
  expect([partsOf(path), pathOf(parts)]).toEqual([parts, path]);
  expect([partsOf(""), partsOf("no path at all"), partsOf("a..b")]).toEqual([[], undefined, undefined]);
});

describe("JSON", () => {
  test.each([
    ['{"a": 1,\n "b": ]}', "2:7: expected a value"],
    ['{"a": 1,}', '1:8: no "," may stand before "}"'],
    ["[1, 2,]", '1:6: no "," may stand before "]"'],
    ['{"a": 1\n "b": 2}', '2:2: expected "," or "}"'],
    ['{"a": "x" "b": 2}', '1:11: expected "," or "}"'],
    ["[1 2]", '1:4: expected "," or "]"'],
    ["[,1]", "1:2: expected a value"],
    ['{"a" 1}', '1:6: expected ":" after the key "a"'],
    ["{a: 1}", '1:2: expected a key in double quotes, such as "id"'],
    ["{'a': 1}", '1:2: expected a key in double quotes, such as "id"'],
    ['{"a": "x\ny"}', "1:7: a string must end with a double quote on its line; a line break in it is written \\n"],
    ['{"a": "\\x"}', '1:8: an unknown escape; JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000'],
    ['{"a": 1} x', "1:10: nothing may follow the end of the document"],
    ['{"a": 1}}', "1:9: nothing may follow the end of the document"],
    ['{"a": 01}', '1:8: expected "," or "}"'],
    ['{"a": yes}', "1:7: expected a value"],
    ['{"a": 1, # no\n "b": 2}', "1:10: JSON has no comments"],
    ['{"a":', "1:6: expected a value, found the end of the file"],
    ["{", '1:2: expected a key in double quotes, such as "id", found the end of the file'],
    ["a: 1", "1:1: expected a value"],
    ["[".repeat(1000), "1:301: nested deeper than 300 levels"],
  ])("%j is refused where it stops being JSON", (text, expected) => {
    expect(refusal(() => readJsonText(text))).toEqual([expected]);
  });

  test("is what JSON.parse takes: whatever is broken in a text, both refuse it", () => {
    const pieces = fc.constantFrom(..."{}[],:\"'#-01.e \n\\", '"a"', "true", "null", "1.5", "// c", "\t", "a");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        let isJson = true;
        try {
          JSON.parse(text);
        } catch {
          isJson = false;
        }
        let isRead = true;
        try {
          readJsonText(text);
        } catch (error) {
          if (!(error instanceof TextError)) throw error;
          isRead = false;
        }
        const hasTwice =
          isJson && !isRead && refusal(() => readJsonText(text)).every((it) => /stands in line/.test(it));
        expect([text, isRead || hasTwice]).toEqual([text, isJson]);
      }),
      { numRuns: 3000 },
    );
  });

  test("each value is found where it stands", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom(undefined, 1, "\t"), (json, indent) => {
        const text = stringifyJson(parseJson(json), indent as number);
        for (const reading of [readJsonText(text), readYamlText(text)]) {
          for (const [path, value] of scalarsIn(parseJson(text))) {
            const { line, column, length } = reading.spanOf(path);
            const found = (text.split("\n")[line - 1] ?? "").slice(column - 1, column - 1 + length);
            expect([path, parseJson(found)]).toEqual([path, value]);
          }
        }
      }),
    );
  });

  test("a place is found when it is asked for: values by themselves, objects and lists by their key", () => {
    const text = '{\n  "workflow": {"id": "x", "a.b": {"c \\"d": [1, true]}, "steps": []}\n}';
    const reading = readJsonText(text);
    expect(reading.spanOf(["workflow", "id"])).toEqual({ line: 2, column: 22, length: 3 });
    expect(
      ["workflow.id", 'workflow["a.b"]["c \\"d"][1]', 'workflow["a.b"]', "workflow.steps[4].x", "nothing"].map((path) =>
        textAt(text, reading, path),
      ),
    ).toEqual(['"x"', "true", '"a.b"', '"steps"', "{"]);
    expect(textAt(text, reading, "workflow.id", true)).toBe('"id"');
    expect(readJsonText("\n  [7]").spanOf([])).toEqual({ line: 2, column: 3, length: 1 });
  });
});

describe("a key that stands twice is refused, both places named", () => {
  const text = '{"a": {"b": 1, "c": 2,\n"b": 3}, "a": 1}';
  const expected = [
    "2:1: a.b: this key stands in line 1, column 8 too; keep one of them",
    "2:10: a: this key stands in line 1, column 2 too; keep one of them",
  ];
  test("in JSON", () => expect(refusal(() => readJsonText(text))).toEqual(expected));
  test("in YAML", () => expect(refusal(() => readYamlText(text))).toEqual(expected));
  test("written in another way", () => {
    expect(refusal(() => readJsonText('{"a": 1, "\\u0061": 2}'))).toEqual([
      "1:10: a: this key stands in line 1, column 2 too; keep one of them",
    ]);
    expect(refusal(() => readYamlText("a: 1\n'a': 2"))).toHaveLength(1);
    expect(refusal(() => readYamlText("1.10: 1\n1.1: 2"))).toEqual(['was accepted as {"1.10":1,"1.1":2}']);
  });
  test("in a hundred places at most", () => {
    expect(refusal(() => readYamlText("a: 1\n".repeat(1000)))).toHaveLength(100);
  });
  test("but not when a list, a text or a number merely looks like it", () => {
    const fine = '{"a:": "b:,\\"a\\":", "a": [{"a": 1.0}, {"a": 12345678901234567890}], "__proto__": {"a": {}}}';
    expect(stringifyJson(readJsonText(fine).value)).toBe(stringifyJson(JSON.parse(fine, undefined) && parseJson(fine)));
  });
});

describe("YAML", () => {
  const json = fc.json({ maxDepth: 4, noUnicodeString: false });

  test("of a JSON text is the value that JSON has", () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2, "\t"), (text, indent) => {
        const written = stringifyJson(JSON.parse(text), indent as number);
        fc.pre(!/(?<![\d.e])-0(?![\d.])/.test(written));
        expect(stringifyJson(readYamlText(written).value)).toBe(stringifyJson(parseJson(written)));
      }),
      { numRuns: 300 },
    );
  });

  test("keeps each LONG and each decimal, as JSON does", () => {
    const numbers = [...LONGS.map(String), "1.0", "1.10", "-0.5e-7", "1e3", "1E400", "18446744073709551616"];
    const text = `[${numbers.join(", ")}]`;
    expect(stringifyJson(readYamlText(text).value)).toBe(stringifyJson(parseJson(text)));
    expect(stringifyJson(readYamlText(numbers.map((it) => `- ${it}\n`).join("")).value)).toBe(`[${numbers.join()}]`);
  });

  test("has numbers that JSON writes in another way", () => {
    const text = "[0x10, 0o17, 007, -007, +5, .5, 5., -.5e3, 007.50, 0xffffffffffffffff]";
    expect(stringifyJson(readYamlText(text).value)).toBe("[16,15,7,-7,5,0.5,5.0,-0.5e3,7.50,18446744073709551615]");
    expect(refusal(() => readYamlText("a: .inf\nb: .NaN"))).toEqual([
      "1:4: a: .inf is not a number that JSON can hold",
      "2:4: b: .NaN is not a number that JSON can hold",
    ]);
  });

  test("is the core schema of 1.2, whatever the file says", () => {
    const text = "%YAML 1.1\n---\n{a: yes, b: 0777, c: 2026-01-01, d: 1_000, e: ~, f: True}";
    expect(readYamlText(text).value).toEqual({ a: "yes", b: 777, c: "2026-01-01", d: "1_000", e: null, f: true });
  });

  test("keys are texts", () => {
    expect(readYamlText("1.10: a\ntrue: b\n'': c\n__proto__: d").value).toEqual(
      JSON.parse('{"1.10": "a", "true": "b", "": "c", "__proto__": "d"}'),
    );
    expect(refusal(() => readYamlText("? [a]\n: b"))).toEqual([
      "1:3: a key must be a text, and in quotes when it is empty",
    ]);
  });

  test("<< brings the members of other mappings, which the mapping's own win over", () => {
    const text = "a: &a {p: 1, q: 2}\nb: &b {q: 3, r: 4}\nc:\n  r: 5\n  <<: [*a, *b]\nd: {<<: *a, p: 6}";
    const reading = readYamlText(text);
    expect(reading.value).toMatchObject({ c: { r: 5, p: 1, q: 2 }, d: { p: 6, q: 2 } });
    expect([textAt(text, reading, "c.q"), reading.spanOf(["c", "q"]).line]).toEqual(["2", 1]);
    expect(readYamlText('{"<<": 1}').value).toEqual({ "<<": 1 });
    expect(refusal(() => readYamlText("<<: 1"))[0]).toStartWith('1:1: ["<<"]: merges a mapping');
  });

  test("an alias stands for its anchor; without one, or inside it, it is refused once", () => {
    expect(readYamlText("a: &x [1]\nb: *x\n&k k: *x").value).toEqual({ a: [1], b: [1], k: [1] });
    expect(refusal(() => readYamlText("a: *x"))).toEqual(["1:4: a: there is no anchor &x before this alias"]);
    for (const text of ["a: &x [*x]", "a: &x [*x, [*x], *x]", "a: &x\n  b: {c: *x}", "a: &x\n  <<: *x"]) {
      expect(refusal(() => readYamlText(text))).toEqual([expect.stringContaining("stands inside its own anchor &x")]);
    }
  });

  test("aliases that multiply are bounded", () => {
    const lists = Array.from({ length: 20 }, (_, it) => `a${it + 1}: &a${it + 1} [${Array(10).fill(`*a${it}`)}]`);
    const merges = Array.from({ length: 2_000 }, (_, it) => `a${it + 1}: &a${it + 1} {<<: *a${it}, k${it}: 1}`);
    for (const bomb of [lists, merges]) {
      expect(
        refusal(() =>
          readYamlText(["a0: &a0 [x]", ...bomb].join("\n").replace("[x]", bomb === merges ? "{x: 1}" : "[x]")),
        ),
      ).toEqual([expect.stringContaining("the aliases of the file stand for more than 100000 values")]);
    }
  });

  test.each([
    ["a: 1\n---\nb: 2", "3:1: a second document begins here; give each definition a file of its own"],
    ["a: !foo 1", '1:4: Unresolved tag: !foo; a text that begins with "!" stands in quotes'],
    ["a:\n  b: 1\n c: 2", "3:1: not YAML: All mapping items must start at the same column"],
    ["x: @daily", "1:4: not YAML: Plain value cannot start with reserved character @"],
    ["a: 'x", "1:6: not YAML: Missing closing 'quote"],
    ["a: {b: 1", expect.stringMatching(/^1:9: not YAML: Flow map .* must .* end with a }$/)],
  ])("%j is refused at its place", (text, expected) => {
    expect(refusal(() => readYamlText(text))).toEqual([expected]);
  });

  test("nesting is bounded, in every style", () => {
    for (const depth of [301, 3000, 30_000]) {
      for (const text of ["[".repeat(depth) + "]".repeat(depth), `${"- ".repeat(depth)}1`]) {
        expect(refusal(() => readYamlText(text))[0]).toEndWith("nested deeper than 300 levels");
      }
    }
  });

  test("its length is bounded", () => {
    const long = "a: 1\n# ".padEnd(2 * 1024 * 1024 + 1, "x");
    expect(readYamlText(long.slice(0, -1)).value).toEqual({ a: 1 });
    expect(refusal(() => readYamlText(long))[0]).toStartWith("1:1: has 2097153 characters; at most 2097152 of YAML");
  });

  test("an end marker, comments and an empty second document are fine", () => {
    for (const text of ["a: 1\n...\n", "---\na: 1\n---\n", "# x\na: 1 # y\n"]) {
      expect(readYamlText(text).value).toEqual({ a: 1 });
    }
  });

  test("places are exact in every style, with either line end", () => {
    const lines = [
      "# a comment",
      "workflow:",
      "  id: x",
      "  steps:",
      "  - step: {id: a, 'type x': [1, {b: 007}]}",
      "",
      "  - step:",
      "      'c.d': |",
      "        one",
      "        two",
      "      ? e",
      "      : >-",
      "        folded",
      '      "f \\"g": "multi',
      '        line"',
      "      h:",
      "properties: {owner: ann}",
    ];
    const places = [
      ["workflow.id", "3:7", "x"],
      ["workflow.steps", "4:3", "steps"],
      ["workflow.steps[0]", "5:5", "s"],
      ["workflow.steps[0].step", "5:5", "step"],
      ["workflow.steps[0].step.id", "5:16", "a"],
      ['workflow.steps[0].step["type x"]', "5:19", "'type x'"],
      ['workflow.steps[0].step["type x"][1].b', "5:37", "007"],
      ['workflow.steps[1].step["c.d"]', "8:14", "|"],
      ["workflow.steps[1].step.e", "12:9", ">-"],
      ['workflow.steps[1].step["f \\"g"]', "14:16", '"multi'],
      ["workflow.steps[1].step.h", "16:7", "h"],
      ["workflow.steps[1].step.i", "7:5", "step"],
      ["properties.owner", "17:21", "ann"],
    ] as const;
    for (const end of ["\n", "\r\n"]) {
      const text = lines.join(end);
      const reading = readYamlText(text);
      const found = places.map(([path]) => {
        const { line, column } = reading.spanOf(partsOf(path) ?? []);
        return [path, `${line}:${column}`, textAt(text, reading, path).trimEnd()];
      });
      expect(found).toEqual(places.map((it) => [...it]));
    }
  });
});

describe("a plain scalar", () => {
  test("keeps its text where the definition declares a text", () => {
    const text = `
properties: {owner: 007, description: 1.10, step_concurrency: 5, run_strategy: {rule: sequential}}
workflow:
  id: 1.10
  name: 1e3
  description: 0x1F
  tags: [007, yes, {name: True}]
  timeout: 90
  time_triggers: [{type: cron, cron: 5, timezone: 1}]
  signal_triggers: [{definitions: {a: {match_params: {k: {value: 007, operator: "="}}, join_keys: [1.10]}}}]
  params:
    a: {type: STRING, value: 1.10}
    b: {type: string, value: 2026-01-01, validator: 1, tags: [1e3]}
    c: {type: STRING_ARRAY, value: [007, yes, 1e3, True, .inf, null]}
    d: {type: String_Map, value: {1.10: 1.10}}
    e: {type: MAP, value: {f: {type: STRING, value: +1}, g: {type: LONG, value: 007}}}
    h: {value: 1.50, type: STRING}
    i: {type: LONG, expression: 1}
  steps:
    - foreach:
        id: 1
        concurrency: 5
        steps: [{step: {id: 2, type: 3, transition: {successors: {4: True}}, retry_policy: {error_retry_limit: 5}}}]`;
    expect(readDefinition(text).value).toEqual({
      properties: { owner: "007", description: "1.10", step_concurrency: 5, run_strategy: { rule: "sequential" } },
      workflow: {
        id: "1.10",
        name: "1e3",
        description: "0x1F",
        tags: ["007", "yes", { name: "True" }],
        timeout: 90,
        time_triggers: [{ type: "cron", cron: "5", timezone: "1" }],
        signal_triggers: [
          { definitions: { a: { match_params: { k: { value: 7, operator: "=" } }, join_keys: ["1.10"] } } },
        ],
        params: {
          a: { type: "STRING", value: "1.10" },
          b: { type: "string", value: "2026-01-01", validator: "1", tags: ["1e3"] },
          c: { type: "STRING_ARRAY", value: ["007", "yes", "1e3", "True", ".inf", null] },
          d: { type: "String_Map", value: { "1.10": "1.10" } },
          e: { type: "MAP", value: { f: { type: "STRING", value: "+1" }, g: { type: "LONG", value: 7 } } },
          h: { value: "1.50", type: "STRING" },
          i: { type: "LONG", expression: "1" },
        },
        steps: [
          {
            foreach: {
              id: "1",
              concurrency: 5,
              steps: [
                {
                  step: {
                    id: "2",
                    type: "3",
                    transition: { successors: { "4": "True" } },
                    retry_policy: { error_retry_limit: 5 },
                  },
                },
              ],
            },
          },
        ],
      },
    });
  });

  test("and every example means the same in YAML, in each of its styles", async () => {
    const root = join(import.meta.dir, "../../examples");
    const paths = [...new Glob("**/*.json").scanSync(root)];
    expect(paths.length).toBeGreaterThan(5);
    for (const path of paths) {
      const value = JSON.parse(await Bun.file(join(root, path)).text());
      for (const collectionStyle of ["block", "flow"] as const) {
        for (const blockQuote of ["literal", "folded", false] as const) {
          const text = stringify(value, { collectionStyle, blockQuote });
          expect([path, readDefinition(text).value]).toEqual([path, value]);
        }
      }
    }
  });

  test("is what it looks like elsewhere: a number, a boolean, null", () => {
    const text = `{workflow: {params: {
      a: {type: LONG, value: 9223372036854775807}, b: {type: DOUBLE, value: 1.10}, c: {type: BOOLEAN, value: true},
      d: {type: LONG_ARRAY, value: [1, 0x10]}, e: {type: NONE, value: 007}, f: {value: 1e3}, g: {type: STRING, value: ~}
    }}, extra: 1.10}`;
    expect(stringifyJson(readDefinition(text).value)).toBe(
      '{"workflow":{"params":{"a":{"type":"LONG","value":9223372036854775807},"b":{"type":"DOUBLE","value":1.10},' +
        '"c":{"type":"BOOLEAN","value":true},"d":{"type":"LONG_ARRAY","value":[1,16]},"e":{"type":"NONE","value":7},' +
        '"f":{"value":1e3},"g":{"type":"STRING","value":null}}},"extra":1.10}',
    );
  });

  test("one value behind an alias is a text here and a number there", () => {
    const text = "workflow: {params: {a: {type: STRING, value: &v 1.10}, b: {type: DOUBLE, value: *v}}}";
    expect(stringifyJson(readDefinition(text).value)).toBe(
      '{"workflow":{"params":{"a":{"type":"STRING","value":"1.10"},"b":{"type":"DOUBLE","value":1.10}}}}',
    );
  });
});
