/**
 * `bun test/fault/cluster.ts [--runs 200] [--binary PATH] [--separate]`: two servers on one database, under the same
 * load as `kill.ts`.
 *
 * 1. One is stopped (SIGSTOP) until it has lost its lease, and goes on (SIGCONT): the other takes its groups over; it
 *    finds out, commits nothing for them, says so in its log, and is a member again.
 * 2. The other is killed: the first takes its groups over within the lease and a second.
 *
 * Both keep the files of attempts in one folder; `--separate` gives each its own, and each finds those of the other.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { BEAT_INTERVAL, LEASE } from "../../src/flow/membership.ts";
import { connect, type Sql } from "../../src/store/connection.ts";
import { startEmbedded } from "../../src/store/embedded/embedded.ts";
import { Client } from "../bench/client.ts";
import { type Program, ROOT, type Server, sourceProgram, startServer } from "../bench/server.ts";
import { allOver, contradictions } from "./check.ts";
import { definitions, Observed, startAll } from "./load.ts";

export interface ClusterOptions {
  readonly program: Program;
  readonly runs: number;
  /** Each node has a folder of its own for the files of attempts. */
  readonly separate: boolean;
  readonly say: (line: string) => void;
}

export interface ClusterReport {
  readonly problems: readonly string[];
  /** Milliseconds from SIGKILL until all groups had another owner. */
  readonly takeover: number;
  readonly log: string;
}

const PATIENCE = 120_000;
/** What a node writes to its log when it finds that its groups are gone. */
const FENCED = /another node has taken over groups of this one|another node owns the group now/;

export async function cluster(options: ClusterOptions): Promise<ClusterReport> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-cluster-"));
  const log = { info: () => {}, warn: () => {} };
  const programDir = join(ROOT, ".cache/program");
  const database = await startEmbedded({ dataDir: join(folder, "database"), log, programDir });
  const sql = connect(database.url, { max: 2, name: "fault test" });
  const servers: Server[] = [];
  try {
    return await inFolder({ ...options, folder, url: database.url, sql, servers });
  } finally {
    for (const server of servers) {
      server.signal("SIGCONT");
      await server.kill();
    }
    await sql.end();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Inside extends ClusterOptions {
  readonly folder: string;
  readonly url: string;
  readonly sql: Sql;
  /** Whoever is started is put here, and ended with the test. */
  readonly servers: Server[];
}

async function inFolder({ program, runs, separate, say, folder, url, sql, servers }: Inside): Promise<ClusterReport> {
  const begin = async (name: string): Promise<Server> => {
    const args = ["--database-url", url];
    const dataDir = join(folder, separate ? name : "data");
    const server = await startServer({ program, dataDir, args, logName: `${name}.log` });
    servers.push(server);
    return server;
  };
  const first = await begin("first");
  const second = await begin("second");
  const problems: string[] = [];
  const demand = (right: boolean, what: string): void => {
    if (!right) problems.push(what);
  };
  const file = join(folder, "lines");
  for (const definition of definitions(file)) await new Client(first.url).push(definition);
  demand(
    await until(async () => (await owners(sql)).size === 2, BEAT_INTERVAL * 3),
    "two nodes do not share the groups",
  );
  const nodes = [...(await owners(sql)).keys()];

  const alive = new Set([first, second]);
  const turns = { count: 0 };
  const target = { url: () => [...alive][turns.count++ % alive.size]?.url };
  const observed = new Observed();
  const half = Math.ceil(runs / 2);
  // Half of them when the blow comes, the others while nobody is there for the groups.
  const starting = [startAll(target, half, 4_000 / half)];
  demand(await until(async () => (await runCount(sql)) >= half / 2, PATIENCE), "runs do not start");

  say("the first node is stopped");
  alive.delete(first);
  first.signal("SIGSTOP");
  const lost = await takenOver(sql);
  demand(lost !== undefined, "nobody takes over from a stopped node");
  say(`its groups have another owner after ${lost?.toFixed(0)} ms; it goes on`);
  first.signal("SIGCONT");
  demand(
    await until(async () => (await owners(sql)).size === 2, BEAT_INTERVAL * 5),
    "the stopped node is no member again",
  );
  demand(
    await until(async () => FENCED.test(first.log()), BEAT_INTERVAL),
    "the stopped node does not say what it has lost",
  );
  alive.add(first);
  say(`it is a member again; ${nodes.length} nodes before, ${(await owners(sql)).size} now`);
  starting.push(startAll(target, half, 4_000 / half));
  demand(await until(async () => (await runCount(sql)) >= half * 1.5, PATIENCE), "runs do not start any more");
  await observed.look(second.url);

  say("the second node is killed");
  alive.delete(second);
  await second.kill();
  const takeover = (await takenOver(sql)) ?? Number.POSITIVE_INFINITY;
  say(`its groups have another owner after ${takeover.toFixed(0)} ms`);
  demand(takeover <= LEASE + 1_000, `a killed node's groups have another owner after ${takeover} ms`);

  const accepted = (await Promise.all(starting)).flat();
  const took = await allOver(sql, PATIENCE);
  say(took === undefined ? "some runs do not end" : `all runs are over ${took.toFixed(0)} ms later`);
  await observed.look(first.url);
  problems.push(...(await contradictions({ sql, file, accepted, observed })));
  return { problems, takeover, log: first.log().slice(-4000) };
}

async function runCount(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*) AS count FROM run`;
  return row?.count ?? 0;
}

/** Groups by owner; groups without one are under "". */
async function owners(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ node: string | null; count: number }[]>`
    SELECT node, count(*) AS count FROM flow_group GROUP BY node`;
  return new Map(rows.map(({ node, count }) => [node ?? "", count]));
}

/** Milliseconds until one node has all groups. */
async function takenOver(sql: Sql): Promise<number | undefined> {
  const begin = performance.now();
  const all = await until(async () => {
    const found = await owners(sql);
    return found.size === 1 && !found.has("");
  }, LEASE * 2);
  return all ? performance.now() - begin : undefined;
}

async function until(condition: () => Promise<boolean>, patience: number): Promise<boolean> {
  for (const end = performance.now() + patience; performance.now() < end; await Bun.sleep(50)) {
    if (await condition()) return true;
  }
  return false;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "200" },
      binary: { type: "string" },
      separate: { type: "boolean", default: false },
    },
  });
  const program = values.binary === undefined ? sourceProgram : [resolve(values.binary)];
  const { problems, log } = await cluster({
    program,
    runs: Number(values.runs),
    separate: values.separate,
    say: console.log,
  });
  console.log(`${problems.length} problems`);
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  if (problems.length > 0) console.log(log);
  process.exit(problems.length > 0 ? 1 : 0);
}
