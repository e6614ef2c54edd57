/** What a client reads of runs: overviews, rollups, aggregated views, timelines, pages. */
import { expect } from "bun:test";
import { ask, refuses } from "../kit/client.ts";
import { fatal, noop, sleep, to, when } from "../kit/definition.ts";
import type { RunBody } from "../kit/wire.ts";
import { given } from "../kit/workflow.ts";

const counts = (
  overview: { readonly [status: string]: { readonly cnt: number } } = {},
): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(overview).map(([status, { cnt }]) => [status, cnt]));

export const VIEW = {
  "overview: counts the steps by status, with their times, and leaves out those never created": async () => {
    const steps = [noop("a", when({ b: "true", c: "false" })), fatal("b", to("d")), noop("c"), noop("d")];
    const run = await (await given(steps)).start();
    const { runtime_overview: overview, runtime_dag: dag } = await run.ends("FAILED");
    expect(overview?.total_step_count).toBe(4);
    expect(counts(overview?.step_overview)).toEqual({ SUCCEEDED: 1, FATALLY_FAILED: 1, UNSATISFIED: 1 });
    const [row] = overview?.step_overview?.FATALLY_FAILED?.steps ?? [];
    const { start_time, end_time } = (await run.step("b").read()).runtime_state;
    expect(row, "ordinal in the run's DAG, start, end").toEqual([
      Object.keys(dag).indexOf("b") + 1,
      start_time,
      end_time,
    ]);
  },

  "overview: a live run's counts follow its steps": async () => {
    const run = await (await given([noop("a"), sleep("b", 600)])).start();
    await run.step("b").reaches("RUNNING");
    const { runtime_overview } = await run.read();
    expect(counts(runtime_overview?.step_overview)).toEqual({ SUCCEEDED: 1, RUNNING: 1 });
    expect(runtime_overview?.rollup_overview?.overview?.RUNNING?.ref).toEqual({
      [`${run.workflowId}:1`]: ["1:b:1"],
    });
    await run.stop();
    await run.ends("STOPPED");
  },

  "rollup: counts leaves, and names those that failed": async () => {
    const run = await (await given([fatal("bad"), noop("good"), noop("fine")])).start();
    const { runtime_overview } = await run.ends("FAILED");
    expect(runtime_overview?.rollup_overview).toEqual({
      total_leaf_count: 3,
      overview: { SUCCEEDED: { cnt: 2 }, FATALLY_FAILED: { cnt: 1, ref: { [`${run.workflowId}:1`]: ["1:bad:1"] } } },
    });
  },

  "aggregate: names each step of the definition, with the run that touched it last": async () => {
    const run = await (await given([fatal("bad", to("never")), noop("never"), noop("good")])).start();
    await run.ends("FAILED");
    const { workflow_instance_status, step_aggregated_views: views } = await run.aggregate();
    expect(workflow_instance_status).toBe("FAILED");
    expect(views).toMatchObject({
      bad: { status: "FATALLY_FAILED", workflow_run_id: 1 },
      good: { status: "SUCCEEDED", workflow_run_id: 1 },
    });
    expect(views.never).toEqual({ status: "NOT_CREATED" });
    expect((await run.read("?aggregated=true")).aggregated_info?.workflow_instance_status).toBe("FAILED");
    expect((await run.read()).aggregated_info, "unless it is asked for").toBeUndefined();
  },

  "timeline: an enriched run shows its statuses in order": async () => {
    const run = await (await given([noop("a")])).start();
    await run.ends("SUCCEEDED");
    const timeline = (await run.read("?enriched=true")).timeline ?? [];
    const statuses = timeline.filter((it) => it.type === "STATUS").map((it) => it.status);
    expect(statuses).toEqual(["CREATED", "IN_PROGRESS", "SUCCEEDED"]);
    const times = timeline.map((it) => it.timestamp);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    const stored = (await run.read("?enriched=false")).timeline ?? [];
    expect(
      stored.some((it) => it.type === "STATUS"),
      "STATUS events without enriching",
    ).toBe(false);
  },

  "timeline: an enriched step shows its statuses in order": async () => {
    const run = await (await given([sleep("a", 600)])).start();
    await run.step("a").reaches("RUNNING");
    await run.step("a").does("stop");
    const timeline = (await run.step("a").read()).timeline ?? [];
    const statuses = timeline.filter((it) => it.type === "STATUS").map((it) => it.status);
    expect(statuses).toEqual([
      "CREATED",
      "INITIALIZED",
      "WAITING_FOR_SIGNALS",
      "EVALUATING_PARAMS",
      "WAITING_FOR_PERMITS",
      "STARTING",
      "RUNNING",
      "STOPPED",
    ]);
  },

  "steps: a run without steps yet has no list, and its instance an empty one": async () => {
    const workflow = await given([sleep("a", 600)]);
    const first = await workflow.start();
    const queued = await workflow.start();
    await first.reaches("IN_PROGRESS");
    await refuses(404, "GET", `${queued.path}/steps`);
    expect(await ask<unknown>("GET", `${workflow.path}/instances/${queued.instanceId}/steps`)).toEqual([]);
    await workflow.does("stop");
  },

  "reads: what is not there is not found, and no number is refused": async () => {
    const run = await (await given([noop("a")])).start();
    await run.ends("SUCCEEDED");
    const instances = `/workflows/${run.workflowId}/instances`;
    for (const path of ["/9/runs/1", "/1/runs/9", "/1/runs/1/steps/b/attempts/1", "/1/runs/1/steps/a/attempts/2"]) {
      await refuses(404, "GET", instances + path);
    }
    for (const path of ["/one/runs/1", "/1/runs/one"]) await refuses(400, "GET", instances + path);
  },

  "reads: latest names the newest run and attempt": async () => {
    const run = await (await given([noop("a")])).start();
    await run.ends("SUCCEEDED");
    const instance = `/workflows/${run.workflowId}/instances/1`;
    for (const name of ["latest", "LATEST", "1"]) {
      expect((await ask<RunBody>("GET", `${instance}/runs/${name}`)).workflow_run_id, name).toBe(1);
    }
    expect((await run.step("a").read("latest")).step_attempt_id).toBe(1);
  },

  "pages: of instances, newest first by first and oldest by last, one direction at a time": async () => {
    const workflow = await given([noop("a")]);
    for (let count = 0; count < 5; count++) await workflow.start();
    const page = async (query: string) => {
      const { elements } = await ask<{ elements: readonly RunBody[] }>("GET", `${workflow.path}/instances?${query}`);
      return elements.map((it) => it.workflow_instance_id).sort((a, b) => a - b);
    };
    expect([
      await page("first=2"),
      await page("first=2&cursor=4"),
      await page("last=2"),
      await page("last=2&cursor=2"),
    ]).toEqual([
      [4, 5],
      [2, 3],
      [1, 2],
      [3, 4],
    ]);
    for (const query of ["", "first=1&last=1", "first=0", "first=201"]) {
      await refuses(400, "GET", `${workflow.path}/instances?${query}`);
    }
  },
};
