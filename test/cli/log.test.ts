import { afterEach, expect, test } from "bun:test";
import type { Signal } from "../../src/cli/command.ts";
import { aborted } from "../../src/cli/signal.ts";
import { type Answer, type FakeServer, fakeServer, type Request, run } from "./harness.ts";

const servers: FakeServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

const ref = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 2 };
const LATEST = "/api/v3/workflows/etl/instances/7/runs/latest?enriched=false";
const RUN = "/api/v3/workflows/etl/instances/7/runs/2";

const step = (id: string, status: string, attempt = 1, start: number | undefined = 1000) => ({
  ...ref,
  step_id: id,
  step_attempt_id: attempt,
  runtime_state: { status, ...(start === undefined ? {} : { start_time: start }), end_time: 2000 },
  step_retry: {
    error_retries: attempt - 1,
    error_retry_limit: 1,
    platform_retries: 0,
    platform_retry_limit: 0,
    timeout_retries: 0,
    timeout_retry_limit: 0,
    manual_retries: 0,
    retryable: true,
    backoff: { type: "FIXED_BACKOFF", error_retry_backoff_in_secs: 5 },
  },
});

const DAG = { extract: {}, clean: { predecessors: ["extract"] }, report: { predecessors: ["clean"] } };
const run2 = (status: string) => ({ ...ref, status, runtime_dag: DAG });

type Steps = readonly object[];
type Logs = Readonly<Record<string, unknown>>;

/** A run with these steps, and logs by `step/attempt`. */
const answering =
  (status: string, steps: Steps, logs: Logs = {}): Answer =>
  ({ path }: Request) => {
    if (path === LATEST || path === `${RUN}?enriched=false`) return { body: run2(status) };
    if (path === `${RUN}/steps`) return { body: steps };
    const [, id, attempt] = /^\S+\/runs\/2\/steps\/(\w+)\/attempts\/(\d+)\/logs/.exec(path) ?? [];
    const body = logs[`${id}/${attempt}`];
    return body === undefined ? undefined : { body };
  };

async function logs(answer: Answer, more: readonly string[], options: Parameters<typeof run>[1] = {}) {
  const server = fakeServer(answer);
  servers.push(server);
  const result = await run(["run", "logs", "etl", "7", ...more, "--server", server.url], options);
  return { ...result, server };
}

const DONE = [step("extract", "SUCCEEDED"), step("clean", "USER_FAILED", 2), step("report", "NOT_CREATED", 1, 0)];

test("a step's log is what it has written, as it is", async () => {
  const text = "read 15 orders\nnö\x1b[31m newline at the end";
  const result = await logs(answering("FAILED", DONE, { "clean/2": text }), ["clean"]);
  expect([result.exit, result.out, result.err]).toEqual([0, text, ""]);
});

test("a terminal obeys nothing of it, and its next line is the prompt", async () => {
  const terminal = { in: true, out: true, err: true };
  const text = "a\tb\n\x1b[2Jc";
  const { out } = await logs(answering("FAILED", DONE, { "clean/2": text }), ["clean"], { terminal });
  expect(out).toBe("a\tb\n\\x1b[2Jc\n");
});

test("an older attempt is asked for by its number", async () => {
  const { out } = await logs(answering("FAILED", DONE, { "clean/1": "first\n" }), ["clean", "--attempt", "1"]);
  expect(out).toBe("first\n");
});

test("without a step, each that has written something follows a line with its name", async () => {
  const texts = { "extract/1": "one\n", "clean/2": "two", "report/1": "" };
  const { exit, out, err } = await logs(answering("FAILED", DONE, texts), []);
  expect([exit, err]).toEqual([0, ""]);
  expect(out).toBe("==> extract, attempt 1 <==\none\n\n==> clean, attempt 2 <==\ntwo\n");
});

test.each([
  [["clean"], "Step clean of etl instance 7 run 2 has written nothing (attempt 2, USER_FAILED)."],
  [["clean", "--attempt", "1"], "Step clean of etl instance 7 run 2 has written nothing (attempt 1)."],
  [[], "No step of etl instance 7 run 2 has written anything."],
])("%j of silent steps says so", async (argv, message) => {
  const silent = { "extract/1": "", "clean/1": "", "clean/2": "", "report/1": "" };
  const { exit, out, err } = await logs(answering("FAILED", DONE, silent), argv);
  expect([exit, out, err]).toEqual([0, "", `${message}\n`]);
});

test("a step that has not begun is said to be that", async () => {
  const { exit, err } = await logs(answering("IN_PROGRESS", [step("extract", "RUNNING")]), ["report"]);
  expect([exit, err]).toEqual([0, "Step report of etl instance 7 run 2 has not begun.\n"]);
});

test("a step that the run has not is not found, and the nearest one is named", async () => {
  const { exit, out, err } = await logs(answering("FAILED", DONE), ["claen"]);
  expect([exit, out]).toEqual([3, ""]);
  expect(err).toContain('etl instance 7 run 2 has no step "claen"; did you mean "clean"?');
  expect(err).toContain("Its steps: extract, clean, report");
});

test("a run that there is not is not found", async () => {
  expect((await logs(() => undefined, [])).exit).toBe(3);
});

test("--attempt without a step is a usage error, and nothing is asked", async () => {
  const { exit, err, server } = await logs(answering("FAILED", DONE), ["--attempt", "1"]);
  expect([exit, server.requests.length]).toEqual([2, 0]);
  expect(err).toContain("--attempt is for one STEP");
});

const chunk = (id: number, text: string): string =>
  `id: ${id}\nevent: chunk\ndata: ${JSON.stringify({ stream: "stdout", offset: 0, text, time: 1 })}\n\n`;
const END = 'event: end\ndata: {"status":"SUCCEEDED"}\n\n';

const pathsOf = (server: FakeServer) =>
  server.requests
    .map((it) => it.path)
    .filter((it) => it.includes("/logs"))
    .map((it) => it.slice(it.indexOf("/steps/")));

test("following goes on where the connection broke, and each chunk comes once", async () => {
  let asked = 0;
  const texts = [`: open\n\n${chunk(4, "one\n")}${chunk(9, "two\n").slice(0, 20)}`, `${chunk(9, "two\n")}${END}`];
  const base = answering("SUCCEEDED", [step("clean", "SUCCEEDED")]);
  const answer: Answer = (request) =>
    request.path.includes("/logs") ? { body: texts[Math.min(asked++, 1)] } : base(request);
  const { exit, out, err, server } = await logs(answer, ["clean", "--follow"]);
  expect([exit, out]).toEqual([0, "one\ntwo\n"]);
  expect(pathsOf(server)).toEqual([
    "/steps/clean/attempts/1/logs?follow=true",
    "/steps/clean/attempts/1/logs?follow=true&after=4",
  ]);
  expect(err).toMatch(
    /does not answer \(it closed the connection\); waiting for it to come back\nThe server is back\.\n$/,
  );
});

test("following goes on with the next attempt, and says when it comes", async () => {
  const states: readonly { status: string; steps: Steps }[] = [
    { status: "IN_PROGRESS", steps: [step("clean", "USER_FAILED", 1)] },
    { status: "IN_PROGRESS", steps: [step("clean", "RUNNING", 2)] },
    { status: "SUCCEEDED", steps: [step("clean", "SUCCEEDED", 2)] },
  ];
  const texts = { "clean/1": `${chunk(1, "one\n")}${END}`, "clean/2": `${chunk(2, "two\n")}${END}` };
  let look = 0;
  const answer: Answer = (request) => {
    const { status, steps } = states[Math.min(look, states.length - 1)] ?? { status: "", steps: [] };
    if (request.path.endsWith("/steps")) look++;
    return answering(status, steps, texts)(request);
  };
  const { exit, out, err } = await logs(answer, ["clean", "-f"]);
  expect([exit, out]).toEqual([0, "one\ntwo\n"]);
  expect(err).toBe("clean: USER_FAILED; attempt 2 of 2 comes 5 s later\n");
});

test("following a run takes up each step as it begins, until the run has ended", async () => {
  const states: readonly { status: string; steps: Steps }[] = [
    { status: "IN_PROGRESS", steps: [step("extract", "RUNNING")] },
    { status: "SUCCEEDED", steps: [step("extract", "SUCCEEDED"), step("clean", "SUCCEEDED", 2)] },
  ];
  const texts = {
    "extract/1": `${chunk(1, "one\n")}${END}`,
    "clean/2": `${chunk(3, "three\n")}${END}`,
  };
  let look = 0;
  const answer: Answer = (request) => {
    const { status, steps } = states[Math.min(look, states.length - 1)] ?? { status: "", steps: [] };
    if (request.path.endsWith("/steps")) look++;
    return answering(status, steps, texts)(request);
  };
  const { exit, out, err } = await logs(answer, ["--follow"]);
  expect([exit, err]).toEqual([0, ""]);
  expect(out).toBe("==> extract, attempt 1 <==\none\n\n==> clean, attempt 2 <==\nthree\n");
});

test("Ctrl-C ends the following, not the run", async () => {
  let send: ((signal: Signal) => void) | undefined;
  const base = answering("IN_PROGRESS", [step("clean", "RUNNING")]);
  // A log that does not end.
  const answer: Answer = (request) =>
    request.path.includes("/logs")
      ? { body: new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from(chunk(1, "one\n"))) }) }
      : base(request);
  const seen: string[] = [];
  const { exit, err } = await logs(answer, ["clean", "-f"], {
    onSignal: (callback: (signal: Signal) => void) => {
      send = callback;
      return () => {};
    },
    sleep: (_: number, signal?: AbortSignal) => (signal ? aborted(signal) : new Promise(() => {})),
    raw: (text: string) => {
      seen.push(text);
      send?.("SIGINT");
    },
  } as never);
  expect([exit, seen]).toEqual([130, ["one\n"]]);
  expect(err).toContain("etl instance 7 run 2 goes on");
});
