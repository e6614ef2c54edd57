import { describe, expect, test } from "bun:test";
import type { Json } from "../../src/json.ts";
import { hashKey } from "../../src/run/inline.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";

const { call, engine, sql, read } = await apiFixture();
const BASE = "/api/v3/workflows";
const AT = `${BASE}/steps/breakpoints`;

const push = async (id: string, ...steps: readonly Json[]): Promise<void> => {
  expect((await call("POST", BASE, definition(id, ...steps))).body).not.toHaveProperty("errors");
};
const create = (body: { [key: string]: Json }) => call("POST", AT, body);
const at = (workflow: string, step: string) => `?workflowId=${workflow}&stepId=${step}`;

/** A run of the workflow whose first attempt at the step is paused. */
async function paused(id: string, stepId: string) {
  await call("POST", `${BASE}/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });
  const run = await read(id);
  const { uuid, times } = attempt(stepId, 1);
  await sql`INSERT INTO step_attempt (run_key, step_id, attempt_id, uuid, step_instance_id, status, times)
    VALUES (${run.key}, ${stepId}, 1, ${uuid}, 1, 'PAUSED', ${JSON.stringify([times.create_time])})`;
  await sql`INSERT INTO paused_attempt (run_key, step_id, attempt_id, internal_id, create_time)
    VALUES (${run.key}, ${stepId}, 1, ${run.internalId}, 7)`;
  return run;
}

describe("a breakpoint", () => {
  test("is set once, and every node is told before the answer", async () => {
    await push("set", noop("a"), noop("b"));
    const first = await create({ workflow_id: "set", step_id: "b" });
    expect([first.status, first.body]).toMatchObject([200, { workflow_id: "set", step_id: "b", created_by: "ann" }]);
    expect(await create({ workflow_id: "set", step_id: "b", workflow_version: null })).toEqual(first);
    expect((await call("GET", AT + at("set", "b"))).body).toEqual([first.body]);
    expect((await call("GET", AT + at("set", "a"))).body).toEqual([]);
    expect((await call("GET", AT + at("nobody", "a"))).body).toEqual([]);
    const [row] = await sql`SELECT internal_id FROM workflow WHERE workflow_id = 'set'`;
    expect(engine.breakpoints).toContain(`${row?.internal_id}:b`);
  });

  test("at a step of a loop's body, at any depth, is named after the outermost loop", async () => {
    const inner = { foreach: { id: "inner", params: { loop_params: LOOP }, steps: [noop("deep")] } };
    const loop = {
      while: { id: "outer", condition: "n < 1", params: { loop_params: COUNT }, steps: [inner, noop("flat")] },
    };
    await push("loops", noop("a"), loop);
    const [row] = await sql`SELECT internal_id FROM workflow WHERE workflow_id = 'loops'`;
    const prefix = `maestro_while_${hashKey(row?.internal_id)}_`;
    for (const step of ["inner", "deep", "flat"]) {
      expect((await create({ workflow_id: "loops", step_id: step })).body).toMatchObject({
        workflow_id: prefix,
        step_id: step,
      });
    }
    expect((await create({ workflow_id: "loops", step_id: "outer" })).body).toMatchObject({ workflow_id: "loops" });
    expect((await call("GET", AT + at("loops", "deep"))).body).toMatchObject([{ workflow_id: prefix }]);
  });

  test.each([
    ["of a step that the default version does not have", { workflow_id: "right", step_id: "z" }, 400, "step_id"],
    ["of one version", { workflow_id: "right", step_id: "a", workflow_version: 1 }, 400, "workflow_version"],
    ["of one run", { workflow_id: "right", step_id: "a", workflow_run: 1 }, 400, "workflow_run"],
    ["without a step", { workflow_id: "right" }, 400, "step_id"],
    ["with something else", { workflow_id: "right", step_id: "a", attempt: 1 }, 400, "attempt"],
    ["of no workflow", { workflow_id: "nobody", step_id: "a" }, 404, ""],
  ])("%s is refused", async (_, body, status, where) => {
    await push("right", noop("a"));
    const answer = await create(body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(where);
  });

  test("that is removed lets go what it has paused, and their owners are told", async () => {
    await push("gone", noop("a"));
    await create({ workflow_id: "gone", step_id: "a" });
    const run = await paused("gone", "a");
    const { body } = await call("DELETE", AT + at("gone", "a"));
    expect(body).toMatchObject({ workflow_id: "gone", step_id: "a" });
    expect(JSON.stringify(body)).toContain("removed by the user [ann]. Total of [1] steps have been resumed");
    expect(engine.told).toContainEqual({ runKey: run.key, groupId: run.groupId, stepId: "a" });
    expect((await call("DELETE", AT + at("gone", "a"))).status).toBe(404);
    expect((await call("DELETE", AT + at("nobody", "a"))).status).toBe(404);
  });

  test("may be removed without letting anything go", async () => {
    await push("kept", noop("a"));
    await create({ workflow_id: "kept", step_id: "a" });
    await paused("kept", "a");
    const { body } = await call("DELETE", `${AT}${at("kept", "a")}&resume=false`);
    expect(JSON.stringify(body)).toContain("Total of [0] steps have been resumed");
    expect((await call("GET", `${AT}/paused-step-attempts${at("kept", "a")}`)).body).toHaveLength(1);
  });

  test.each(["GET", "DELETE"])("needs a workflow and a step (%s)", async (method) => {
    const answer = await call(method, `${AT}?workflowId=x`);
    expect(answer).toMatchObject({ status: 400, body: { title: "Bad Request", status: 400 } });
    expect(JSON.stringify(answer.body)).toContain("stepId");
  });
});

describe("a paused attempt", () => {
  test("is listed, and resumed by its name", async () => {
    await push("listed", noop("a"));
    await create({ workflow_id: "listed", step_id: "a" });
    const run = await paused("listed", "a");
    const list = `${AT}/paused-step-attempts${at("listed", "a")}`;
    expect((await call("GET", list)).body).toEqual([
      {
        workflow_id: "listed",
        workflow_version_id: 1,
        workflow_instance_id: 1,
        workflow_run_id: 1,
        step_id: "a",
        step_attempt_id: 1,
        create_time: 7,
      },
    ]);
    const resume = (name: string) => call("PUT", `${AT}/listed/instances/1/runs/${name}/actions/resume`, {});
    expect((await resume("1/steps/a/attempts/2")).status).toBe(404);
    expect((await resume("2/steps/a/attempts/1")).status).toBe(404);
    const { status, body } = await resume("latest/steps/a/attempts/latest");
    expect([status, body]).toMatchObject([200, { workflow_run_id: 1, step_id: "a", step_attempt_id: 1 }]);
    expect(engine.told).toContainEqual({ runKey: run.key, groupId: run.groupId, stepId: "a" });
    expect((await resume("1/steps/a/attempts/1")).status).toBe(404);
    expect((await call("GET", list)).body).toEqual([]);
    expect((await call("GET", `${AT}/paused-step-attempts${at("nobody", "a")}`)).body).toEqual([]);
  });
});

const COUNT = { type: "MAP", value: { n: { type: "LONG", value: 1 } } };
const LOOP = { type: "MAP", value: { i: { type: "LONG_ARRAY", value: [1, 2] } } };
