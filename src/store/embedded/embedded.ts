/**
 * The embedded Postgres: one child process on a private socket, for a server that was given no database URL.
 *
 * ```
 * lock the directory → look at the cluster → programs on disk → leftover child stopped → initdb if new → child ready
 * ```
 * A child that dies on its own is started again under the same address; clients reconnect. `stop` ends it for good.
 *
 * Does not know what is in the database, and never deletes anything of it: what can't be used is refused with
 * instructions or moved aside.
 */
import { internalError, MaestroError } from "../../error.ts";
import { type Run, rotateLog } from "./child.ts";
import { Guard } from "./guard.ts";
import { createCluster, diskFull, findCluster, ROLE, readPassword } from "./initdb.ts";
import { createDataDir, type Layout, prepareLayout } from "./layout.ts";
import { stopLeftover } from "./leftover.ts";
import { acquireLock } from "./lock.ts";
import { installProgram } from "./program.ts";
import { type Child, launch } from "./server.ts";

/** A child that dies is started again at once; one that keeps dying, after a pause that doubles up to the longest. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 10_000;
/** A child that has lived this long is not one that keeps dying. */
const SETTLED_MS = 60_000;

export interface EmbeddedOptions {
  /** Created when it's missing. */
  readonly dataDir: string;
  readonly log: { info(message: string): void; warn(message: string): void };
  /** Where the programs are unpacked; by default `<dataDir>/program`. */
  readonly programDir?: string;
  /** A folder to remove when this process has ended, `dataDir` being in it: that of a throw-away server. */
  readonly scratch?: string | undefined;
  /** Aborted while Postgres starts: what is under way is finished, and its reason thrown instead of going on. */
  readonly giveUp?: AbortSignal | undefined;
  /** Postgres settings beside ours, which they override: for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Embedded {
  /** For `connect`: with the password, and the socket's directory as the parameter `host`. */
  readonly url: string;
  /** Ends Postgres, in 15 s at most, and gives the directory free. */
  stop(): Promise<void>;
}

/**
 * @throws CONFLICT when another server holds the directory, PRECONDITION_FAILED when what lies there can't be used,
 * UNAVAILABLE when Postgres doesn't start (disk full, broken database); each says what to do.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const warn = (message: string): void => options.log.warn(message);
  const dataDir = describeFailure(options.dataDir, () => createDataDir(options.dataDir));
  const lock = describeFailure(dataDir, () => acquireLock(dataDir));
  let layout: Layout | undefined;
  let guard: Guard | undefined;
  try {
    layout = prepareLayout(dataDir, options.programDir);
    guard = new Guard(options.scratch, layout.passing);
    const isThere = findCluster(layout);
    const run = { layout, guard, program: await installProgram(layout.programDir) };
    options.giveUp?.throwIfAborted();
    if (isThere) await stopLeftover(layout, warn);
    else await createCluster(run);
    options.giveUp?.throwIfAborted();
    rotateLog(layout);
    const keeper = new Keeper(run, options, await launch(run, undefined, options.settings ?? {}, warn));
    return {
      url: databaseUrl(layout, keeper.port),
      async stop() {
        await keeper.stop();
        await run.guard.close();
        run.layout.close();
        lock.release();
      },
    };
  } catch (error) {
    await guard?.close();
    layout?.close();
    lock.release();
    options.giveUp?.throwIfAborted();
    throw describeError(dataDir, error);
  }
}

/** Holds the child: starts it again when it dies on its own, until it is told to stop. */
class Keeper {
  readonly port: number | undefined;
  #child: Child;
  #pause = 0;
  #isStopping = false;
  #watch: Promise<void>;

  constructor(
    private readonly run: Run,
    private readonly options: EmbeddedOptions,
    child: Child,
  ) {
    this.port = child.port;
    this.#child = child;
    this.#watch = this.#keep();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#child.stop();
    await this.#watch;
  }

  async #keep(): Promise<void> {
    const { log, settings } = this.options;
    const warn = (message: string): void => log.warn(message);
    while (!this.#isStopping) {
      const startedAt = performance.now();
      await this.#child.exited;
      if (this.#isStopping) return;
      if (performance.now() - startedAt > SETTLED_MS) this.#pause = 0;
      warn("Postgres ended unexpectedly: starting it again");
      await Bun.sleep(this.#pause);
      this.#pause = Math.min(Math.max(this.#pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
      if (this.#isStopping) return;
      try {
        await stopLeftover(this.run.layout, warn);
        this.#child = await launch(this.run, this.port, settings ?? {}, warn);
        if (this.#isStopping) await this.#child.stop();
      } catch (error) {
        warn(`Postgres could not be started again: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}

function databaseUrl(layout: Layout, port: number | undefined): string {
  const credentials = `${ROLE}:${encodeURIComponent(readPassword(layout))}`;
  if (port !== undefined) return `postgres://${credentials}@127.0.0.1:${port}/${ROLE}`;
  return `postgres://${credentials}@localhost/${ROLE}?host=${encodeURIComponent(layout.socketDir ?? "")}`;
}

function describeFailure<T>(dataDir: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw describeError(dataDir, error);
  }
}

function describeError(dataDir: string, error: unknown): unknown {
  if (error instanceof MaestroError) return error;
  const { code, message, path } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(dataDir, error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR" || code === "EEXIST") {
    return new MaestroError(
      "PRECONDITION_FAILED",
      `The data directory ${dataDir} can't be used (${code} at ${path ?? dataDir}). ` +
        "Choose one that this user may write with --data-dir or MAESTRO_DATA_DIR.",
      { cause: error },
    );
  }
  return internalError(`The embedded Postgres in ${dataDir} could not be started: ${message}`, error);
}
