/**
 * The bare database: what any engine that commits its rows to this Postgres could do at best. One reserved connection of
 * postgres.js, a scratch database beside ours, rows of 850 bytes.
 *
 * - latency: one row, one commit, one after the other
 * - group commit: as many producers as runs are under way, each with one row waiting, all that wait in one transaction
 */
import { connect } from "../../src/store/connection.ts";
import { median, percentile } from "./stat.ts";

export interface Baseline {
  /** Milliseconds of one commit. */
  readonly commitP50: number;
  readonly commitP99: number;
  /** Rows a second by group commit. */
  readonly rows: number;
}

const DATABASE = "bench_raw";
const STATEMENT_ROWS = 500;
const PADDING = "x".repeat(800);

/** @param url of a database on the server to measure, with the right to create another */
export async function measureBaseline(url: string, quick: boolean): Promise<Baseline> {
  const admin = connect(url, { max: 1 });
  await admin.unsafe(`DROP DATABASE IF EXISTS ${DATABASE}`);
  await admin.unsafe(`CREATE DATABASE ${DATABASE}`);
  const target = new URL(url);
  target.pathname = `/${DATABASE}`;
  const sql = connect(target.href, { max: 1, name: "bench raw" });
  await sql`CREATE TABLE scratch (id bigint PRIMARY KEY, status text, body text) WITH (fillfactor = 70)`;
  const line = await sql.reserve();
  try {
    const latencies = await commitLatencies(line, quick ? 200 : 1000);
    const rows = await groupCommit(line, quick ? 1000 : 4000);
    return { commitP50: median(latencies), commitP99: percentile(latencies, 0.99), rows };
  } finally {
    line.release();
    await sql.end();
    await admin.unsafe(`DROP DATABASE IF EXISTS ${DATABASE} WITH (FORCE)`);
    await admin.end();
  }
}

type Line = Awaited<ReturnType<ReturnType<typeof connect>["reserve"]>>;

let lastId = 0;

async function commitLatencies(line: Line, count: number): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < count + 50; index++) {
    const begin = performance.now();
    await line`INSERT INTO scratch VALUES (${++lastId}, ${"SUCCEEDED"}, ${PADDING})`;
    if (index >= 50) samples.push(performance.now() - begin);
  }
  return samples;
}

/** @returns rows a second over `duration` milliseconds */
async function groupCommit(line: Line, duration: number): Promise<number> {
  const producers = 1000;
  const begin = performance.now();
  let rows = 0;
  while (performance.now() - begin < duration) {
    const statements: Promise<unknown>[] = [line`BEGIN`];
    for (let start = 0; start < producers; start += STATEMENT_ROWS) {
      const ids = Array.from({ length: STATEMENT_ROWS }, () => String(++lastId));
      const bodies = ids.map((id) => PADDING + id);
      statements.push(line`INSERT INTO scratch
        SELECT id::bigint, 'SUCCEEDED', body FROM unnest(${ids}::text[], ${bodies}::text[]) AS t (id, body)
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, body = excluded.body`);
    }
    statements.push(line`COMMIT`);
    await Promise.all(statements);
    rows += producers;
  }
  return (rows / (performance.now() - begin)) * 1000;
}
