/** Runs of workflow instances, attempts at their steps, the attempts' logs, and what is said to a run. */
import { sql } from "drizzle-orm";
import { bigint, index, integer, json, pgSequence, pgTable, primaryKey, text, uniqueIndex } from "drizzle-orm/pg-core";

export const runKeySequence = pgSequence("run_key_seq");

/** One row per run. Short rows: what the definition's version says is not repeated. */
export const run = pgTable(
  "run",
  {
    workflowId: text("workflow_id").notNull(),
    instanceId: bigint("instance_id", { mode: "number" }).notNull(),
    runId: bigint("run_id", { mode: "number" }).notNull(),
    /** Step rows point at this. */
    key: bigint("key", { mode: "number" }).notNull(),
    uuid: text("uuid").notNull(),
    /** Random; of the request that made the row, which knows it again by this when the commit was not heard of. */
    startId: bigint("start_id", { mode: "number" }).notNull().default(0),
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    versionId: bigint("version_id", { mode: "number" }).notNull(),
    groupId: integer("group_id").notNull(),
    groupInfo: integer("group_info").notNull(),
    correlationId: text("correlation_id"),
    /** Of the run whose step has started this one; null: a root. */
    parentKey: bigint("parent_key", { mode: "number" }),
    initiator: json("initiator").notNull(),
    config: json("config").notNull(),
    runParams: json("run_params"),
    properties: json("properties").notNull(),
    params: json("params"),
    timeoutMs: bigint("timeout_ms", { mode: "number" }),
    status: text("status").notNull(),
    executionId: text("execution_id"),
    requestTime: bigint("request_time", { mode: "number" }).notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    startTime: bigint("start_time", { mode: "number" }),
    endTime: bigint("end_time", { mode: "number" }),
    modifyTime: bigint("modify_time", { mode: "number" }).notNull(),
    overview: json("overview"),
    artifacts: json("artifacts"),
    timeline: json("timeline"),
  },
  (table) => [
    primaryKey({ columns: [table.workflowId, table.instanceId, table.runId] }),
    // The uuid first: a plan that is made while the table is empty must not take this for the way to one run.
    uniqueIndex("run_uuid").on(table.uuid, table.workflowId),
    uniqueIndex("run_key").on(table.key),
    index("run_unfinished_group")
      .on(table.groupId, table.key)
      .where(sql`status in ('CREATED', 'IN_PROGRESS', 'PAUSED')`),
    // What the run strategies ask of a workflow, however many of its runs wait. A run is in one of the three at most.
    index("run_running")
      .on(table.workflowId)
      .where(sql`status in ('CREATED', 'IN_PROGRESS', 'PAUSED') and execution_id is not null`),
    index("run_waiting")
      .on(table.workflowId, table.instanceId, table.runId)
      .where(sql`status = 'CREATED' and execution_id is null`),
    index("run_failed").on(table.workflowId).where(sql`status = 'FAILED'`),
  ],
);

/** One row per attempt, written at most a few times; no index but the key, so that updates stay on the page. */
export const stepAttempt = pgTable(
  "step_attempt",
  {
    runKey: bigint("run_key", { mode: "number" }).notNull(),
    stepId: text("step_id").notNull(),
    attemptId: integer("attempt_id").notNull(),
    uuid: text("uuid").notNull(),
    stepInstanceId: integer("step_instance_id").notNull(),
    status: text("status").notNull(),
    /**
     * The instants of `STEP_TIMES` in that order: a JSON array of the first one and the distances of the others from it,
     * null where not reached, trailing nulls cut.
     */
    times: text("times").notNull(),
    params: json("params"),
    paramsTime: bigint("params_time", { mode: "number" }),
    conditions: json("conditions"),
    conditionsTime: bigint("conditions_time", { mode: "number" }),
    /** `RetryState`; null for "no retry made, default policy, retryable". */
    retry: json("retry"),
    timeoutMs: bigint("timeout_ms", { mode: "number" }),
    artifacts: json("artifacts"),
    timeline: json("timeline"),
    pollTime: bigint("poll_time", { mode: "number" }),
    /** `Place`; null until a plugin's `start` is about to be called. */
    place: json("place"),
    /** `RestartConfig` of an attempt that a user made in a live run. */
    restart: json("restart"),
    /** `StepTemplate`; null: it has found none. */
    template: json("template"),
    /** `Reported`; null: the job has reported no outputs, or the attempt has ended. */
    reported: json("reported"),
  },
  (table) => [primaryKey({ columns: [table.runKey, table.stepId, table.attemptId] })],
);

/** What an attempt printed, in chunks. `(uuid, stream, offset)` makes a chunk that is sent twice land once. */
export const stepLog = pgTable(
  "step_log",
  {
    uuid: text("uuid").notNull(),
    stream: text("stream").notNull(),
    /** Bytes before this chunk in its stream. */
    offset: bigint("offset", { mode: "number" }).notNull(),
    /** Orders the chunks of both streams: ascending in the order in which they were committed. */
    id: bigint("id", { mode: "number" }).generatedAlwaysAsIdentity().notNull(),
    /** Bytes that the text stood for in the stream. */
    length: integer("length").notNull().default(0),
    text: text("text").notNull(),
    time: bigint("time", { mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.uuid, table.stream, table.offset] }),
    index("step_log_order").on(table.uuid, table.id),
  ],
);

/** What somebody has said to a run that its owner has not carried out yet. To say it again says nothing new. */
export const runWord = pgTable(
  "run_word",
  {
    runKey: bigint("run_key", { mode: "number" }).notNull(),
    /** Empty: the run as a whole. */
    stepId: text("step_id").notNull().default(""),
    kind: text("kind").notNull(),
    groupId: integer("group_id").notNull(),
    user: json("user").notNull(),
    reason: text("reason"),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    /** What the word brings along: see `WordPayload`. */
    payload: json("payload"),
  },
  (table) => [primaryKey({ columns: [table.runKey, table.stepId, table.kind] })],
);
