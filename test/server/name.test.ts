/** Steps, params, outputs and the rest, named as what every object inherits, through a whole server. */
import { beforeAll, describe, expect, test } from "bun:test";
import { isJsonObject, type Json, parseJson, stringifyJson } from "../../src/json.ts";
import { INHERITED, KEYS, UNUSABLE, USABLE } from "../support/name.ts";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

const [FIRST = "", ...OTHERS] = USABLE;
const LAST = USABLE.at(-1) ?? "";

const record = <V>(names: readonly string[], value: (name: string) => V): { readonly [name: string]: V } =>
  Object.fromEntries(names.map((name) => [name, value(name)]));
const text = (value: string) => ({ type: "STRING", value });

/** What the script leaves: a MAP and an artifact with every inherited name, and a param of each usable one. */
const OUTPUT = stringifyJson({
  params: { map: record(INHERITED, (name) => ({ of: name })), ...record(USABLE, (name) => `put out ${name}`) },
  artifacts: { ...record(INHERITED, (name) => ({ name, ...record(INHERITED, (key) => key) })) },
});
const script = `cat > "$MAESTRO_OUTPUT" <<'END'\n${OUTPUT}\nEND\n`;

/** A chain of steps with those names; each edge asks for the params of the step before it. */
const steps = USABLE.map((id, index) => {
  const next = USABLE[index + 1];
  const other = USABLE.at(index - 1);
  const common = {
    id,
    tags: USABLE.map((name) => ({ name, ...record(USABLE, (key) => key) })),
    transition:
      next === undefined
        ? {}
        : { successors: { [next]: `${id} == 'put out ${id}' && params['${other}'] == 'run ${other}'` } },
  };
  const params = {
    ...record(USABLE, text),
    map: { type: "MAP", value: record(KEYS, () => ({ type: "MAP", value: {} })) },
  };
  const before = USABLE[index - 1];
  const reads = before === undefined ? {} : { before: { type: "STRING", expression: `${before}__${before}` } };
  const shell = {
    shell: { type: "MAP", value: { script: text(script), env: { type: "STRING_MAP", value: record(USABLE, String) } } },
  };
  return { step: { ...common, type: "shell", params: { ...params, ...reads, ...shell } } };
});

const definition = {
  properties: { owner: "ann" },
  workflow: {
    id: "constructor",
    tags: USABLE,
    params: {
      ...record(USABLE, (name) => text(`defined ${name}`)),
      texts: { type: "STRING_MAP", value: record(KEYS, (name) => `$${name === FIRST ? `{${FIRST}}` : "$"}`) },
      nested: { type: "MAP", value: record(KEYS, text) },
      all: { type: "STRING", expression: USABLE.join(" + ',' + ") },
    },
    steps,
  },
};

let server: Served;
let path = "";
beforeAll(async () => {
  server = await served();
  await server.send("POST", "", definition);
  path = await server.run("constructor", {
    ...record(USABLE, (name) => text(`run ${name}`)),
    given: { type: "MAP", value: record(KEYS, text) },
  });
}, PATIENCE);

const get = async (rest = ""): Promise<Json> => parseJson(await server.send("GET", path + rest));
const resultOf = (json: Json, name: string): Json | undefined => at(json, "params", name, "evaluated_result");
const keys = (json: Json | undefined): readonly string[] => (isJsonObject(json) ? Object.keys(json).sort() : []);
const expectAll = (json: Json | undefined, names: readonly string[]) => expect(keys(json)).toEqual([...names].sort());

describe("a workflow whose names are those of Object.prototype's members", () => {
  test("keeps them all in its definition", async () => {
    const { workflow } = read(await server.send("GET", "/constructor/versions/latest"));
    expectAll(at(workflow, "params", "nested", "value"), KEYS);
    expectAll(at(workflow, "params", "texts", "value"), KEYS);
    expect(keys(at(workflow, "params"))).toEqual(expect.arrayContaining([...USABLE]));
  });

  test("runs every step, and the run has every param", async () => {
    const run = await get();
    expect(at(run, "status")).toBe("SUCCEEDED");
    for (const name of USABLE) expect(resultOf(run, name)).toBe(`run ${name}`);
    expect(resultOf(run, "all")).toBe(USABLE.map((name) => `run ${name}`).join());
    for (const name of ["nested", "texts", "given"]) expectAll(resultOf(run, name), KEYS);
    expect(at(run, "params", "texts", "evaluated_result", FIRST)).toBe(`run ${FIRST}`);
    expectAll(at(run, "runtime_dag"), USABLE);
  });

  test("shows each step with its outputs, artifacts, conditions, tags and timeline", async () => {
    const found = (await get("/steps")) as readonly Json[];
    expect(found.map((step) => at(step, "step_id"))).toEqual([...USABLE]);
    for (const [index, id] of USABLE.entries()) {
      const step = await get(`/steps/${id}/attempts/1`);
      expect([id, at(step, "runtime_state", "status")]).toEqual([id, "SUCCEEDED"]);
      for (const name of USABLE) expect(resultOf(step, name)).toBe(`put out ${name}`);
      expectAll(resultOf(step, "map"), INHERITED);
      expect(at(resultOf(step, "map"), "__proto__", "of")).toBe("__proto__");
      expect(keys(at(step, "artifacts"))).toEqual(expect.arrayContaining([...INHERITED]));
      expectAll(at(step, "artifacts", "__proto__"), [...INHERITED, "name"]);
      const next = USABLE[index + 1];
      if (next !== undefined) expect(at(step, "transition", "successors", next, "evaluated_result")).toBe(true);
      if (index > 0) expect(resultOf(step, "before")).toBe(`put out ${USABLE[index - 1]}`);
      expect(stringifyJson(at(step, "timeline"))).toContain('"SUCCEEDED"');
      expect((at(step, "tags") as readonly Json[]).map((tag) => at(tag, LAST))).toEqual(USABLE.map(() => LAST));
    }
  });

  test("has them all in the aggregate view", async () => {
    const run = await get("?aggregated=true");
    const views = at(run, "aggregated_info", "step_aggregated_views");
    expectAll(views, USABLE);
    for (const id of USABLE) expect(at(views, id, "status")).toBe("SUCCEEDED");
  });
});

describe("a condition that is false", () => {
  test("leaves a step with such a name unsatisfied, and says so", async () => {
    const skipped = [FIRST, ...OTHERS].map((id) => ({ step: { id, type: "NoOp" } }));
    const start = { id: "start", type: "NoOp", transition: { successors: record(USABLE, () => "1 > 2") } };
    const workflow = { id: "skipped", steps: [{ step: start }, ...skipped] };
    await server.send("POST", "", { properties: { owner: "ann" }, workflow });
    const run = await server.run("skipped");
    for (const id of USABLE) {
      const step = read(await server.send("GET", `${run}/steps/${id}/attempts/latest`));
      expect([id, at(step, "runtime_state", "status")]).toEqual([id, "UNSATISFIED"]);
    }
    const first = read(await server.send("GET", `${run}/steps/start/attempts/latest`));
    for (const id of USABLE) expect(at(first, "transition", "successors", id, "evaluated_result")).toBe(false);
  });
});

describe("a name with two underscores", () => {
  const refusal = async (workflow: object): Promise<string> => {
    const answer = server.send("POST", "", stringifyJson({ properties: { owner: "ann" }, workflow }));
    return answer.then(() => "taken").catch(String);
  };

  test("is refused for a step and for a param, with the reason", async () => {
    for (const id of UNUSABLE) {
      const reason = `"${id}" must not contain "__", which separates step ids from param names`;
      const step = { step: { id, type: "NoOp" } };
      expect(await refusal({ id: "no", steps: [step] })).toContain(stringifyJson(reason).slice(1, -1));
      if (id === "__proto__") continue;
      const params = record([id], text);
      const refused = await refusal({ id: "no", params, steps: [{ step: { id: "a", type: "NoOp" } }] });
      expect(refused).toContain(stringifyJson(reason).slice(1, -1));
    }
  });

  test("__proto__ is refused as a key of a definition", async () => {
    for (const fields of ['"meta": {"__proto__": 1}', '"__proto__": 1', '"tags": [{"name": "t", "__proto__": 1}]']) {
      const body = `{"id": "no", "params": {"x": {"type": "LONG", "value": 1, ${fields}}}, "steps": [{"step": {"id": "a", "type": "NoOp"}}]}`;
      expect(await refusal(parseJson(body) as object)).toContain("__proto__: this key cannot be used");
    }
  });

  test("__proto__ is refused in the settings of a plugin, whatever expression makes it", async () => {
    const expression =
      "e = new HashMap(); e.put('__proto__', 'x'); s = new HashMap(); s.put('script', 'true'); s.put('env', e); s;";
    const shell = { type: "MAP", expression };
    const workflow = { id: "env", steps: [{ step: { id: "a", type: "shell", params: { shell } } }] };
    await server.send("POST", "", { properties: { owner: "ann" }, workflow });
    const step = await server.send("GET", `${await server.run("env")}/steps/a/attempts/latest`);
    expect(step).toContain("Param [shell.env.__proto__]: this key cannot be used");
  });
});
