/** The durable queue: rows inserted with the state they announce (D6), deleted by the processor that has acted on them. */
import { sql } from "drizzle-orm";
import { bigint, index, integer, json, pgTable, text, uniqueIndex } from "drizzle-orm/pg-core";

export const outbox = pgTable(
  "outbox",
  {
    id: bigint("id", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text("kind").notNull(),
    /** Two waiting rows of one kind and key are one. */
    key: text("key").notNull(),
    payload: json("payload"),
    createTime: bigint("create_time", { mode: "number" }).notNull(),
    /** Failed tries so far. */
    attempts: integer("attempts").notNull().default(0),
    /** Not before this instant, epoch ms; of a dead row, when it died. */
    nextTime: bigint("next_time", { mode: "number" }).notNull().default(0),
    /** Why the last try failed; a row with `dead` set waits for an operator. */
    error: text("error"),
    dead: integer("dead").notNull().default(0),
  },
  (table) => [
    uniqueIndex("outbox_key").on(table.kind, table.key),
    // However many rows are dead, those that are due are found at once; and the other way round.
    index("outbox_due").on(table.kind, table.nextTime).where(sql`dead = 0`),
    index("outbox_dead").on(table.id).where(sql`dead = 1`),
    index("outbox_dead_topic").on(table.kind, table.id).where(sql`dead = 1`),
  ],
);
