/**
 * Whose rights the Postgres child runs with, and the folders that it may use. Postgres refuses root, so a server that
 * runs as root gives its child an unprivileged account; otherwise the child runs as the server does.
 */
import {
  chmodSync,
  closeSync,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { foreign, openFolder } from "./file.ts";

/** `nobody`, by number: a minimal container image may lack the name. */
const NOBODY = 65534;
/** Accounts of a machine that are made for this, the best first. */
const ACCOUNT_NAMES = ["maestro", "postgres"];

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * @returns undefined when the child runs as the server does. For root the first of: the owner of the data directory, the
 * owner of the database in it, the accounts `maestro` and `postgres`, `nobody`.
 */
export function childAccount(dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  return (
    ownerOf(dataDir) ??
    ownerOf(join(dataDir, "postgres")) ??
    ACCOUNT_NAMES.map(accountNamed).find((it) => it !== undefined) ?? { uid: NOBODY, gid: NOBODY }
  );
}

/** Undefined when that is root, or there is no such directory. */
function ownerOf(directory: string): Account | undefined {
  const stat = lstatSync(directory, { throwIfNoEntry: false });
  return stat?.isDirectory() && stat.uid !== 0 ? { uid: stat.uid, gid: stat.gid } : undefined;
}

function accountNamed(name: string): Account | undefined {
  const line = passwordFile().find((it) => it.startsWith(`${name}:`));
  const [, , uid = "", gid = ""] = line?.split(":") ?? [];
  return /^\d+$/.test(uid) && /^\d+$/.test(gid) && uid !== "0" ? { uid: Number(uid), gid: Number(gid) } : undefined;
}

function passwordFile(): readonly string[] {
  try {
    return readFileSync("/etc/passwd", "utf8").split("\n");
  } catch {
    return [];
  }
}

/** Creates the directory, and those above it, where they are missing. Others' modes and owners stay as they are. */
export function ensureDir(path: string, mode: number): void {
  const made = mkdirSync(path, { recursive: true, mode });
  if (made !== undefined) chmodSync(path, mode); // whatever the umask takes away
}

/**
 * Creates the directory when it's missing, for the account alone. One that is there, and the server's own, is given to
 * the account; a link, or what belongs to a third, is refused and left as it is.
 */
export function ensurePrivateDir(path: string, account: Account | undefined): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (process.platform !== "win32") makePrivate(path, account);
}

/** Through a descriptor, so that what is changed is what was looked at. */
export function makePrivate(path: string, account: Account | undefined): void {
  const directory = openFolder(path);
  try {
    const { uid, mode } = fstatSync(directory);
    const [ours, childs] = [process.getuid?.(), account?.uid];
    if (uid !== ours && uid !== childs) throw foreign(path, `belongs to user ${uid}`);
    if (account && uid !== childs) fchownSync(directory, account.uid, account.gid);
    if ((mode & 0o077) !== 0) fchmodSync(directory, 0o700);
  } finally {
    closeSync(directory);
  }
}

/** The nearest directory above `path`, or `path` itself, that the account may not enter. */
export function blockedBy(path: string, account: Account | undefined): string | undefined {
  if (!account) return undefined;
  const stat = statSync(path);
  const bit = stat.uid === account.uid ? 0o100 : stat.gid === account.gid ? 0o010 : 0o001;
  if ((stat.mode & bit) === 0) return path;
  const parent = dirname(path);
  return parent === path ? undefined : blockedBy(parent, account);
}
