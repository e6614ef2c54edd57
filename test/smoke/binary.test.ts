/**
 * The executable as a user gets it: alone in an empty directory, run by someone who can't write elsewhere. Needs
 * `bun run build` first.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, chownSync, copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";

const BINARY = join(import.meta.dir, "../../dist", process.platform === "win32" ? "maestro.exe" : "maestro");
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;
const LIMIT_MS = 60_000;

const chain = {
  properties: { owner: "smoke", run_strategy: "PARALLEL" },
  workflow: {
    id: "smoke-chain",
    steps: [
      { step: { id: "first", type: "NoOp", transition: { successors: { second: "true" } } } },
      { step: { id: "second", type: "NoOp" } },
    ],
  },
};

interface Server {
  readonly url: string;
  readonly process: Subprocess;
  /** Everything that was written to stderr so far. */
  log(): string;
}

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

async function serve(directory: string, account: Account): Promise<Server> {
  const child = Bun.spawn([join(directory, "maestro"), "serve", "--port", "0"], {
    cwd: directory,
    env: { PATH: process.env.PATH ?? "", HOME: directory, MAESTRO_DATA_DIR: join(directory, "data") },
    stdio: ["ignore", "pipe", "pipe"],
    ...account,
  });
  let log = "";
  const decoder = new TextDecoder();
  void (async () => {
    for await (const chunk of child.stderr) log += decoder.decode(chunk, { stream: true });
  })();
  let out = "";
  for await (const chunk of child.stdout) {
    out += decoder.decode(chunk, { stream: true });
    const url = /^ready (http\S+)$/m.exec(out)?.[1];
    if (url) return { url, process: child, log: () => log };
  }
  throw new Error(`The server ended (${await child.exited}) before it was ready:\n${log}`);
}

async function call(server: Server, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}${path}`, {
    headers: { user: "smoke", "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}\n${server.log()}`);
  return JSON.parse(text) as Record<string, unknown>;
}

const RUN = "/api/v3/workflows/smoke-chain/instances/1/runs/1";

async function finalStatus(server: Server): Promise<unknown> {
  return (await call(server, `${RUN}?wait=30`)).status;
}

const accounts: readonly (readonly [string, Account])[] = isRoot
  ? [
      ["another user", { uid: NOBODY, gid: NOBODY }],
      ["root", {}],
    ]
  : [["this user", {}]];

describe.each(accounts)("the executable, run by %s in an empty directory,", (_, account) => {
  let directory: string;
  const running: Subprocess[] = [];
  const started = async (): Promise<Server> => {
    const server = await serve(directory, account);
    running.push(server.process);
    return server;
  };
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "maestro-smoke-"));
    copyFileSync(BINARY, join(directory, "maestro"));
    chmodSync(join(directory, "maestro"), 0o755);
    if (account.uid !== undefined && account.gid !== undefined) chownSync(directory, account.uid, account.gid);
  });
  afterAll(async () => {
    for (const child of running) child.kill("SIGTERM");
    await Promise.all(running.map((child) => child.exited));
    rmSync(directory, { recursive: true, force: true });
  });

  test(
    "serves, runs a workflow, ends in order on SIGTERM and keeps everything",
    async () => {
      const first = await started();
      await call(first, "/api/v3/workflows", chain);
      await call(first, "/api/v3/workflows/smoke-chain/versions/latest/actions/start", {
        initiator: { type: "MANUAL" },
      });
      expect(await finalStatus(first)).toBe("SUCCEEDED");

      const before = performance.now();
      first.process.kill("SIGTERM");
      expect(await first.process.exited, first.log()).toBe(0);
      expect(performance.now() - before).toBeLessThan(5_000);
      expect(existsSync(join(directory, "data/maestro.lock"))).toBe(false);

      const second = await started();
      expect((await call(second, RUN)).status).toBe("SUCCEEDED");
      expect(readdirSync(directory).sort()).toEqual(["data", "maestro"]);
    },
    LIMIT_MS,
  );

  test(
    "comes back after kill -9 with what was committed",
    async () => {
      for (const child of running.splice(0)) {
        child.kill("SIGKILL");
        await child.exited;
      }
      expect((await call(await started(), RUN)).status).toBe("SUCCEEDED");
    },
    LIMIT_MS,
  );

  test(
    "says which process holds the data directory",
    async () => {
      const [holder] = running;
      await expect(serve(directory, account)).rejects.toThrow(`process ${holder?.pid}`);
    },
    LIMIT_MS,
  );
});
