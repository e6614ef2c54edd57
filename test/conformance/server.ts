/**
 * The executable under test: `MAESTRO_BINARY`, else `dist/maestro`, which `bun run build` makes. One server on a new
 * data directory for the process, started by the first test that asks.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { BINARY, type Server, startServer } from "../bench/server.ts";
import { atEnd } from "../support/end.ts";

/** Recorded conversations, outcomes and samples. */
export const compatDir = resolve(process.env.MAESTRO_COMPAT_DIR ?? resolve(import.meta.dir, "../../../shared/compat"));
export const isPresent = existsSync(compatDir);
if (!isPresent) console.warn(`SKIPPED: conformance tests, since ${compatDir} is absent (set MAESTRO_COMPAT_DIR)`);

let server: Promise<Server> | undefined;

export function sharedServer(): Promise<Server> {
  server ??= start();
  return server;
}

async function start(): Promise<Server> {
  const program = resolve(process.env.MAESTRO_BINARY ?? BINARY);
  if (!existsSync(program)) throw new Error(`${program} is absent: run "bun run build" first`);
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-conformance-"));
  const started = await startServer({ program: [program], dataDir });
  atEnd.push(async () => {
    await started.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return started;
}

/** What a script of the compat folder wrote. @throws Error when it wrote nothing */
export async function runScript(script: string, ...args: readonly string[]): Promise<string> {
  const { url } = await sharedServer();
  const path = join(compatDir, script);
  const child = Bun.spawn([process.execPath, path, "--url", url, ...args], {
    cwd: dirname(path),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  await child.exited;
  if (out === "") throw new Error(`${script} wrote nothing:\n${errors}`);
  return out;
}
