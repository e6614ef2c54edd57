/** Plugins that are processes, for tests: scripts that this very Bun runs, and what is known of their processes. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ProcessPlugin, type ProcessPluginOptions } from "../../src/runtime/process/plugin.ts";
import { type Driver, inPlace } from "./harness.ts";

export interface Script {
  /** Fields of the hello; those that are undefined are left out. */
  readonly hello?: string;
  /** Statements for a call, with `id`, `op`, `context` and `say(message)`, `answer(fields)`, `pid` around them. */
  readonly call?: string;
  /** Statements for an `abort`, with `uuid`. */
  readonly abort?: string;
  /** Statements before the first line is read. */
  readonly before?: string;
  /** Whether pings are answered. Default `true`. */
  readonly ponging?: string;
  /** Statements at the end of stdin. */
  readonly end?: string;
}

const HELLO = `apiVersion: 1, stepTypes: [{ type: "odd", version: "1.0.0", params: { type: "object" } }]`;

/** The text of a plugin. */
export const scriptOf = ({ hello, call, abort, before, ponging, end }: Script): string => `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
const { pid } = process;
appendFileSync("pids", pid + "\\n");
const say = (message) => { process.stdout.write(JSON.stringify(message) + "\\n"); };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const calls = [];
let aborts = [];
${before ?? ""}
async function called({ id, op, stepType, context }) {
  const { uuid, params } = context;
  const answer = (fields) => say({ type: "result", id, ...fields });
  calls.push(op);
  ${call ?? `answer({ state: op === "terminate" ? "STOPPED" : "DONE" });`}
}
for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  if (message.type === "hello") say({ type: "hello", ...{ ${HELLO} }, ...{ ${hello ?? ""} } });
  if (message.type === "ping" && (${ponging ?? "true"})) say({ type: "pong" });
  if (message.type === "abort") { const { uuid } = message; aborts.push(uuid); ${abort ?? ""} }
  if (message.type === "call") void called(message);
}
${end ?? ""}`;

/** Writes a plugin's script into the folder. @returns how to run it */
export function commandOf(folder: string, script: Script | string): readonly string[] {
  writeFileSync(join(folder, "plugin.js"), typeof script === "string" ? script : scriptOf(script));
  return [process.execPath, "plugin.js"];
}

/** A folder with a plugin, for `--plugin`. */
export function packageOf(folder: string, script: Script | string): string {
  const maestro = { apiVersion: 1, isolation: "process", command: commandOf(folder, script) };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ maestro }));
  return folder;
}

/** The processes that have been started in the folder, in order. */
export const pidsOf = (folder: string): readonly number[] =>
  readFileSync(join(folder, "pids"), "utf8").trim().split("\n").map(Number);

/** Whether the process runs: what is dead and not reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    if (process.platform === "linux") return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Resolves when none of them runs. */
export async function gone(...pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await new Promise(setImmediate);
}

export interface Served extends AsyncDisposable {
  readonly plugin: ProcessPlugin;
  readonly driver: Driver;
  /** What the server's log was told. */
  readonly lines: readonly string[];
  /** Resolves when the server's log holds the text. */
  logged(text: string): Promise<void>;
}

/** A plugin and an engine thread's side of it. @throws Error when it does not start */
export async function serve(
  folder: string,
  script: Script | string | readonly string[],
  options: Partial<ProcessPluginOptions> = {},
): Promise<Served> {
  const lines: string[] = [];
  const command = Array.isArray(script) ? script : commandOf(folder, script as Script | string);
  const plugin = new ProcessPlugin({
    ...{ name: "odd", folder, command },
    line: (level, message) => lines.push(`${level} ${message}`),
    ...options,
  });
  const driver = inPlace(folder, await plugin.start());
  return {
    ...{ plugin, driver, lines },
    logged: async (text) => {
      while (!lines.some((line) => line.includes(text))) await new Promise(setImmediate);
    },
    [Symbol.asyncDispose]: async () => {
      driver[Symbol.dispose]();
      await plugin.stop();
    },
  };
}
