/** 10,000 starts at one instant: of one workflow, over 100, and each of a workflow of its own. */
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import type { Bench, Subject } from "./bench.ts";
import { concurrently } from "./client.ts";
import type { Figure } from "./report.ts";
import { percentile } from "./stat.ts";
import { allEnded } from "./throughput.ts";
import { chain } from "./workflow.ts";

/** As many as the client keeps open: the rest of the starts stand in line there. */
const CONNECTIONS = 200;

export const starts: Bench = {
  name: "starts",
  on: "server",
  async run(subject) {
    const count = subject.quick ? 2000 : 10_000;
    const figures: Figure[] = [];
    for (const workflows of [1, 100, count]) figures.push(...(await burst(subject, count, workflows)));
    return figures;
  },
};

async function burst({ client, sql, baseline }: Subject, count: number, workflows: number): Promise<Figure[]> {
  const prefix = `bench-starts-${workflows}-`;
  const ids = Array.from({ length: workflows }, (_, index) => `${prefix}${index}`);
  await concurrently(workflows, 32, (index) => client.push(chain(ids[index] as string, 1)));
  const requests: number[] = [];
  const begin = Date.now();
  await concurrently(count, CONNECTIONS, async (index) => {
    const sent = performance.now();
    await client.start(ids[index % workflows] as string);
    requests.push(performance.now() - sent);
  });
  const answered = (Date.now() - begin) / 1000;
  await allEnded(sql, ids);
  const rows = await sql<AttemptRow[]>`
    SELECT a.* FROM run r JOIN step_attempt a ON a.run_key = r.key WHERE r.workflow_id = ANY(${ids})`;
  if (rows.length !== count) throw new Error(`${rows.length} of ${count} steps were made`);
  const last = rows.reduce((latest, row) => Math.max(latest, attemptOf(row).times.execute_time ?? 0), 0);
  const name = `${count} starts ${workflows === 1 ? "of 1 workflow" : `over ${workflows} workflows`}`;
  // A row of the run and one of its attempt.
  const raw = { what: "850-byte rows, 2 each", value: (count * 2) / baseline.rows };
  return [
    { name: `${name}: all first steps executing`, value: (last - begin) / 1000, unit: "s", budget: 3, raw },
    { name: `${name}: all answered`, value: answered, unit: "s" },
    { name: `${name}: a request, p50`, value: percentile(requests, 0.5), unit: "ms", note: `${CONNECTIONS} at a time` },
    { name: `${name}: a request, p99`, value: percentile(requests, 0.99), unit: "ms" },
  ];
}
