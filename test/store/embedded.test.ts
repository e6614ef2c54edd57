import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { checkServer, connect, type Sql } from "../../src/store/connection.ts";
import { type Embedded, startEmbedded } from "../../src/store/embedded/embedded.ts";
import { acquireLock } from "../../src/store/embedded/lock.ts";
import { isAlive, isTaken, waitForExit } from "../../src/store/embedded/process.ts";

const programDir = join(import.meta.dir, "../../.cache/program");
const START_MS = 30_000;

let parent: string;
beforeAll(() => {
  // As `mktemp -d` makes it: closed to everyone else, so that root's child has to find another way in.
  parent = mkdtempSync(join(tmpdir(), "maestro-embedded-"));
  mkdirSync(programDir, { recursive: true });
});
afterAll(() => rmSync(parent, { recursive: true, force: true }));

const warnings: string[] = [];
const log = { info: () => {}, warn: (message: string) => void warnings.push(message) };

const start = (dataDir: string): Promise<Embedded> => startEmbedded({ dataDir, programDir, log });

async function withDatabase<T>(embedded: Embedded, action: (sql: Sql) => Promise<T>): Promise<T> {
  const sql = connect(embedded.url, { max: 1 });
  try {
    return await action(sql);
  } finally {
    await sql.end();
  }
}

const marks = (sql: Sql): Promise<number[]> =>
  sql<{ id: number }[]>`SELECT id FROM mark ORDER BY id`.then((rows) => rows.map((row) => row.id));

const postmasterPid = (dataDir: string): number =>
  Number.parseInt(readFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), "utf8"), 10);

/** A process that has started the embedded Postgres of this directory. */
async function serverOf(dataDir: string, ...more: string[]): Promise<Subprocess<"ignore", "pipe", "inherit">> {
  const server = Bun.spawn([process.execPath, join(import.meta.dir, "server.ts"), dataDir, programDir, ...more], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const chunk of server.stdout) if (Buffer.from(chunk).includes("ready")) break;
  return server;
}

const guardOf = (server: Subprocess): number =>
  Number(Bun.spawnSync(["pgrep", "-P", String(server.pid), "-f", "maestro-guard"]).stdout.toString());

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe("the embedded Postgres", () => {
  let dataDir: string;
  beforeAll(async () => {
    dataDir = join(parent, "data");
    const embedded = await start(dataDir);
    await withDatabase(embedded, async (sql) => {
      await checkServer(sql);
      await sql`CREATE TABLE mark (id bigint PRIMARY KEY)`;
      await sql`INSERT INTO mark VALUES (1)`;
    });
    await embedded.stop();
  }, START_MS);

  test("keeps its data, durably and behind a password of its own", async () => {
    const embedded = await start(dataDir);
    await withDatabase(embedded, async (sql) => {
      expect(await marks(sql)).toEqual([1]);
      const [row] = await sql`
        SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous,
          current_setting('server_encoding') AS encoding, current_setting('listen_addresses') AS addresses`;
      expect({ ...row }).toEqual({ fsync: "on", synchronous: "on", encoding: "UTF8", addresses: "" });
    });
    const withoutPassword = embedded.url.replace(/:[^:@]+@/, ":wrong@");
    await expect(withDatabase({ ...embedded, url: withoutPassword }, marks)).rejects.toThrow(/password/);
    expect(statSync(join(dataDir, "postgres/password")).mode & 0o777).toBe(0o600);
    await embedded.stop();
    expect(existsSync(join(dataDir, "maestro.lock"))).toBe(false);
    expect(existsSync(join(dataDir, "postgres/cluster/postmaster.pid"))).toBe(false);
  });

  test("refuses a second server on its directory, naming the first", async () => {
    const embedded = await start(dataDir);
    await expect(start(dataDir)).rejects.toThrow(`process ${process.pid}`);
    await expect(start(dataDir)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await withDatabase(embedded, marks)).toEqual([1]);
    await embedded.stop();
  });

  test(
    "ends when its server is killed, and leaves the database",
    async () => {
      const server = await serverOf(dataDir);
      const orphan = postmasterPid(dataDir);
      const guard = guardOf(server);
      server.kill("SIGKILL");
      expect(await waitForExit(orphan, 10_000)).toBe(true);
      expect(await waitForExit(guard, 10_000)).toBe(true);
      expect(existsSync(join(dataDir, "postgres/cluster/postmaster.pid"))).toBe(false);
    },
    START_MS,
  );

  test(
    "takes over from a server that was killed, its guard too",
    async () => {
      const server = await serverOf(dataDir);
      const orphan = postmasterPid(dataDir);
      process.kill(guardOf(server), "SIGKILL");
      server.kill("SIGKILL");
      await server.exited;
      expect(isAlive(orphan)).toBe(true);

      const embedded = await start(dataDir);
      expect(isAlive(orphan)).toBe(false);
      expect(await withDatabase(embedded, marks)).toEqual([1]);
      await embedded.stop();
    },
    START_MS,
  );

  test(
    "starts its child again when that dies, under the same address",
    async () => {
      const embedded = await start(dataDir);
      const first = postmasterPid(dataDir);
      process.kill(first, "SIGKILL");
      await waitForExit(first, 5_000);
      const found = await withDatabase(embedded, async (sql) => {
        for (;;) {
          const ids = await marks(sql).catch(() => undefined);
          if (ids) return ids;
        }
      });
      expect(found).toEqual([1]);
      expect(postmasterPid(dataDir)).not.toBe(first);
      await embedded.stop();
    },
    START_MS,
  );

  test("is not held up by a predecessor that nobody has reaped", async () => {
    // The shell starts a child and becomes a program that does not wait for it, before the child ends.
    const parent = Bun.spawn(["/bin/sh", "-c", "sleep 0.2 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const { value } = await parent.stdout.getReader().read();
      const zombie = Number(Buffer.from(value ?? []).toString());
      await waitForExit(zombie, 5_000);
      expect(isTaken(zombie)).toBe(true);
      writeFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), `${zombie}\n${dataDir}\n`, { mode: 0o600 });
      const embedded = await start(dataDir);
      expect(await withDatabase(embedded, marks)).toEqual([1]);
      await embedded.stop();
    } finally {
      parent.kill("SIGKILL");
    }
  });

  test("is not misled by pids that were given to other processes", async () => {
    const lock = join(dataDir, "maestro.lock");
    writeFileSync(lock, JSON.stringify({ pid: process.pid, startTime: "long ago" }));
    writeFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), `${process.pid}\n${dataDir}\n`);
    const embedded = await start(dataDir);
    expect(await withDatabase(embedded, marks)).toEqual([1]);
    await embedded.stop();
    writeFileSync(lock, "half a lo");
    await (await start(dataDir)).stop();
  });

  test.each(["16", "19"])("refuses a database of Postgres %s and leaves it alone", async (version) => {
    const file = join(dataDir, "postgres/cluster/PG_VERSION");
    const own = readFileSync(file, "utf8");
    writeFileSync(file, `${version}\n`);
    const before = readdirSync(join(dataDir, "postgres")).sort();
    await expect(start(dataDir)).rejects.toThrow(/Postgres 1[69].*pg_dump/);
    expect(readdirSync(join(dataDir, "postgres")).sort()).toEqual(before);
    writeFileSync(file, own);
  });

  test("refuses a database that lost files, instead of beginning a new one", async () => {
    const directory = join(parent, "torn");
    mkdirSync(join(directory, "postgres/cluster/base"), { recursive: true });
    await expect(start(directory)).rejects.toThrow(/isn't complete/);
    expect(readdirSync(join(directory, "postgres/cluster"))).toEqual(["base"]);
  });
});

test(
  "a first start that was interrupted begins afresh and deletes nothing",
  async () => {
    const dataDir = join(parent, "interrupted");
    const draft = join(dataDir, "postgres/initializing");
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, "PG_VERSION"), "18\n");
    const embedded = await start(dataDir);
    expect(await withDatabase(embedded, (sql) => sql`SELECT 1 AS one`)).toHaveLength(1);
    await embedded.stop();
    const aside = readdirSync(join(dataDir, "postgres")).filter((name) => name.includes(".interrupted."));
    expect(aside).toHaveLength(1);
    expect(readFileSync(join(dataDir, "postgres", aside[0] ?? "", "PG_VERSION"), "utf8")).toBe("18\n");
  },
  START_MS,
);

test("a data directory that can't be made is refused with what would be right", async () => {
  const file = join(parent, "file");
  writeFileSync(file, "");
  await expect(start(join(file, "data"))).rejects.toThrow(/can't be used.*--data-dir/);
});

test(
  "a path that is too long for a socket works: sockets are in a new folder that nobody else may enter",
  async () => {
    const embedded = await start(join(parent, "long".repeat(30)));
    const sockets = new URL(embedded.url).searchParams.get("host") ?? "";
    expect(sockets).toMatch(/^\/tmp\/maestro-\w{6}$/);
    expect(modeOf(sockets)).toBe("700");
    expect(await withDatabase(embedded, (sql) => sql`SELECT 1 AS one`)).toHaveLength(1);
    await embedded.stop();
    expect(existsSync(sockets)).toBe(false);
  },
  START_MS,
);

test(
  "what a throw-away server made is gone when it has been killed, its Postgres too",
  async () => {
    const scratch = mkdtempSync(join(tmpdir(), "maestro-scratch-"));
    const dataDir = join(scratch, "long".repeat(30), "data");
    const server = await serverOf(dataDir, scratch);
    const [postgres, guard] = [postmasterPid(dataDir), guardOf(server)];
    const sockets = readFileSync(join(dataDir, "postgres/cluster/postmaster.pid"), "utf8").split("\n")[4] ?? "";
    expect(existsSync(sockets)).toBe(true);
    server.kill("SIGKILL");
    expect(await waitForExit(guard, 20_000)).toBe(true);
    expect([isAlive(postgres), existsSync(sockets), existsSync(scratch)]).toEqual([false, false, false]);
  },
  START_MS,
);

test(
  "what is made is for the server's user and Postgres' alone",
  async () => {
    const dataDir = join(parent, "modes");
    const embedded = await startEmbedded({ dataDir, log });
    const isRoot = process.getuid?.() === 0;
    expect(modeOf(dataDir)).toBe(isRoot ? "711" : "700");
    expect(modeOf(join(dataDir, "maestro.lock"))).toBe("600");
    expect(modeOf(join(dataDir, "postgres"))).toBe("700");
    expect(modeOf(join(dataDir, "postgres/run"))).toBe("700");
    expect(modeOf(join(dataDir, "postgres/postgres.log"))).toBe("600");
    // The parent is closed to other accounts, so root keeps programs elsewhere; what it has made stays to look at.
    expect(modeOf(join(dataDir, "program"))).toBe(isRoot ? "755" : "700");
    await embedded.stop();
  },
  START_MS,
);

describe.if(process.platform !== "win32")("a folder for Postgres that is not the server's", () => {
  test("is refused when it is a link, whose target stays as it is", async () => {
    const [dataDir, target] = [join(parent, "linked"), join(parent, "target")];
    mkdirSync(dataDir);
    mkdirSync(target, { mode: 0o755 });
    const before = statSync(target);
    symlinkSync(target, join(dataDir, "postgres"));
    await expect(start(dataDir)).rejects.toThrow(/is a link.*Nothing was changed/);
    expect([modeOf(target), statSync(target).uid, readdirSync(target)]).toEqual(["755", before.uid, []]);
  });

  test.each(["postgres.log", "password"])(
    "does not lead to what a link in it points at: %s",
    async (name) => {
      const [dataDir, target] = [join(parent, `link-${name}`), join(parent, `target-${name}`)];
      mkdirSync(join(dataDir, "postgres"), { recursive: true, mode: 0o700 });
      writeFileSync(target, "untouched", { mode: 0o640 });
      const before = statSync(target);
      symlinkSync(target, join(dataDir, "postgres", name));
      const outcome = await start(dataDir).catch((error: Error) => error);
      if (outcome instanceof Error) expect(outcome.message).toMatch(/postgres\.log.* is a link/);
      else await outcome.stop();
      expect([readFileSync(target, "utf8"), modeOf(target), statSync(target).uid]).toEqual([
        "untouched",
        "640",
        before.uid,
      ]);
    },
    START_MS,
  );

  test("does not lead the lock to what a link beside it points at", async () => {
    const [dataDir, target] = [join(parent, "lock-link"), join(parent, "target-lock")];
    mkdirSync(dataDir);
    writeFileSync(target, "untouched");
    symlinkSync(target, join(dataDir, `maestro.lock.${process.pid}`));
    acquireLock(dataDir).release();
    expect(readFileSync(target, "utf8")).toBe("untouched");
  });

  test.if(process.getuid?.() === 0)("is refused when it belongs to a third user", async () => {
    const dataDir = join(parent, "foreign");
    mkdirSync(join(dataDir, "postgres"), { recursive: true });
    chownSync(dataDir, 1234, 1234);
    chownSync(join(dataDir, "postgres"), 4321, 4321);
    await expect(start(dataDir)).rejects.toThrow(/belongs to user 4321/);
    expect(statSync(join(dataDir, "postgres")).uid).toBe(4321);
  });

  test.if(process.getuid?.() === 0)(
    "is Postgres' own when root serves another user's data",
    async () => {
      const dataDir = join(parent, "theirs");
      mkdirSync(dataDir);
      chownSync(dataDir, 1, 1);
      const embedded = await start(dataDir);
      expect(statSync(join(dataDir, "postgres/cluster")).uid).toBe(1);
      await embedded.stop();
    },
    START_MS,
  );
});

/** A file system of that many megabytes; undefined where we may not make one (it takes root on Linux). */
function smallDisk(megabytes: number): string | undefined {
  const path = mkdtempSync(join(tmpdir(), "maestro-small-"));
  const mount = ["mount", "-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", path];
  if (process.platform === "linux" && process.getuid?.() === 0 && Bun.spawnSync(mount).exitCode === 0) return path;
  rmSync(path, { recursive: true });
  console.warn("The tests of a full disk need root on Linux, and are left out");
  return undefined;
}

test(
  "a full disk is named, and what was there still starts when it has room again",
  async () => {
    const disk = smallDisk(60);
    if (!disk) return;
    try {
      const dataDir = join(disk, "data");
      await (await start(dataDir)).stop();
      const filler = join(disk, "filler");
      Bun.spawnSync(["dd", "if=/dev/zero", `of=${filler}`, "bs=16k"], { stdio: ["ignore", "ignore", "ignore"] });
      await expect(start(dataDir)).rejects.toThrow(/is full.*--data-dir/);
      await expect(start(join(disk, "other"))).rejects.toThrow(/is full|ENOSPC/);
      rmSync(filler);
      await (await start(dataDir)).stop();
    } finally {
      Bun.spawnSync(["umount", disk]);
      rmSync(disk, { recursive: true });
    }
  },
  START_MS,
);
