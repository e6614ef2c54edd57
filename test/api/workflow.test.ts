import { describe, expect, test } from "bun:test";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";

const { call, engine, sql, read, change, write, log } = await apiFixture();
const BASE = "/api/v3/workflows";

describe("pushing a definition", () => {
  test("answers with the whole definition, its extras in the metadata", async () => {
    const { status, body } = await call("POST", BASE, { ...definition("push", noop("a")), ticket: "ABC-1" });
    expect(status).toBe(200);
    expect(Object.keys(body.workflow_definition)).toEqual([
      "properties_snapshot",
      "metadata",
      "workflow",
      "is_active",
      "activate_time",
      "activated_by",
      "is_latest",
      "is_default",
      "internal_id",
      "modify_time",
    ]);
    expect(body.workflow_definition.metadata).toMatchObject({
      workflow_id: "push",
      workflow_version_id: 1,
      version_author: "ann",
      ticket: "ABC-1",
    });
    expect(body.workflow_definition.workflow.steps).toEqual([{ step: { id: "a", transition: {}, type: "NoOp" } }]);
  });

  test("keeps 64-bit numbers and decimals digit by digit through store and answer", async () => {
    const params =
      '{"n":{"value":9223372036854775807,"type":"LONG"},"d":{"value":1.10000000000000000001,"type":"DOUBLE"}}';
    const text = `{"properties":{"owner":"ann"},"workflow":{"id":"digits","params":${params},"steps":[{"step":{"id":"a","type":"NoOp"}}]}}`;
    expect((await call("POST", BASE, text)).status).toBe(200);
    expect((await call("GET", `${BASE}/digits/versions/latest`)).text).toContain(params);
  });

  test("makes a version each time, from concurrent pushes too", async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => call("POST", BASE, definition("race"))));
    const versions = answers.map(({ body }) => body.workflow_definition.metadata.workflow_version_id);
    expect(versions.sort()).toEqual([1, 2, 3, 4, 5]);
    expect((await call("GET", `${BASE}/race/overview`)).body).toMatchObject({
      active_version_id: 5,
      latest_version_id: 5,
    });
  });

  test("with is_active false leaves the active version where it is", async () => {
    await call("POST", BASE, definition("pointer"));
    const { body } = await call("POST", BASE, { ...definition("pointer"), is_active: false });
    expect(body.workflow_definition).toMatchObject({ is_active: false, is_latest: true, is_default: false });
    expect((await call("GET", `${BASE}/pointer/versions/active`)).body.metadata.workflow_version_id).toBe(1);
    expect((await call("GET", `${BASE}/pointer/versions/DEFAULT`)).body.metadata.workflow_version_id).toBe(1);
  });

  test("resets what a push leaves out of its properties and keeps the rest", async () => {
    const properties = {
      owner: "ann",
      run_strategy: 7,
      step_concurrency: 5,
      description: "d",
      alerting_disabled: true,
    };
    await call("POST", BASE, { ...definition("props"), properties });
    const { body } = await call("POST", BASE, { ...definition("props"), properties: { step_concurrency: 9 } });
    const { create_time: _, ...snapshot } = body.workflow_definition.properties_snapshot;
    expect(snapshot).toEqual({
      workflow_id: "props",
      author: "ann",
      owner: "ann",
      step_concurrency: 9,
      description: "d",
      alerting_disabled: true,
    });
  });

  test("names a near step type when the type is unknown", async () => {
    const { status, body } = await call("POST", BASE, definition("typo", { step: { id: "a", type: "Slepe" } }));
    expect(status).toBe(400);
    expect(body.errors.join()).toContain("Sleep");
  });

  test("takes a plugin's step type", async () => {
    const step = { step: { id: "a", type: "shell", params: { shell: { type: "MAP", value: {} } } } };
    expect((await call("POST", BASE, definition("plugin", step))).status).toBe(200);
  });

  test("is refused when its params do not evaluate, and nothing is stored", async () => {
    const bad = definition("unevaluable");
    const workflow = { ...(bad.workflow as object), params: { x: { type: "LONG", expression: "nosuch + 1" } } };
    const { status, body } = await call("POST", BASE, { ...bad, workflow });
    expect(status).toBe(400);
    expect(body.errors[0]).toContain("workflow.params");
    expect((await call("GET", `${BASE}/unevaluable/versions/latest`)).status).toBe(404);
  });

  test("is checked without being stored by validate", async () => {
    const { status, body } = await call("PUT", `${BASE}/actions/validate`, definition("checked"));
    expect([status, body.type, body.action, body.author]).toEqual([200, "ACTION", "VALIDATE", "ann"]);
    expect((await call("GET", `${BASE}/checked/overview`)).status).toBe(404);
  });
});

describe("reading versions", () => {
  test("enriched adds merged params and the next firings", async () => {
    const workflow = {
      id: "enriched",
      params: { n: { type: "LONG", value: 3 } },
      time_triggers: [{ type: "CRON", cron: "0 3 * * *" }],
      steps: [noop("a")],
    };
    await call("POST", BASE, { properties: { owner: "ann" }, workflow });
    const { body } = await call("GET", `${BASE}/enriched/versions/1?enriched=True`);
    const extras = body.enriched_extras;
    expect(extras.workflow_params.n).toEqual({
      value: 3,
      type: "LONG",
      tags: [],
      mode: "MUTABLE",
      source: "DEFINITION",
    });
    expect(extras.workflow_params.owner).toMatchObject({ mode: "CONSTANT", internal_mode: "RESERVED" });
    expect(extras.step_params.a.step_id).toMatchObject({ source: "SYSTEM_DEFAULT", internal_mode: "RESERVED" });
    expect(extras.next_execution_times).toEqual([extras.next_execution_time]);
  });

  test("refuses versions that are none, and finds no unknown ones", async () => {
    await call("POST", BASE, definition("one"));
    for (const version of ["0", "-1", "abc", "1.5"]) {
      const { status, body } = await call("GET", `${BASE}/one/versions/${version}`);
      expect([version, status, body.status, body.errors.length]).toEqual([version, 400, "BAD_REQUEST", 1]);
    }
    expect((await call("GET", `${BASE}/one/versions/2`)).status).toBe(404);
    expect((await call("GET", `${BASE}/nobody/versions/latest`)).status).toBe(404);
  });

  test("pages from either end", async () => {
    for (let version = 1; version <= 3; version++) await call("POST", BASE, definition("pages"));
    const page = async (query: string) => {
      const { body } = await call("GET", `${BASE}/pages/versions/pagination?${query}`);
      const ids = body.elements.map(
        (it: { metadata: { workflow_version_id: number } }) => it.metadata.workflow_version_id,
      );
      return {
        ids,
        start_index: body.page_info.start_index,
        next: body.page_info.has_next_page,
        total: body.total_count,
      };
    };
    expect(await page("first=2")).toEqual({ ids: [3, 2], start_index: 1, next: true, total: 3 });
    expect(await page("first=2&cursor=2")).toEqual({ ids: [1], start_index: 3, next: false, total: 3 });
    expect(await page("last=1")).toEqual({ ids: [1], start_index: 3, next: false, total: 3 });
    expect(await page("last=1&cursor=1")).toEqual({ ids: [2], start_index: 2, next: true, total: 3 });
    expect(await page("last=2&cursor=3")).toEqual({ ids: [], start_index: null, next: false, total: 3 });
  });

  test("refuses page queries that contradict themselves", async () => {
    for (const query of ["", "first=1&last=1", "first=0", "first=201", "first=x", "first=1&cursor=x"]) {
      expect([query, (await call("GET", `${BASE}/pages/versions/pagination?${query}`)).status]).toEqual([query, 400]);
    }
  });
});

describe("properties", () => {
  test("change field by field, and a changed strategy wakes the queue", async () => {
    await call("POST", BASE, definition("prop"));
    engine.dequeues.length = 0;
    const { body } = await call("POST", `${BASE}/prop/properties`, { run_strategy: 3, description: "new" });
    expect(body).toMatchObject({ run_strategy: { rule: "PARALLEL", workflow_concurrency: 3 }, description: "new" });
    expect(engine.dequeues).toEqual(["prop"]);
    const [row] = await sql`SELECT run_rule, run_concurrency FROM workflow WHERE workflow_id = 'prop'`;
    expect(row).toMatchObject({ run_rule: "PARALLEL", run_concurrency: 3 });
    expect((await sql`SELECT 1 FROM outbox WHERE kind = 'dequeue' AND key = 'prop'`).length).toBe(1);
  });

  test("of an unknown workflow are a bad request", async () => {
    expect((await call("POST", `${BASE}/nobody/properties`, { owner: "x" })).status).toBe(400);
  });

  test("hold tags by name", async () => {
    await call("POST", BASE, definition("tags"));
    await call("POST", `${BASE}/tags/properties/tag`, '"plain"');
    await call("POST", `${BASE}/tags/properties/tag`, { name: "rich", why: "because" });
    const { body } = await call("POST", `${BASE}/tags/properties/tag`, { name: "plain", why: "changed" });
    expect(body.tags).toMatchObject([
      { name: "plain", why: "changed", namespace: "PLATFORM", creator: "ann" },
      { name: "rich", why: "because", namespace: "PLATFORM" },
    ]);
    const removed = await call("DELETE", `${BASE}/tags/properties/tag/plain`);
    expect(removed.body.tags.map((tag: { name: string }) => tag.name)).toEqual(["rich"]);
    expect((await call("DELETE", `${BASE}/tags/properties/tag/plain`)).status).toBe(404);
    const refused = await call("POST", `${BASE}/tags/properties/tag`, { name: "maestro_no" });
    expect([refused.status, refused.body.errors.length]).toEqual([400, 1]);
  });

  test("refuse a strategy that the runs at hand would break", async () => {
    await call("POST", BASE, definition("strict"));
    const start = () => call("POST", `${BASE}/strict/versions/latest/actions/start`, { initiator: { type: "manual" } });
    await start();
    await start();
    const update = (rule: string) => call("POST", `${BASE}/strict/properties`, { run_strategy: rule });
    expect((await update("FIRST_ONLY")).status).toBe(412);
    expect((await update("LAST_ONLY")).body.status).toBe("PRECONDITION_FAILED");
    expect(
      (await call("POST", BASE, { ...definition("strict"), properties: { run_strategy: "FIRST_ONLY" } })).status,
    ).toBe(412);
    await change(await read("strict", 1), "FAILED", []);
    expect((await update("STRICT_SEQUENTIAL")).status).toBe(412);
    expect((await update("SEQUENTIAL")).status).toBe(200);
  });

  test("snapshots other than the latest are refused", async () => {
    await call("POST", BASE, definition("snapshot"));
    expect((await call("GET", `${BASE}/snapshot/properties-snapshot/LATEST`)).body.owner).toBe("ann");
    expect((await call("GET", `${BASE}/snapshot/properties-snapshot/7`)).status).toBe(400);
    expect((await call("GET", `${BASE}/nobody/properties-snapshot/latest`)).status).toBe(404);
  });
});

describe("activation", () => {
  test("moves the pointer, and doing it again changes nothing", async () => {
    await call("POST", BASE, definition("act"));
    await call("POST", BASE, definition("act"));
    const activate = (version: string) => call("PUT", `${BASE}/act/versions/${version}/actions/activate`);
    const first = await activate("1");
    expect(first.body).toMatchObject({ workflow_id: "act", workflow_version_id: 1 });
    expect(first.body.timeline_event).toMatchObject({ type: "ACTION", action: "ACTIVATE", author: "ann" });
    const again = await activate("1");
    expect([again.status, again.body.workflow_version_id]).toEqual([200, 1]);
    expect((await call("PUT", `${BASE}/act/actions/deactivate`)).body.workflow_version_id).toBe(0);
    expect((await call("PUT", `${BASE}/act/actions/deactivate`)).status).toBe(200);
    expect((await activate("active")).status).toBe(404);
    expect((await activate("9")).status).toBe(404);
    expect((await activate("x")).status).toBe(400);
    expect((await call("PUT", `${BASE}/nobody/actions/deactivate`)).status).toBe(404);
  });
});

describe("pausing", () => {
  const act = (id: string, action: "pause" | "resume") => call("PUT", `${BASE}/${id}/actions/${action}`);
  const start = (id: string) =>
    call("POST", `${BASE}/${id}/versions/latest/actions/start`, { initiator: { type: "manual" } });

  test("is answered, written down, shown, and done again without harm", async () => {
    await call("POST", BASE, definition("pause"));
    const paused = await act("pause", "pause");
    expect(paused.body).toMatchObject({ workflow_id: "pause", workflow_version_id: 1 });
    const event = { type: "ACTION", action: "PAUSE", author: "ann" };
    expect(paused.body.timeline_event).toMatchObject(event);
    expect(paused.body.timeline_event.message).toContain("Caller [ann] paused workflow [pause]");
    const again = await act("pause", "pause");
    expect(again.body.timeline_event.message).toBe("Caller [ann] do nothing as workflow [pause] is already paused");
    expect((await call("GET", `${BASE}/pause/overview`)).body.paused).toBe(true);
    expect((await call("GET", `${BASE}/pause/versions/latest`)).body.paused).toBe(true);
    expect((await call("GET", `${BASE}?search=pause`)).body.elements[0].paused).toBe(true);
    engine.dequeues.length = 0;
    const resumed = await act("pause", "resume");
    expect(resumed.body.timeline_event).toMatchObject({ ...event, action: "RESUME" });
    expect(engine.dequeues).toEqual(["pause"]);
    const idle = await act("pause", "resume");
    expect(idle.body.timeline_event.message).toBe("Caller [ann] do nothing as workflow [pause] is not paused");
    for (const path of ["overview", "versions/latest"]) {
      expect((await call("GET", `${BASE}/pause/${path}`)).body).not.toHaveProperty("paused");
    }
    const { body } = await call("GET", `${BASE}/pause/timeline`);
    expect(body.timeline_events.slice(0, 4).map((it: { log: string }) => it.log)).toEqual(
      [idle, resumed, again, paused].map((it) => it.body.timeline_event.message),
    );
  });

  test("needs a workflow and a caller", async () => {
    expect((await act("nobody", "pause")).status).toBe(404);
    expect((await act("nobody", "resume")).status).toBe(404);
    expect((await call("PUT", `${BASE}/pause/actions/pause`, undefined, { user: "" })).status).not.toBe(200);
  });

  test("lets starts wait, and refuses those that a run strategy would not queue", async () => {
    await call("POST", BASE, definition("waits"));
    await act("waits", "pause");
    expect((await start("waits")).body.status).toBe("CREATED");
    const [row] = await sql`SELECT execution_id FROM run WHERE workflow_id = 'waits'`;
    expect(row?.execution_id).toBeNull();
    for (const rule of ["FIRST_ONLY", "LAST_ONLY"]) {
      await call("POST", `${BASE}/waits/properties`, { run_strategy: rule });
      expect((await start("waits")).status).toBe(409);
    }
    expect((await call("GET", `${BASE}/waits/overview`)).body.nonterminal_instances.CREATED).toBe(1);
  });

  test("survives a push and a change of properties", async () => {
    await call("POST", BASE, definition("still"));
    await act("still", "pause");
    await call("POST", BASE, definition("still"));
    await call("POST", `${BASE}/still/properties`, { description: "new" });
    expect((await call("GET", `${BASE}/still/overview`)).body.paused).toBe(true);
  });
});

describe("deleting", () => {
  test("is refused while an instance is unfinished, then takes everything away", async () => {
    await call("POST", BASE, definition("gone"));
    const start = () => call("POST", `${BASE}/gone/versions/latest/actions/start`, { initiator: { type: "manual" } });
    await start();
    expect((await call("DELETE", `${BASE}/gone`)).status).toBe(400);
    const run = await read("gone");
    await write(run, [attempt("a", 1, { uuid: "gone-a", status: "SUCCEEDED" })]);
    await log(run, "gone-a", 0, "printed");
    await change(run, "SUCCEEDED", []);
    expect((await call("DELETE", `${BASE}/gone`)).body).toMatchObject({ type: "LOG", level: "INFO" });
    expect((await call("GET", `${BASE}/gone/versions/latest`)).status).toBe(404);
    expect((await call("DELETE", `${BASE}/gone`)).status).toBe(404);
    let pushed = await call("POST", BASE, definition("gone"));
    while (pushed.status === 409) pushed = await call("POST", BASE, definition("gone"));
    expect(pushed.body.workflow_definition.metadata.workflow_version_id).toBe(1);
    expect((await start()).body.workflow_instance_id).toBe(2);
    const left = await sql`SELECT 1 FROM run WHERE key = ${run.key}
      UNION ALL SELECT 1 FROM step_attempt WHERE run_key = ${run.key} UNION ALL SELECT 1 FROM step_log WHERE uuid = 'gone-a'`;
    expect(left.length).toBe(0);
  });

  test("of a loop's body is not possible", async () => {
    const id = "maestro_foreach_x_11_00000000000000000000000000000000";
    expect((await call("DELETE", `${BASE}/${id}`)).body.status).toBe("UNPROCESSABLE_ENTITY");
  });
});

describe("the list of workflows", () => {
  test("pages by id and finds by id, name and owner, with LIKE's characters taken literally", async () => {
    const named = (id: string, name: string, owner: string) => ({
      properties: { owner },
      workflow: { id, name, steps: [noop("a")] },
    });
    await call("POST", BASE, named("list_1", "Alpha", "zoe"));
    await call("POST", BASE, named("list_2", "Beta 100%", "zoe"));
    await call("POST", BASE, named("listx3", "Gamma", "max"));
    const list = async (query: string) => (await call("GET", `${BASE}?${query}`)).body;
    const ids = async (query: string) =>
      (await list(query)).elements.map((it: { workflow_id: string }) => it.workflow_id);
    expect(await ids("search=list_")).toEqual(["list_1", "list_2"]);
    expect(await ids("search=ALPHA")).toEqual(["list_1"]);
    expect(await ids("search=100%25")).toEqual(["list_2"]);
    expect(await ids("search=zoe")).toEqual(["list_1", "list_2"]);
    const first = await list("search=list&limit=2");
    expect(first.next_cursor).toBe("list_2");
    const second = await list(`search=list&limit=2&cursor=${first.next_cursor}`);
    expect([second.elements[0].workflow_id, second.next_cursor]).toEqual(["listx3", undefined]);
    expect(second.elements[0]).toMatchObject({ name: "Gamma", owner: "max", latest_version_id: 1 });
  });
});
