/**
 * The script's parent: a few lines of POSIX sh in a session of their own, so that neither the end of the server nor
 * its kill -9 reaches the script, and whoever comes later finds in the attempt's directory
 *
 * - `script`  what is run
 * - `params.json`  the params that it may read
 * - `pid`     pid, boot id and start of the supervisor, which leads the script's process group; or a {@link Verdict}
 * - `out`, `err`  the script's output
 * - `exit`    its exit status, once it has ended
 * - `stop`    when it was first asked to stop, in epoch milliseconds
 * - `cgroup`  the folder of its control group, if it has one
 * - `.keep`   the host is to leave the directory where it is
 *
 * all of them for the server's user alone, whatever the umask, which is the script's.
 *
 * Invariants
 * - S1 Whoever creates `pid` (exclusively) decides: a supervisor that comes second ends without running the script, and
 *   a terminate that comes first keeps it from ever running. So a script is run once, whatever crashes when.
 * - S2 `pid` and `exit` count when they end with a newline.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type ProcessId, parseStat } from "./process.ts";

const SUPERVISOR = `
d=$1
u=$2
l=$3
shift 3
umask 077
if [ -r "/proc/$$/stat" ]; then
  read -r s <"/proc/$$/stat"
  read -r b </proc/sys/kernel/random/boot_id
else
  s=$(LC_ALL=C ps -o lstart= -p $$)
  b=
fi
set -C
{ printf '%s\\n%s\\n%s\\n' "$$" "$b" "$s" >"$d/pid"; } 2>/dev/null || exit 0
set +C
if [ -r "$d/cgroup" ]; then
  read -r g <"$d/cgroup"
  { echo "$$" >"$g/cgroup.procs"; } 2>/dev/null
fi
trap : HUP INT TERM
exec 3>"$d/out" 4>"$d/err"
umask "$u"
(eval "$l" && exec "$@") </dev/null >&3 2>&4 3>&- 4>&-
c=$?
umask 077
printf '%s\\n' "$c" >"$d/exit"
`;

const PRIVATE = { mode: 0o600 } as const;

/** What the server's umask is: the script has it, too, while the files about it are for the server's user alone. */
const UMASK = /^Umask:\s*([0-7]+)$/m.exec(statusOfProcess())?.[1] ?? process.umask().toString(8);

/** Linux only. Elsewhere the umask can only be read by setting it, for all threads. */
function statusOfProcess(): string {
  try {
    return readFileSync("/proc/self/status", "latin1");
  } catch {
    return "";
  }
}

/** Of each process. */
export interface Limits {
  readonly cpu_seconds?: number | undefined;
  readonly memory_mb?: number | undefined;
  readonly open_files?: number | undefined;
  readonly file_mb?: number | undefined;
}

/** Commands of a shell; `ulimit` counts memory in KiB, and files in blocks of 512 bytes, which bash has only as POSIX asks. */
function ulimitsOf({ cpu_seconds, memory_mb, open_files, file_mb }: Limits): string {
  const limits = [
    cpu_seconds === undefined ? "" : `ulimit -t ${cpu_seconds}`,
    memory_mb === undefined ? "" : `ulimit -v ${memory_mb * 1024}`,
    open_files === undefined ? "" : `ulimit -n ${open_files}`,
    file_mb === undefined ? "" : `ulimit -f ${file_mb * 2048}`,
  ];
  return ["true", ...limits.filter((limit) => limit !== "")].join(" && ");
}

export interface Launch {
  readonly directory: string;
  /** By name: what the script is made of, and what it reads. */
  readonly files: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly limits: Limits;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Starts a supervisor. @param onExit called when it has ended, while this process lives. */
export function launch({ directory, files, command, limits, env, cwd }: Launch, onExit: () => void): number {
  for (const [name, text] of Object.entries(files)) {
    const file = join(directory, name);
    if (existsSync(file)) continue;
    const draft = join(directory, `${name}.${process.pid}.${performance.now()}`);
    writeFileSync(draft, text, PRIVATE);
    renameSync(draft, file); // never truncated under a script that is being read
  }
  const ulimits = ulimitsOf(limits);
  const child = Bun.spawn(["/bin/sh", "-c", SUPERVISOR, "maestro-script", directory, UMASK, ulimits, ...command], {
    cwd,
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    detached: true,
    onExit,
  });
  child.unref();
  return child.pid;
}

/** @returns whether the directory is new. */
export function createDirectory(directory: string): boolean {
  mkdirSync(dirname(directory), { recursive: true, mode: 0o700 });
  try {
    mkdirSync(directory, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Why an attempt's script will never run: it was stopped before, or no supervisor came up. */
export type Verdict = "stopped" | "lost";

export type Owner = ProcessId | Verdict;

/** Who took the attempt; undefined while no one has. */
export function readOwner(directory: string): Owner | undefined {
  const text = readComplete(join(directory, "pid"));
  if (text === undefined) return undefined;
  if (text === "stopped" || text === "lost") return text;
  const [pid = "", boot = "", start = ""] = text.split("\n");
  return {
    pid: Number(pid),
    startTime: `${boot}:${boot === "" ? start.trim().split(/\s+/).join(" ") : parseStat(start).start}`,
  };
}

/** Takes the attempt so that no supervisor will. @returns false when somebody has it. */
export function take(directory: string, verdict: Verdict): boolean {
  createDirectory(directory);
  try {
    writeFileSync(join(directory, "pid"), `${verdict}\n`, { ...PRIVATE, flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

export function readExit(directory: string): number | undefined {
  const text = readComplete(join(directory, "exit"));
  return text === undefined ? undefined : Number(text);
}

/** When the script was first asked to stop. */
export function readStop(directory: string): number | undefined {
  const text = readComplete(join(directory, "stop"));
  return text === undefined ? undefined : Number(text);
}

export function writeStop(directory: string, now: number): void {
  writeFileSync(join(directory, "stop"), `${now}\n`, { ...PRIVATE, flag: "a" });
}

function readComplete(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return text.endsWith("\n") ? text.slice(0, -1) : undefined;
  } catch {
    return undefined;
  }
}
