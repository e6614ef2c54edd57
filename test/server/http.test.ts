/** What a served node does with connections, as the network sees it: doors, limits, and clients that leave. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/log.ts";
import { loadConfig } from "../../src/server/config.ts";
import { PEER_PATH } from "../../src/server/peer.ts";
import { type Serving, serve } from "../../src/server/serve.ts";
import { Leases } from "../../src/store/lease.ts";
import { type FreshDatabase, freshDatabase } from "../support/database.ts";

const LIMIT_MS = 60_000;
/** Requests that the node answers at once. */
const REQUESTS = 8;
const WORKFLOWS = "/api/v3/workflows";

let root = "";
let database: FreshDatabase;
let server: Serving;
let secret = "";
const log: string[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "maestro-http-"));
  database = await freshDatabase();
  const flags = new Map([
    ["--port", ["0"]],
    ["--data-dir", [join(root, "data")]],
    ["--database-url", [database.url]],
    ["--engine-threads", ["1"]],
    ["--runtime-threads", ["1"]],
    ["--limits-requests", [String(REQUESTS)]],
    ["--limits-streams", ["2"]],
    ["--limits-idle-seconds", ["1"]],
  ]);
  const config = loadConfig(flags, { env: {}, cwd: root, home: root, uid: 1, cores: 1, terminal: false });
  const logger = createLogger({ format: "json", level: "warn", write: (line) => void log.push(line) });
  server = await serve(config, { log: logger });
  secret = await new Leases(database.sql).secret();
  const steps = [{ step: { id: "nap", type: "Sleep", params: { sleep_seconds: { type: "LONG", value: 600 } } } }];
  const definition = { properties: { owner: "ann" }, workflow: { id: "nap", steps } };
  expect((await send("POST", WORKFLOWS, { body: JSON.stringify(definition) })).status).toBe(200);
  const start = JSON.stringify({ initiator: { type: "manual" } });
  expect((await send("POST", `${WORKFLOWS}/nap/versions/active/actions/start`, { body: start })).status).toBe(200);
}, LIMIT_MS);

afterAll(async () => {
  await server?.stop();
  await database?.close();
  rmSync(root, { recursive: true, force: true });
}, LIMIT_MS);

const JSON_HEADERS = { user: "ann", "content-type": "application/json" };
const send = (method: string, path: string, init: RequestInit = {}) =>
  fetch(server.url + path, { method, headers: JSON_HEADERS, redirect: "manual", ...init });

/** A connection on which a test says what it wants, to the letter. */
class Line {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  heard = "";
  #woken: () => void = () => {};

  constructor(text: string) {
    this.socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => this.socket.write(text));
    this.socket.on("data", (data) => {
      this.heard += data;
      this.#woken();
    });
    this.socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => {
        resolve();
        this.#woken();
      });
    });
  }

  /** Resolves when the answer holds the text, or the connection is closed. */
  async hears(text: string): Promise<void> {
    while (!this.heard.includes(text) && !this.socket.destroyed) {
      await new Promise<void>((resolve) => {
        this.#woken = resolve;
      });
    }
  }

  /** The status of the first answer; 0 when there is none. */
  async status(): Promise<number> {
    await this.hears("\r\n\r\n");
    return Number(/^HTTP\/1\.1 (\d+)/.exec(this.heard)?.[1] ?? 0);
  }
}

async function statusOf(text: string): Promise<number> {
  const line = new Line(text);
  const status = await line.status();
  line.socket.destroy();
  return status;
}

const head = (method: string, path: string, ...headers: readonly string[]): string =>
  `${[`${method} ${path} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n`;

async function metric(sample: string): Promise<number> {
  const text = await (await send("GET", "/metrics")).text();
  return Number(
    text
      .split("\n")
      .find((it) => it.startsWith(`${sample} `))
      ?.slice(sample.length) ?? 0,
  );
}

/** Resolves when a look at the metrics shows the value. */
async function until(sample: string, value: number): Promise<void> {
  while ((await metric(sample)) !== value);
}

describe("the door", () => {
  test("a name that somebody else has pointed at this host cannot push, start or read", async () => {
    for (const host of ["Host: evil.example", "Host: 127.0.0.1\r\nHost: evil.example", "Host:", "Host: a@127.0.0.1"]) {
      expect(await statusOf(head("GET", "/version", host))).toBe(403);
      expect(await statusOf(head("POST", WORKFLOWS, host, "user: a", "content-length: 0"))).toBe(403);
    }
    expect(await statusOf("GET /version HTTP/1.0\r\n\r\n")).toBe(403);
    expect(await statusOf("GET /version HTTP/1.0\r\nHost: localhost\r\n\r\n")).toBe(200);
    expect(await statusOf(head("GET", "http://127.0.0.1/version", "Host: evil.example"))).toBe(403);
    for (const host of ["127.0.0.1", "LOCALHOST.:1", "[::1]:80"]) {
      expect(await statusOf(head("GET", "/version", `Host: ${host}`))).toBe(200);
    }
  });

  test("the refusal is a problem, and counted", async () => {
    const before = await metric('maestro_http_refused_total{reason="host"}');
    const response = await send("GET", "/version", { headers: { host: "evil.example" } });
    expect([response.status, response.headers.get("content-type")]).toEqual([403, "application/problem+json"]);
    const body = await response.json();
    expect(body).toMatchObject({ title: "Forbidden", status: 403, instance: "/version" });
    expect((body as { detail: string }).detail).toContain("--allowed-host evil.example");
    expect(await metric('maestro_http_refused_total{reason="host"}')).toBe(before + 1);
  });

  test("a page of another site cannot send a form, a text or anything else, though nobody looks at the body", async () => {
    const path = `${WORKFLOWS}/nap/actions/stop`;
    const own = `Host: ${new URL(server.url).host}`;
    const form = ["content-type: application/x-www-form-urlencoded", "content-length: 3"];
    for (const method of ["POST", "PUT"]) {
      const ask = (...more: readonly string[]) => statusOf(`${head(method, path, own, "user: a", ...more)}a=b`);
      expect(await ask(...form, "Origin: http://evil.example")).toBe(403);
      expect(await ask(...form, "Origin: null")).toBe(403);
      expect(await ask(...form, "Sec-Fetch-Site: cross-site")).toBe(403);
      expect(await ask("content-length: 0", "Sec-Fetch-Site: cross-site")).toBe(403);
    }
    for (const type of ["application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "text/plain"]) {
      expect((await send("PUT", path, { headers: { user: "a", "content-type": type }, body: "a=b" })).status).toBe(415);
    }
    expect((await send("GET", `${WORKFLOWS}/nap/instances/1`)).status).toBe(200);
  });

  test("a body without a content type is refused, no body is fine", async () => {
    const own = ["Host: localhost", "user: a"];
    expect(await statusOf(`${head("POST", WORKFLOWS, ...own, "content-length: 2")}{}`)).toBe(415);
    const chunked = `${head("POST", WORKFLOWS, ...own, "transfer-encoding: chunked")}2\r\n{}\r\n0\r\n\r\n`;
    expect(await statusOf(chunked)).toBe(415);
    expect(await statusOf(head("POST", WORKFLOWS, ...own, "content-length: 0"))).toBe(400);
    expect(await statusOf(head("PUT", `${WORKFLOWS}/none/actions/stop`, ...own))).toBe(202);
  });

  test("the root leads to the documentation", async () => {
    const response = await send("GET", "/");
    expect([response.status, response.headers.get("location")]).toEqual([302, "/docs"]);
  });
});

describe("the path of other nodes", () => {
  const tell = (body: string, headers: Record<string, string> = { "maestro-cluster-secret": secret }) =>
    send("POST", PEER_PATH, { headers, body });

  test("is open under any name, to who knows the secret", async () => {
    expect((await tell("[]", { "maestro-cluster-secret": secret, host: "node-7.internal:8080" })).status).toBe(204);
    for (const wrong of ["", "x", secret.slice(1), `${secret}x`]) {
      expect((await tell("[]", { "maestro-cluster-secret": wrong })).status).toBe(403);
    }
    expect((await tell("[]", {})).status).toBe(403);
  });

  test.each([
    "",
    "[",
    "{}",
    "null",
    '"a"',
    "[1]",
    '[{"key": 1}]',
    '[{"key": "1", "groupId": 2}]',
    '[{"key": 1.5, "groupId": 2}]',
  ])("refuses %p", async (body) => {
    const response = await tell(body);
    expect([response.status, ((await response.json()) as { status: string }).status]).toEqual([400, "BAD_REQUEST"]);
  });

  test("reads no more than a limit", async () => {
    expect((await tell(`[${" ".repeat(8_000_000)}]`)).status).toBe(413);
  });
});

describe("a connection", () => {
  const own = ["Host: localhost", "user: a", "content-type: application/json"];

  test(
    "is closed when the body, or the next request, does not come",
    async () => {
      const announced = new Line(`${head("POST", WORKFLOWS, ...own, "content-length: 100")}{`);
      const chunked = new Line(`${head("POST", WORKFLOWS, ...own, "transfer-encoding: chunked")}1\r\n{\r\n`);
      const unread = new Line(`${head("PUT", `${WORKFLOWS}/none/actions/stop`, ...own, "content-length: 100")}{`);
      const idle = new Line(head("GET", "/version", ...own));
      const headers = new Line("GET /version HTTP/1.1\r\nHost: loc");
      await Promise.all([announced, chunked, unread, idle, headers].map((line) => line.closed));
      expect([announced.heard, chunked.heard, headers.heard]).toEqual(["", "", ""]);
      expect(idle.heard).toStartWith("HTTP/1.1 200");
    },
    LIMIT_MS,
  );

  test(
    "is not closed while a run is waited for or a log followed, and is afterwards",
    async () => {
      const wait = new Line(head("GET", `${WORKFLOWS}/nap/instances/1/runs/1?wait=10`, ...own));
      const follow = new Line(
        head("GET", `${WORKFLOWS}/nap/instances/1/runs/1/steps/nap/attempts/1/logs?follow=true`, ...own),
      );
      await wait.closed;
      expect(wait.heard).toContain('"IN_PROGRESS"');
      expect([follow.socket.destroyed, follow.heard.includes(": open")]).toEqual([false, true]);
      follow.socket.destroy();
      await until("maestro_http_streams", 0);
    },
    LIMIT_MS,
  );

  test(
    "more open streams than the limit are refused, and make room when they end",
    async () => {
      const path = `${WORKFLOWS}/nap/instances/1/runs/1/steps/nap/attempts/1/logs?follow=true`;
      const lines = [1, 2].map(() => new Line(head("GET", path, ...own)));
      for (const line of lines) await line.hears(": open");
      for (const more of [path, `${WORKFLOWS}/nap/instances/1/runs/1?wait=10`]) {
        const response = await send("GET", more);
        expect(response.status).toBe(503);
        expect(await response.json()).toMatchObject({ status: "UNAVAILABLE", retryable: true });
      }
      expect((await send("HEAD", path)).status).toBe(200);
      expect((await send("GET", `${WORKFLOWS}/nap/instances/1`)).status).toBe(200);
      for (const line of lines) line.socket.destroy();
      await until("maestro_http_streams", 0);
      expect(await metric('maestro_http_refused_total{reason="streams"}')).toBe(2);
    },
    LIMIT_MS,
  );

  test(
    "more requests at once than the limit are refused and closed, and the server still says that it lives",
    async () => {
      const half = `${head("POST", WORKFLOWS, ...own, "content-length: 100")}{`;
      const lines = Array.from({ length: REQUESTS }, () => new Line(half));
      await until("maestro_http_requests", REQUESTS + 1); // the look itself is one
      const more = new Line(half);
      await more.closed;
      expect(more.heard).toStartWith("HTTP/1.1 503");
      expect(more.heard.toLowerCase()).toContain("connection: close");
      expect((await send("GET", "/livez")).status).toBe(200);
      for (const line of lines) line.socket.destroy();
      await until("maestro_http_requests", 1);
      expect((await send("GET", `${WORKFLOWS}/nap/instances/1`)).status).toBe(200);
    },
    LIMIT_MS,
  );
});

test("failures are measured as successes are", async () => {
  const sample = 'maestro_http_request_seconds_count{operation="createWorkflow",status="400"}';
  const before = await metric(sample);
  await send("POST", WORKFLOWS, { body: "{" });
  expect(await metric(sample)).toBe(before + 1);
});

test(
  "a client that leaves in the middle is counted, and no error",
  async () => {
    const left = 'maestro_http_responses_total{status="499"}';
    const before = await metric(left);
    const own = ["Host: localhost", "user: a", "content-type: application/json"];
    const waiting = new Line(head("GET", `${WORKFLOWS}/nap/instances/1/runs/1?wait=60`, ...own));
    await until("maestro_http_streams", 1);
    const lines = [
      new Line(`${head("POST", WORKFLOWS, ...own, "content-length: 100")}{`),
      new Line(`${head("POST", WORKFLOWS, ...own, "transfer-encoding: chunked")}1\r\n{\r\n`),
      new Line(`${head("POST", PEER_PATH, ...own, `maestro-cluster-secret: ${secret}`, "content-length: 9")}[`),
    ];
    await until("maestro_http_requests", lines.length + 2);
    for (const line of [...lines, waiting]) line.socket.destroy();
    await until(left, before + 2);
    await until("maestro_http_streams", 0);
    await until("maestro_http_requests", 1);
    expect(log).toEqual([]);
  },
  LIMIT_MS,
);
