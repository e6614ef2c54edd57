/** What readers see of runs that steps have started. */
import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/json.ts";
import { inlineIdOf } from "../../src/run/inline.ts";
import type { Run, RunOverview } from "../../src/run/model.ts";
import type { StepStatus } from "../../src/step/status.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";
import { startChild } from "./tree.ts";

const { call, sql, read, change, write } = await apiFixture();
const BASE = "/api/v3/workflows";

const loop = (id: string, ...steps: Json[]): Json => ({
  foreach: {
    id,
    params: { loop_params: { type: "MAP", value: { [`${id}_i`]: { type: "LONG_ARRAY", value: [1, 2, 3] } } } },
    steps,
  },
});
const loopWhile = (id: string, ...steps: Json[]): Json => ({
  while: {
    id,
    condition: `${id}_n < 3`,
    params: { loop_params: { type: "MAP", value: { [`${id}_n`]: { type: "LONG", value: 0 } } } },
    steps,
  },
});

async function begun(id: string, ...steps: Json[]): Promise<Run> {
  await call("POST", BASE, definition(id, ...steps));
  await call("POST", `${BASE}/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });
  await change(await read(id), "IN_PROGRESS");
  return read(id);
}

const leafOf = (id: string, status: StepStatus, more = {}) => attempt(id, 1, { status, ...more });
const overviewOf = (leaves: Partial<Record<StepStatus, number>>): RunOverview => ({
  total: 1,
  steps: {},
  rollup: {
    total_leaf_count: Object.values(leaves).reduce((sum, count) => sum + count, 0),
    overview: Object.fromEntries(Object.entries(leaves).map(([status, cnt]) => [status, { cnt }])),
  },
});
const foreach = (run: Run, id: string, overview: Json, more = {}) => ({
  maestro_foreach: {
    type: "FOREACH",
    foreach_workflow_id: inlineIdOf("foreach", run, id),
    foreach_run_id: 1,
    total_loop_count: 9,
    foreach_overview: overview,
    ...more,
  } as never,
});
const rollupOf = async (id: string) =>
  (await call("GET", `${BASE}/${id}/instances/1/runs/1`)).body.runtime_overview.rollup_overview;

describe("the rollup of a run under way", () => {
  test("counts the leaves of children that run, have ended, and are not in the artifact yet, each once", async () => {
    const run = await begun("live", loop("f", noop("in")), noop("beside"));
    const gathered = { total_leaf_count: 2, overview: { SUCCEEDED: { cnt: 2 } } };
    // Iterations 1 and 2 are in the artifact; 3 has ended since, 4 and 6 run, 5 has been launched and has no step yet.
    const overview = { checkpoint: 3, rollup: gathered, details: { SUCCEEDED: [[1, 2]], IN_PROGRESS: [[3, 4]] } };
    await write(run, [
      leafOf("f", "RUNNING", { artifacts: foreach(run, "f", overview as Json) }),
      leafOf("beside", "SUCCEEDED"),
    ]);
    const ended = { type: "FOREACH", status: "SUCCEEDED", overview: overviewOf({ SUCCEEDED: 1 }) } as const;
    for (const instanceId of [1, 2]) await startChild(sql, run, "f", { ...ended, instanceId });
    await startChild(sql, run, "f", {
      ...ended,
      instanceId: 3,
      status: "FAILED",
      overview: overviewOf({ USER_FAILED: 1 }),
    });
    await write(await startChild(sql, run, "f", { type: "FOREACH", instanceId: 4 }), [leafOf("in", "RUNNING")]);
    await startChild(sql, run, "f", { type: "FOREACH", instanceId: 5 });
    await write(await startChild(sql, run, "f", { type: "FOREACH", instanceId: 6 }), [
      leafOf("in", "USER_FAILED"),
      attempt("in", 2, { status: "RUNNING" }),
    ]);
    const body = `${inlineIdOf("foreach", run, "f")}:1`;
    const below = {
      total_leaf_count: 3,
      overview: { USER_FAILED: { cnt: 1 }, RUNNING: { cnt: 2, ref: { [body]: ["4:in:1", "6:in:2"] } } },
    };
    expect(await rollupOf("live")).toEqual({
      total_leaf_count: 6,
      overview: { ...below.overview, SUCCEEDED: { cnt: 3 } },
    });
    const step = await call("GET", `${BASE}/live/instances/1/runs/1/steps/f/attempts/latest`);
    expect(step.body.artifacts.maestro_foreach.foreach_overview).toMatchObject({
      rollup: gathered,
      running_rollup: below,
    });
    const steps: readonly { step_id: string }[] = (await call("GET", `${BASE}/live/instances/1/runs/1/steps`)).body;
    const listed = steps.find((it) => it.step_id === "f") as unknown as typeof step.body;
    expect(listed.artifacts.maestro_foreach.foreach_overview.running_rollup).toEqual(below);
  });

  test("takes of an iteration that runs again its newest run alone", async () => {
    const run = await begun("again", loop("f", noop("in")));
    await write(run, [
      leafOf("f", "RUNNING", { artifacts: foreach(run, "f", { checkpoint: 1 }, { foreach_run_id: 2 }) }),
    ]);
    const old = { type: "FOREACH", runId: 1, status: "FAILED", overview: overviewOf({ USER_FAILED: 1 }) } as const;
    await startChild(sql, run, "f", { ...old, instanceId: 1 });
    await startChild(sql, run, "f", { ...old, instanceId: 2 });
    await startChild(sql, run, "f", { ...old, instanceId: 2, runId: 2 });
    await write(await startChild(sql, run, "f", { type: "FOREACH", instanceId: 2, runId: 3 }), [
      leafOf("in", "STARTING"),
    ]);
    expect(await rollupOf("again")).toEqual({ total_leaf_count: 1, overview: { STARTING: { cnt: 1 } } });
  });

  test("goes through foreach, while and subworkflow to the bottom", async () => {
    await begun("deepest", noop("bottom"));
    const run = await begun(
      "deep",
      loop(
        "f",
        loopWhile("w", { subworkflow: { id: "s", params: { subworkflow_id: { type: "STRING", value: "deepest" } } } }),
      ),
    );
    await write(run, [leafOf("f", "RUNNING", { artifacts: foreach(run, "f", { checkpoint: 1 }) })]);
    const iteration = await startChild(sql, run, "f", { type: "FOREACH", instanceId: 1 });
    const whileArtifact = (last: object) => ({
      maestro_while: {
        type: "WHILE",
        loop_workflow_id: inlineIdOf("while", iteration, "w"),
        loop_run_id: 1,
        first_iteration: 1,
        last_iteration: 2,
        rollup: { total_leaf_count: 1, overview: { SUCCEEDED: { cnt: 1 } } },
        ...last,
      } as never,
    });
    await write(iteration, [leafOf("w", "RUNNING", { artifacts: whileArtifact({ last_status: "IN_PROGRESS" }) })]);
    await startChild(sql, iteration, "w", {
      type: "WHILE",
      instanceId: 1,
      status: "SUCCEEDED",
      overview: overviewOf({ SUCCEEDED: 1 }),
    });
    const round = await startChild(sql, iteration, "w", { type: "WHILE", instanceId: 2 });
    const child = (more: object) => ({
      maestro_subworkflow: {
        type: "SUBWORKFLOW",
        subworkflow_id: "deepest",
        subworkflow_instance_id: 77,
        subworkflow_run_id: 1,
        ...more,
      } as never,
    });
    await write(round, [leafOf("s", "RUNNING", { artifacts: child({}) })]);
    const bottom = await startChild(sql, round, "s", { type: "SUBWORKFLOW", workflowId: "deepest", instanceId: 77 });
    await write(bottom, [leafOf("bottom", "RUNNING")]);
    const expected = {
      total_leaf_count: 2,
      overview: { SUCCEEDED: { cnt: 1 }, RUNNING: { cnt: 1, ref: { "deepest:1": ["77:bottom:1"] } } },
    };
    expect(await rollupOf("deep")).toEqual(expected);
    // Each level shows its child as far as it has come.
    const artifactOf = async ({ workflowId, instanceId }: Run, step: string) =>
      (await call("GET", `${BASE}/${workflowId}/instances/${instanceId}/steps/${step}`)).body.artifacts;
    const { last_overview } = (await artifactOf(iteration, "w")).maestro_while;
    expect(last_overview.step_overview).toEqual({ RUNNING: { cnt: 1, steps: [[1, null, null]] } });
    expect(last_overview.rollup_overview.total_leaf_count).toBe(1);
    const { subworkflow_overview } = (await artifactOf(round, "s")).maestro_subworkflow;
    expect(subworkflow_overview.rollup_overview.overview).toEqual({ RUNNING: expected.overview.RUNNING });
    // What an artifact tells of is not looked for again.
    const told = { total_step_count: 1, step_overview: {}, rollup_overview: overviewOf({ STOPPED: 1 }).rollup };
    await write(round, [leafOf("s", "RUNNING", { artifacts: child({ subworkflow_overview: told }) })]);
    expect((await rollupOf("deep")).overview).toEqual({ SUCCEEDED: { cnt: 1 }, STOPPED: { cnt: 1 } });
    await write(iteration, [
      leafOf("w", "RUNNING", { artifacts: whileArtifact({ last_status: "SUCCEEDED", last_overview: told }) }),
    ]);
    expect((await rollupOf("deep")).overview).toEqual({ SUCCEEDED: { cnt: 1 }, STOPPED: { cnt: 1 } });
  });

  test("counts a loop that has launched nothing as one leaf, and names no more than a hundred steps of a status", async () => {
    const run = await begun("wide", loop("f", noop("in")), loop("idle", noop("in2")));
    const none = foreach(run, "idle", { checkpoint: 0 });
    const many = foreach(run, "f", { checkpoint: 0 }, { total_loop_count: 150 });
    await write(run, [leafOf("f", "RUNNING", { artifacts: many }), leafOf("idle", "RUNNING", { artifacts: none })]);
    for (let instanceId = 1; instanceId <= 150; instanceId++) {
      await write(await startChild(sql, run, "f", { type: "FOREACH", instanceId }), [leafOf("in", "RUNNING")]);
    }
    const { total_leaf_count, overview } = await rollupOf("wide");
    expect([total_leaf_count, overview.RUNNING.cnt]).toEqual([151, 151]);
    expect(overview.RUNNING.ref["wide:1"]).toEqual(["1:idle:1"]);
    expect(overview.RUNNING.ref[`${inlineIdOf("foreach", run, "f")}:1`]).toHaveLength(100);
  });
});

describe("the body of a loop", () => {
  test("is named by the attempt that runs it, as the artifact names it", async () => {
    const run = await begun("named", loop("f", noop("in")));
    await write(run, [leafOf("f", "RUNNING", { uuid: "the-uuid", artifacts: foreach(run, "f", { checkpoint: 0 }) })]);
    const { workflowId } = await startChild(sql, run, "f", { type: "FOREACH", instanceId: 1 });
    const name = "[named][1][1][f][1][the-uuid]";
    const iteration = await call("GET", `${BASE}/${workflowId}/instances/1/runs/1`);
    expect(iteration.body.runtime_workflow.name).toBe(name);
    const version = await call("GET", `${BASE}/${workflowId}/versions/latest`);
    expect([version.body.workflow.name, version.body.workflow.description]).toEqual([
      name,
      `Maestro foreach inline workflow including steps within foreach created by ${name}`,
    ]);
  });

  test("is found by the way to it, and tells the way to its iterations", async () => {
    const run = await begun("way", loop("f", loopWhile("w", noop("in"))), noop("plain"));
    const outer = await startChild(sql, run, "f", { type: "FOREACH", instanceId: 3 });
    const inner = await startChild(sql, outer, "w", { type: "WHILE", instanceId: 2 });
    const find = async (...way: Json[]) => {
      const posted = await call("POST", `${BASE}/instances/inline-workflow-id`, way);
      const path = encodeURIComponent(JSON.stringify(way));
      const got = await call("GET", `${BASE}/instances/inline-workflow-id?path=${path}`);
      expect([got.status, got.body]).toEqual([posted.status, posted.body]);
      return posted.status === 200 ? posted.body : (posted.body.errors?.[0] ?? posted.body.message);
    };
    const first = { workflow_id: "way", instance_id: 1, step_id: "f" };
    expect(await find(first)).toBe(outer.workflowId);
    expect(await find(first, { instance_id: 3, step_id: "w" })).toBe(inner.workflowId);
    const path = await call("GET", `${BASE}/${inner.workflowId}/instances/2/inline-path`);
    expect(path.body).toEqual([
      { workflow_id: "way", instance_id: 1, run_id: 1, step_id: "f", step_attempt_id: 1 },
      { workflow_id: outer.workflowId, instance_id: 3, run_id: 1, step_id: "w", step_attempt_id: 1 },
      { workflow_id: inner.workflowId, instance_id: 2, run_id: 0, step_attempt_id: 0 },
    ]);
    // There and back again; a part of the way will do.
    expect(await find(...path.body)).toBe(inner.workflowId);
    expect(await find(...path.body.slice(1))).toBe(inner.workflowId);
    expect(await find({ ...first, step_id: "plain" })).toBe("path[0].step_id: is no loop's step");
    expect(await find({ ...first, step_id: "w" })).toContain("has no such step");
    expect(await find({ ...first, step_id: null })).toContain("must be the id of a loop's step");
    expect(await find({ instance_id: 3, step_id: "w" })).toContain("path[0].workflow_id: is needed");
    expect(await find(first, { workflow_id: "other", instance_id: 3, step_id: "w" })).toContain(
      "path[1].workflow_id: must be",
    );
    expect(await find({ ...first, instance_id: 9 })).toContain("[way][9][latest]");
    expect(await find({ ...first, instance_id: 0 })).toContain("path[0].instance_id");
    expect(await find()).toContain("path: ");
    for (const bad of ["", "?path=%7B", "?path=7"]) {
      expect((await call("GET", `${BASE}/instances/inline-workflow-id${bad}`)).status).toBe(400);
    }
    expect((await call("GET", `${BASE}/way/instances/1/inline-path`)).status).toBe(400);
    expect((await call("GET", `${BASE}/${inner.workflowId}/instances/9/inline-path`)).status).toBe(404);
  });
});
