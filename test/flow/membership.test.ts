import { describe, expect, test } from "bun:test";
import { type LeaseStore, Membership, type Node } from "../../src/flow/membership.ts";
import type { GroupStamp } from "../../src/flow/port.ts";
import { createLogger } from "../../src/log.ts";

const log = createLogger({ format: "json", level: "error" });

/** The lease tables in memory: what is alive is whatever has registered and was not silenced. */
class Leases implements LeaseStore {
  readonly groups = new Map<number, { node: string | undefined; generation: number }>();
  readonly nodes = new Map<string, Node>();

  constructor(groups: number) {
    for (let id = 0; id < groups; id++) this.groups.set(id, { node: undefined, generation: 0 });
  }

  async register(node: Node): Promise<void> {
    this.nodes.set(node.id, node);
  }

  async heartbeat(nodeId: string) {
    const nodes = [...this.nodes.values()].map((node) => ({ ...node, age: 0 }));
    return { owned: this.#owned(nodeId), nodes, registered: this.nodes.has(nodeId) };
  }

  async claim(nodeId: string, limit: number): Promise<readonly GroupStamp[]> {
    const free = [...this.groups.values()].filter(({ node }) => node === undefined || !this.nodes.has(node));
    for (const group of free.slice(0, limit)) Object.assign(group, { node: nodeId, generation: group.generation + 1 });
    return this.#owned(nodeId).filter(({ groupId }) => free.slice(0, limit).includes(this.#at(groupId)));
  }

  async giveBack(_nodeId: string, groups: readonly number[]): Promise<void> {
    for (const id of groups) this.#at(id).node = undefined;
  }

  async releaseAll(nodeId: string): Promise<void> {
    this.nodes.delete(nodeId);
    for (const group of this.groups.values()) if (group.node === nodeId) group.node = undefined;
  }

  #at(id: number) {
    const group = this.groups.get(id);
    if (!group) throw new Error(`no group ${id}`);
    return group;
  }

  #owned(nodeId: string): GroupStamp[] {
    return [...this.groups].flatMap(([groupId, { node, generation }]) =>
      node === nodeId ? [{ groupId, generation }] : [],
    );
  }
}

function member(id: string, leases: Leases, notes: string[] = []) {
  const held = new Set<number>();
  const freed: string[] = [];
  const membership = new Membership({
    node: { id, url: `http://${id}`, version: "1" },
    groups: leases.groups.size,
    store: leases,
    log,
    own: (stamps) => {
      for (const { groupId } of stamps) held.add(groupId);
    },
    disown: async (groups) => {
      await new Promise((resolve) => setImmediate(resolve));
      notes.push("at rest");
      for (const groupId of groups) held.delete(groupId);
    },
    freed: async () => void freed.push(id),
  });
  return { membership, held, freed };
}

describe("membership", () => {
  test("one node takes everything; a second one gets its half once the first has handed it back", async () => {
    const leases = new Leases(8);
    const a = member("a", leases);
    await a.membership.start();
    expect(a.held.size).toBe(8);
    const b = member("b", leases);
    await b.membership.start();
    expect(b.held.size).toBe(0);
    await a.membership.refresh();
    expect(a.freed).toEqual(["a"]);
    await b.membership.refresh();
    expect([a.held.size, b.held.size]).toEqual([4, 4]);
    expect([...a.held].filter((id) => b.held.has(id))).toEqual([]);
    await Promise.all([a.membership.stop(), b.membership.stop()]);
  });

  test("a node that leaves frees its groups and says so; the other takes them at its next beat", async () => {
    const leases = new Leases(4);
    const [a, b] = [member("a", leases), member("b", leases)];
    await a.membership.start();
    await b.membership.start();
    await a.membership.refresh();
    await b.membership.refresh();
    await a.membership.stop();
    expect(a.held.size).toBe(0);
    expect(a.freed).toContain("a");
    await b.membership.refresh();
    expect(b.held.size).toBe(4);
    await b.membership.stop();
  });

  test("a node that slept through its lease drops what others have claimed, and goes on as a member", async () => {
    const leases = new Leases(4);
    const a = member("a", leases);
    await a.membership.start();
    leases.nodes.delete("a");
    const b = member("b", leases);
    await b.membership.start();
    expect(b.held.size).toBe(4);
    await a.membership.refresh();
    expect(a.held.size).toBe(0);
    expect(leases.nodes.has("a")).toBe(true);
    await b.membership.refresh();
    await a.membership.refresh();
    expect([a.held.size, b.held.size]).toEqual([2, 2]);
    await Promise.all([a.membership.stop(), b.membership.stop()]);
  });

  test("beats that fail make the node unhealthy until one goes through", async () => {
    const leases = new Leases(1);
    const a = member("a", leases);
    await a.membership.start();
    const beat = leases.heartbeat;
    leases.heartbeat = () => Promise.reject(new Error("no database"));
    for (let i = 0; i < 3; i++) await a.membership.refresh();
    expect(a.membership.healthy).toBe(false);
    leases.heartbeat = beat;
    await a.membership.refresh();
    expect(a.membership.healthy).toBe(true);
    await a.membership.stop();
  });

  test("a claim whose answer was lost is found at the next beat, and so is a group that could not be given back", async () => {
    const leases = new Leases(4);
    const { claim, giveBack } = leases;
    leases.claim = async (...asked) => {
      await claim.apply(leases, asked);
      throw new Error("the connection is gone");
    };
    const a = member("a", leases);
    await a.membership.start().catch(() => {});
    expect(a.held.size).toBe(0);
    leases.claim = claim;
    await a.membership.refresh();
    expect(a.held.size).toBe(4);
    const b = member("b", leases);
    await b.membership.start();
    leases.giveBack = () => Promise.reject(new Error("the connection is gone"));
    await a.membership.refresh();
    expect(a.held.size).toBe(2);
    leases.giveBack = giveBack;
    await a.membership.refresh();
    await b.membership.refresh();
    expect([a.held.size, b.held.size]).toEqual([2, 2]);
    await Promise.all([a.membership.stop(), b.membership.stop()]);
  });

  test("gives groups back when they are at rest, and not before", async () => {
    const leases = new Leases(2);
    const notes: string[] = [];
    const [a, b] = [member("a", leases, notes), member("b", leases)];
    await a.membership.start();
    await b.membership.start();
    const { giveBack } = leases;
    leases.giveBack = (...asked) => {
      notes.push("given back");
      return giveBack.apply(leases, asked);
    };
    await a.membership.refresh();
    expect(notes).toEqual(["at rest", "given back"]);
    await Promise.all([a.membership.stop(), b.membership.stop()]);
  });

  test("one beat at a time acts on what it has read, though another begins while a node joins", async () => {
    const leases = new Leases(2);
    let [under, most] = [0, 0];
    const { heartbeat } = leases;
    leases.heartbeat = async (id) => {
      most = Math.max(most, ++under);
      const beat = await heartbeat.call(leases, id);
      await new Promise((resolve) => setImmediate(resolve));
      under--;
      return beat;
    };
    const a = member("a", leases);
    await Promise.all([a.membership.start(), a.membership.refresh(), a.membership.refresh()]);
    expect([most, a.held.size]).toEqual([1, 2]);
    await a.membership.stop();
  });

  test("a node claims its share and no more, though everything is free", async () => {
    const leases = new Leases(8);
    await leases.register({ id: "b", url: "http://b", version: "1" });
    const a = member("a", leases);
    await a.membership.start();
    expect(a.held.size).toBe(4);
    await a.membership.stop();
  });
});
