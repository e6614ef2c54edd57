/** A restart from incomplete of a run with 100,000 iterations, of which 10 have failed. */
import type { Bench } from "./bench.ts";
import type { RunAddress } from "./client.ts";
import { attemptIn, bodyOf, ends, foreach, long } from "./loop.ts";
import type { Figure } from "./report.ts";
import { step, workflow } from "./workflow.ts";

const ID = "bench-restart";
const FAILING = 10;

export const restart: Bench = {
  name: "restart",
  on: "fresh",
  async run({ client, sql, quick }) {
    const count = quick ? 10_000 : 100_000;
    // The last ones fail: with the first failure a foreach launches no more.
    const body = step("in", "NoOp", { params: { q: long("1 / (i > sound ? 0 : 1)") } });
    const params = { sound: { type: "LONG", value: count } };
    await client.push(workflow(ID, [foreach("each", count, [body])], 1, { params }));
    const first = await client.start(ID, { params: { sound: { type: "LONG", value: count - FAILING } } });
    await ends(client, first, "FAILED");
    const begin = performance.now();
    const answer = await client.request<{ workflow_run_id: number }>("POST", `/${ID}/instances/1/actions/restart`, {
      restart_policy: "RESTART_FROM_INCOMPLETE",
      run_params: params,
    });
    const again: RunAddress = { ...first, run: answer.workflow_run_id };
    await ends(client, again);
    const seconds = (performance.now() - begin) / 1000;
    const iterations = bodyOf(await attemptIn(sql, again, "each"));
    const [counted] = await sql<{ again: number; failed: number }[]>`
      SELECT count(*) FILTER (WHERE run_id > 1)::integer AS again,
        count(*) FILTER (WHERE run_id = 1 AND status <> 'SUCCEEDED')::integer AS failed
      FROM run WHERE workflow_id = ${iterations}`;
    if (counted?.failed !== FAILING) throw new Error(`${counted?.failed} iterations had failed instead of ${FAILING}`);
    const name = `restart of ${count.toLocaleString("en-US")} iterations, ${FAILING} incomplete`;
    return [
      { name, value: seconds, unit: "s" },
      { name: "the same, iterations that ran again", value: counted.again, unit: "", budget: FAILING },
    ] satisfies Figure[];
  },
};
