/**
 * Databases for tests: one embedded Postgres for each process that runs tests, started by the first test that asks, a
 * migrated template in it, and a clone of that for every caller. It runs without fsync, which no test here can see.
 *
 * The server's directory is named after our pid; the next run sweeps what a killed one left behind.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Database, openDatabase, type Sql } from "../../src/store/connection.ts";
import { type Embedded, startEmbedded } from "../../src/store/embedded/embedded.ts";
import { isAlive } from "../../src/store/embedded/process.ts";
import { POSTGRES_VERSION } from "../../src/store/embedded/program.ts";
import { up } from "../../src/store/migrate.ts";
import { atEnd } from "./end.ts";

const PREFIX = "maestro-test-";
const TEMPLATE = "template_maestro";
const PROGRAM_DIR = join(import.meta.dir, "../../.cache/program");
const SETTINGS = { fsync: "off", full_page_writes: "off", synchronous_commit: "off", max_connections: "200" };

const silent = { info: () => {}, warn: () => {} };

interface TestServer {
  readonly url: string;
  readonly admin: Sql;
}

let server: Promise<TestServer> | undefined;
let count = 0;

export interface FreshDatabase extends Database {
  /** For more connections of one's own. */
  readonly url: string;
}

/**
 * A migrated, empty database of one's own. Call it in a test file's body, a `beforeAll` or a test; it's dropped when the
 * process ends, or sooner by `close`.
 */
export async function freshDatabase(options: { readonly max?: number } = {}): Promise<FreshDatabase> {
  const { admin } = await testServer();
  const name = `test_${++count}`;
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  return openNamed(name, options.max ?? 4);
}

/** A database without a schema. */
export async function emptyDatabase(): Promise<FreshDatabase> {
  const { admin } = await testServer();
  const name = `test_${++count}`;
  await admin.unsafe(`CREATE DATABASE ${name} STRATEGY file_copy`);
  return openNamed(name, 4);
}

async function openNamed(name: string, max: number): Promise<FreshDatabase> {
  const { url, admin } = await testServer();
  const target = databaseUrl(url, name);
  const database = openDatabase(target, { max, name });
  return {
    ...database,
    url: target,
    async close() {
      await database.close();
      await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}

function databaseUrl(url: string, name: string): string {
  const target = new URL(url);
  target.pathname = `/${name}`;
  return target.href;
}

function testServer(): Promise<TestServer> {
  server ??= startServer();
  return server;
}

async function startServer(): Promise<TestServer> {
  sweep();
  const dataDir = join(tmpdir(), `${PREFIX}${process.pid}`);
  await copyCluster(dataDir);
  const embedded = await start(dataDir);
  const { url } = embedded;
  const admin = connect(url, { max: 1, name: "test-admin" });
  atEnd.push(() => stopServer(embedded, admin, dataDir));
  await admin.unsafe(`CREATE DATABASE ${TEMPLATE}`);
  const template = connect(databaseUrl(url, TEMPLATE), { max: 1 });
  await up(template, { isAlone: true });
  await template.end();
  return { url, admin };
}

function start(dataDir: string): Promise<Embedded> {
  mkdirSync(PROGRAM_DIR, { recursive: true });
  return startEmbedded({ dataDir, log: silent, programDir: PROGRAM_DIR, settings: SETTINGS });
}

/** A cluster that was made once and is copied: a tenth of the time of making one. Not on Windows, which has no `cp`. */
async function copyCluster(dataDir: string): Promise<void> {
  if (process.platform === "win32") return;
  const cached = join(PROGRAM_DIR, `../cluster-${POSTGRES_VERSION}-${process.getuid?.()}`);
  if (!existsSync(cached)) {
    const draft = `${dataDir}-draft`;
    await (await start(draft)).stop();
    await copy(draft, `${cached}.${process.pid}`);
    rmSync(draft, { recursive: true });
    // Of several processes that make one, the first wins.
    if (!existsSync(cached)) renameSync(`${cached}.${process.pid}`, cached);
    else rmSync(`${cached}.${process.pid}`, { recursive: true });
  }
  await copy(cached, dataDir);
}

/** With owners and modes, which Postgres insists on. */
async function copy(from: string, to: string): Promise<void> {
  const code = await Bun.spawn(["cp", "-a", from, to]).exited;
  if (code !== 0) throw new Error(`cp -a ${from} ${to} failed (${code})`);
}

async function stopServer(embedded: Embedded, admin: Sql, dataDir: string): Promise<void> {
  await admin.end({ timeout: 1 });
  await embedded.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** What runs that were killed left behind: their Postgres too. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(PREFIX) ? Number(name.slice(PREFIX.length)) : Number.NaN;
    if (!(pid > 0) || isAlive(pid)) continue;
    const directory = join(tmpdir(), name);
    const pidFile = join(directory, "postgres/cluster/postmaster.pid");
    if (existsSync(pidFile)) killQuietly(Number.parseInt(readFileSync(pidFile, "utf8"), 10));
    rmSync(directory, { recursive: true, force: true });
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, "SIGQUIT");
  } catch {
    // Gone, or not ours.
  }
}
