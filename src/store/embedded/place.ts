/**
 * Where the parts of an embedded Postgres lie, and how its child process reaches them.
 *
 * ```
 * <data directory>/maestro.lock
 * <data directory>/program/postgres-<version>/   the programs, world-readable
 * <data directory>/postgres/                     belongs to the child's account, mode 0700
 *                           cluster/             the database cluster: appears by rename when initdb has succeeded
 *                           initializing/        a cluster in the making: never holds a user's data
 *                           password postgres.log run/
 * ```
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, realpathSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { MaestroError } from "../../error.ts";
import { type Account, blockedBy, childAccount, ensurePrivateDir } from "./account.ts";

/** The longest path that every system takes for a Unix socket. */
const MAX_SOCKET_PATH = 103;
const SOCKET_NAME = ".s.PGSQL.5432";
/** Root's default data directory, where programs may lie when the chosen one is closed to the child's account. */
const SHARED_PROGRAM_DIR = "/var/lib/maestro/program";

export interface Place {
  /** Absolute, without links. */
  readonly dataDir: string;
  readonly account: Account | undefined;
  /** The folder of the child's files, as we reach it. */
  readonly home: string;
  /** The same folder as the child reaches it. */
  readonly childHome: string;
  /** Handed to the child as descriptor 3 when `childHome` goes through it. */
  readonly homeDescriptor: number | undefined;
  readonly programDir: string;
  /** Undefined where there are no Unix sockets. */
  readonly socketDir: string | undefined;
  readonly childSocketDir: string | undefined;
  close(): void;
}

export function createDataDir(dataDir: string): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  return realpathSync(dataDir);
}

/** @param programDir where programs are unpacked; by default inside the data directory. */
export function preparePlace(dataDir: string, programDir = join(dataDir, "program")): Place {
  const account = childAccount(dataDir);
  const home = join(dataDir, "postgres");
  ensurePrivateDir(home, account);
  mkdirSync(programDir, { recursive: true, mode: 0o755 });
  const blocking = blockedBy(dataDir, account);
  const descriptor = blocking ? openBlocked(home, blocking) : undefined;
  const childHome = descriptor === undefined ? home : "/proc/self/fd/3";
  const sockets = socketDirs(home, childHome, account);
  return {
    dataDir,
    account,
    home,
    childHome,
    homeDescriptor: descriptor,
    programDir: blockedBy(programDir, account) ? SHARED_PROGRAM_DIR : programDir,
    socketDir: sockets?.ours,
    childSocketDir: sockets?.childs,
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      // A socket's directory elsewhere is of no use without its server; one that isn't empty stays.
      if (sockets && !sockets.ours.startsWith(home)) removeEmpty(sockets.ours);
    },
  };
}

function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Something is left in it, or someone else has removed it.
  }
}

/**
 * An unprivileged child can't walk through a directory that only root may enter, such as one made by `mktemp -d`. On
 * Linux it can start from a descriptor that we opened for it; elsewhere there is no way in.
 */
function openBlocked(home: string, blocking: string): number {
  if (process.platform === "linux") return openSync(home, constants.O_RDONLY | constants.O_DIRECTORY);
  throw new MaestroError(
    "PRECONDITION_FAILED",
    `The embedded Postgres doesn't run as root, and the account that it runs as may not enter ${blocking}. ` +
      `Choose a data directory that every user may reach (--data-dir), run as an ordinary user, or: chmod o+x ${blocking}`,
  );
}

function socketDirs(
  home: string,
  childHome: string,
  account: Account | undefined,
): { readonly ours: string; readonly childs: string } | undefined {
  if (process.platform === "win32") return undefined;
  const inside = join(home, "run");
  if (Buffer.byteLength(join(inside, SOCKET_NAME)) <= MAX_SOCKET_PATH) {
    ensurePrivateDir(inside, account);
    return { ours: inside, childs: join(childHome, "run") };
  }
  const short = `/tmp/maestro-${Bun.hash(home).toString(36)}`;
  ensurePrivateDir(short, account);
  const stat = lstatSync(short);
  if (!stat.isDirectory() || stat.uid !== (account?.uid ?? process.getuid?.())) {
    throw new MaestroError(
      "PRECONDITION_FAILED",
      `${short}, where the embedded Postgres keeps its socket, belongs to someone else. Remove it, or choose a data directory with a shorter path.`,
    );
  }
  return { ours: short, childs: short };
}
