/** Limits through a whole server: of a tag, and of the leaf steps of a run with its loops and subworkflows. */
import { expect, test } from "bun:test";
import type { JsonObject } from "../../src/json.ts";
import { connect } from "../../src/store/connection.ts";
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import { PATIENCE, served } from "./served.ts";

const sleep = (id: string, more: object = {}) => ({
  step: { id, type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 1 } }, ...more },
});
const request = (id: string, workflow: object): JsonObject =>
  ({ properties: { owner: "ann", run_strategy: "PARALLEL" }, workflow: { id, ...workflow } }) as unknown as JsonObject;

/** How many attempts at such steps ran at a time, at most: by their rows. */
async function together(database: string, stepIds: readonly string[]): Promise<readonly [most: number, all: number]> {
  const sql = connect(database, { max: 1 });
  const rows = await sql<AttemptRow[]>`SELECT * FROM step_attempt WHERE step_id = ANY(${[...stepIds]}::text[])`;
  await sql.end();
  const events = rows.map(attemptOf).flatMap(({ times }) => [
    { time: times.start_time ?? 0, change: 1 },
    { time: times.end_time ?? 0, change: -1 },
  ]);
  events.sort((a, b) => a.time - b.time || a.change - b.change);
  let [now, most] = [0, 0];
  for (const { change } of events) {
    now += change;
    most = Math.max(most, now);
  }
  return [most, rows.length];
}

test(
  "the leaf steps of a run, of its loop and of its subworkflow share the root's limit, which no definition below changes",
  async () => {
    const { send, run, database } = await served({ MAESTRO_ENGINE_THREADS: "2" });
    await send("POST", "", request("inner", { instance_step_concurrency: 50, steps: [sleep("leaf"), sleep("leaf2")] }));
    const loop = {
      loop_params: { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [1, 2, 3, 4] } } },
    };
    const steps = [
      sleep("own"),
      { foreach: { id: "loop", params: loop, steps: [sleep("leaf")] } },
      {
        subworkflow: {
          id: "sub",
          params: {
            subworkflow_id: { type: "STRING", value: "inner" },
            subworkflow_version: { type: "STRING", value: "latest" },
          },
        },
      },
    ];
    await send("POST", "", request("tree", { instance_step_concurrency: 2, steps }));
    const path = await run("tree");
    expect(await send("GET", `${path}?enriched=false`)).toContain('"status":"SUCCEEDED"');
    expect(await together(database, ["own", "leaf", "leaf2"])).toEqual([2, 7]);
  },
  PATIENCE,
);

test(
  "a step with a tag waits while the limit is 0, and starts as soon as it is raised",
  async () => {
    const { send, run, url } = await served();
    const allow = (max_allowed: number) =>
      fetch(`${url}/api/v3/tag-permits`, {
        method: "POST",
        headers: { user: "ann", "content-type": "application/json" },
        body: JSON.stringify({ tag: "t", max_allowed }),
      });
    await allow(0);
    await send("POST", "", request("tagged", { steps: [{ step: { id: "a", type: "NoOp", tags: ["t"] } }] }));
    const ended = run("tagged");
    const step = "/tagged/instances/1/steps/a";
    for (;;) {
      const text = await send("GET", step).catch(() => "");
      if (text.includes('"WAITING_FOR_PERMITS"')) break;
    }
    await allow(1);
    expect(await send("GET", `${await ended}/steps/a/attempts/latest`)).toContain('"status":"SUCCEEDED"');
  },
  PATIENCE,
);
