import { expect, test } from "bun:test";
import type { EnginePool } from "../../src/flow/pool.ts";
import { createLogger } from "../../src/log.ts";
import { metrics } from "../../src/metric.ts";
import { startSweeping } from "../../src/server/sweep.ts";
import { freshDatabase } from "../support/database.ts";

const log = createLogger({ format: "json", level: "error", write: () => {} });

test("rows of the outbox are counted by topic; a topic that has none any more shows that", async () => {
  const db = await freshDatabase();
  const store = { db, url: db.url, groups: 1, stop: () => db.close() };
  const shown = async (line: string): Promise<void> => {
    const part = startSweeping({ sweep() {} } as unknown as EnginePool, store, log);
    while (!metrics.print().includes(line)) await new Promise((resolve) => setImmediate(resolve));
    await part.stop();
  };
  await db.sql`INSERT INTO outbox (kind, key, create_time, dead) VALUES ('t', 'a', 1, 1), ('t', 'b', 1, 0), ('t', 'c', 1, 0)`;
  await shown('maestro_outbox_waiting_rows{topic="t"} 2');
  expect(metrics.print()).toContain('maestro_outbox_dead_letters{topic="t"} 1');
  await db.sql`DELETE FROM outbox`;
  await shown('maestro_outbox_dead_letters{topic="t"} 0');
  expect(metrics.print()).toContain('maestro_outbox_waiting_rows{topic="t"} 0');
  await db.close();
});
