/**
 * A control group for an attempt (Linux, version 2): whatever its script starts is a member, a process that has left its
 * session and its environment, too. Made where the system lets the server make one.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where groups can be made, or why they can't. */
type Home = { readonly path: string } | { readonly problem: string };

/** Milliseconds within which the first member may be on its way to a new group. */
const YOUNG = 60_000;

let home: Home | undefined;

/** Found out once, by making one and moving a process into it. */
export function cgroupHome(): Home {
  home ??= find();
  return home;
}

function find(): Home {
  if (process.platform !== "linux") return { problem: "only Linux has them" };
  try {
    const own = /^0::(\/.*)$/m.exec(readFileSync("/proc/self/cgroup", "utf8"))?.[1];
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "utf8"))?.[1];
    if (own === undefined || mount === undefined) return { problem: "no cgroup2 file system is mounted" };
    const path = join(mount.replaceAll("\\040", " "), own);
    return attempt(path);
  } catch (error) {
    return { problem: (error as Error).message };
  }
}

function attempt(path: string): Home {
  const probe = join(path, `maestro-probe-${process.pid}-${crypto.randomUUID()}`);
  mkdirSync(probe);
  try {
    if (!existsSync(join(probe, "cgroup.kill"))) return { problem: "the kernel is older than 5.14" };
    const script = 'echo "$$" >"$1/cgroup.procs"';
    const { exitCode, stderr } = Bun.spawnSync(["/bin/sh", "-c", script, "probe", probe], { stdout: "ignore" });
    if (exitCode !== 0) return { problem: stderr.toString().trim() };
    sweep(path);
    return { path };
  } finally {
    rmdirSync(probe);
  }
}

/** Groups of attempts that nobody has looked after to their end. Those that have members stay. */
function sweep(path: string): void {
  for (const name of readdirSync(path)) {
    const group = join(path, name);
    if (!name.startsWith("maestro-")) continue;
    const made = statSync(group, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
    if (Date.now() - made > YOUNG) removeCgroup(group);
  }
}

/** @returns its folder; undefined where there can be none */
export function makeCgroup(uuid: string): string | undefined {
  const found = cgroupHome();
  if ("problem" in found) return undefined;
  const path = join(found.path, `maestro-${uuid}`);
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") return undefined;
  }
  return path;
}

/** Living members; undefined when there is no such group. */
export function membersOfCgroup(path: string): readonly number[] | undefined {
  try {
    return readFileSync(join(path, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number);
  } catch {
    return undefined;
  }
}

/** All members at once, so that none can get away by forking. */
export function killCgroup(path: string): void {
  try {
    writeFileSync(join(path, "cgroup.kill"), "1");
  } catch {
    // gone with its last member
  }
}

/** A group that has members stays. */
export function removeCgroup(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // whoever made it has removed it, or it is busy
  }
}
