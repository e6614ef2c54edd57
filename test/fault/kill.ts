/**
 * `bun test/fault/kill.ts [--rounds 20] [--runs 200] [--binary PATH] [--seed N]`: kills a server with SIGKILL at random
 * moments while runs are started and under way, in some rounds with its Postgres, in some while it is still starting,
 * and starts it again on the same data directory. In the end every run must have ended as it should, every script must
 * have run once, and no row may contradict another.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "../../src/store/connection.ts";
import { Client } from "../bench/client.ts";
import { databaseUrl, killPostgres, type Program, type Server, sourceProgram, startServer } from "../bench/server.ts";
import { allOver, contradictions } from "./check.ts";
import { definitions, Observed, startAll } from "./load.ts";
import { randomOf } from "./random.ts";

export interface KillOptions {
  readonly program: Program;
  readonly rounds: number;
  readonly runs: number;
  readonly seed: number;
  /** Longest life of a server between two kills, milliseconds. */
  readonly life: number;
  readonly say: (line: string) => void;
}

export interface KillReport {
  /** Nothing when all went right. */
  readonly problems: readonly string[];
  readonly kills: number;
  /** Starts that had to be asked for again and were told DUPLICATED. */
  readonly duplicates: number;
  /** The end of the server's log, for when something went wrong. */
  readonly log: string;
}

const PATIENCE = 120_000;
/** Starts asked for in the moment of each kill: some commit, and their answers are lost. */
const BURST = 5;

export async function killRounds(options: KillOptions): Promise<KillReport> {
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-kill-"));
  try {
    return await inFolder(options, dataDir);
  } finally {
    killPostgres(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function inFolder(options: KillOptions, dataDir: string): Promise<KillReport> {
  const { program, rounds, runs, say } = options;
  const random = randomOf(options.seed);
  const file = join(dataDir, "lines");
  const observed = new Observed();
  let server: Server | undefined = await startServer({ program, dataDir });
  using _ = { [Symbol.dispose]: () => server?.signal("SIGKILL") };
  for (const definition of definitions(file)) await new Client(server.url).push(definition);

  const target = { url: () => server?.url };
  const steady = Math.max(0, runs - rounds * BURST);
  const starting = [startAll(target, steady, (rounds * options.life * 0.6) / steady)];
  let kills = 0;
  for (let round = 1; round <= rounds; round++) {
    // Without its groups a server only takes starts; with them it has the runs of its predecessors to go on with.
    if (random() < 0.75) await ownsGroups(server);
    await Bun.sleep(100 + random() * options.life);
    await observed.look(server.url).catch(() => undefined);
    const withPostgres = random() < 0.25;
    starting.push(startAll(target, BURST, 0));
    await Bun.sleep(random() * 12);
    const { kill }: Server = server;
    server = undefined;
    if (withPostgres) killPostgres(dataDir);
    await kill();
    kills++;
    if (random() < 0.3) kills += await stillborn(program, dataDir, 50 + random() * 900);
    server = await startServer({ program, dataDir });
    say(`round ${round}${withPostgres ? ", with its Postgres" : ""}: ready after ${server.readyAfter.toFixed(0)} ms`);
  }
  const accepted = (await Promise.all(starting)).flat();
  const sql = connect(databaseUrl(dataDir), { max: 1 });
  try {
    const took = await allOver(sql, PATIENCE);
    say(took === undefined ? "some runs do not end" : `all runs are over ${took.toFixed(0)} ms after the last start`);
    await observed.look(server.url);
    const problems = await contradictions({ sql, file, accepted, observed });
    const answers = accepted.flatMap((start) => start.answers.slice(0, 1));
    const duplicates = answers.filter(({ status }) => status === "DUPLICATED").length;
    return { problems, kills, duplicates, log: server.log().slice(-4000) };
  } finally {
    await sql.end();
    await server.stop();
  }
}

async function ownsGroups(server: Server): Promise<void> {
  for (const end = performance.now() + PATIENCE; !/groups claimed/.test(server.log()); await Bun.sleep(20)) {
    if (performance.now() > end) throw new Error("the server never takes over the groups of its predecessor");
  }
}

/** A server that is killed while it starts, or just after. @returns how many that is: one */
async function stillborn(program: Program, dataDir: string, patience: number): Promise<number> {
  const server = await startServer({ program, dataDir, patience }).catch(() => undefined);
  await server?.kill();
  return 1;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "20" },
      runs: { type: "string", default: "200" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      binary: { type: "string" },
    },
  });
  const program = values.binary === undefined ? sourceProgram : [resolve(values.binary)];
  console.log(`seed ${values.seed}`);
  const report = await killRounds({
    program,
    rounds: Number(values.rounds),
    runs: Number(values.runs),
    seed: Number(values.seed),
    life: 2500,
    say: console.log,
  });
  const { problems, kills, duplicates, log } = report;
  console.log(`${kills} kills; ${duplicates} starts whose first answer was lost; ${problems.length} problems`);
  for (const problem of problems.slice(0, 50)) console.log(`  ${problem}`);
  if (problems.length > 0) console.log(log);
  process.exit(problems.length > 0 ? 1 : 0);
}
