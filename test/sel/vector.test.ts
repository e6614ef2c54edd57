import { describe, expect, test } from "bun:test";
import { type Json, type JsonObject, stringifyJson } from "../../src/json.ts";
import { references, SelError } from "../../src/sel/index.ts";
import { evaluateVector } from "../../src/sel/vector.ts";
import { vectors } from "./vectors.ts";

/** Key order does not count, and 1 equals 1.0: the typed form decides between them. */
function plain(value: Json | undefined): unknown {
  return value === undefined ? undefined : JSON.parse(stringifyJson(value));
}

const HEALTH = "return Integer + '|' + Long + '|' + Double + '|' + Boolean + '|' + String + '|' + Map.size();";

function outcome(source: string): Json {
  try {
    return [...references(source)].sort();
  } catch (error) {
    return error instanceof SelError ? error.category : String(error);
  }
}

describe("recorded expressions", async () => {
  const groups = Map.groupBy(await vectors("language"), ({ group }) => String(group));

  test("there are 2,324 of them", () => {
    expect([...groups.values()].flat()).toHaveLength(2324);
  });

  for (const [group, list] of groups) {
    test(`${group}: ${list.length} give upstream's result`, () => {
      for (const vector of list) {
        const result = evaluateVector(vector);
        const label = `${vector.id} ${String(vector.expr).slice(0, 200)}`;
        if (vector.error !== undefined) {
          expect<unknown>([label, result.error]).toEqual([label, vector.error]);
          continue;
        }
        expect<unknown>([label, result.error, result.type]).toEqual([label, undefined, vector.type]);
        expect([label, plain(result.typed)]).toEqual([label, plain(vector.typed)]);
        expect([label, plain(result.value)]).toEqual([label, plain(vector.expect)]);
      }
    });
  }
});

describe("referenced names", async () => {
  for (const vector of await vectors("reference")) {
    test(`${vector.id}: ${String(vector.expr)}`, () => {
      const wanted = vector.error ?? [...(vector.refs as readonly string[])].sort();
      expect<unknown>(outcome(String(vector.expr))).toEqual(plain(wanted));
    });
  }
});

/** Where upstream fails in a way that nobody should copy: the categories that are right instead. */
const BETTER: ReadonlyMap<string, readonly string[]> = new Map([
  ["x006", ["argument"]],
  ["x007", ["limit-memory"]],
  ["x011", ["limit-stack"]],
  ["x012", ["limit-stack"]],
  ["x013", ["limit-stack"]],
  ["x021", ["unsupported"]],
  ["x022", ["unsupported"]],
  ["x023", ["unsupported"]],
  ["x027", ["limit-memory"]],
  ["x028", ["limit-memory"]],
  ["x031", ["limit-memory"]],
  ["x038", ["limit-memory"]],
]);
const ANSWERED: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["x018", 4901],
  ["x056", 16384],
]);

function checkHostile(vector: JsonObject, result: JsonObject): void {
  const id = String(vector.id);
  const upstream = vector.upstream as JsonObject;
  const answer = ANSWERED.get(id);
  const errors = BETTER.get(id) ?? (upstream.error === undefined ? undefined : [String(upstream.error)]);
  if (answer !== undefined) expect(result.value).toEqual(answer);
  else if (errors !== undefined) expect(errors).toContain(String(result.error));
  else if (upstream.expectLength !== undefined)
    expect(String(result.value)).toHaveLength(Number(upstream.expectLength));
  else expect(plain(result.value)).toEqual(plain(upstream.expect));
}

describe("hostile expressions", async () => {
  for (const vector of await vectors("hostile")) {
    test(`${vector.id} ${vector.category}: ${String(vector.expr).slice(0, 60)}`, () => {
      checkHostile(vector, evaluateVector(vector));
      expect(evaluateVector({ expr: HEALTH }).value).toBe("0|0|0.0|false|null|0");
    });
  }
});
