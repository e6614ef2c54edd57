/** The folders that the Postgres child's account may use: made, given to it alone, and followed through no link. */
import { chmodSync, closeSync, fchmodSync, fchownSync, fstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Account } from "./account.ts";
import { foreign, openFolder } from "./file.ts";

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
