/** 10,000 starts over 100 workflows at one instant. */
import { STEP_TIMES } from "../../src/step/status.ts";
import type { Bench } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { allEnded } from "./throughput.ts";
import { chain } from "./workflow.ts";

const WORKFLOWS = 100;
/** As many as the client keeps open: the rest of the starts stand in line there. */
const CONNECTIONS = 200;
const EXECUTE = STEP_TIMES.indexOf("execute_time");

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
    const [row] = await sql<{ count: number; last: number }[]>`
      SELECT count(*) AS count, max((a.times::json ->> ${EXECUTE}::integer)::bigint) AS last
      FROM run r JOIN step_attempt a ON a.run_key = r.key WHERE r.workflow_id LIKE 'bench-burst-%'`;
    if (row?.count !== starts) throw new Error(`${row?.count} of ${starts} steps were made`);
    const name = `${starts} starts over ${WORKFLOWS} workflows`;
    return [
      { name: `${name}: all first steps executing`, value: (row.last - begin) / 1000, unit: "s", budget: 5 },
      { name: `${name}: all answered`, value: answered, unit: "s" },
    ] satisfies Figure[];
  },
};
