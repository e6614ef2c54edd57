/** `maestro validate` and the server judge alike: every sample, fixture and recorded definition, and some more. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { Glob } from "bun";
import { isJsonObject, type Json, parseJson, stringifyJson } from "../../src/json.ts";
import { compatDir, isPresent } from "../conformance/server.ts";
import { PATIENCE, served } from "../server/served.ts";
import { run } from "./harness.ts";

setDefaultTimeout(PATIENCE);

/** Definitions by where they are from. */
type Definitions = ReadonlyMap<string, Json>;

/** Everything in a file that is pushed, or could be. */
function* definitionsIn(value: Json): Generator<Json> {
  if (Array.isArray(value)) for (const item of value) yield* definitionsIn(item);
  if (!isJsonObject(value)) return;
  if ("workflow" in value) yield value;
  else for (const item of Object.values(value)) yield* definitionsIn(item);
}

async function recorded(): Promise<Definitions> {
  const found = new Map<string, Json>();
  for (const path of new Glob("{samples,fixtures,golden,outcomes}/**/*.json").scanSync(compatDir)) {
    const text = (await Bun.file(`${compatDir}/${path}`).text()).replaceAll("{{u}}", "abc");
    for (const [index, definition] of [...definitionsIn(parseJson(text))].entries()) {
      found.set(`${path} ${index}`, definition);
    }
  }
  return found;
}

const step = (fields: object) => ({ step: { id: "a", type: "NoOp", ...fields } });
const workflow = (fields: object, ...steps: readonly object[]): Json =>
  parseJson(JSON.stringify({ properties: { owner: "ann" }, workflow: { id: "w", steps, ...fields } }));
const params = (expression: string) => ({ params: { x: { type: "LONG", expression } } });

const OWN: Definitions = new Map([
  ["a plain one", workflow({}, step({}))],
  ["a param that does not parse", workflow(params("1 +"), step({}))],
  ["a param that does not evaluate", workflow(params("nobody + 1"), step({}))],
  ["a step's param that does not parse", workflow({}, step(params("1 +")))],
  [
    "a condition that does not parse",
    workflow({}, step({ transition: { successors: { b: "1 +" } } }), step({ id: "b" })),
  ],
  ["a schedule by its name", workflow({ time_triggers: [{ type: "PREDEFINED", expression: "@daily" }] }, step({}))],
  ["a schedule of that name that is none", workflow({ time_triggers: [{ type: "CRON", cron: "@daily" }] }, step({}))],
  ["a timeout that is too long", workflow({ timeout: "1000 days" }, step({}))],
  ["a NUL", workflow({ description: "\0" }, step({}))],
  ["half a surrogate pair in a key", workflow({ params: { "\ud800": { type: "LONG", value: 1 } } }, step({}))],
  ["a param of a system type", workflow({ params: { owner: { type: "LONG", value: 1 } } }, step({}))],
  [
    "a validator that can't be run",
    workflow({ params: { x: { type: "LONG", value: 1, validator: "@No" } } }, step({})),
  ],
  ["a plugin's step", workflow({}, step({ type: "shell" }))],
  ["a step of a type that nobody knows", workflow({}, step({ type: "Slep" }))],
]);

/** How many both take, how many both refuse, and what each says where they differ. */
async function verdicts(definitions: Definitions) {
  const { url } = await served();
  const differing: unknown[] = [];
  let taken = 0;
  for (const [name, definition] of definitions) {
    const text = stringifyJson(definition);
    const [response, command] = await Promise.all([
      fetch(`${url}/api/v3/workflows/actions/validate`, {
        method: "PUT",
        headers: { user: "ann", "content-type": "application/json" },
        body: text,
      }),
      run(["validate", "-"], { stdin: text }),
    ]);
    const answer = await response.text();
    // The server alone knows job templates, and so whether what a step asks for comes from one.
    const isServers = response.status === 400 && /"sub_type"/.test(text) && /is a required parameter/.test(answer);
    if (isServers) continue;
    if ((response.status === 200) !== (command.exit === 0) || ![200, 400].includes(response.status)) {
      differing.push([name, `server ${response.status}: ${answer}`, `validate ${command.exit}: ${command.out}`]);
    } else if (command.exit === 0) taken++;
  }
  return { differing, taken, refused: definitions.size - differing.length - taken };
}

test("what is recorded of upstream gets the same verdict from both", async () => {
  if (!isPresent) return console.warn("SKIPPED: the verdicts on recorded definitions");
  const definitions = await recorded();
  const { differing, taken, refused } = await verdicts(definitions);
  expect(differing).toEqual([]);
  expect([taken > 100, refused > 50]).toEqual([true, true]);
});

test("so does what each could read in its own way", async () => {
  expect(await verdicts(OWN)).toEqual({ differing: [], taken: 6, refused: 8 });
});
