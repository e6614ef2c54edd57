/** What a job reports, over HTTP, with a real job: on whichever node, across a crash, and once. */
import { afterEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JsonObject, parseJson, stringifyJson } from "../../src/json.ts";
import { type Server, type ServerOptions, sourceProgram, startServer } from "../bench/server.ts";
import { freshDatabase } from "../support/database.ts";
import { PATIENCE } from "./served.ts";

const OUTPUT = "/api/v3/output-data";
const servers: Server[] = [];
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A workflow whose job says what it has for its callback, and goes on until it is let go. */
async function stage() {
  const folder = mkdtempSync(join(tmpdir(), "maestro-output-"));
  folders.push(folder);
  const [said, go] = [join(folder, "said"), join(folder, "go")];
  const { url: database } = await freshDatabase();
  const env = { MAESTRO_DATABASE_URL: database, MAESTRO_ENGINE_THREADS: "2", MAESTRO_RUNTIME_THREADS: "1" };

  async function serve(name: string, more: Partial<ServerOptions> = {}): Promise<Server> {
    const server = await startServer({ program: sourceProgram, dataDir: join(folder, name), env, ...more });
    servers.push(server);
    return server;
  }

  async function send(server: Server, method: string, path: string, body?: unknown, token?: string) {
    const response = await fetch(server.url + path, {
      method,
      headers: {
        user: "ann",
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
      ...(body !== undefined && { body: stringifyJson(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text.startsWith("{") ? parseJson(text) : {}) as JsonObject };
  }

  /** @returns what the job has for its callback */
  async function begin(server: Server, script = "exit 0", retries = 0) {
    const params = {
      shell: {
        type: "MAP",
        value: {
          script: {
            type: "STRING",
            value: `printenv MAESTRO_API_URL MAESTRO_STEP_TOKEN > ${said}.new && mv ${said}.new ${said}; until [ -e ${go} ]; do sleep 0.02; done; ${script}`,
          },
        },
      },
      rows: { type: "LONG", value: 0 },
      day: { type: "STRING", value: "none" },
    };
    const retry_policy = { error_retry_limit: retries, backoff: { type: "FIXED_BACKOFF" } };
    const steps = [{ step: { id: "job", type: "shell", params, retry_policy } }];
    const pushed = await send(server, "POST", "/api/v3/workflows", {
      properties: { owner: "ann" },
      workflow: { id: "reports", steps },
    });
    expect(pushed.status).toBe(200);
    const path = "/api/v3/workflows/reports/versions/latest/actions/start";
    expect((await send(server, "POST", path, { initiator: { type: "manual" } })).status).toBe(200);
    while (!existsSync(said)) await Bun.sleep(5);
    const [url = "", token = ""] = readFileSync(said, "utf8").split("\n");
    return { url, token };
  }

  return {
    ...{ serve, send, begin },
    letGo: () => writeFileSync(go, ""),
    ended: async (server: Server) =>
      (await send(server, "GET", "/api/v3/workflows/reports/instances/1/runs/1?wait=60")).body.status,
    step: async (server: Server) =>
      (await send(server, "GET", "/api/v3/workflows/reports/instances/1/runs/1/steps/job/attempts/latest")).body,
  };
}

const outputs = (rows: number, more: JsonObject = {}) => ({ params: { rows: { type: "LONG", value: rows }, ...more } });
const resultsOf = ({ params }: JsonObject) =>
  ["rows", "day"].map((name) => ((params as JsonObject)[name] as JsonObject).evaluated_result);

test(
  "a job reports to its server; what it reports counts once it has ended, after a crash of the server, too",
  async () => {
    const { serve, send, begin, letGo, ended, step } = await stage();
    const first = await serve("data");
    const { url, token } = await begin(first);
    expect(url).toBe(first.url);
    expect((await send(first, "PUT", OUTPUT, outputs(1))).status).toBe(401);
    expect((await send(first, "PUT", OUTPUT, outputs(1), `${token.slice(0, -2)}xx`)).status).toBe(403);
    expect((await send(first, "PUT", OUTPUT, { ...outputs(1), workflow_id: "other" }, token)).status).toBe(403);
    expect((await send(first, "PUT", OUTPUT, outputs(1, { day: "one" }), token)).status).toBe(200);
    expect((await send(first, "PUT", OUTPUT, outputs(7), token)).status).toBe(200);
    expect(resultsOf(await step(first))).toEqual([0, "none"]);
    await first.kill();
    const second = await serve("data");
    letGo();
    expect(await ended(second)).toBe("SUCCEEDED");
    expect(resultsOf(await step(second))).toEqual([7, "none"]);
    const late = await send(second, "PUT", OUTPUT, outputs(9), token);
    expect([late.status, late.body.status]).toEqual([409, "CONFLICT"]);
    expect(resultsOf(await step(second))).toEqual([7, "none"]);
    expect(first.log() + second.log()).not.toContain(token.slice(-43));
  },
  PATIENCE,
);

test(
  "a job may report to any node of the cluster",
  async () => {
    const { serve, send, begin, letGo, ended, step } = await stage();
    const [first, second] = [await serve("a"), await serve("b")];
    const { token } = await begin(first);
    // One of the two owns the run: the other one passes the report on.
    expect((await send(first, "PUT", OUTPUT, outputs(1), token)).status).toBe(200);
    expect((await send(second, "PUT", OUTPUT, outputs(2, { day: "d" }), token)).status).toBe(200);
    const long = "x".repeat(700_000);
    for (const node of [first, second]) {
      expect((await send(node, "PUT", OUTPUT, outputs(3, { day: long }), token)).status).toBe(200);
    }
    letGo();
    expect(await ended(second)).toBe("SUCCEEDED");
    expect(resultsOf(await step(first))).toEqual([3, long]);
    for (const node of [first, second]) expect((await send(node, "PUT", OUTPUT, outputs(4), token)).status).toBe(409);
  },
  PATIENCE,
);

test(
  "a job that fails is not tried again where it has reported so",
  async () => {
    const { serve, send, begin, letGo, ended, step } = await stage();
    const server = await serve("data");
    const retry = { maestro_retry: { type: "RETRY", retryable: false } };
    const { token } = await begin(server, "exit 1", 5);
    expect((await send(server, "PUT", OUTPUT, { artifacts: retry }, token)).status).toBe(200);
    letGo();
    expect(await ended(server)).toBe("FAILED");
    expect(await step(server)).toMatchObject({
      step_attempt_id: 1,
      runtime_state: { status: "FATALLY_FAILED" },
      artifacts: retry,
    });
  },
  PATIENCE,
);
