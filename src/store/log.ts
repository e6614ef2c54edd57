/** What attempts printed. The writer appends the chunks. */
import type { LogChunk } from "../flow/port.ts";
import type { LogOffset, LogStream } from "../runtime/type.ts";
import { arrayLiteral } from "./column.ts";
import type { Sql } from "./connection.ts";

export interface StoredLogChunk extends LogChunk {
  /** Ascending in the order of the commits, over both streams of an attempt. */
  readonly id: number;
}

/** What is read of a log at once: at most so many chunks, and none after those that have so many bytes together. */
const PAGE = { chunks: 200, bytes: 512 * 1024 } as const;

/**
 * The next chunks of an attempt after one that was read before (0: from the start), in their order. There are some
 * whenever there is one.
 */
export async function readLog(
  sql: Sql,
  uuid: string,
  afterId: number,
  page: { readonly chunks: number; readonly bytes: number } = PAGE,
): Promise<readonly StoredLogChunk[]> {
  const rows = await sql<StoredLogChunk[]>`SELECT id, uuid, stream, "offset", length, text, time
    FROM (
      SELECT *, sum(length) OVER (ORDER BY id) - length AS before
      FROM (SELECT * FROM step_log WHERE uuid = ${uuid} AND id > ${afterId} ORDER BY id LIMIT ${page.chunks}) AS page
    ) AS next
    WHERE before < ${page.bytes} ORDER BY id`;
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
