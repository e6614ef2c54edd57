/** Order statistics of samples, and counters of processes (Linux only: elsewhere they are undefined). */
import { readFileSync } from "node:fs";

/** The smallest sample that `share` of all samples do not exceed; NaN of nothing. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => percentile(samples, 0.5);

/** Seconds of processor time that a process has used so far. */
export function cpuSeconds(pid: number): number | undefined {
  const line = readProc(pid, "stat");
  if (line === undefined) return undefined;
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100; // USER_HZ is 100 on every Linux
}

/** Resident megabytes of a process, without its children. */
export const residentMb = (pid: number): number | undefined => statusMb(pid, "VmRSS");

/** The most that it has been since the process began: the kernel keeps account, so no peak is missed. */
export const peakResidentMb = (pid: number): number | undefined => statusMb(pid, "VmHWM");

function statusMb(pid: number, field: string): number | undefined {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readProc(pid, "status") ?? "");
  return match ? Number(match[1]) / 1024 : undefined;
}

/** Processor seconds that the whole machine has spent on anything; undefined where nobody counts. */
export function busySeconds(): number | undefined {
  const line = readProc("", "stat")?.split("\n", 1)[0];
  if (line === undefined) return undefined;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

function readProc(pid: number | "", name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return undefined;
  }
}
