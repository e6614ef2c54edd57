/**
 * Loads plugins in a runtime thread. Those from outside share the host's SDK (and its zod), which is injected under the
 * name that they import it by: they need no copy of their own.
 */
import { readFileSync, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import * as sdk from "@maestro/sdk";
import { badRequest, toErrorData } from "../error.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json.ts";
import type { PluginFailure, PluginSource } from "./protocol.ts";
import type { PluginType } from "./type.ts";

export interface Loaded {
  readonly types: readonly sdk.StepType[];
  readonly metadata: readonly PluginType[];
  readonly failures: readonly PluginFailure[];
}

/** Step types whose runtimes are the engine's own. */
const RESERVED = new Set(["noop", "sleep", "join", "foreach", "while", "subworkflow", "template"]);

let isInjected = false;

function injectSdk(): void {
  if (isInjected) return;
  isInjected = true;
  Bun.plugin({
    name: "maestro-sdk",
    setup: (build) => void build.module("@maestro/sdk", () => ({ exports: sdk, loader: "object" })),
  });
}

/** Never throws: what does not load is among the failures. The first plugin of a type wins. */
export async function loadPlugins(sources: readonly PluginSource[]): Promise<Loaded> {
  injectSdk();
  const types = new Map<string, sdk.StepType>();
  const metadata: PluginType[] = [];
  const failures: PluginFailure[] = [];
  for (const source of sources) {
    try {
      for (const type of await loadTypes(source.path)) {
        const key = type.type.toLowerCase();
        if (RESERVED.has(key) || types.has(key)) throw badRequest(`There is a step type [${type.type}] already`);
        metadata.push(describe(type));
        types.set(key, type);
      }
    } catch (error) {
      failures.push({ name: source.name, message: reasonOf(error) });
    }
  }
  return { types: [...types.values()], metadata, failures };
}

/** What the compiler found is shown with its lines; Bun gathers several findings in one error. */
function reasonOf(error: unknown): string {
  const findings: readonly unknown[] = error instanceof AggregateError ? error.errors : [error];
  const texts = findings.map((finding) => {
    const at = finding instanceof BuildMessage ? finding.position : null;
    return `${at ? `line ${at.line}, column ${at.column}: ` : ""}${toErrorData(finding).message}`;
  });
  return texts.join("; ");
}

async function loadTypes(path: string): Promise<readonly sdk.StepType[]> {
  const module = (await import(entryOf(path))) as { readonly default?: unknown };
  const exported = Array.isArray(module.default) ? module.default : [module.default];
  if (exported.every(sdk.isStepType)) return exported;
  const version = (exported[0] as { readonly apiVersion?: unknown } | undefined)?.apiVersion;
  if (typeof version === "number" && version !== sdk.API_VERSION) {
    throw badRequest(
      `The plugin is made for version ${version} of the SDK; this server has version ${sdk.API_VERSION}`,
    );
  }
  throw badRequest("The default export must be the result of defineStepType(…), or an array of them");
}

/** A file is itself; a folder names its entry in package.json, or has an index; anything else is a package's name. */
function entryOf(path: string): string {
  const full = isAbsolute(path) ? path : resolve(path);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory() ? folderEntry(full) : full;
  if (isAbsolute(path) || path.startsWith(".")) throw badRequest("There is no such file or folder");
  return Bun.resolveSync(path, process.cwd());
}

function folderEntry(folder: string): string {
  const manifest = readManifest(folder);
  const { maestro, module, main } = manifest;
  const named = [isJsonObject(maestro) ? maestro.entry : undefined, module, main, "index.ts", "index.js"];
  for (const name of named) {
    if (typeof name !== "string") continue;
    const file = join(folder, name);
    if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  }
  throw badRequest("The folder has neither an entry in package.json (maestro.entry) nor an index.ts");
}

function readManifest(folder: string): JsonObject {
  const file = join(folder, "package.json");
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return {};
  const manifest = parseJson(readFileSync(file, "utf8"));
  return isJsonObject(manifest) ? manifest : {};
}

function describe(type: sdk.StepType): PluginType {
  const schema = type.schema();
  return {
    type: type.type,
    version: type.version,
    title: type.title ?? type.type,
    ...(type.description !== undefined && { description: type.description }),
    schema,
    code: sdk.codeFields(schema),
    defaultParams: type.defaultParams ?? {},
  };
}
