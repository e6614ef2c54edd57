import { afterAll, beforeEach, expect, test } from "bun:test";
import { StaleOwner } from "../../src/flow/port.ts";
import { Leases } from "../../src/store/lease.ts";
import { commit } from "../../src/store/writer/statement.ts";
import { GroupWriter } from "../../src/store/writer/writer.ts";
import { freshDatabase } from "../support/database.ts";
import { attempt, silent } from "./fixture.ts";

const db = await freshDatabase({ max: 8 });
const leases = new Leases(db.sql);
afterAll(() => db.close());
beforeEach(async () => {
  await db.sql`TRUNCATE flow_group, node, step_attempt`;
  await leases.ensureGroups(8);
});

const node = (id: string) => ({ id, url: `http://${id}`, version: "1" });
const ids = (stamps: readonly { readonly groupId: number }[]) => stamps.map((stamp) => stamp.groupId);
const silence = (id: string) => db.sql`UPDATE node SET heartbeat = now() - interval '11 s' WHERE id = ${id}`;
const expire = (id: string) => db.sql`UPDATE flow_group SET heartbeat = now() - interval '11 s' WHERE node = ${id}`;

test("groups are made once, and never fewer", async () => {
  expect(await leases.ensureGroups(8)).toBe(8);
  expect(await leases.ensureGroups(4)).toBe(8);
  expect(await leases.ensureGroups(10)).toBe(10);
});

test("free groups are claimed up to the limit, each with a new generation", async () => {
  expect(await leases.claim("a", 3)).toEqual([0, 1, 2].map((groupId) => ({ groupId, generation: 1 })));
  expect(ids(await leases.claim("b", 10))).toEqual([3, 4, 5, 6, 7]);
  expect(await leases.claim("a", 10)).toEqual([]);
});

test("two nodes that claim at once share, and never both get a group", async () => {
  const [a, b] = await Promise.all([leases.claim("a", 5), leases.claim("b", 5)]);
  const all = [...ids(a), ...ids(b)];
  expect(new Set(all).size).toBe(all.length);
});

test("a heartbeat tells what the node owns and who is alive", async () => {
  await leases.register(node("a"));
  await leases.register(node("b"));
  await leases.claim("a", 2);
  const beat = await leases.heartbeat("a");
  expect(beat).toEqual({
    owned: [
      { groupId: 0, generation: 1 },
      { groupId: 1, generation: 1 },
    ],
    nodes: [
      { ...node("a"), age: 0 },
      { ...node("b"), age: expect.any(Number) },
    ],
    registered: true,
  });
  expect(beat.nodes[1]?.age).toBeGreaterThan(0);
  await silence("b");
  expect((await leases.heartbeat("a")).nodes).toEqual([{ ...node("a"), age: 0 }]);
  expect(await leases.liveNodes()).toEqual([node("a")]);
  expect((await leases.heartbeat("c")).registered).toBe(false);
});

test("a heartbeat keeps the lease; without one the groups go to whoever claims them", async () => {
  await leases.register(node("a"));
  await leases.claim("a", 8);
  await expire("a");
  await leases.heartbeat("a");
  expect(await leases.claim("b", 8)).toEqual([]);
  await expire("a");
  expect(await leases.claim("b", 2)).toEqual([
    { groupId: 0, generation: 2 },
    { groupId: 1, generation: 2 },
  ]);
  expect(ids((await leases.heartbeat("a")).owned)).toEqual([2, 3, 4, 5, 6, 7]);
});

test("what is given back is free at once; what another node owns by now is not touched", async () => {
  await leases.claim("a", 4);
  await leases.giveBack("a", [0, 1]);
  expect(ids(await leases.claim("b", 2))).toEqual([0, 1]);
  await leases.giveBack("a", [0, 1, 2]);
  expect(ids((await leases.heartbeat("b")).owned)).toEqual([0, 1]);
  expect(ids((await leases.heartbeat("a")).owned)).toEqual([3]);
});

test("a node that leaves frees everything", async () => {
  await leases.register(node("a"));
  await leases.claim("a", 8);
  await leases.releaseAll("a");
  expect(await leases.liveNodes()).toEqual([]);
  expect(ids(await leases.claim("b", 8))).toHaveLength(8);
});

test("all nodes get one secret", async () => {
  const secrets = await Promise.all([leases.secret(), leases.secret(), new Leases(db.sql).secret()]);
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
});

test("a group whose late owner is in the middle of a batch is not claimed until that has ended", async () => {
  const [stamp] = await leases.claim("a", 1);
  await expire("a");
  const batch = await db.sql.reserve();
  await batch`BEGIN`;
  await batch`SELECT fence_groups(ARRAY[${stamp?.groupId ?? 0}::integer], ARRAY[${stamp?.generation ?? 0}::bigint])`;
  expect(ids(await leases.claim("b", 8))).toEqual([1, 2, 3, 4, 5, 6, 7]);
  // Neither does a heartbeat wait for the batch, nor the batch for a heartbeat.
  await leases.heartbeat("a");
  await expire("a");
  await batch`COMMIT`;
  batch.release();
  expect(ids(await leases.claim("b", 8))).toEqual([0]);
});

test("a batch that meets a claim waits for it, and commits nothing", async () => {
  const [stamp] = await leases.claim("a", 1);
  if (stamp === undefined) throw new Error("nothing claimed");
  await expire("a");
  const claim = await db.sql.reserve();
  await claim`BEGIN`;
  await claim`UPDATE flow_group SET node = 'b', generation = generation + 1
    WHERE id = (SELECT id FROM flow_group WHERE id = ${stamp.groupId} FOR UPDATE)`;
  const writer = new GroupWriter((batch) => commit(db.sql, batch), { log: silent });
  const settled = new Promise<Error | undefined>((resolve) => {
    writer.write(stamp, [{ kind: "attempt", runKey: 1, attempt: attempt("s", 1) }], resolve);
  });
  await waitUntil(async () => (await db.sql`SELECT 1 FROM pg_locks WHERE NOT granted`).length > 0);
  await claim`COMMIT`;
  claim.release();
  expect(await settled).toEqual(new StaleOwner(stamp));
  expect(await db.sql`SELECT 1 FROM step_attempt`).toHaveLength(0);
  await writer.stop();
});

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}
