import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { GroupStamp, RunChange, StoredRun, Write } from "../../../src/flow/port.ts";
import { connect } from "../../../src/store/connection.ts";
import { startRuns } from "../../../src/store/start.ts";
import { commit } from "../../../src/store/writer/statement.ts";
import { GroupWriter, type WriterOptions } from "../../../src/store/writer/writer.ts";
import { freshDatabase } from "../../support/database.ts";
import { attempt, newRun, silent, workflow } from "../fixture.ts";

const db = await freshDatabase();
/** The writers' own pool, whose connections a test may kill. */
const pool = connect(db.url, { max: 3, name: "victim" });
const writers: GroupWriter[] = [];
afterAll(async () => {
  await pool.end({ timeout: 1 });
  await db.close();
});
beforeEach(async () => {
  await Promise.all(writers.splice(0).map((writer) => writer.stop()));
  await db.sql`TRUNCATE flow_group, step_attempt, step_log, outbox`;
  await db.sql`INSERT INTO flow_group (id, generation) SELECT i, 1 FROM generate_series(0, 7) i`;
});

function open(options: Partial<WriterOptions> = {}): GroupWriter {
  const writer = new GroupWriter((batch) => commit(pool, batch), { log: silent, ...options });
  writers.push(writer);
  return writer;
}

const stamp = (groupId: number, generation = 1): GroupStamp => ({ groupId, generation });
const row = (runKey: number, attemptId = 1, stepId = "s"): Write => ({
  kind: "attempt",
  runKey,
  attempt: attempt(stepId, attemptId),
});
const CHANGE: RunChange = {
  status: "SUCCEEDED",
  startTime: 1,
  endTime: undefined,
  modifyTime: 9,
  overview: undefined,
  artifacts: {},
  timeline: [],
};
const turn = () => new Promise((resolve) => setImmediate(resolve));
const settled = (writer: GroupWriter, to: GroupStamp, rows: readonly Write[]) =>
  new Promise<string>((resolve) => {
    writer.write(to, rows, (error) => resolve(error === undefined ? "committed" : error.message));
  });
const keys = async () =>
  (await db.sql<{ key: number }[]>`SELECT DISTINCT run_key AS key FROM step_attempt ORDER BY 1`).map((r) => r.key);
/** The attempts at the step of each run, by run. */
const progress = async () =>
  new Map(
    (
      await db.sql<
        { key: number; ids: number[] }[]
      >`SELECT run_key AS key, array_agg(attempt_id ORDER BY attempt_id) AS ids
        FROM step_attempt GROUP BY run_key`
    ).map((r) => [r.key, r.ids]),
  );
/** Not one that is being opened: the driver's own first query has nobody who would hear of it. */
const kill = () => db.sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name = 'victim' AND query LIKE '%fence_groups%'`;

describe("a piece of a log that Postgres refuses", () => {
  const piece = (uuid: string, offset: number, text: string): Write => ({
    kind: "log",
    chunk: { uuid, stream: "stdout", offset, length: 2, text, time: 1 },
  });
  const texts = async (uuid: string) =>
    (await db.sql<{ text: string }[]>`SELECT text FROM step_log WHERE uuid = ${uuid} ORDER BY "offset"`).map(
      (it) => it.text,
    );

  test("is left out with a remark, and holds up nothing", async () => {
    await db.sql`ALTER TABLE step_log ADD CONSTRAINT refuses CHECK (text <> 'bad')`;
    const lines: string[] = [];
    const writer = open({ log: { warn: () => {}, error: (message) => lines.push(message) } });
    const done = await Promise.all([
      settled(writer, stamp(0), [piece("a", 0, "a1")]),
      settled(writer, stamp(0), [piece("b", 0, "bad")]),
      settled(writer, stamp(0), [row(1)]),
      settled(writer, stamp(0), [piece("a", 2, "a2")]),
      settled(writer, stamp(0), [piece("b", 2, "b2")]),
      settled(writer, stamp(0), [{ kind: "outbox", topic: "t", key: "k" }]),
    ]);
    expect(new Set(done)).toEqual(new Set(["committed"]));
    expect([await texts("a"), await texts("b"), await keys()]).toEqual([
      ["a1", "a2"],
      ["[2 bytes that could not be stored]\n", "b2"],
      [1],
    ]);
    expect(lines).toEqual(["Postgres refuses a piece of a log, which is left out"]);
    await db.sql`ALTER TABLE step_log DROP CONSTRAINT refuses`;
  });

  test("that can't be left out either is refused alone: not even what follows in its own log is", async () => {
    const writer = open();
    const unfit = { uuid: "c", stream: "stdout", offset: 2 ** 60, length: 2 ** 40, text: "x", time: 1 } as const;
    const [refused, ...done] = await Promise.all([
      settled(writer, stamp(0), [{ kind: "log", chunk: unfit }]),
      settled(writer, stamp(0), [piece("c", 2, "c2")]),
      settled(writer, stamp(0), [piece("d", 0, "d1")]),
      settled(writer, stamp(0), [row(2)]),
    ]);
    expect(refused).toContain("out of range");
    expect(done).toEqual(["committed", "committed", "committed"]);
    expect([await texts("c"), await texts("d")]).toEqual([["c2"], ["d1"]]);
  });
});

describe("batches", () => {
  test("what is written in one turn commits together, and so does what waits for a commit", async () => {
    const batches: number[] = [];
    const writer = open({ committed: (rows) => batches.push(rows) });
    await settled(writer, stamp(0), [row(1)]);
    for (let i = 0; i < 20; i++) writer.write(stamp(i % 8), [row(i)]);
    await turn();
    await turn();
    for (let i = 20; i < 50; i++) writer.write(stamp(i % 8), [row(i), row(i, 2)]);
    expect(writer.depth).toBe(80);
    await writer.flush();
    expect(batches).toEqual([1, 20, 60]);
    expect(writer.depth).toBe(0);
    expect(await keys()).toHaveLength(50);
  });

  test("a batch that is larger than a statement goes in several, within one transaction", async () => {
    const batches: number[] = [];
    const writer = open({ committed: (rows) => batches.push(rows) });
    writer.write(
      stamp(0),
      Array.from({ length: 1700 }, (_, i) => row(i)),
    );
    await writer.flush();
    expect(batches).toEqual([1700]);
    expect(await keys()).toHaveLength(1700);
  });

  test("the last write of a row wins", async () => {
    const writer = open();
    for (const status of ["CREATED", "RUNNING", "SUCCEEDED"] as const) {
      writer.write(stamp(0), [{ kind: "attempt", runKey: 1, attempt: attempt("s", 1, { status }) }]);
    }
    await writer.flush();
    expect((await db.sql`SELECT status FROM step_attempt`)[0]).toEqual({ status: "SUCCEEDED" });
  });

  test("a flush waits for what was queued before it", async () => {
    const writer = open();
    const order: string[] = [];
    writer.write(stamp(0), [row(1)], () => order.push("row"));
    await writer.flush().then(() => order.push("flushed"));
    expect(order).toEqual(["row", "flushed"]);
    await writer.flush();
  });

  test("stopping commits what is queued, and refuses more", async () => {
    const writer = open();
    for (let i = 0; i < 30; i++) writer.write(stamp(0), [row(i)]);
    await writer.stop();
    expect(await keys()).toHaveLength(30);
    expect(() => writer.write(stamp(0), [row(99)])).toThrow("stopped");
  });

  test("a callback that throws harms nobody else", async () => {
    const errors: string[] = [];
    const writer = open({ log: { ...silent, error: (message) => errors.push(message) } });
    writer.write(stamp(0), [row(1)], () => {
      throw new Error("ours");
    });
    expect(await settled(writer, stamp(0), [row(2)])).toBe("committed");
    expect(errors).toHaveLength(1);
  });
});

describe("a lost group", () => {
  test("its writes are refused, those of other groups in the batch commit", async () => {
    const writer = open();
    await db.sql`UPDATE flow_group SET generation = 2 WHERE id IN (1, 3)`;
    const outcomes = await Promise.all([0, 1, 2, 3].map((group) => settled(writer, stamp(group), [row(group)])));
    expect(outcomes).toEqual(["committed", "another node owns group 1", "committed", "another node owns group 3"]);
    expect(await keys()).toEqual([0, 2]);
    expect(writer.depth).toBe(0);
  });

  test("writes of the old and the new generation may share a batch", async () => {
    const writer = open();
    await db.sql`UPDATE flow_group SET generation = 2 WHERE id = 1`;
    const outcomes = await Promise.all([1, 2].map((n) => settled(writer, stamp(1, n), [row(n)])));
    expect(outcomes).toEqual(["another node owns group 1", "committed"]);
    expect(await keys()).toEqual([2]);
  });

  test("settles before the others of its batch, and no flush takes its rows for those that it waits for", async () => {
    const writer = open();
    await db.sql`UPDATE flow_group SET generation = 2 WHERE id = 1`;
    const notes: string[] = [];
    const first = settled(writer, stamp(0), [row(0)]).then((outcome) => notes.push(outcome));
    const flushed = writer.flush().then(() => notes.push("flushed"));
    const lost = settled(writer, stamp(1), [row(1)]).then(() => notes.push("lost"));
    await Promise.all([first, flushed, lost]);
    expect(notes).toEqual(["lost", "committed", "flushed"]);
  });

  test("a run that a user has marked as seen stays so, when the commit of its end is made again", async () => {
    const writer = open();
    await db.sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
        initiator, config, properties, status, request_time, create_time, modify_time)
      VALUES ('seen', 1, 1, 4711, 'u', 1, 1, 0, 8, '{}', '{}', '{}', 'IN_PROGRESS', 1, 1, 1)`;
    const end: readonly Write[] = [{ kind: "run", key: 4711, change: { ...CHANGE, status: "FAILED", endTime: 9 } }];
    await settled(writer, stamp(0), end);
    await db.sql`UPDATE run SET status = 'FAILED_1' WHERE key = 4711`;
    await settled(writer, stamp(0), end);
    const rows = await db.sql<{ status: string }[]>`DELETE FROM run WHERE key = 4711 RETURNING status`;
    expect(rows.map(({ status }) => status)).toEqual(["FAILED_1"]);
  });

  test("a group that does not exist belongs to nobody", async () => {
    expect(await settled(open(), stamp(99), [row(1)])).toBe("another node owns group 99");
  });

  /** One write of each kind; the run's with its end or before it. */
  const kinds = (key: number, endTime?: number): readonly Write[] => [
    row(key),
    { kind: "run", key, change: { ...CHANGE, endTime } },
    { kind: "log", chunk: { uuid: `${key}`, stream: "stdout", offset: 0, length: 1, text: "x", time: 1 } },
    { kind: "outbox", topic: "dequeue", key: `${key}` },
    { kind: "words-taken", runKey: key, stepId: undefined },
  ];
  const subsets = <T>(items: readonly T[]): T[][] =>
    Array.from({ length: 2 ** items.length }, (_, set) => items.filter((_item, bit) => (set >> bit) % 2 === 1));

  test("a batch of a lost group commits nothing, whatever it is of", async () => {
    const writer = open();
    for (const endTime of [undefined, 9]) {
      for (const [index, one] of subsets(kinds(1, endTime)).entries()) {
        const other = subsets(kinds(2, endTime))[index] ?? [];
        for (const rows of [one, [...one, ...other]]) {
          expect(await settled(writer, stamp(1, 7), rows)).toBe("another node owns group 1");
        }
      }
    }
    const [counts] = await db.sql`SELECT (SELECT count(*) FROM step_attempt) + (SELECT count(*) FROM step_log)
      + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM run WHERE status <> 'CREATED') AS rows`;
    expect(counts?.rows).toBe(0);
  });

  test("a run that a batch of its own ends comes back as it is stored, any other does not", async () => {
    const internalId = await workflow(db.sql, "back", "PARALLEL", 9);
    const requests = ["a", "b", "c", "d"].map((uuid) => newRun("back", internalId, uuid));
    const { outcomes } = await startRuns(db.sql, requests);
    const keys = outcomes.map((outcome) => ("run" in outcome ? outcome.run.key : 0));
    const [alone = 0, unended = 0, one = 0, two = 0] = keys;
    const writer = open();
    const ended = (rows: readonly Write[]) =>
      new Promise<StoredRun | undefined>((resolve) => {
        writer.write(stamp(0), rows, (_error, run) => resolve(run));
      });
    const stored = await ended(kinds(alone, 9));
    expect(stored).toEqual({ ...(await db.sql<StoredRun[]>`SELECT * FROM run WHERE key = ${alone}`)[0] });
    expect(stored).toMatchObject({ key: alone, status: "SUCCEEDED", end_time: 9 });
    expect(await ended(kinds(unended))).toBeUndefined();
    expect(await Promise.all([ended(kinds(one, 9)), ended(kinds(two, 9))])).toEqual([undefined, undefined]);
  });
});

describe("the order within a flow", () => {
  test("at any instant the committed rows of a flow are a prefix, though connections are killed and groups lost", async () => {
    const writer = open();
    const flows = 12;
    const rows = 40;
    const committed = new Map<number, number>();
    const check = async (): Promise<void> => {
      for (const [, ids] of await progress()) expect(ids).toEqual(ids.map((_, i) => i + 1));
    };
    let watching = true;
    const watch = (async () => {
      while (watching) await check();
    })();
    for (let n = 1; n <= rows; n++) {
      for (let flow = 0; flow < flows; flow++) {
        writer.write(stamp(flow % 4), [row(flow, n)], (error) => {
          if (error !== undefined) return;
          expect(n).toBe((committed.get(flow) ?? 0) + 1);
          committed.set(flow, n);
        });
      }
      if (n % 2 === 0) await turn();
      if (n % 10 === 5) await kill();
      if (n === 25) await db.sql`UPDATE flow_group SET generation = 2 WHERE id = 3`;
    }
    await writer.flush();
    watching = false;
    await watch;
    for (const [flow, ids] of await progress()) expect(ids.length).toBe(committed.get(flow) ?? -1);
    for (let flow = 0; flow < flows; flow++) if (flow % 4 !== 3) expect(committed.get(flow)).toBe(rows);
  }, 30_000);
});

describe("a write that Postgres refuses", () => {
  /** Rows of the step are refused while the constraint is there. */
  const poison = () => db.sql`ALTER TABLE step_attempt ADD CONSTRAINT sound CHECK (step_id <> 'poison') NOT VALID`;
  const cure = () => db.sql`ALTER TABLE step_attempt DROP CONSTRAINT IF EXISTS sound`;

  test("is answered with that, and so is what its run has queued by then; nobody else waits", async () => {
    await poison();
    const errors: string[] = [];
    const writer = open({ log: { ...silent, error: (message) => errors.push(message) } });
    const all = Array.from({ length: 60 }, (_, i) => settled(writer, stamp(i % 8), [row(i)]));
    const order: string[] = [];
    const refused = (name: string, rows: readonly Write[]) =>
      settled(writer, stamp(5), rows).then((answer) => order.push(`${name}: ${answer}`));
    const first = refused("first", [row(1000, 1)]);
    const bad = refused("bad", [row(1000, 2, "poison")]);
    const behind = [3, 4, 5].map((n) => refused(`${n}`, [row(1000, n)]));
    const others = Array.from({ length: 60 }, (_, i) => settled(writer, stamp(i % 8), [row(i + 100)]));
    expect(new Set(await Promise.all([...all, ...others]))).toEqual(new Set(["committed"]));
    await Promise.all([first, bad, ...behind]);
    expect(order[0]).toBe("first: committed");
    expect(order[1]).toContain('bad: new row for relation "step_attempt" violates check constraint');
    expect(order.slice(2)).toEqual([3, 4, 5].map((n) => `${n}: what it follows on was refused`));
    expect((await progress()).get(1000)).toEqual([1]);
    expect([writer.depth, errors]).toEqual([0, ["Postgres refuses a write"]]);
    await cure();
  });

  test("lets its run write again, from what is stored", async () => {
    await poison();
    const writer = open();
    let again = "";
    await new Promise<void>((resolve) => {
      writer.write(stamp(0), [row(7, 1, "poison")], () => {
        void settled(writer, stamp(0), [row(7, 2)]).then((answer) => {
          again = answer;
          resolve();
        });
      });
    });
    expect(again).toBe("committed");
    await cure();
  });

  test("keeps neither a flush nor the writer's stop waiting", async () => {
    await poison();
    const writer = open();
    const bad = settled(writer, stamp(0), [row(1, 1, "poison")]);
    writer.write(stamp(0), [row(2)]);
    await writer.flush();
    expect(await bad).toContain("sound");
    writer.write(stamp(0), [row(3, 1, "poison")]);
    await writer.stop();
    expect([await keys(), writer.depth]).toEqual([[2], 0]);
    await cure();
  });

  test("what is wrong with the database is no row's fault", async () => {
    await db.sql`ALTER TABLE step_attempt RENAME TO elsewhere`;
    const errors: string[] = [];
    const warned = Promise.withResolvers<void>();
    const writer = open({ log: { warn: () => warned.resolve(), error: (message) => errors.push(message) } });
    const outcome = Promise.all([1, 2, 3].map((n) => settled(writer, stamp(0), [row(n)])));
    await warned.promise;
    await db.sql`ALTER TABLE elsewhere RENAME TO step_attempt`;
    expect(await outcome).toEqual(["committed", "committed", "committed"]);
    expect(errors).toEqual([]);
  });

  test("a number that no column holds is isolated like any other", async () => {
    const writer = open();
    const outcome = await Promise.all([
      settled(writer, stamp(0), [row(1)]),
      settled(writer, stamp(0), [row(2, 3e9)]),
      settled(writer, stamp(0), [row(3)]),
    ]);
    expect([outcome[0], outcome[2]]).toEqual(["committed", "committed"]);
    expect(outcome[1]).toContain("out of range");
  });
});

describe("a database that goes away", () => {
  test("writes wait for it and commit once", async () => {
    const writer = open();
    await settled(writer, stamp(0), [row(1)]);
    await kill();
    const outcomes = await Promise.all([1, 2, 3].map((n) => settled(writer, stamp(n), [row(n + 1)])));
    expect(outcomes).toEqual(["committed", "committed", "committed"]);
    expect(await keys()).toEqual([1, 2, 3, 4]);
  });

  test("stopping gives up on one that does not come back", async () => {
    const gone = connect("postgres://nobody@127.0.0.1:1/none", { max: 1 });
    const errors: string[] = [];
    const log = { ...silent, error: (message: string) => errors.push(message) };
    const writer = new GroupWriter((batch) => commit(gone, batch), { log, patience: 20 });
    writer.write(stamp(0), [row(1)]);
    await writer.stop();
    expect(errors).toEqual(["the writer stops with writes that did not commit"]);
    await gone.end({ timeout: 0 });
  });

  test("a deadlock is tried again", async () => {
    await db.sql`INSERT INTO outbox (kind, key, create_time) VALUES ('x', 'a', 1), ('x', 'b', 1)`;
    const writer = open();
    const rival = await db.sql.reserve();
    await rival`BEGIN`;
    await rival`UPDATE outbox SET error = 'mine' WHERE key = 'b'`;
    const rows: Write[] = ["a", "b"].map((key) => ({ kind: "outbox", topic: "x", key }));
    const outcome = settled(writer, stamp(0), rows);
    while ((await db.sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length === 0) await turn();
    await rival`UPDATE outbox SET error = 'mine' WHERE key = 'a'`
      .then(() => rival`COMMIT`)
      .catch(() => rival`ROLLBACK`);
    rival.release();
    expect(await outcome).toBe("committed");
    expect(await db.sql`SELECT 1 FROM outbox WHERE error IS NULL`).toHaveLength(2);
  });
});

describe("rows of the outbox", () => {
  const stored = async () =>
    (await db.sql`SELECT key, next_time, attempts, error, dead FROM outbox ORDER BY key`).map((it) => ({ ...it }));
  const told = (key: string, held?: number): Write => ({
    kind: "outbox",
    topic: "t",
    key,
    ...(held !== undefined && { held }),
  });

  test("are everybody's, unless their announcer holds them; announced again, they have another token", async () => {
    const writer = open();
    await settled(writer, stamp(0), [told("a"), told("b", 50), told("c", 50)]);
    expect((await stored()).map((it) => it.next_time)).toEqual([0, 50, 50]);
    await settled(writer, stamp(0), [told("b", 50), told("c", 60)]);
    expect((await stored()).map((it) => it.next_time)).toEqual([0, 0, 60]);
  });

  test("may be dead from the start, and come back to life when they are announced", async () => {
    const writer = open();
    const letter: Write = { kind: "dead-letter", topic: "t", key: "a", payload: { n: 1 }, error: "no\0" };
    await settled(writer, stamp(0), [told("a", 50)]);
    await settled(writer, stamp(0), [told("a", 60), letter]);
    const [row] = await stored();
    expect(row).toMatchObject({ key: "a", attempts: 0, error: "no\u2400", dead: 1 });
    expect(row?.next_time).toBeGreaterThan(1_600_000_000_000);
    await settled(writer, stamp(0), [letter, told("a")]);
    expect(await stored()).toEqual([{ key: "a", next_time: 0, attempts: 0, error: null, dead: 0 }]);
  });
});

test("logs come back in the order in which they were written, whatever they hold", async () => {
  const writer = open();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: "binary" }), { maxLength: 8 }), async (texts) => {
      await db.sql`TRUNCATE step_log`;
      for (const [offset, text] of texts.entries()) {
        const stream = offset % 2 === 0 ? "stdout" : "stderr";
        writer.write(stamp(0), [{ kind: "log", chunk: { uuid: "u", stream, offset, length: 1, text, time: 1 } }]);
        if (offset % 3 === 0) await turn();
      }
      await writer.flush();
      const rows = await db.sql`SELECT text FROM step_log ORDER BY id`;
      expect(rows.map((r) => r.text)).toEqual(texts.map((text) => text.replaceAll("\0", "\u2400").toWellFormed()));
    }),
    { numRuns: 40 },
  );
});
