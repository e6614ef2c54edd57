/**
 * Loads plugins in a runtime thread: modules, and processes that serve step types. Modules from outside share the host's
 * SDK (and its zod), which is injected under the name that they import it by: they need no copy of their own.
 */
import * as sdk from "@maestro/sdk";
import { badRequest, toErrorData } from "../error.ts";
import { locate } from "./manifest.ts";
import { ProcessPlugin } from "./process/plugin.ts";
import type { PluginFailure, PluginLine, PluginSource } from "./protocol.ts";
import type { PluginType } from "./type.ts";

export interface Loaded {
  readonly types: readonly sdk.StepType[];
  readonly metadata: readonly PluginType[];
  readonly failures: readonly PluginFailure[];
  /** Ends the processes of plugins. */
  stop(): Promise<void>;
}

export interface LoadPort {
  line(level: PluginLine["level"], message: string): void;
  /** Takes secrets out of a text. */
  clean?(text: string): string;
  /** A process of a plugin lives, or does no longer. */
  onProcess?(pid: number, isAlive: boolean): void;
}

const QUIET: LoadPort = { line() {} };

interface Found {
  readonly types: readonly sdk.StepType[];
  /** Ends its process. */
  stop?(): Promise<void>;
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
export async function loadPlugins(sources: readonly PluginSource[], port: LoadPort = QUIET): Promise<Loaded> {
  injectSdk();
  const types = new Map<string, sdk.StepType>();
  const metadata: PluginType[] = [];
  const failures: PluginFailure[] = [];
  const stops: (() => Promise<void>)[] = [];
  const found = await Promise.allSettled(sources.map((source) => find(source, port)));
  for (const [index, outcome] of found.entries()) {
    const name = sources[index]?.name ?? "";
    try {
      if (outcome.status === "rejected") throw outcome.reason;
      if (outcome.value.stop !== undefined) stops.push(outcome.value.stop);
      for (const type of outcome.value.types) {
        const key = type.type.toLowerCase();
        if (RESERVED.has(key) || types.has(key)) throw badRequest(`There is a step type [${type.type}] already`);
        metadata.push(describe(type));
        types.set(key, type);
      }
    } catch (error) {
      failures.push({ name, message: reasonOf(error) });
    }
  }
  const stop = async (): Promise<void> => void (await Promise.all(stops.map((end) => end())));
  return { types: [...types.values()], metadata, failures, stop };
}

async function find({ name, path }: PluginSource, port: LoadPort): Promise<Found> {
  const place = locate(path);
  if (place.isolation === "thread") return { types: await importTypes(place.entry) };
  const plugin = new ProcessPlugin({ name, command: place.command, folder: place.folder, ...port });
  return { types: await plugin.start(), stop: () => plugin.stop() };
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

async function importTypes(entry: string): Promise<readonly sdk.StepType[]> {
  const module = (await import(entry)) as { readonly default?: unknown };
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
