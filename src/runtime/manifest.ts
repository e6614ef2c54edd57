/**
 * Where a plugin is, and what its package.json says of it:
 *
 * ```json
 * { "maestro": { "apiVersion": 1, "entry": "src/plugin.ts" } }
 * { "maestro": { "apiVersion": 1, "isolation": "process", "command": ["python3", "plugin.py"] } }
 * ```
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { API_VERSION } from "@maestro/sdk";
import { z } from "zod";
import { badRequest } from "../error.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json.ts";
import { issues } from "./result.ts";

export type Located =
  /** A module to import in a runtime thread. */
  | { readonly isolation: "thread"; readonly entry: string }
  /** A command that serves step types over stdin and stdout, with the plugin's folder as its working directory. */
  | { readonly isolation: "process"; readonly folder: string; readonly command: readonly string[] };

const WORD = z.string().min(1);

/** Keys that others read are let pass. */
const schema = z.looseObject({
  apiVersion: z.int().optional(),
  isolation: z.enum(["thread", "process"]).default("thread"),
  entry: WORD.optional(),
  command: z.array(WORD).min(1).optional(),
});

/**
 * A file is itself; a folder says what it is in package.json, or has an index; anything else is a package's name.
 * @throws MaestroError that says what is wrong
 */
export function locate(path: string): Located {
  const full = isAbsolute(path) ? path : resolve(path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory() ? inFolder(full) : { isolation: "thread", entry: full };
  if (isAbsolute(path) || path.startsWith(".")) throw badRequest("There is no such file or folder");
  const folder = packageFolder(path);
  const found = folder === undefined ? undefined : ofProcess(folder, readPackage(folder));
  return found ?? { isolation: "thread", entry: Bun.resolveSync(path, process.cwd()) };
}

function packageFolder(name: string): string | undefined {
  try {
    return dirname(Bun.resolveSync(`${name}/package.json`, process.cwd()));
  } catch {
    return undefined; // it hides its package.json, or there is none
  }
}

function inFolder(folder: string): Located {
  const manifest = readPackage(folder);
  return ofProcess(folder, manifest) ?? { isolation: "thread", entry: entryOf(folder, manifest) };
}

/** Undefined when it is a module. */
function ofProcess(folder: string, manifest: JsonObject): Located | undefined {
  const { apiVersion, isolation, command } = read(manifest);
  if (apiVersion !== undefined && apiVersion !== API_VERSION) {
    throw badRequest(
      `The plugin is made for version ${apiVersion} of the SDK (maestro.apiVersion); this server has version ${API_VERSION}`,
    );
  }
  if (isolation === "thread") {
    if (command === undefined) return undefined;
    throw badRequest('package.json has maestro.command, which goes with maestro.isolation "process"');
  }
  if (command === undefined) {
    throw badRequest(
      'A plugin with maestro.isolation "process" needs maestro.command, such as ["python3", "plugin.py"]',
    );
  }
  const [program = "", ...args] = command;
  const isPath = program.startsWith("./") || program.startsWith("../");
  return { isolation, folder, command: [isPath ? join(folder, program) : program, ...args] };
}

function read(manifest: JsonObject): z.infer<typeof schema> {
  const { success, data, error } = schema.safeParse(manifest.maestro ?? {});
  if (success) return data;
  throw badRequest(
    `package.json: ${issues(error.issues)
      .map((text) => `maestro.${text}`)
      .join("; ")}`,
  );
}

function entryOf(folder: string, { maestro, module, main }: JsonObject): string {
  const named = [isJsonObject(maestro) ? maestro.entry : undefined, module, main, "index.ts", "index.js"];
  for (const name of named) {
    if (typeof name !== "string") continue;
    const file = join(folder, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  throw badRequest("The folder has neither an entry in package.json (maestro.entry) nor an index.ts");
}

function readPackage(folder: string): JsonObject {
  const file = join(folder, "package.json");
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return {};
  const manifest = parseJson(readFileSync(file, "utf8"));
  return isJsonObject(manifest) ? manifest : {};
}
