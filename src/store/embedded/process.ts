/** Other processes of this machine: is one alive, which program is it, since when. */
import { readFileSync, readlinkSync } from "node:fs";

/** A process that belongs to someone else counts as alive. */
export function isAlive(pid: number): boolean {
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
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // Fields are counted after the command's name, which may hold blanks and parentheses. Field 22 is the start time.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
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
