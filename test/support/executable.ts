/**
 * The executable under test: `MAESTRO_BINARY`, else `dist/maestro`, which `bun run build` makes. One server on a new
 * data directory for the process, started by the first test that asks.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BINARY, type Server, startServer } from "../bench/server.ts";
import { atEnd } from "./end.ts";

let server: Promise<Server> | undefined;

export function sharedServer(): Promise<Server> {
  server ??= start();
  return server;
}

async function start(): Promise<Server> {
  const program = resolve(process.env.MAESTRO_BINARY ?? BINARY);
  if (!existsSync(program)) throw new Error(`${program} is absent: run "bun run build" first`);
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-executable-"));
  const started = await startServer({ program: [program], dataDir });
  atEnd.push(async () => {
    await started.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return started;
}
