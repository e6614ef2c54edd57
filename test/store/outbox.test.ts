import { afterAll, beforeEach, expect, test } from "bun:test";
import { failureOf } from "../../src/queue/failure.ts";
import type { Entry } from "../../src/queue/port.ts";
import {
  countRows,
  deleteLetter,
  listLetters,
  loadLetter,
  replayLetter,
  replayLetters,
} from "../../src/store/letter.ts";
import { addOutbox, openQueueStore } from "../../src/store/outbox.ts";
import { freshDatabase } from "../support/database.ts";

const { sql, close } = await freshDatabase();
afterAll(() => close());
beforeEach(async () => {
  await sql`TRUNCATE outbox RESTART IDENTITY`;
});

const store = openQueueStore(sql);
const HOLD = 1000;
const take = (now: number, limit = 10) => store.take("t", now, limit, HOLD);
const add = (...keys: readonly string[]) =>
  addOutbox(
    sql,
    keys.map((key) => ({ topic: "t", key, payload: { key } })),
  );
const bury = (entries: readonly Entry[], error = "broken") =>
  store.failed(entries.map((entry) => ({ entry, error, time: 77, dead: true })));

test("rows are taken in the order in which they came, by one taker at a time", async () => {
  await add("a", "b", "c");
  await addOutbox(sql, [{ topic: "other", key: "a" }]);
  const [one, other] = await Promise.all([take(10, 2), take(10, 2)]);
  expect([...one, ...other].map((entry) => entry.key).sort()).toEqual(["a", "b", "c"]);
  expect(one[0]?.payload ?? other[0]?.payload).toEqual({ key: "a" });
  expect(await take(10)).toEqual([]);
  await store.done([...one, ...other]);
  expect(await take(10 + HOLD)).toEqual([]);
  expect(await sql`SELECT kind FROM outbox`).toMatchObject([{ kind: "other" }]);
});

test("a taker that is never heard of again loses its rows", async () => {
  await add("a");
  const first = await take(10);
  expect(await take(10 + HOLD - 1)).toEqual([]);
  expect(await take(10 + HOLD)).toHaveLength(1);
  await store.done(first);
  await store.release(first);
  await bury(first);
  expect(await sql`SELECT dead, next_time FROM outbox`).toMatchObject([{ dead: 0, next_time: 10 + 2 * HOLD }]);
});

test("what is announced again while it is worked on is not lost with that work", async () => {
  await addOutbox(sql, [{ topic: "t", key: "a", payload: 1 }]);
  const taken = await take(10);
  await addOutbox(sql, [{ topic: "t", key: "a", payload: 2 }]);
  await store.done(taken);
  expect((await take(11)).map((entry) => entry.payload)).toEqual([2]);
});

test("a row that its announcer holds is nobody else's until then; held twice alike, it has another token", async () => {
  const row = { topic: "t", key: "a", held: 50 };
  const announced: Entry = { topic: "t", key: "a", payload: undefined, attempts: 0, token: 50 };
  await addOutbox(sql, [row]);
  expect(await take(49)).toEqual([]);
  await addOutbox(sql, [row]);
  await store.done([announced]);
  expect(await take(49)).toHaveLength(1);
});

test("rows that are let go are due at once", async () => {
  await add("a", "b");
  await store.release((await take(10)).slice(0, 1));
  expect((await take(11)).map((entry) => entry.key)).toEqual(["a"]);
});

test("a failure is tried again later and later, then the row is dead until an operator replays it", async () => {
  await add("a");
  let now = 0;
  let tries = 0;
  for (let isDead = false; !isDead; ) {
    const [entry] = await take(now);
    if (entry === undefined) throw new Error(`nothing due after ${tries} tries`);
    tries++;
    const failure = failureOf(entry, new Error("broken\0"), now);
    await store.failed([failure]);
    isDead = failure.dead;
    expect(await take(failure.time - 1)).toEqual([]);
    now = isDead ? now : failure.time;
  }
  expect(tries).toBe(30);
  expect(now).toBeGreaterThan(12 * 3_600_000);
  expect(await take(now * 2)).toEqual([]);
  expect(await listLetters(sql, { limit: 10 })).toMatchObject([
    { id: 1, topic: "t", key: "a", error: "broken\u2400", attempts: 30, deadTime: now },
  ]);
  expect(await replayLetter(sql, 1)).toBe(true);
  expect(await replayLetter(sql, 1)).toBe(false);
  expect((await take(now)).map((entry) => entry.attempts)).toEqual([0]);
});

test("dead letters are listed from the newest on, by topic if asked for, and deleted one by one", async () => {
  await add("a", "b", "c");
  await addOutbox(sql, [
    { topic: "other", key: "x" },
    { topic: "t", key: "alive" },
  ]);
  await bury((await take(10)).filter(({ key }) => key !== "alive"));
  await bury(await store.take("other", 10, 10, HOLD));
  const keys = async (filter: { topic?: string; before?: number }, limit = 10) =>
    (await listLetters(sql, { ...filter, limit })).map(({ key }) => key);
  expect(await keys({})).toEqual(["x", "c", "b", "a"]);
  expect(await keys({ topic: "t" }, 2)).toEqual(["c", "b"]);
  expect(await keys({ topic: "t", before: 2 })).toEqual(["a"]);
  expect(await loadLetter(sql, 1)).toMatchObject({ key: "a", payload: { key: "a" }, deadTime: 77 });
  expect([await loadLetter(sql, 5), await deleteLetter(sql, 5)]).toEqual([undefined, undefined]);
  expect(await deleteLetter(sql, 1)).toMatchObject({ key: "a" });
  expect(await keys({ topic: "t" })).toEqual(["c", "b"]);
  expect([...(await countRows(sql))].sort((a, b) => (a.topic < b.topic ? -1 : 1))).toEqual([
    { topic: "other", waiting: 0, dead: 1 },
    { topic: "t", waiting: 1, dead: 2 },
  ]);
});

test("all letters of a topic are replayed, each once; those of refused runs never", async () => {
  await sql`INSERT INTO outbox (kind, key, create_time, dead)
    SELECT CASE i % 2 WHEN 0 THEN 't' ELSE 'other' END, i, 1, 1 FROM generate_series(1, 2500) i`;
  await sql`INSERT INTO outbox (kind, key, create_time, dead) VALUES ('refused-run', 'r', 1, 1)`;
  expect(await replayLetters(sql, "t")).toBe(1250);
  expect(await replayLetters(sql)).toBe(1250);
  expect(await replayLetters(sql, "refused-run")).toBe(0);
  const [refused] = await listLetters(sql, { limit: 10 });
  expect(await replayLetter(sql, refused?.id ?? 0)).toBe(false);
  expect(await countRows(sql)).toContainEqual({ topic: "refused-run", waiting: 0, dead: 1 });
});
