/** Versions of a workflow as paths name them, and definitions as answered. */
import type { DefinitionExtras, WorkflowDefinition } from "../definition/metadata.ts";
import { VERSION_RULE, type VersionName, versionOf } from "../definition/version.ts";
import { badRequest, notFound } from "../error.ts";
import { closestWhole } from "../run/inline.ts";
import { loadRun } from "../store/instance.ts";
import { loadVersion, type VersionRow } from "../store/version.ts";
import { loadWorkflow, noWorkflow, type WorkflowRow } from "../store/workflow.ts";
import type { Services } from "./service.ts";

/** The active version, or the latest when none is active. */
export const defaultVersion = (row: WorkflowRow): number =>
  row.activeVersion > 0 ? row.activeVersion : row.latestVersion;

/** @throws BAD_REQUEST for a text that names no version, NOT_FOUND when none is active */
export function chooseVersion(text: string, row: WorkflowRow): number {
  const name = readVersion(text);
  if (name === "latest") return row.latestVersion;
  if (name === "default") return defaultVersion(row);
  if (name !== "active") return name;
  if (row.activeVersion > 0) return row.activeVersion;
  throw notFound(`Cannot find an active version for workflow [${row.workflowId}]`);
}

/** @throws BAD_REQUEST */
export function readVersion(text: string): VersionName {
  const name = versionOf(text);
  if (name !== undefined) return name;
  throw badRequest(`Invalid workflow version [${text}]`, [`version: ${VERSION_RULE}`]);
}

export function definitionView(row: WorkflowRow, version: VersionRow, extras?: DefinitionExtras): WorkflowDefinition {
  const isActive = row.activeVersion === version.versionId;
  return {
    properties_snapshot: row.properties,
    metadata: version.metadata,
    workflow: version.workflow,
    is_active: isActive,
    ...(isActive && row.activateTime !== undefined && { activate_time: row.activateTime }),
    ...(isActive && row.activatedBy !== undefined && { activated_by: row.activatedBy }),
    is_latest: row.latestVersion === version.versionId,
    is_default: defaultVersion(row) === version.versionId,
    ...(row.paused && { paused: true }),
    internal_id: row.internalId,
    ...(extras !== undefined && { enriched_extras: extras }),
    modify_time: row.modifyTime,
  };
}

export interface FoundVersion {
  readonly row: WorkflowRow;
  readonly version: VersionRow;
}

/** @throws NOT_FOUND, BAD_REQUEST */
export async function findVersion({ sql }: Services, workflowId: string, text: string): Promise<FoundVersion> {
  const row = await loadWorkflow(sql, workflowId);
  if (row === undefined) throw noWorkflow(workflowId);
  const versionId = chooseVersion(text, row);
  const version = await loadVersion(sql, row.internalId, versionId);
  if (version === undefined) throw notFound(`Cannot find version [${versionId}] of workflow [${workflowId}].`);
  return { row, version };
}

/** The body of a loop, as the definition of its iterations. Its version is that of the workflow around it. */
export async function findInline({ sql, reader }: Services, workflowId: string): Promise<FoundVersion> {
  const run = await loadRun(sql, workflowId, 1, 1);
  const around = run === undefined ? undefined : closestWhole(run.initiator)?.workflow_id;
  const row = around === undefined ? undefined : await loadWorkflow(sql, around);
  if (run === undefined || row === undefined) throw noWorkflow(workflowId);
  const version = await loadVersion(sql, run.internalId, run.versionId);
  if (version === undefined) throw noWorkflow(workflowId);
  return { row, version: { ...version, workflow: await reader.workflow(run) } };
}
