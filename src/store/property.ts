/** Changes of a workflow's properties: each one is a new snapshot. */
import { applyUpdate, type PropertiesSnapshot, type PropertiesUpdateRequest } from "../definition/properties.ts";
import type { Tag } from "../definition/tag.ts";
import { nameOf, type User } from "../definition/user.ts";
import { badRequest, notFound } from "../error.ts";
import type { Sql } from "./connection.ts";
import { checkStrategyChange, insertSnapshot, snapshotOf, storePointers } from "./version.ts";
import { addHistory, askDequeue, lockWorkflow } from "./workflow.ts";

export interface PropertyChange {
  readonly workflowId: string;
  readonly author: User;
  /** Epoch ms. */
  readonly now: number;
}

/** @throws BAD_REQUEST (unknown workflow, contradictory update), PRECONDITION_FAILED (run strategy) */
export const updateProperties = (
  sql: Sql,
  change: PropertyChange,
  update: PropertiesUpdateRequest,
): Promise<PropertiesSnapshot> =>
  changeProperties(sql, change, (before) => applyUpdate(before, update), "updated the workflow properties");

/** Adds the tag, or replaces the one of that name. */
export function putTag(sql: Sql, change: PropertyChange, tag: Tag): Promise<PropertiesSnapshot> {
  const made: Tag = { ...tag, namespace: "PLATFORM", creator: change.author, created_at_milli: change.now };
  const put = (before: PropertiesSnapshot): PropertiesSnapshot => {
    const tags = before.tags ?? [];
    const at = tags.findIndex((known) => known.name === tag.name);
    return { ...before, tags: at < 0 ? [...tags, made] : tags.with(at, made) };
  };
  return changeProperties(sql, change, put, `set the workflow tag [${tag.name}]`);
}

/** @throws NOT_FOUND when there is no such tag */
export function removeTag(sql: Sql, change: PropertyChange, name: string): Promise<PropertiesSnapshot> {
  const remove = (before: PropertiesSnapshot): PropertiesSnapshot => {
    const { tags = [], ...rest } = before;
    const kept = tags.filter((tag) => tag.name !== name);
    if (kept.length === tags.length) {
      throw notFound(`Cannot find the tag [${name}] in the properties of workflow [${change.workflowId}].`);
    }
    return kept.length === 0 ? rest : { ...rest, tags: kept };
  };
  return changeProperties(sql, change, remove, `removed the workflow tag [${name}]`);
}

async function changeProperties(
  sql: Sql,
  { workflowId, author, now }: PropertyChange,
  apply: (before: PropertiesSnapshot) => PropertiesSnapshot,
  what: string,
): Promise<PropertiesSnapshot> {
  return sql.begin(async (transaction) => {
    const row = await lockWorkflow(transaction, workflowId);
    if (row === undefined) {
      throw badRequest(`Cannot update workflow properties while the workflow [${workflowId}] does not exist`);
    }
    const snapshot = snapshotOf(apply(row.properties), row, author, now);
    await checkStrategyChange(transaction, workflowId, row.properties, snapshot);
    await insertSnapshot(transaction, row.internalId, snapshot);
    await storePointers(transaction, { ...row, properties: snapshot, modifyTime: now });
    await addHistory(transaction, { workflowId, author, log: `[${nameOf(author)}] ${what}`, time: now });
    await askDequeue(transaction, workflowId);
    return snapshot;
  });
}
