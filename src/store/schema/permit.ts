/** How many steps may run at a time by tag, and which attempts hold a permit or wait for one. */
import { sql } from "drizzle-orm";
import { bigint, index, integer, json, pgSequence, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

/** A limit that somebody has set for a tag. */
export const tagPermit = pgTable("tag_permit", {
  tag: text("tag").primaryKey(),
  maxAllowed: integer("max_allowed").notNull(),
  /** What else the request said, as it said it. */
  extra: json("extra"),
  timeline: json("timeline"),
  createTime: bigint("create_time", { mode: "number" }).notNull(),
  modifyTime: bigint("modify_time", { mode: "number" }).notNull(),
});

export const permitSequence = pgSequence("permit_seq");

/**
 * An attempt's need of one tag's permit, from its arrival at the gate to its end. All rows of an attempt are HELD, or none.
 * Of one that waits, a single row says why: NEW has not been looked at yet, BLOCKED found its tag's permits taken.
 */
export const stepPermit = pgTable(
  "step_permit",
  {
    /** The attempt's; of a run that waits to be started, the run's. */
    uuid: text("uuid").notNull(),
    tag: text("tag").notNull(),
    /** How many may hold one, if the tag has no limit of its own; 2147483647: any number. */
    most: integer("most").notNull(),
    /** Rows of the attempt. */
    width: integer("width").notNull(),
    state: text("state").notNull(),
    /** Ascending in the order of arrival; the same in all rows of an attempt. */
    seq: bigint("seq", { mode: "number" }).notNull(),
    /** Whom to tell. */
    runKey: bigint("run_key", { mode: "number" }).notNull(),
    groupId: integer("group_id").notNull(),
    stepId: text("step_id").notNull(),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    grantTime: bigint("grant_time", { mode: "number" }),
    /** Of a run that a step waits for: the uuid of the step's attempt, with which the row goes at last. */
    starter: text("starter"),
  },
  (table) => [
    primaryKey({ columns: [table.uuid, table.tag] }),
    index("step_permit_held").on(table.tag, table.seq).where(sql`state = 'HELD'`),
    index("step_permit_blocked").on(table.tag, table.most, table.seq).where(sql`state = 'BLOCKED'`),
    index("step_permit_starter").on(table.starter).where(sql`starter IS NOT NULL`),
    index("step_permit_new").on(table.seq).where(sql`state = 'NEW'`),
  ],
);
