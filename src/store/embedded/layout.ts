/**
 * Where the parts of an embedded Postgres lie, and how its child process reaches them.
 *
 * ```
 * <data directory>/maestro.lock                  0600
 * <data directory>/program/postgres-<version>/   the programs: 0700, or 0755 where the child has an account of its own
 * <data directory>/postgres/                     belongs to the child's account: 0700
 *                           cluster/             the database cluster: appears by rename when initdb has succeeded
 *                           initializing/        a cluster in the making: never holds a user's data
 *                           password postgres.log run/
 * ```
 */
import { closeSync, constants, mkdtempSync, openSync, realpathSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { MaestroError } from "../../error.ts";
import { type Account, childAccount } from "./account.ts";
import { blockedBy, ensureDir, ensurePrivateDir, makePrivate } from "./folder.ts";

/** The longest path that every system takes for a Unix socket. */
const MAX_SOCKET_PATH = 103;
/** Where sockets are when the data directory's path is too long: a new folder with a name that nobody can foresee. */
const SHORT_SOCKET_DIR = "/tmp/maestro-";
const SOCKET_NAME = ".s.PGSQL.5432";
/** Root's default data directory, where programs may lie when the chosen one is closed to the child's account. */
const SHARED_PROGRAM_DIR = "/var/lib/maestro/program";

export interface Layout {
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
  /** A folder that is of use for this life of the server only. */
  readonly passing: string | undefined;
  close(): void;
}

/** For the server's user alone; the child's account, if it is another, passes through without looking around. */
export function createDataDir(dataDir: string): string {
  ensureDir(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
  return realpathSync(dataDir);
}

/** @param programDir where programs are unpacked; by default inside the data directory. */
export function prepareLayout(dataDir: string, programDir = join(dataDir, "program")): Layout {
  const account = childAccount(dataDir);
  const home = join(dataDir, "postgres");
  ensurePrivateDir(home, account);
  ensureDir(programDir, account ? 0o755 : 0o700);
  const blocking = blockedBy(dataDir, account);
  const descriptor = blocking ? openBlocked(home, blocking) : undefined;
  const childHome = descriptor === undefined ? home : "/proc/self/fd/3";
  const sockets = socketDirs(home, childHome, account);
  const passing = sockets?.ours.startsWith(home) === false ? sockets.ours : undefined;
  return {
    dataDir,
    account,
    home,
    childHome,
    homeDescriptor: descriptor,
    programDir: blockedBy(programDir, account) ? SHARED_PROGRAM_DIR : programDir,
    socketDir: sockets?.ours,
    childSocketDir: sockets?.childs,
    passing,
    close() {
      if (descriptor !== undefined) closeSync(descriptor);
      if (passing !== undefined) removeEmpty(passing);
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
  const short = mkdtempSync(SHORT_SOCKET_DIR);
  makePrivate(short, account);
  return { ours: short, childs: short };
}
