/** What attempts printed. The writer appends the chunks. */
import type { LogChunk } from "../flow/port.ts";
import type { Sql } from "./connection.ts";

export interface StoredLogChunk extends LogChunk {
  /** Ascending in the order of the commits, over both streams of an attempt. */
  readonly id: number;
}

/** Chunks of an attempt after one that was read before (0: from the start), in their order. */
export async function readLog(
  sql: Sql,
  uuid: string,
  afterId: number,
  limit: number,
): Promise<readonly StoredLogChunk[]> {
  const rows = await sql<StoredLogChunk[]>`SELECT id, uuid, stream, "offset", text, time FROM step_log
    WHERE uuid = ${uuid} AND id > ${afterId} ORDER BY id LIMIT ${limit}`;
  return [...rows];
}
