import { describe, expect, test } from "bun:test";
import { letterOf, refusalOf } from "../../src/flow/refusal.ts";
import { loadRun } from "../../src/store/instance.ts";
import { RowWriter } from "../../src/store/writer/twin.ts";
import { apiFixture, definition } from "./fixture.ts";

const { call, db, engine } = await apiFixture();
const { sql } = db;
const BASE = "/api/v3/dead-letters";

/** @returns its number */
async function letter(topic: string, key: string, payload: string | null = null): Promise<number> {
  const [row] = await sql<{ id: number }[]>`
    INSERT INTO outbox (kind, key, payload, create_time, next_time, attempts, error, dead)
    VALUES (${topic}, ${key}, ${payload}, 1, 2, 30, 'broken', 1) RETURNING id`;
  return row?.id ?? 0;
}

describe("dead letters", () => {
  test("are listed from the newest on, page by page, of all topics or of one", async () => {
    await sql`TRUNCATE outbox`;
    await sql`INSERT INTO outbox (kind, key, create_time) VALUES ('t', 'alive', 1)`;
    const [a, b, c] = [await letter("t", "a", "[1]"), await letter("other", "b"), await letter("t", "c")];
    const first = await call("GET", `${BASE}?limit=2`);
    const times = { create_time: 1, dead_time: 2 };
    expect(first.body).toEqual({
      elements: [
        { id: c, topic: "t", key: "c", error: "broken", attempts: 30, ...times },
        { id: b, topic: "other", key: "b", error: "broken", attempts: 30, ...times },
      ],
      next_cursor: String(b),
    });
    const next = await call("GET", `${BASE}?limit=2&cursor=${first.body.next_cursor}`);
    expect(next.body).toMatchObject({ elements: [{ id: a }] });
    expect(next.body).not.toHaveProperty("next_cursor");
    expect((await call("GET", `${BASE}?topic=t&limit=2`)).body).toMatchObject({ elements: [{ id: c }, { id: a }] });
    expect((await call("GET", `${BASE}?topic=none`)).body).toEqual({ elements: [] });
    expect((await call("GET", `${BASE}?cursor=x`)).status).toBe(400);
  });

  test("are shown with their payload, numbers whole; deleted, they are gone", async () => {
    const id = await letter("t", "shown", '{"n":9223372036854775807}');
    const { text, body } = await call("GET", `${BASE}/${id}`);
    expect([body.key, text.includes('{"n":9223372036854775807}')]).toEqual(["shown", true]);
    expect((await call("DELETE", `${BASE}/${id}`)).body).toMatchObject({ id, key: "shown" });
    for (const method of ["GET", "DELETE"]) expect((await call(method, `${BASE}/${id}`)).status).toBe(404);
    expect((await call("GET", `${BASE}/x`)).status).toBe(400);
    expect((await call("DELETE", `${BASE}/${id}`, undefined, { user: "" })).status).toBe(400);
  });

  test("that are replayed wait to be acted on, and the engine is told", async () => {
    await sql`TRUNCATE outbox`;
    const [a, b] = [await letter("t", "a"), await letter("t", "b"), await letter("other", "c")];
    engine.outboxHints = 0;
    expect((await call("POST", `${BASE}/${a}/actions/replay`)).body).toEqual({ replayed: 1 });
    expect([(await call("POST", `${BASE}/${a}/actions/replay`)).status, engine.outboxHints]).toEqual([404, 1]);
    expect((await call("POST", `${BASE}/actions/replay?topic=t`)).body).toEqual({ replayed: 1 });
    expect((await call("POST", `${BASE}/actions/replay?topic=t`)).body).toEqual({ replayed: 0 });
    expect(engine.outboxHints).toBe(2);
    expect(await sql`SELECT key, attempts, next_time, error FROM outbox WHERE dead = 0 ORDER BY id`).toMatchObject(
      ["a", "b"].map((key) => ({ key, attempts: 0, next_time: 0, error: null })),
    );
    expect((await call("GET", `${BASE}/${b}`)).status).toBe(404);
    expect((await call("POST", `${BASE}/actions/replay`)).body).toEqual({ replayed: 1 });
  });
});

describe("the dead letter of a run whose rows were refused", () => {
  test("is not replayed; what to do instead depends on what has become of the run", async () => {
    await sql`TRUNCATE outbox`;
    await call("POST", "/api/v3/workflows", definition("etl"));
    await call("POST", "/api/v3/workflows/etl/versions/latest/actions/start", { initiator: { type: "manual" } });
    const run = await loadRun(sql, "etl", 1, 1);
    if (!run) throw new Error("there is no run");
    await sql`INSERT INTO flow_group (id, generation) VALUES (${run.groupId}, 1)
      ON CONFLICT (id) DO UPDATE SET generation = 1`;
    const writer = new RowWriter(sql);
    writer.write({ groupId: run.groupId, generation: 1 }, [letterOf(run, refusalOf([], "no"))]);
    await writer.flush();
    const { elements } = (await call("GET", BASE)).body;
    const path = `${BASE}/${elements[0].id}/actions/replay`;
    const told = async () => {
      const { status, body } = await call("POST", path);
      return [status, ...body.errors];
    };
    expect((await call("POST", path)).body.message).toContain("the database refused rows of run [etl][1][1]");
    expect(await told()).toEqual([412, expect.stringContaining("CREATED, and parked. Mend what")]);
    await sql`UPDATE run SET status = 'FAILED', end_time = 9 WHERE workflow_id = 'etl'`;
    expect(await told()).toEqual([412, expect.stringContaining("The run is FAILED. Mend")]);
    await sql`DELETE FROM run WHERE workflow_id = 'etl'`;
    expect(await told()).toEqual([412, "The run is not there any more: delete the letter."]);
    expect((await call("POST", `${BASE}/actions/replay`)).body).toEqual({ replayed: 0 });
    expect((await call("GET", BASE)).body.elements).toHaveLength(1);
  });
});
