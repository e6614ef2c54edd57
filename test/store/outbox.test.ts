import { afterAll, beforeEach, expect, test } from "bun:test";
import {
  addOutbox,
  deadOutbox,
  doneOutbox,
  failedOutbox,
  outboxBackoff,
  replayDead,
  takeDue,
} from "../../src/store/outbox.ts";
import { freshDatabase } from "../support/database.ts";

const { sql, close } = await freshDatabase();
afterAll(() => close());
beforeEach(async () => {
  await sql`TRUNCATE outbox`;
});

const HOLD = 1000;
const take = (now: number, limit = 10) => takeDue(sql, "t", now, limit, HOLD);

test("rows are taken in the order in which they came, by one taker at a time", async () => {
  for (const key of ["a", "b", "c"]) await addOutbox(sql, [{ topic: "t", key, payload: { key } }]);
  await addOutbox(sql, [{ topic: "other", key: "a" }]);
  const [one, other] = await Promise.all([take(10, 2), take(10, 2)]);
  expect([...one, ...other].map((entry) => entry.key).sort()).toEqual(["a", "b", "c"]);
  expect(one[0]?.payload ?? other[0]?.payload).toEqual({ key: "a" });
  expect(await take(10)).toEqual([]);
  await doneOutbox(sql, one);
  await doneOutbox(sql, other);
  expect(await take(10 + HOLD)).toEqual([]);
});

test("a taker that is never heard of again loses its rows", async () => {
  await addOutbox(sql, [{ topic: "t", key: "a" }]);
  const [first] = await take(10);
  const [second] = await take(10 + HOLD);
  expect(second?.id).toBe(first?.id ?? -1);
  await doneOutbox(sql, first === undefined ? [] : [first]);
  expect(await sql`SELECT 1 FROM outbox`).toHaveLength(1);
});

test("what is announced again while it is worked on is not lost with that work", async () => {
  await addOutbox(sql, [{ topic: "t", key: "a", payload: 1 }]);
  const taken = await take(10);
  await addOutbox(sql, [{ topic: "t", key: "a", payload: 2 }]);
  await doneOutbox(sql, taken);
  expect((await take(11)).map((entry) => entry.payload)).toEqual([2]);
});

test("a failure is tried again later and later, then the row is dead until an operator replays it", async () => {
  await addOutbox(sql, [{ topic: "t", key: "a" }]);
  let now = 0;
  let tries = 0;
  for (let isDead = false; !isDead; ) {
    const [entry] = await take(now);
    if (entry === undefined) throw new Error(`nothing due after ${tries} tries`);
    tries++;
    isDead = await failedOutbox(sql, entry, "broken\0", now);
    expect(await take(now + outboxBackoff(tries) - 1)).toEqual([]);
    now += outboxBackoff(tries);
  }
  expect(tries).toBe(30);
  expect(now).toBeGreaterThan(12 * 3_600_000);
  expect(await take(now * 2)).toEqual([]);
  expect(await deadOutbox(sql, 10)).toMatchObject([{ key: "a", error: "broken\u2400", attempts: 30 }]);
  expect(await replayDead(sql)).toBe(1);
  expect((await take(now)).map((entry) => entry.attempts)).toEqual([0]);
});

test("only the dead rows that are named are replayed", async () => {
  await addOutbox(sql, [
    { topic: "t", key: "a" },
    { topic: "t", key: "b" },
  ]);
  await sql`UPDATE outbox SET dead = 1, error = 'x'`;
  const [first] = await deadOutbox(sql, 1);
  expect(await replayDead(sql, [first?.id ?? 0])).toBe(1);
  expect((await deadOutbox(sql, 10)).map((entry) => entry.key)).toEqual(["b"]);
});

test("the backoff doubles from a second to an hour", () => {
  expect([1, 2, 3, 12, 13, 30].map(outboxBackoff)).toEqual([1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000]);
});
