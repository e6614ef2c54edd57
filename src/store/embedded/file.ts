/**
 * Root's files in a folder of an account that it does not trust with more: what lies there under a file's name may be a
 * link to somewhere else, which is refused. Nothing is looked at by its path and then opened.
 */
import { closeSync, constants, fchownSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { MaestroError } from "../../error.ts";
import type { Account } from "./account.ts";

const { O_APPEND, O_CREAT, O_DIRECTORY, O_NOFOLLOW = 0, O_RDONLY, O_WRONLY } = constants;

/** For the descriptor of a file that grows; made for its owner alone when it is missing. */
export const openLog = (path: string): number => openHere(path, O_WRONLY | O_APPEND | O_CREAT);

export const openFolder = (path: string): number => openHere(path, O_RDONLY | O_DIRECTORY);

export function readOwn(path: string): Buffer {
  const file = openHere(path, O_RDONLY);
  try {
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** In the place of whatever is there. @param account whose it becomes; undefined: the server's own */
export function writeOwn(path: string, text: string, account: Account | undefined): void {
  rmSync(path, { force: true });
  const file = openSync(path, "wx", 0o600);
  try {
    writeFileSync(file, text);
    if (account) fchownSync(file, account.uid, account.gid);
  } finally {
    closeSync(file);
  }
}

function openHere(path: string, flags: number): number {
  try {
    return openSync(path, flags | O_NOFOLLOW, 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ELOOP" || code === "ENOTDIR") {
      throw foreign(path, flags & O_DIRECTORY ? "is a link or a file, and no directory" : "is a link, and no file");
    }
    throw error;
  }
}

export const foreign = (path: string, what: string): MaestroError =>
  new MaestroError(
    "PRECONDITION_FAILED",
    `${path}, where the embedded Postgres keeps its files, ${what}. Move it away, or choose another --data-dir. Nothing was changed.`,
  );
