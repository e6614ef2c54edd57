import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, ...argv: readonly string[]) {
  server = fakeServer(answer);
  return run(argv, { env: { MAESTRO_SERVER: server.url } });
}

const BASE = "/api/v3/workflows/steps/breakpoints";
const event = (message: string) => ({ timeline_event: { type: "LOG", level: "INFO", message } });

test("add sets a breakpoint", async () => {
  const result = await at(() => ({ body: {} }), "breakpoint", "add", "etl", "load");
  expect(result).toEqual({ exit: 0, out: "etl step load: every attempt is paused from now on\n", err: "" });
  const body = { workflow_id: "etl", step_id: "load" };
  expect(server?.requests).toMatchObject([{ method: "POST", path: BASE, user: "ann", body }]);
});

test.each([
  [[], "true"],
  [["--no-resume"], "false"],
])("rm %p removes it, and says how many attempts go on", async (options, resume) => {
  const answer = { body: event("Total of [2] steps have been resumed") };
  const result = await at(() => answer, "breakpoint", "rm", "etl", "load", ...options);
  expect(result.out).toBe("Total of [2] steps have been resumed\n");
  expect(server?.requests).toMatchObject([
    { method: "DELETE", path: `${BASE}?workflowId=etl&stepId=load&resume=${resume}` },
  ]);
});

test("rm of none is not found", async () => {
  const answer = { status: 404, body: { status: "NOT_FOUND", message: "Step [load] has no breakpoint." } };
  expect(await at(() => answer, "breakpoint", "rm", "etl", "load")).toMatchObject({ exit: 3, out: "" });
});

test("list shows whose they are", async () => {
  const breakpoint = { workflow_id: "etl", step_id: "load", created_by: "bob", create_time: 1_700_000_000_000 };
  const result = await at(() => ({ body: [breakpoint] }), "breakpoint", "list", "etl", "load");
  expect(result.out).toMatch(/^WORKFLOW +STEP +BY +CREATED\netl +load +bob +2023-11-14/);
  expect(server?.requests[0]?.path).toBe(`${BASE}?workflowId=etl&stepId=load`);
});

test("paused shows what is paused, or that nothing is", async () => {
  const attempt = {
    ...{ workflow_id: "etl", workflow_version_id: 1, workflow_instance_id: 7, workflow_run_id: 2, step_id: "load" },
    ...{ step_attempt_id: 3, create_time: 1_700_000_000_000 },
  };
  const result = await at(() => ({ body: [attempt] }), "breakpoint", "paused", "etl", "load");
  expect(result.out).toMatch(/^WORKFLOW +INSTANCE +RUN +ATTEMPT +PAUSED\netl +7 +2 +3 +2023-11-14/);
  expect(server?.requests[0]?.path).toBe(`${BASE}/paused-step-attempts?workflowId=etl&stepId=load`);
  server?.stop();
  const none = await at(() => ({ body: [] }), "breakpoint", "paused", "etl", "load");
  expect(none).toEqual({ exit: 0, out: "", err: "No attempt at the step is paused.\n" });
});

test.each([
  [[], "runs/latest/steps/load/attempts/latest"],
  [["--run", "1", "--attempt", "2"], "runs/1/steps/load/attempts/2"],
])("resume %p lets one attempt go on", async (options, place) => {
  const answer = { body: event("User [ann] resumed it") };
  const result = await at(() => answer, "breakpoint", "resume", "etl", "7", "load", ...options);
  expect(result).toEqual({ exit: 0, out: "User [ann] resumed it\n", err: "" });
  expect(server?.requests).toMatchObject([
    { method: "PUT", path: `${BASE}/etl/instances/7/${place}/actions/resume`, body: {} },
  ]);
});
