/** What users do to all runs of a workflow at once. */
import type { TimelineEvent } from "../definition/timeline.ts";
import { stringifyJson } from "../json.ts";
import { storable } from "./column.ts";
import type { Sql } from "./connection.ts";
import type { NewWord } from "./stop.ts";
import { askDequeue } from "./workflow.ts";

const UNBLOCK_BATCH = 100;

/** Asks the owners of all launched, unfinished runs of a workflow to end them. @returns their keys and groups, to tell the owners */
export async function stopAllRunning(
  sql: Sql,
  workflowId: string,
  { kind, user, reason, createTime }: NewWord,
): Promise<readonly { readonly key: number; readonly groupId: number }[]> {
  const rows = await sql<{ key: number; group_id: number }[]>`WITH target AS (
      SELECT key, group_id FROM run
      WHERE workflow_id = ${workflowId} AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL
    ), added AS (
      INSERT INTO run_word (run_key, group_id, kind, "user", reason, create_time)
      SELECT key, group_id, ${kind}, ${stringifyJson(user)}::json,
        ${reason === undefined ? null : storable(reason)}, ${createTime} FROM target ORDER BY key
      ON CONFLICT (run_key, step_id, kind) DO NOTHING
    )
    SELECT key, group_id FROM target`;
  return rows.map((row) => ({ key: row.key, groupId: row.group_id }));
}

/** Failed runs no longer hold the workflow back. @returns how many */
export async function unblockAll(sql: Sql, workflowId: string, event: TimelineEvent): Promise<number> {
  for (let total = 0; ; ) {
    const count = await sql.begin(async (transaction) => {
      await transaction`SELECT 1 FROM workflow WHERE workflow_id = ${workflowId} FOR UPDATE`;
      const rows = await transaction`
        UPDATE run SET status = 'FAILED_1', modify_time = ${event.timestamp}, timeline = with_event(timeline, ${stringifyJson(event)})
        WHERE status = 'FAILED' AND key IN (
          SELECT key FROM run WHERE workflow_id = ${workflowId} AND status = 'FAILED' LIMIT ${UNBLOCK_BATCH})
        RETURNING key`;
      if (rows.length > 0) await askDequeue(transaction, workflowId);
      return rows.length;
    });
    total += count;
    if (count < UNBLOCK_BATCH) return total;
  }
}
