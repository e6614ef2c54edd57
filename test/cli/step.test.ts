import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, argv: readonly string[]) {
  server = fakeServer(answer);
  return run(argv, { env: { MAESTRO_SERVER: server.url } });
}

const reply = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 1, step_id: "load", step_attempt_id: 1 };

test.each([
  ["stop", "STOPPED"],
  ["kill", "FATALLY_FAILED"],
  ["skip", "SKIPPED"],
])("step %s says what the step has become", async (verb, status) => {
  const body = { ...reply, step_runtime_state: { status } };
  const result = await at(() => ({ body }), ["step", verb, "etl", "7", "load"]);
  expect(result).toEqual({ exit: 0, out: `etl instance 7 run 1 step load: ${status}\n`, err: "" });
  const path = `/api/v3/workflows/etl/instances/7/steps/load/actions/${verb}`;
  expect(server?.requests).toMatchObject([{ method: "PUT", path, user: "ann" }]);
});

test("--no-wait asks, and does not wait", async () => {
  const result = await at(() => ({ body: reply }), ["step", "skip", "etl", "7", "load", "--no-wait"]);
  expect(result.out).toBe("etl instance 7 run 1 step load: asked to skip\n");
  expect(server?.requests[0]?.path).toEndWith("/actions/skip?blocking=false");
});

test("a step that does not end in time is a wait without success", async () => {
  const body = { status: "REQUEST_TIMEOUT", message: "STOP of step [load] is accepted and not done yet" };
  const result = await at(() => ({ status: 408, body }), ["step", "stop", "etl", "7", "load"]);
  expect([result.exit, result.err]).toEqual([6, expect.stringContaining("not done yet")]);
});

test("a step that is skipped after its run has ended is skipped in a new one", async () => {
  const body = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 2 };
  const result = await at(() => ({ body }), ["step", "skip", "etl", "7", "load"]);
  expect(result.out).toBe("etl instance 7 run 2: a new run, in which step load is skipped\n");
});

test("step succeed sends what the step puts out, and no body without", async () => {
  const body = { ...reply, step_runtime_state: { status: "SUCCEEDED" } };
  const result = await at(() => ({ body }), ["step", "succeed", "etl", "7", "load", "-p", "rows=100"]);
  expect(result.out).toBe("etl instance 7 run 1 step load: SUCCEEDED\n");
  expect(server?.requests).toMatchObject([
    {
      method: "PUT",
      path: "/api/v3/workflows/etl/instances/7/steps/load/actions/succeed",
      body: { outputs: { rows: { type: "LONG", value: 100 } } },
    },
  ]);
});

test("step restart says which run or attempt it makes, and hands the params to the step", async () => {
  const body = { ...reply, workflow_run_id: 2, status: "CREATED" };
  const argv = ["step", "restart", "etl", "7", "load", "--from", "beginning", "--inline-root", "-p", "rows=1"];
  const result = await at(() => ({ body }), argv);
  expect([result.exit, result.out]).toEqual([0, "etl instance 7 run 2: CREATED\n"]);
  expect(server?.requests).toMatchObject([
    {
      method: "POST",
      path: "/api/v3/workflows/etl/instances/7/steps/load/actions/restart",
      body: {
        restart_policy: "RESTART_FROM_BEGINNING",
        upstream_restart_mode: "RESTART_FROM_INLINE_ROOT",
        step_run_params: { rows: { type: "LONG", value: 1 } },
      },
    },
  ]);
});

test("run restart goes on from what is incomplete, unless it is told to begin anew", async () => {
  const body = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 2, status: "CREATED" };
  const result = await at(() => ({ body }), ["run", "restart", "etl", "7", "-p", "rows=1"]);
  expect([result.exit, result.out]).toEqual([0, "etl instance 7 run 2: CREATED\n"]);
  expect(server?.requests).toMatchObject([
    {
      method: "POST",
      path: "/api/v3/workflows/etl/instances/7/actions/restart",
      body: { restart_policy: "RESTART_FROM_INCOMPLETE", run_params: { rows: { type: "LONG", value: 1 } } },
    },
  ]);
  const wrong = await at(() => ({ body }), ["run", "restart", "etl", "7", "--from", "middle"]);
  expect([wrong.exit, wrong.err]).toEqual([2, expect.stringContaining("must be incomplete or beginning")]);
});
