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
