/** What benchmarks of nested steps have in common: their definitions, and looks at what has become of a run. */

import type { StepAttempt } from "../../src/step/model.ts";
import type { Sql } from "../../src/store/connection.ts";
import { type AttemptRow, attemptOf } from "../../src/store/row.ts";
import type { Client, RunAddress } from "./client.ts";

export const long = (expression: string): object => ({ type: "LONG", expression });

/** A foreach over the whole numbers from 1 to `count`. @param name of its loop param */
export const foreach = (
  id: string,
  count: number,
  steps: readonly object[],
  next: readonly string[] = [],
  name = "i",
): object => ({
  foreach: {
    id,
    params: {
      loop_params: {
        type: "MAP",
        value: { [name]: { type: "LONG_ARRAY", expression: `Util.intsBetween(1, ${count + 1}, 1)` } },
      },
    },
    steps,
    ...(next.length === 0 ? {} : { transition: { successors: Object.fromEntries(next.map((it) => [it, "true"])) } }),
  },
});

export const subworkflow = (id: string, child: string): object => ({
  subworkflow: { id, params: { subworkflow_id: { type: "STRING", value: child } } },
});

/** Waits for the run's end, however long that takes. @throws Error when it is another than `expected` */
export async function ends(client: Client, run: RunAddress, expected = "SUCCEEDED"): Promise<void> {
  for (;;) {
    const { status } = await client.run(run, 60);
    if (status === expected) return;
    if (!OPEN.has(status)) throw new Error(`${run.workflow} ${run.instance} is ${status} instead of ${expected}`);
  }
}

const OPEN: ReadonlySet<string> = new Set(["CREATED", "IN_PROGRESS", "PAUSED"]);

/** Latest attempt at a step of a run. */
export async function attemptIn(sql: Sql, run: RunAddress, stepId: string): Promise<StepAttempt> {
  const [row] = await sql<AttemptRow[]>`
    SELECT a.* FROM run r JOIN step_attempt a ON a.run_key = r.key
    WHERE r.workflow_id = ${run.workflow} AND r.instance_id = ${run.instance} AND r.run_id = ${run.run}
      AND a.step_id = ${stepId} ORDER BY a.attempt_id DESC LIMIT 1`;
  if (row === undefined) throw new Error(`${run.workflow} ${run.instance} has no step ${stepId}`);
  return attemptOf(row);
}

/** The workflow whose instances are the iterations of a foreach. */
export function bodyOf({ stepId, artifacts }: StepAttempt): string {
  const id = artifacts.maestro_foreach?.foreach_workflow_id;
  if (typeof id !== "string") throw new Error(`step ${stepId} is no foreach that has begun`);
  return id;
}
