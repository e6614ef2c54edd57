/** Values and names of users as the command line prints them. */
import { expect, test } from "bun:test";
import { cell } from "../../src/cli/output.ts";
import { changeLines } from "../../src/cli/progress.ts";
import { type JsonObject, parseJson } from "../../src/json.ts";

const read = (text: string) => parseJson(text) as JsonObject;

test("a cell shows a user's name, digits as they are, and anything else as JSON", () => {
  const record = read(
    '{"owner": {"name": "ann", "team": 1}, "n": 9007199254740993, "map": {"name": {"toString": 1.0}}}',
  );
  expect(["owner", "n", "map", "none"].map((name) => cell(record, name))).toEqual([
    "ann",
    "9007199254740993",
    '{"name":{"toString":1.0}}',
    "-",
  ]);
});

test("outputs are shown whole, whatever keys a MAP has", () => {
  const step =
    read(`{"step_id": "constructor", "step_attempt_id": 1, "runtime_state": {"status": "SUCCEEDED"}, "params": {
    "m": {"source": "OUTPUT_PARAMETER", "evaluated_result": {"name": "x", "__proto__": 10000000000000002}},
    "t": {"source": "OUTPUT_PARAMETER", "evaluated_result": "text"}, "n": {"source": "DEFINITION", "evaluated_result": 1}}}`);
  expect(changeLines({ run: {}, steps: [step], now: 0 }, new Map(), { colour: false })).toEqual([
    'constructor: SUCCEEDED  m={"name":"x","__proto__":10000000000000002} t=text',
  ]);
});
