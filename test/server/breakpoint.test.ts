/** Breakpoints from the request to the run's end: the API, an engine and Postgres, without a hint that is lost. */
import { expect, test } from "bun:test";
import { type JsonObject, parseJson } from "../../src/json.ts";
import { inOneThread } from "./node.ts";

const { sql, pool, send, pass } = await inOneThread();
const AT = "/steps/breakpoints";

const read = async (path: string): Promise<JsonObject> => parseJson(await send("GET", path)) as JsonObject;
const json = (body: object): RequestInit => ({ body: JSON.stringify(body) });
const query = (workflow: string, step: string) => `?workflowId=${workflow}&stepId=${step}`;

async function push(id: string, ...steps: readonly object[]): Promise<void> {
  const properties = { owner: "ann", run_strategy: "PARALLEL" };
  await send("POST", "", json({ properties, workflow: { id, steps: steps.map((step) => ({ step })) } }));
}

/** @returns the path of the run */
async function start(id: string): Promise<string> {
  const run = parseJson(
    await send("POST", `/${id}/versions/latest/actions/start`, json({ initiator: { type: "manual" } })),
  ) as JsonObject;
  return `/${id}/instances/${run.workflow_instance_id}/runs/${run.workflow_run_id}`;
}

/** Resolves when the run, or the attempt, is in one of the statuses. */
async function until(path: string, ...statuses: readonly string[]): Promise<JsonObject> {
  for (;;) {
    const shown = await read(path).catch(() => ({}) as JsonObject);
    const status = (shown.runtime_state as JsonObject | undefined)?.status ?? shown.status;
    if (statuses.includes(String(status))) return shown;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const NEXT = { transition: { successors: { b: "true" } } };
const steps = [
  { id: "a", type: "NoOp", ...NEXT },
  { id: "b", type: "NoOp" },
];

test("a run that begins after the answer is held, says why, and ends once the breakpoint is removed", async () => {
  await push("held", ...steps);
  await send("POST", AT, json({ workflow_id: "held", step_id: "b" }));
  const [one, other] = [await start("held"), await start("held")];
  const step = await until(`${one}/steps/b/attempts/1`, "PAUSED");
  await until(`${other}/steps/b/attempts/1`, "PAUSED");
  expect(step.timeline).toMatchObject([
    { status: "CREATED" },
    { status: "INITIALIZED" },
    { status: "PAUSED" },
    { type: "LOG", message: "Paused by a breakpoint, until the step is resumed or the breakpoint is removed" },
  ]);
  const removed = parseJson(await send("DELETE", AT + query("held", "b"))) as JsonObject;
  expect((removed.timeline_event as JsonObject).message).toBe(
    "StepBreakpoint has been removed by the user [ann]. Total of [2] steps have been resumed",
  );
  await until(one, "SUCCEEDED");
  await until(other, "SUCCEEDED");
});

test("one attempt is resumed, and the breakpoint holds the next run", async () => {
  await push("one", ...steps);
  await send("POST", AT, json({ workflow_id: "one", step_id: "a" }));
  const first = await start("one");
  await until(`${first}/steps/a/attempts/1`, "PAUSED");
  await send("PUT", `${AT}${first}/steps/a/attempts/1/actions/resume`);
  await until(first, "SUCCEEDED");
  const { timeline } = await until(`${first}/steps/a/attempts/1`, "SUCCEEDED");
  expect((timeline as unknown as readonly JsonObject[]).flatMap(({ message }) => message ?? [])).toEqual([
    "Paused by a breakpoint, until the step is resumed or the breakpoint is removed",
    "User [ann] resumed the paused attempt [one][1][1][a][1]",
  ]);
  expect(await sql`SELECT 1 FROM paused_attempt`).toHaveLength(0);
  const second = await start("one");
  await until(`${second}/steps/a/attempts/1`, "PAUSED");
  await send("PUT", `${AT}${second}/steps/a/attempts/latest/actions/resume`);
  await until(second, "SUCCEEDED");
});

test("what is resumed without a hint is found by the sweep", async () => {
  await push("lost", ...steps);
  await send("POST", AT, json({ workflow_id: "lost", step_id: "a" }));
  const path = await start("lost");
  await until(`${path}/steps/a/attempts/1`, "PAUSED");
  await sql`DELETE FROM paused_attempt`;
  pass(600_000);
  await until(path, "IN_PROGRESS");
  pool.sweep();
  await until(path, "SUCCEEDED");
});

test("a breakpoint that no hint has told of is found by the sweep", async () => {
  await push("untold", ...steps);
  const [{ internal_id }] = (await sql`SELECT internal_id FROM workflow WHERE workflow_id = 'untold'`) as unknown as [
    { internal_id: number },
  ];
  await sql`INSERT INTO breakpoint (internal_id, step_id, workflow_id, create_time, created_by)
    VALUES (${internal_id}, 'a', 'untold', 1, '"ann"')`;
  await until(await start("untold"), "SUCCEEDED");
  pool.sweep();
  for (let status: unknown; status !== "PAUSED"; ) {
    const step = await until(`${await start("untold")}/steps/a/attempts/1`, "SUCCEEDED", "PAUSED");
    status = (step.runtime_state as JsonObject).status;
  }
});

test("a paused step can be skipped or stopped, and nothing of it stays", async () => {
  await push("ends", ...steps);
  await send("POST", AT, json({ workflow_id: "ends", step_id: "a" }));
  const [one, other] = [await start("ends"), await start("ends")];
  await until(`${one}/steps/a/attempts/1`, "PAUSED");
  await until(`${other}/steps/a/attempts/1`, "PAUSED");
  await send("PUT", "/ends/instances/1/steps/a/actions/skip?blocking=false");
  await send("PUT", "/ends/instances/2/steps/a/actions/stop?blocking=false");
  await until(one, "SUCCEEDED");
  await until(other, "STOPPED");
  expect(parseJson(await send("GET", `${AT}/paused-step-attempts${query("ends", "a")}`))).toEqual([]);
});

test("a step of a loop within a loop is held in each iteration, and shown with the run that it is in", async () => {
  const each = { i: { type: "LONG_ARRAY", value: [1, 2] } };
  const inner = {
    foreach: {
      id: "inner",
      params: { loop_params: { type: "MAP", value: each } },
      steps: [{ step: { id: "deep", type: "NoOp" } }],
    },
  };
  const count = { id: "count", type: "NoOp", params: { n: { type: "LONG", expression: "n + 1" } } };
  const outer = {
    while: {
      id: "outer",
      condition: "n < 1",
      params: { loop_params: { type: "MAP", value: { n: { type: "LONG", value: 0 } } } },
      steps: [{ step: count }, inner],
    },
  };
  await send("POST", "", json({ properties: { owner: "ann" }, workflow: { id: "nested", steps: [outer] } }));
  const made = parseJson(await send("POST", AT, json({ workflow_id: "nested", step_id: "deep" }))) as JsonObject;
  expect(made.workflow_id).toMatch(/^maestro_while_[0-9A-Za-z]+_$/);
  await send("POST", AT, json({ workflow_id: "nested", step_id: "inner" }));
  const path = await start("nested");
  const loops = `${AT}/paused-step-attempts${query("nested", "inner")}`;
  while ((await send("GET", loops)) === "[]") await new Promise((resolve) => setImmediate(resolve));
  expect(parseJson(await send("GET", loops))).toMatchObject([
    { workflow_id: expect.stringMatching(/^maestro_while_/) },
  ]);
  await send("DELETE", AT + query("nested", "inner"));
  const list = `${AT}/paused-step-attempts${query("nested", "deep")}`;
  const paused = async () => parseJson(await send("GET", list)) as unknown as readonly JsonObject[];
  while ((await paused()).length < 2) await new Promise((resolve) => setImmediate(resolve));
  expect(await paused()).toMatchObject([
    { workflow_id: expect.stringMatching(/^maestro_foreach_/), workflow_instance_id: 1, step_id: "deep" },
    { workflow_id: expect.stringMatching(/^maestro_foreach_/), workflow_instance_id: 2, step_id: "deep" },
  ]);
  const [first] = await paused();
  await send("PUT", `${AT}/${first?.workflow_id}/instances/1/runs/1/steps/deep/attempts/1/actions/resume`);
  await send("DELETE", AT + query("nested", "deep"));
  await until(path, "SUCCEEDED");
});
