// biome-ignore-all lint/suspicious/noTemplateCurlyInString: scripts are the subject
/** Scripts through a whole server, in a loop too: their text stays, what they mention of the run is in their environment. */
import { beforeAll, expect, test } from "bun:test";
import { at, PATIENCE, read, type Served, served } from "./served.ts";

const text = (value: string) => ({ type: "STRING", value }) as const;
const shell = (id: string, lines: readonly string[], params: object, successors: object = {}) => ({
  step: {
    id,
    type: "shell",
    params: { ...params, shell: { type: "MAP", value: { script: text(lines.join("\n")) } } },
    transition: { successors },
  },
});
const answer = 'printf \'{"got": "%s"}\' "$got" > "$MAESTRO_OUTPUT"';

const DEFINITION = {
  properties: { owner: "ann" },
  workflow: {
    id: "scripts",
    params: { region: text("eu"), table: text("sales_${region}"), x: text("param") },
    steps: [
      shell(
        "count",
        [
          "set -eu",
          "touch 1.csv 2.csv",
          "rows=0",
          'for f in *.csv; do rows=$((rows + 1)); x="${f%.csv}"; done',
          'printf \'{"rows": %d, "last": "%s"}\' "$rows" "$x" > "$MAESTRO_OUTPUT"',
        ],
        { rows: { type: "LONG", value: 0 }, last: text("") },
        { "tell-all": "rows == 2" },
      ),
      shell(
        "tell-all",
        ['got="${table} $count__rows $count__last $step_id ${unknown:-none} ${own}"', answer],
        { own: text("of $region"), got: text("") },
        { loop: "true" },
      ),
      {
        foreach: {
          id: "loop",
          params: { loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [7] } } } },
          steps: [shell("body", ['got="$i $region $$"', "got=${got% *}", answer], { got: text("") })],
          transition: { successors: { dashed: "true" } },
        },
      },
      shell("dashed", [`got=$(grep -o '"tell-all__own":"of eu"' "$MAESTRO_PARAMS" | tr -d '"')`, answer], {
        got: text(""),
        inner: { type: "STRING_ARRAY", expression: "params.getFromForeach('loop', 'body', 'got')" },
      }),
    ],
  },
} as const;

let server: Served;
beforeAll(async () => {
  server = await served();
}, PATIENCE);

test(
  "a script's own variables, params of its run and of other steps",
  async () => {
    await server.send("POST", "", DEFINITION);
    const path = await server.run("scripts", {});
    expect(read(await server.send("GET", path)).status).toBe("SUCCEEDED");
    const param = async (id: string, name: string) =>
      at(read(await server.send("GET", `${path}/steps/${id}/attempts/latest`)), "params", name, "evaluated_result");
    expect(await param("tell-all", "got")).toBe("sales_eu 2 2 tell-all none of eu");
    expect(await param("dashed", "got")).toBe("tell-all__own:of eu");
    expect(await param("dashed", "inner")).toEqual(["7 eu"]);
  },
  PATIENCE,
);

test(
  "outputs that a step can't have end it at once, by its failure mode, and say where they stand",
  async () => {
    const wrong = (id: string, json: string, failure_mode: string) => {
      const { step } = shell(id, [`printf '%s' '${json}' > "$MAESTRO_OUTPUT"`], { rows: { type: "LONG", value: 0 } });
      return { step: { ...step, failure_mode } };
    };
    const steps = [
      wrong("undeclared", '{"nope": 1}', "IGNORE_FAILURE"),
      wrong("text", '{"rows": "many"}', "IGNORE_FAILURE"),
      wrong("nonsense", "rows=3", "FAIL_AFTER_RUNNING"),
      wrong("whole", '\uFEFF{"rows": 30.0}', "FAIL_AFTER_RUNNING"),
    ];
    await server.send("POST", "", { properties: { owner: "ann" }, workflow: { id: "outputs", steps } });
    const path = await server.run("outputs", {});
    const ended = async (id: string) => {
      const text = await server.send("GET", `${path}/steps/${id}/attempts/latest`);
      const { step_attempt_id, runtime_state } = read(text);
      const message = /The step's output in the file \$MAESTRO_OUTPUT can't be taken\. (.*?[^\\])"/.exec(text)?.[1];
      return [step_attempt_id, at(runtime_state as never, "status"), message?.replaceAll("\\", "")];
    };
    expect(await ended("undeclared")).toEqual([
      1,
      "COMPLETED_WITH_ERROR",
      `Invalid output parameter [nope], not defined in params: write "nope": {"type":"LONG","value":0} into the step's params, or leave it out`,
    ]);
    expect(await ended("text")).toEqual([
      1,
      "COMPLETED_WITH_ERROR",
      `Output [rows] is the STRING "many", and the step declares a LONG: write a whole number, such as 30`,
    ]);
    expect(await ended("nonsense")).toEqual([1, "FATALLY_FAILED", expect.stringContaining("It is not JSON: ")]);
    expect(await ended("whole")).toEqual([1, "SUCCEEDED", undefined]);
    const whole = read(await server.send("GET", `${path}/steps/whole/attempts/latest`));
    expect(at(whole, "params", "rows", "evaluated_result")).toBe(30);
  },
  PATIENCE,
);

test(
  "what a script prints is kept byte for byte",
  async () => {
    const steps = [shell("prints", ["head -c 70000 /dev/urandom | tee out", "cksum <out >&2"], {})];
    await server.send("POST", "", { properties: { owner: "ann" }, workflow: { id: "bytes", steps } });
    const path = `${server.url}/api/v3/workflows${await server.run("bytes", {})}/steps/prints/attempts/latest/logs`;
    const printed = await (await fetch(`${path}?raw=true&stream=stdout`)).arrayBuffer();
    const sum = await new Response(Bun.spawn(["cksum"], { stdin: Buffer.from(printed), stdout: "pipe" }).stdout).text();
    expect(sum).toBe(await (await fetch(`${path}?stream=stderr`)).text());
    expect(await (await fetch(`${path}?stream=stdout`)).text()).not.toContain("\ufffd");
  },
  PATIENCE,
);

test(
  "a script that a template brings is left as it is, in the bodies of loops too",
  async () => {
    const lines = ['got="${i:-none} $region ${HOME:+home} ${region%u} $who $$"', "got=${got% *}", answer];
    const params = {
      shell: { type: "MAP", value: { script: text(lines.join("\n")) } },
      who: text("the template of ${region}"),
      got: text(""),
    };
    const definition = { job_type: "scripted", version: "default", step_type: "shell", params };
    const template = { owner: "ann", status: "TEST", support: "-", definition };
    const put = await fetch(`${server.url}/api/v3/job-templates`, {
      method: "POST",
      headers: { user: "ann", "content-type": "application/json" },
      body: JSON.stringify(template),
    });
    expect(put.ok).toBe(true);
    const loop = (type: "LONG_ARRAY" | "LONG", value: unknown) => ({
      loop_params: { type: "MAP", value: { i: { type, value } } },
    });
    const next = { successors: { typed: "true" } };
    const steps = [
      {
        foreach: {
          id: "each",
          params: loop("LONG_ARRAY", [7, 8]),
          steps: [{ template: { id: "leaf", sub_type: "scripted" } }],
          transition: next,
        },
      },
      {
        while: {
          id: "again",
          condition: "i < 3",
          params: loop("LONG", 1),
          steps: [
            shell("count", ['printf \'{"i": %d}\' "$((i + 1))" > "$MAESTRO_OUTPUT"'], {
              i: { type: "LONG", expression: "i" },
            }),
          ],
          transition: next,
        },
      },
      {
        step: {
          id: "typed",
          type: "shell",
          sub_type: "scripted",
          params: {
            who: text("$region's own step"),
            each: { type: "STRING_ARRAY", expression: "params.getFromForeach('each', 'leaf', 'got')" },
          },
        },
      },
    ];
    const workflow = { id: "templated", params: { region: text("eu") }, steps };
    await server.send("POST", "", { properties: { owner: "ann" }, workflow });
    const path = await server.run("templated", {});
    expect(read(await server.send("GET", path)).status).toBe("SUCCEEDED");
    const typed = read(await server.send("GET", `${path}/steps/typed/attempts/latest`));
    expect(at(typed, "params", "got", "evaluated_result")).toBe("none eu home e eu's own step");
    expect(at(typed, "params", "each", "evaluated_result")).toEqual([
      "7 eu home e the template of eu",
      "8 eu home e the template of eu",
    ]);
  },
  PATIENCE,
);
