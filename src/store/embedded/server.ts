/** One life of the Postgres server process: from launch until it's ready, and how it ends. */
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { logSize, logTail, type Run, runProgram } from "./child.ts";
import { clusterDir, programError } from "./initdb.ts";
import { stopLeftover, stopPostmaster } from "./leftover.ts";
import { waitForExit } from "./process.ts";
import { settingArgs } from "./setting.ts";

/** Crash recovery may take its time; a second is the usual case. */
const READY_MS = 120_000;
/** Orphans of a killed server, and a port that someone was quicker to take, go away by themselves or by another try. */
const MAX_TRIES = 20;
const TRY_PAUSE_MS = 100;
const WORTH_A_RETRY =
  /pre-existing shared memory block|could not bind|Address already in use|lock file ".*" already exists/;

export interface Child {
  /** Undefined: it listens on a Unix socket only. */
  readonly port: number | undefined;
  /** Resolves when the server process is gone. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/**
 * @param port the port to keep; undefined chooses a free one where sockets are missing
 * @throws UNAVAILABLE with the end of the log
 */
export async function launch(
  run: Run,
  port: number | undefined,
  settings: Readonly<Record<string, string>>,
  warn: (message: string) => void,
): Promise<Child> {
  for (let tries = 1; ; tries++) {
    const from = logSize(run.layout);
    const child = await launchOnce(run, port ?? (await choosePort(run)), settings);
    if (child) return child;
    if (tries === MAX_TRIES || !WORTH_A_RETRY.test(logTail(run.layout, from))) {
      throw programError(run.layout, "The embedded Postgres did not start", from);
    }
    await Bun.sleep(TRY_PAUSE_MS);
    await stopLeftover(run.layout, warn);
  }
}

async function choosePort({ layout }: Run): Promise<number | undefined> {
  return layout.socketDir === undefined ? freePort() : undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

async function launchOnce(
  run: Run,
  port: number | undefined,
  settings: Readonly<Record<string, string>>,
): Promise<Child | undefined> {
  const args = settingArgs(run.layout, { port }, settings);
  return process.platform === "win32" ? launchByControl(run, port, args) : launchDirectly(run, port, args);
}

async function launchDirectly(run: Run, port: number | undefined, args: string[]): Promise<Child | undefined> {
  const server = runProgram(run, "postgres", ["-D", join(run.layout.childHome, "cluster"), ...args], "fast");
  const deadline = performance.now() + READY_MS;
  while (!isReady(run, server.pid)) {
    if (server.exitCode !== null || server.signalCode !== null) return undefined;
    if (performance.now() > deadline) {
      await stopPostmaster(server.pid);
      return undefined;
    }
    await Bun.sleep(2);
  }
  return {
    port,
    exited: server.exited.then(() => undefined),
    async stop() {
      if (!(await stopPostmaster(server.pid))) server.kill("SIGKILL");
      await server.exited;
    },
  };
}

/** Postgres writes its state into the eighth line of `postmaster.pid`. */
function isReady(run: Run, pid: number): boolean {
  const lines = pidFileLines(run);
  return lines[0] === String(pid) && lines[7]?.trim() === "ready";
}

function pidFileLines({ layout }: Run): string[] {
  const path = join(clusterDir(layout), "postmaster.pid");
  return existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
}

/** On Windows an administrator's Postgres needs `pg_ctl`, which gives away the rights that Postgres refuses. */
async function launchByControl(run: Run, port: number | undefined, args: string[]): Promise<Child | undefined> {
  const cluster = clusterDir(run.layout);
  const options = args.map((arg) => (arg === "-c" ? arg : `"${arg}"`)).join(" ");
  const control = ["-D", cluster, "-w", "-t", String(READY_MS / 1000)];
  const code = await runProgram(run, "pg_ctl", ["start", ...control, "-o", options], "kill").exited;
  if (code !== 0) return undefined;
  const pid = Number.parseInt(pidFileLines(run)[0] ?? "", 10);
  return {
    port,
    exited: exitOf(pid),
    async stop() {
      await runProgram(run, "pg_ctl", ["stop", "-D", cluster, "-m", "fast", "-w", "-t", "10"], "kill").exited;
      await waitForExit(pid, 5_000);
    },
  };
}

async function exitOf(pid: number): Promise<void> {
  while (!(await waitForExit(pid, READY_MS)));
}
