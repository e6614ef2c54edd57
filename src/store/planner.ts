/** What the engine's connections tell Postgres' planner. */
import type { Sql } from "./connection.ts";

/**
 * Keeps statements on their indexes. A prepared statement keeps the plan that it got first; on a new database that is
 * the reading of a tiny table from end to end, which a burst of runs makes slow long before Postgres looks at its
 * statistics again. Every statement of the engine has its index, so nothing is lost. Without just-in-time compilation,
 * which the high cost of what has none would set off.
 *
 * Holds for connections that are opened from now on; not behind a pooler, which refuses parameters that it doesn't know.
 */
export function preferIndexes(sql: Sql): void {
  if (sql.options.prepare === false) return;
  Object.assign(sql.options.connection, { enable_seqscan: "off", jit: "off" });
}
