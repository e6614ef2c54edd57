/**
 * `bun run bench [--only NAME]… [--quick] [--json FILE] [--source]`: measures a real server over HTTP and prints each
 * figure beside its budget and what the bare database does. See README.md.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "../../src/store/connection.ts";
import { type Baseline, measureBaseline } from "./baseline.ts";
import type { Bench, Surroundings } from "./bench.ts";
import { chains } from "./chain.ts";
import { Client } from "./client.ts";
import { cold } from "./cold.ts";
import { delay } from "./delay.ts";
import { expression } from "./expression.ts";
import { foreachLoop, nested } from "./foreach.ts";
import { history } from "./history.ts";
import { idle } from "./idle.ts";
import { oneStep } from "./onestep.ts";
import { plugin } from "./plugin.ts";
import { type Figure, table, verdictOf } from "./report.ts";
import { restart } from "./restart.ts";
import { BINARY, databaseUrl, killPostgres, type Program, ROOT, sourceProgram, startServer } from "./server.ts";
import { starts } from "./starts.ts";
import { busySeconds } from "./stat.ts";
import { fan, throughput } from "./throughput.ts";

const BENCHES: readonly Bench[] = [
  ...[oneStep, chains, throughput, starts, fan, nested, delay],
  ...[foreachLoop, restart, history, plugin],
  ...[idle, cold, expression],
];

interface Failure {
  readonly bench: string;
  readonly message: string;
}

const { values } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    source: { type: "boolean", default: false },
  },
});

const chosen = BENCHES.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
if (chosen.length === 0) {
  console.error(`There are: ${BENCHES.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}

const folders: string[] = [];
const around: Surroundings = {
  program: await programOf(values.source),
  quick: values.quick,
  folder() {
    const path = mkdtempSync(join(tmpdir(), "maestro-bench-"));
    folders.push(path);
    return path;
  },
};

const figures: Figure[] = [];
const failures: Failure[] = [];
/** Cores that were busy before each benchmark, while the server had nothing to do: what others take from us. */
const disturbances: Record<string, number> = {};
let baseline: Baseline | undefined;
try {
  baseline = await onServers(chosen);
  for (const bench of chosen) if (bench.on === "nothing") await attempt(bench.name, () => bench.run(around));
} finally {
  for (const path of folders) {
    killPostgres(path);
    rmSync(path, { recursive: true, force: true });
  }
}

console.log(`\n${table(figures)}`);
if (baseline) {
  const { commitP50, commitP99, rows } = baseline;
  console.log(
    `\nbare database: commit ${commitP50.toFixed(2)} ms p50, ${commitP99.toFixed(2)} ms p99; ` +
      `group commit ${Math.round(rows)} rows/s`,
  );
}
const most = Math.max(...Object.values(disturbances));
if (most > 0.3) console.log(`others kept up to ${most.toFixed(2)} cores busy: the figures say little`);
for (const { bench, message } of failures) console.log(`${bench} failed: ${message}`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(document(), undefined, 2)}\n`);
process.exit(failures.length > 0 ? 1 : 0);

/** @returns what the bare database did, for those that compare themselves with it */
async function onServers(benches: readonly Bench[]): Promise<Baseline | undefined> {
  const shared = benches.filter((bench) => bench.on === "server");
  const fresh = benches.filter((bench) => bench.on === "fresh");
  let measured = shared.length === 0 ? undefined : await onServer(shared);
  for (const bench of fresh) measured = await onServer([bench], measured, bench.args);
  return measured;
}

/** @param known measured on another server of this run; when absent it is measured on this one */
async function onServer(
  benches: readonly Exclude<Bench, { on: "nothing" }>[],
  known?: Baseline,
  args: readonly string[] = [],
): Promise<Baseline> {
  const server = await startServer({ program: around.program, dataDir: around.folder(), args });
  const sql = connect(databaseUrl(server.dataDir), { max: 2, name: "bench" });
  try {
    const baseline = known ?? (await measureBaseline(databaseUrl(server.dataDir), values.quick));
    const subject = { ...around, server, client: new Client(server.url), sql, baseline };
    for (const bench of benches) await attempt(bench.name, () => bench.run(subject));
    return baseline;
  } finally {
    await sql.end();
    await server.stop();
  }
}

async function attempt(bench: string, run: () => Promise<readonly Figure[]>): Promise<void> {
  const others = await busyCores();
  console.log(`${bench} … (others keep ${others.toFixed(2)} cores busy)`);
  try {
    const found = await run();
    console.log(table(found));
    figures.push(...found);
    disturbances[bench] = others;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.log(`failed: ${message}`);
    failures.push({ bench, message });
  }
}

async function busyCores(): Promise<number> {
  const [begin, before] = [performance.now(), busySeconds() ?? Number.NaN];
  await Bun.sleep(1000);
  return ((busySeconds() ?? Number.NaN) - before) / ((performance.now() - begin) / 1000);
}

async function programOf(source: boolean): Promise<Program> {
  if (source) return sourceProgram;
  if (!existsSync(BINARY)) {
    const build = Bun.spawn([process.execPath, join(ROOT, "scripts/build.ts")], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    if ((await build.exited) !== 0) throw new Error("the build failed; --source measures the sources");
  }
  return [BINARY];
}

function document() {
  return {
    time: new Date().toISOString(),
    program: values.source ? "source" : "binary",
    quick: values.quick,
    machine: { platform: `${process.platform}-${process.arch}`, cores: cpus().length, model: cpus()[0]?.model },
    bun: Bun.version,
    baseline,
    disturbances,
    figures: figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) })),
    failures,
  };
}
