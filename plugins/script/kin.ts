/**
 * All processes of an attempt: its process group, and those that have made a session of their own. Where the attempt has
 * a control group, that tells; elsewhere on Linux the environment does, which a process may have cleared; on other
 * systems nothing.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { killCgroup, membersOfCgroup, removeCgroup } from "./cgroup.ts";
import {
  groupOf,
  isAlive,
  isGroupAlive,
  isLeftBehind,
  type ProcessId,
  pidsSince,
  signal,
  startTimeOf,
  taggedOf,
} from "./process.ts";

/** Milliseconds after which the numbers of processes may have come round. */
const LONG_AGO = 3_600_000;
/** Milliseconds that a supervisor may take to end once it has written the exit status. */
const LAST_BREATH = 1_000;

export class Kin {
  /** The supervisor, which leads the process group. */
  readonly #leader: ProcessId;
  readonly #detached: boolean;
  readonly #uuid: string;
  readonly #directory: string;
  readonly #cgroup: string | undefined;
  /** Those outside the group that were found last, where there is no control group. */
  #outside: readonly ProcessId[] = [];

  /** @param detached those that have left the group are none of it */
  constructor(leader: ProcessId, uuid: string, directory: string, detached: boolean) {
    this.#leader = leader;
    this.#detached = detached;
    this.#uuid = uuid;
    this.#directory = directory;
    this.#cgroup = cgroupOf(directory);
  }

  /** Whether something lives on though the supervisor has ended. */
  async isLeftBehind(): Promise<boolean> {
    for (let waited = 0; isAlive(this.#leader) && waited < LAST_BREATH; waited += 2) await Bun.sleep(2);
    if (isAlive(this.#leader)) return false;
    return isLeftBehind(this.#leader.pid, this.#uuid) || this.#outsiders(true).length > 0;
  }

  signal(name: "SIGTERM" | "SIGKILL"): void {
    const group = isAlive(this.#leader) || isLeftBehind(this.#leader.pid, this.#uuid);
    if (group) signal(-this.#leader.pid, name);
    if (name === "SIGKILL" && this.#cgroup !== undefined) killCgroup(this.#cgroup);
    else for (const pid of this.#outsiders(true)) signal(pid, name);
  }

  async ends(within: number): Promise<boolean> {
    const end = performance.now() + within;
    for (let pause = 2; this.#lives(); pause = Math.min(50, pause * 2)) {
      if (performance.now() >= end) return false;
      await Bun.sleep(Math.min(pause, Math.max(1, end - performance.now())));
    }
    return true;
  }

  /** Nobody is left whom a control group is kept for. */
  close(): void {
    if (this.#cgroup !== undefined) removeCgroup(this.#cgroup);
  }

  #lives(): boolean {
    return isGroupAlive(this.#leader.pid) || this.#outsiders(false).length > 0 || this.#outsiders(true).length > 0;
  }

  /** @param anew looks for them, though it takes a while where there is no control group */
  #outsiders(anew: boolean): readonly number[] {
    if (this.#detached) return [];
    const members = this.#cgroup === undefined ? undefined : membersOfCgroup(this.#cgroup);
    if (members !== undefined) return members.filter(this.#isOutside);
    if (anew) this.#outside = this.#tagged();
    return this.#outside.filter(isAlive).map(({ pid }) => pid);
  }

  readonly #isOutside = (pid: number): boolean => {
    const group = groupOf(pid);
    return group !== undefined && group !== this.#leader.pid;
  };

  /** Processes have numbers above their ancestors', unless these have come round. */
  #tagged(): readonly ProcessId[] {
    const age = Date.now() - (statSync(join(this.#directory, "pid"), { throwIfNoEntry: false })?.mtimeMs ?? 0);
    const pids = pidsSince(age > LONG_AGO ? 0 : this.#leader.pid);
    return taggedOf(pids, this.#uuid)
      .filter(this.#isOutside)
      .flatMap((pid) => {
        const startTime = startTimeOf(pid);
        return startTime === undefined ? [] : [{ pid, startTime }];
      });
  }
}

function cgroupOf(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, "cgroup"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}
