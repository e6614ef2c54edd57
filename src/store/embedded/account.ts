/**
 * Whose rights the Postgres child runs with. Postgres refuses root, so a server that runs as root gives its child an
 * unprivileged account; otherwise the child runs as the server does.
 */
import { lstatSync, readFileSync } from "node:fs";
import { join } from "node:path";

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
