/** The program as a process: its streams, its signals, its exit codes. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const LIMIT_MS = 90_000;

let root = "";
let database: FreshDatabase | undefined;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "maestro-serve-"));
  database = await freshDatabase();
}, LIMIT_MS);
afterAll(async () => {
  await database?.close();
  rmSync(root, { recursive: true, force: true });
}, LIMIT_MS);

function start(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return Bun.spawn([process.execPath, MAIN, ...argv], {
    cwd: root,
    env: { PATH: process.env.PATH ?? "", HOME: root, TMPDIR: root, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test(
  "serve prints one line when it is ready, logs to stderr, and a signal drains it",
  async () => {
    const child = start(["serve", "--port", "0"], {
      MAESTRO_DATABASE_URL: database?.url ?? "",
      MAESTRO_DATA_DIR: join(root, "data"),
      MAESTRO_ENGINE_THREADS: "1",
    });
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let out = "";
    while (!out.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error(`ended: ${await child.stderr.text()}`);
      out += value;
    }
    const url = /^ready (http:\/\/127\.0\.0\.1:\d+)\n$/.exec(out)?.[1];
    expect(url).toBeDefined();
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
    expect((await reader.read()).done).toBe(true);
    for (const line of (await child.stderr.text()).trim().split("\n")) {
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), message: expect.any(String) });
    }
  },
  LIMIT_MS,
);

test("a bad setting stops the start with exit code 2", async () => {
  const child = start(["serve"], { MAESTRO_PORT: "x" });
  expect(await child.exited).toBe(2);
  expect(await child.stdout.text()).toBe("");
  expect(await child.stderr.text()).toBe(
    'maestro serve: MAESTRO_PORT is "x", and must be a whole number from 0 to 65535\nTry: maestro serve --help\n',
  );
});

test(
  "a database that isn't there is said, with exit code 1",
  async () => {
    const child = start(["serve", "--port", "0", "--database-url", "postgres://nobody:hush@127.0.0.1:1/none"]);
    expect(await child.exited).toBe(1);
    const err = await child.stderr.text();
    expect(err).toContain("maestro: ");
    expect(err).not.toContain("hush");
    expect(err).not.toContain("    at ");
  },
  LIMIT_MS,
);

test(
  "a port that is in use is said, with exit code 5",
  async () => {
    const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("mine") });
    const child = start(["serve", "--port", String(other.port)], {
      MAESTRO_DATABASE_URL: database?.url ?? "",
      MAESTRO_DATA_DIR: join(root, "data"),
    });
    expect(await child.exited).toBe(5);
    expect(await child.stderr.text()).toContain(
      `maestro: Cannot listen on 127.0.0.1:${other.port}: the port is in use.`,
    );
    await other.stop(true);
  },
  LIMIT_MS,
);

test(
  "the demo ends when it is interrupted while its run goes on, and watches no longer",
  async () => {
    const child = start(["demo"]);
    let out = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      const first = !out.includes("extract: ");
      out += piece;
      if (first && out.includes("extract: ")) child.kill("SIGINT");
    }
    expect(await child.exited).toBe(0);
    expect(readdirSync(root).filter((it) => it.startsWith("maestro-demo-"))).toEqual([]);
  },
  LIMIT_MS,
);

test(
  "the demo runs, shows its steps, and leaves nothing behind",
  async () => {
    const child = start(["demo"]);
    const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    expect([code, err]).toEqual([0, "Starting a server with a new database…\n"]);
    expect(out).toContain("├─ ✔ transform");
    expect(out).toContain("best country DE, best item chair");
    expect(out).toContain("Try next:");
    expect(readdirSync(root).filter((it) => it.startsWith("maestro-demo-"))).toEqual([]);
  },
  LIMIT_MS,
);
