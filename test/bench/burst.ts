/** 10,000 starts over 100 workflows at one instant. */
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import type { Bench } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { allEnded } from "./throughput.ts";
import { chain } from "./workflow.ts";

const WORKFLOWS = 100;
/** As many as the client keeps open: the rest of the starts stand in line there. */
const CONNECTIONS = 200;

export const burst: Bench = {
  name: "burst",
  on: "server",
  async run({ client, sql, quick }) {
    const starts = quick ? 2000 : 10_000;
    const ids = Array.from({ length: WORKFLOWS }, (_, index) => `bench-burst-${index}`);
    for (const id of ids) await client.push(chain(id, 1));
    const begin = Date.now();
    await concurrently(starts, CONNECTIONS, (index) => client.start(ids[index % WORKFLOWS] ?? ""));
    const answered = (Date.now() - begin) / 1000;
    for (const id of ids) await allEnded(sql, id);
    const rows = await sql<AttemptRow[]>`
      SELECT a.* FROM run r JOIN step_attempt a ON a.run_key = r.key WHERE r.workflow_id LIKE 'bench-burst-%'`;
    if (rows.length !== starts) throw new Error(`${rows.length} of ${starts} steps were made`);
    const last = rows.reduce((latest, row) => Math.max(latest, attemptOf(row).times.execute_time ?? 0), 0);
    const name = `${starts} starts over ${WORKFLOWS} workflows`;
    return [
      { name: `${name}: all first steps executing`, value: (last - begin) / 1000, unit: "s", budget: 5 },
      { name: `${name}: all answered`, value: answered, unit: "s" },
    ] satisfies Figure[];
  },
};
