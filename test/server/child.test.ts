/** A step that reads a loop of more iterations than an array has elements, through a whole server: engine, database, evaluation thread. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJson, stringifyJson } from "../../src/json.ts";
import { inlineIdOf } from "../../src/run/inline.ts";
import type { Sql } from "../../src/store/connection.ts";
import { openFlowStore } from "../../src/store/flow.ts";
import { objectText, stepParamsText, timesText } from "../../src/store/row.ts";
import { sourceProgram, startServer } from "../bench/server.ts";
import { attempt, newRun, silent } from "../store/fixture.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";
import { at, PATIENCE, read, served } from "./served.ts";

/** Beyond the common limit of an array. */
const TOTAL = 26_000;
const BASE = 100_000_000_000_000;
const GATHER = "params.getFromForeach('f', 'in', 'v')";
const LONG = { type: "LONG", expression: "i" } as const;
const MANUAL = { type: "MANUAL", depth: 0, user: "ann" } as const;

const noop = (id: string, params: object, successors = {}) => ({
  step: { id, type: "NoOp", params, transition: { successors } },
});
const DEFINITION = {
  properties: { owner: "ann", run_strategy: "PARALLEL" },
  workflow: {
    id: "gathering",
    steps: [
      {
        foreach: {
          id: "f",
          params: {
            loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", expression: `new long[${TOTAL}];` } } },
          },
          steps: [noop("in", { v: LONG })],
          transition: { successors: { s: "true" } },
        },
      },
      noop(
        "s",
        {
          all: { type: "LONG_ARRAY", expression: GATHER },
          sum: {
            type: "LONG",
            expression: `a = ${GATHER}; n = 0; for (i = 0; i < a.length; i += 1) { n += a[i] % 1000000; } return n;`,
          },
        },
        { yes: `${GATHER}[${TOTAL - 1}] == ${BASE + TOTAL}L`, no: `${GATHER}.length == 0`, broken: "true" },
      ),
      noop("yes", {}),
      noop("no", {}),
      noop("broken", { p: { type: "LONG", expression: "params.getFromSubworkflow('s', 'in', 'v')" } }),
    ],
  },
};

/** A run whose loop is over, as the engine would have left it. */
async function loopIsOver(database: FreshDatabase): Promise<void> {
  const { sql } = database;
  const store = openFlowStore(database, { log: silent });
  const [head] = await store.heads(["gathering"]);
  if (!head) throw new Error("no workflow");
  const more = { revision: head.revision, groupInfo: 64, initiator: MANUAL };
  const [outcome] = await store.startRuns([newRun("gathering", head.internalId, "uuid-1", more)]);
  if (!outcome || !("run" in outcome)) throw new Error("no run");
  const { run } = outcome;
  const loop = inlineIdOf("foreach", run, "f");
  const ended = attempt("f", 1, {
    status: "SUCCEEDED",
    times: { create_time: 10, initialize_time: 10, end_time: 11 },
    artifacts: {
      maestro_foreach: { type: "FOREACH", foreach_workflow_id: loop, foreach_run_id: 1, total_loop_count: TOTAL },
    },
  });
  await sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, artifacts, conditions)
    VALUES (${run.key}, 'f', 1, 'f-1', 1, 'SUCCEEDED', ${timesText(ended.times)}, ${objectText(ended.artifacts)},
      '{"s":true}')`;
  await sql`UPDATE run SET status = 'IN_PROGRESS', start_time = ${Date.now()} WHERE key = ${run.key}`;
  await iterate(sql, loop);
  await store.close();
}

async function iterate(sql: Sql, loop: string): Promise<void> {
  const param = { ...LONG, evaluated_result: -1, evaluated_time: 10 };
  const stored = stepParamsText(attempt("in", 1, { params: { v: param }, paramsTime: 10 }));
  await sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
      initiator, config, properties, status, request_time, create_time, modify_time)
    SELECT ${loop}, i, 1, 1000000 + i, 'u' || i, 1, 1, 0, 1, '{}', '{}', '{}', 'SUCCEEDED', 1, 1, 1
    FROM generate_series(1, ${TOTAL}::int) i`;
  await sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times, params)
    SELECT 1000000 + i, 'in', 1, 'a', 1, 'SUCCEEDED', '[1]', replace(${stored}, '-1', (${BASE}::bigint + i)::text)::json
    FROM generate_series(1, ${TOTAL}::int) i`;
}

test(
  "reads its values, adds them up, decides on them, and says what can't be read",
  async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "maestro-child-"));
    const database = await freshDatabase();
    const env = { MAESTRO_DATABASE_URL: database.url, MAESTRO_ENGINE_THREADS: "1", MAESTRO_RUNTIME_THREADS: "1" };
    const options = { program: sourceProgram, dataDir, env };
    const headers = { user: "ann", "content-type": "application/json" };
    let server = await startServer(options);
    try {
      const path = `${server.url}/api/v3/workflows`;
      const pushed = await fetch(path, { method: "POST", headers, body: stringifyJson(DEFINITION) });
      expect(pushed.status, await pushed.text()).toBe(200);
      await server.stop();
      await loopIsOver(database);
      server = await startServer(options);
      const at = `${server.url}/api/v3/workflows/gathering/instances/1/runs/1`;
      const run = (await (await fetch(`${at}?wait=60`, { headers })).json()) as { status: string };
      const stepOf = async (id: string) =>
        parseJson(await (await fetch(`${at}/steps/${id}/attempts/latest`, { headers })).text()) as unknown as {
          readonly params: Readonly<Record<string, { readonly evaluated_result: unknown }>>;
          readonly runtime_state: { readonly status: string };
          readonly timeline: unknown;
        };
      const s = await stepOf("s");
      expect(s.runtime_state.status, stringifyJson(s.timeline)).toBe("SUCCEEDED");
      expect(s.params.all?.evaluated_result).toEqual(Array.from({ length: TOTAL }, (_, index) => BASE + index + 1));
      expect(s.params.sum?.evaluated_result).toBe((TOTAL * (TOTAL + 1)) / 2);
      const states = await Promise.all(
        ["yes", "no", "broken"].map(async (id) => (await stepOf(id)).runtime_state.status),
      );
      expect(states).toEqual(["SUCCEEDED", "UNSATISFIED", "INTERNALLY_FAILED"]);
      expect(stringifyJson((await stepOf("broken")).timeline)).toContain(
        "step [s] is not a subworkflow step that has run",
      );
      expect(run.status).toBe("FAILED");
    } finally {
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    }
  },
  PATIENCE,
);

test(
  "reads loops and subworkflows that the engine has run, in params and conditions, from inside and outside of loops, and of earlier runs",
  async () => {
    const server = await served({ MAESTRO_PARAMS_ALWAYS_PASS_DOWN: "team,nobody_has_it" });
    const text = (value: string) => ({ type: "STRING", value, mode: "MUTABLE" });
    const push = (id: string, params: object, steps: readonly object[]) =>
      server.send("POST", "", { properties: { owner: "ann" }, workflow: { id, params, steps } });
    await push("kid", { team: text("kid's team"), other: text("kid's") }, [
      noop("leaf", { x: { type: "STRING_ARRAY", value: ["${team}", "${other}"] } }),
    ]);
    const after = (...ids: readonly string[]) => ({ successors: Object.fromEntries(ids.map((id) => [id, "true"])) });
    const gather = (step: string, inner: string, name: string) =>
      `params.getFromForeach('${step}', '${inner}', '${name}')`;
    const range = "x = new long[500]; for (k = 0; k < 500; k += 1) { x[k] = k * 10; } return x;";
    await push("reader", { team: text("parent's team"), other: text("parent's") }, [
      {
        foreach: {
          id: "f",
          params: { loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", expression: range } } } },
          steps: [
            noop("in", { v: { type: "LONG", expression: "i + 1" } }, { rare: "i > 4980" }),
            noop("rare", { t: { type: "STRING", value: "i is ${i}" } }),
          ],
          transition: after("outer"),
        },
      },
      {
        foreach: {
          id: "outer",
          params: { loop_params: { type: "MAP", value: { j: { type: "LONG_ARRAY", value: [1, 2, 3] } } } },
          steps: [
            {
              foreach: {
                id: "inner",
                params: { loop_params: { type: "MAP", value: { n: { type: "LONG_ARRAY", value: [1, 2] } } } },
                steps: [noop("product", { p: { type: "LONG", expression: "j * n" } })],
                transition: after("sum"),
              },
            },
            noop("sum", {
              s: { type: "LONG", expression: `a = ${gather("inner", "product", "p")}; return a[0] + a[1];` },
            }),
          ],
          transition: after("sub"),
        },
      },
      {
        subworkflow: {
          id: "sub",
          explicit_params: true,
          params: { subworkflow_id: { type: "STRING", value: "kid" } },
          transition: after("w"),
        },
      },
      {
        while: {
          id: "w",
          condition: `${gather("f", "in", "v")}[round] < 30`,
          params: { loop_params: { type: "MAP", value: { round: { type: "LONG", value: 0 } } } },
          steps: [noop("next", { round: { type: "LONG", expression: "round + 1" } })],
          transition: after("end"),
        },
      },
      noop("end", {
        v: { type: "LONG_ARRAY", expression: gather("f", "in", "v") },
        rare: { type: "STRING_ARRAY", expression: gather("f", "rare", "t") },
        sums: { type: "LONG_ARRAY", expression: gather("outer", "sum", "s") },
        once: { type: "LONG", expression: "x = new long[1]; return x[params.getFromInstance('workflow_run_id') - 2];" },
        kid: { type: "STRING_ARRAY", expression: "params.getFromSubworkflow('sub', 'leaf', 'x')" },
      }),
    ]);
    // The first run fails at its last step: the second one reads children of steps of the first.
    const first = await server.run("reader");
    expect(at(read(await server.send("GET", first)), "status")).toBe("FAILED");
    await server.send("POST", "/reader/instances/1/actions/restart", { restart_policy: "RESTART_FROM_INCOMPLETE" });
    const path = first.replace(/1$/, "2");
    expect(at(read(await server.send("GET", `${path}?wait=60`)), "status")).toBe("SUCCEEDED");
    const step = async (id: string) => read(await server.send("GET", `${path}/steps/${id}/attempts/latest`));
    const end = await step("end");
    const value = (name: string) => at(end, "params", name, "evaluated_result");
    expect(value("v")).toEqual(Array.from({ length: 500 }, (_, index) => index * 10 + 1));
    expect(value("rare")).toEqual([...Array(499).fill(null), "i is 4990"]);
    expect(value("sums")).toEqual([3, 6, 9]);
    expect(value("kid")).toEqual(["parent's team", "kid's"]);
    expect(
      at(
        read(await server.send("GET", `${first}/steps/w/attempts/latest`)),
        "artifacts",
        "maestro_while",
        "last_iteration",
      ),
    ).toBe(3);
  },
  PATIENCE,
);
