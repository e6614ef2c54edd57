/** A Postgres that outlived the server that had started it (`kill -9`): stopped, so that a fresh one takes its place. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../../error.ts";
import { clusterDir } from "./initdb.ts";
import type { Layout } from "./layout.ts";
import { hasWorkers, isPostgresOf, isTaken, waitForExit } from "./process.ts";

/** How long open transactions and the last checkpoint may take before the child is told to drop everything. */
const FAST_MS = 10_000;
const IMMEDIATE_MS = 5_000;
const ORPHANS_MS = 10_000;

/**
 * Called while we hold the data directory's lock, so a Postgres that runs on the cluster has no server any more.
 *
 * @throws CONFLICT naming the process when it doesn't stop.
 */
export async function stopLeftover(layout: Layout, warn: (message: string) => void): Promise<void> {
  const pidFile = join(clusterDir(layout), "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
  if (!isPostgresOf(pid, clusterDir(layout))) {
    // A pid that is free is Postgres' own business: it looks for children of a killed predecessor, which may still
    // write. One that is taken (by another program, or by the predecessor while nobody has reaped it) would pass for
    // its predecessor, so the file goes when those children have.
    if (!isTaken(pid) || !(await waitForWorkers(clusterDir(layout)))) return;
    rmSync(pidFile, { force: true });
    removeSocketLocks(layout);
    return;
  }
  warn(`A Postgres (process ${pid}) is still running from a server that was killed: stopping it`);
  if (!(await stopPostmaster(pid))) {
    throw conflict(`The Postgres that an earlier server left behind, process ${pid}, doesn't stop. Stop it by hand.`);
  }
}

/** The children of a killed Postgres notice its end by themselves. @returns whether none is left */
async function waitForWorkers(cluster: string): Promise<boolean> {
  const deadline = performance.now() + ORPHANS_MS;
  while (hasWorkers(cluster)) {
    if (performance.now() > deadline) return false;
    await Bun.sleep(20);
  }
  return true;
}

function removeSocketLocks(layout: Layout): void {
  if (!layout.socketDir) return;
  for (const name of readdirSync(layout.socketDir)) {
    if (name.startsWith(".s.PGSQL.")) rmSync(join(layout.socketDir, name), { force: true });
  }
}

/** Fast first, which keeps the next start short, then immediate, which the log makes good. @returns whether it's gone */
export async function stopPostmaster(pid: number): Promise<boolean> {
  if (!signal(pid, "SIGINT") || (await waitForExit(pid, FAST_MS))) return true;
  return !signal(pid, "SIGQUIT") || (await waitForExit(pid, IMMEDIATE_MS));
}

function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}
