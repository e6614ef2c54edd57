/** Other processes of this machine: is one alive, which program is it, since when. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/**
 * A process that belongs to someone else counts as alive; one that has ended and waits for its parent to notice doesn't.
 */
export function isAlive(pid: number): boolean {
  return isTaken(pid) && statusFields(pid)?.[0] !== "Z";
}

/** Whether the system has a process of this number, be it one that has ended and waits for its parent to notice. */
export function isTaken(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * A text that differs between two processes that were given the same pid, one after the other; undefined when there is
 * no such process or the system doesn't tell.
 */
export function startTime(pid: number): string | undefined {
  if (process.platform === "win32") return undefined;
  if (process.platform !== "linux") return processStatus(pid, "lstart=");
  return statusFields(pid)?.[19];
}

/** Linux: the fields of the process's status from the third, its state, on. The twentieth of these is the start time. */
function statusFields(pid: number): readonly string[] | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The field before is the command's name, which may hold blanks and parentheses.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** Whether the process is a Postgres server that works in this directory. */
export function isPostgresOf(pid: number, clusterDir: string): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform === "win32") return true;
  if (process.platform !== "linux") {
    const command = processStatus(pid, "command=") ?? "";
    return command.includes("postgres") && command.includes(clusterDir);
  }
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === clusterDir;
  } catch {
    // Not ours to look at, so not started by our user.
    return false;
  }
}

/** Whether any process works in this directory, as each process of a Postgres server does. Linux only: elsewhere false. */
export function hasWorkers(clusterDir: string): boolean {
  if (process.platform !== "linux") return false;
  return readdirSync("/proc").some((name) => /^\d+$/.test(name) && isPostgresOf(Number(name), clusterDir));
}

/** @returns whether the process was gone before the time was up. */
export async function waitForExit(pid: number, timeoutMs: number): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  while (isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await Bun.sleep(5);
  }
  return true;
}

function processStatus(pid: number, column: string): string | undefined {
  const text = Bun.spawnSync(["ps", "-o", column, "-p", String(pid)])
    .stdout.toString()
    .trim();
  return text === "" ? undefined : text;
}
