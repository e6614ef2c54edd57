/**
 * Pausing a workflow: none of its runs is let go until it is resumed; those that are under way go on. The flag takes
 * part in every start and dequeue, under the lock of the workflow's row.
 */
import { nameOf } from "../definition/user.ts";
import type { Sql } from "./connection.ts";
import {
  type Activation,
  type ActivationChange,
  addHistory,
  askDequeue,
  lockWorkflow,
  noWorkflow,
} from "./workflow.ts";

/**
 * Done twice, it is as it was done once, and says so.
 * @throws NOT_FOUND
 */
export async function setPaused(
  sql: Sql,
  { workflowId, author, now }: ActivationChange,
  paused: boolean,
): Promise<Activation> {
  return sql.begin(async (transaction) => {
    const row = await lockWorkflow(transaction, workflowId);
    if (row === undefined) throw noWorkflow(workflowId);
    const changed = row.paused !== paused;
    const message = `Caller [${nameOf(author)}] ${textOf(workflowId, paused, changed)}`;
    if (changed) {
      // No new revision: a start decides by the row, not by what it has read of the workflow.
      await transaction`UPDATE workflow SET paused = ${paused}, modify_time = ${now} WHERE workflow_id = ${workflowId}`;
      if (!paused) await askDequeue(transaction, workflowId);
    }
    await addHistory(transaction, { workflowId, author, log: message, time: now });
    return { versionId: row.activeVersion, message, changed };
  });
}

function textOf(workflowId: string, paused: boolean, changed: boolean): string {
  if (!changed) return `do nothing as workflow [${workflowId}] is ${paused ? "already" : "not"} paused`;
  return paused
    ? `paused workflow [${workflowId}]: its runs wait until it is resumed, those under way go on`
    : `resumed workflow [${workflowId}]: its runs that wait go by its run strategy`;
}
