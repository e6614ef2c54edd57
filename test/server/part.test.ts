/** How the parts of a node come and go, and what a caller sees of a node that is not there yet. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "../../src/log.ts";
import { type Config, loadConfig } from "../../src/server/config.ts";
import { listen } from "../../src/server/http.ts";
import { Later, type Part, Parts } from "../../src/server/part.ts";
import { PEER_PATH } from "../../src/server/peer.ts";
import { serve } from "../../src/server/serve.ts";

const lines: string[] = [];
const log = createLogger({ format: "json", level: "warn", write: (line) => void lines.push(line) });

let root = "";
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "maestro-part-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function configOf(port: number): Config {
  const flags = new Map([
    ["--port", [String(port)]],
    ["--data-dir", [join(root, "data")]],
  ]);
  return loadConfig(flags, { env: {}, cwd: root, home: root, uid: 1, cores: 1, terminal: false });
}

test("a port that is taken is noticed before anything is made in the data directory", async () => {
  using other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  await expect(serve(configOf(other.port ?? 0), { log })).rejects.toThrow(/port is in use.*--port/);
  expect(existsSync(join(root, "data"))).toBe(false);
});

test("no node shares the port of another", async () => {
  const other = listen(configOf(0), log);
  const { port } = new URL(other.url);
  expect(() => listen(configOf(Number(port)), log)).toThrow(/port is in use.*--port/);
  await other.stop();
});

test("a node that is given up before it has begun makes nothing", async () => {
  const reason = new Error("a signal came");
  await expect(serve(configOf(0), { log, giveUp: AbortSignal.abort(reason) })).rejects.toBe(reason);
  expect(existsSync(join(root, "data"))).toBe(false);
});

test("until a node has started, requests are told to come again", async () => {
  const http = listen(configOf(0), log);
  for (const path of ["/api/v3/workflows", "/livez", PEER_PATH]) {
    const response = await fetch(http.url + path);
    expect(response.status).toBe(503);
    expect(await response.text()).toContain("is starting");
  }
  http.open({ peer: () => new Response("peer"), fetch: () => new Response("open") });
  expect(await (await fetch(`${http.url}/api/v3/workflows`)).text()).toBe("open");
  expect(await (await fetch(http.url + PEER_PATH)).text()).toBe("peer");
  await http.stop();
});

test("parts are stopped in reverse, whatever becomes of one of them", async () => {
  const told: string[] = [];
  const part = (name: string, more: Partial<Part> = {}): Part => ({ stop: () => void told.push(name), ...more });
  const parts = new Parts(log);
  await parts.start("first", () => part("first"));
  await parts.start("second", () => part("second", { stop: () => Promise.reject(new Error("stuck")) }));
  const start = () => Promise.reject(new Error("broken"));
  await expect(parts.start("third", () => part("third", { start }))).rejects.toThrow("broken");
  await parts.stop();
  await parts.stop();
  expect(told).toEqual(["third", "first"]);
  expect(lines.join("")).toContain("stuck");
});

test("a part that is asked for too early says so", () => {
  const later = new Later<string>("the cluster");
  expect(() => later.part).toThrow("the cluster is used before it has been started");
  later.set("here");
  expect(later.part).toBe("here");
});
