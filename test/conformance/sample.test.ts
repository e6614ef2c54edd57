/**
 * Upstream's samples, pushed and started by the requests that its documentation shows, end step by step as upstream ends
 * them. Unchanged: one sleeps for 100 seconds, and all of them run at the same time.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";

import { serverUrl } from "./kit/server.ts";
import { compatDir, isPresent } from "./server.ts";

const LIMIT_MS = 400_000;
const TERMINAL: readonly unknown[] = ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT"];
const UUID = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);

interface Params {
  readonly [name: string]: { readonly evaluated_result?: unknown };
}

interface Run {
  readonly status: string;
  readonly params: Params;
  readonly runtime_overview: {
    readonly rollup_overview: { readonly overview: { readonly [status: string]: { readonly cnt: number } } };
  };
  readonly runtime_dag: { readonly [step: string]: { readonly predecessors?: readonly string[] } };
}

interface Step {
  readonly step_id: string;
  readonly step_attempt_id: number;
  readonly runtime_state: { readonly status: string; readonly start_time?: number; readonly end_time?: number };
  readonly params: Params;
}

interface Expected {
  /** The run's params, without those that the server gives to every run. */
  readonly params: { readonly [name: string]: unknown };
  /** The steps that SUCCEEDED, with their params. */
  readonly succeeded: { readonly [step: string]: { readonly [name: string]: unknown } };
  readonly unsatisfied?: readonly string[];
  /** Steps that SUCCEEDED in the whole tree and start no runs themselves; by default those of the run. */
  readonly leaves?: number;
}

const plain = (...steps: readonly string[]) => Object.fromEntries(steps.map((step) => [step, {}]));

const SUBWORKFLOWS = ["job1", "job2", "job3", "job4", "job5", "job6"];

/** One that starts another comes after it. */
const SAMPLES: readonly (readonly [string, Expected])[] = [
  [
    "sample-dag-test-1",
    { params: { foo: "September" }, succeeded: plain("job.1", "job.2", "job.3", "job.4", "job.5", "job.6") },
  ],
  [
    "sample-dag-test-2",
    {
      params: { param1: UUID, param2: UUID },
      succeeded: {
        ...plain("job.1", "job.4", "job.5"),
        "job.2": { sleep_seconds: 30 },
        "job.3": { sleep_seconds: 100 },
      },
    },
  ],
  [
    "sample-dag-test-3",
    {
      params: { foo: "bar1" },
      succeeded: {
        job1: { sleep_seconds: 15 },
        "job.2": { sleep_seconds: 16, param1: "161", param2: "15 + 1" },
        job3: { sleep_seconds: 15 },
        job4: { sleep_seconds: 15 },
      },
    },
  ],
  [
    "sample-dag-test-4",
    { params: {}, succeeded: plain("job.1", "job.2", "job.3", "job.4", "job.5", "job.6", "job.7") },
  ],
  [
    "sample-dag-test-6",
    { params: {}, succeeded: plain("job.1", "job.2", "job.3", "job.4", "job.5", "job.6", "job.7", "job.8") },
  ],
  [
    "sample-conditional-wf",
    {
      params: { param0: 15 },
      succeeded: {
        ...plain("job.1", "job.2", "job.6"),
        "job.3": { param1: 15, param2: 15 },
        "job.7": { param5: 15 },
      },
      unsatisfied: ["job.4", "job.5"],
    },
  ],
  ["sample-time-trigger-wf", { params: {}, succeeded: plain("job.1", "job.2", "job.3", "job.4", "job.5", "job.6") }],
  // 9 days, of 6 steps each.
  ["sample-foreach-wf", { params: { foo: "September" }, succeeded: plain("foreach-job"), leaves: 9 * 6 }],
  // i of 1, 2 and 3, twice: each sleeps once, and for each number below i. The loop over none is one leaf.
  ["sample-nested-foreach-wf", { params: {}, succeeded: plain("foreach-job"), leaves: 2 * (2 + 2 + 3) }],
  // 366 days and three letters, of 2 steps each.
  ["sample-large-foreach-wf", { params: {}, succeeded: plain("job1"), leaves: 366 * 3 * 2 }],
  ["sample-while-wf", { params: { foo: "September" }, succeeded: plain("while-job"), leaves: 5 }],
  // Of the six, one is not waited for.
  ["sample-subworkflow-wf", { params: {}, succeeded: plain(...SUBWORKFLOWS), leaves: 5 * 4 + 1 }],
  ["sample-nested-subworkflow-wf", { params: {}, succeeded: plain("sub-step1"), leaves: 5 * 4 + 1 }],
];

async function call<T>(path: string, body?: string): Promise<T> {
  const url = await serverUrl();
  const response = await fetch(`${url}/api/v3/workflows${path}`, {
    headers: { user: "tester", "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body }),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text) as T;
}

async function ended(run: string): Promise<Run> {
  for (;;) {
    const answer = await call<Run>(`${run}?wait=30`);
    if (TERMINAL.includes(answer.status)) return answer;
  }
}

/** What the params that are expected evaluated to; the server gives each run and step some more. */
function values(params: Params, expected: object = {}): { readonly [name: string]: unknown } {
  return Object.fromEntries(Object.keys(expected).map((name) => [name, params[name]?.evaluated_result]));
}

async function start(id: string): Promise<void> {
  await call("", await Bun.file(join(compatDir, "samples", `${id}.json`)).text());
  const started = await call(`/${id}/versions/latest/actions/start`, '{"initiator":{"type":"manual"}}');
  expect(started).toMatchObject({ workflow_instance_id: 1, workflow_run_id: 1, status: "CREATED" });
}

async function play(id: string, expected: Expected): Promise<void> {
  const run = await ended(`/${id}/instances/1/runs/1`);
  const steps = await call<Step[]>(`/${id}/instances/1/runs/1/steps`);
  const of = (status: string) => steps.filter((step) => step.runtime_state.status === status);
  expect(run.status).toBe("SUCCEEDED");
  expect(values(run.params, expected.params)).toEqual(expected.params);
  const succeeded = of("SUCCEEDED").map(({ step_id: id, params }) => [id, values(params, expected.succeeded[id])]);
  expect(Object.fromEntries(succeeded)).toEqual(expected.succeeded);
  const unsatisfied = of("UNSATISFIED").map((step) => step.step_id);
  expect(unsatisfied.sort()).toEqual([...(expected.unsatisfied ?? [])]);
  expect(steps.map((step) => step.step_attempt_id)).toEqual(steps.map(() => 1));
  expect(steps.length).toBe(Object.keys(run.runtime_dag).length);
  const { SUCCEEDED, ...others } = run.runtime_overview.rollup_overview.overview;
  expect(SUCCEEDED?.cnt).toBe(expected.leaves ?? of("SUCCEEDED").length);
  expect(Object.keys(others)).toEqual(expected.unsatisfied ? ["UNSATISFIED"] : []);
  inOrder(run, steps);
}

/** No step started before those that it comes after had ended. */
function inOrder(run: Run, steps: readonly Step[]): void {
  const state = new Map(steps.map((step) => [step.step_id, step.runtime_state]));
  for (const [id, { predecessors = [] }] of Object.entries(run.runtime_dag)) {
    const start = state.get(id)?.start_time;
    if (start === undefined) continue;
    for (const before of predecessors) {
      const end = state.get(before)?.end_time ?? Number.POSITIVE_INFINITY;
      expect(start, `${id} after ${before}`).toBeGreaterThanOrEqual(end);
    }
  }
}

describe.skipIf(!isPresent)("upstream's samples", () => {
  beforeAll(async () => {
    for (const [id] of SAMPLES) await start(id);
  });
  test.concurrent.each(SAMPLES)("%s", play, LIMIT_MS);
});
