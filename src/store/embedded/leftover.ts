/** A Postgres that outlived the server that had started it (`kill -9`): stopped, so that a fresh one takes its place. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../../error.ts";
import { clusterDir } from "./cluster.ts";
import type { Place } from "./place.ts";
import { hasWorkers, isAlive, isPostgresOf, waitForExit } from "./process.ts";

/** How long open transactions and the last checkpoint may take before the child is told to drop everything. */
const FAST_MS = 10_000;
const IMMEDIATE_MS = 5_000;

/**
 * Called while we hold the data directory's lock, so whoever runs on the cluster has no server any more.
 *
 * @throws CONFLICT naming the process when it doesn't stop.
 */
export async function stopLeftover(place: Place, warn: (message: string) => void): Promise<void> {
  const pidFile = join(clusterDir(place), "postmaster.pid");
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, "utf8"), 10);
  if (!isPostgresOf(pid, clusterDir(place))) {
    // Postgres would take a process that was given the old pid for its predecessor, and refuse to start. A pid that is
    // free is its own business: it looks for children of a killed predecessor, which may still write.
    if (!isAlive(pid) || hasWorkers(clusterDir(place))) return;
    rmSync(pidFile, { force: true });
    removeSocketLocks(place);
    return;
  }
  warn(`A Postgres (process ${pid}) is still running from a server that was killed: stopping it`);
  if (!(await stopPostmaster(pid))) {
    throw conflict(`The Postgres that an earlier server left behind, process ${pid}, doesn't stop. Stop it by hand.`);
  }
}

function removeSocketLocks(place: Place): void {
  if (!place.socketDir) return;
  for (const name of readdirSync(place.socketDir)) {
    if (name.startsWith(".s.PGSQL.")) rmSync(join(place.socketDir, name), { force: true });
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
