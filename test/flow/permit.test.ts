/** Runs that a step starts, and what their steps need under the limit of the whole tree. */
import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import type { Step } from "../../src/definition/step.ts";
import { Permits } from "../../src/flow/permit.ts";
import type { PermitLook, Write } from "../../src/flow/port.ts";
import type { RunHint } from "../../src/flow/protocol.ts";
import { subworkflowUuid } from "../../src/run/inline.ts";
import type { Run } from "../../src/run/model.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { stepNode } from "../../src/step/node.ts";
import { SimPermits } from "../simulation/permit.ts";

/** A run of a tree. @param level how deep below the root. @param tree how many of the tree may run at a time */
const runOf = (uuid: string, level: number, tree: number | undefined): Run =>
  ({
    ...{ uuid, key: 1, groupId: 3, workflowId: "w", instanceId: 1, runId: 1, correlationId: "root:1:1" },
    initiator: { type: "FOREACH", depth: level, ancestors: Array(level).fill({}) },
    properties: { create_time: 1, owner: "ann", ...(tree !== undefined && { instance_step_concurrency: tree }) },
  }) as unknown as Run;
const parent = (tree: number | undefined): Run => runOf("p", 1, tree);
const child = (uuid: string, tree: number | undefined): Run => ({ ...runOf(uuid, 2, tree), key: 9 });

const loop = stepNode({ foreach: { id: "loop", loop_params: {}, steps: [] } } as unknown as Step, [], {});
const subworkflow = (sync: boolean) => stepNode({ subworkflow: { id: "sub", sync } } as unknown as Step, [], {});
const attemptAt = (stepId: string, artifacts: object = {}): StepAttempt =>
  ({ stepId, attemptId: 1, uuid: `at ${stepId}`, times: { start_time: 1 }, artifacts }) as unknown as StepAttempt;

function desk() {
  const store = new SimPermits();
  const told: RunHint[] = [];
  const assignPermits = async (look: PermitLook) => store.assign(look);
  const permits = new Permits({ clock: systemClock, store: { assignPermits }, tell: (hints) => told.push(...hints) });
  const write = (rows: readonly Write[]): void => {
    for (const row of rows) {
      if (row.kind === "permits-wanted") store.want(row);
      else if (row.kind === "permits-released") store.release(row.uuid);
      else if (row.kind === "permits-left") store.leave(row.starter);
    }
  };
  return { store, told, permits, write };
}

test("as many runs of a level are under way as the root allows, and the step of the next one is told", async () => {
  const { store, told, permits, write } = desk();
  for (const it of ["c1", "c2", "c3"]) write(permits.childEntering(parent(2), loop, attemptAt("loop"), it));
  expect([...store.rows.values()].map(({ wants }) => wants)).toContainEqual([
    { tag: "maestro_root:1:1:depth:2", limit: 2 },
  ]);
  expect(await permits.admit(["c1", "c2", "c3"])).toEqual(new Set(["c1", "c2"]));
  write(permits.childEnding(child("c1", 2)));
  permits.childLeft(child("c1", 2));
  // Answers are given in order.
  await permits.admit(["nobody"]);
  expect(told).toEqual([{ key: 1, groupId: 3, told: ["loop"] }]);
  expect(await permits.admit(["c3"])).toEqual(new Set(["c3"]));
});

test("without a limit of the tree a run needs nothing, and nothing is asked", async () => {
  const { store, permits } = desk();
  const free = child("c1", undefined);
  const attempt = attemptAt("loop");
  const step = { run: parent(undefined), node: loop, attempt };
  expect(permits.childEntering(step.run, loop, attempt, "c1")).toEqual([]);
  expect([permits.childEnding(free), permits.ending(step)]).toEqual([[], []]);
  permits.childLeft(free);
  await new Promise((resolve) => setImmediate(resolve));
  expect(store.calls).toBe(0);
});

test("where there is more to look at it looks again, and who has asked is answered once it was looked at", async () => {
  const { store, permits, write } = desk();
  for (const it of ["c1", "c2"]) write(permits.childEntering(parent(1), loop, attemptAt("loop"), it));
  store.looks = 1;
  expect(await permits.admit(["c1", "c2"])).toEqual(new Set(["c1"]));
  expect(store.calls).toBeGreaterThan(1);
});

test("with a step goes what it was about to start, and what it has waited for; a run that goes its own way stays", async () => {
  const { store, permits, write } = desk();
  const run = parent(1);
  for (const it of ["c1", "c2"]) write(permits.childEntering(run, loop, attemptAt("loop"), it));
  write(permits.ending({ run, node: loop, attempt: attemptAt("loop") }));
  expect(store.rows.size).toBe(0);
  const [node, attempt] = [subworkflow(false), attemptAt("sub")];
  const uuid = subworkflowUuid(run, attempt);
  write(permits.childEntering(run, node, attempt, uuid));
  write(permits.ending({ run, node, attempt: attemptAt("sub", { maestro_subworkflow: {} }) }));
  expect([...store.rows.keys()]).toEqual([uuid]);
  write(permits.ending({ run, node, attempt }));
  expect(store.rows.size).toBe(0);
});
