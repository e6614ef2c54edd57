/** Recorded conversations, outcomes and samples, and the scripts that play them against the executable. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { serverUrl } from "./kit/server.ts";

export const compatDir = resolve(process.env.MAESTRO_COMPAT_DIR ?? resolve(import.meta.dir, "../../../shared/compat"));
export const isPresent = existsSync(compatDir);
if (!isPresent) console.warn(`SKIPPED: conformance tests, since ${compatDir} is absent (set MAESTRO_COMPAT_DIR)`);

/** What a script of the compat folder wrote. @throws Error when it wrote nothing */
export async function runScript(script: string, ...args: readonly string[]): Promise<string> {
  const url = await serverUrl();
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
