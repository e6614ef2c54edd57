/** The group writer against its oracle: whatever is written, in whatever batches, ends up as if row by row. */
import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import type { GroupStamp, Write, Writer } from "../../../src/flow/port.ts";
import type { Sql } from "../../../src/store/connection.ts";
import { commit } from "../../../src/store/writer/statement.ts";
import { RowWriter } from "../../../src/store/writer/twin.ts";
import { GroupWriter } from "../../../src/store/writer/writer.ts";
import { freshDatabase } from "../../support/database.ts";
import { attempt, silent } from "../fixture.ts";

const RUNS = 6;
const GROUPS = 3;

const [one, other] = await Promise.all([freshDatabase(), freshDatabase()]);
afterAll(() => Promise.all([one.close(), other.close()]));

/** Text with everything that Postgres or the encoding could trip over. */
const text = fc.string({
  unit: fc.constantFrom("a", '"', "\\", "\0", "\x1f", "{", ",", "\n", "ü", "\ud800", "😀", "'"),
});
const time = fc.integer({ min: 0, max: 2 ** 42 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const line = fc.record({ timestamp: time, type: fc.constant("LOG"), level: fc.constant("INFO"), message: text });
const params = fc.dictionary(
  fc.constantFrom("x", "y z", "\0"),
  text.map((value) => ({ type: "STRING", value })),
);

const attemptWrite = fc.record({
  kind: fc.constant("attempt"),
  attempt: fc.record({
    stepId: fc.constantFrom("a", "b", 'odd "\\'),
    attemptId: fc.integer({ min: 1, max: 2 }),
    more: fc.record({
      status: fc.constantFrom("CREATED", "RUNNING", "SUCCEEDED"),
      times: fc.record({ create_time: time, start_time: time, end_time: time }, { requiredKeys: [] }),
      params,
      paramsTime: maybe(time),
      conditions: maybe(fc.dictionary(fc.constantFrom("n", "m"), fc.boolean())),
      conditionsTime: maybe(time),
      timeoutMs: maybe(time),
      artifacts: fc.dictionary(fc.constantFrom("default"), fc.record({ type: fc.constant("DEFAULT"), v: text })),
      timeline: fc.array(line, { maxLength: 2 }),
      pollTime: maybe(time),
      place: maybe(fc.record({ host: text, directory: text })),
      template: maybe(fc.record({ jobType: text, version: text, stepType: text })),
      reported: maybe(fc.record({ artifacts: fc.dictionary(text, fc.record({ note: text })) })),
    }),
  }),
});
const runWrite = fc.record({
  kind: fc.constant("run"),
  change: fc.record({
    status: fc.constantFrom("IN_PROGRESS", "SUCCEEDED", "FAILED"),
    startTime: maybe(time),
    endTime: maybe(time),
    modifyTime: time,
    overview: fc.constant(undefined),
    artifacts: fc.constant({}),
    timeline: fc.array(line, { maxLength: 2 }),
  }),
});
const logWrite = fc.record({
  kind: fc.constant("log"),
  chunk: fc.record({
    uuid: fc.constantFrom("u", "v"),
    stream: fc.constantFrom("stdout", "stderr"),
    offset: fc.integer({ min: 0, max: 3 }),
    length: fc.integer({ min: 0, max: 3 }),
    text,
    time,
  }),
});
const outboxWrite = fc.record({
  kind: fc.constant("outbox"),
  topic: fc.constantFrom("dequeue", "event"),
  key: fc.constantFrom("k", "l", "\x1f"),
  payload: maybe(fc.record({ n: text })),
  held: maybe(fc.constantFrom(5, 6)),
});
const letterWrite = fc.record({
  kind: fc.constant("dead-letter"),
  topic: fc.constantFrom("dequeue", "event"),
  key: fc.constantFrom("k", "l", "\x1f"),
  payload: fc.record({ n: text }),
  error: text,
});
const done = fc.record({
  kind: fc.constant("words-taken"),
  stepId: fc.constantFrom(undefined, "s", "t"),
});
/** Of attempts whose own row is not written, which says that they are paused already. An attempt is paused at one instant. */
const pauseWrite = fc.record({
  kind: fc.constant("paused"),
  stepId: fc.constantFrom("s", "t", "never"),
  attemptId: fc.integer({ min: 7, max: 8 }),
  since: fc.constantFrom(undefined, 5),
});

const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("write" as const),
      run: fc.integer({ min: 1, max: RUNS }),
      rows: fc.array(
        fc.oneof(attemptWrite, attemptWrite, runWrite, logWrite, outboxWrite, letterWrite, pauseWrite, done),
        {
          maxLength: 4,
        },
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("turn" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), group: fc.nat(GROUPS - 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("claim" as const), group: fc.nat(GROUPS - 1) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

async function reset(sql: Sql): Promise<void> {
  await sql`TRUNCATE flow_group, run, run_word, step_attempt, step_log, outbox, breakpoint, paused_attempt`;
  await sql`INSERT INTO breakpoint (internal_id, step_id, attempt_id, workflow_id, create_time, created_by)
    VALUES (1, 's', 0, 'w', 1, '"u"'), (1, 's', 7, 'w', 1, '"u"'), (1, 't', 8, 'w', 1, '"u"')`;
  await sql`INSERT INTO flow_group (id, generation) SELECT i, 1 FROM generate_series(0, ${GROUPS - 1}::integer) i`;
  await sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
      initiator, config, properties, status, request_time, create_time, modify_time)
    SELECT 'w', i, 1, i, i, 1, 1, i % ${GROUPS}::integer, ${GROUPS}::integer, '{}', '{}', '{}', 'CREATED', 1, 1, 1
    FROM generate_series(1, ${RUNS}::integer) i`;
  await sql`INSERT INTO run_word (run_key, step_id, group_id, kind, "user", create_time)
    SELECT key, step_id, group_id, 'STOP', '"u"', 1 FROM run, unnest(ARRAY['', 's', 't']) AS step_id`;
}

/** Plays the steps. @returns which writes were refused, and every row */
async function play(sql: Sql, writer: Writer, steps: readonly Step[]): Promise<unknown> {
  await reset(sql);
  const generation = new Map<number, number>();
  const outcomes: Record<number, string> = {};
  for (const [index, item] of steps.entries()) {
    if (item.do === "turn") await new Promise((resolve) => setImmediate(resolve));
    else if (item.do === "lose") {
      await writer.flush();
      await sql`UPDATE flow_group SET generation = generation + 1 WHERE id = ${item.group}`;
    } else if (item.do === "claim") {
      const [row] = await sql<{ generation: number }[]>`SELECT generation FROM flow_group WHERE id = ${item.group}`;
      generation.set(item.group, row?.generation ?? 0);
    } else {
      const groupId = item.run % GROUPS;
      const stamp: GroupStamp = { groupId, generation: generation.get(groupId) ?? 1 };
      writer.write(
        stamp,
        item.rows.map((row) => writeOf(row, item.run)),
        (error) => {
          outcomes[index] = `${outcomes[index] ?? ""}${error === undefined ? "committed" : error.message}`;
        },
      );
    }
  }
  await writer.flush();
  expect(writer.depth).toBe(0);
  return { outcomes, rows: await dump(sql) };
}

function writeOf(row: Extract<Step, { do: "write" }>["rows"][number], runKey: number): Write {
  switch (row.kind) {
    case "attempt": {
      const { stepId, attemptId, more } = row.attempt;
      return { kind: "attempt", runKey, attempt: attempt(stepId, attemptId, more as object) };
    }
    case "run":
      return { ...row, key: runKey } as Write;
    case "paused":
      return { ...row, runKey } as Write;
    case "words-taken":
      return { kind: "words-taken", runKey, stepId: row.stepId };
    default:
      return row as Write;
  }
}

const dump = (sql: Sql) =>
  Promise.all([
    sql`SELECT * FROM step_attempt ORDER BY run_key, step_id, attempt_id`,
    sql`SELECT * FROM run ORDER BY key`,
    sql`SELECT uuid, stream, "offset", length, text, time FROM step_log ORDER BY id`,
    sql`SELECT kind, key, payload, attempts, error, dead FROM outbox ORDER BY kind, key`,
    sql`SELECT * FROM paused_attempt ORDER BY run_key, step_id, attempt_id`,
    sql`SELECT * FROM run_word ORDER BY run_key, step_id`,
  ]).then((tables) => tables.map((rows) => rows.map((row) => ({ ...row }))));

test("leaves the rows that its twin leaves, and refuses what its twin refuses", async () => {
  const fast = new GroupWriter((batch) => commit(one.sql, batch), { log: silent });
  const plain = new RowWriter(other.sql);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
      const [actual, expected] = await Promise.all([play(one.sql, fast, steps), play(other.sql, plain, steps)]);
      expect(actual).toEqual(expected);
    }),
    { numRuns: 60 },
  );
  await fast.stop();
}, 60_000);
