import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { AttemptRef, Write } from "../../src/flow/port.ts";
import { logEvent } from "../../src/step/event.ts";
import {
  arePaused,
  type Breakpoint,
  type BreakpointScope,
  brokenSteps,
  haveBreakpoints,
  listBreakpoints,
  listPaused,
  putBreakpoint,
  removeBreakpoint,
  resumeAttempt,
} from "../../src/store/breakpoint.ts";
import { startRuns } from "../../src/store/start.ts";
import { deleteWorkflow, purgeDeleted } from "../../src/store/workflow.ts";
import { batchOf } from "../../src/store/writer/batch.ts";
import { commit } from "../../src/store/writer/statement.ts";
import { GroupWriter } from "../../src/store/writer/writer.ts";
import { freshDatabase } from "../support/database.ts";
import { attempt, newRun, silent, workflow } from "./fixture.ts";

const db = await freshDatabase();
const { sql } = db;
const writer = new GroupWriter((batch) => commit(sql, batch), { log: silent });
let internalId = 0;
/** Of instances 1 and 2. */
let runs: readonly number[] = [];

afterAll(async () => {
  await writer.stop();
  await db.close();
});
beforeEach(async () => {
  await sql`TRUNCATE flow_group, workflow, workflow_deleted, run, step_attempt, breakpoint, paused_attempt`;
  await sql`INSERT INTO flow_group (id, generation) VALUES (0, 1)`;
  internalId = await workflow(sql, "w", "PARALLEL", 10);
  const { outcomes } = await startRuns(sql, [newRun("w", internalId, "u1"), newRun("w", internalId, "u2")]);
  runs = outcomes.map((outcome) => (outcome.result === "CREATED" ? outcome.run.key : 0));
});

const put = (stepId: string, scope: BreakpointScope = {}) =>
  putBreakpoint(sql, { internalId, workflowId: "w", stepId, createTime: 5, createdBy: "ann", ...scope });
const ref = (instance: number, stepId = "s", attemptId = 1): AttemptRef => ({
  runKey: runs[instance - 1] as number,
  stepId,
  attemptId,
});

const write = (...rows: readonly Write[]) =>
  new Promise<void>((resolve, reject) => {
    writer.write({ groupId: 0, generation: 1 }, rows, (error) => (error ? reject(error) : resolve()));
  });
const pausing = (at: AttemptRef): readonly Write[] => [
  { kind: "attempt", runKey: at.runKey, attempt: attempt(at.stepId, at.attemptId, { status: "PAUSED" }) },
  { kind: "paused", ...at, since: 20 },
];
const ending = (at: AttemptRef): readonly Write[] => [
  { kind: "attempt", runKey: at.runKey, attempt: attempt(at.stepId, at.attemptId, { status: "STOPPED" }) },
  { kind: "paused", ...at, since: undefined },
];
const held = async (attempts: readonly AttemptRef[]) => (await arePaused(sql, attempts)).map(({ isHeld }) => isHeld);
const isPaused = async (at: AttemptRef) => (await held([at]))[0];
const BY_ANN = logEvent("User [ann] lets it go on", 7);

describe("a breakpoint", () => {
  test("that is there already stays as it is", async () => {
    const first = await put("s");
    expect(first).toMatchObject({ workflowId: "w", stepId: "s", createTime: 5, createdBy: "ann" });
    const again = { ...first, createTime: 9, createdBy: "bob" } as Breakpoint;
    expect(await putBreakpoint(sql, again)).toEqual(first);
    expect(await listBreakpoints(sql, { internalId, stepId: "s" })).toEqual([first]);
    expect(await listBreakpoints(sql, { internalId, stepId: "t" })).toEqual([]);
  });

  const SCOPES: readonly (readonly [string, BreakpointScope, readonly boolean[]])[] = [
    ["all", {}, [true, true, true]],
    ["this version", { versionId: 1 }, [true, true, true]],
    ["another version", { versionId: 2 }, [false, false, false]],
    ["an instance", { instanceId: 2 }, [false, true, false]],
    ["a run", { instanceId: 1, runId: 1 }, [true, false, true]],
    ["another run", { runId: 2 }, [false, false, false]],
    ["an attempt", { attemptId: 2 }, [false, false, true]],
    ["an attempt of an instance", { versionId: 1, instanceId: 2, runId: 1, attemptId: 1 }, [false, true, false]],
  ];

  test.each(SCOPES)("of %s matches and pauses what it is for, and nothing else", async (_, scope, expected) => {
    await put("s", scope);
    const attempts = [ref(1), ref(2), ref(1, "s", 2)];
    expect(await haveBreakpoints(sql, attempts)).toEqual(expected);
    for (const at of attempts) await write(...pausing(at));
    expect(await held(attempts)).toEqual([...expected]);
    const resumed = await removeBreakpoint(sql, { internalId, stepId: "s", ...scope }, BY_ANN);
    expect(resumed?.length).toBe(expected.filter((it) => it).length);
    expect(await held(attempts)).toEqual([false, false, false]);
  });

  test("of one step or workflow is none of another's", async () => {
    await put("s");
    const other = await workflow(sql, "other");
    await putBreakpoint(sql, { internalId: other, workflowId: "other", stepId: "t", createTime: 5, createdBy: "ann" });
    expect(await haveBreakpoints(sql, [ref(1, "t"), ref(1, "s")])).toEqual([false, true]);
    expect((await brokenSteps(sql)).toSorted((a, b) => a.internalId - b.internalId)).toEqual([
      { internalId, stepId: "s" },
      { internalId: other, stepId: "t" },
    ]);
  });

  test("that is removed lets go what it has paused, and says of whom", async () => {
    await put("s");
    await put("t");
    await write(...pausing(ref(1)), ...pausing(ref(2)), ...pausing(ref(2, "t")));
    const resumed = await removeBreakpoint(sql, { internalId, stepId: "s" }, BY_ANN);
    expect(resumed?.map(({ runKey, stepId }) => [runKey, stepId]).toSorted()).toEqual([
      [ref(1).runKey, "s"],
      [ref(2).runKey, "s"],
    ]);
    expect(resumed?.[0]?.groupId).toBeNumber();
    expect(await held([ref(1), ref(2), ref(2, "t")])).toEqual([false, false, true]);
    expect(await removeBreakpoint(sql, { internalId, stepId: "s" }, BY_ANN)).toBeUndefined();
  });

  test("may be removed without letting anything go", async () => {
    await put("s");
    await write(...pausing(ref(1)));
    expect(await removeBreakpoint(sql, { internalId, stepId: "s" }, undefined)).toEqual([]);
    expect([await isPaused(ref(1)), await listBreakpoints(sql, { internalId, stepId: "s" })]).toEqual([true, []]);
  });

  test("goes with its workflow, and so do the attempts that it holds", async () => {
    await put("s");
    await write(...pausing(ref(1)));
    await sql`UPDATE run SET status = 'STOPPED'`;
    await deleteWorkflow(sql, { workflowId: "w", author: "ann", now: 9 });
    await purgeDeleted(sql);
    expect([await brokenSteps(sql), await isPaused(ref(1))]).toEqual([[], false]);
  });
});

describe("an attempt", () => {
  test("without a breakpoint is not paused, though its row says so", async () => {
    await write(...pausing(ref(1)));
    expect(await isPaused(ref(1))).toBe(false);
  });

  test("that is resumed goes on, and can't be resumed twice", async () => {
    await put("s");
    await write(...pausing(ref(1)));
    expect(await resumeAttempt(sql, ref(1, "s", 2), BY_ANN)).toBeUndefined();
    expect(await resumeAttempt(sql, ref(1), BY_ANN)).toMatchObject({ runKey: runs[0], stepId: "s" });
    expect(await resumeAttempt(sql, ref(1), BY_ANN)).toBeUndefined();
    expect(await arePaused(sql, [ref(1)])).toEqual([{ isHeld: false, resumed: BY_ANN }]);
    expect(await listPaused(sql, { internalId, stepId: "s" })).toEqual([]);
  });

  test("is paused once: a commit that is made again pauses nothing that was resumed meanwhile", async () => {
    await put("s");
    await write(...pausing(ref(1)));
    await write(...pausing(ref(1)));
    expect(await isPaused(ref(1))).toBe(true);
    await resumeAttempt(sql, ref(1), BY_ANN);
    await write(...pausing(ref(1)));
    expect(await isPaused(ref(1))).toBe(false);
  });

  test("is paused as it comes or not at all: a commit that is made again knows no breakpoint that is newer", async () => {
    await write(...pausing(ref(1)));
    await put("s");
    await write(...pausing(ref(1)));
    expect(await isPaused(ref(1))).toBe(false);
  });

  test("is paused no longer when it has ended, though both are one commit", async () => {
    await put("s");
    await write(...pausing(ref(1)));
    await write(...ending(ref(1)));
    expect(await isPaused(ref(1))).toBe(false);
    await write(...pausing(ref(2)), ...ending(ref(2)));
    expect(await isPaused(ref(2))).toBe(false);
  });

  test("is listed while it is paused", async () => {
    await put("s");
    await write(...pausing(ref(2)), ...pausing(ref(1, "s", 3)));
    const list = await listPaused(sql, { internalId, stepId: "s" });
    expect(list).toEqual([
      { workflowId: "w", versionId: 1, instanceId: 1, runId: 1, stepId: "s", attemptId: 3, createTime: 20 },
      { workflowId: "w", versionId: 1, instanceId: 2, runId: 1, stepId: "s", attemptId: 1, createTime: 20 },
    ]);
    expect(await listPaused(sql, { internalId, stepId: "t" })).toEqual([]);
  });
});

describe("a breakpoint that is removed while an attempt is being paused", () => {
  /** Resolves when so many backends wait for a lock. */
  const blocked = async (count: number): Promise<void> => {
    for (;;) {
      const rows = await sql`SELECT 1 FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      if (rows.length >= count) return;
    }
  };

  test("lets it go: the removal waits for the batch", async () => {
    await put("s");
    const gate = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const batch = sql.begin(async (transaction) => {
      const rows: readonly Write[] = [{ kind: "paused", ...ref(1), since: 20 }];
      const request = { number: 1, stamp: { groupId: 0, generation: 1 }, rows, settled: undefined };
      await commit(transaction as never, batchOf([request]));
      held.resolve();
      await gate.promise;
    });
    await held.promise;
    const removal = removeBreakpoint(sql, { internalId, stepId: "s" }, BY_ANN);
    await blocked(1);
    gate.resolve();
    await batch;
    expect((await removal)?.map(({ runKey }) => runKey)).toEqual([ref(1).runKey]);
    expect(await isPaused(ref(1))).toBe(false);
  });

  test("pauses nothing when it goes first: the batch waits for the removal", async () => {
    await put("s");
    const gate = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const removal = sql.begin(async (transaction) => {
      await transaction`DELETE FROM breakpoint`;
      held.resolve();
      await gate.promise;
    });
    await held.promise;
    const batch = write(...pausing(ref(1)));
    await blocked(1);
    gate.resolve();
    await Promise.all([removal, batch]);
    expect(await isPaused(ref(1))).toBe(false);
  });
});
