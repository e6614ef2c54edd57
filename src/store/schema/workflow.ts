/** Workflows: what users wrote, its versions and properties, and what happened to them. */
import { sql } from "drizzle-orm";
import { bigint, boolean, index, integer, json, pgSequence, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

export const internalIdSequence = pgSequence("workflow_internal_id_seq", { startWith: 10000 });

/** One row per live workflow; the row lock under which instance ids and versions are handed out. */
export const workflow = pgTable("workflow", {
  workflowId: text("workflow_id").primaryKey(),
  /** Unique across deletions and re-creations of the same id. */
  internalId: bigint("internal_id", { mode: "number" }).notNull().default(sql`nextval('workflow_internal_id_seq')`),
  /** 0: no version is active. */
  activeVersion: bigint("active_version", { mode: "number" }).notNull().default(0),
  activateTime: bigint("activate_time", { mode: "number" }),
  activatedBy: json("activated_by"),
  /** The current properties snapshot, whole. */
  properties: json("properties").notNull(),
  /** Repeats the snapshot's run strategy for the queries that hand out slots. */
  runRule: text("run_rule").notNull().default("SEQUENTIAL"),
  runConcurrency: integer("run_concurrency").notNull().default(1),
  /** Runs that wait keep waiting. */
  paused: boolean("paused").notNull().default(false),
  /** Raised by every change but a start's: tells a cached copy from the row. */
  revision: bigint("revision", { mode: "number" }).notNull().default(0),
  latestVersion: bigint("latest_version", { mode: "number" }).notNull(),
  latestInstanceId: bigint("latest_instance_id", { mode: "number" }).notNull().default(0),
  createTime: bigint("create_time", { mode: "number" }).notNull(),
  modifyTime: bigint("modify_time", { mode: "number" }).notNull(),
});

/** Immutable: `(internal_id, version_id)` names one definition for ever, so it may be cached without invalidation. */
export const workflowVersion = pgTable(
  "workflow_version",
  {
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    versionId: bigint("version_id", { mode: "number" }).notNull(),
    workflowId: text("workflow_id").notNull(),
    definition: json("definition").notNull(),
    metadata: json("metadata").notNull(),
    triggerUuids: json("trigger_uuids"),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
  },
  (table) => [primaryKey({ columns: [table.internalId, table.versionId] })],
);

/** Immutable log of properties changes; the newest one equals `workflow.properties`. */
export const workflowProperties = pgTable(
  "workflow_properties",
  {
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    workflowId: text("workflow_id").notNull(),
    snapshot: json("snapshot").notNull(),
  },
  (table) => [primaryKey({ columns: [table.internalId, table.createTime] })],
);

/** What people did to the workflow: pushes, activations, properties. */
export const workflowTimeline = pgTable(
  "workflow_timeline",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    workflowId: text("workflow_id").notNull(),
    author: json("author").notNull(),
    log: text("log").notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
  },
  (table) => [index("workflow_timeline_workflow").on(table.workflowId, table.id)],
);

/** Tombstones: keep instance ids from being handed out twice, and the deletion's progress. */
export const workflowDeleted = pgTable(
  "workflow_deleted",
  {
    workflowId: text("workflow_id").notNull(),
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    latestInstanceId: bigint("latest_instance_id", { mode: "number" }).notNull(),
    author: json("author").notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    /** All rows of the workflow are gone. */
    done: boolean("done").notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.workflowId, table.internalId] })],
);
