/**
 * Notices the end of scripts that another process started. The scripts' parent needs no watching: it is told.
 * One timer serves all, and rests when there is nothing to watch.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessId } from "./process.ts";

interface Watched {
  readonly exit: string;
  readonly process: ProcessId;
  onEnd(): void;
}

const INTERVAL = 50;
/** A process that died without an exit status is looked for more rarely. */
const ALIVE_EVERY = 10;

const watched = new Set<Watched>();
let timer: ReturnType<typeof setInterval> | undefined;
let round = 0;

/** Calls `onEnd` once when the script has ended, unless `signal` is aborted before. */
export function watchEnd(directory: string, process: ProcessId, signal: AbortSignal, onEnd: () => void): void {
  if (signal.aborted) return;
  const entry: Watched = { exit: join(directory, "exit"), process, onEnd };
  watched.add(entry);
  signal.addEventListener("abort", () => unwatch(entry), { once: true });
  timer ??= setInterval(look, INTERVAL);
}

function unwatch(entry: Watched): void {
  watched.delete(entry);
  if (watched.size > 0) return;
  clearInterval(timer);
  timer = undefined;
}

function look(): void {
  const lookAlive = ++round % ALIVE_EVERY === 0;
  for (const entry of [...watched]) {
    if (!existsSync(entry.exit) && !(lookAlive && !isAlive(entry.process))) continue;
    unwatch(entry);
    entry.onEnd();
  }
}
