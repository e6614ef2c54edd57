/**
 * A real server as a child process, on a data directory that the caller gives: what benchmarks measure and fault tests
 * kill. Its log goes to a file there.
 *
 * Does not clean up after `kill`: the embedded Postgres of a killed server lives on until the next start stops it, or
 * {@link killPostgres} does.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";

export const ROOT = join(import.meta.dir, "../..");
export const BINARY = join(ROOT, "dist", process.platform === "win32" ? "maestro.exe" : "maestro");

/** How to run the program: the executable, or the sources. */
export type Program = readonly string[];

export const sourceProgram: Program = [process.execPath, join(ROOT, "src/main.ts")];

const PATIENCE = 60_000;
/** `kill` does not wait for the operating system for ever. */
const STOP_MS = 30_000;

export interface ServerOptions {
  readonly program: Program;
  readonly dataDir: string;
  /** Further arguments of `serve`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs; the project when absent. */
  readonly cwd?: string;
  /** Milliseconds after which a server that is not ready is killed. A minute when absent: recovery included. */
  readonly patience?: number;
  /** Name of its log below the data directory. */
  readonly logName?: string;
}

export interface Server {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  /** Milliseconds from spawning to the ready line. */
  readonly readyAfter: number;
  /** SIGTERM, and the end of the process. @returns its exit code */
  stop(): Promise<number>;
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** What it has logged so far. */
  log(): string;
}

/** @throws Error with the end of the log when the server does not become ready */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { program, dataDir, args = [] } = options;
  mkdirSync(dataDir, { recursive: true });
  const logFile = join(dataDir, options.logName ?? "server.log");
  const log = openSync(logFile, "a");
  const logStart = fstatSync(log).size;
  const begin = performance.now();
  const child = Bun.spawn([...program, "serve", "--port", "0", "--data-dir", dataDir, ...args], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: log,
  });
  closeSync(log);
  const url = await readyUrl(child, options.patience ?? PATIENCE);
  if (url === undefined) {
    child.kill("SIGKILL");
    await child.exited;
    throw new Error(`the server did not become ready:\n${readFileSync(logFile, "utf8").slice(-2000)}`);
  }
  return {
    url,
    pid: child.pid,
    dataDir,
    readyAfter: performance.now() - begin,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      const code = await child.exited;
      clearTimeout(timer);
      return code;
    },
    async kill() {
      child.kill("SIGKILL");
      await child.exited;
    },
    signal: (name) => child.kill(name),
    log: () => readFileSync(logFile).subarray(logStart).toString("utf8"),
  };
}

async function readyUrl(
  child: Bun.Subprocess<"ignore", "pipe", number>,
  patience: number,
): Promise<string | undefined> {
  const timer = setTimeout(() => child.kill("SIGKILL"), patience);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const match = /^ready (\S+)$/m.exec(text);
    if (match === null) continue;
    clearTimeout(timer);
    return match[1];
  }
  clearTimeout(timer);
  return undefined;
}

/** The URL of the embedded Postgres below a data directory, for `connect`; `database` is `maestro` when absent. */
export function databaseUrl(dataDir: string, database = "maestro"): string {
  const home = join(realpathSync(dataDir), "postgres");
  const password = readFileSync(join(home, "password"), "utf8").trim();
  const inside = join(home, "run");
  // Where the path is too long for sockets, they are in a folder that `postmaster.pid` names.
  const elsewhere = (): string => readFileSync(join(home, "cluster/postmaster.pid"), "utf8").split("\n")[4] ?? "";
  const sockets = existsSync(inside) ? inside : elsewhere();
  return `postgres://maestro:${password}@localhost/${database}?host=${encodeURIComponent(sockets)}`;
}

/** Ends an embedded Postgres whose server was killed. */
export function killPostgres(dataDir: string): void {
  const pidFile = join(dataDir, "postgres/cluster/postmaster.pid");
  if (!existsSync(pidFile)) return;
  try {
    process.kill(Number.parseInt(readFileSync(pidFile, "utf8"), 10), "SIGQUIT");
  } catch {
    // It is gone.
  }
}
