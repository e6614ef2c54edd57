import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkServer, connect, type Sql } from "../../src/store/connection.ts";
import { type Embedded, startEmbedded } from "../../src/store/embedded/embedded.ts";
import { isAlive, waitForExit } from "../../src/store/embedded/process.ts";

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
    "takes over from a server that was killed",
    async () => {
      const server = Bun.spawn([process.execPath, join(import.meta.dir, "server.ts"), dataDir, programDir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      for await (const chunk of server.stdout) if (Buffer.from(chunk).includes("ready")) break;
      const orphan = postmasterPid(dataDir);
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
  "a path that is too long for a socket still works",
  async () => {
    const embedded = await start(join(parent, "long".repeat(30)));
    expect(await withDatabase(embedded, (sql) => sql`SELECT 1 AS one`)).toHaveLength(1);
    await embedded.stop();
  },
  START_MS,
);

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
