/** 64-bit integers through a whole server: wire, definition, run param, plugin output, SEL, condition, store, wire. */
import { beforeAll, expect, test } from "bun:test";
import { rawNumber, stringifyJson } from "../../src/json.ts";
import { LONGS } from "../support/long.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

const ALL = LONGS.map((value) => rawNumber(value.toString()));
const TEXTS = LONGS.map(String);
const KEYS = LONGS.map((_, index) => `k${index}`);
const MAP = `{${LONGS.map((value, index) => `"k${index}": ${value}`).join()}}`;

/** True when every element of an array, and every entry of a map, has the digits of its text. */
const check = (array: string, map: string): string =>
  `ok = true; for (i = 0; i < digits.length; i += 1) {
     if (('' + ${array}[i]) != digits[i]) ok = false;
     if (('' + ${map}.get('k' + i)) != digits[i]) ok = false;
     if (Long.valueOf(digits[i]) != ${array}[i]) ok = false;
   } ok;`;

const script = `cat > "$MAESTRO_OUTPUT" <<'END'\n{"list": [${LONGS.join()}], "map": ${MAP}, "one": 1700000000000000000}\nEND\n`;

const DEFINITION = {
  properties: { owner: "ann" },
  workflow: {
    id: "longs",
    params: {
      digits: { type: "STRING_ARRAY", value: TEXTS },
      defined: { type: "LONG_ARRAY", value: ALL },
      defined_map: {
        type: "MAP",
        value: Object.fromEntries(KEYS.map((key, index) => [key, { type: "LONG", value: ALL[index] }])),
      },
      given: { type: "LONG_ARRAY", value: [] },
      computed: { type: "LONG_ARRAY", expression: "given" },
      text: { type: "STRING", value: "$" + "{given}" },
    },
    steps: [
      {
        step: {
          id: "emit",
          type: "shell",
          params: {
            list: { type: "LONG_ARRAY", value: [] },
            map: { type: "MAP", value: {} },
            one: { type: "LONG", value: 0 },
            shell: { type: "MAP", value: { script: { type: "STRING", value: script } } },
          },
          transition: {
            successors: { put_out: check("list", "map"), kept: check("defined", "defined_map"), five: "one + 5 > 5" },
          },
        },
      },
      ...["put_out", "kept", "five"].map((id) => ({
        step: {
          id,
          type: "NoOp",
          params: {
            list: { type: "LONG_ARRAY", expression: "emit__list" },
            map: { type: "MAP", expression: "emit__map" },
            text: { type: "STRING", value: "$" + "{emit__list}" },
          },
        },
      })),
    ],
  },
} as const;

let server: Served;
beforeAll(async () => {
  server = await served();
}, PATIENCE);

test(
  "every LONG keeps its digits from the definition, the start and a script's output to conditions, store and answers",
  async () => {
    await server.send("POST", "", DEFINITION);
    const path = await server.run("longs", { given: { type: "LONG_ARRAY", value: ALL } });
    const run = read(await server.send("GET", path));
    expect(run.status).toBe("SUCCEEDED");
    const list = `[${LONGS.join()}]`;
    for (const name of ["defined", "given", "computed", "text"]) {
      const result = at(run, "params", name, "evaluated_result");
      expect([name, name === "text" ? result : stringifyJson(result)]).toEqual([name, list]);
    }
    const plain = MAP.replaceAll(" ", "");
    expect(stringifyJson(at(run, "params", "defined_map", "evaluated_result"))).toBe(plain);
    for (const id of ["put_out", "kept", "five"]) {
      const step = read(await server.send("GET", `${path}/steps/${id}/attempts/latest`));
      expect([id, at(step, "runtime_state", "status")]).toEqual([id, "SUCCEEDED"]);
      expect(stringifyJson(at(step, "params", "list", "evaluated_result"))).toBe(list);
      // Expressions give a map the order of Java's HashMap.
      const map = at(step, "params", "map", "evaluated_result");
      expect(KEYS.map((key) => stringifyJson(at(map, key)))).toEqual(TEXTS);
      expect(at(step, "params", "text", "evaluated_result")).toBe(list);
    }
  },
  PATIENCE,
);
