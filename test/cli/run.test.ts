import { afterEach, expect, test } from "bun:test";
import { stringifyJson } from "../../src/json.ts";
import { type Answer, type FakeServer, fakeServer, type Request, run } from "./harness.ts";

let server: FakeServer | undefined;
afterEach(() => server?.stop());

function at(answer: Answer, argv: readonly string[], options: Parameters<typeof run>[1] = {}) {
  server = fakeServer(answer);
  return run(argv, { ...options, env: { MAESTRO_SERVER: server.url, ...options.env } });
}

const ref = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 1 };
const started = { ...ref, status: "CREATED" };

test("start sends the params with their types", async () => {
  const argv = [
    "run",
    "start",
    "etl",
    "-p",
    "n=3",
    "--params",
    "-",
    "--param",
    "s:STRING=4",
    "--request-id",
    "0b9c3f4e-7f0a-4a67-9d0e-2f1f0c5a8b11",
  ];
  const result = await at(() => ({ body: started }), argv, { stdin: '{"n": 1, "list": ["a"]}' });
  expect(result).toEqual({ exit: 0, out: "etl instance 7 run 1: CREATED\n", err: "" });
  expect(server?.requests.filter(({ method }) => method === "POST")).toEqual([
    {
      method: "POST",
      path: "/api/v3/workflows/etl/versions/active/actions/start",
      user: "ann",
      body: {
        initiator: { type: "manual" },
        request_id: "0b9c3f4e-7f0a-4a67-9d0e-2f1f0c5a8b11",
        run_params: {
          n: { type: "LONG", value: 3 },
          list: { type: "STRING_ARRAY", value: ["a"] },
          s: { type: "STRING", value: "4" },
        },
      },
    },
  ]);
});

test("params may come from YAML: a definition's text is a text, and every other value is what it looks like", async () => {
  const stdin = "n: 9223372036854775807\nd: 1.50\nday: 2026-01-01\nv: {type: string, value: 007}\n";
  const argv = ["run", "start", "etl", "--params", "-"];
  expect(await at(() => ({ body: started }), argv, { stdin })).toMatchObject({ exit: 0 });
  expect(stringifyJson(server?.requests[0]?.body)).toEndWith(
    '"run_params":{"n":{"type":"LONG","value":9223372036854775807},"d":{"type":"DOUBLE","value":1.50},' +
      '"day":{"type":"STRING","value":"2026-01-01"},"v":{"type":"string","value":"007"}}}',
  );
});

test("start says what the run's timeline warns of", async () => {
  const timeline = [
    { type: "LOG", level: "INFO", message: "started" },
    { type: "LOG", level: "WARN", message: "Params that the definition does not declare: rwos (did you mean rows?)" },
  ];
  const answer: Answer = ({ method }) => ({ body: method === "POST" ? started : { ...ref, timeline } });
  const { exit, out, err } = await at(answer, ["run", "start", "etl", "-p", "rwos=3"]);
  expect([exit, out]).toEqual([0, "etl instance 7 run 1: CREATED\n"]);
  expect(err).toBe("warning: Params that the definition does not declare: rwos (did you mean rows?)\n");
});

test.each([
  ["CREATED", 0],
  ["DUPLICATED", 0],
  ["STOPPED", 5],
  ["INTERNAL_ERROR", 1],
])("a start that answers %s exits with %i", async (status, exit) => {
  const body = { ...ref, status, timeline_event: { message: "another one is running" } };
  expect((await at(() => ({ body }), ["run", "start", "etl"])).exit).toBe(exit);
});

test("a param that can't be read is a usage error, and nothing is sent", async () => {
  const { exit, err } = await at(() => ({ body: started }), ["run", "start", "etl", "-p", "n"]);
  expect([exit, server?.requests.length]).toEqual([2, 0]);
  expect(err).toContain("NAME=VALUE");
});

/** A server whose run goes through these states, one a look; the last one stays. */
function playing(states: readonly { status: string; steps: Readonly<Record<string, string>> | undefined }[]): Answer {
  let look = -1;
  return ({ method, path }: Request) => {
    if (method === "POST") return { body: started };
    if (path.endsWith("/steps")) {
      const { steps } = states[Math.min(look, states.length - 1)] ?? {};
      return steps && { body: Object.entries(steps).map(([id, status]) => step(id, status)) };
    }
    look += 1;
    const status = states[Math.min(look, states.length - 1)]?.status;
    return { body: { ...ref, status, start_time: 1000, end_time: 3500, runtime_dag: DAG } };
  };
}

const DAG = { a: {}, b: { predecessors: ["a"] }, c: { predecessors: ["a"] } };

const step = (id: string, status: string) => ({
  ...ref,
  step_id: id,
  step_attempt_id: 1,
  runtime_state: { status, start_time: 1000, end_time: 1012 },
  params: { rows: { type: "LONG", evaluated_result: 12, source: "OUTPUT_PARAMETER" } },
  timeline: status === "USER_FAILED" ? [{ type: "LOG", level: "ERROR", message: "Exit code 3: no such table" }] : [],
});

const GOOD = [
  { status: "IN_PROGRESS", steps: undefined },
  { status: "IN_PROGRESS", steps: { a: "RUNNING" } },
  { status: "IN_PROGRESS", steps: { a: "SUCCEEDED", b: "RUNNING" } },
  { status: "SUCCEEDED", steps: { a: "SUCCEEDED", b: "SUCCEEDED", c: "UNSATISFIED" } },
];

test("off a terminal, watching prints each change once", async () => {
  const { exit, out, err } = await at(playing(GOOD), ["run", "watch", "etl", "7"]);
  expect([exit, err]).toEqual([0, ""]);
  expect(out.split("\n")).toEqual([
    "a: RUNNING",
    "a: SUCCEEDED  12 ms  rows=12",
    "b: RUNNING",
    "b: SUCCEEDED  12 ms  rows=12",
    "c: UNSATISFIED  12 ms",
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "",
  ]);
  expect(server?.requests[0]?.path).toBe("/api/v3/workflows/etl/instances/7/runs/latest?enriched=false");
  // From then on it's the run that it was, even if a later one begins.
  expect(server?.requests.slice(1).every((it) => it.path.includes("/runs/1"))).toBe(true);
});

test("on a terminal, watching redraws a tree in place", async () => {
  const terminal = { in: true, out: true, err: true };
  const { exit, out } = await at(playing(GOOD), ["run", "watch", "etl", "7"], { terminal });
  expect(exit).toBe(0);
  const frames = out.split("\x1b[J");
  expect(frames.length - 1).toBe(GOOD.length);
  expect(out.split("\x1b[4A").length - 1).toBe(GOOD.length - 1);
  expect(frames.at(-1)?.split("\n")).toEqual([
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "✔ a     SUCCEEDED  12 ms  rows=12",
    "├─ ✔ b  SUCCEEDED  12 ms  rows=12",
    "└─ - c  UNSATISFIED  12 ms",
    "",
  ]);
});

test("a terminal that is too small shows what fits until the run has ended", async () => {
  const terminal = { in: true, out: true, err: true };
  const { out } = await at(playing(GOOD), ["run", "watch", "etl", "7"], { terminal, rows: 3, columns: 12 });
  const frames = out.split("\x1b[J").map((it) => it.split("\n"));
  for (const frame of frames.slice(1, -1)) {
    expect(frame.length).toBeLessThanOrEqual(3 + 1);
    for (const line of frame) expect(Bun.stringWidth(Bun.stripANSI(line))).toBeLessThan(12);
  }
  expect(frames.at(-1)).toContain("✔ a     SUCCEEDED  12 ms  rows=12");
});

test("colours are only for those who want them", async () => {
  const terminal = { in: true, out: true, err: true };
  const plain = await at(playing(GOOD), ["run", "watch", "etl", "7"], { terminal, colour: false });
  expect(plain.out).not.toContain("\x1b[32m");
  const colour = await at(playing(GOOD), ["run", "watch", "etl", "7"], { terminal, colour: true });
  expect(colour.out).toContain("\x1b[32mSUCCEEDED\x1b[0m");
});

test("a run that fails exits with 6, and the step's reason is shown", async () => {
  const failing = playing([{ status: "FAILED", steps: { a: "USER_FAILED" } }]);
  const { exit, out } = await at(failing, ["run", "watch", "etl", "7"]);
  expect(exit).toBe(6);
  expect(out).toContain("a: USER_FAILED  12 ms\n  Exit code 3: no such table\n");
});

test.each(["FAILED", "STOPPED", "TIMED_OUT"])("start --watch of a run that ends %s exits with 6", async (status) => {
  const { exit } = await at(playing([{ status, steps: { a: "STOPPED" } }]), ["run", "start", "etl", "--watch"]);
  expect(exit).toBe(6);
});

test("start --watch --json prints the end of the run alone", async () => {
  const { exit, out, err } = await at(playing(GOOD), ["run", "start", "etl", "--watch", "--json"]);
  expect(exit).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ ...ref, status: "SUCCEEDED" });
  expect(err).toBe("etl instance 7 run 1: CREATED\n");
});

test("watching gives up when the time is up", async () => {
  const argv = ["run", "watch", "etl", "7", "--timeout", "1"];
  const sleep = (ms: number) => Bun.sleep(ms);
  const { exit, err } = await at(playing([{ status: "IN_PROGRESS", steps: { a: "RUNNING" } }]), argv, { sleep });
  expect(exit).toBe(6);
  expect(err).toContain("time is up; etl instance 7 run 1: IN_PROGRESS");
});

test("get shows the tree, and --json what the server says", async () => {
  const { exit, out } = await at(playing(GOOD.slice(-1)), ["run", "get", "etl", "7", "--run", "1"]);
  expect(exit).toBe(0);
  expect(out).toContain("├─ ✔ b  SUCCEEDED");
  const json = JSON.parse((await at(playing(GOOD.slice(-1)), ["run", "get", "etl", "7", "--json"])).out);
  expect(json).toMatchObject({ run: { status: "SUCCEEDED" }, steps: [{ step_id: "a" }, {}, {}] });
});

test("list is a table, newest first whatever the server's order", async () => {
  const row = (id: number) => ({ ...ref, workflow_instance_id: id, workflow_version_id: 2, status: "FAILED" });
  const body = { elements: [row(1), row(10), row(9)], page_info: {} };
  const { out } = await at(() => ({ body }), ["run", "list", "etl"]);
  expect(server?.requests[0]?.path).toBe("/api/v3/workflows/etl/instances?first=20&aggregated=false");
  expect(out.split("\n").map((it) => it.split(" ")[0])).toEqual(["INSTANCE", "10", "9", "1", ""]);
});

const stopped = { ...ref, workflow_instance_status: "IN_PROGRESS", completed: false, info: "Accepted." };

test.each([
  [["run", "stop", "etl", "7"], "/api/v3/workflows/etl/instances/7/actions/stop"],
  [["run", "stop", "etl", "7", "--kill"], "/api/v3/workflows/etl/instances/7/actions/kill"],
  [["run", "stop", "etl", "7", "--run", "2"], "/api/v3/workflows/etl/instances/7/runs/2/actions/stop"],
])("%j asks for %s", async (argv, path) => {
  const result = await at(() => ({ body: stopped }), argv);
  expect(result).toEqual({ exit: 0, out: "etl instance 7 run 1: IN_PROGRESS. Accepted.\n", err: "" });
  expect(server?.requests).toMatchObject([{ method: "PUT", path, user: "ann" }]);
});

test("stop --wait waits for the end, which is a success", async () => {
  const states = playing([
    { status: "IN_PROGRESS", steps: { a: "RUNNING" } },
    { status: "STOPPED", steps: { a: "STOPPED" } },
  ]);
  const answer: Answer = (request) => (request.method === "PUT" ? { body: stopped } : states(request));
  const result = await at(answer, ["run", "stop", "etl", "7", "--wait"]);
  expect(result).toEqual({ exit: 0, out: "etl instance 7 run 1: STOPPED\n", err: "" });
});

test.each([
  [["run", "watch", "etl", "x"], 'INSTANCE is "x", and must be a whole number from 1'],
  [["run", "watch", "etl"], "missing required argument 'INSTANCE'"],
  [["run", "get", "etl", "7", "--run", "0"], '--run is "0"'],
  [["run", "start", "etl", "--timeout", "3"], "--timeout is for --watch"],
  [["run", "start", "etl", "--depth", "1"], "--depth is for --watch"],
  [["run", "restart", "etl", "7", "--watch", "--depth", "1", "--json"], "--depth is for what is shown, not for --json"],
  [["run", "stop", "etl", "7", "--timeout", "3"], "--timeout is for --wait"],
])("%j is a usage error", async (argv, message) => {
  const { exit, out, err } = await run(argv);
  expect([exit, out]).toEqual([2, ""]);
  expect(err).toContain(message);
});
