/** Reading runs back as the engine needs them. */
import { afterAll, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import type { FlowStore, StartOutcome, Write } from "../../src/flow/port.ts";
import type { Run } from "../../src/run/model.ts";
import { logEvent } from "../../src/step/event.ts";
import { openFlowStore } from "../../src/store/flow.ts";
import { readLog } from "../../src/store/log.ts";
import { loadGroup } from "../../src/store/run.ts";
import { sayToRun } from "../../src/store/stop.ts";
import { freshDatabase } from "../support/database.ts";
import { attempt, newRun, silent, workflow } from "./fixture.ts";

const db = await freshDatabase({ max: 6 });
const store: FlowStore = openFlowStore(db, { log: silent });
await db.sql`INSERT INTO flow_group (id, generation) SELECT i, 1 FROM generate_series(0, 7) i`;
afterAll(async () => {
  await store.close();
  await db.close();
});
beforeEach(async () => {
  await db.sql`TRUNCATE run, run_word, step_attempt`;
});

let count = 0;
async function started(n: number): Promise<readonly Run[]> {
  const id = `wf${++count}`;
  const internalId = await workflow(db.sql, id, "PARALLEL", 1000);
  const requests = Array.from({ length: n }, (_, i) => newRun(id, internalId, `${id}-${i}`));
  return (await store.startRuns(requests)).map((outcome: StartOutcome) => {
    if (!("run" in outcome)) throw new Error(outcome.result);
    return outcome.run;
  });
}

const commit = (run: Run, ...rows: Write[]) => {
  store.writer.write({ groupId: run.groupId, generation: 1 }, rows);
  return store.writer.flush();
};

test("a run that is loaded equals the run that was started", async () => {
  const [run] = await started(1);
  if (run === undefined) throw new Error("no run");
  expect((await store.loadRun(run.key))?.run).toEqual(run);
});

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const time = fc.integer({ min: 0, max: 2 ** 42 });
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });

test("an attempt that is loaded equals the attempt that was written", async () => {
  const [run] = await started(1);
  if (run === undefined) throw new Error("no run");
  const fields = fc.record({
    uuid: text,
    stepInstanceId: fc.integer({ min: 1, max: 9 }),
    status: fc.constantFrom("CREATED", "RUNNING", "SUCCEEDED"),
    times: fc.record({ create_time: time, wait_permit_time: time, modify_time: time }, { requiredKeys: [] }),
    paramsTime: maybe(time),
    conditions: maybe(fc.dictionary(text, fc.boolean(), { maxKeys: 2, noNullPrototype: true })),
    conditionsTime: maybe(time),
    retry: fc.record({
      error: fc.nat(3),
      platform: fc.nat(3),
      timeout: fc.constant(0),
      manual: fc.constant(0),
      retryable: fc.boolean(),
      plan: fc.constant(undefined),
    }),
    timeoutMs: maybe(time),
    artifacts: fc.dictionary(text, fc.record({ type: fc.constant("DEFAULT"), v: text }), {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    timeline: fc.array(
      fc.record({ timestamp: time, type: fc.constant("LOG"), level: fc.constant("INFO"), message: text }),
      { maxLength: 2 },
    ),
    pollTime: maybe(time),
    place: maybe(fc.record({ host: text, directory: text })),
    template: fc.record({ jobType: text, version: text, stepType: text }),
  });
  await fc.assert(
    fc.asyncProperty(fields, async (more) => {
      const written = attempt("s", 1, more as object);
      await db.sql`DELETE FROM step_attempt`;
      await commit(run, { kind: "attempt", runKey: run.key, attempt: written });
      expect((await store.loadRun(run.key))?.attempts).toEqual([written]);
    }),
    { numRuns: 60 },
  );
});

test("params keep their digits", async () => {
  const [run] = await started(1);
  if (run === undefined) throw new Error("no run");
  const { rawNumber, parseJson } = await import("../../src/json.ts");
  const value = rawNumber("9223372036854775807");
  const params = { x: { type: "LONG", value, evaluated_result: value, evaluated_time: 5, mode: "MUTABLE" } } as const;
  await commit(run, { kind: "attempt", runKey: run.key, attempt: attempt("s", 1, { params, paramsTime: 5 }) });
  const [row] = await db.sql<{ params: string }[]>`SELECT params FROM step_attempt`;
  expect(row?.params).toContain("9223372036854775807");
  const loaded = (await store.loadRun(run.key))?.attempts[0];
  expect(loaded?.params.x?.evaluated_result).toEqual(parseJson("9223372036854775807"));
});

test("a group is loaded page by page, with the newest attempts in order and what is said", async () => {
  const runs = await started(60);
  const [first] = runs;
  if (first === undefined) throw new Error("no run");
  const mine = runs.filter((run) => run.groupId === first.groupId);
  await commit(
    first,
    { kind: "attempt", runKey: first.key, attempt: attempt("z", 1, { stepInstanceId: 1 }) },
    { kind: "attempt", runKey: first.key, attempt: attempt("a", 2, { stepInstanceId: 2 }) },
    { kind: "attempt", runKey: first.key, attempt: attempt("a", 1, { stepInstanceId: 2 }) },
  );
  await sayToRun(db.sql, first, { kind: "KILL", user: "ada", reason: undefined, createTime: 7 });
  const ended = mine.at(-1);
  if (ended !== undefined) {
    const { startTime, modifyTime, overview, artifacts, timeline } = ended;
    const change = { status: "SUCCEEDED", startTime, endTime: 9, modifyTime, overview, artifacts, timeline } as const;
    await commit(ended, { kind: "run", key: ended.key, change });
    expect(await store.loadRun(ended.key)).toBeUndefined();
  }
  const seen: number[] = [];
  for (let after = 0; ; ) {
    const { runs: page, next } = await loadGroup(db.sql, first.groupId, after, { runs: 2, bytes: 2 ** 20 });
    seen.push(...page.map((it) => it.run.key));
    if (next === undefined) break;
    expect([page.length, next]).toEqual([2, seen.at(-1) ?? 0]);
    after = next;
  }
  expect(seen).toEqual(mine.slice(0, -1).map((run) => run.key));
  const [loaded] = (await store.loadGroup(first.groupId, 0)).runs;
  expect(loaded?.attempts.map((a) => `${a.stepId}${a.attemptId}`)).toEqual(["z1", "a2"]);
  const word = { kind: "KILL", stepId: undefined, user: "ada", reason: "", createTime: 7 } as const;
  expect(loaded?.words).toEqual([word]);
  expect(await store.words([first.key, first.key + 1])).toEqual(new Map([[first.key, [word]]]));
  const { runs: places, words } = await store.unfinished([first.groupId]);
  expect(places.map((place) => place.key)).toEqual(seen);
  expect(words).toEqual([{ key: first.key, groupId: first.groupId }]);
  await commit(first, { kind: "words-taken", runKey: first.key, stepId: undefined });
  expect((await store.unfinished([first.groupId])).words).toEqual([]);
});

test("a page of a group is bounded by bytes, whatever holds them, and has one run at least", async () => {
  const runs = await started(60);
  const groupId = runs[0]?.groupId ?? 0;
  const mine = runs.filter((run) => run.groupId === groupId);
  const [big, ...small] = mine;
  if (big === undefined) throw new Error("no run");
  // Of what is stored: not one byte repeats another.
  const note = Array.from({ length: 3_000 }, () => crypto.randomUUID()).join("");
  await commit(
    big,
    { kind: "attempt", runKey: big.key, attempt: attempt("s", 1, { timeline: [logEvent(note, 1)] }) },
    { kind: "attempt", runKey: big.key, attempt: attempt("s", 2) },
  );
  const pages = async (bytes: number) => {
    const found: number[] = [];
    for (let after: number | undefined = 0; after !== undefined; ) {
      const page = await loadGroup(db.sql, groupId, after, { runs: 200, bytes });
      found.push(page.runs.length);
      after = page.next;
    }
    return found;
  };
  expect(await pages(50_000)).toEqual([mine.length]); // an attempt that is not the newest is not read
  await commit(big, { kind: "attempt", runKey: big.key, attempt: attempt("s", 2, { timeline: [logEvent(note, 1)] }) });
  expect(await pages(50_000)).toEqual([1, small.length]);
});

test("what is said to a run that has ended is forgotten, and to a run that goes on it is not", async () => {
  const [over, on] = await started(2);
  if (over === undefined || on === undefined) throw new Error("no run");
  for (const run of [over, on])
    await sayToRun(db.sql, run, { kind: "STOP", user: "ada", reason: undefined, createTime: 7 });
  const { startTime, modifyTime, overview, artifacts, timeline } = over;
  const change = { status: "SUCCEEDED", startTime, endTime: 9, modifyTime, overview, artifacts, timeline } as const;
  await commit(over, { kind: "run", key: over.key, change });
  const left = async () => (await db.sql<{ key: number }[]>`SELECT run_key AS key FROM run_word`).map((it) => it.key);
  await store.dropWords([]);
  expect((await left()).sort()).toEqual([over.key, on.key].sort());
  await store.dropWords([over.groupId, on.groupId]);
  expect(await left()).toEqual([on.key]);
});

test("heads and definitions are those of the tables; a definition is read once", async () => {
  const internalId = await workflow(db.sql, "headed");
  expect(await store.definition(internalId, 1)).toBeUndefined();
  await db.sql`INSERT INTO workflow_version (internal_id, version_id, workflow_id, definition, metadata, create_time)
    VALUES (${internalId}, 1, 'headed', '{"id":"headed","steps":[]}', '{}', 1)`;
  const definition = await store.definition(internalId, 1);
  expect(definition).toEqual({ id: "headed", steps: [] });
  await db.sql`DELETE FROM workflow_version WHERE internal_id = ${internalId}`;
  expect(await store.definition(internalId, 1)).toBe(definition as NonNullable<typeof definition>);
  expect(await store.heads(["headed", "nowhere"])).toEqual([
    { workflowId: "headed", internalId, revision: 0, activeVersion: 0, latestVersion: 1, properties: {} as never },
  ]);
});

test("a log is read on from where it was left", async () => {
  const [run] = await started(1);
  if (run === undefined) throw new Error("no run");
  const chunk = (offset: number, text: string): Write => ({
    kind: "log",
    chunk: { uuid: "u", stream: "stdout", offset, length: text.length, text, time: offset },
  });
  await commit(run, chunk(0, "one"), chunk(3, "two"));
  await commit(run, chunk(3, "two"), chunk(6, "three"));
  const [first, ...rest] = await readLog(db.sql, "u", 0);
  expect([first, ...rest].map((c) => c?.text)).toEqual(["one", "two", "three"]);
  const after = async (chunks: number, bytes: number): Promise<readonly string[]> =>
    (await readLog(db.sql, "u", first?.id ?? 0, { chunks, bytes })).map((c) => c.text);
  expect(await after(1, 100)).toEqual(["two"]);
  expect(await after(10, 1)).toEqual(["two"]);
  expect(await after(10, 3)).toEqual(["two"]);
  expect(await after(10, 4)).toEqual(["two", "three"]);
});
