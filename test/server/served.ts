/** A server as a process on a database of its own, and a client that keeps numbers whole. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isJsonObject, type Json, type JsonObject, parseJson, stringifyJson } from "../../src/json.ts";
import { type Program, sourceProgram, startServer } from "../bench/server.ts";
import { freshDatabase } from "../support/database.ts";
import { atEnd } from "../support/end.ts";

/** Milliseconds that a test with a server may take. */
export const PATIENCE = 90_000;

export interface Served {
  readonly url: string;
  /** The URL of its database. */
  readonly database: string;
  /** What the server has logged. */
  log(): string;
  /** @returns the answer's text. @throws Error with the body when it is no success */
  send(method: string, path: string, body?: unknown): Promise<string>;
  /** Starts a run and waits for its end. @returns its path */
  run(workflow: string, runParams?: JsonObject): Promise<string>;
}

/** @param env settings of the server */
export async function served(
  env: Readonly<Record<string, string>> = {},
  program: Program = sourceProgram,
): Promise<Served> {
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-served-"));
  const database = await freshDatabase();
  const server = await startServer({
    program,
    dataDir,
    env: { MAESTRO_DATABASE_URL: database.url, MAESTRO_ENGINE_THREADS: "1", MAESTRO_RUNTIME_THREADS: "1", ...env },
  });
  atEnd.push(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function send(method: string, path: string, body?: unknown): Promise<string> {
    const response = await fetch(`${server.url}/api/v3/workflows${path}`, {
      method,
      headers: { user: "ann", "content-type": "application/json" },
      ...(body !== undefined && { body: typeof body === "string" ? body : stringifyJson(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }

  async function run(workflow: string, runParams: JsonObject = {}): Promise<string> {
    const body = { initiator: { type: "manual" }, run_params: runParams };
    const started = read(await send("POST", `/${workflow}/versions/latest/actions/start`, body));
    const path = `/${workflow}/instances/${started.workflow_instance_id}/runs/${started.workflow_run_id}`;
    await send("GET", `${path}?wait=60`);
    return path;
  }
  return { url: server.url, database: database.url, log: server.log, send, run };
}

/** An answer that is an object. */
export function read(text: string): JsonObject {
  const answer = parseJson(text);
  if (!isJsonObject(answer)) throw new Error(text);
  return answer;
}

/** What a path of keys leads to; undefined where an own property is missing. */
export function at(value: Json | undefined, ...keys: readonly string[]): Json | undefined {
  let found = value;
  for (const key of keys) {
    if (!isJsonObject(found) || !Object.hasOwn(found, key)) return undefined;
    found = found[key];
  }
  return found;
}
