import { afterEach, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import type { StepRef } from "../../src/flow/port.ts";
import type { OutputReport, RunHint } from "../../src/flow/protocol.ts";
import { createLogger } from "../../src/log.ts";
import { PEER_PATH, Peers } from "../../src/server/peer.ts";

const log = createLogger({ format: "json", level: "error" });
const servers: Server<unknown>[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

/** A node that listens, at the network. */
function listener(version = "1") {
  const heard: (readonly RunHint[])[] = [];
  const breakpoints: StepRef[] = [];
  const changes: string[] = [];
  const reports: OutputReport[] = [];
  const peers = new Peers({
    self: "b",
    version,
    secret: "s",
    log,
    nodes: () => [],
    heard: (hints) => heard.push(hints),
    async heardBreakpoint(step) {
      await new Promise((resolve) => setImmediate(resolve));
      breakpoints.push(step);
    },
    async heardTemplates() {
      changes.push("templates");
    },
    async heardReport(report) {
      reports.push(report);
      return report.uuid === "late" ? "late" : "stored";
    },
    ownerOf: async () => undefined,
  });
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => peers.answer(request) });
  servers.push(server);
  return { heard, breakpoints, changes, reports, url: `http://127.0.0.1:${server.port}` };
}

function teller(...urls: readonly string[]): Peers {
  const nodes = urls.map((url, index) => ({ id: `other ${index}`, url, version: "1" }));
  return new Peers({
    self: "a",
    version: "1",
    secret: "s",
    log,
    nodes: () => nodes,
    heard() {},
    async heardBreakpoint() {},
    async heardTemplates() {},
    heardReport: async () => "unknown",
    ownerOf: async (groupId) => nodes[groupId],
  });
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
};
const hint = (key: number, size = 0): RunHint => ({ key, groupId: 1, ...(size > 0 && { run: "x".repeat(size) }) });

describe("hints between nodes", () => {
  test("carry runs to nodes of the same version, and keys and steps to others", async () => {
    const [same, other] = [listener(), listener("2")];
    const told = { ...hint(3), told: ["a", "b"] };
    teller(same.url, other.url).tell([hint(1, 10), hint(2), told]);
    await until(() => same.heard.length + other.heard.length === 2);
    expect(same.heard).toEqual([[hint(1, 10), hint(2), told]]);
    expect(other.heard).toEqual([[hint(1), hint(2), told]]);
  });

  test("leave a long run at home", async () => {
    const node = listener();
    teller(node.url).tell([hint(1, 100_000)]);
    await until(() => node.heard.length === 1);
    expect(node.heard).toEqual([[hint(1)]]);
  });

  test("go in requests that a node takes, however many there are", async () => {
    const node = listener();
    teller(node.url).tell(Array.from({ length: 200 }, (_, key) => hint(key, 15_000)));
    await until(() => node.heard.flat().length === 200);
    expect(node.heard.length).toBeGreaterThan(10);
    expect(node.heard.flat().map(({ key }) => key)).toEqual([...Array(200).keys()]);
  });

  test("take many step ids in several requests", async () => {
    const node = listener();
    const hints = Array.from({ length: 30 }, (_, key) => ({ ...hint(key), told: ["s".repeat(10_000)] }));
    teller(node.url).tell(hints);
    await until(() => node.heard.flat().length === 30);
    expect(node.heard.length).toBeGreaterThan(1);
  });

  test("say of a new breakpoint when every node knows that can be reached", async () => {
    const [one, other] = [listener(), listener("2")];
    await teller(one.url, "http://127.0.0.1:1", other.url).addBreakpoint({ internalId: 7, stepId: "s" });
    expect([one.breakpoints, other.breakpoints]).toEqual([
      [{ internalId: 7, stepId: "s" }],
      [{ internalId: 7, stepId: "s" }],
    ]);
  });

  test("say that job templates have changed when every node knows that can be reached", async () => {
    const [one, other] = [listener(), listener("2")];
    await teller(one.url, "http://127.0.0.1:1", other.url).forgetTemplates();
    expect([one.changes, other.changes]).toEqual([["templates"], ["templates"]]);
  });

  test("are not all: what a job reports goes to the owner of its step, and what that says comes back", async () => {
    const node = listener();
    const tell = teller(node.url, "http://127.0.0.1:1");
    const report = (groupId: number, uuid: string) =>
      tell.report({ groupId, uuid, workflowId: undefined, reported: { artifacts: { a: { x: 1 } } } });
    expect(await report(0, "u")).toBe("stored");
    expect(await report(0, "late")).toBe("late");
    expect(node.reports).toEqual([
      { groupId: 0, uuid: "u", reported: { artifacts: { a: { x: 1 } } } },
      { groupId: 0, uuid: "late", reported: { artifacts: { a: { x: 1 } } } },
    ] as unknown as typeof node.reports);
    // The node is away, or there is none.
    expect([await report(1, "u"), await report(2, "u")]).toEqual(["unknown", "unknown"]);
  });

  test("are refused when a run is no text", async () => {
    const response = await fetch(listener().url + PEER_PATH, {
      method: "POST",
      headers: { "maestro-cluster-secret": "s", "content-type": "application/json" },
      body: JSON.stringify([{ key: 1, groupId: 2, run: { key: 1 } }]),
    });
    expect(response.status).toBe(400);
  });
});
