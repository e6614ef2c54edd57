/**
 * Whose rights the Postgres child runs with. Postgres refuses root, so a server that runs as root gives its child an
 * unprivileged account; otherwise the child runs as we do.
 */
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** `nobody`, by number: a minimal container image may lack the name. */
const NOBODY = 65534;

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** @returns undefined when the child runs as we do; for root, the owner of the data directory, or nobody. */
export function childAccount(dataDir: string): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDir);
  return owner.uid === 0 ? { uid: NOBODY, gid: NOBODY } : { uid: owner.uid, gid: owner.gid };
}

/** Creates the directory when it's missing and gives it to the account. */
export function ensurePrivateDir(path: string, account: Account | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!account) return;
  chownSync(path, account.uid, account.gid);
  chmodSync(path, 0o700);
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
