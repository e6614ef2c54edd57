import { describe, expect, test } from "bun:test";
import type { PermitLook, Write } from "../../src/flow/port.ts";
import { assignPermits } from "../../src/store/permit.ts";
import { batchOf } from "../../src/store/writer/batch.ts";
import { commit } from "../../src/store/writer/statement.ts";
import { attempt } from "../store/fixture.ts";
import { apiFixture, definition, noop } from "./fixture.ts";

const { call, engine, sql, read, write } = await apiFixture();
const BASE = "/api/v3/tag-permits";

const put = (body: unknown) => call("POST", BASE, body);
const get = (tag: string) => call("GET", `${BASE}/${encodeURIComponent(tag)}`);
const remove = (tag: string) => call("DELETE", `${BASE}/${encodeURIComponent(tag)}`);

describe("a tag's limit", () => {
  test("is made, read with whatever came with it, replaced, and removed", async () => {
    const made = await put({ tag: "t1", max_allowed: 0, why: { n: "12345678901234567890" } });
    expect([made.status, made.text]).toEqual([200, ""]);
    expect((await get("t1")).body).toMatchObject({
      tag: "t1",
      max_allowed: 0,
      why: { n: "12345678901234567890" },
      timeline: [{ type: "LOG", level: "INFO", message: "User [ann] created the tag permit with limit [0]" }],
    });
    await put({ tag: "t1", max_allowed: 5 });
    const { body } = await get("t1");
    expect([body.max_allowed, "why" in body]).toEqual([5, false]);
    expect(body.timeline.map((it: { message: string }) => it.message)).toEqual([
      "User [ann] created the tag permit with limit [0]",
      "User [ann] updated the tag permit to the new limit [5]",
    ]);
    const gone = await remove("t1");
    expect([gone.status, gone.text]).toEqual([200, ""]);
    expect((await get("t1")).status).toBe(404);
  });

  test("is 0 when the request has none", async () => {
    await put({ tag: "t2" });
    expect((await get("t2")).body.max_allowed).toBe(0);
  });

  test("keeps its newest 32 events", async () => {
    for (let n = 0; n < 40; n++) await put({ tag: "t3", max_allowed: n });
    const messages = (await get("t3")).body.timeline.map((it: { message: string }) => it.message);
    expect([messages.length, messages[0], messages.at(-1)]).toEqual([
      32,
      "User [ann] updated the tag permit to the new limit [8]",
      "User [ann] updated the tag permit to the new limit [39]",
    ]);
  });

  test("may be of any tag, and is found under its name", async () => {
    for (const tag of ["a/b", "ü 😀", "maestro_etl", "__proto__", "x'\"\\%_"]) {
      expect((await put({ tag, max_allowed: 1 })).status).toBe(200);
      expect((await get(tag)).body.tag).toBe(tag);
    }
  });

  test.each([
    [{ max_allowed: 1 }, "tag: is required, a text"],
    [{ tag: " ", max_allowed: 1 }, "tag: must not be blank"],
    [{ tag: "x".repeat(513) }, "tag: "],
    [{ tag: "t", max_allowed: -1 }, "max_allowed: -1 is out of range; it must be 0 to 2147483647"],
    [{ tag: "t", max_allowed: 2147483648 }, "max_allowed: 2147483648 is out of range"],
    [{ tag: "t", max_allowed: "many" }, "max_allowed: "],
    [{ tag: "t", max_allowed: 1, timeline: [] }, "timeline: is written by the server; leave it out"],
    [[], ""],
  ])("%j is refused, and it is said why", async (body, problem) => {
    const answer = await put(body);
    expect([answer.status, answer.body.status]).toEqual([400, "BAD_REQUEST"]);
    expect(String(answer.body.errors?.[0])).toStartWith(problem);
  });

  test("needs to know who sets it", async () => {
    expect((await call("POST", BASE, { tag: "t", max_allowed: 1 }, { user: "" })).status).toBe(400);
    expect((await call("DELETE", `${BASE}/t`, undefined, { user: "" })).status).toBe(400);
  });
});

test("tags with a limit are listed by name, page by page, found by a part of it", async () => {
  for (const tag of ["list-b", "list-a", "list-c"]) await put({ tag, max_allowed: 2 });
  const first = (await call("GET", `${BASE}?search=LIST-&limit=2`)).body;
  expect(first.elements).toMatchObject([{ tag: "list-a", max_allowed: 2, held: 0, waiting: 0 }, { tag: "list-b" }]);
  const second = (await call("GET", `${BASE}?search=LIST-&limit=2&cursor=${first.next_cursor}`)).body;
  expect([second.elements.map((it: { tag: string }) => it.tag), second.next_cursor]).toEqual([["list-c"], undefined]);
});

test("raising and removing a limit lets waiting steps go, and their owners are told", async () => {
  await call("POST", "/api/v3/workflows", definition("flow", noop("a")));
  await call("POST", "/api/v3/workflows/flow/versions/latest/actions/start", { initiator: { type: "manual" } });
  const run = await read("flow");
  const uuids = ["u1", "u2", "u3"];
  await write(
    run,
    uuids.map((uuid, index) => attempt(`s${index}`, 1, { uuid, status: "WAITING_FOR_PERMITS" })),
  );
  const rows = uuids.map((uuid, index) => ({
    ...{ kind: "permits-wanted", uuid, runKey: run.key, groupId: run.groupId, stepId: `s${index}`, time: 5 },
    wants: [{ tag: "go", limit: undefined }],
  })) as readonly Write[];
  await put({ tag: "go", max_allowed: 0 });
  const stamp = { groupId: run.groupId, generation: 1 };
  await commit(sql, batchOf([{ number: 1, stamp, rows, settled: undefined }]));
  const look: PermitLook = { opened: [], asked: uuids, sweeps: false };
  expect((await assignPermits(sql, look)).states.map(({ blockedBy }) => blockedBy)).toEqual(["go", "go", "go"]);

  engine.told.length = 0;
  await put({ tag: "go", max_allowed: 1 });
  expect(engine.told).toMatchObject([{ runKey: run.key, stepId: "s0" }]);
  expect(engine.told).toHaveLength(1);
  const steps = async (state: string) => (await call("GET", `${BASE}/go/steps?limit=1&state=${state}`)).body;
  expect(await steps("HELD")).toMatchObject({
    total_count: 1,
    elements: [
      {
        ...{ workflow_id: "flow", workflow_instance_id: 1, workflow_run_id: 1, step_id: "s0", step_attempt_id: 1 },
        ...{ step_uuid: "u1", state: "HELD", wait_time: 5 },
      },
    ],
  });
  const waiting = await steps("WAITING");
  expect([waiting.total_count, waiting.elements[0].step_id, "grant_time" in waiting.elements[0]]).toEqual([
    2,
    "s1",
    false,
  ]);
  const next = await call("GET", `${BASE}/go/steps?limit=1&state=WAITING&cursor=${waiting.next_cursor}`);
  expect([next.body.elements[0].step_id, next.body.next_cursor]).toEqual(["s2", undefined]);
  expect((await call("GET", `${BASE}?search=go`)).body.elements[0]).toMatchObject({ held: 1, waiting: 2 });

  engine.told.length = 0;
  await remove("go");
  expect(engine.told.map(({ stepId }) => stepId).sort()).toEqual(["s1", "s2"]);
  expect((await steps("WAITING")).total_count).toBe(0);
});

test("steps of a tag that nobody knows are none, and a cursor that is none is refused", async () => {
  expect((await call("GET", `${BASE}/nobody/steps`)).body).toEqual({ total_count: 0, elements: [] });
  expect((await call("GET", `${BASE}/nobody/steps?cursor=x`)).status).toBe(400);
  expect((await call("GET", `${BASE}/nobody/steps?state=held`)).status).toBe(400);
});
