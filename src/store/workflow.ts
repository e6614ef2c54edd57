/**
 * Workflows: the row of each live one, its history, activation, deletion, and lists of them. What is pushed and
 * versioned is in `version.ts`, properties are in `property.ts`.
 */
import type { PropertiesSnapshot } from "../definition/properties.ts";
import type { WorkflowTimelineEvent } from "../definition/timeline.ts";
import type { User } from "../definition/user.ts";
import { badRequest, notFound } from "../error.ts";
import { parseJson, stringifyJson } from "../json.ts";
import type { Sql, Transaction } from "./connection.ts";
import { addOutbox, DEQUEUE } from "./outbox.ts";

export interface WorkflowRow {
  readonly workflowId: string;
  readonly internalId: number;
  /** 0: no version is active. */
  readonly activeVersion: number;
  readonly activateTime: number | undefined;
  readonly activatedBy: User | undefined;
  readonly properties: PropertiesSnapshot;
  readonly latestVersion: number;
  /** Runs that wait keep waiting. */
  readonly paused: boolean;
  /** 0: no instance was made yet. */
  readonly latestInstanceId: number;
  readonly createTime: number;
  readonly modifyTime: number;
}

interface RawWorkflow {
  readonly workflow_id: string;
  readonly internal_id: number;
  readonly active_version: number;
  readonly activate_time: number | null;
  readonly activated_by: string | null;
  readonly properties: string;
  readonly latest_version: number;
  readonly paused: boolean;
  readonly latest_instance_id: number;
  readonly create_time: number;
  readonly modify_time: number;
}

export const toWorkflowRow = (row: RawWorkflow): WorkflowRow => ({
  workflowId: row.workflow_id,
  internalId: row.internal_id,
  activeVersion: row.active_version,
  activateTime: row.activate_time ?? undefined,
  activatedBy: row.activated_by === null ? undefined : (parseJson(row.activated_by) as User),
  properties: parseJson(row.properties) as unknown as PropertiesSnapshot,
  latestVersion: row.latest_version,
  paused: row.paused,
  latestInstanceId: row.latest_instance_id,
  createTime: row.create_time,
  modifyTime: row.modify_time,
});

export const noWorkflow = (workflowId: string) =>
  notFound(`Workflow [${workflowId}] has not been created yet or has been deleted.`);

export async function loadWorkflow(sql: Sql, workflowId: string): Promise<WorkflowRow | undefined> {
  const [row] = await sql<RawWorkflow[]>`SELECT * FROM workflow WHERE workflow_id = ${workflowId}`;
  return row && toWorkflowRow(row);
}

/** Holds the row until the transaction ends: pushes, property changes and starts of one workflow follow each other. */
export async function lockWorkflow(transaction: Transaction, workflowId: string): Promise<WorkflowRow | undefined> {
  const [row] = await transaction<RawWorkflow[]>`
    SELECT * FROM workflow WHERE workflow_id = ${workflowId} FOR UPDATE`;
  return row && toWorkflowRow(row);
}

export interface HistoryEntry {
  readonly workflowId: string;
  readonly author: User;
  readonly log: string;
  readonly time: number;
}

export async function addHistory(transaction: Transaction, entry: HistoryEntry): Promise<void> {
  await transaction`
    INSERT INTO workflow_timeline (workflow_id, author, log, create_time)
    VALUES (${entry.workflowId}, ${stringifyJson(entry.author)}, ${entry.log}, ${entry.time})`;
}

/** Newest first. */
export async function loadHistory(sql: Sql, workflowId: string, limit = 300): Promise<WorkflowTimelineEvent[]> {
  const rows = await sql<{ author: string; log: string; create_time: number }[]>`
    SELECT author, log, create_time FROM workflow_timeline
    WHERE workflow_id = ${workflowId} ORDER BY id DESC LIMIT ${limit}`;
  return rows.map((row) => ({ author: parseJson(row.author) as User, log: row.log, timestamp: row.create_time }));
}

/** Queued runs of the workflow should be looked at again. */
export const askDequeue = (transaction: Transaction, workflowId: string): Promise<void> =>
  addOutbox(transaction, [{ topic: DEQUEUE, key: workflowId }]);

export interface ActivationChange {
  readonly workflowId: string;
  readonly author: User;
  readonly now: number;
}

export interface Activation {
  /** The active version now; 0: none. */
  readonly versionId: number;
  readonly message: string;
  /** The workflow is not as it was. */
  readonly changed: boolean;
}

/**
 * @param choose the version, given the row and a way to know whether a version exists
 * @throws NOT_FOUND when the workflow is unknown, or what `choose` throws
 */
export async function activate(
  sql: Sql,
  { workflowId, author, now }: ActivationChange,
  choose: (row: WorkflowRow) => number,
): Promise<Activation> {
  return sql.begin(async (transaction) => {
    const row = await lockWorkflow(transaction, workflowId);
    if (row === undefined) throw noWorkflow(workflowId);
    const versionId = choose(row);
    const [exists] = await transaction`
      SELECT 1 FROM workflow_version WHERE internal_id = ${row.internalId} AND version_id = ${versionId}`;
    if (exists === undefined) throw notFound(`Cannot find version [${versionId}] of workflow [${workflowId}].`);
    const caller = `Caller [${nameOfUser(author)}]`;
    if (row.activeVersion === versionId) {
      const message = `${caller} do nothing as workflow version [${workflowId}][${versionId}] is already active`;
      await addHistory(transaction, { workflowId, author, log: message, time: now });
      return { versionId, message, changed: false };
    }
    const previous = row.activeVersion;
    const message = `${caller} activates workflow version [${workflowId}][${versionId}], previous active version is [${previous}]`;
    await transaction`
      UPDATE workflow SET active_version = ${versionId}, activate_time = ${now},
        activated_by = ${stringifyJson(author)}, modify_time = ${now}, revision = revision + 1
      WHERE workflow_id = ${workflowId}`;
    await addHistory(transaction, { workflowId, author, log: message, time: now });
    await askDequeue(transaction, workflowId);
    return { versionId, message, changed: true };
  });
}

/** @throws NOT_FOUND */
export async function deactivate(sql: Sql, { workflowId, author, now }: ActivationChange): Promise<Activation> {
  return sql.begin(async (transaction) => {
    const row = await lockWorkflow(transaction, workflowId);
    if (row === undefined) throw noWorkflow(workflowId);
    const caller = `Caller [${nameOfUser(author)}]`;
    const changed = row.activeVersion !== 0;
    const message = changed
      ? `${caller} deactivated workflow [${workflowId}], whose last active version is [${row.activeVersion}]`
      : `${caller} do nothing as there is no active workflow version for [${workflowId}]`;
    if (changed) {
      await transaction`
        UPDATE workflow SET active_version = 0, activate_time = NULL, activated_by = NULL, modify_time = ${now},
          revision = revision + 1
        WHERE workflow_id = ${workflowId}`;
    }
    await addHistory(transaction, { workflowId, author, log: message, time: now });
    return { versionId: 0, message, changed };
  });
}

const nameOfUser = (user: User): string => (typeof user === "string" ? user : user.name);

/**
 * Takes the workflow away at once; its runs and versions go with {@link purgeDeleted}.
 * @throws NOT_FOUND, or BAD_REQUEST while an instance is unfinished
 */
export async function deleteWorkflow(sql: Sql, { workflowId, author, now }: ActivationChange): Promise<void> {
  await sql.begin(async (transaction) => {
    const row = await lockWorkflow(transaction, workflowId);
    if (row === undefined) throw noWorkflow(workflowId);
    const [open] = await transaction<{ instance_id: number; run_id: number; status: string }[]>`
      SELECT instance_id, run_id, status FROM run
      WHERE workflow_id = ${workflowId} AND status IN ('CREATED', 'IN_PROGRESS') LIMIT 1`;
    if (open !== undefined) {
      const which = `instance ${open.instance_id} (run ${open.run_id}) is ${open.status}`;
      throw badRequest(`Cannot delete workflow [${workflowId}] while ${which}; stop its instances first.`);
    }
    await transaction`
      INSERT INTO workflow_deleted (workflow_id, internal_id, latest_instance_id, author, create_time)
      VALUES (${workflowId}, ${row.internalId}, ${row.latestInstanceId}, ${stringifyJson(author)}, ${now})`;
    await transaction`DELETE FROM workflow WHERE workflow_id = ${workflowId}`;
    await transaction`DELETE FROM workflow_timeline WHERE workflow_id = ${workflowId}`;
    await transaction`DELETE FROM outbox WHERE kind = ${DEQUEUE} AND key = ${workflowId}`;
  });
}

/**
 * Removes what deleted workflows left, a batch of runs at a time, until nothing is left.
 * @returns how many runs went
 */
export async function purgeDeleted(sql: Sql, batch = 200): Promise<number> {
  let gone = 0;
  const waiting = await sql<{ workflow_id: string; internal_id: number }[]>`
    SELECT workflow_id, internal_id FROM workflow_deleted WHERE NOT done ORDER BY create_time LIMIT 100`;
  for (const { workflow_id, internal_id } of waiting) {
    for (;;) {
      const removed = await purgeRuns(sql, workflow_id, internal_id, batch);
      gone += removed;
      if (removed < batch) break;
    }
    await sql.begin(async (transaction) => {
      await transaction`DELETE FROM workflow_version WHERE internal_id = ${internal_id}`;
      await transaction`DELETE FROM workflow_properties WHERE internal_id = ${internal_id}`;
      await transaction`DELETE FROM breakpoint WHERE internal_id = ${internal_id}`;
      await transaction`UPDATE workflow_deleted SET done = true WHERE internal_id = ${internal_id}`;
    });
  }
  return gone;
}

async function purgeRuns(sql: Sql, workflowId: string, internalId: number, batch: number): Promise<number> {
  const [counts] = await sql<{ runs: number }[]>`
    WITH gone AS (
      DELETE FROM run WHERE key IN (
        SELECT key FROM run WHERE workflow_id = ${workflowId} AND internal_id = ${internalId} LIMIT ${batch})
      RETURNING key),
    attempts AS (DELETE FROM step_attempt WHERE run_key IN (SELECT key FROM gone) RETURNING uuid),
    logs AS (DELETE FROM step_log WHERE uuid IN (SELECT uuid FROM attempts)),
    paused AS (DELETE FROM paused_attempt WHERE run_key IN (SELECT key FROM gone)),
    words AS (DELETE FROM run_word WHERE run_key IN (SELECT key FROM gone))
    SELECT count(*) AS runs FROM gone`;
  return Number(counts?.runs ?? 0);
}

export interface InstanceCounts {
  readonly CREATED: number;
  readonly IN_PROGRESS: number;
  readonly PAUSED: number;
  /** Raw FAILED only: neither unblocked nor followed by a restart. */
  readonly failed: number;
}

/** Runs off the partial indexes of the run strategies: finished runs cost nothing. */
export async function countInstances(sql: Sql, workflowId: string): Promise<InstanceCounts> {
  const rows = await sql<{ status: string; count: number }[]>`
    SELECT status, count(*) AS count FROM run WHERE workflow_id = ${workflowId}
      AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED') AND execution_id IS NOT NULL GROUP BY status
    UNION ALL SELECT 'CREATED', count(*) FROM run
      WHERE workflow_id = ${workflowId} AND status = 'CREATED' AND execution_id IS NULL
    UNION ALL SELECT 'FAILED', count(*) FROM run WHERE workflow_id = ${workflowId} AND status = 'FAILED'`;
  const count = (status: string): number =>
    rows.filter((row) => row.status === status).reduce((sum, row) => sum + Number(row.count), 0);
  return {
    CREATED: count("CREATED"),
    IN_PROGRESS: count("IN_PROGRESS"),
    PAUSED: count("PAUSED"),
    failed: count("FAILED"),
  };
}

/** One line of a list of workflows. */
export interface WorkflowSummary {
  readonly workflow: WorkflowRow;
  readonly name: string | undefined;
  readonly description: string | undefined;
  /** JSON of the definition's tags. */
  readonly tags: string | undefined;
  readonly latestRun:
    | {
        readonly instanceId: number;
        readonly runId: number;
        readonly status: string;
        readonly startTime: number | undefined;
        readonly endTime: number | undefined;
      }
    | undefined;
}

interface RawSummary extends RawWorkflow {
  readonly name: string | null;
  readonly description: string | null;
  readonly tags: string | null;
  readonly run_instance_id: number | null;
  readonly run_run_id: number | null;
  readonly run_status: string | null;
  readonly run_start_time: number | null;
  readonly run_end_time: number | null;
}

/** By workflow id, those after `after` whose id, name or owner contains `search` (any case). */
export async function listWorkflows(
  sql: Sql,
  { search = "", after = "", limit }: { search?: string | undefined; after?: string | undefined; limit: number },
): Promise<WorkflowSummary[]> {
  const pattern = likePattern(search);
  const rows = await sql<RawSummary[]>`
    SELECT w.*, v.name, v.description, v.tags, r.instance_id AS run_instance_id, r.run_id AS run_run_id,
      r.status AS run_status, r.start_time AS run_start_time, r.end_time AS run_end_time
    FROM (
      SELECT w.* FROM workflow w
      WHERE w.workflow_id > ${after} AND (${search === ""} OR w.workflow_id ILIKE ${pattern}
        OR w.properties ->> 'owner' ILIKE ${pattern}
        OR EXISTS (SELECT 1 FROM workflow_version v WHERE v.internal_id = w.internal_id
          AND v.version_id = w.latest_version AND v.definition ->> 'name' ILIKE ${pattern}))
      ORDER BY w.workflow_id LIMIT ${limit}) w
    LEFT JOIN LATERAL (
      SELECT definition ->> 'name' AS name, definition ->> 'description' AS description, definition -> 'tags' AS tags
      FROM workflow_version WHERE internal_id = w.internal_id AND version_id = w.latest_version) v ON true
    LEFT JOIN LATERAL (
      SELECT instance_id, run_id, status, start_time, end_time FROM run
      WHERE workflow_id = w.workflow_id ORDER BY instance_id DESC, run_id DESC LIMIT 1) r ON true
    ORDER BY w.workflow_id`;
  return rows.map((row) => ({
    workflow: toWorkflowRow(row),
    name: row.name ?? undefined,
    description: row.description ?? undefined,
    tags: row.tags ?? undefined,
    latestRun:
      row.run_instance_id === null || row.run_run_id === null || row.run_status === null
        ? undefined
        : {
            instanceId: row.run_instance_id,
            runId: row.run_run_id,
            status: row.run_status,
            startTime: row.run_start_time ?? undefined,
            endTime: row.run_end_time ?? undefined,
          },
  }));
}

/** A text to be found anywhere, with LIKE's own characters taken literally. */
export const likePattern = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;
