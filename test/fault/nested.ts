/**
 * `bun test/fault/nested.ts [--rounds 10] [--width 100] [--nodes 1|2] [--binary PATH] [--seed N]`: kills a server, or one
 * of two, with SIGKILL in the middle of a tree of runs: a foreach of `width` iterations, each of which has a foreach of as
 * many and a subworkflow, beside a while. Three kills a round, each when a random
 * share of the runs has ended.
 *
 * In the end every iteration is there once, and has run once; what was recorded as done before a kill is as it was; the
 * loops count what there is.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connect, type Sql } from "../../src/store/connection.ts";
import { startEmbedded } from "../../src/store/embedded/embedded.ts";
import { Client } from "../bench/client.ts";
import { type Program, ROOT, type Server, sourceProgram, startServer } from "../bench/server.ts";
import { step, workflow } from "../bench/workflow.ts";
import { allOver } from "./check.ts";
import { randomOf } from "./random.ts";

export interface NestedOptions {
  readonly program: Program;
  readonly rounds: number;
  /** Iterations of either foreach: the tree has width² of the inner one. */
  readonly width: number;
  readonly nodes: 1 | 2;
  readonly seed: number;
  readonly say: (line: string) => void;
}

export interface NestedReport {
  readonly problems: readonly string[];
  readonly kills: number;
  /** Runs and attempts that were recorded as done before some kill. */
  readonly recorded: number;
  readonly log: string;
}

const TREE = "fault-tree";
const LEAF = "fault-leaf";
const WHILE_ROUNDS = 20;
const KILLS = 3;
const PATIENCE = 300_000;

export async function nested({ program, rounds, width, nodes, seed, say }: NestedOptions): Promise<NestedReport> {
  const folder = mkdtempSync(join(tmpdir(), "maestro-nested-"));
  const log = { info: () => {}, warn: () => {} };
  const programDir = join(ROOT, ".cache/program");
  const database = await startEmbedded({ dataDir: join(folder, "database"), log, programDir });
  const sql = connect(database.url, { max: 2, name: "fault test" });
  const random = randomOf(seed);
  const servers: Server[] = [];
  const serve = (): Promise<Server> =>
    startServer({ program, dataDir: join(folder, "data"), args: ["--database-url", database.url] });
  const problems: string[] = [];
  let [kills, recorded] = [0, 0];
  try {
    while (servers.length < nodes) servers.push(await serve());
    await push(servers[0] as Server, width);
    for (let round = 1; round <= rounds; round++) {
      const begin = performance.now();
      const since = Date.now();
      await new Client((servers[0] as Server).url).start(TREE);
      let done: readonly Done[] = [];
      const moments = Array.from({ length: KILLS }, random).sort();
      for (const moment of moments) {
        done = [...done, ...(await doneOnce(sql, since, moment * width * width))];
        const [victim] = servers.splice(Math.floor(random() * servers.length), 1);
        await victim?.kill();
        kills++;
        servers.push(await serve());
      }
      const took = await allOver(sql, PATIENCE);
      const found =
        took === undefined ? ["some runs do not end"] : await judge(sql, servers, since, width, round, done);
      recorded += done.length;
      problems.push(...found.map((problem) => `round ${round}: ${problem}`));
      const seconds = ((performance.now() - begin) / 1_000).toFixed(1);
      say(`round ${round}: ${done.length} rows recorded before ${KILLS} kills, ${found.length} problems, ${seconds} s`);
    }
    return { problems, kills, recorded, log: servers.map((server) => server.log().slice(-4_000)).join("\n") };
  } finally {
    for (const server of servers) await server.kill();
    await sql.end();
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function push(server: Server, width: number): Promise<void> {
  const client = new Client(server.url);
  const range = (name: string) => ({
    type: "MAP",
    value: { [name]: { type: "LONG_ARRAY", expression: `Util.intsBetween(0, ${width}, 1)` } },
  });
  const named = {
    subworkflow_id: { type: "STRING", value: LEAF },
    subworkflow_version: { type: "STRING", value: "latest" },
  };
  const inner = { id: "inner", params: { loop_params: range("j") }, steps: [step("leaf", "NoOp")] };
  const sub = { id: "sub", params: named };
  const outer = { id: "outer", params: { loop_params: range("i") }, steps: [{ foreach: inner }, { subworkflow: sub }] };
  const count = {
    id: "count",
    condition: `k < ${WHILE_ROUNDS}`,
    params: { loop_params: { type: "MAP", value: { k: { type: "LONG", value: 0 } } } },
    steps: [step("next", "NoOp", { params: { k: { type: "LONG", expression: "k + 1" } } })],
  };
  await client.push(workflow(LEAF, [step("leaf", "NoOp")]));
  await client.push(workflow(TREE, [{ foreach: outer }, { while: count }]));
}

/** Something that the database has as ended, and how. */
interface Done {
  readonly name: string;
  readonly row: string;
}

/** What has ended of the runs that are made since an instant, once there are that many. */
async function doneOnce(sql: Sql, since: number, count: number): Promise<readonly Done[]> {
  for (const end = performance.now() + PATIENCE; performance.now() < end; await Bun.sleep(20)) {
    const [row] = await sql<{ count: number }[]>`
      SELECT count(*) AS count FROM run WHERE create_time >= ${since} AND end_time IS NOT NULL`;
    if ((row?.count ?? 0) >= count) return doneSince(sql, since);
  }
  throw new Error(`${count} runs do not end within ${PATIENCE / 1_000} s`);
}

async function doneSince(sql: Sql, since: number): Promise<readonly Done[]> {
  return sql<Done[]>`
    SELECT 'run ' || workflow_id || '/' || instance_id AS name, concat_ws(' ', run_id, uuid, status, start_time, end_time) AS row
    FROM run WHERE create_time >= ${since} AND end_time IS NOT NULL
    UNION ALL
    SELECT 'step ' || run_key || '/' || step_id, concat_ws(' ', attempt_id, a.uuid, a.status, times)
    FROM step_attempt a JOIN run ON run.key = run_key WHERE create_time >= ${since} AND a.status = 'SUCCEEDED'`;
}

interface Counts {
  readonly runs: number;
  readonly places: number;
  readonly attempts: number;
  readonly steps: number;
  readonly good: number;
}

async function judge(
  sql: Sql,
  servers: readonly Server[],
  since: number,
  width: number,
  instance: number,
  done: readonly Done[],
): Promise<string[]> {
  const problems: string[] = [];
  const equal = (what: string, found: unknown, right: unknown): void =>
    void (found === right || problems.push(`${what}: ${found}, and not ${right}`));
  const [runs] = await sql<Counts[]>`
    SELECT count(*) AS runs, count(DISTINCT (workflow_id, instance_id)) AS places,
      count(*) FILTER (WHERE status = 'SUCCEEDED') AS good
    FROM run WHERE create_time >= ${since}`;
  const [attempts] = await sql<Counts[]>`
    SELECT count(*) AS attempts, count(DISTINCT (run_key, step_id)) AS steps,
      count(*) FILTER (WHERE a.status = 'SUCCEEDED') AS good
    FROM step_attempt a JOIN run ON run.key = run_key WHERE create_time >= ${since}`;
  const iterations = width * width + width + WHILE_ROUNDS;
  const leaves = width * width + width + WHILE_ROUNDS;
  equal("iterations, children and their root", runs?.places, 1 + iterations + width);
  equal("runs of them", runs?.runs, 1 + iterations + width);
  equal("runs that succeeded", runs?.good, 1 + iterations + width);
  equal("steps", attempts?.steps, 2 + 2 * width + leaves);
  equal("attempts at them", attempts?.attempts, 2 + 2 * width + leaves);
  equal("attempts that succeeded", attempts?.good, 2 + 2 * width + leaves);

  const bad = await sql<{ what: string; timeline: string }[]>`
    SELECT workflow_id || ' ' || status AS what, timeline FROM run
    WHERE create_time >= ${since} AND status <> 'SUCCEEDED' ORDER BY key DESC LIMIT 3`;
  problems.push(...bad.map(({ what, timeline }) => `${what}: ${timeline}`));

  const gaps =
    await sql`SELECT workflow_id FROM run WHERE create_time >= ${since} AND parent_key IS NOT NULL AND workflow_id <> ${LEAF}
    GROUP BY workflow_id HAVING min(instance_id) <> 1 OR max(instance_id) <> count(*)`;
  equal("loops whose iterations have gaps", gaps.length, 0);

  const now = new Map((await doneSince(sql, since)).map(({ name, row }) => [name, row]));
  const changed = done.filter(({ name, row }) => now.get(name) !== row);
  equal(`what was recorded as done and is different, such as ${changed[0]?.name}`, changed.length, 0);

  const client = new Client((servers[0] as Server).url);
  const address = `/${TREE}/instances/${instance}/runs/1`;
  const run = await client.request<RunView>("GET", address);
  equal("status", run.status, "SUCCEEDED");
  equal("leaves of the run", run.runtime_overview?.rollup_overview?.overview.SUCCEEDED?.cnt, leaves);
  const outer = await client.request<StepView>("GET", `${address}/steps/outer/attempts/latest`);
  const overview = outer.artifacts.maestro_foreach?.foreach_overview;
  equal("iterations that the foreach counts", overview?.stats.SUCCEEDED, width);
  equal("leaves that the foreach counts", overview?.rollup.overview.SUCCEEDED?.cnt, width * width + width);
  return problems;
}

interface Rollup {
  readonly overview: { readonly SUCCEEDED?: { readonly cnt: number } };
}

interface RunView {
  readonly status: string;
  readonly runtime_overview?: { readonly rollup_overview?: Rollup };
}

interface StepView {
  readonly artifacts: {
    readonly maestro_foreach?: {
      readonly foreach_overview: { readonly stats: { readonly SUCCEEDED?: number }; readonly rollup: Rollup };
    };
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "10" },
      width: { type: "string", default: "100" },
      nodes: { type: "string", default: "1" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      binary: { type: "string" },
    },
  });
  console.log(`seed ${values.seed}`);
  const { problems, kills, recorded, log } = await nested({
    program: values.binary === undefined ? sourceProgram : [resolve(values.binary)],
    rounds: Number(values.rounds),
    width: Number(values.width),
    nodes: values.nodes === "2" ? 2 : 1,
    seed: Number(values.seed),
    say: console.log,
  });
  console.log(`${kills} kills, ${recorded} rows recorded before them, ${problems.length} problems`);
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  if (problems.length > 0) console.log(log);
  process.exit(problems.length > 0 ? 1 : 0);
}
