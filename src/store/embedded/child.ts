/** How the Postgres programs are run: with whose rights, which environment, and where their messages go. */

import { closeSync, existsSync, lstatSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { openLog, readOwn } from "./file.ts";
import type { Ending, Guard } from "./guard.ts";
import type { Layout } from "./layout.ts";

const MAX_LOG_BYTES = 16 * 1024 * 1024;
/** As much of the log's end as an error message quotes. */
const QUOTED_LINES = 12;

export interface Run {
  readonly layout: Layout;
  /** The directory that holds `bin/`. */
  readonly program: string;
  /** Ends the program that runs when this process has ended. */
  readonly guard: Guard;
}

export function logPath(layout: Layout): string {
  return join(layout.home, "postgres.log");
}

/**
 * Starts a program of the installation. It is a session of its own, so that Ctrl-C in a terminal reaches the server
 * alone, which then stops Postgres in its turn.
 *
 * @param ending how the guard ends it
 */
export function runProgram(
  { layout, program, guard }: Run,
  name: string,
  args: readonly string[],
  ending: Ending,
  input?: string,
): Subprocess {
  const log = openLog(logPath(layout));
  try {
    const child = Bun.spawn([join(program, "bin", name), ...args], {
      stdio: [
        input === undefined ? "ignore" : Buffer.from(input),
        log,
        log,
        ...(layout.homeDescriptor === undefined ? [] : [layout.homeDescriptor]),
      ],
      cwd: process.platform === "win32" ? program : "/",
      env: childEnvironment(),
      detached: true,
      windowsHide: true,
      ...layout.account,
    });
    guard.watch(child, ending);
    return child;
  } finally {
    closeSync(log);
  }
}

/** Nothing of ours: secrets stay here, and `PG*` or `LD_LIBRARY_PATH` would change what the programs do. */
function childEnvironment(): Record<string, string> {
  const kept = ["PATH", "SystemRoot", "SystemDrive", "TEMP", "TMP", "COMSPEC"];
  const entries = kept.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(entries), LC_ALL: "C", TZ: "UTC" };
}

/** Keeps one old log. Called while no child writes. */
export function rotateLog(layout: Layout): void {
  const path = logPath(layout);
  if (existsSync(path) && lstatSync(path).size > MAX_LOG_BYTES) renameSync(path, `${path}.1`);
}

/** The end of what the programs wrote since `from` (a size of the log file), for an error message. */
export function logTail(layout: Layout, from: number): string {
  const lines = readOwn(logPath(layout)).subarray(from).toString("utf8").trimEnd().split("\n");
  return lines.slice(-QUOTED_LINES).join("\n");
}

export function logSize(layout: Layout): number {
  return existsSync(logPath(layout)) ? lstatSync(logPath(layout)).size : 0;
}
