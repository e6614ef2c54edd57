/** How this program is called from where its user stands: for commands that are printed to be pasted. */
import { realpathSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { DEFAULT_SERVER } from "../server/option.ts";
import { IS_COMPILED } from "../spawn.ts";
import type { Io } from "./command.ts";

/** What is run: the executable, or Bun and the source file. */
const RUNNING: readonly string[] = IS_COMPILED ? [process.execPath] : [process.execPath, Bun.main];

/**
 * Such as `dist/maestro run get etl 7`, which does what it says wherever this program was called.
 *
 * @param server the one that the command is for
 */
export function commandLine(io: Pick<Io, "cwd" | "env">, server: string, words: readonly (string | number)[]): string {
  const to = server === DEFAULT_SERVER ? [] : ["--server", server];
  return [programName(io), ...[...words, ...to].map((it) => word(String(it)))].join(" ");
}

/** @param running absolute paths; the last is the program, one before it runs it */
export function programName({ cwd, env }: Pick<Io, "cwd" | "env">, running = RUNNING): string {
  return running.map((path) => word(shortest(path, cwd, env.PATH ?? ""))).join(" ");
}

function shortest(path: string, cwd: string, searched: string): string {
  const name = path.slice(path.lastIndexOf(sep) + 1);
  const found = Bun.which(name, { PATH: searched, cwd });
  if (found !== null && realpathSync(found) === realpathSync(path)) return name;
  const near = relative(cwd, path);
  if (near.startsWith("..") || isAbsolute(near)) return path;
  return near.includes(sep) ? near : `.${sep}${near}`;
}

const word = (text: string): string => (/^[\w@%+=:,./\\-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
