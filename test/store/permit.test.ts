/** Permits in the database: what batches write of them, and granting while others write. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import type { PermitAnswer, PermitNeed, Write } from "../../src/flow/port.ts";
import type { Sql } from "../../src/store/connection.ts";
import { assignPermits, putTagPermit, removeTagPermit } from "../../src/store/permit.ts";
import { batchOf } from "../../src/store/writer/batch.ts";
import { commit } from "../../src/store/writer/statement.ts";
import { RowWriter } from "../../src/store/writer/twin.ts";
import { GroupWriter } from "../../src/store/writer/writer.ts";
import { freshDatabase } from "../support/database.ts";
import { silent } from "./fixture.ts";

const db = await freshDatabase({ max: 8 });
afterAll(() => db.close());
await db.sql`INSERT INTO flow_group (id, generation) VALUES (0, 1)`;

const STAMP = { groupId: 0, generation: 1 };
beforeEach(async () => {
  await db.sql`TRUNCATE step_permit, tag_permit`;
});

const wanted = (uuid: string, ...tags: readonly string[]): Write & PermitNeed => ({
  ...{ kind: "permits-wanted", uuid, runKey: 7, groupId: 0, stepId: "s", time: 5 },
  wants: tags.map((tag) => ({ tag, limit: undefined })),
});
const left = (starter: string): Write => ({ kind: "permits-left", runKey: 7, starter });
const released = (uuid: string): Write => ({ kind: "permits-released", runKey: 7, uuid });

const write = (...rows: readonly Write[]) =>
  commit(db.sql, batchOf([{ number: 1, stamp: STAMP, rows, settled: undefined }]));
const assign = async (opened: readonly string[], asked: readonly string[] = []) => {
  const { states } = await assignPermits(db.sql, { opened, asked, sweeps: false });
  return Object.fromEntries(states.map(({ uuid, blockedBy }) => [uuid, blockedBy ?? "holds"]));
};
const allow = (tag: string, maxAllowed: number) =>
  putTagPermit(db.sql, { tag, maxAllowed, extra: {}, user: "ada", now: 1 });

test("the writer and its twin write the same rows", async () => {
  const rows: readonly Write[] = [
    wanted("u1", "a", "b"),
    { ...wanted("u2", 'odd "\\,{}'), wants: [{ tag: 'odd "\\,{}', limit: 3 }] } as Write,
    wanted("u3", "a"),
    released("u3"),
    wanted("u1", "a", "b"),
    released("unknown"),
    { ...wanted("c1", "d"), starter: "at" } as Write,
    left("at"),
    { ...wanted("c2", "d"), starter: "other" } as Write,
  ];
  const read = (
    sql: Sql,
  ) => sql`SELECT uuid, tag, most, width, state, run_key, group_id, step_id, create_time, grant_time, starter,
    dense_rank() OVER (ORDER BY seq) AS place FROM step_permit ORDER BY uuid, tag`;
  const twin = new RowWriter(db.sql);
  twin.write(STAMP, rows);
  await twin.flush();
  const expected = [...(await read(db.sql))];
  await db.sql`TRUNCATE step_permit`;
  const writer = new GroupWriter((batch) => commit(db.sql, batch), { log: silent });
  for (const row of rows) writer.write(STAMP, [row]);
  await writer.flush();
  expect([...(await read(db.sql))]).toEqual(expected);
  expect(expected).toMatchObject([
    { uuid: "c2", tag: "d", starter: "other" },
    { uuid: "u1", tag: "a", most: 2147483647, width: 2, state: "NEW", place: 1 },
    { uuid: "u1", tag: "b", state: "WAITING", place: 1 },
    { uuid: "u2", tag: 'odd "\\,{}', most: 3, width: 1, state: "NEW", place: 2 },
  ]);
});

test("a commit that is made again takes nothing back from those who hold permits by then", async () => {
  await write(wanted("u1", "a", "b"));
  expect(await assign([], ["u1"])).toEqual({ u1: "holds" });
  await write(wanted("u1", "a", "b"));
  await allow("a", 0);
  await write(wanted("u2", "a"));
  expect(await assign([], ["u1", "u2"])).toEqual({ u1: "holds", u2: "a" });
});

test("those who hold permits of a tag count when it gets a limit", async () => {
  await write(wanted("u1", "a"), wanted("u2", "a"));
  expect(await assign([], ["u1", "u2"])).toEqual({ u1: "holds", u2: "holds" });
  await allow("a", 2);
  await write(wanted("u3", "a"));
  expect(await assign([], ["u3"])).toEqual({ u3: "a" });
});

test("setting and removing a limit answers with those that it lets go, and with nobody else", async () => {
  await allow("a", 0);
  await allow("b", 0);
  await write(wanted("u1", "a"), wanted("u2", "a"), wanted("u3", "b"));
  await assign([]);
  const uuids = (states: readonly { readonly uuid: string }[]) => states.map(({ uuid }) => uuid);
  expect(uuids(await allow("a", 1))).toEqual(["u1"]);
  expect(uuids(await removeTagPermit(db.sql, "a"))).toEqual(["u2"]);
  expect(uuids(await removeTagPermit(db.sql, "nothing"))).toEqual([]);
});

test("with a step goes what the runs hold that it has started, and nothing else", async () => {
  const of = (uuid: string, starter: string): Write => ({ ...wanted(uuid, "a"), starter }) as Write;
  await write(of("c1", "s1"), of("c2", "s1"), of("c3", "s2"), wanted("u1", "a"));
  await assign([]);
  await write(left("s1"));
  expect(await assign([], ["c1", "c2", "c3", "u1"])).toEqual({ c3: "holds", u1: "holds" });
});

test("a run that its run strategy ends keeps no permit, whoever ends it; one that has an owner gives it back itself", async () => {
  const add = (uuid: string, columns: object) => {
    const fields = { workflow_id: "w", instance_id: Number(uuid), run_id: 1, key: Number(uuid), uuid, internal_id: 1 };
    const rest = { version_id: 1, group_id: 0, group_info: 1, initiator: "{}", config: "{}" };
    const times = { properties: "{}", request_time: 1, create_time: 1, modify_time: 1 };
    return db.sql`INSERT INTO run ${db.sql({ ...fields, ...rest, ...times, parent_key: 7, ...columns } as never)}`;
  };
  await write(...["1", "2", "3"].map((uuid) => wanted(uuid, "a")));
  await add("1", { status: "CREATED" });
  await add("2", { status: "CREATED", execution_id: "2" });
  await add("3", { status: "STOPPED", end_time: 5 });
  await db.sql`UPDATE run SET status = 'STOPPED', end_time = 5 WHERE key IN (1, 2)`;
  expect((await db.sql`SELECT uuid FROM step_permit`).map(({ uuid }) => uuid)).toEqual(["2"]);
});

test("one that is being deleted holds up nobody, and is waited for by nobody", async () => {
  await allow("a", 0);
  await write(wanted("u0", "a"), wanted("u1", "a", "b"), wanted("u2", "a"));
  await assign([]);
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const ending = db.sql.begin(async (line) => {
    // All of one, and one of the other's two rows: a writer that is in the middle.
    await line`DELETE FROM step_permit WHERE uuid = 'u0' OR uuid = 'u1' AND tag = 'b'`;
    begun.resolve();
    await end.promise;
  });
  await begun.promise;
  expect((await allow("a", 1)).map(({ uuid }) => uuid)).toEqual(["u2"]);
  end.resolve();
  await ending;
});

test("of clients that all ask at once, never more hold a permit than may, and each gets its turn", async () => {
  const limits = new Map([
    ["a", 3],
    ["b", 2],
    ["c", 1],
  ]);
  for (const [tag, limit] of limits) await allow(tag, limit);
  const granted = new Map<string, () => void>();
  const held = new Map<string, number>();
  let most = 0;
  const heard = ({ states }: PermitAnswer): void => {
    for (const { uuid, blockedBy } of states) if (blockedBy === undefined) granted.get(uuid)?.();
  };
  const sets = [["a"], ["b"], ["a", "b"], ["c", "a"], ["b", "c"], ["c"]];
  const live = async (index: number): Promise<void> => {
    const uuid = `u${index}`;
    const tags = sets[index % sets.length] as readonly string[];
    const turn = Promise.withResolvers<void>();
    granted.set(uuid, turn.resolve);
    await write(wanted(uuid, ...tags));
    heard(await assignPermits(db.sql, { opened: [], asked: [uuid], sweeps: false }));
    await turn.promise;
    for (const tag of tags) {
      held.set(tag, (held.get(tag) ?? 0) + 1);
      if ((held.get(tag) ?? 0) > (limits.get(tag) ?? 0)) most++;
    }
    await db.sql`SELECT pg_sleep(0.001)`;
    for (const tag of tags) held.set(tag, (held.get(tag) ?? 0) - 1);
    await write(released(uuid));
    heard(await assignPermits(db.sql, { opened: tags, asked: [], sweeps: false }));
  };
  await Promise.all(Array.from({ length: 180 }, (_, index) => live(index)));
  const [left] = await db.sql<{ count: number }[]>`SELECT count(*) AS count FROM step_permit`;
  expect([most, left?.count]).toEqual([0, 0]);
}, 60_000);

test("a call ends after so many looks and says that there is more; raising a limit goes on until all have gone", async () => {
  await allow("a", 1);
  const uuids = Array.from({ length: 2_600 }, (_, index) => `u${index}`);
  for (let from = 0; from < uuids.length; from += 1_000) {
    await write(...uuids.slice(from, from + 1_000).map((uuid) => wanted(uuid, "a")));
  }
  const look = { opened: [], asked: [], sweeps: false };
  const answers = [await assignPermits(db.sql, look), await assignPermits(db.sql, look)];
  expect(answers.map(({ states, isMore }) => [states.length, isMore])).toEqual([
    [1, true],
    [0, false],
  ]);
  expect(await allow("a", 2_600)).toHaveLength(2_599);
}, 30_000);
