/** Whether the database takes writes, tried on a row that means nothing. */
import type { Sql } from "./connection.ts";

const KEY = "probe";

/** @throws what Postgres says */
export async function probe(sql: Sql): Promise<void> {
  await sql`INSERT INTO setting (key, value) VALUES (${KEY}, now()::text)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
}
