/**
 * The database cluster on disk: made once, checked at every start.
 *
 * Invariants: `cluster/` appears by rename, so it is complete or absent; what was begun and not finished is moved aside,
 * and nothing is ever deleted.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { MaestroError } from "../../error.ts";
import { logPath, logSize, logTail, type Run, runProgram } from "./child.ts";
import { readOwn, writeOwn } from "./file.ts";
import type { Layout } from "./layout.ts";
import { POSTGRES_MAJOR } from "./program.ts";

/** The role that owns everything, and its database. */
export const ROLE = "maestro";

export function clusterDir(layout: Layout): string {
  return join(layout.home, "cluster");
}

function passwordPath(layout: Layout): string {
  return join(layout.home, "password");
}

export function readPassword(layout: Layout): string {
  return readOwn(passwordPath(layout)).toString("utf8").trim();
}

/**
 * Whether there is a cluster that this Postgres can run.
 *
 * @throws PRECONDITION_FAILED, saying what to do, when there is one that it can't.
 */
export function findCluster(layout: Layout): boolean {
  const path = clusterDir(layout);
  if (!existsSync(path)) return false;
  if (readdirSync(path).length === 0) {
    rmdirSync(path);
    return false;
  }
  const versionFile = join(path, "PG_VERSION");
  if (!existsSync(versionFile) || !existsSync(join(path, "global", "pg_control"))) {
    throw refusal(
      `${path} holds a database that isn't complete (PG_VERSION or global/pg_control is missing). ` +
        "Restore the directory from a backup, or move it away to start with an empty database. Nothing was changed.",
    );
  }
  const version = readFileSync(versionFile, "utf8").trim();
  if (version !== String(POSTGRES_MAJOR)) {
    throw refusal(
      `${path} was made by Postgres ${version}, and this program brings Postgres ${POSTGRES_MAJOR}, which can't read it. ` +
        `Dump the database with the maestro release that made it (pg_dump), start this one with an empty --data-dir, and ` +
        `restore the dump there; or run your own Postgres and pass --database-url. Nothing was changed.`,
    );
  }
  if (!existsSync(passwordPath(layout))) {
    throw refusal(
      `${passwordPath(layout)}, the password of the database in ${path}, is missing. ` +
        "Restore the file from a backup. Nothing was changed.",
    );
  }
  return true;
}

function refusal(message: string): MaestroError {
  return new MaestroError("PRECONDITION_FAILED", message);
}

/** Makes the cluster: UTF-8, sorted by code point, a generated password for every connection. */
export async function createCluster(run: Run): Promise<void> {
  const { layout } = run;
  const draft = join(layout.home, "initializing");
  if (existsSync(draft)) renameSync(draft, `${draft}.interrupted.${Date.now()}`);
  const password = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("base64url");
  writeOwn(passwordPath(layout), `${password}\n`, layout.account);
  const childDraft = join(layout.childHome, "initializing");
  await finish(run, "initdb", [
    ...["-D", childDraft, "-U", ROLE, "--pwfile", join(layout.childHome, "password"), "--auth=scram-sha-256"],
    ...["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"],
  ]);
  await finish(run, "postgres", ["--single", "-D", childDraft, "template1"], `CREATE DATABASE ${ROLE}\n`);
  renameSync(draft, clusterDir(layout));
  await syncDir(layout.home);
}

async function finish(run: Run, name: string, args: readonly string[], input?: string): Promise<void> {
  const from = logSize(run.layout);
  const code = await runProgram(run, name, args, "kill", input).exited;
  if (code === 0) return;
  throw programError(run.layout, `${name} could not make the database (exit status ${code})`, from);
}

/** A failure of one of the programs, with what it wrote; a full disk gets its own words. */
export function programError(layout: Layout, what: string, from: number): MaestroError {
  const tail = logTail(layout, from);
  if (tail.includes("No space left on device")) return diskFull(layout.dataDir, tail);
  return new MaestroError("UNAVAILABLE", `${what}. Nothing was deleted. From ${logPath(layout)}:\n${tail}`);
}

export function diskFull(dataDir: string, cause: unknown): MaestroError {
  return new MaestroError(
    "UNAVAILABLE",
    `The disk that holds ${dataDir} is full: the embedded Postgres needs room to start. Free some space (200 MB for a ` +
      "first start) and start again, or choose another directory with --data-dir. Nothing was deleted.",
    { cause },
  );
}

async function syncDir(path: string): Promise<void> {
  if (process.platform === "win32") return;
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
