/** Processes of this host, told apart from later ones with the same pid by when they started. */
import { readdirSync, readFileSync } from "node:fs";

export interface ProcessId {
  readonly pid: number;
  /** `<boot id>:<clock ticks since boot>` on Linux, `:<date>` elsewhere. */
  readonly startTime: string;
}

interface Stat {
  readonly zombie: boolean;
  readonly group: number;
  readonly start: string;
}

/** Fields of a line of `/proc/<pid>/stat`; the name in parentheses may hold anything. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return { zombie: fields[0] === "Z" || fields[0] === "X", group: Number(fields[2]), start: fields[19] ?? "" };
}

/** Whether the very process lives. */
export function isAlive({ pid, startTime }: ProcessId): boolean {
  return startTimeOf(pid) === startTime;
}

/** Undefined when there is no such process, or only its remains. */
export function startTimeOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startTimeByPs(pid);
  const stat = readStat(pid);
  return stat === undefined || stat.zombie ? undefined : `${bootId()}:${stat.start}`;
}

/** The process group of one that lives. */
export function groupOf(pid: number): number | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.zombie ? undefined : stat.group;
}

/** Signals a process, or a group by its negative number; false when there is none. */
export function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether a process group has living members: what is dead but not reaped doesn't count. */
export function isGroupAlive(group: number): boolean {
  if (!signal(-group, 0)) return false;
  if (process.platform !== "linux") return true;
  return membersOf(group).length > 0;
}

/**
 * Whether processes of an attempt live on in a group whose leader has ended. Its number may be another group's by now:
 * on Linux their environment tells, elsewhere that there is no leader.
 */
export function isLeftBehind(group: number, uuid: string): boolean {
  if (!signal(-group, 0) || startTimeOf(group) !== undefined) return false;
  if (process.platform !== "linux") return true;
  return taggedOf(membersOf(group), uuid).length > 0;
}

/** Those that have the attempt's id in their environment. */
export const taggedOf = (pids: readonly number[], uuid: string): readonly number[] =>
  pids.filter((pid) => environmentOf(pid).includes(`\0MAESTRO_STEP_UUID=${uuid}\0`));

/** Numbers of processes above `least`; of all, once they have come round. None where there is no `/proc`. */
export function pidsSince(least: number): readonly number[] {
  if (process.platform !== "linux") return [];
  const newest = Number(readFileSync("/proc/loadavg", "latin1").trim().split(" ").at(-1));
  const above = newest < least ? 0 : least;
  return allPids().filter((pid) => pid > above);
}

const allPids = (): readonly number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

function membersOf(group: number): readonly number[] {
  return allPids().filter((pid) => {
    const stat = readStat(pid);
    return stat?.group === group && !stat.zombie;
  });
}

function environmentOf(pid: number): string {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, "latin1")}`;
  } catch {
    return "";
  }
}

function readStat(pid: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

let boot: string | undefined;

function bootId(): string {
  boot ??= readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  return boot;
}

function startTimeByPs(pid: number): string | undefined {
  const { stdout, exitCode } = Bun.spawnSync(["ps", "-o", "stat=,lstart=", "-p", String(pid)], {
    env: { ...process.env, LC_ALL: "C" },
  });
  const [state = "Z", ...date] = stdout.toString().trim().split(/\s+/);
  return exitCode !== 0 || state.startsWith("Z") ? undefined : `:${date.join(" ")}`;
}
