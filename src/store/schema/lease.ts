/** Which node runs which flows: nodes, the groups of flows that they own, and settings that the nodes of one database share. */
import { bigint, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

export const node = pgTable("node", {
  id: text("id").primaryKey(),
  /** Where other nodes reach it. */
  url: text("url").notNull(),
  version: text("version").notNull(),
  startedAt: timestamp("started_at", { withTimezone: true }).notNull().defaultNow(),
  heartbeat: timestamp("heartbeat", { withTimezone: true }).notNull().defaultNow(),
});

/** Ownership of a group of flows. Claiming raises the generation; a write with an old one is refused (D4). */
export const flowGroup = pgTable("flow_group", {
  id: integer("id").primaryKey(),
  /** Null: free. */
  node: text("node"),
  generation: bigint("generation", { mode: "number" }).notNull().default(0),
  heartbeat: timestamp("heartbeat", { withTimezone: true }).notNull().defaultNow(),
});

export const setting = pgTable("setting", {
  key: text("key").primaryKey(),
  value: text("value").notNull(),
});
