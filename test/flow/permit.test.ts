/** Runs that a step starts, and what their steps need under the limit of the whole tree. */
import { expect, test } from "bun:test";
import { systemClock } from "../../src/clock.ts";
import { Permits } from "../../src/flow/permit.ts";
import type { PermitLook, Write } from "../../src/flow/port.ts";
import type { RunHint } from "../../src/flow/protocol.ts";
import type { Run } from "../../src/run/model.ts";
import { SimPermits } from "../simulation/permit.ts";

const PARENT = { key: 1, groupId: 3 } as Run;

/** A run two levels below its root. @param tree how many of the tree may run at a time */
const child = (uuid: string, tree: number | undefined) => ({
  uuid,
  correlationId: "root:1:1",
  initiator: { type: "FOREACH", depth: 2, ancestors: [{}, {}] } as unknown as Run["initiator"],
  properties: { create_time: 1, owner: "ann", ...(tree !== undefined && { instance_step_concurrency: tree }) },
});

function desk() {
  const store = new SimPermits();
  const told: RunHint[] = [];
  const assignPermits = async (look: PermitLook) => store.assign(look);
  const permits = new Permits({ clock: systemClock, store: { assignPermits }, tell: (hints) => told.push(...hints) });
  const write = (rows: readonly Write[]): void => {
    for (const row of rows) {
      if (row.kind === "permits-wanted") store.want(row);
      else if (row.kind === "permits-released") store.release(row.uuid);
    }
  };
  return { store, told, permits, write };
}

test("as many runs of a level are under way as the root allows, and the step of the next one is told", async () => {
  const { store, told, permits, write } = desk();
  const children = ["c1", "c2", "c3"].map((uuid) => child(uuid, 2));
  for (const it of children) write(permits.childEntering(PARENT, "loop", it));
  expect([...store.rows.values()].map(({ wants }) => wants)).toContainEqual([
    { tag: "maestro_root:1:1:depth:2", limit: 2 },
  ]);
  expect(await permits.admit(["c1", "c2", "c3"])).toEqual(new Set(["c1", "c2"]));
  const [first] = children as [ReturnType<typeof child>];
  write(permits.childEnding(9, first));
  permits.childLeft(first);
  // Answers are given in order.
  await permits.refresh();
  expect(told).toEqual([{ key: 1, groupId: 3, told: ["loop"] }]);
  expect(await permits.admit(["c3"])).toEqual(new Set(["c3"]));
});

test("without a limit of the tree a run needs nothing, and nothing is asked", async () => {
  const { store, permits } = desk();
  const free = child("c1", undefined);
  expect([permits.childEntering(PARENT, "loop", free), permits.childEnding(9, free)]).toEqual([[], []]);
  permits.childLeft(free);
  await new Promise((resolve) => setImmediate(resolve));
  expect(store.calls).toBe(0);
});

test("where there is more to look at it looks again, and who has asked is answered once it was looked at", async () => {
  const { store, permits, write } = desk();
  for (const it of ["c1", "c2"]) write(permits.childEntering(PARENT, "loop", child(it, 1)));
  store.looks = 1;
  expect(await permits.admit(["c1", "c2"])).toEqual(new Set(["c1"]));
  expect(store.calls).toBeGreaterThan(1);
});
