/** Watching a run with the runs that its steps have started. */
import { afterEach, expect, test } from "bun:test";
import { type Answer, type FakeServer, fakeServer, run } from "./harness.ts";

const servers: FakeServer[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop();
});

const TERMINAL = { in: true, out: true, err: true };

const step = (id: string, status: string, artifacts: object = {}) => ({
  ...{ step_id: id, step_attempt_id: 1, artifacts, timeline: [] },
  runtime_state: { status, start_time: 1000, end_time: 1012 },
});
const FOREACH = "maestro_foreach_x";
/** @param details iterations by status */
const foreach = (details: { readonly [status: string]: readonly (number | readonly number[])[] }, count: number) => ({
  maestro_foreach: { foreach_workflow_id: FOREACH, foreach_overview: { details, stats: { ALL: count } } },
});
const subworkflow = { maestro_subworkflow: { subworkflow_id: "kid", subworkflow_instance_id: 4 } };

interface Made {
  readonly status: string;
  readonly steps: readonly object[];
}

/** @param runs by workflow and instance; the last look at one stays. @param asked fills with the runs that are read */
function serving(runs: { readonly [name: string]: readonly Made[] }, asked: string[] = []): Answer {
  const looks = new Map<string, number>();
  return ({ path }) => {
    const [, workflow = "", instance = "", steps] =
      /workflows\/([^/]+)\/instances\/(\d+)\/runs\/[^/?]+(\/steps)?/.exec(path) ?? [];
    const name = `${workflow} ${instance}`;
    const states = runs[name];
    if (states === undefined) return { status: 404, body: { status: "NOT_FOUND", message: "no such run" } };
    if (steps === undefined) {
      asked.push(name);
      looks.set(name, (looks.get(name) ?? -1) + 1);
    }
    const state = states[Math.min(looks.get(name) ?? 0, states.length - 1)] as Made;
    if (steps !== undefined) return { body: state.steps };
    const dag = Object.fromEntries(state.steps.map((it) => [(it as { step_id: string }).step_id, {}]));
    const ref = { workflow_id: workflow, workflow_instance_id: Number(instance), workflow_run_id: 1 };
    return { body: { ...ref, status: state.status, start_time: 1000, end_time: 3500, runtime_dag: dag } };
  };
}

function watch(answer: Answer, argv: readonly string[], options: Parameters<typeof run>[1] = {}) {
  const server = fakeServer(answer);
  servers.push(server);
  return run(["run", "watch", "etl", "7", ...argv, "--server", server.url], options);
}

const LOOP = { status: "SUCCEEDED", steps: [step("loop", "SUCCEEDED", foreach({ SUCCEEDED: [[1, 2]] }, 2))] };
const one = (status: string): Made => ({ status, steps: [step("in", status)] });

test("without a depth no run below is asked for", async () => {
  const asked: string[] = [];
  const { out } = await watch(serving({ "etl 7": [LOOP] }, asked), []);
  expect([out.split("\n")[0], asked]).toEqual(["loop: SUCCEEDED  12 ms", ["etl 7"]]);
});

test("each line says in which run it is, and comes before the line of the step that has started the run", async () => {
  const runs = {
    "etl 7": [
      { status: "IN_PROGRESS", steps: [step("loop", "RUNNING", foreach({ IN_PROGRESS: [1], CREATED: [2] }, 2))] },
      LOOP,
    ],
    [`${FOREACH} 1`]: [{ status: "IN_PROGRESS", steps: [step("in", "RUNNING")] }, one("SUCCEEDED")],
    [`${FOREACH} 2`]: [one("SUCCEEDED")],
  };
  const { out } = await watch(serving(runs), ["--depth", "1"]);
  expect(out.split("\n")).toEqual([
    "loop[1]/in: RUNNING",
    "loop[2]/in: SUCCEEDED  12 ms",
    "loop: RUNNING",
    "loop[1]/in: SUCCEEDED  12 ms",
    "loop: SUCCEEDED  12 ms",
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "",
  ]);
});

test("a run that has ended is not read again", async () => {
  const asked: string[] = [];
  const busy = { status: "IN_PROGRESS", steps: [step("loop", "RUNNING", foreach({ SUCCEEDED: [1] }, 1))] };
  await watch(serving({ "etl 7": [busy, busy, LOOP], [`${FOREACH} 1`]: [one("SUCCEEDED")] }, asked), ["--depth", "1"]);
  expect(asked.filter((name) => name === `${FOREACH} 1`)).toHaveLength(1);
});

test("on a terminal runs stand below their steps, as deep as is asked for", async () => {
  const runs = {
    "etl 7": [{ status: "SUCCEEDED", steps: [step("sub", "SUCCEEDED", subworkflow)] }],
    "kid 4": [{ status: "SUCCEEDED", steps: [step("loop", "SUCCEEDED", foreach({ SUCCEEDED: [1] }, 1))] }],
    [`${FOREACH} 1`]: [one("SUCCEEDED")],
  };
  const tree = async (depth: string) => {
    const { out } = await watch(serving(runs), ["--depth", depth], { terminal: TERMINAL });
    return Bun.stripANSI(out.split("\x1b[J").at(-1) ?? "").split("\n");
  };
  const upper = [
    "etl instance 7 run 1: SUCCEEDED, 2.5 s",
    "✔ sub  SUCCEEDED  12 ms",
    "  is kid instance 4",
    "  kid instance 4 run 1: SUCCEEDED, 2.5 s",
    "  ✔ loop  SUCCEEDED  12 ms",
  ];
  expect(await tree("1")).toEqual([...upper, ""]);
  const inner = [`    ${FOREACH} instance 1 run 1: SUCCEEDED, 2.5 s`, "    ✔ in  SUCCEEDED  12 ms"];
  expect(await tree("2")).toEqual([...upper, ...inner, ""]);
});

test("of many iterations a few are shown, failed and running ones first", async () => {
  const asked: string[] = [];
  const details = { SUCCEEDED: [[1, 90]], IN_PROGRESS: [[91, 93]], FAILED: [95, [97, 98]] };
  const ids = Array.from({ length: 98 }, (_, index) => [`${FOREACH} ${index + 1}`, [one("SUCCEEDED")]]);
  const runs = {
    "etl 7": [{ status: "FAILED", steps: [step("loop", "FATALLY_FAILED", foreach(details, 96))] }],
    ...Object.fromEntries(ids),
  };
  const { out } = await watch(serving(runs, asked), ["--depth", "1"], { terminal: TERMINAL });
  expect(asked.slice(1).map((name) => Number(name.split(" ")[1]))).toEqual([95, 97, 98, 91, 92, 93, 1, 2]);
  expect(out).toContain("  … and 88 more runs\n");
});

test("it is for what is shown", async () => {
  const { exit, err } = await watch(serving({}), ["--depth", "1", "--json"]);
  expect([exit, err]).toEqual([2, expect.stringContaining("--depth is for what is shown, not for --json")]);
});
