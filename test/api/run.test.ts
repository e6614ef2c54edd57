import { describe, expect, test } from "bun:test";
import { Reader } from "../../src/api/reader.ts";
import type { StepStatus } from "../../src/step/status.ts";
import { loadRun } from "../../src/store/instance.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";

const { call, engine, sql, read, change, write, skip } = await apiFixture();
const BASE = "/api/v3/workflows";

const push = (id: string, ...steps: ReturnType<typeof noop>[]) => call("POST", BASE, definition(id, ...steps));
const start = (id: string, body: object = {}) =>
  call("POST", `${BASE}/${id}/versions/latest/actions/start`, { initiator: { type: "manual" }, ...body });

const T = 1_700_000_000_000;
const done = (id: string, stepInstanceId: number, attemptId = 1) =>
  attempt(id, attemptId, {
    stepInstanceId,
    uuid: `uuid-${id}-${attemptId}`,
    status: "SUCCEEDED",
    times: {
      create_time: T,
      initialize_time: T + 1,
      wait_signal_time: T + 2,
      evaluate_param_time: T + 3,
      wait_permit_time: T + 4,
      start_time: T + 5,
      execute_time: T + 6,
      finish_time: T + 7,
      end_time: T + 8,
      modify_time: T + 8,
    },
    paramsTime: T + 3,
  });

const at = (id: string, status: StepStatus) => ({ ...done(id, 1), status });

test("a run that begins between the reads of its row and of its steps is not shown as CREATED with steps", async () => {
  await push("torn", noop("a"), noop("b"));
  await start("torn");
  const row = await read("torn");
  const reader = new Reader(sql);
  const shown = async () => {
    const view = await reader.run(row, { enriched: false, aggregated: true });
    const aggregate = Object.values(view.aggregated_info?.step_aggregated_views ?? {}).map((it) => it.status);
    return [view.status, Object.keys(view.runtime_overview?.step_overview ?? {}), aggregate];
  };
  expect(await shown()).toEqual(["CREATED", [], ["NOT_CREATED", "NOT_CREATED"]]);
  await write(row, [attempt("a", 1, { status: "RUNNING" })]);
  await change(row, "IN_PROGRESS");
  expect(await shown()).toEqual(["IN_PROGRESS", ["RUNNING"], ["RUNNING", "NOT_CREATED"]]);
  // Ended with steps that were not there when the steps were read.
  await change(row, "SUCCEEDED", [done("a", 1), done("b", 2)]);
  expect(await shown()).toEqual(["SUCCEEDED", ["SUCCEEDED"], ["SUCCEEDED", "SUCCEEDED"]]);
});

describe("starting", () => {
  test("answers with the ids, and again with the same ids for a repeated request id", async () => {
    await push("start");
    const request_id = "4F3F1A4E-0a3e-4d0e-9d5e-1c2b3a4d5e6f";
    const first = await start("start", { request_id });
    expect(first.body).toMatchObject({
      workflow_id: "start",
      workflow_version_id: 1,
      workflow_instance_id: 1,
      workflow_run_id: 1,
      workflow_uuid: request_id.toLowerCase(),
      status: "CREATED",
      timeline_event: { type: "LOG", level: "INFO" },
    });
    const second = await start("start", { request_id });
    expect([second.status, second.body.status, second.body.workflow_instance_id]).toEqual([200, "DUPLICATED", 1]);
  });

  test("puts the caller into the initiator, whatever the request says", async () => {
    await push("caller");
    await start("caller", { initiator: { type: "MANUAL", user: "mallory" } });
    const { body } = await call("GET", `${BASE}/caller/instances/1`);
    expect(body.initiator).toEqual({ depth: 0, user: "ann", type: "MANUAL" });
  });

  test("takes artifacts of unknown types as free-form ones", async () => {
    await push("artifacts");
    await start("artifacts", { artifacts: { mine: { n: 3 }, other: { type: "DEFAULT2", v: 1 } } });
    const { body } = await call("GET", `${BASE}/artifacts/instances/1`);
    expect(body.artifacts).toEqual({ mine: { n: 3 }, other: { v: 1 } });
  });

  const refused: readonly (readonly [string, unknown])[] = [
    ["no initiator", {}],
    ["an unknown initiator", { initiator: { type: "nobody" } }],
    ["a step's initiator", { initiator: { type: "FOREACH", ancestors: [] } }],
    ["an unknown field", { initiator: { type: "manual" }, nonsense: 1 }],
    ["a request id that is no UUID", { initiator: { type: "manual" }, request_id: "x" }],
    ["a reserved param", { initiator: { type: "manual" }, run_params: { params: { type: "LONG", value: 1 } } }],
    [
      "a param's source",
      { initiator: { type: "manual" }, run_params: { n: { type: "LONG", value: 1, source: "SYSTEM" } } },
    ],
    ["a repeated tag", { initiator: { type: "manual" }, runtime_tags: ["a", "a"] }],
    ["129 params", { initiator: { type: "manual" }, run_params: many(129) }],
  ];
  for (const [name, body] of refused) {
    test(`refuses ${name}, with the findings`, async () => {
      const answer = await call("POST", `${BASE}/start/versions/latest/actions/start`, body);
      expect([answer.status, answer.body.status]).toEqual([400, "BAD_REQUEST"]);
      expect(answer.body.errors.length).toBeGreaterThan(0);
    });
  }

  function many(count: number) {
    return Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, { type: "LONG", value: i }]));
  }
});

describe("a run", () => {
  test("that has ended shows its overview, its steps by position in the graph, and its changes of status", async () => {
    await push("read", noop("a", { b: "true", c: "false" }), noop("b"), noop("c"));
    await start("read", { runtime_tags: ["rt"] });
    const run = await read("read");
    const c = attempt("c", 1, { stepInstanceId: 3, status: "UNSATISFIED", times: { create_time: T, end_time: T + 9 } });
    const attempts = [done("a", 1), done("b", 2), c];
    await write(run, attempts);
    await change(run, "SUCCEEDED", attempts);
    const { body } = await call("GET", `${BASE}/read/instances/1/runs/latest?aggregated=true`);
    expect(body.runtime_overview).toEqual({
      total_step_count: 3,
      step_overview: {
        SUCCEEDED: {
          cnt: 2,
          steps: [
            [1, T + 5, T + 8],
            [2, T + 5, T + 8],
          ],
        },
        UNSATISFIED: { cnt: 1, steps: [[3, null, T + 9]] },
      },
      rollup_overview: { total_leaf_count: 3, overview: { SUCCEEDED: { cnt: 2 }, UNSATISFIED: { cnt: 1 } } },
    });
    expect(body.runtime_dag).toEqual({
      a: { successors: { b: "true", c: "false" } },
      b: { predecessors: ["a"] },
      c: { predecessors: ["a"] },
    });
    expect(body.aggregated_info).toEqual({
      workflow_instance_status: "SUCCEEDED",
      step_aggregated_views: {
        a: { workflow_run_id: 1, status: "SUCCEEDED", start_time: T + 5, end_time: T + 8 },
        b: { workflow_run_id: 1, status: "SUCCEEDED", start_time: T + 5, end_time: T + 8 },
        c: { workflow_run_id: 1, status: "UNSATISFIED", end_time: T + 9 },
      },
    });
    expect(body.timeline.map((it: { type: string; status?: string }) => it.status ?? it.type)).toEqual(
      ["CREATED", "LOG", "IN_PROGRESS", "SUCCEEDED"].sort((x, y) => order(body.timeline, x) - order(body.timeline, y)),
    );
    expect(body.runtime_workflow.tags).toEqual([{ name: "rt" }]);
    expect(body.params.RUN_TS).toMatchObject({ type: "LONG", source: "SYSTEM_DEFAULT", mode: "MUTABLE_ON_START" });
    expect(body.params.workflow_id).toMatchObject({ evaluated_result: "read", mode: "CONSTANT" });
  });

  const order = (timeline: readonly { type: string; status?: string }[], label: string): number =>
    timeline.findIndex((it) => (it.status ?? it.type) === label);

  test("that runs derives its overview from the newest attempts", async () => {
    await push("live", noop("a"), noop("b"));
    await start("live");
    const run = await read("live");
    await write(run, [
      attempt("a", 1, {
        uuid: "a1",
        status: "USER_FAILED",
        times: { create_time: T, start_time: T + 1, end_time: T + 2 },
      }),
      attempt("a", 2, { uuid: "a2", status: "RUNNING", times: { create_time: T + 3, start_time: T + 4 } }),
    ]);
    await change(run, "IN_PROGRESS");
    const { body } = await call("GET", `${BASE}/live/instances/1/runs/1?enriched=false`);
    expect(body.runtime_overview.step_overview).toEqual({ RUNNING: { cnt: 1, steps: [[1, T + 4, null]] } });
    expect(body.runtime_overview.rollup_overview).toEqual({
      total_leaf_count: 1,
      overview: { RUNNING: { cnt: 1, ref: { "live:1": ["1:a:2"] } } },
    });
    expect(body.end_time).toBeUndefined();
  });

  test("that waits in the queue has no overview and no execution id", async () => {
    await call("POST", BASE, { ...definition("queued"), properties: { owner: "ann" } });
    await start("queued");
    await start("queued");
    const { body } = await call("GET", `${BASE}/queued/instances/2/runs/1`);
    expect([body.status, body.runtime_overview, body.execution_id, body.start_time]).toEqual([
      "CREATED",
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("that does not exist is not found; a run id that is none is a bad request", async () => {
    await push("missing");
    expect((await call("GET", `${BASE}/missing/instances/1`)).status).toBe(404);
    expect((await call("GET", `${BASE}/missing/instances/1/runs/7`)).status).toBe(404);
    expect((await call("GET", `${BASE}/missing/instances/1/runs/abc`)).body.status).toBe("BAD_REQUEST");
    expect((await call("GET", `${BASE}/missing/instances/abc`)).body).toMatchObject({
      type: "about:blank",
      status: 400,
    });
  });

  test("is waited for until its end is committed", async () => {
    await push("wait");
    await start("wait");
    const run = await read("wait");
    skip(1000);
    const answer = call("GET", `${BASE}/wait/instances/1/runs/1?wait=60`);
    await engine.ended.listening(1);
    await change(run, "SUCCEEDED", []);
    engine.ended.hint();
    expect((await answer).body.status).toBe("SUCCEEDED");
    await engine.ended.listening(0);
  });

  test("is read again now and then, for hints get lost, though it is under way on this node", async () => {
    await push("lost");
    await start("lost");
    const run = await read("lost");
    engine.hasRuns = true;
    const answer = call("GET", `${BASE}/lost/instances/1/runs/1?wait=60`);
    await engine.ended.listening(1);
    await change(run, "SUCCEEDED", []);
    expect((await answer).body.status).toBe("SUCCEEDED");
    const late = call("GET", `${BASE}/lost/instances/1/runs/7?wait=60`);
    expect((await late).status).toBe(404);
    engine.hasRuns = false;
  });

  test("is answered as it is when the wait is over", async () => {
    await push("impatient");
    await start("impatient");
    const answer = call("GET", `${BASE}/impatient/instances/1/runs/1?wait=1`);
    skip(2000);
    expect((await answer).body.status).toBe("CREATED");
    expect((await call("GET", `${BASE}/impatient/instances/1/runs/1?wait=9999`)).status).toBe(400);
  });
});

describe("an instance with several runs", () => {
  test("shows the latest run, over the steps of all of them", async () => {
    await push("again", noop("a", { b: "true" }), noop("b"));
    await start("again");
    const first = await read("again");
    const failed = attempt("b", 1, { ...done("b", 2), uuid: "b1", status: "FATALLY_FAILED" });
    await write(first, [done("a", 1), failed]);
    await change(first, "FAILED_2", [done("a", 1), failed]);
    await sql`INSERT INTO run SELECT (jsonb_populate_record(r, '{"run_id": 2, "key": 900001, "uuid": "again-2",
        "status": "IN_PROGRESS", "end_time": null, "overview": null,
        "config": {"policy": "RESTART_FROM_SPECIFIC"}}'::jsonb)).* FROM run r WHERE key = ${first.key}`;
    const { body } = await call("GET", `${BASE}/again/instances/1`);
    expect([body.workflow_run_id, body.status]).toEqual([2, "IN_PROGRESS"]);
    expect(body.aggregated_info.step_aggregated_views).toEqual({
      a: { status: "SUCCEEDED", workflow_run_id: 1, start_time: T + 5, end_time: T + 8 },
      b: { status: "NOT_CREATED" },
    });
    expect(body.runtime_dag).toEqual({ b: {} });
    const run = await read("again");
    await write(run, [attempt("b", 1, { ...done("b", 2), uuid: "b2" })]);
    const page = (await call("GET", `${BASE}/again/instances?first=1`)).body.elements[0];
    expect(page.aggregated_info.step_aggregated_views.b).toMatchObject({ status: "SUCCEEDED", workflow_run_id: 2 });
    const runs = (await call("GET", `${BASE}/again/instances/1/runs?first=1`)).body;
    expect([runs.elements[0].workflow_run_id, runs.total_count, runs.page_info.has_next_page]).toEqual([2, 2, true]);
    const steps = (await call("GET", `${BASE}/again/instances/1/steps`)).body;
    expect(steps.map((it: { step_id: string; workflow_run_id: number }) => [it.step_id, it.workflow_run_id])).toEqual([
      ["a", 1],
      ["b", 2],
    ]);
    expect((await call("GET", `${BASE}/again/instances/1/steps/a`)).body.workflow_run_id).toBe(1);
    expect((await call("PUT", `${BASE}/again/instances/1/runs/1/actions/stop`)).status).toBe(400);
  });
});

describe("pages of instances and runs", () => {
  test("count ids, ascend within a page, and end empty", async () => {
    await push("pages");
    for (let i = 0; i < 5; i++) await start("pages");
    const page = async (query: string) => {
      const { body } = await call("GET", `${BASE}/pages/instances?${query}`);
      const ids = body.elements.map((it: { workflow_instance_id: number }) => it.workflow_instance_id);
      return [
        ids,
        body.page_info.start_cursor,
        body.page_info.end_cursor,
        body.page_info.start_index,
        body.total_count,
      ];
    };
    expect(await page("first=2")).toEqual([[4, 5], "5", "4", 1, 5]);
    expect(await page("first=2&cursor=4")).toEqual([[2, 3], "3", "2", 3, 5]);
    expect(await page("first=2&cursor=1")).toEqual([[], null, null, null, 5]);
    expect(await page("last=2")).toEqual([[1, 2], "2", "1", 4, 5]);
    expect(await page("last=2&cursor=4")).toEqual([[5], "5", "5", 1, 5]);
    const runs = (await call("GET", `${BASE}/pages/instances/3/runs?first=5`)).body;
    expect([runs.elements.length, runs.total_count]).toEqual([1, 1]);
    expect((await call("GET", `${BASE}/nobody/instances?first=2`)).body.total_count).toBe(0);
  });
});

describe("the list of runs", () => {
  test("is newest first, filtered by workflow, status and text, and goes on at its cursor", async () => {
    await push("runs-a");
    await push("runs-b");
    for (let i = 0; i < 3; i++) await start("runs-a");
    await start("runs-b");
    await change(await read("runs-a", 2), "FAILED_1", []);
    const list = async (query: string) => {
      const { body } = await call("GET", `/api/v3/runs?${query}`);
      const rows = body.elements as { workflow_id: string; workflow_instance_id: number; status: string }[];
      return { ids: rows.map((it) => `${it.workflow_id}:${it.workflow_instance_id}`), next: body.next_cursor, rows };
    };
    expect((await list("search=runs-")).ids).toEqual(["runs-b:1", "runs-a:3", "runs-a:2", "runs-a:1"]);
    const failed = await list("workflow_id=runs-a&status=failed");
    expect([failed.ids, failed.rows[0]?.status]).toEqual([["runs-a:2"], "FAILED"]);
    const first = await list("workflow_id=runs-a&limit=2");
    expect(first.ids).toEqual(["runs-a:3", "runs-a:2"]);
    expect((await list(`workflow_id=runs-a&limit=2&cursor=${first.next}`)).ids).toEqual(["runs-a:1"]);
    const across = await list("search=runs-&limit=3");
    expect((await list(`search=runs-&limit=3&cursor=${across.next}`)).ids).toEqual(["runs-a:1"]);
    expect((await call("GET", "/api/v3/runs?status=NONE")).status).toBe(400);
    expect((await call("GET", "/api/v3/runs?cursor=1.2.3")).status).toBe(400);
    expect((await call("GET", "/api/v3/runs?workflow_id=runs-a&cursor=5")).status).toBe(400);
  });
});

describe("steps", () => {
  test("show their definition with defaults, their conditions and their retry policy", async () => {
    await push("steps", noop("a", { b: "x > 1" }), noop("b"));
    await start("steps");
    const run = await read("steps");
    await write(run, [
      { ...done("a", 1), conditions: { b: true }, conditionsTime: T + 8 },
      attempt("b", 1, { stepInstanceId: 2, status: "CREATED" }),
    ]);
    const { body } = await call("GET", `${BASE}/steps/instances/1/runs/1/steps/a/attempts/latest`);
    expect(body.definition).toEqual({
      step: {
        id: "a",
        transition: { successors: { b: "x > 1" } },
        type: "NoOp",
        failure_mode: "FAIL_AFTER_RUNNING",
        params: {},
      },
    });
    expect(body.transition).toEqual({
      successors: { b: { expression: "x > 1", type: "BOOLEAN", evaluated_result: true, evaluated_time: T + 8 } },
    });
    expect(body.step_retry).toMatchObject({ error_retries: 0, error_retry_limit: 2, retryable: true });
    expect(body.params.step_id).toMatchObject({ evaluated_result: "a", evaluated_time: T + 3, mode: "CONSTANT" });
    expect(body.signal_outputs).toEqual({});
    expect(body.timeline.map((it: { status: string }) => it.status)).toEqual([
      "CREATED",
      "INITIALIZED",
      "WAITING_FOR_SIGNALS",
      "EVALUATING_PARAMS",
      "WAITING_FOR_PERMITS",
      "STARTING",
      "RUNNING",
      "FINISHING",
      "SUCCEEDED",
    ]);
    const b = (await call("GET", `${BASE}/steps/instances/1/steps/b?enriched=false`)).body;
    expect([b.params, b.transition, b.timeline, b.signal_outputs]).toEqual([
      {},
      { predecessors: ["a"] },
      undefined,
      undefined,
    ]);
  });

  test("are listed by their order, the newest attempt of each", async () => {
    await push("list", noop("z"), noop("a"));
    await start("list");
    const run = await read("list");
    expect((await call("GET", `${BASE}/list/instances/1/runs/1/steps`)).status).toBe(404);
    expect((await call("GET", `${BASE}/list/instances/1/steps`)).body).toEqual([]);
    await write(run, [done("z", 1, 1), done("z", 1, 2), done("a", 2, 1)]);
    for (const path of ["runs/1/steps", "steps"]) {
      const { body } = await call("GET", `${BASE}/list/instances/1/${path}`);
      expect(body.map((it: { step_id: string; step_attempt_id: number }) => [it.step_id, it.step_attempt_id])).toEqual([
        ["z", 2],
        ["a", 1],
      ]);
    }
    expect((await call("GET", `${BASE}/list/instances/1/runs/1/steps/z/attempts/1`)).body.step_attempt_id).toBe(1);
    expect((await call("GET", `${BASE}/list/instances/1/runs/1/steps/z/attempts/3`)).status).toBe(404);
    expect((await call("GET", `${BASE}/list/instances/1/runs/1/steps/z/attempts/x`)).status).toBe(400);
    expect((await call("GET", `${BASE}/list/instances/9/steps`)).body).toEqual([]);
  });
});

describe("ending runs", () => {
  test("a queued one ends at once, and the queue is looked at", async () => {
    await call("POST", BASE, { ...definition("stopq"), properties: { owner: "ann" } });
    await start("stopq");
    await start("stopq");
    engine.dequeues.length = 0;
    const { body } = await call("PUT", `${BASE}/stopq/instances/2/actions/kill`, "", {
      "content-type": "application/json",
    });
    expect(body).toMatchObject({ workflow_instance_id: 2, workflow_instance_status: "FAILED", completed: true });
    expect(engine.dequeues).toEqual(["stopq"]);
    expect((await call("GET", `${BASE}/stopq/instances/2/runs/1`)).body.status).toBe("FAILED");
  });

  test("a running one is asked, once and again; a contrary request after its end is refused", async () => {
    await push("stopr");
    await start("stopr");
    const run = await read("stopr");
    await change(run, "IN_PROGRESS");
    engine.actions.length = 0;
    const first = await call("PUT", `${BASE}/stopr/instances/1/actions/stop`);
    expect(first.body).toMatchObject({ workflow_instance_status: "IN_PROGRESS", completed: false });
    await call("PUT", `${BASE}/stopr/instances/1/runs/1/actions/kill`);
    expect(engine.actions).toEqual([
      { runKey: run.key, groupId: run.groupId },
      { runKey: run.key, groupId: run.groupId },
    ]);
    const rows = await sql`SELECT kind FROM run_word WHERE run_key = ${run.key} ORDER BY kind`;
    expect(rows.map((row) => row.kind)).toEqual(["KILL", "STOP"]);
    await change(run, "STOPPED", []);
    const again = await call("PUT", `${BASE}/stopr/instances/1/actions/stop`);
    expect(again.body).toMatchObject({ completed: true, workflow_instance_status: "STOPPED" });
    expect((await call("PUT", `${BASE}/stopr/instances/1/actions/kill`)).status).toBe(400);
    expect((await call("PUT", `${BASE}/stopr/instances/1/actions/unblock`)).status).toBe(400);
    expect((await call("PUT", `${BASE}/stopr/instances/1/runs/2/actions/stop`)).status).toBe(400);
    expect((await call("PUT", `${BASE}/stopr/instances/9/actions/stop`)).status).toBe(404);
  });

  test("a step of a running one is said what to do, once", async () => {
    await push("stopstep");
    await start("stopstep");
    const run = await read("stopstep");
    const url = (step: string, action: string) =>
      `${BASE}/stopstep/instances/1/steps/${step}/actions/${action}?blocking=false`;
    expect((await call("PUT", url("a", "stop"))).status).toBe(404);
    expect((await call("PUT", url("a", "skip"))).status).toBe(400);
    expect((await call("PUT", url("nowhere", "stop"))).body.message).toContain("the run has no such step");
    await write(run, [at("a", "RUNNING")]);
    engine.actions.length = 0;
    const { status, body } = await call("PUT", url("a", "kill"));
    expect([status, body]).toEqual([
      200,
      {
        workflow_id: "stopstep",
        workflow_instance_id: 1,
        workflow_run_id: 1,
        step_id: "a",
        step_attempt_id: 1,
        timeline_event: expect.objectContaining({ message: expect.stringContaining("take action [KILL] on the step") }),
      },
    ]);
    expect(engine.actions).toEqual([{ runKey: run.key, groupId: run.groupId }]);
    const rows = await sql`SELECT step_id, kind FROM run_word WHERE run_key = ${run.key}`;
    expect(rows.map((row) => [row.step_id, row.kind])).toEqual([["a", "KILL"]]);
    expect((await call("PUT", url("a", "stop"))).status).toBe(409);
    await write(run, [at("a", "SUCCEEDED")]);
    expect((await call("PUT", url("a", "stop"))).body.message).toContain("it is SUCCEEDED");
    await change(run, "SUCCEEDED", []);
    expect((await call("PUT", url("a", "stop"))).body.message).toContain("the run is SUCCEEDED");
    expect((await call("PUT", url("a", "stop").replace("instances/1", "instances/9"))).status).toBe(404);
  });

  test("a step that does not end in time is answered with 408, and ends later", async () => {
    await push("slowstep");
    await start("slowstep");
    const run = await read("slowstep");
    await write(run, [at("a", "RUNNING")]);
    const answer = call("PUT", `${BASE}/slowstep/instances/1/steps/a/actions/stop`);
    skip(6_000);
    const { status, body } = await answer;
    expect([status, body.message]).toEqual([408, expect.stringContaining("is accepted and not done yet")]);
    expect(await sql`SELECT 1 FROM run_word WHERE run_key = ${run.key}`).toHaveLength(1);
  });

  test("all of a workflow: queued ones at once, running ones by their owners", async () => {
    await call("POST", BASE, { ...definition("stopall"), properties: { owner: "ann", run_strategy: 2 } });
    for (let i = 0; i < 5; i++) await start("stopall");
    engine.actions.length = 0;
    const { status, body } = await call("PUT", `${BASE}/stopall/actions/stop`);
    expect([status, body.action, body.message]).toEqual([
      202,
      "STOP",
      "Terminated [3] queued instances and terminating [2] running instances",
    ]);
    expect(engine.actions.length).toBe(2);
    expect((await call("PUT", `${BASE}/nobody/actions/kill`)).status).toBe(202);
  });

  test("unblocking marks failed runs, once", async () => {
    await push("unblock");
    for (let i = 1; i <= 3; i++) await start("unblock");
    for (let i = 1; i <= 3; i++) await change(await read("unblock", i), "FAILED", []);
    const one = await call("PUT", `${BASE}/unblock/instances/1/actions/unblock`);
    expect(one.body).toMatchObject({
      completed: true,
      workflow_instance_status: "FAILED",
      info: "The action is done.",
    });
    expect(one.body.timeline_event).toMatchObject({ type: "ACTION", action: "UNBLOCK", author: "ann" });
    const again = await call("PUT", `${BASE}/unblock/instances/1/runs/1/actions/unblock`);
    expect(again.body.info).toBe("The action is done without any operation.");
    const all = await call("PUT", `${BASE}/unblock/actions/unblock`);
    expect(all.body.message).toBe("Unblocked [2] failed workflow instances.");
    expect((await loadRun(sql, "unblock", 3, 1))?.status).toBe("FAILED_1");
    expect((await loadRun(sql, "unblock", 3, 1))?.timeline.at(-1)).toMatchObject({ action: "UNBLOCK" });
    expect((await call("GET", `${BASE}/unblock/overview`)).body.failed_instances).toBe(0);
  });
});
