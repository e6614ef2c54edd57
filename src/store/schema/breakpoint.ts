/** Where steps are held for a user, and the attempts that are. */
import { bigint, index, integer, json, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

/** In the columns of the scope 0 stands for all. */
export const breakpoint = pgTable(
  "breakpoint",
  {
    /** Of the workflow whose definition has the step, in whichever loop. */
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    stepId: text("step_id").notNull(),
    versionId: bigint("version_id", { mode: "number" }).notNull().default(0),
    instanceId: bigint("instance_id", { mode: "number" }).notNull().default(0),
    runId: bigint("run_id", { mode: "number" }).notNull().default(0),
    attemptId: integer("attempt_id").notNull().default(0),
    /** As it is shown: for a step of a loop's body what the ids of its inline workflows begin with. */
    workflowId: text("workflow_id").notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    createdBy: json("created_by").notNull(),
  },
  (table) => [
    primaryKey({
      name: "breakpoint_scope",
      columns: [table.internalId, table.stepId, table.versionId, table.instanceId, table.runId, table.attemptId],
    }),
  ],
);

/** An attempt whose status is PAUSED goes on once its row here is resumed, or gone. The row goes with the attempt's end. */
export const pausedAttempt = pgTable(
  "paused_attempt",
  {
    runKey: bigint("run_key", { mode: "number" }).notNull(),
    stepId: text("step_id").notNull(),
    attemptId: integer("attempt_id").notNull(),
    /** Of the run. */
    internalId: bigint("internal_id", { mode: "number" }).notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    /** A user has let it go on: the event for the step's timeline. Null: it is paused. */
    resumed: json("resumed"),
  },
  (table) => [
    primaryKey({ columns: [table.runKey, table.stepId, table.attemptId] }),
    index("paused_attempt_step").on(table.internalId, table.stepId),
  ],
);
