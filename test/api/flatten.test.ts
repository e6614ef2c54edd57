/** The flattened view of loops: a step nested in a foreach, a while in it, and a foreach in that. */
import { expect, test } from "bun:test";
import type { Json } from "../../src/json.ts";
import type { Run } from "../../src/run/model.ts";
import type { StepStatus } from "../../src/step/status.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";
import { startChild } from "./tree.ts";

const { call, sql, read, write } = await apiFixture();
const WORKFLOWS = "/api/v3/workflows";

const array = (name: string) => ({
  params: { loop_params: { type: "MAP", value: { [name]: { type: "LONG_ARRAY", value: [1, 2] } } } },
});
const nested: Json = {
  foreach: {
    id: "outer",
    ...array("a"),
    steps: [
      {
        while: {
          id: "rounds",
          condition: "k < 2",
          params: { loop_params: { type: "MAP", value: { k: { type: "LONG", value: 0 } } } },
          steps: [{ foreach: { id: "inner", ...array("i_j"), steps: [noop("leaf")] } }],
        },
      },
    ],
  },
};
await call("POST", WORKFLOWS, definition("flat", nested, noop("beside")));
await call("POST", `${WORKFLOWS}/flat/versions/latest/actions/start`, { initiator: { type: "manual" } });
const root = await read("flat");
/** A later run of the same instance. */
await sql`INSERT INTO run SELECT (jsonb_populate_record(r, '{"run_id":2,"key":999,"uuid":"second"}')).* FROM run r
  WHERE workflow_id = 'flat'`;
const again = await read("flat", 1, 2);

const leaf = (run: Run, status: StepStatus, attemptId = 1) =>
  write(run, [attempt("leaf", attemptId, { status, times: { create_time: 50, end_time: 60 } })]);

/** 11 × 2 × 3 iterations: ids of two digits, so that texts have to be in the order of numbers. */
const A = 11;
let first: Run | undefined;
for (let a = 1; a <= A; a++) {
  const outer = await startChild(sql, root, "outer", { type: "FOREACH", instanceId: a, params: { a: a * 10 } });
  if (a === 1) first = outer;
  for (let k = 1; k <= 2; k++) {
    const round = await startChild(sql, outer, "rounds", { type: "WHILE", instanceId: k });
    for (let i = 1; i <= 3; i++) {
      const params = { a: a * 10, k: k - 1, i_j: i };
      const run = await startChild(sql, round, "inner", { type: "FOREACH", instanceId: i, params });
      // The last iteration of all has not come to the step yet.
      if (a < A || k < 2 || i < 3)
        await leaf(run, a === 3 && i === 2 ? "USER_FAILED" : a === 5 ? "RUNNING" : "SUCCEEDED");
    }
  }
}

const at = (runId: number, more = "") =>
  `/api/v3/views/flatten/workflows/flat/instances/1/runs/${runId}/steps/leaf${more}`;
const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
interface Iteration {
  readonly iteration_rank: string;
  readonly workflow_run_id: number;
  readonly step_runtime_state: { readonly status: string };
}
const ranks = (body: { readonly elements: readonly Iteration[] }) => body.elements.map((it) => it.iteration_rank);
const all = async (runId: number): Promise<readonly Iteration[]> =>
  (await call("GET", at(runId, "?first=200"))).body.elements;

test("pages forwards and backwards through every iteration once, in the order of the numbers", async () => {
  const forwards: string[] = [];
  for (let cursor = "", more = true; more; ) {
    const { body } = await call("GET", at(1, `?first=7${cursor}`));
    expect(body.page_info.has_previous_page).toBe(cursor !== "");
    expect(body.total_count).toBe(body.elements.length);
    forwards.push(...ranks(body));
    more = body.page_info.has_next_page;
    cursor = `&cursor=${body.page_info.end_cursor}`;
  }
  expect(forwards).toHaveLength(A * 6 - 1);
  expect([...new Set(forwards)].sort()).toEqual(forwards);
  expect([forwards[0], forwards[64]]).toEqual(["11-11-11", "211-12-12"]);
  const backwards: string[] = [];
  for (let cursor = "", more = true; more; ) {
    const { body } = await call("GET", at(1, `?last=7${cursor}`));
    expect(body.page_info.has_next_page).toBe(cursor !== "");
    backwards.unshift(...ranks(body));
    more = body.page_info.has_previous_page;
    cursor = `&cursor=${body.page_info.start_cursor}`;
  }
  expect(backwards).toEqual(forwards);
  const { body } = await call("GET", at(1, `?first=7&cursor=${Buffer.from("211-12-12").toString("base64url")}`));
  expect(body).toMatchObject({ elements: [], page_info: { start_cursor: null, has_next_page: false } });
});

test("an iteration tells its params, its place and how new it is", async () => {
  const { body } = await call("GET", at(1, "/iterations/3-2-1"));
  expect(body).toMatchObject({
    workflow_id: "flat",
    workflow_instance_id: 1,
    workflow_run_id: 1,
    step_id: "leaf",
    iteration_rank: "13-12-11",
    step_attempt_seq: "11-11-11-11-11-11-11-11",
    loop_params: { a: "30", k: "1", i_j: "1" },
    step_runtime_state: { status: "SUCCEEDED", create_time: 50, end_time: 60 },
  });
  const { workflow_id, workflow_instance_id, workflow_run_id, step_id, step_attempt_id } = body.leaf_step_instance_ref;
  const own = `${WORKFLOWS}/${workflow_id}/instances/${workflow_instance_id}/runs/${workflow_run_id}/steps/${step_id}`;
  expect((await call("GET", `${own}/attempts/${step_attempt_id}`)).status).toBe(200);
  expect((await call("GET", at(1, "/iterations/11-2-3"))).status).toBe(404);
  expect((await call("GET", at(1, "/iterations/12-1-1"))).status).toBe(404);
  for (const bad of ["1-1", "1-1-1-1", "01-1-1", "a-1-1", "0-1-1", "1-1-99999999999999999999"]) {
    expect([bad, (await call("GET", at(1, `/iterations/${bad}`))).status]).toEqual([bad, 400]);
  }
});

test("filters by status and by loop params, with values that are no SQL", async () => {
  const list = async (query: string) => ranks((await call("GET", at(1, `?first=200&${query}`))).body);
  expect(await list("statuses=user_failed")).toEqual(["13-11-12", "13-12-12"]);
  expect(await list("statuses=USER_FAILED,RUNNING")).toHaveLength(8);
  expect(await list(`loopParams=${base64({ a: ["20", 70], i_j: ["3"] })}`)).toEqual([
    ...["12-11-13", "12-12-13", "17-11-13", "17-12-13"],
  ]);
  expect(await list(`loopParams=${base64({ k: ["1"] })}&statuses=RUNNING`)).toEqual([
    "15-12-11",
    "15-12-12",
    "15-12-13",
  ]);
  expect(await list(`loopParams=${base64({ a: ["' OR 1=1 --"] })}`)).toEqual([]);
  expect(await list(`loopParams=${base64({ a: [] })}`)).toEqual([]);
  const refused = async (query: string) => (await call("GET", at(1, `?${query}`))).status;
  for (const bad of [
    ...["first=2&last=2", "", "first=0", "first=201", "first=2&cursor=zz", "first=2&statuses=NOPE"],
    `first=2&cursor=${Buffer.from("11-11").toString("base64url")}`,
    ...[{ b: ["1"] }, { a: "1" }, ["a"], { a: ["\0"] }, { "a' ": ["1"] }].map(
      (it) => `first=2&loopParams=${base64(it)}`,
    ),
    "first=2&loopParams=%00",
  ]) {
    expect([bad, await refused(bad)]).toEqual([bad, 400]);
  }
  for (const [path, status] of [
    [at(1).replace("leaf", "nope"), 404],
    [at(1).replace("leaf", "beside"), 404],
    [at(7), 404],
    [at(1).replace("flat/instances", `${first?.workflowId}/instances`), 400],
  ] as const) {
    expect([path, (await call("GET", `${path}?first=1`)).status]).toEqual([path, status]);
  }
  // A loop on the way has iterations, too.
  expect(ranks((await call("GET", at(1).replace("leaf", "rounds").concat("?first=3"))).body)).toEqual([]);
});

test("a summary counts, shows the iteration that says most, and samples values", async () => {
  const { body } = await call("GET", at(1, "/summary?statusCount=true&valueCount=2"));
  expect(body).toMatchObject({
    count_by_status: { SUCCEEDED: 57, RUNNING: 6, USER_FAILED: 2 },
    representative_iteration: { iteration_rank: "13-11-12", step_runtime_state: { status: "USER_FAILED" } },
    loop_param_values: { a: ["10", "20"], k: ["0", "1"], i_j: ["1", "2"] },
  });
  const bare = await call("GET", at(1, "/summary?representative=false&valueCount=0"));
  expect(bare.body).toEqual({ loop_param_values: {} });
});

test("a later run shows what it has run again, and for the rest what earlier runs left", async () => {
  // Iteration 3 runs again in run 2, and has come as far as its first round; 1 has been begun, and not come to the step.
  const outer = await startChild(sql, again, "outer", { type: "FOREACH", instanceId: 3, runId: 2, attemptId: 4 });
  const round = await startChild(sql, outer, "rounds", { type: "WHILE", instanceId: 1, runId: 2 });
  const run = await startChild(sql, round, "inner", { type: "FOREACH", instanceId: 2, runId: 2, params: { a: 30 } });
  await leaf(run, "USER_FAILED");
  await leaf(run, "SUCCEEDED", 2);
  await startChild(sql, again, "outer", { type: "FOREACH", instanceId: 1, runId: 2 });
  const [before, after] = [await all(1), await all(2)];
  expect(after.map((it) => it.iteration_rank)).toEqual(before.map((it) => it.iteration_rank));
  const differ = after.filter((it, index) => JSON.stringify(it) !== JSON.stringify(before[index]));
  expect(differ).toMatchObject([
    {
      iteration_rank: "13-11-12",
      workflow_run_id: 2,
      step_attempt_seq: "12-14-12-11-12-11-12-12",
      step_runtime_state: { status: "SUCCEEDED" },
    },
  ]);
  const counts = async (runId: number) => (await call("GET", at(runId, "/summary?statusCount=true"))).body;
  expect((await counts(1)).count_by_status.USER_FAILED).toBe(2);
  expect(await counts(2)).toMatchObject({
    count_by_status: { SUCCEEDED: 58, USER_FAILED: 1 },
    representative_iteration: { iteration_rank: "13-12-12" },
  });
});
