/**
 * Where the program's separate entry points are: worker threads and built-in plugins. Under `bun run` they are files of
 * the source tree; in the executable they are inside it, and a path relative to the source file doesn't exist.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** The build puts the names here (`--define`). */
declare const MAESTRO_PLUGINS: readonly string[] | undefined;

const PLUGIN_DIR = join(import.meta.dir, "..", "plugins");

/** The root of the file system inside an executable, on POSIX and on Windows. */
const INSIDE = /^(?:.*\$bunfs|.*~BUN)[\\/]root/.exec(import.meta.path)?.[0];

/** Whether this is the executable, and not Bun with the sources. */
export const IS_COMPILED = INSIDE !== undefined;

/**
 * Starts a worker thread. Attach its listeners before anything is awaited: a message without a listener is lost.
 *
 * @param entry the source file relative to the project: `src/flow/worker.ts`. The build takes every `worker.ts` of `src/`.
 */
export function spawnWorker(entry: string, options: WorkerOptions = {}): Worker {
  return new Worker(INSIDE ? `./${entry}` : new URL(`../${entry}`, import.meta.url).href, options);
}

/** The plugins that belong to the program, by the names of their folders in `plugins/`, sorted. */
export function builtinPlugins(): readonly string[] {
  if (typeof MAESTRO_PLUGINS !== "undefined") return MAESTRO_PLUGINS;
  const names = readdirSync(PLUGIN_DIR).filter((name) => existsSync(join(PLUGIN_DIR, name, "index.ts")));
  return names.filter((name) => name !== "sdk").sort();
}

/** What to `import()` for a built-in plugin. */
export function pluginEntry(name: string): string {
  return INSIDE === undefined ? join(PLUGIN_DIR, name, "index.ts") : `${INSIDE}/plugins/${name}/index.js`;
}
