import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { StartOutcome } from "../../src/flow/port.ts";
import { groupOf, groupSeed } from "../../src/id.ts";
import type { Run } from "../../src/run/model.ts";
import { addOutbox } from "../../src/store/outbox.ts";
import { dequeue } from "../../src/store/run.ts";
import { startRuns } from "../../src/store/start.ts";
import { sayToRun, stopAllQueued, stopQueued, unblock } from "../../src/store/stop.ts";
import { freshDatabase } from "../support/database.ts";
import { newRun, workflow } from "./fixture.ts";

const db = await freshDatabase({ max: 6 });
afterAll(() => db.close());

let count = 0;
/** A workflow of its own with a way to start it. */
async function make(rule: string, concurrency = 1) {
  const id = `wf${++count}`;
  const internalId = await workflow(db.sql, id, rule, concurrency);
  let number = 0;
  const request = (more: Parameters<typeof newRun>[3] = {}) => newRun(id, internalId, `${id}-${++number}`, more);
  const start = async (n = 1, more: Parameters<typeof newRun>[3] = {}) =>
    (
      await startRuns(
        db.sql,
        Array.from({ length: n }, () => request(more)),
      )
    ).outcomes;
  const end = (instanceId: number, status = "SUCCEEDED") =>
    db.sql`UPDATE run SET status = ${status}, end_time = 9 WHERE workflow_id = ${id} AND instance_id = ${instanceId}`;
  const states = async () =>
    (
      await db.sql<{ status: string; launched: boolean }[]>`SELECT status, execution_id IS NOT NULL AS launched FROM run
        WHERE workflow_id = ${id} ORDER BY instance_id, run_id`
    ).map((row) => (row.launched ? `${row.status}+` : row.status));
  return { id, internalId, request, start, end, states };
}

/** Workflows with a row of the outbox. */
const announced = async () =>
  (await db.sql<{ key: string }[]>`SELECT key FROM outbox WHERE kind = 'dequeue'`).map((row) => row.key);

const runOf = (outcome: StartOutcome | undefined): Run => {
  if (outcome === undefined || !("run" in outcome)) throw new Error(`no run in ${JSON.stringify(outcome)}`);
  return outcome.run;
};
const launched = (outcomes: readonly StartOutcome[]) =>
  outcomes.map((outcome) => `${outcome.result}${"run" in outcome && outcome.run.executionId ? "+" : ""}`);

describe("starting runs", () => {
  test("hands out ids in the order of the requests, with create times in the order of the ids", async () => {
    const wf = await make("PARALLEL", 100);
    await Promise.all(Array.from({ length: 8 }, () => wf.start(5)));
    const rows = await db.sql<{ instance_id: number; uuid: string; group_id: number; create_time: number }[]>`
      SELECT instance_id, uuid, group_id, create_time FROM run WHERE workflow_id = ${wf.id} ORDER BY instance_id`;
    expect(rows.map((row) => row.instance_id)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    for (const [i, row] of rows.entries()) {
      expect(row.create_time).toBeGreaterThanOrEqual(rows[i - 1]?.create_time ?? 0);
      expect(row.group_id).toBe(groupOf(wf.id, row.instance_id, 1, 8) + 0);
    }
  });

  test("the database and the program agree on a run's group", async () => {
    const run = fc.record({
      workflow: fc.string({ unit: "binary" }).filter((text) => text.isWellFormed() && !text.includes("\0")),
      instance: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      number: fc.integer({ min: 1, max: 1000 }),
      info: fc.integer({ min: 0, max: 100_000 }),
    });
    await fc.assert(
      fc.asyncProperty(run, async ({ workflow, instance, number, info }) => {
        const [row] = await db.sql<
          { part: number }[]
        >`SELECT run_group(${groupSeed(workflow)}::bigint, ${instance}::bigint,
          ${number}::bigint, ${info}) AS part`;
        expect(row?.part).toBe(groupOf(workflow, instance, number, info));
      }),
    );
  });

  test("answers with what it stored", async () => {
    const wf = await make("SEQUENTIAL");
    const [outcome] = await wf.start(1, {
      correlationId: 'a"\\b\x1f\0',
      runParams: { x: { type: "STRING", value: "nul \0 and \x1f" } },
      artifacts: { default: { type: "DEFAULT", n: 1 } },
      timeoutMs: 1000,
      timeline: [{ timestamp: 4, type: "LOG", level: "INFO", message: "m" }],
    });
    const run = runOf(outcome);
    const [loaded] =
      await db.sql`SELECT key, correlation_id, run_params, timeline FROM run WHERE workflow_id = ${wf.id}`;
    expect(loaded).toEqual({
      key: run.key,
      correlation_id: 'a"\\b\x1f\u2400',
      run_params: JSON.stringify(run.runParams),
      timeline: JSON.stringify(run.timeline),
    });
    expect(run).toMatchObject({ instanceId: 1, runId: 1, status: "CREATED", executionId: run.uuid, timeoutMs: 1000 });
  });

  test("knows a repeated uuid, in the table and within the batch", async () => {
    const wf = await make("PARALLEL", 10);
    const first = wf.request();
    const { outcomes } = await startRuns(db.sql, [first, first, wf.request()]);
    expect(outcomes.map((o) => o.result)).toEqual(["CREATED", "DUPLICATED", "CREATED"]);
    const again = await startRuns(db.sql, [wf.request(), first]);
    expect(again.outcomes[0]).toMatchObject({ result: "CREATED", run: { instanceId: 3 } });
    const { key, groupId } = runOf(outcomes[0]);
    expect(again.outcomes[1]).toEqual({
      result: "DUPLICATED",
      ref: { workflowId: wf.id, instanceId: 1, runId: 1 },
      versionId: 1,
      key,
      groupId,
      status: "CREATED",
    });
  });

  test("says CHANGED for a workflow that was deleted, deleted and made again, or changed since it was read", async () => {
    const wf = await make("SEQUENTIAL");
    const { outcomes } = await startRuns(db.sql, [
      newRun("nowhere", 1, "u"),
      { ...wf.request(), internalId: wf.internalId + 1000 },
      { ...wf.request(), revision: 1 },
      wf.request(),
    ]);
    expect(outcomes.map((o) => o.result)).toEqual(["CHANGED", "CHANGED", "CHANGED", "CREATED"]);
    expect(runOf(outcomes[3]).instanceId).toBe(1);
  });

  test("keeps a run that could not be initialised, ended and without a slot", async () => {
    const wf = await make("SEQUENTIAL");
    const [failed] = await wf.start(1, { status: "FAILED" });
    expect(runOf(failed)).toMatchObject({ status: "FAILED", startTime: undefined, executionId: undefined });
    expect(runOf(failed).endTime).toBe(runOf(failed).createTime);
    expect(launched(await wf.start())).toEqual(["CREATED+"]);
  });
});

describe("run strategies at the start", () => {
  test("SEQUENTIAL lets one go and queues the others", async () => {
    const wf = await make("SEQUENTIAL");
    expect(launched(await wf.start(2))).toEqual(["CREATED+", "CREATED"]);
    expect(launched(await wf.start())).toEqual(["CREATED"]);
    await wf.end(1);
    // Room, but an older run waits for it.
    expect(launched(await wf.start())).toEqual(["CREATED"]);
  });

  test("PARALLEL lets as many go as its concurrency says", async () => {
    const wf = await make("PARALLEL", 3);
    expect(launched(await wf.start(2))).toEqual(["CREATED+", "CREATED+"]);
    expect(launched(await wf.start(3))).toEqual(["CREATED+", "CREATED", "CREATED"]);
  });

  test("a concurrency of 0 lets nothing go", async () => {
    const wf = await make("PARALLEL", 0);
    expect(launched(await wf.start(2))).toEqual(["CREATED", "CREATED"]);
    expect(await dequeue(db.sql, [wf.id])).toEqual([]);
  });

  test("STRICT_SEQUENTIAL holds everything back while a run is FAILED", async () => {
    const wf = await make("STRICT_SEQUENTIAL");
    await wf.start(2);
    await wf.end(1, "FAILED");
    expect(await dequeue(db.sql, [wf.id])).toEqual([]);
    await db.sql`DELETE FROM run WHERE workflow_id = ${wf.id} AND instance_id = 2`;
    expect(launched(await wf.start())).toEqual(["CREATED"]);
    const event = { timestamp: 50, type: "LOG", level: "INFO", message: "unblocked" } as const;
    const ref = { workflowId: wf.id, instanceId: 1, runId: 1 };
    expect(await unblock(db.sql, ref, event)).toBe(true);
    expect(await unblock(db.sql, ref, event)).toBe(false);
    expect(await announced()).toContain(wf.id);
    expect((await dequeue(db.sql, [wf.id])).map((run) => run.instanceId)).toEqual([3]);
    expect(await wf.states()).toEqual(["FAILED_1+", "CREATED+"]);
  });

  test("FIRST_ONLY stops newcomers while anything is unfinished", async () => {
    const wf = await make("FIRST_ONLY");
    const outcomes = await wf.start(2);
    expect(launched(outcomes)).toEqual(["CREATED+", "STOPPED"]);
    const [stopped] = await db.sql`SELECT create_time, start_time, end_time, timeline FROM run
      WHERE workflow_id = ${wf.id} AND instance_id = 2`;
    expect(stopped).toMatchObject({ start_time: stopped?.create_time, end_time: stopped?.create_time });
    expect(JSON.parse(stopped?.timeline)).toHaveLength(1);
    expect(await wf.states()).toEqual(["CREATED+", "STOPPED"]);
    await wf.end(1);
    expect(launched(await wf.start())).toEqual(["CREATED+"]);
  });

  test("FIRST_ONLY stops newcomers while one waits that came under another rule", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(2);
    await wf.end(1);
    await db.sql`UPDATE workflow SET run_rule = 'FIRST_ONLY' WHERE workflow_id = ${wf.id}`;
    expect(launched(await wf.start())).toEqual(["STOPPED"]);
    expect((await dequeue(db.sql, [wf.id])).map((run) => run.instanceId)).toEqual([2]);
    await wf.end(2);
    expect(launched(await wf.start())).toEqual(["CREATED+"]);
  });

  test("SERIAL_LATEST_ONLY keeps only the newest of those that wait", async () => {
    const wf = await make("SERIAL_LATEST_ONLY");
    await wf.start(2);
    expect(await wf.states()).toEqual(["CREATED+", "CREATED"]);
    const { outcomes, stopped } = await startRuns(db.sql, [wf.request(), wf.request()]);
    expect(launched(outcomes)).toEqual(["STOPPED", "CREATED"]);
    expect(stopped).toEqual([{ workflowId: wf.id, instanceId: 2, runId: 1, parent: undefined }]);
    expect(await wf.states()).toEqual(["CREATED+", "STOPPED", "STOPPED", "CREATED"]);
    const [row] =
      await db.sql`SELECT start_time, end_time, timeline FROM run WHERE workflow_id = ${wf.id} AND instance_id = 2`;
    expect(row).toMatchObject({ start_time: null, end_time: expect.any(Number) });
    expect(JSON.parse(row?.timeline)).toHaveLength(1);
  });

  test("LAST_ONLY asks the running one to stop, and goes when it has ended", async () => {
    const wf = await make("LAST_ONLY");
    const [first] = await wf.start();
    const { outcomes, stopping } = await startRuns(db.sql, [wf.request(), wf.request()]);
    expect(launched(outcomes)).toEqual(["STOPPED", "CREATED"]);
    const { key, groupId } = runOf(first);
    expect(stopping).toEqual([{ key, groupId }]);
    const words = await db.sql`SELECT run_key, group_id, kind, "user" FROM run_word WHERE run_key = ${key}`;
    expect([...words]).toEqual([{ run_key: key, group_id: groupId, kind: "STOP", user: '"maestro_run_strategy"' }]);
    expect(await dequeue(db.sql, [wf.id])).toEqual([]);
    await wf.end(1, "STOPPED");
    expect((await dequeue(db.sql, [wf.id])).map((run) => run.instanceId)).toEqual([3]);
  });

  test("LAST_ONLY within a batch: the first goes and is asked to stop, the last waits", async () => {
    const wf = await make("LAST_ONLY");
    const { outcomes, stopped, stopping } = await startRuns(db.sql, [wf.request(), wf.request(), wf.request()]);
    expect(launched(outcomes)).toEqual(["CREATED+", "STOPPED", "CREATED"]);
    const { key, groupId } = runOf(outcomes[0]);
    expect({ stopped, stopping }).toEqual({ stopped: [], stopping: [{ key, groupId }] });
    const rows = await db.sql`SELECT status, start_time IS NULL AS unstarted, end_time IS NULL AS unended,
      json_array_length(timeline) AS events FROM run WHERE workflow_id = ${wf.id} ORDER BY instance_id`;
    expect([...rows]).toEqual([
      { status: "CREATED", unstarted: true, unended: true, events: null },
      { status: "STOPPED", unstarted: false, unended: false, events: 1 },
      { status: "CREATED", unstarted: true, unended: true, events: null },
    ]);
  });
});

describe("restarting", () => {
  test("makes the next run of the instance, in a group of its own, and takes what holds others back away", async () => {
    const wf = await make("STRICT_SEQUENTIAL");
    await wf.start(3);
    await wf.end(1, "FAILED");
    const [outcome] = await wf.start(1, { restartOf: 1, correlationId: "of the first" });
    const run = runOf(outcome);
    expect(run).toMatchObject({ instanceId: 1, runId: 2, groupId: groupOf(wf.id, 1, 2, 8), executionId: run.uuid });
    expect(await wf.states()).toEqual(["FAILED_2+", "CREATED+", "CREATED", "CREATED"]);
    const [row] = await db.sql`SELECT correlation_id, parent_key, (
        SELECT latest_instance_id FROM workflow w WHERE w.workflow_id = run.workflow_id
      ) AS latest FROM run WHERE key = ${run.key}`;
    expect(row).toEqual({ correlation_id: "of the first", parent_key: null, latest: 3 });
  });

  test("tells what waits and goes before the restarted one that it may go", async () => {
    const wf = await make("STRICT_SEQUENTIAL");
    await wf.start(3);
    await wf.end(1, "SUCCEEDED");
    await dequeue(db.sql, [wf.id]);
    await wf.end(2, "FAILED");
    await wf.start(1, { restartOf: 1 });
    expect(await dequeue(db.sql, [wf.id])).toEqual([]);
    expect(await announced()).not.toContain(wf.id);
    expect(launched(await wf.start(1, { restartOf: 2 }))).toEqual(["CREATED"]);
    expect(await announced()).toContain(wf.id);
    expect((await dequeue(db.sql, [wf.id])).map((run) => [run.instanceId, run.runId])).toEqual([[1, 2]]);
  });

  test("goes before later instances that wait, and after earlier ones, those of its batch too", async () => {
    const wf = await make("PARALLEL", 1);
    await wf.start(2);
    await wf.end(1, "FAILED");
    expect(launched(await wf.start(1, { restartOf: 1 }))).toEqual(["CREATED+"]);
    await wf.end(1, "FAILED");
    await db.sql`UPDATE workflow SET run_concurrency = 0 WHERE workflow_id = ${wf.id}`;
    expect(launched(await wf.start(1, { restartOf: 1 }))).toEqual(["CREATED"]);
    await db.sql`UPDATE workflow SET run_concurrency = 1 WHERE workflow_id = ${wf.id}`;
    expect((await dequeue(db.sql, [wf.id])).map((run) => [run.instanceId, run.runId])).toEqual([[1, 3]]);

    const strict = await make("STRICT_SEQUENTIAL");
    await strict.start(2);
    await strict.end(1, "STOPPED");
    await dequeue(db.sql, [strict.id]);
    await strict.end(2, "FAILED");
    const both = [strict.request({ restartOf: 1 }), strict.request({ restartOf: 2 })];
    expect(launched((await startRuns(db.sql, both)).outcomes)).toEqual(["CREATED", "CREATED"]);
    expect((await dequeue(db.sql, [strict.id])).map((run) => run.instanceId)).toEqual([1]);
  });

  test("of one instance by several at once makes one run", async () => {
    const wf = await make("PARALLEL", 9);
    await wf.start();
    await wf.end(1);
    const outcomes = (await Promise.all(Array.from({ length: 4 }, () => wf.start(2, { restartOf: 1 })))).flat();
    const made = outcomes.filter(({ result }) => result === "CREATED");
    expect(made).toHaveLength(1);
    const ref = { workflowId: wf.id, instanceId: 1, runId: 2 };
    for (const outcome of outcomes) if (outcome !== made[0]) expect(outcome).toEqual({ result: "UNFINISHED", ref });
  });

  test("of one instance by several at once, which end at once, makes one from each run: the others begin anew", async () => {
    const wf = await make("PARALLEL", 9);
    await wf.start();
    await wf.end(1, "FAILED");
    const restart = (restartAfter: number) => wf.start(2, { restartOf: 1, restartAfter, status: "FAILED" });
    for (const before of [1, 2]) {
      const outcomes = (await Promise.all(Array.from({ length: 4 }, () => restart(before)))).flat();
      expect(outcomes.map(({ result }) => result).sort()).toEqual([...Array(7).fill("CHANGED"), "CREATED"]);
      expect(await wf.states()).toHaveLength(before + 1);
    }
  });

  test("needs an instance", async () => {
    const wf = await make("PARALLEL", 9);
    expect(await wf.start(1, { restartOf: 1 })).toEqual([{ result: "MISSING" }]);
  });
});

describe("runs that a step starts", () => {
  const held = async (groupId: number, generation: number) =>
    db.sql`INSERT INTO flow_group (id, generation) VALUES (${groupId}, ${generation})
      ON CONFLICT (id) DO UPDATE SET generation = ${generation}`;
  const parentIn = (groupId: number, generation: number, key = 1) => ({ key, stamp: { groupId, generation } });

  test("are made by the owner of the parent's group alone, and others of the batch are none the worse", async () => {
    const wf = await make("PARALLEL", 9);
    await held(100, 7);
    const [owner, former] = [parentIn(100, 7), parentIn(100, 6)];
    const { outcomes } = await startRuns(db.sql, [
      wf.request({ parent: former }),
      wf.request({ parent: owner }),
      wf.request({ parent: parentIn(101, 1) }),
      wf.request(),
    ]);
    expect(outcomes.map(({ result }) => result)).toEqual(["STALE", "CREATED", "STALE", "CREATED"]);
    expect(outcomes[0]).toEqual({ result: "STALE", stamp: former.stamp });
    expect([runOf(outcomes[1]).parentKey, runOf(outcomes[3]).parentKey]).toEqual([1, undefined]);
    const rows = await db.sql`SELECT instance_id, parent_key FROM run WHERE workflow_id = ${wf.id} ORDER BY 1`;
    expect([...rows]).toEqual([
      { instance_id: 1, parent_key: 1 },
      { instance_id: 2, parent_key: null },
    ]);
  });

  test("are not made once another owner has claimed the group, however long the claim takes to commit", async () => {
    const wf = await make("PARALLEL", 9);
    await held(102, 1);
    const line = await db.sql.reserve();
    await line`BEGIN`;
    await line`SELECT 1 FROM flow_group WHERE id = 102 FOR UPDATE`;
    await line`UPDATE flow_group SET generation = 2 WHERE id = 102`;
    const started = wf.start(1, { parent: parentIn(102, 1) });
    while ((await db.sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length === 0);
    await line`COMMIT`;
    line.release();
    expect((await started).map(({ result }) => result)).toEqual(["STALE"]);
  });

  test("a child that an earlier try has made is found as it is now", async () => {
    const wf = await make("SEQUENTIAL");
    await held(103, 1);
    const request = wf.request({ parent: parentIn(103, 1) });
    const { outcomes } = await startRuns(db.sql, [request]);
    const { key, groupId } = runOf(outcomes[0]);
    const ref = { workflowId: wf.id, instanceId: 1, runId: 1 };
    await wf.end(1, "FAILED");
    const again = await startRuns(db.sql, [request]);
    expect(again.outcomes).toEqual([{ result: "DUPLICATED", ref, versionId: 1, key, groupId, status: "FAILED" }]);
  });

  test("a uuid whose first request of the batch came to nothing has another try", async () => {
    const wf = await make("SEQUENTIAL");
    await held(104, 2);
    const request = wf.request({ parent: parentIn(104, 1) });
    const { outcomes } = await startRuns(db.sql, [request, { ...request, parent: parentIn(104, 2) }]);
    expect(outcomes.map(({ result }) => result)).toEqual(["STALE", "CHANGED"]);
  });

  test("when they are stopped while they wait, it is said whose they are", async () => {
    const wf = await make("SERIAL_LATEST_ONLY");
    const parent = runOf((await wf.start())[0]);
    await held(parent.groupId, 3);
    const child = { parent: parentIn(parent.groupId, 3, parent.key) };
    const place = { key: parent.key, groupId: parent.groupId };
    await wf.start(1, child);
    const { stopped } = await startRuns(db.sql, [wf.request(child)]);
    expect(stopped).toEqual([{ workflowId: wf.id, instanceId: 2, runId: 1, parent: place }]);
    const event = { timestamp: 77, type: "LOG", level: "INFO", message: "m" } as const;
    const ref = { workflowId: wf.id, instanceId: 3, runId: 1 };
    expect(await stopQueued(db.sql, ref, "STOPPED", event)).toEqual({ ...ref, parent: place });
    await wf.start(1, child);
    expect(await stopAllQueued(db.sql, wf.id, "STOPPED", event)).toEqual([{ ...ref, instanceId: 4, parent: place }]);
  });
});

describe("dequeueing", () => {
  test("lets the oldest go by the rule in force, and takes the announcement away", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(5);
    await db.sql`UPDATE workflow SET run_rule = 'PARALLEL', run_concurrency = 3 WHERE workflow_id = ${wf.id}`;
    await addOutbox(db.sql, [{ topic: "dequeue", key: wf.id }]);
    const runs = await dequeue(db.sql, [wf.id]);
    expect(runs.map((run) => run.instanceId)).toEqual([2, 3]);
    expect(runs.map((run) => run.executionId)).toEqual(runs.map((run) => run.uuid));
    expect(await announced()).not.toContain(wf.id);
    expect(await dequeue(db.sql, [wf.id])).toEqual([]);
  });

  test("never lets more go than there is room for, whoever asks meanwhile", async () => {
    const wf = await make("PARALLEL", 4);
    await wf.start(20);
    await Promise.all([wf.end(1), wf.end(2)]);
    const [a, b, started] = await Promise.all([dequeue(db.sql, [wf.id]), dequeue(db.sql, [wf.id]), wf.start(3)]);
    expect(a.length + b.length).toBe(2);
    expect(launched(started)).toEqual(["CREATED", "CREATED", "CREATED"]);
  });

  test("an announcement that comes while it is under way is kept", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(2);
    await addOutbox(db.sql, [{ topic: "dequeue", key: wf.id }]);
    const line = await db.sql.reserve();
    await line`BEGIN`;
    await line`DELETE FROM outbox WHERE kind = 'dequeue' AND key = ${wf.id}`;
    const added = addOutbox(db.sql, [{ topic: "dequeue", key: wf.id }]);
    await line`SELECT 1`;
    await line`COMMIT`;
    line.release();
    await added;
    expect(await announced()).toContain(wf.id);
  });
});

describe("ending runs by hand", () => {
  const event = { timestamp: 77, type: "LOG", level: "INFO", message: 'by "ada"' } as const;

  test("stops a run that waits, and not one that is launched", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(2, { timeline: [{ timestamp: 1, type: "LOG", level: "INFO", message: "first" }] });
    const ref = (instanceId: number) => ({ workflowId: wf.id, instanceId, runId: 1 });
    expect(await stopQueued(db.sql, ref(1), "STOPPED", event)).toBeUndefined();
    expect(await stopQueued(db.sql, ref(2), "FAILED", event)).toEqual({ ...ref(2), parent: undefined });
    expect(await stopQueued(db.sql, ref(2), "FAILED", event)).toBeUndefined();
    const [row] =
      await db.sql`SELECT status, end_time, timeline FROM run WHERE workflow_id = ${wf.id} AND instance_id = 2`;
    expect(row).toMatchObject({ status: "FAILED", end_time: 77 });
    expect(JSON.parse(row?.timeline).map((line: { message: string }) => line.message)).toEqual(["first", 'by "ada"']);
    expect(await announced()).toContain(wf.id);
  });

  test("stops all that wait, in batches", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(450);
    const ended = await stopAllQueued(db.sql, wf.id, "STOPPED", event);
    expect(ended).toHaveLength(449);
    expect(new Set((await wf.states()).slice(1))).toEqual(new Set(["STOPPED"]));
  });

  test("stops all that wait, though some of them are launched while it waits for its turn", async () => {
    const wf = await make("SEQUENTIAL");
    await wf.start(300);
    const line = await db.sql.reserve();
    await line`BEGIN`;
    await line`SELECT 1 FROM workflow WHERE workflow_id = ${wf.id} FOR UPDATE`;
    await line`UPDATE run SET execution_id = uuid WHERE workflow_id = ${wf.id} AND instance_id < 10`;
    const stopping = stopAllQueued(db.sql, wf.id, "STOPPED", event);
    while ((await db.sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length === 0);
    await line`COMMIT`;
    line.release();
    expect(await stopping).toHaveLength(291);
  });

  test("what is said again is as it was said first; a kill stands beside a stop", async () => {
    const wf = await make("SEQUENTIAL");
    const [outcome] = await wf.start(2);
    const run = runOf(outcome);
    const add = (kind: "STOP" | "KILL", user: string, ref = run) =>
      sayToRun(db.sql, ref, { kind, user, reason: "r\0", createTime: 3 });
    expect(await add("STOP", "a")).toEqual({ key: run.key, groupId: run.groupId });
    expect(await add("STOP", "b")).toEqual({ key: run.key, groupId: run.groupId });
    const said = async () => [
      ...(await db.sql`SELECT kind, "user", reason FROM run_word WHERE run_key = ${run.key} ORDER BY kind`),
    ];
    const stop = { kind: "STOP", user: '"a"', reason: "r\u2400" };
    expect(await said()).toEqual([stop]);
    await add("KILL", "c");
    await add("STOP", "d");
    expect(await said()).toEqual([{ ...stop, kind: "KILL", user: '"c"' }, stop]);
    expect(await add("STOP", "a", { ...run, instanceId: 2 })).toBeUndefined();
    await wf.end(1);
    expect(await add("STOP", "a")).toBeUndefined();
  });
});
