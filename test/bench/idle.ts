/** What a server costs that has nothing to do: fresh, after a warm-up, with no run under way. */
import { connect } from "../../src/store/connection.ts";
import type { Bench } from "./bench.ts";
import type { Figure } from "./report.ts";
import { databaseUrl, startServer } from "./server.ts";
import { cpuSeconds, residentMb } from "./stat.ts";

const SETTLE = 12_000;

export const idle: Bench = {
  name: "idle",
  on: "nothing",
  async run({ program, folder, quick }) {
    const dataDir = folder();
    const server = await startServer({ program, dataDir });
    // In a database of its own: looking does not count.
    const sql = connect(databaseUrl(dataDir, "postgres"), { max: 1, name: "bench" });
    try {
      await Bun.sleep(SETTLE);
      const seconds = quick ? 10 : 30;
      const before = [await transactions(sql), cpuSeconds(server.pid) ?? Number.NaN] as const;
      await Bun.sleep(seconds * 1000);
      const after = [await transactions(sql), cpuSeconds(server.pid) ?? Number.NaN] as const;
      const note = "transactions; Postgres counts them up to a second late";
      const memory = residentMb(server.pid) ?? Number.NaN;
      return [
        { name: "idle, database queries", value: (after[0] - before[0]) / seconds, unit: "/s", budget: 1, note },
        { name: "idle, processor", value: ((after[1] - before[1]) / seconds) * 100, unit: "%", budget: 1 },
        { name: "idle, resident beside Postgres", value: memory, unit: "MB", budget: 150 },
      ] satisfies Figure[];
    } finally {
      await sql.end();
      await server.stop();
    }
  },
};

async function transactions(sql: ReturnType<typeof connect>): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    SELECT xact_commit + xact_rollback AS count FROM pg_stat_database WHERE datname = 'maestro'`;
  return row?.count ?? Number.NaN;
}
