/**
 * `maestro.lock`: one server per data directory.
 *
 * The file names its holder by pid and start time, so that a pid that the system has given to someone else since doesn't
 * count. It appears whole (written beside, then linked into place) and is only taken over by renaming it away, which one
 * of several contenders wins.
 *
 * It can't see into another machine or another container's pid namespace: two of those on one volume are not stopped.
 */
import { linkSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { conflict } from "../../error.ts";
import { writeOwn } from "./file.ts";
import { isAlive, startTime } from "./process.ts";

interface Holder {
  readonly pid: number;
  readonly startTime: string | undefined;
}

export interface Lock {
  release(): void;
}

/** @throws CONFLICT naming the pid of the server that holds the directory. */
export function acquireLock(dataDir: string): Lock {
  const path = join(dataDir, "maestro.lock");
  const mine = JSON.stringify({ pid: process.pid, startTime: startTime(process.pid) } satisfies Holder);
  const draft = `${path}.${process.pid}`;
  writeOwn(draft, mine, undefined);
  try {
    while (!tryLink(draft, path)) {
      const text = readText(path);
      if (text === undefined) continue;
      const holder = parseHolder(text);
      if (holder && isHeld(holder)) {
        throw conflict(
          `The data directory ${dataDir} is in use by another maestro server, process ${holder.pid}. ` +
            "Stop that server, or choose another directory with --data-dir.",
        );
      }
      takeAway(path, text);
    }
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    release() {
      if (readText(path) === mine) rmSync(path, { force: true });
    },
  };
}

function isHeld(holder: Holder): boolean {
  return isAlive(holder.pid) && startTime(holder.pid) === holder.startTime;
}

/** Removes a stale lock, and puts it back when it turns out to be a newer one than was read. */
function takeAway(path: string, expected: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (readText(aside) !== expected) tryLink(aside, path);
  rmSync(aside, { force: true });
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value = JSON.parse(text) as Partial<Holder>;
    return typeof value.pid === "number" ? { pid: value.pid, startTime: value.startTime } : undefined;
  } catch {
    return undefined;
  }
}
