/**
 * `bun test/fault/soak.ts [--runs 1000000] [--binary PATH]`: that many runs of one step, one after the other on one
 * server. Nothing of a run that has ended may stay in memory: what the heaps of the engine threads hold after a
 * collection, with no run open, is at most 10 MB more at the end than after the first tenth of the runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connect, type Sql } from "../../src/store/connection.ts";
import { Client, concurrently } from "../bench/client.ts";
import { databaseUrl, killPostgres, type Program, type Server, sourceProgram, startServer } from "../bench/server.ts";
import { residentMb } from "../bench/stat.ts";
import { chain } from "../bench/workflow.ts";
import { allOver } from "./check.ts";
import { heapsOf, watchedHeap } from "./heap.ts";

interface SoakOptions {
  readonly program: Program;
  readonly runs: number;
  readonly say: (line: string) => void;
}

/** Megabytes. */
const MOST_GROWTH = 10;
/** How often the heaps are looked at. */
const LOOKS = 10;
const WORKFLOWS = 100;
const CONNECTIONS = 64;
/** Milliseconds that the last runs may take to end, and to be reported as ended. */
const PATIENCE = 60_000;

/** @returns nothing when all went right */
async function soak(options: SoakOptions): Promise<readonly string[]> {
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-soak-"));
  try {
    const server = await startServer({ program: options.program, dataDir, env: watchedHeap(dataDir) });
    const sql = connect(databaseUrl(dataDir), { max: 1 });
    try {
      return await onServer(options, server, sql);
    } finally {
      await sql.end();
      await server.stop();
    }
  } finally {
    killPostgres(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function onServer({ runs, say }: SoakOptions, server: Server, sql: Sql): Promise<readonly string[]> {
  const client = new Client(server.url);
  const ids = Array.from({ length: WORKFLOWS }, (_, index) => `soak-${index}`);
  for (const id of ids) await client.push(chain(id, 1));
  const heaps: number[] = [];
  const portion = Math.ceil(runs / LOOKS);
  for (let look = 1; look <= LOOKS; look++) {
    const begin = performance.now();
    await concurrently(portion, CONNECTIONS, (index) => client.start(ids[index % WORKFLOWS] ?? ""));
    if ((await allOver(sql, PATIENCE)) === undefined) return ["some runs do not end"];
    const rate = portion / ((performance.now() - begin) / 1000);
    const held = await runsHeld(server, look * portion);
    const { main, engines } = await heapsOf(server.dataDir);
    const engine = megabytes(engines.reduce((sum, size) => sum + size, 0));
    heaps.push(engine);
    say(
      `${look * portion} runs: engine threads ${engine.toFixed(1)} MB, main ${megabytes(main).toFixed(1)} MB, ` +
        `resident ${residentMb(server.pid)?.toFixed(0) ?? "?"} MB; ${rate.toFixed(0)} runs/s; ${held} active`,
    );
    if (held > 0) return [`the engine still holds ${held} runs that have ended`];
  }
  return [...growthOf(heaps), ...(await unsuccessful(sql, portion * LOOKS))];
}

const megabytes = (bytes: number): number => bytes / 2 ** 20;

/** Waits until the server has told of every end: it counts now and then. @returns the runs that it holds */
async function runsHeld(server: Server, ended: number): Promise<number> {
  for (const end = performance.now() + PATIENCE; ; await Bun.sleep(200)) {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    const figure = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    const held = figure("maestro_active_runs");
    if ((held === 0 && figure("maestro_ended_runs") === ended) || performance.now() > end) return held;
  }
}

function growthOf(heaps: readonly number[]): string[] {
  const growth = (heaps.at(-1) ?? Number.NaN) - (heaps[0] ?? Number.NaN);
  return growth <= MOST_GROWTH ? [] : [`the heaps of the engine threads have grown by ${growth.toFixed(1)} MB`];
}

async function unsuccessful(sql: Sql, expected: number): Promise<string[]> {
  const counts = await sql<{ status: string; count: number }[]>`
    SELECT status, count(*)::int AS count FROM run GROUP BY status`;
  if (counts.length === 1 && counts[0]?.status === "SUCCEEDED" && counts[0].count === expected) return [];
  return [`of ${expected} runs ${counts.map(({ status, count }) => `${count} are ${status}`).join(", ")}`];
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { runs: { type: "string", default: "1000000" }, binary: { type: "string" } },
  });
  const program = values.binary === undefined ? sourceProgram : [resolve(values.binary)];
  const begin = performance.now();
  const problems = await soak({ program, runs: Number(values.runs), say: console.log });
  console.log(`${((performance.now() - begin) / 60_000).toFixed(1)} minutes; ${problems.length} problems`);
  for (const problem of problems) console.log(`  ${problem}`);
  process.exit(problems.length > 0 ? 1 : 0);
}
