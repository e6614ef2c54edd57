/** Gates that a guard of the test's holds: what is asked when, which rows go with it, and who has to be told. */
import { expect, test } from "bun:test";
import type { GateStep, Guard } from "../../src/flow/gate.ts";
import type { Write } from "../../src/flow/port.ts";
import type { GateName } from "../../src/step/state.ts";
import { step, workflow } from "./definition.ts";
import { World } from "./world.ts";

/** Holds the steps named until they are let go. */
class TestGuard implements Guard {
  readonly holding: Set<string>;
  /** Each question, with what had committed for the step when it was asked. */
  readonly asked: (readonly [stepId: string, stored: string | undefined, rows: boolean])[] = [];
  readonly refreshed: number[] = [];
  failures = 0;
  answers: Promise<void> = Promise.resolve();
  readonly #world: World;

  constructor(world: World, ...holding: readonly string[]) {
    this.#world = world;
    this.holding = new Set(holding);
  }

  mayHold(_run: GateStep["run"], node: GateStep["node"]): boolean {
    return node.id !== "free";
  }

  entering({ node }: GateStep): readonly Write[] {
    return [rowOf("enters", node.id)];
  }

  async ask({ node }: GateStep): Promise<string | undefined> {
    this.asked.push([node.id, this.#world.statuses()[node.id], this.#world.outbox.has(`enters:${node.id}`)]);
    if (this.failures > 0) {
      this.failures--;
      throw new Error("no connection");
    }
    const isHeld = this.holding.has(node.id);
    await this.answers;
    return isHeld ? "somebody will tell" : undefined;
  }

  ending({ node, attempt }: GateStep): readonly Write[] {
    return [rowOf("ends", `${node.id} ${attempt.status}`)];
  }

  async refresh(): Promise<void> {
    this.refreshed.push(this.asked.length);
  }
}

const rowOf = (topic: string, key: string): Write => ({ kind: "outbox", topic, key });

interface Guarded {
  readonly world: World;
  readonly guard: TestGuard;
}

/** Steps side by side, one of which no guard may hold. */
async function guarded(gate: GateName, ...holding: readonly string[]): Promise<Guarded> {
  const world = new World(workflow([step("a"), step("b", { to: { after: "true" } }), step("free"), step("after")]));
  const guard = new TestGuard(world, ...holding);
  world.guards = new Map([[gate, guard]]);
  await world.boot();
  await world.start();
  return { world, guard };
}

test("a step that no guard may hold is as if there were none: one turn, one commit", async () => {
  const world = new World(workflow([step("free")]));
  const guard = new TestGuard(world, "free");
  world.guards = new Map([["permits", guard]]);
  await world.boot();
  await world.start();
  await world.settle(1);
  expect([world.status(), world.commits, guard.asked]).toEqual(["SUCCEEDED", 1, []]);
});

test("the guard is asked once the step's row and its own have committed", async () => {
  const { world, guard } = await guarded("permits", "a");
  await world.settle(0);
  expect(guard.asked).toEqual([]);
  await world.settle();
  expect(guard.asked).toEqual([
    ["a", "WAITING_FOR_PERMITS", true],
    ["b", "WAITING_FOR_PERMITS", true],
    ["after", "WAITING_FOR_PERMITS", true],
  ]);
  expect(world.statuses()).toEqual({ a: "WAITING_FOR_PERMITS", b: "SUCCEEDED", free: "SUCCEEDED", after: "SUCCEEDED" });
  expect(world.messages("a")).toEqual([["INFO", "somebody will tell"]]);
});

test("a step that is held goes on when it is told, and not before", async () => {
  const { world, guard } = await guarded("permits", "a");
  await world.settle();
  guard.holding.clear();
  await world.pass(600_000);
  expect(world.statuses().a).toBe("WAITING_FOR_PERMITS");
  world.tell(1, "a", "nobody");
  await world.settle();
  expect([world.statuses().a, world.status()]).toEqual(["SUCCEEDED", "SUCCEEDED"]);
});

test("the sweep asks for what is held, and for nothing else", async () => {
  const { world, guard } = await guarded("permits", "a");
  await world.settle();
  const before = guard.asked.length;
  await world.sweep();
  await world.settle();
  expect(guard.asked.slice(before).map(([id]) => id)).toEqual(["a"]);
  guard.holding.clear();
  await world.sweep();
  await world.settle();
  expect(world.status()).toBe("SUCCEEDED");
});

test("what a guard knows is read before the first step is asked for, and at each sweep", async () => {
  const { world, guard } = await guarded("permits");
  expect(guard.refreshed).toEqual([0]);
  await world.settle();
  await world.sweep();
  expect(guard.refreshed).toHaveLength(2);
});

test("what is told while the guard's answer is on its way is not lost", async () => {
  const { world, guard } = await guarded("permits", "a");
  const answer = Promise.withResolvers<void>();
  guard.answers = answer.promise;
  await world.settle();
  guard.holding.clear();
  world.tell(1, "a");
  await world.settle();
  answer.resolve();
  await world.settle();
  expect(world.status()).toBe("SUCCEEDED");
});

test("a guard that can't be asked is asked again, and the timeline says why", async () => {
  const { world, guard } = await guarded("permits");
  guard.failures = 1;
  await world.settle();
  expect(world.statuses().a).toBe("WAITING_FOR_PERMITS");
  await world.pass(5_000);
  expect(world.status()).toBe("SUCCEEDED");
  expect(world.messages("a")).toEqual([
    ["WARN", "The gate [permits] could not be asked and is asked again: no connection"],
  ]);
});

test("a new owner asks anew, after a crash at any commit, and the step's rows are there", async () => {
  for (let crashAfter = 0; crashAfter < 6; crashAfter++) {
    const { world, guard } = await guarded("breakpoint", "a");
    await world.settle(crashAfter);
    world.crash();
    const before = guard.asked.length;
    await world.boot();
    await world.settle();
    expect([world.statuses().a, world.outbox.has("enters:a")]).toEqual(["PAUSED", true]);
    expect(guard.asked.slice(before).some(([id]) => id === "a")).toBe(true);
    guard.holding.clear();
    world.tell(1, "a");
    await world.settle();
    expect(world.status()).toBe("SUCCEEDED");
  }
});

test("a guard is asked after the commit of what the run has handed over before, in whichever turn", async () => {
  const { world, guard } = await guarded("permits", "a", "b");
  await world.settle();
  guard.holding.clear();
  world.tell(1, "b");
  await world.settle(0);
  const before = guard.asked.length;
  world.tell(1, "a");
  await world.settle(0);
  expect([world.statuses().b, guard.asked.length]).toEqual(["WAITING_FOR_PERMITS", before]);
  await world.settle();
  expect(world.status()).toBe("SUCCEEDED");
});

test("what a guard keeps for an attempt goes with the row of its end, however it ends", async () => {
  const { world } = await guarded("permits", "a");
  await world.settle();
  expect([world.outbox.has("ends:b SUCCEEDED"), world.outbox.has("ends:a STOPPED")]).toEqual([true, false]);
  await world.act(1, "STOP");
  await world.settle(0);
  expect(world.outbox.has("ends:a STOPPED")).toBe(false);
  await world.settle(1);
  expect([world.statuses().a, world.outbox.has("ends:a STOPPED")]).toEqual(["STOPPED", true]);
});

test("an attempt that fails and is tried again leaves its gates, and the next one comes to them anew", async () => {
  const world = new World(workflow([step("a", { type: "Job" })]));
  const guard = new TestGuard(world);
  world.guards = new Map([["permits", guard]]);
  world.runtime.results.set("a:1", { state: "USER_ERROR" });
  await world.boot();
  await world.start();
  await world.settle();
  expect(world.outbox.has("ends:a USER_FAILED")).toBe(true);
  expect(guard.asked).toHaveLength(1);
  await world.pass(60_000);
  expect(guard.asked).toHaveLength(2);
});

test("an answer that comes after the step was stopped is dropped", async () => {
  const { world, guard } = await guarded("permits", "a");
  const answer = Promise.withResolvers<void>();
  guard.answers = answer.promise;
  await world.settle();
  await world.act(1, "STOP");
  await world.settle();
  expect(world.status()).toBe("STOPPED");
  answer.resolve();
  await world.settle();
  expect(world.statuses().a).toBe("STOPPED");
});
