/**
 * The engine's port on Postgres: one writer, and statements of one or two round trips. Holds nothing but
 * definitions, which never change.
 */
import { LRUCache } from "lru-cache";
import type { PropertiesSnapshot } from "../definition/properties.ts";
import type { Workflow } from "../definition/workflow.ts";
import { type FlowStore, RefusedWrite, type WorkflowHead, type Writer } from "../flow/port.ts";
import { parseJson } from "../json.ts";
import { arePaused, brokenSteps, haveBreakpoints } from "./breakpoint.ts";
import { attemptBefore, attemptsOf, endedOf, iterations, latestRuns, reserveKeys, runOfRequest } from "./child.ts";
import { arrayLiteral } from "./column.ts";
import type { Database, Sql } from "./connection.ts";
import { loadEarlier } from "./earlier.ts";
import { fetchParam } from "./fetch.ts";
import { loadRun as latestRun } from "./instance.ts";
import { Outage } from "./outage.ts";
import { assignPermits } from "./permit.ts";
import { isRefusal } from "./pipeline.ts";
import { preferIndexes } from "./planner.ts";
import { dequeue, dropWords, loadGroup, loadRun, unfinished, words } from "./run.ts";
import { type StartEffects, startRuns } from "./start.ts";
import { loadLineages } from "./template.ts";
import { commit } from "./writer/statement.ts";
import { GroupWriter, type WriterOptions } from "./writer/writer.ts";

export interface FlowStoreOptions extends WriterOptions {
  /** Told after a commit of starts that has stopped other runs, or asked them to stop. */
  readonly stopped?: (effects: StartEffects) => void;
  /** Where it is read what expressions ask: long statements, which would be in the way of commits. Default: the store's own. */
  readonly asking?: Sql;
  /** Instead of the group writer, for tests. */
  readonly writer?: Writer;
}

/** Definitions that are kept: the least recently used one goes first. */
const DEFINITIONS = 1000;

/**
 * @param database fresh and the store's alone, since it sets the planner up; not closed by the store. Two connections or
 *   more: the writer uses one most of the time.
 */
export function openFlowStore(database: Pick<Database, "sql">, options: FlowStoreOptions): FlowStore {
  const { sql } = database;
  preferIndexes(sql);
  const asking = options.asking ?? sql;
  if (asking !== sql) preferIndexes(asking);
  const writer = options.writer ?? new GroupWriter((batch) => commit(sql, batch), options);
  const definitions = new Definitions(sql);
  const outage = new Outage(options.log);
  /** What callers of the API wait for: they are told of a database that does not answer in the API's words. */
  const answered = async <T>(work: Promise<T>): Promise<T> => {
    try {
      const result = await work;
      outage.over();
      return result;
    } catch (error) {
      throw outage.seen(error);
    }
  };
  return {
    writer,
    heads: (workflowIds) => answered(heads(sql, workflowIds)),
    definition: (internalId, versionId) => answered(definitions.get(internalId, versionId)),
    async startRuns(runs) {
      const { outcomes, ...effects } = await answered(startRuns(sql, runs));
      if (effects.stopped.length + effects.stopping.length > 0) options.stopped?.(effects);
      return outcomes;
    },
    dequeue: (workflowIds) => refusing(dequeue(sql, workflowIds)),
    loadGroup: (groupId, afterKey) => loadGroup(sql, groupId, afterKey),
    loadRun: (key) => loadRun(sql, key),
    latestRun: (workflowId, instanceId) => answered(latestRun(sql, workflowId, instanceId, "latest")),
    earlier: (runs) => answered(loadEarlier(sql, runs)),
    dropWords: (groupIds) => dropWords(sql, groupIds),
    words: (runKeys) => words(sql, runKeys),
    brokenSteps: () => brokenSteps(sql),
    haveBreakpoints: (attempts) => haveBreakpoints(sql, attempts),
    arePaused: (attempts) => arePaused(sql, attempts),
    assignPermits: (look) => assignPermits(sql, look),
    unfinished: (groupIds) => unfinished(sql, groupIds),
    reserveKeys: (count) => answered(reserveKeys(sql, count)),
    iterations: (workflowId) => answered(iterations(sql, workflowId)),
    runOfRequest: (workflowId, uuid) => answered(runOfRequest(sql, workflowId, uuid)),
    latestRuns: (workflowId, instanceIds) => answered(latestRuns(sql, workflowId, instanceIds)),
    attemptBefore: (run, stepId, attemptId) => answered(attemptBefore(sql, run, stepId, attemptId)),
    endedOf: (runKeys) => endedOf(sql, runKeys),
    attemptsOf: (runKey) => answered(attemptsOf(sql, runKey)),
    templates: (refs) => answered(loadLineages(sql, refs)),
    fetch: (question) => answered(fetchParam(asking, question)),
    close: () => writer.stop(),
  };
}

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new RefusedWrite(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

interface HeadRow {
  readonly workflow_id: string;
  readonly internal_id: number;
  readonly revision: number;
  readonly active_version: number;
  readonly latest_version: number;
  readonly properties: string;
}

async function heads(sql: Sql, workflowIds: readonly string[]): Promise<readonly WorkflowHead[]> {
  const rows = await sql<
    HeadRow[]
  >`SELECT workflow_id, internal_id, revision, active_version, latest_version, properties
    FROM workflow WHERE workflow_id = ANY(${arrayLiteral(workflowIds)}::text[])`;
  return rows.map((row) => ({
    workflowId: row.workflow_id,
    internalId: row.internal_id,
    revision: row.revision,
    activeVersion: row.active_version,
    latestVersion: row.latest_version,
    properties: parseJson(row.properties) as unknown as PropertiesSnapshot,
  }));
}

/** A cache without invalidation: `(internal id, version)` names one definition for ever. */
class Definitions {
  readonly #sql: Sql;
  readonly #known = new LRUCache<string, Promise<Workflow | undefined>>({ max: DEFINITIONS });

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(internalId: number, versionId: number): Promise<Workflow | undefined> {
    const key = `${internalId}:${versionId}`;
    const known = this.#known.get(key);
    if (known) return known;
    const definition = this.#load(key, internalId, versionId);
    this.#known.set(key, definition);
    return definition;
  }

  async #load(key: string, internalId: number, versionId: number): Promise<Workflow | undefined> {
    try {
      const [row] = await this.#sql<{ definition: string }[]>`SELECT definition FROM workflow_version
        WHERE internal_id = ${internalId} AND version_id = ${versionId}`;
      if (row !== undefined) return parseJson(row.definition) as unknown as Workflow;
    } catch (error) {
      this.#known.delete(key);
      throw error;
    }
    this.#known.delete(key);
    return undefined;
  }
}
