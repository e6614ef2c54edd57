/** Job templates, by name and version. */
import { bigint, index, json, pgTable, primaryKey, text } from "drizzle-orm/pg-core";

export const jobTemplate = pgTable(
  "job_template",
  {
    jobType: text("job_type").notNull(),
    version: text("version").notNull(),
    metadata: json("metadata").notNull(),
    definition: json("definition").notNull(),
    modifyTime: bigint("modify_time", { mode: "number" }).notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.jobType, table.version] }),
    // Lists are of one version.
    index("job_template_version").on(table.version, table.jobType),
  ],
);
