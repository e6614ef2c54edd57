/** From the end of a step to the start of the next in a database that holds 1,000,000 finished steps, and in one without. */
import type { Sql } from "../../src/store/connection.ts";
import type { Bench } from "./bench.ts";
import { measure } from "./chain.ts";
import type { Figure } from "./report.ts";
import { median, percentile } from "./stat.ts";
import { chain } from "./workflow.ts";

const ID = "bench-chain";
const LENGTH = 100;
/** Copies made by one statement. */
const BATCH = 1000;

export const history: Bench = {
  name: "history",
  on: "fresh",
  async run(subject) {
    const { client, sql, quick } = subject;
    const copies = quick ? 1000 : 10_000;
    const runs = quick ? 20 : 100;
    await client.push(chain(ID, LENGTH));
    await measure(subject, runs); // warm-up
    const before = await measure(subject, runs);
    const { instance } = await client.succeed(ID);
    await copy(sql, instance, copies);
    await sql`VACUUM (ANALYZE) run, step_attempt`;
    const after = await measure(subject, runs);
    const crowd = `beside ${(copies * LENGTH).toLocaleString("en-US")} finished steps`;
    const without = (value: number) => ({ raw: { what: "without", value } });
    const [p50, p99] = [0.5, 0.99].map((share) => percentile(before.launches, share)) as [number, number];
    const launch = "step end → successor executing";
    return [
      { name: `${launch}, p50`, value: p50, unit: "ms", budget: 1 },
      { name: "the same, p99", value: p99, unit: "ms", budget: 10 },
      { name: `${launch} ${crowd}, p50`, value: median(after.launches), unit: "ms", budget: 1, ...without(p50) },
      { name: "the same, p99", value: percentile(after.launches, 0.99), unit: "ms", budget: 10, ...without(p99) },
      {
        name: `chain of ${LENGTH} ${crowd}, a step`,
        value: median(after.seen) / LENGTH,
        unit: "ms",
        ...without(median(before.seen) / LENGTH),
      },
    ] satisfies Figure[];
  },
};

/** Makes further instances of a workflow out of a finished one, with all that is kept of it. */
async function copy(sql: Sql, instance: number, copies: number): Promise<void> {
  const [runColumns, attemptColumns] = [await columns(sql, "run"), await columns(sql, "step_attempt")];
  const run = runColumns
    .map(
      (name) => ({ key: "c.key", instance_id: "c.instance_id", uuid: "gen_random_uuid()::text" })[name] ?? `r.${name}`,
    )
    .join(", ");
  const attempt = attemptColumns
    .map((name) => ({ run_key: "c.key", uuid: "gen_random_uuid()::text" })[name] ?? `a.${name}`)
    .join(", ");
  for (let made = 0; made < copies; made += BATCH) {
    const count = Math.min(BATCH, copies - made);
    await sql.begin(async (tx) => {
      // The row's lock keeps a start from taking the same instance ids.
      const [counter] = await tx<{ latest: number }[]>`
        UPDATE workflow SET latest_instance_id = latest_instance_id + ${count} WHERE workflow_id = ${ID}
        RETURNING latest_instance_id - ${count} AS latest`;
      await tx`CREATE TEMPORARY TABLE copied ON COMMIT DROP AS
        SELECT nextval('run_key_seq') AS key, ${counter?.latest ?? 0}::bigint + n AS instance_id
        FROM generate_series(1, ${count}::integer) AS n`;
      await tx`INSERT INTO run (${tx(runColumns)}) SELECT ${tx.unsafe(run)} FROM copied c, run r
        WHERE r.workflow_id = ${ID} AND r.instance_id = ${instance}`;
      await tx`INSERT INTO step_attempt (${tx(attemptColumns)}) SELECT ${tx.unsafe(attempt)} FROM copied c, run r
        JOIN step_attempt a ON a.run_key = r.key WHERE r.workflow_id = ${ID} AND r.instance_id = ${instance}`;
    });
  }
}

async function columns(sql: Sql, table: string): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    SELECT column_name AS name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = ${table} ORDER BY ordinal_position`;
  return rows.map(({ name }) => name);
}
