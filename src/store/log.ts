/** What attempts printed. The writer appends the chunks. */
import type { LogChunk } from "../flow/port.ts";
import type { LogOffset, LogStream } from "../runtime/type.ts";
import { arrayLiteral } from "./column.ts";
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
  const rows = await sql<StoredLogChunk[]>`SELECT id, uuid, stream, "offset", length, text, time FROM step_log
    WHERE uuid = ${uuid} AND id > ${afterId} ORDER BY id LIMIT ${limit}`;
  return [...rows];
}

/** Where the stored logs of attempts end, in bytes of each stream; those without logs are left out. */
export async function logEnds(sql: Sql, uuids: readonly string[]): Promise<ReadonlyMap<string, LogOffset>> {
  const ends = new Map<string, LogOffset>();
  if (uuids.length === 0) return ends;
  const rows = await sql<{ uuid: string; stream: LogStream; end: number }[]>`
    SELECT uuid, stream, max("offset" + length) AS end FROM step_log WHERE uuid = ANY(${arrayLiteral(uuids)}::text[])
    GROUP BY uuid, stream`;
  for (const { uuid, stream, end } of rows) {
    ends.set(uuid, { stdout: 0, stderr: 0, ...ends.get(uuid), [stream]: end });
  }
  return ends;
}
