/** How this program is called from where its user stands: for commands that are printed to be pasted. */
import { realpathSync } from "node:fs";
import { isAbsolute, relative, sep } from "node:path";
import { IS_COMPILED } from "../spawn.ts";
import type { Io } from "./command.ts";

/** What is run: the executable, or Bun and the source file. */
const RUNNING: readonly string[] = IS_COMPILED ? [process.execPath] : [process.execPath, Bun.main];

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
