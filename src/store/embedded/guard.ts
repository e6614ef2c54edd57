/**
 * The guard: a few lines of POSIX sh that end the Postgres programs when this process ends in whatever way, its own
 * SIGKILL and a crash included. It reads a pipe that only this process writes to, so the end of the pipe is the end of
 * this process; no signal to our process group reaches it, since it is a session of its own.
 *
 * A line names the process to end, and how: `fast PID` for the server, `kill PID` for a program that makes a database
 * and its process group, `none 0` when nothing runs. The last line counts.
 *
 * After the crash of a server that is started again at once, guard and server both stop the Postgres that was left, which
 * does no harm. There is no guard on Windows, nor where there is no `/bin/sh`: the next start stops what was left.
 */
import type { FileSink, Subprocess } from "bun";

/** Tenths of a second for open transactions and the checkpoint, and for the end without one. */
const FAST = 100;
const IMMEDIATE = 50;

const SCRIPT = `
trap '' HUP INT QUIT TERM PIPE
scratch=$1
passing=$2
how=none
while read -r h p; do
  how=$h
  pid=$p
done
lives() {
  kill -0 "$pid" 2>/dev/null || return 1
  [ -r "/proc/$pid/stat" ] || return 0
  read -r _ _ state _ <"/proc/$pid/stat" || return 1
  [ "$state" != Z ]
}
within() {
  n=$1
  while [ "$n" -gt 0 ]; do
    lives || return 0
    sleep 0.1
    n=$((n - 1))
  done
  return 1
}
case $how in
fast)
  kill -INT "$pid" 2>/dev/null
  within ${FAST} || {
    kill -QUIT "$pid" 2>/dev/null
    within ${IMMEDIATE} || kill -KILL "$pid" 2>/dev/null
  }
  ;;
kill)
  kill -KILL -- "-$pid" 2>/dev/null
  within ${IMMEDIATE}
  ;;
esac
[ -z "$passing" ] || rmdir -- "$passing" 2>/dev/null
[ -n "$scratch" ] || exit 0
for again in 1 2 3 4 5; do
  rm -rf -- "$scratch" 2>/dev/null && exit 0
  sleep 0.2
done
`;

/** `fast`: as Postgres' fast shutdown, then its immediate one. `kill`: at once, with its process group. */
export type Ending = "fast" | "kill";

export class Guard {
  readonly #process: Subprocess<"pipe", "ignore", "ignore"> | undefined;
  #watched: Subprocess | undefined;

  /**
   * Both folders go when this process has ended, or {@link close} is called.
   *
   * @param scratch removed with all that is in it @param passing removed if it is empty
   */
  constructor(scratch: string | undefined, passing: string | undefined) {
    this.#process = start(scratch ?? "", passing ?? "");
  }

  /** From now on `child`, and no child before it, is ended after this process. */
  watch(child: Subprocess, ending: Ending): void {
    this.#watched = child;
    this.#write(`${ending} ${child.pid}`);
    void child.exited.then(() => {
      if (this.#watched === child) this.#write("none 0");
    });
  }

  /** Resolves when the guard is gone. What it watched should be, too: it is ended otherwise. */
  async close(): Promise<void> {
    if (!this.#process) return;
    await settled(this.#process.stdin.end());
    await this.#process.exited;
  }

  #write(line: string): void {
    const stdin: FileSink | undefined = this.#process?.stdin;
    if (!stdin || this.#process?.exitCode !== null) return;
    stdin.write(`${line}\n`);
    void settled(stdin.flush());
  }
}

function start(scratch: string, passing: string): Subprocess<"pipe", "ignore", "ignore"> | undefined {
  if (process.platform === "win32") return undefined;
  try {
    const guard = Bun.spawn(["/bin/sh", "-c", SCRIPT, "maestro-guard", scratch, passing], {
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      detached: true,
    });
    guard.unref();
    return guard;
  } catch {
    return undefined; // no /bin/sh
  }
}

/** A guard that somebody has killed takes no more lines. */
async function settled(result: number | Promise<number> | Error | undefined): Promise<void> {
  await Promise.resolve(result).catch(() => {});
}
