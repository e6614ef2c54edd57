/** Every workflow of `examples/` on a real server, and the command line around it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createLogger } from "../../src/log.ts";
import { loadConfig } from "../../src/server/config.ts";
import { type Serving, serve } from "../../src/server/serve.ts";
import { run as command } from "../cli/harness.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

const examples = join(import.meta.dir, "../../examples");
const LIMIT_MS = 60_000;
const hasPython = Bun.which("python3") !== null;

let root = "";
let database: FreshDatabase | undefined;
let server: Serving | undefined;
const log: string[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "maestro-example-"));
  database = await freshDatabase();
  const flags = new Map([
    ["--port", ["0"]],
    ["--data-dir", [join(root, "data")]],
    ["--database-url", [database.url]],
    ["--engine-threads", ["1"]],
    ["--runtime-threads", ["1"]],
    ["--plugin", hasPython ? [join(examples, "plugins/python-greet")] : []],
  ]);
  const config = loadConfig(flags, { env: {}, cwd: root, home: root, uid: 1, cores: 1, terminal: false });
  const logger = createLogger({ format: "json", level: "warn", write: (line) => void log.push(line) });
  server = await serve(config, { log: logger });
}, LIMIT_MS);

afterAll(async () => {
  await server?.stop();
  await database?.close();
  rmSync(root, { recursive: true, force: true });
}, LIMIT_MS);

const maestro = (...argv: readonly string[]) =>
  command(argv, { cwd: examples, env: { MAESTRO_SERVER: server?.url }, sleep: (ms) => Bun.sleep(ms) });

interface End {
  readonly exit: number;
  readonly status: string;
  /** Status by step. */
  readonly steps: Readonly<Record<string, string>>;
  /** Evaluated params by step. */
  readonly params: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly attempts: Readonly<Record<string, number>>;
}

interface StepAnswer {
  readonly step_id: string;
  readonly step_attempt_id: number;
  readonly runtime_state: { readonly status: string };
  readonly params: Readonly<Record<string, { readonly evaluated_result: unknown }>>;
}

async function play(file: string, ...params: readonly string[]): Promise<End> {
  const pushed = await maestro("workflow", "push", file);
  expect(pushed).toMatchObject({ exit: 0, err: "" });
  const id = pushed.out.split(" ")[0] ?? "";
  const options = params.flatMap((it) => ["--param", it]);
  const started = await maestro("run", "start", id, "--watch", "--json", "--timeout", "50", ...options);
  const { workflow_instance_id: instance, status } = JSON.parse(started.out || "{}");
  const got = await maestro("run", "get", id, String(instance), "--json");
  const steps: readonly StepAnswer[] = JSON.parse(got.out).steps;
  const byStep = <T>(pick: (it: StepAnswer) => T) => Object.fromEntries(steps.map((it) => [it.step_id, pick(it)]));
  return {
    exit: started.exit,
    status,
    steps: byStep((it) => it.runtime_state.status),
    params: byStep((it) =>
      Object.fromEntries(Object.entries(it.params).map(([name, param]) => [name, param.evaluated_result])),
    ),
    attempts: byStep((it) => it.step_attempt_id),
  };
}

test(
  "the ETL cleans, sums up and reports, wherever it is started and without params",
  async () => {
    const before = readdirSync(examples, { recursive: true });
    const end = await play("etl/etl.yaml");
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED", steps: { report: "SUCCEEDED", refuse: "UNSATISFIED" } });
    expect(end.params.validate).toMatchObject({ good: 12, rejected: 3, error_rate: 0.2 });
    expect(end.params.report).toMatchObject({ euros: 2677, revenue: "2677 euros" });
    const file = String(end.params.report?.file);
    expect(readFileSync(file, "utf8")).toContain("best country DE, best item chair");
    rmSync(dirname(file), { recursive: true });
    expect(readdirSync(examples, { recursive: true })).toEqual(before);
  },
  LIMIT_MS,
);

test(
  "the ETL refuses a file with too many errors",
  async () => {
    const end = await play("etl/etl.yaml", `work_dir=${root}`, "max_error_rate=0.1");
    expect(end).toMatchObject({
      exit: 6,
      status: "FAILED",
      steps: { transform: "UNSATISFIED", quarantine: "SUCCEEDED", refuse: "FATALLY_FAILED", report: "UNSATISFIED" },
    });
  },
  LIMIT_MS,
);

test(
  "the ETL reads a file of one's own, and fails at once without it",
  async () => {
    const file = join(root, "own orders.csv");
    writeFileSync(file, "order_id,day,country,item,quantity,price_cents\n1,2024-05-01,IT,sofa,2,50000\n");
    const end = await play("etl/etl.yaml", `work_dir=${root}`, `orders_file=${file}`);
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED", params: { report: { revenue: "1000 euros" } } });
    const gone = await play("etl/etl.yaml", `work_dir=${root}`, "orders_file=/nowhere.csv");
    expect(gone).toMatchObject({ exit: 6, status: "FAILED", attempts: { extract: 1 } });
  },
  LIMIT_MS,
);

test.each([
  ["chain.json", [], { first: "SUCCEEDED", second: "SUCCEEDED", third: "SUCCEEDED" }],
  ["fanout.json", [], { left: "SUCCEEDED", right: "SUCCEEDED", join: "SUCCEEDED" }],
  ["conditional.json", [], { approve: "UNSATISFIED", book: "SUCCEEDED", done: "SUCCEEDED" }],
  ["conditional.json", ["amount=5000"], { approve: "SUCCEEDED", book: "UNSATISFIED", done: "SUCCEEDED" }],
] as const)(
  "%s %j succeeds",
  async (file, params, steps) => {
    expect(await play(file, ...params)).toMatchObject({ exit: 0, status: "SUCCEEDED", steps });
  },
  LIMIT_MS,
);

test(
  "params.json evaluates and hands on",
  async () => {
    const end = await play("params.json");
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED" });
    expect(end.params.measure?.rows).toBe(160);
    expect(end.params.judge).toMatchObject({ verdict: "large", message: "sales_20240501 has 160 rows: large" });
  },
  LIMIT_MS,
);

test(
  "python.yaml counts, and hands on to a shell script",
  async () => {
    const end = await play("python.yaml");
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED" });
    expect(end.params.measure?.lengths).toEqual([7, 7, 9]);
    expect(end.params.judge).toMatchObject({ too_long: { conductor: "9" }, count: 1 });
    expect(end.params.tell?.said).toBe("1 of the words are too long; their mean length is 7");
  },
  LIMIT_MS,
);

test(
  "loops and subworkflows run their bodies, and hand on what those have made",
  async () => {
    const foreach = await play("foreach.json");
    expect(foreach).toMatchObject({ exit: 0, status: "SUCCEEDED", params: { sum: { total: 915 } } });
    const loop = await play("while.json");
    expect(loop).toMatchObject({ exit: 0, status: "SUCCEEDED", steps: { double: "SUCCEEDED" } });
    expect(await play("params.json")).toMatchObject({ exit: 0 });
    const subworkflow = await play("subworkflow.json");
    expect(subworkflow).toMatchObject({ exit: 0, status: "SUCCEEDED", params: { report: { rows: 160 } } });
    expect(await play("nested.json")).toMatchObject({ exit: 0, status: "SUCCEEDED" });
    const view = `${server?.url}/api/v3/views/flatten/workflows/example-nested/instances/1/runs/1/steps/read`;
    const { elements } = JSON.parse(await (await fetch(`${view}?last=1`)).text());
    expect(elements).toMatchObject([{ iteration_rank: "13-13", loop_params: { country: "IT", page: "2" } }]);
    const got = await maestro("run", "get", "example-nested", "1");
    expect(got.out).toContain("9 SUCCEEDED");
  },
  LIMIT_MS,
);

test(
  "template/workflow.json has params from the job template, and the type of a step",
  async () => {
    expect(await maestro("template", "push", "template/nap.yaml")).toMatchObject({ exit: 0, err: "" });
    const end = await play("template/workflow.json");
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED", steps: { short: "SUCCEEDED", long: "SUCCEEDED" } });
    expect(end.params).toMatchObject({
      short: { sleep_seconds: 0, why: "as the template says, for ann" },
      long: { sleep_seconds: 1, why: "to be rested" },
    });
    expect((await maestro("template", "list")).out).toMatch(/^example-nap +default +Sleep +PROD +A short sleep/m);
  },
  LIMIT_MS,
);

test.skipIf(!hasPython)(
  "plugins/greet.json runs steps that a program in Python serves",
  async () => {
    const end = await play("plugins/greet.json");
    expect(end).toMatchObject({ exit: 0, status: "SUCCEEDED", steps: { first: "SUCCEEDED", second: "SUCCEEDED" } });
    expect(end.params.second?.greeting).toBe('Hello whoever said "Hello Ann"');
    const logs = await maestro("run", "logs", "example-greet", "1", "first");
    expect(logs.out).toBe("Hello Ann\n");
  },
  LIMIT_MS,
);

test(
  "retry.json succeeds on its third attempt",
  async () => {
    expect(await play("retry.json")).toMatchObject({ exit: 0, status: "SUCCEEDED", attempts: { flaky: 3 } });
  },
  LIMIT_MS,
);

test(
  "timeout.json is stopped when its time is up",
  async () => {
    const end = await play("timeout.json");
    expect(end).toMatchObject({ exit: 6, status: "TIMED_OUT", steps: { slow: "TIMED_OUT" } });
    expect(end.steps.never).not.toBe("SUCCEEDED");
  },
  LIMIT_MS,
);

test(
  "failure.json fails after everything that could run has run",
  async () => {
    expect(await play("failure.json")).toMatchObject({
      exit: 6,
      status: "FAILED",
      steps: { optional: "COMPLETED_WITH_ERROR", carry_on: "SUCCEEDED", required: "FATALLY_FAILED" },
    });
  },
  LIMIT_MS,
);

test(
  "failfast.json stops what is still running",
  async () => {
    const end = await play("failfast.json");
    expect(end).toMatchObject({ exit: 6, status: "FAILED", steps: { guard: "FATALLY_FAILED" } });
    expect(["STOPPED", "NOT_CREATED", undefined]).toContain(end.steps.long);
  },
  LIMIT_MS,
);

test(
  "breakpoint.json is paused where it has a breakpoint, and goes on when it is resumed",
  async () => {
    expect(await play("breakpoint.json")).toMatchObject({ exit: 0, status: "SUCCEEDED" });
    expect(await maestro("breakpoint", "add", "example-breakpoint", "publish")).toMatchObject({ exit: 0 });
    expect((await maestro("breakpoint", "list", "example-breakpoint", "publish")).out).toContain("ann");
    for (const instance of ["2", "3"]) {
      expect(await maestro("run", "start", "example-breakpoint")).toMatchObject({ exit: 0 });
      const paused = () => maestro("breakpoint", "paused", "example-breakpoint", "publish");
      while (!(await paused()).out.includes(`example-breakpoint  ${instance} `));
    }
    const resumed = await maestro("breakpoint", "resume", "example-breakpoint", "2", "publish");
    expect(resumed.out).toBe("User [ann] resumed the paused attempt [example-breakpoint][2][1][publish][1]\n");
    const removed = await maestro("breakpoint", "rm", "example-breakpoint", "publish");
    expect(removed.out).toContain("Total of [1] steps have been resumed");
    for (const instance of ["2", "3"]) {
      expect(await maestro("run", "watch", "example-breakpoint", instance)).toMatchObject({ exit: 0 });
    }
  },
  LIMIT_MS,
);

test(
  "the rest of the command line works on what was run",
  async () => {
    const list = await maestro("workflow", "list", "example-chain");
    expect(list.out).toMatch(/^example-chain +1 +1 +demo +1 SUCCEEDED$/m);
    expect((await maestro("workflow", "versions", "example-chain")).out).toMatch(/^1 +yes +ann/m);
    expect(JSON.parse((await maestro("workflow", "get", "example-chain")).out)).toMatchObject({ is_default: true });
    expect((await maestro("run", "list", "example-chain")).out).toMatch(/^1 +1 +1 +SUCCEEDED/m);
    expect((await maestro("run", "get", "example-chain", "1")).out).toContain("✔ third");
    expect(await maestro("run", "get", "example-chain", "99")).toMatchObject({ exit: 3, out: "" });
    expect(await maestro("run", "start", "nothing")).toMatchObject({ exit: 3, out: "" });
    expect(await maestro("run", "start", "example-params", "-p", "day:LONG=1", "-p", "total=x")).toMatchObject({
      exit: 1,
    });
  },
  LIMIT_MS,
);

const SLEEPER = JSON.stringify({
  properties: { owner: "demo" },
  workflow: {
    id: "sleeper",
    steps: [{ step: { id: "a", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 600 } } } }],
  },
});

test(
  "a run can be stopped or killed, and its workflow deleted",
  async () => {
    const env = { MAESTRO_SERVER: server?.url };
    expect(await command(["workflow", "push", "-"], { env, stdin: SLEEPER })).toMatchObject({ exit: 0 });
    for (const [option, status] of [
      [[], "STOPPED"],
      [["--kill"], "FAILED"],
    ] as const) {
      const { out } = await maestro("run", "start", "sleeper", "--json");
      const instance = String(JSON.parse(out).workflow_instance_id);
      const stopped = await maestro("run", "stop", "sleeper", instance, "--wait", "--timeout", "50", ...option);
      expect([stopped.exit, stopped.err]).toEqual([0, ""]);
      expect(stopped.out).toContain(`sleeper instance ${instance} run 1: ${status}`);
    }
    expect(await maestro("workflow", "delete", "sleeper", "--yes")).toMatchObject({ exit: 0 });
    expect(await maestro("workflow", "get", "sleeper")).toMatchObject({ exit: 3 });
  },
  LIMIT_MS,
);

test("nothing of this was worth a warning in the server's log", () => {
  expect(log).toEqual([]);
});
