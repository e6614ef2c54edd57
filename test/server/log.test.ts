/** What a server's log says of runs and steps at its default level. */
import { beforeAll, expect, test } from "bun:test";
import { type JsonObject, parseJson } from "../../src/json.ts";
import { PATIENCE, type Served, served } from "./served.ts";

let server: Served;
beforeAll(async () => {
  server = await served({ MAESTRO_LOG_FORMAT: "json" });
}, PATIENCE);

const text = (value: string) => ({ type: "STRING", value });
const shell = (script: string) => ({ shell: { type: "MAP", value: { script: text(script) } } });

async function push(id: string, step: object, properties: object = {}): Promise<void> {
  const workflow = { id, steps: [{ step: { id: "a", ...step } }] };
  await server.send("POST", "", { properties: { owner: "ann", ...properties }, workflow });
}

/** The lines about a workflow, once there are so many. Times are taken out. */
async function linesOf(workflow: string, count: number): Promise<readonly JsonObject[]> {
  for (;;) {
    const lines = server
      .log()
      .split("\n")
      .filter((line) => line.startsWith("{"));
    const found = lines.map((line) => parseJson(line) as JsonObject).filter((line) => line.workflow === workflow);
    if (found.length >= count) return found.map(({ time, thread, ms, ...rest }) => rest);
    await Bun.sleep(10);
  }
}

const about = (workflow: string, instance = 1) => ({ level: "info", workflow, instance, run: 1 });
const ended = (workflow: string, status: string, rest: object = {}) => ({
  ...{ ...about(workflow), message: "run ended", status },
  ...rest,
});

test("a run that succeeds is one line", async () => {
  await push("well", { type: "NoOp" });
  await server.run("well");
  expect(await linesOf("well", 1)).toEqual([ended("well", "SUCCEEDED")]);
});

test("each attempt that fails is a line with its reason", async () => {
  const backoff = { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 1 };
  const params = shell("echo 'no\u001b[31m such\ndisk' >&2; exit 3");
  await push("badly", { type: "shell", params, retry_policy: { error_retry_limit: 1, backoff } });
  await server.run("badly");
  const lines = await linesOf("badly", 3);
  const attempt = (number: number) => ({
    ...{ ...about("badly"), step: "a", attempt: number },
    reason: "Exit code 3: no\u001b[31m such\ndisk",
  });
  expect(lines).toEqual([
    { ...attempt(1), message: "attempt failed, and the step is tried again", status: "USER_FAILED" },
    { ...attempt(2), message: "step failed", status: "FATALLY_FAILED" },
    ended("badly", "FAILED"),
  ]);
});

test("a step that fails by the engine's word, and a run whose start does, are lines", async () => {
  await push("wrong", { type: "NoOp", params: { x: { type: "LONG", expression: "1 / 0" } } });
  await server.run("wrong");
  const [step, run] = await linesOf("wrong", 2);
  expect(step).toMatchObject({ ...about("wrong"), message: "step failed", step: "a", status: "INTERNALLY_FAILED" });
  expect(step?.reason).toContain("by zero");
  expect(run).toEqual(ended("wrong", "FAILED"));
});

test("iterations of a loop are lines when they do not succeed", async () => {
  const body = { id: "in", type: "NoOp", params: { x: { type: "LONG", expression: "1 / i" } } };
  const values = { type: "LONG_ARRAY", value: [1, 0, 2] };
  const params = { loop_params: { type: "MAP", value: { i: values } } };
  const foreach = { id: "each", concurrency: 1, params, steps: [{ step: body }] };
  await server.send("POST", "", { properties: { owner: "ann" }, workflow: { id: "loops", steps: [{ foreach }] } });
  await server.run("loops");
  await linesOf("loops", 2);
  const lines = server
    .log()
    .split("\n")
    .filter((line) => line.includes("maestro_foreach_"));
  expect(lines.map((line) => parseJson(line))).toMatchObject([
    { message: "step failed", instance: 2, step: "in" },
    { message: "run ended", instance: 2, status: "FAILED" },
  ]);
});

test("runs that wait are lines when a user or their run strategy stops them", async () => {
  const long = { type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 1000 } } };
  const start = (id: string) =>
    server.send("POST", `/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });
  await push("waits", long, { run_strategy: { rule: "SEQUENTIAL" } });
  await push("newest", long, { run_strategy: { rule: "LAST_ONLY" } });
  await push("first", long, { run_strategy: { rule: "FIRST_ONLY" } });
  for (const id of ["waits", "newest", "first"]) for (let count = 0; count < 2; count++) await start(id);
  await server.send("PUT", "/waits/instances/2/actions/stop");
  await server.send("PUT", "/waits/instances/1/actions/kill");
  expect(await linesOf("waits", 3)).toEqual(
    expect.arrayContaining([
      { ...ended("waits", "STOPPED"), instance: 2, reason: expect.stringContaining("User [ann]") },
      {
        ...about("waits"),
        message: "step failed",
        step: "a",
        attempt: 1,
        status: "FATALLY_FAILED",
        reason: expect.stringContaining("User [ann]"),
      },
      ended("waits", "FAILED", { reason: expect.stringContaining("User [ann]") }),
    ]),
  );
  const reason = expect.stringContaining("run strategy");
  expect(await linesOf("first", 1)).toEqual([{ ...ended("first", "STOPPED", { reason }), instance: 2 }]);
  expect(await linesOf("newest", 1)).toContainEqual({ ...ended("newest", "STOPPED"), reason: expect.any(String) });
});
