import { afterAll, expect, test } from "bun:test";
import { RefusedWrite } from "../../src/flow/port.ts";
import { createLogger } from "../../src/log.ts";
import { dequeueing } from "../../src/queue/dequeue.ts";
import { PermanentFailure } from "../../src/queue/failure.ts";
import { openDatabase } from "../../src/store/connection.ts";
import { openFlowStore } from "../../src/store/flow.ts";
import { addOutbox } from "../../src/store/outbox.ts";
import { startRuns } from "../../src/store/start.ts";
import { newRun, workflow } from "../store/fixture.ts";
import { freshDatabase } from "../support/database.ts";
import { Rig } from "./rig.ts";

const db = await freshDatabase();
afterAll(() => db.close());
const log = createLogger({ format: "json", level: "error", write: () => {} });

/** A queue whose processor lets runs go on the real store. @returns what has been let go */
function letting(rig: Rig) {
  const database = openDatabase(db.url, { max: 2, name: "engine" });
  const store = openFlowStore(database, { log });
  const gone: string[] = [];
  const letGo = async (ids: readonly string[]): Promise<void> => {
    for (const run of await rig.pending(store.dequeue(ids))) gone.push(`${run.workflowId}:${run.instanceId}`);
  };
  return { queue: rig.queue(dequeueing(() => ({ letGo }))), gone, close: () => database.close() };
}

test("a workflow that can never be let go is a dead letter at once, and those beside it go", async () => {
  const ids = ["a", "b", "poison", "c", "d"];
  for (const id of ids) {
    const internalId = await workflow(db.sql, id, "SEQUENTIAL", 1);
    await startRuns(
      db.sql,
      [1, 2].map((number) => newRun(id, internalId, `${id}-${number}`)),
    );
    await db.sql`UPDATE run SET status = 'SUCCEEDED', end_time = 9 WHERE workflow_id = ${id} AND instance_id = 1`;
  }
  await addOutbox(
    db.sql,
    ids.map((key) => ({ topic: "dequeue", key })),
  );
  await db.sql`ALTER TABLE run ADD CONSTRAINT poison CHECK (workflow_id <> 'poison' OR execution_id IS NULL) NOT VALID`;
  const rig = new Rig(db.sql);
  const { queue, gone, close } = letting(rig);
  await queue.sweep();
  await rig.quiet();
  expect(gone.toSorted()).toEqual(["a:2", "b:2", "c:2", "d:2"]);
  const left = await db.sql`SELECT key, dead, attempts, error FROM outbox`;
  expect(left).toMatchObject([{ key: "poison", dead: 1, attempts: 1 }]);
  expect(left[0]?.error).toContain('violates check constraint "poison"');
  await close();
});

test("a fault of the database, and not of a row, passes", async () => {
  const rig = new Rig(db.sql);
  const { queue, close } = letting(rig);
  await db.sql`TRUNCATE outbox`;
  await addOutbox(db.sql, [{ topic: "dequeue", key: "a" }]);
  await db.sql`ALTER TABLE workflow RENAME TO away`;
  await queue.sweep();
  await rig.quiet();
  await db.sql`ALTER TABLE away RENAME TO workflow`;
  expect(await db.sql`SELECT dead, attempts FROM outbox`).toMatchObject([{ dead: 0, attempts: 1 }]);
  await rig.moveTo(rig.clock.now() + 1000);
  expect(await db.sql`SELECT 1 FROM outbox`).toHaveLength(0);
  await close();
});

test("only what would be refused again is for good", async () => {
  const failing = (error: Error) => dequeueing(() => ({ letGo: () => Promise.reject(error) }));
  const entries = [{ topic: "dequeue", key: "a", payload: undefined, attempts: 0, token: 0 }];
  await expect(failing(new RefusedWrite("no")).handle(entries)).rejects.toBeInstanceOf(PermanentFailure);
  await expect(failing(new Error("not now")).handle(entries)).rejects.not.toBeInstanceOf(PermanentFailure);
});
