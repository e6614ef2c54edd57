/** Watching a run: what is said of attempts and their ends, of the server's absence, and of the watching's own end. */
import { afterEach, expect, test } from "bun:test";
import type { Signal } from "../../src/cli/command.ts";
import { aborted } from "../../src/cli/signal.ts";
import { type Answer, type FakeServer, fakeServer, type Request, run } from "./harness.ts";

const servers: FakeServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

const ref = { workflow_id: "etl", workflow_instance_id: 7, workflow_run_id: 1 };
const TERMINAL = { in: true, out: true, err: true };

const POLICY = {
  error_retry_limit: 2,
  platform_retry_limit: 10,
  timeout_retry_limit: 0,
  backoff: {
    type: "EXPONENTIAL_BACKOFF",
    error_retry_backoff_in_secs: 60,
    error_retry_exponent: 2,
    error_retry_limit_in_secs: 600,
    platform_retry_backoff_in_secs: 60,
    platform_retry_exponent: 2,
    platform_retry_limit_in_secs: 3600,
    timeout_retry_backoff_in_secs: 60,
    timeout_retry_exponent: 2,
    timeout_retry_limit_in_secs: 3600,
  },
};

interface Made {
  readonly attempt?: number;
  readonly times?: { readonly start_time?: number; readonly end_time?: number };
  readonly timeline?: readonly object[];
  readonly retries?: number;
}

const step = (id: string, status: string, made: Made = {}) => ({
  ...ref,
  step_id: id,
  step_attempt_id: made.attempt ?? 1,
  runtime_state: { status, ...(made.times ?? { start_time: 1000, end_time: 1012 }) },
  step_retry: {
    ...POLICY,
    error_retries: made.retries ?? 0,
    platform_retries: 0,
    timeout_retries: 0,
    manual_retries: 0,
    retryable: true,
  },
  timeline: made.timeline ?? [],
});

const problem = (message: string, level = "ERROR") => ({ type: "LOG", level, message, timestamp: 1012 });

interface State {
  readonly status: string;
  readonly steps: readonly object[];
}

/** One state a look; the last one stays. */
function playing(states: readonly State[], more: object = {}): Answer {
  let look = -1;
  return ({ path }: Request) => {
    const state = states[Math.min(path.endsWith("/steps") ? look : ++look, states.length - 1)];
    if (path.endsWith("/steps")) return { body: state?.steps };
    const dag = Object.fromEntries((state?.steps ?? []).map((it) => [(it as { step_id: string }).step_id, {}]));
    return { body: { ...ref, status: state?.status, start_time: 1000, end_time: 3500, runtime_dag: dag, ...more } };
  };
}

function at(answer: Answer, argv: readonly string[], options: Parameters<typeof run>[1] = {}) {
  const server = fakeServer(answer);
  servers.push(server);
  return run([...argv, "--server", server.url], options);
}

/** However this program is called here, and wherever its server listens. */
const plain = (line: string): string =>
  line.replace(/^( +)\S+( \S+)? (?=run (?:logs|watch|stop) )/, "$1maestro ").replace(/http:\S+/, "URL");

const WATCH = ["run", "watch", "etl", "7"];

test("a failed attempt says when and why the next one comes", async () => {
  const timeline = [problem("Exit code 1: no such table"), problem("Attempt 2 of 3 begins 1m after this", "INFO")];
  const failed = step("a", "USER_FAILED", { timeline });
  const again = step("a", "USER_FAILED", { attempt: 2, retries: 1, timeline });
  const third = step("a", "SUCCEEDED", { attempt: 3, retries: 2 });
  const states = [
    { status: "IN_PROGRESS", steps: [failed] },
    { status: "IN_PROGRESS", steps: [again] },
    { status: "SUCCEEDED", steps: [third] },
  ];
  const { out } = await at(playing(states), WATCH);
  expect(out.split("\n").map(plain)).toEqual([
    "a: USER_FAILED  12 ms",
    "  attempt 2 of 3 in 60 s: Exit code 1: no such table",
    "  maestro run logs etl 7 a --run 1 --attempt 1 --server URL",
    "a (attempt 2 of 3): USER_FAILED  12 ms",
    "  attempt 3 of 3 in 120 s: Exit code 1: no such table",
    "  maestro run logs etl 7 a --run 1 --attempt 2 --server URL",
    "a (attempt 3 of 3): SUCCEEDED  12 ms",
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "",
  ]);
});

test("an attempt that began and ended between two looks is shown, too", async () => {
  const looks = playing([
    { status: "IN_PROGRESS", steps: [step("a", "RUNNING")] },
    { status: "SUCCEEDED", steps: [step("a", "SUCCEEDED", { attempt: 3, retries: 2 })] },
  ]);
  const answer: Answer = (request) => {
    const attempt = Number(/\/steps\/a\/attempts\/(\d)\?/.exec(request.path)?.[1]);
    if (Number.isNaN(attempt)) return looks(request);
    return { body: step("a", "USER_FAILED", { attempt, retries: attempt - 1, timeline: [problem("no")] }) };
  };
  const { out } = await at(answer, WATCH);
  expect(out.split("\n").filter((it) => !it.includes(" run logs "))).toEqual([
    "a: RUNNING",
    "a: USER_FAILED  12 ms",
    "  attempt 2 of 3 in 60 s: no",
    "a (attempt 2 of 3): USER_FAILED  12 ms",
    "  attempt 3 of 3 in 120 s: no",
    "a (attempt 3 of 3): SUCCEEDED  12 ms",
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "",
  ]);
});

test("on a terminal, the time until the next attempt is what is left of it", async () => {
  const end_time = Date.now() - 30_000;
  const failed = step("a", "USER_FAILED", { times: { start_time: end_time - 12, end_time } });
  const states = [
    { status: "IN_PROGRESS", steps: [failed] },
    { status: "FAILED", steps: [step("a", "FATALLY_FAILED", { attempt: 3, retries: 2 })] },
  ];
  const { out } = await at(playing(states), WATCH, { terminal: TERMINAL });
  expect(out).toMatch(/\n {2}attempt 2 of 3 in (?:30|29|2\d) s\n/);
  expect(out.split("\x1b[J").at(-1)).toContain("✘ a  FATALLY_FAILED  12 ms  attempt 3 of 3\n");
});

test("a step whose time was up says which time, and how it was ended", async () => {
  const timeline = [
    problem("The step ran longer than its timeout of 1s"),
    problem("Stopped with SIGKILL, 10 s after SIGTERM", "INFO"),
  ];
  const { out } = await at(playing([{ status: "TIMED_OUT", steps: [step("a", "TIMED_OUT", { timeline })] }]), WATCH);
  expect(out.split("\n").slice(0, 3)).toEqual([
    "a: TIMED_OUT  12 ms",
    "  The step ran longer than its timeout of 1s",
    "  Stopped with SIGKILL, 10 s after SIGTERM",
  ]);
});

test("get numbers the attempts of every step that has begun", async () => {
  const steps = [
    step("a", "SUCCEEDED"),
    step("b", "FATALLY_FAILED", { attempt: 3, retries: 2 }),
    step("c", "UNSATISFIED", { times: {} }),
  ];
  const { out } = await at(playing([{ status: "FAILED", steps }]), ["run", "get", "etl", "7"]);
  expect(out.split("\n").map(plain).slice(-4)).toEqual([
    "",
    "What the failed steps have written:",
    "  maestro run logs etl 7 b --run 1 --server URL",
    "",
  ]);
  expect(out).toContain("✔ a  SUCCEEDED  12 ms  attempt 1 of 3\n");
  expect(out).toContain("✘ b  FATALLY_FAILED  12 ms  attempt 3 of 3\n");
  expect(out).toContain("- c  UNSATISFIED\n");
});

test("get shows what the run's own timeline warns of, below its first line", async () => {
  const answer = playing([{ status: "SUCCEEDED", steps: [step("a", "SUCCEEDED")] }], {
    timeline: [problem("started", "INFO"), problem("a warning", "WARN")],
  });
  const { out } = await at(answer, ["run", "get", "etl", "7"]);
  expect(out.split("\n").slice(0, 2)).toEqual(["etl instance 7 run 1: SUCCEEDED, 2.5 s", "  a warning"]);
});

const seconds = (text: string | undefined): number => {
  const [, number, unit] = /([\d.]+) (ms|s)$/.exec(text ?? "") ?? [];
  return Number(number) / (unit === "ms" ? 1000 : 1);
};

test("what runs is never said to have run longer than it has when it ends", async () => {
  const start = Date.now();
  let end: number | undefined;
  let looks = 0;
  const answer: Answer = ({ path }) => {
    if (path.endsWith("/steps")) {
      // The run ends just after it was seen running, and the answer takes its time.
      end ??= Date.now();
      const until = performance.now() + 120;
      while (performance.now() < until);
      const over = looks > 1;
      const times = { start_time: start, ...(over ? { end_time: end } : {}) };
      return { body: [step("a", over ? "SUCCEEDED" : "RUNNING", { times })] };
    }
    looks += 1;
    const ended = looks === 1 ? { status: "IN_PROGRESS" } : { status: "SUCCEEDED", end_time: end };
    return { body: { ...ref, start_time: start, runtime_dag: { a: {} }, ...ended } };
  };
  const { out } = await at(answer, WATCH, { terminal: TERMINAL });
  const frames = out.split("\x1b[J").slice(1);
  expect(frames).toHaveLength(2);
  for (const line of [0, 1]) {
    const [first, last] = frames.map((frame) => seconds(frame.split("\n")[line]));
    expect(first).toBeLessThanOrEqual(last ?? 0);
  }
});

test("a step that waited before it began has run since it began", async () => {
  const waiting = step("a", "WAITING_FOR_PERMITS", { times: {} });
  const states = [
    { status: "IN_PROGRESS", steps: [waiting] },
    { status: "SUCCEEDED", steps: [step("a", "SUCCEEDED")] },
  ];
  const created = states.map(({ status, steps }) => ({
    status,
    steps: steps.map((it) => ({ ...it, runtime_state: { ...it.runtime_state, create_time: 1 } })),
  }));
  const { out } = await at(playing(created), WATCH);
  expect(out.split("\n").slice(0, 2)).toEqual(["a: WAITING_FOR_PERMITS", "a: SUCCEEDED  12 ms"]);
});

/** Stops the server at the first pause and starts it again, with what is played next, at the third. */
function restarting(before: Answer, after: Answer) {
  const first = fakeServer(before);
  servers.push(first);
  let pauses = 0;
  const sleep = async (): Promise<void> => {
    pauses += 1;
    if (pauses === 1) first.stop();
    if (pauses === 3) servers.push(fakeServer(after, Number(new URL(first.url).port)));
  };
  return { url: first.url, sleep };
}

const running = { status: "IN_PROGRESS", steps: [step("a", "RUNNING", { times: { start_time: 1000 } })] };
const done = { status: "SUCCEEDED", steps: [step("a", "SUCCEEDED")] };

test("watching goes on when the server comes back, and says so once", async () => {
  const { url, sleep } = restarting(playing([running]), playing([done]));
  const { exit, out, err } = await run([...WATCH, "--server", url], { sleep });
  expect(exit).toBe(0);
  expect(out.split("\n")).toEqual(["a: RUNNING", "a: SUCCEEDED  12 ms", "etl instance 7 run 1: SUCCEEDED, 2.5 s", ""]);
  expect(err.split("\n")).toEqual([
    expect.stringMatching(/does not answer \(\w+\); waiting for it to come back$/),
    "The server is back.",
    "",
  ]);
});

test("on a terminal, the tree stays while the server is away", async () => {
  const { url, sleep } = restarting(playing([running]), playing([done]));
  const { exit, out, err } = await run([...WATCH, "--server", url], { sleep, terminal: TERMINAL });
  expect([exit, err]).toEqual([0, ""]);
  const frames = out.split("\x1b[J");
  expect(frames.find((it) => it.includes("does not answer"))).toContain("● a");
  expect(frames.at(-1)).not.toContain("does not answer");
  // Each frame is drawn over as many lines as the one before had.
  for (const [index, frame] of frames.slice(1, -1).entries()) {
    const lines = frame.split("\n").length - 1;
    expect(frames[index + 1]?.endsWith(`\x1b[${lines}A`)).toBe(true);
  }
});

test("watching goes on while a server that begins has no answer yet", async () => {
  const answers = playing([running, done]);
  let asked = 0;
  const answer: Answer = (request) =>
    ++asked > 2 && asked < 5
      ? { status: 503, body: { status: "UNAVAILABLE", message: "the server is starting" } }
      : answers(request);
  const { exit, err } = await at(answer, WATCH);
  expect(exit).toBe(0);
  expect(err).toContain("does not answer (the server is starting); waiting");
});

test("on a terminal, why a server has no answer is one line that the terminal does not obey", async () => {
  const message = "down\n\x1b[2J\x1b]0;title\x07\u202e";
  const good = playing([running, done]);
  let requests = 0;
  const answer: Answer = (request) => {
    requests += 1;
    // The first look has two requests.
    return requests === 3 ? { status: 503, body: { status: "UNAVAILABLE", message } } : good(request);
  };
  const { exit, out } = await at(answer, WATCH, { terminal: TERMINAL, colour: true, columns: 200 });
  expect(exit).toBe(0);
  expect(out).toContain("(down\\n\\x1b[2J\\x1b]0;title\\x07\\u202e); waiting");
  for (const obeyed of ["\x1b[2J", "\x1b]", "\u202e"]) expect(out).not.toContain(obeyed);
});

test("a server that was never there is not waited for", async () => {
  const server = fakeServer(playing([done]));
  server.stop();
  const { exit, err } = await run([...WATCH, "--server", server.url]);
  expect(exit).toBe(1);
  expect(err).toContain(`can't reach ${server.url}`);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the watching, says that the run goes on, and how to stop it", async (signal, code) => {
  let send: ((signal: Signal) => void) | undefined;
  const server = fakeServer(playing([running]));
  servers.push(server);
  const { exit, err } = await run([...WATCH, "--server", server.url], {
    onSignal: (callback) => {
      send = callback;
      return () => {};
    },
    // Interrupted in the middle of a pause.
    sleep: (_, interrupted) => {
      send?.(signal);
      return interrupted ? aborted(interrupted) : new Promise(() => {});
    },
  });
  expect(exit).toBe(code);
  expect(err).toContain("etl instance 7 run 1 goes on");
  expect(err.split("\n").map(plain).slice(-3)).toEqual([
    "  maestro run watch etl 7 --run 1 --server URL",
    "  maestro run stop etl 7 --run 1 --server URL",
    "",
  ]);
  expect(server.requests.every((it) => it.method === "GET")).toBe(true);
});
