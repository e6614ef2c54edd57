/**
 * A node in one thread on a database of its own: the API, main's pool and an engine, joined by frames like a server's.
 * The engine's clock and the API's stand until a test moves them.
 */
import { createApp } from "../../src/api/app.ts";
import { Engine } from "../../src/flow/engine.ts";
import type { TaskScope } from "../../src/flow/evaluation.ts";
import { Evaluator } from "../../src/flow/evaluator.ts";
import type { Membership } from "../../src/flow/membership.ts";
import { EnginePool } from "../../src/flow/pool.ts";
import type { FlowStore, StoredRun } from "../../src/flow/port.ts";
import { EngineThread } from "../../src/flow/thread.ts";
import { createLogger } from "../../src/log.ts";
import { DEFAULT_CATALOG } from "../../src/param/index.ts";
import { dequeueing } from "../../src/queue/dequeue.ts";
import { Queue } from "../../src/queue/queue.ts";
import { type RunRef, runIdentity } from "../../src/run/model.ts";
import { StepTypeRegistry } from "../../src/runtime/registry.ts";
import { told } from "../../src/server/engine/told.ts";
import type { EvaluationClient } from "../../src/server/evaluation/client.ts";
import { Listeners } from "../../src/server/listener.ts";
import type { Peers } from "../../src/server/peer.ts";
import { enginePort } from "../../src/server/port.ts";
import { openDatabase, type Sql } from "../../src/store/connection.ts";
import { openFlowStore } from "../../src/store/flow.ts";
import { openQueueStore } from "../../src/store/outbox.ts";
import type { StartEffects } from "../../src/store/start.ts";
import { FakeClock } from "../simulation/clock.ts";
import { freshDatabase } from "../support/database.ts";
import { atEnd } from "../support/end.ts";

export const ALL_GROUPS: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

const log = createLogger({ format: "json", level: "error" });

/** Lets a test wait for the next of something. */
class Next {
  #waiting: (() => void)[] = [];

  happen(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  wait(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Tells when a step begins: its run is under way then. */
class Told extends Evaluator {
  readonly #begun: Next;

  constructor(begun: Next) {
    super({
      environment: "test",
      limits: {},
      catalog: DEFAULT_CATALOG,
      inlineVisits: 100_000,
      elsewhere: () => Promise.reject(new Error("there is no other thread")),
      fetch: () => Promise.reject(new Error("nobody is to be asked")),
      random: () => 1,
    });
    this.#begun = begun;
  }

  override stepParams(scope: TaskScope) {
    this.#begun.happen();
    return super.stepParams(scope);
  }
}

/** The pool of main and its one thread. */
function engineOf(sql: Sql, store: FlowStore, clock: FakeClock, begun: Next) {
  const listeners = { ended: new Listeners<StoredRun | undefined>(), logged: new Listeners() };
  const pool: EnginePool = new EnginePool({
    threads: 1,
    session: "main",
    send: (_thread, frame) => thread.accept(frame),
    elsewhere() {},
    ended(runs) {
      for (const run of runs) listeners.ended.tell(runIdentity(run), run.row);
    },
    logged() {},
    stale() {},
  });
  const thread: EngineThread = new EngineThread({
    session: "engine",
    send: (frame) => pool.accept(0, frame),
    engine: (events) => {
      const outbox = new Queue({
        ...{ store: openQueueStore(sql), clock, log },
        processors: [dequeueing(() => engine)],
      });
      const engine: Engine = new Engine({
        ...{ clock, store, outbox, log, events },
        evaluation: new Told(begun),
        place: { host: "here", directory: "/nowhere" },
        groups: ALL_GROUPS.length,
        index: 0,
        // How fast this machine is must not show.
        slice: 60_000,
        newUuid: () => crypto.randomUUID(),
        runtimeOf: () => ({ unavailable: "there is no other thread" }),
        forget() {},
        stored() {},
      });
      return engine;
    },
  });
  pool.own(ALL_GROUPS.map((groupId) => ({ groupId, generation: 1 })));
  return { pool, thread, listeners };
}

/** @returns the pool of connections, with every statement counted */
function counted(sql: Sql): { readonly sql: Sql; readonly count: () => number } {
  let count = 0;
  const apply = (target: Sql, self: unknown, args: unknown[]): unknown => {
    count++;
    return Reflect.apply(target as never, self, args);
  };
  return { sql: new Proxy(sql, { apply } as ProxyHandler<Sql>), count: () => count };
}

export async function inOneThread() {
  const db = await freshDatabase();
  for (const id of ALL_GROUPS) await db.sql`INSERT INTO flow_group (id, generation) VALUES (${id}, 1)`;
  const database = openDatabase(db.url, { max: 3, name: "engine" });
  const [clock, waiting] = [new FakeClock(), new FakeClock()];
  const [begun, asked] = [new Next(), new Next()];
  const stopped = (effects: StartEffects): void => told(effects, log, { hint: (hints) => pool.look(hints) });
  const store = openFlowStore(database, { log, stopped });
  const { pool, thread, listeners } = engineOf(database.sql, store, clock, begun);
  atEnd.push(async () => {
    pool.close();
    await thread.engine.stop();
    await database.close();
  });
  const port = enginePort({
    ...{ pool, ...listeners },
    evaluation: { ask: async () => undefined } as unknown as EvaluationClient,
    types: new StepTypeRegistry([]),
    membership: { healthy: true } as Membership,
    peers: { addBreakpoint: async () => {} } as unknown as Peers,
    secret: "secret",
    problems: () => [],
  });
  const isRunning = (run: RunRef): boolean => {
    asked.happen();
    return port.isRunning(run);
  };
  const { sql, count } = counted(db.sql);
  const config = {
    version: "1",
    limits: { steps: 1000, definitionBytes: 262_144, bodyBytes: 1_000_000, requestSeconds: 10 },
  };
  const app = createApp({ db: { ...db, sql }, engine: { ...port, isRunning }, config, log, clock: waiting });

  async function send(method: string, path: string, init: RequestInit = {}): Promise<string> {
    const headers = { user: "ann", "content-type": "application/json" };
    const url = `http://maestro.test/api/v3/workflows${path}`;
    const response = await app.fetch(new Request(url, { method, headers, ...init }));
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text;
  }

  return {
    ...{ sql: db.sql, port, pool, send },
    /** Statements of the API so far. */
    reads: count,
    /** Resolves when the next step has begun, and its row is stored. */
    async begun(): Promise<void> {
      await begun.wait();
      await store.writer.flush();
    },
    /** Resolves when the next long poll begins to wait or to read. */
    asked: () => asked.wait(),
    /** Time goes by for the engine. */
    pass: (ms: number) => clock.moveTo(clock.now() + ms),
    /** Time goes by for those who wait. */
    wait: (ms: number) => waiting.moveTo(waiting.now() + ms),
  };
}
