/** A paused workflow's queue outlives the server, and goes on in its order: of the sources, or of the executable. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseJson, stringifyJson } from "../../src/json.ts";
import { type Program, type Server, startServer } from "../bench/server.ts";
import { freshDatabase } from "../support/database.ts";
import { atEnd } from "../support/end.ts";
import { PATIENCE } from "./served.ts";

const RUNS = 1000;

/** @param end how the first server ends: in order (SIGTERM), or by SIGKILL */
export async function pausedQueueTests(program: Program, end: "stop" | "kill"): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), "maestro-pause-"));
  const database = await freshDatabase();
  let server: Server | undefined;
  atEnd.push(async () => {
    await server?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  async function serve(): Promise<void> {
    await server?.[end]();
    const env = { MAESTRO_DATABASE_URL: database.url, MAESTRO_ENGINE_THREADS: "2", MAESTRO_RUNTIME_THREADS: "1" };
    server = await startServer({ program, dataDir, env });
  }

  async function send(method: string, path: string, body?: unknown) {
    const response = await fetch(`${server?.url}/api/v3/workflows${path}`, {
      method,
      headers: { user: "ann", "content-type": "application/json" },
      ...(body !== undefined && { body: stringifyJson(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return parseJson(text);
  }

  const push = (run_strategy: string) =>
    send("POST", "", {
      properties: { owner: "ann", run_strategy },
      workflow: { id: "paused", steps: [{ step: { id: "a", type: "NoOp" } }] },
    });
  const start = () => send("POST", "/paused/versions/latest/actions/start", { initiator: { type: "manual" } });

  test(
    `${RUNS} runs of a paused workflow wait through a restart of the server, and go one after the other`,
    async () => {
      await serve();
      await push("SEQUENTIAL");
      await send("PUT", "/paused/actions/pause");
      await Promise.all(Array.from({ length: RUNS }, start));
      await serve();
      const overview = { paused: true, nonterminal_instances: { CREATED: RUNS, IN_PROGRESS: 0 } };
      expect(await send("GET", "/paused/overview")).toMatchObject(overview);
      await send("PUT", "/paused/actions/resume");
      expect(await send("GET", `/paused/instances/${RUNS}/runs/1?wait=80`)).toMatchObject({ status: "SUCCEEDED" });
      const rows = await database.sql<{ ends: number; begins: number; status: string }[]>`SELECT status,
      start_time AS begins, end_time AS ends FROM run WHERE workflow_id = 'paused' ORDER BY instance_id`;
      expect(rows).toHaveLength(RUNS);
      for (const [i, { status, begins }] of rows.entries()) {
        expect(status).toBe("SUCCEEDED");
        expect(begins).toBeGreaterThanOrEqual(rows[i - 1]?.ends ?? 0);
      }
      await push("FIRST_ONLY");
      await send("PUT", "/paused/actions/pause");
      await expect(start()).rejects.toThrow(/409 .*Workflow \[paused\] is paused, and its run strategy does not queue/);
    },
    PATIENCE,
  );
}
