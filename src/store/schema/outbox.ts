/** The durable queue: rows inserted with the state they announce (D6), deleted by the processor that has acted on them. */
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
    /** Not before this instant, epoch ms. */
    nextTime: bigint("next_time", { mode: "number" }).notNull().default(0),
    /** Why the last try failed; a row with `dead` set waits for an operator. */
    error: text("error"),
    dead: integer("dead").notNull().default(0),
  },
  (table) => [uniqueIndex("outbox_key").on(table.kind, table.key), index("outbox_due").on(table.kind, table.nextTime)],
);
