/** Versions of workflows: pushed once, never changed. */
import { type Metadata, metadataOf, type WorkflowCreateRequest } from "../definition/metadata.ts";
import {
  effectiveRunStrategy,
  mergeForPush,
  type Properties,
  type PropertiesSnapshot,
} from "../definition/properties.ts";
import type { User } from "../definition/user.ts";
import type { Workflow } from "../definition/workflow.ts";
import { conflict, MaestroError } from "../error.ts";
import { parseJson, stringifyJson } from "../json.ts";
import type { Sql, Transaction } from "./connection.ts";
import { addHistory, askDequeue, lockWorkflow, type WorkflowRow } from "./workflow.ts";

export interface VersionRow {
  readonly internalId: number;
  readonly versionId: number;
  readonly workflow: Workflow;
  readonly metadata: Metadata;
}

interface RawVersion {
  readonly internal_id: number;
  readonly version_id: number;
  readonly definition: string;
  readonly metadata: string;
}

const toVersionRow = (row: RawVersion): VersionRow => ({
  internalId: row.internal_id,
  versionId: row.version_id,
  workflow: parseJson(row.definition) as unknown as Workflow,
  metadata: parseJson(row.metadata) as unknown as Metadata,
});

export async function loadVersion(sql: Sql, internalId: number, versionId: number): Promise<VersionRow | undefined> {
  const [row] = await sql<RawVersion[]>`
    SELECT internal_id, version_id, definition, metadata FROM workflow_version
    WHERE internal_id = ${internalId} AND version_id = ${versionId}`;
  return row && toVersionRow(row);
}

/** Those from `low` to `high`, both included, the newest first. */
export async function loadVersions(sql: Sql, internalId: number, low: number, high: number): Promise<VersionRow[]> {
  const rows = await sql<RawVersion[]>`
    SELECT internal_id, version_id, definition, metadata FROM workflow_version
    WHERE internal_id = ${internalId} AND version_id BETWEEN ${low} AND ${high} ORDER BY version_id DESC`;
  return rows.map(toVersionRow);
}

export interface Push {
  readonly request: WorkflowCreateRequest;
  readonly author: User;
  /** Epoch ms. */
  readonly now: number;
}

export interface Pushed {
  readonly workflow: WorkflowRow;
  readonly version: VersionRow;
}

/**
 * Makes the next version, and the workflow when it is the first.
 * @throws BAD_REQUEST (no owner), PRECONDITION_FAILED (run strategy), CONFLICT (the id's deletion is under way)
 */
export async function pushVersion(sql: Sql, push: Push): Promise<Pushed> {
  const { request, author, now } = push;
  return sql.begin(async (transaction) => {
    const before = await lockOrReserve(transaction, push);
    const merged = mergeForPush(before.properties, request.properties);
    const properties = merged === undefined ? before.properties : snapshotOf(merged, before, author, now);
    if (properties === undefined) throw new MaestroError("INTERNAL_ERROR", "a workflow without properties");
    await checkStrategyChange(transaction, before.workflowId, before.properties, properties);
    const versionId = before.latestVersion + 1;
    const version: VersionRow = {
      internalId: before.internalId,
      versionId,
      workflow: request.workflow,
      metadata: metadataOf(request, { id: versionId, createTime: now, author }),
    };
    const activation = request.is_active
      ? { activeVersion: versionId, activateTime: now, activatedBy: author }
      : { activeVersion: before.activeVersion, activateTime: before.activateTime, activatedBy: before.activatedBy };
    const workflow: WorkflowRow = { ...before, ...activation, properties, latestVersion: versionId, modifyTime: now };
    await insertVersion(transaction, version, now);
    await storePointers(transaction, workflow);
    if (merged !== undefined) await insertSnapshot(transaction, workflow.internalId, properties);
    await addHistory(transaction, {
      workflowId: workflow.workflowId,
      author,
      log: `Created a new version [${versionId}] for workflow [${workflow.workflowId}]`,
      time: now,
    });
    if (before.latestVersion > 0) await askDequeue(transaction, workflow.workflowId);
    return { workflow, version };
  });
}

type Before = Omit<WorkflowRow, "properties"> & { readonly properties: PropertiesSnapshot | undefined };

/** The locked row; for a new id a fresh one, locked too: a second push of the id waits and finds the first one's row. */
async function lockOrReserve(transaction: Transaction, { request, now }: Push): Promise<Before> {
  const workflowId = request.workflow.id;
  const known = await lockWorkflow(transaction, workflowId);
  if (known !== undefined) return known;
  const [tombstone] = await transaction<{ latest: number | null; pending: boolean | null }[]>`
    SELECT max(latest_instance_id) AS latest, bool_or(NOT done) AS pending FROM workflow_deleted
    WHERE workflow_id = ${workflowId}`;
  if (tombstone?.pending === true) {
    throw conflict(`The deletion of workflow [${workflowId}] is under way; push it again in a moment.`);
  }
  const [made] = await transaction<{ internal_id: number }[]>`
    INSERT INTO workflow (workflow_id, properties, latest_version, latest_instance_id, create_time, modify_time)
    VALUES (${workflowId}, '{}', 0, ${tombstone?.latest ?? 0}, ${now}, ${now})
    ON CONFLICT (workflow_id) DO NOTHING RETURNING internal_id`;
  if (made === undefined) {
    const other = await lockWorkflow(transaction, workflowId);
    if (other !== undefined) return other;
    throw conflict(`Workflow [${workflowId}] was changed at the same moment; push it again.`);
  }
  return {
    workflowId,
    internalId: made.internal_id,
    activeVersion: 0,
    activateTime: undefined,
    activatedBy: undefined,
    properties: undefined,
    latestVersion: 0,
    paused: false,
    latestInstanceId: tombstone?.latest ?? 0,
    createTime: now,
    modifyTime: now,
  };
}

/** A snapshot's create time identifies it: it never repeats within a workflow. */
export function snapshotOf(
  properties: Properties & { readonly owner: User },
  before: { readonly workflowId: string; readonly properties: PropertiesSnapshot | undefined },
  author: User,
  now: number,
): PropertiesSnapshot {
  return {
    ...properties,
    workflow_id: before.workflowId,
    create_time: Math.max(now, (before.properties?.create_time ?? 0) + 1),
    author,
  };
}

export async function insertSnapshot(
  transaction: Transaction,
  internalId: number,
  snapshot: PropertiesSnapshot,
): Promise<void> {
  await transaction`
    INSERT INTO workflow_properties (internal_id, create_time, workflow_id, snapshot)
    VALUES (${internalId}, ${snapshot.create_time}, ${snapshot.workflow_id}, ${stringifyJson(snapshot)})`;
}

async function insertVersion(transaction: Transaction, version: VersionRow, now: number): Promise<void> {
  await transaction`
    INSERT INTO workflow_version (internal_id, version_id, workflow_id, definition, metadata, create_time)
    VALUES (${version.internalId}, ${version.versionId}, ${version.workflow.id}, ${stringifyJson(version.workflow)},
      ${stringifyJson(version.metadata)}, ${now})`;
}

/** Everything of the row but its counters. */
export async function storePointers(transaction: Transaction, row: WorkflowRow): Promise<void> {
  const { rule, workflow_concurrency } = effectiveRunStrategy(row.properties);
  const activatedBy = row.activatedBy === undefined ? null : stringifyJson(row.activatedBy);
  await transaction`
    UPDATE workflow SET active_version = ${row.activeVersion}, activate_time = ${row.activateTime ?? null},
      activated_by = ${activatedBy}, properties = ${stringifyJson(row.properties)}, run_rule = ${rule},
      run_concurrency = ${workflow_concurrency}, latest_version = ${row.latestVersion}, modify_time = ${row.modifyTime},
      revision = revision + 1
    WHERE workflow_id = ${row.workflowId}`;
}

/** @throws PRECONDITION_FAILED when runs at hand would break the new rule */
export async function checkStrategyChange(
  transaction: Transaction,
  workflowId: string,
  before: Properties | undefined,
  after: Properties,
): Promise<void> {
  const { rule } = effectiveRunStrategy(after);
  if (before === undefined || effectiveRunStrategy(before).rule === rule) return;
  if (rule === "FIRST_ONLY" || rule === "LAST_ONLY") {
    const open = await transaction`
      SELECT 1 FROM run WHERE workflow_id = ${workflowId} AND status IN ('CREATED', 'IN_PROGRESS', 'PAUSED')
      LIMIT 2`;
    if (open.length >= 2)
      throw refused(workflowId, rule, "two or more of its instances are unfinished; end them first");
  }
  if (rule === "STRICT_SEQUENTIAL") {
    const failed = await transaction`
      SELECT 1 FROM run WHERE workflow_id = ${workflowId} AND status = 'FAILED' LIMIT 1`;
    if (failed.length > 0) throw refused(workflowId, rule, "it has failed instances; restart or unblock them first");
  }
}

const refused = (workflowId: string, rule: string, why: string): MaestroError =>
  new MaestroError("PRECONDITION_FAILED", `Cannot change the run strategy of [${workflowId}] to ${rule}: ${why}.`);
