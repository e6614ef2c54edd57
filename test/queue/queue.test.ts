import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { backoff, failureOf, MOST_ATTEMPTS, PermanentFailure } from "../../src/queue/failure.ts";
import { MOST_WAITING } from "../../src/queue/lane.ts";
import type { Entry } from "../../src/queue/port.ts";
import { listLetters, replayLetters } from "../../src/store/letter.ts";
import { addOutbox } from "../../src/store/outbox.ts";
import { freshDatabase } from "../support/database.ts";
import { Handled, Rig } from "./rig.ts";

const { sql, close } = await freshDatabase({ max: 8 });
afterAll(() => close());
beforeEach(async () => {
  await sql`ALTER TABLE IF EXISTS away RENAME TO outbox`;
  await sql`TRUNCATE outbox RESTART IDENTITY`;
});

/** Longer than the default hold of rows that are taken, ms. */
const HELD = 30_000;
const row = (key: string, topic = "t") => ({ topic, key, payload: { of: key } });
const rows = async () =>
  (await sql`SELECT key, attempts, next_time, error, dead FROM outbox ORDER BY id`).map((it) => ({ ...it }));
const fill = (topic: string, count: number) =>
  sql`INSERT INTO outbox (kind, key, create_time) SELECT ${topic}, i, 1 FROM generate_series(1, ${count}::integer) i`;

describe("what is announced", () => {
  test("is acted on at once, without a look at the database, and then deleted", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    const announced = { ...row("a"), held: rig.clock.now() + HELD };
    await addOutbox(sql, [announced]);
    queue.announce([announced]);
    await rig.quiet();
    expect(handled.calls).toEqual([[{ ...row("a"), attempts: 0, token: announced.held }]]);
    expect(rig.statements).toEqual(["done"]);
    expect(await rows()).toEqual([]);
  });

  test("is found by another node when its own dies between the commit and the work", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const other = rig.queue({ topic: "t", handle: handled.by });
    const held = rig.clock.now() + HELD;
    await addOutbox(sql, [{ ...row("a"), held }]);
    rig.clock.moveTo(held - 1);
    await other.sweep();
    await rig.quiet();
    expect(handled.keys).toEqual([]);
    rig.clock.moveTo(held);
    await other.sweep();
    await rig.quiet();
    expect([handled.keys, await rows()]).toEqual([["a"], []]);
  });

  test("and is everybody's, is taken first: what is announced meanwhile would be deleted with it", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    handled.fail = async () => {
      if (handled.calls.length === 1) await rig.pending(addOutbox(sql, [row("a")]));
    };
    await addOutbox(sql, [row("a")]);
    queue.announce([row("a")]);
    await rig.quiet();
    expect(await rows()).toHaveLength(1);
    await queue.sweep();
    await rig.quiet();
    expect([handled.keys, await rows()]).toEqual([["a", "a"], []]);
  });

  test("of a processor whose work deletes the rows, needs neither a taking nor a deletion", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", settles: true, batch: 10, handle: handled.by });
    queue.announce([row("a"), row("b"), row("c")]);
    await rig.quiet();
    expect([handled.calls.length, handled.keys, rig.statements]).toEqual([1, ["a", "b", "c"], []]);
  });

  test("for which another thread has the processor is left to it", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    rig.queue({ topic: "t", handle: handled.by }).announce([row("a", "other")]);
    await rig.quiet();
    expect([handled.calls, rig.statements]).toEqual([[], []]);
  });
});

describe("several nodes", () => {
  test("share the rows: each is acted on once", async () => {
    const rig = new Rig(sql);
    const handled = [new Handled(), new Handled(), new Handled()];
    await fill("t", 300);
    const queues = handled.map(({ by }) => rig.queue({ topic: "t", concurrency: 3, handle: by }));
    await Promise.all(queues.map((queue) => queue.sweep()));
    await rig.quiet();
    const keys = handled.flatMap((it) => it.keys);
    expect([keys.length, new Set(keys).size]).toEqual([300, 300]);
    expect(await rows()).toEqual([]);
  });

  test("one that takes too long is overtaken; what it then says of the row does not count", async () => {
    const rig = new Rig(sql);
    const [slow, quick] = [new Handled(), new Handled()];
    slow.fail = slow.hold;
    await addOutbox(sql, [row("a")]);
    await rig.queue({ topic: "t", handle: slow.by }).sweep();
    rig.clock.moveTo(rig.clock.now() + HELD);
    quick.fail = quick.hold;
    const second = rig.queue({ topic: "t", handle: quick.by });
    await second.sweep();
    slow.letGo();
    await rig.quiet();
    expect([slow.keys, quick.keys, (await rows()).length]).toEqual([["a"], ["a"], 1]);
    quick.letGo();
    await rig.quiet();
    expect(await rows()).toEqual([]);
  });

  test("an entry whose time has run out while it waited is somebody else's", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    handled.fail = handled.hold;
    await addOutbox(sql, [row("a"), row("b")]);
    await queue.sweep();
    await rig.quiet();
    rig.clock.moveTo(rig.clock.now() + HELD);
    const others = new Handled();
    await rig.queue({ topic: "t", handle: others.by }).sweep();
    await rig.quiet();
    handled.letGo();
    await rig.quiet();
    expect([handled.keys, others.keys]).toEqual([["a"], ["a", "b"]]);
  });
});

describe("keys", () => {
  test("keep their order: of one there is one call at a time, and the others go on", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", concurrency: 2, handle: handled.by });
    handled.fail = ([entry]) => (entry?.key === "a" ? handled.hold() : undefined);
    const announce = async (key: string, payload: string, held: number): Promise<void> => {
      await addOutbox(sql, [{ topic: "t", key, payload, held }]);
      queue.announce([{ topic: "t", key, payload, held }]);
    };
    const held = rig.clock.now() + HELD;
    await announce("a", "first", held);
    await announce("a", "second", held + 1);
    await announce("a", "third", held + 2);
    await announce("b", "only", held);
    await rig.quiet();
    const told = () => handled.calls.flat().map(({ payload }) => payload);
    expect(told()).toEqual(["first", "only"]);
    handled.letGo();
    await rig.quiet();
    expect(told()).toEqual(["first", "only", "third"]);
    expect((await rows()).map(({ key }) => key)).toEqual(["a"]);
    handled.letGo();
    await rig.quiet();
    expect(await rows()).toEqual([]);
  });
});

describe("failures", () => {
  test("that are for good are dead at once, and do not take along what shares their call", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", batch: 100, handle: handled.by });
    handled.fail = (entries) => {
      if (entries.some(({ key }) => key === "7")) throw new PermanentFailure("seven is not to be had");
    };
    await fill("t", 20);
    await queue.sweep();
    await rig.quiet();
    const died = rig.clock.now();
    const error = "seven is not to be had";
    expect(await rows()).toEqual([{ key: "7", attempts: 1, next_time: died, error, dead: 1 }]);
    expect(handled.calls.length).toBeLessThan(20);
    expect(rig.logged.join()).toContain("a row of the outbox is dead");
  });

  test("that pass are tried again when their time has come, without a sweep; what has failed goes alone", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", batch: 100, handle: handled.by });
    handled.fail = () => {
      if (handled.calls.length === 1) throw new Error("not now");
    };
    await fill("t", 3);
    const start = rig.clock.now();
    await queue.sweep();
    await rig.quiet();
    expect(await rows()).toMatchObject([1, 2, 3].map(() => ({ attempts: 1, next_time: start + 1000, dead: 0 })));
    await rig.moveTo(start + 999);
    expect(handled.calls).toHaveLength(1);
    await rig.moveTo(start + 1000);
    expect(handled.calls.map((call) => call.length)).toEqual([3, 1, 1, 1]);
    expect(await rows()).toEqual([]);
  });

  test("that never pass are dead after thirty tries; a replay gives all of them again", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    handled.fail = () => {
      throw new Error("x".repeat(5000));
    };
    await addOutbox(sql, [row("a")]);
    await queue.sweep();
    await rig.moveTo(rig.clock.now() + 3 * 86_400_000);
    expect(handled.calls).toHaveLength(MOST_ATTEMPTS);
    const [letter] = await listLetters(sql, { limit: 10 });
    expect(letter).toMatchObject({ key: "a", attempts: MOST_ATTEMPTS, error: `${"x".repeat(2000)}…` });
    await queue.sweep();
    await rig.quiet();
    expect(handled.calls).toHaveLength(MOST_ATTEMPTS);
    handled.fail = () => {};
    expect(await replayLetters(sql, "t")).toBe(1);
    await queue.sweep();
    await rig.quiet();
    expect([handled.calls.length, await rows()]).toEqual([MOST_ATTEMPTS + 1, []]);
  });

  test("while the database takes nothing cost no try, and the work goes on by itself when it does again", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    let isAway = true;
    handled.fail = () => {
      if (isAway) throw new Error("the database is away");
    };
    const announced = { ...row("a"), held: rig.clock.now() + 5_000 };
    await addOutbox(sql, [announced]);
    await sql`ALTER TABLE outbox RENAME TO away`;
    queue.announce([announced]);
    await rig.quiet();
    await rig.moveTo(announced.held + 60_000);
    expect([handled.keys, rig.statements[0]]).toEqual([["a"], "failed"]);
    const looks = rig.statements.filter((name) => name === "take").length;
    expect(looks).toBeGreaterThan(3);
    expect(looks).toBeLessThan(10);
    await sql`ALTER TABLE away RENAME TO outbox`;
    expect(await rows()).toMatchObject([{ attempts: 0, dead: 0 }]);
    isAway = false;
    await rig.moveTo(rig.clock.now() + 30_000);
    expect([handled.keys, await rows()]).toEqual([["a", "a"], []]);
  });

  test("to delete what is acted on let it be acted on again", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const queue = rig.queue({ topic: "t", handle: handled.by });
    handled.fail = async () => {
      if (handled.calls.length === 1) await rig.pending(sql`ALTER TABLE outbox RENAME TO away`.execute());
    };
    await addOutbox(sql, [row("a")]);
    const start = rig.clock.now();
    await queue.sweep();
    await rig.quiet();
    await sql`ALTER TABLE away RENAME TO outbox`;
    expect(await rows()).toMatchObject([{ attempts: 0, dead: 0 }]);
    await rig.moveTo(start + 2 * HELD);
    await queue.sweep();
    await rig.quiet();
    expect([handled.keys, await rows()]).toEqual([["a", "a"], []]);
  });

  test("are tried again after a second, twice that, and so on up to an hour", () => {
    expect([1, 2, 3, 12, 13, 29].map(backoff)).toEqual([1000, 2000, 4000, 2_048_000, 3_600_000, 3_600_000]);
    const entry: Entry = { topic: "t", key: "a", payload: undefined, attempts: 0, token: 1 };
    expect(failureOf(entry, new Error("x"), 50)).toEqual({ entry, error: "x", dead: false, time: 1050 });
    expect(failureOf(entry, new PermanentFailure("x"), 50)).toMatchObject({ dead: true, time: 50 });
    expect(failureOf({ ...entry, attempts: 28 }, "x", 50)).toMatchObject({ dead: false });
    expect(failureOf({ ...entry, attempts: 29 }, "x", 50)).toMatchObject({ dead: true });
  });
});

describe("topics", () => {
  test("do not wait for each other: neither for one that is slow nor for one with a host of rows", async () => {
    const rig = new Rig(sql);
    const [slow, many, few] = [new Handled(), new Handled(), new Handled()];
    slow.fail = slow.hold;
    await Promise.all([fill("slow", 10), fill("many", 250), fill("few", 1)]);
    let before = 0;
    few.fail = () => {
      before = many.calls.length;
    };
    const queue = rig.queue(
      { topic: "slow", handle: slow.by },
      { topic: "many", handle: many.by },
      { topic: "few", handle: few.by },
    );
    await queue.sweep();
    await rig.quiet();
    expect([slow.keys.length, few.keys.length, many.keys.length]).toEqual([1, 1, 250]);
    expect(before).toBeLessThan(120);
  });

  test("hold no more calls than they may", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    handled.fail = handled.hold;
    await fill("t", 50);
    await rig.queue({ topic: "t", concurrency: 4, batch: 2, handle: handled.by }).sweep();
    await rig.quiet();
    expect(handled.calls.map((call) => call.length)).toEqual([2, 2, 2, 2]);
  });

  test("keep no more in memory than they may, and nothing is lost with the rest", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    const count = MOST_WAITING + 5000;
    handled.fail = async (entries) => {
      if (handled.calls.length === 1) await handled.hold();
      const keys = entries.map(({ key }) => key);
      await rig.pending(sql`DELETE FROM outbox WHERE kind = 't' AND key = ANY(${keys}::text[])`.execute());
    };
    await fill("t", count);
    const lane = rig.lane({ topic: "t", settles: true, batch: 1000, handle: handled.by });
    const everybodys = { attempts: 0, token: 0 };
    lane.announce(Array.from({ length: count }, (_, index) => ({ ...row(String(index + 1)), ...everybodys })));
    expect(lane.size).toBe(MOST_WAITING);
    expect(rig.statements).toEqual([]);
    handled.letGo();
    await rig.quiet();
    expect(await rows()).toEqual([]);
    expect(new Set(handled.keys).size).toBe(count);
    expect(rig.statements).toContain("take");
  });
});

describe("a sweep", () => {
  test("of a topic that fills its memory takes nothing, and comes again by itself when there is room", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    handled.fail = async () => {
      if (handled.calls.length === 1) await handled.hold();
    };
    const lane = rig.lane({ topic: "t", settles: true, batch: 1000, handle: handled.by });
    const everybodys = { attempts: 0, token: 0 };
    lane.announce([{ ...row("first"), ...everybodys }]);
    lane.announce(Array.from({ length: MOST_WAITING }, (_, index) => ({ ...row(`full-${index}`), ...everybodys })));
    await addOutbox(sql, [row("later")]);
    await lane.sweep();
    expect([lane.size, rig.statements]).toEqual([MOST_WAITING + 1, []]);
    handled.letGo();
    await rig.quiet();
    expect([rig.statements, handled.keys.at(-1)]).toEqual([["take"], "later"]);
  });
});

describe("a stop", () => {
  test("lets calls under way end, and lets go of what waits", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    handled.fail = handled.hold;
    await fill("t", 3);
    const queue = rig.queue({ topic: "t", handle: handled.by });
    await queue.sweep();
    await rig.quiet();
    const stopped = queue.stop();
    await rig.quiet();
    expect(await rows()).toMatchObject([{ key: "1" }, { key: "2", next_time: 0 }, { key: "3", next_time: 0 }]);
    handled.letGo();
    await stopped;
    expect((await rows()).map(({ key }) => key)).toEqual(["2", "3"]);
    queue.announce([{ ...row("4"), held: rig.clock.now() + HELD }]);
    await queue.sweep();
    expect(handled.keys).toEqual(["1"]);
  });

  test("waits no longer than it may: others act on what does not end", async () => {
    const [rig, handled] = [new Rig(sql), new Handled()];
    handled.fail = handled.hold;
    await fill("t", 1);
    const queue = rig.queue({ topic: "t", handle: handled.by });
    await queue.sweep();
    await rig.quiet();
    const stopped = queue.stop();
    await rig.quiet();
    rig.clock.moveTo(rig.clock.now() + 2_000);
    await stopped;
    expect(await rows()).toMatchObject([{ key: "1", next_time: 0, attempts: 0 }]);
  });
});
