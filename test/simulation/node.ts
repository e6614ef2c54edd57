/**
 * A node of a simulated cluster: the real membership, pool, channels, engines and writers, on a simulated process, network
 * and database. What of the real server is missing: HTTP, Postgres, threads, and plugins, in whose place stand jobs.
 */
import { type Clock, pause } from "../../src/clock.ts";
import { MaestroError } from "../../src/error.ts";
import { Engine } from "../../src/flow/engine.ts";
import type { EvaluationPort } from "../../src/flow/evaluation.ts";
import { type LeaseStore, Membership } from "../../src/flow/membership.ts";
import { EnginePool } from "../../src/flow/pool.ts";
import type { FlowStore, StepRef } from "../../src/flow/port.ts";
import type { EndedRun, RunCommand, RunHint, StartCommand, StartReply } from "../../src/flow/protocol.ts";
import { EngineThread } from "../../src/flow/thread.ts";
import { createLogger, type Logger } from "../../src/log.ts";
import { dequeueing } from "../../src/queue/dequeue.ts";
import type { QueueStore } from "../../src/queue/port.ts";
import { Queue } from "../../src/queue/queue.ts";
import { GroupWriter } from "../../src/store/writer/writer.ts";
import { childReads } from "./child.ts";
import type { SimClock } from "./clock.ts";
import { earlierIn } from "./earlier.ts";
import type { Jobs } from "./job.ts";
import type { Network } from "./network.ts";
import { SimProcess } from "./process.ts";
import type { Sabotage, SimStore } from "./store.ts";

/** What all nodes stand on. */
export interface Ground {
  readonly clock: SimClock;
  readonly network: Network;
  readonly store: SimStore;
  readonly jobs: Jobs;
  evaluationOn(process: SimProcess): EvaluationPort;
  readonly threads: number;
  readonly sabotage: Sabotage | undefined;
  peers(of: SimNode): readonly SimNode[];
  ended(node: SimNode, runs: readonly EndedRun[]): void;
  trace(text: () => string): void;
  /** A node has logged what it never should. */
  complain(line: string): void;
}

const DATABASE = "database";
/** Between two sweeps of a node, ms. */
const SWEEP = 30_000;
/** A database that can't be reached is noticed so late, ms. */
const LONGEST_SILENCE = 15_000;

class ConnectionLost extends Error {
  readonly code = "CONNECTION_CLOSED";
}

export class SimNode {
  readonly name: string;
  readonly process: SimProcess;
  readonly pool: EnginePool;
  readonly membership: Membership;
  readonly engines: readonly EngineThread[];
  readonly #ground: Ground;
  readonly #log: Logger;
  #uuids = 0;
  #requests = 0;
  /** The next commit is its last: it dies before it hears of it. */
  diesAtCommit = false;

  constructor(ground: Ground, name: string) {
    this.name = name;
    this.#ground = ground;
    this.process = new SimProcess(ground.clock, Math.round((ground.clock.random() - 0.5) * 2_000));
    this.#log = createLogger({ format: "json", level: "warn", write: (line) => this.#logged(line) });
    this.pool = new EnginePool({
      threads: ground.threads,
      session: name,
      clock: this.#channelClock(),
      send: (thread, frame) => this.#wire(() => this.engines[thread]?.accept(frame)),
      elsewhere: (hints) => this.#hint(hints),
      ended: (runs) => ground.ended(this, runs),
      logged() {},
      stale: () => void this.membership.refresh(),
    });
    this.engines = Array.from({ length: ground.threads }, (_, index) => this.#thread(index));
    this.membership = new Membership({
      node: { id: name, url: `sim://${name}`, version: "1" },
      groups: ground.store.groups.length,
      store: this.#leases(),
      log: this.#log,
      clock: this.process,
      own: (stamps) => this.pool.own(stamps),
      disown: (groups) => this.pool.disown(groups),
      freed: async () => this.#others((other) => void other.membership.refresh()),
    });
  }

  boot(): void {
    void this.#join();
    this.#sweep();
  }

  /** As a client's request: it may never be answered. */
  start(command: RunCommand): Promise<StartReply> {
    return this.pool.start(command);
  }

  /** As a trigger's. */
  startBatch(commands: readonly StartCommand[]): Promise<readonly StartReply[]> {
    return this.pool.startBatch(commands);
  }

  /** The runs' owners should look at them, wherever they are. */
  look(hints: readonly RunHint[]): void {
    this.pool.look(hints);
  }

  /** A step has a breakpoint from now on: resolves when this node and every other one knows, if they ever do. */
  async addBreakpoint(step: StepRef): Promise<void> {
    const others = this.#ground.peers(this).map((other) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      const answer = (): void => {
        this.#ground.network.send(other.name, this.name, () => this.process.enter(resolve));
      };
      this.#ground.network.send(this.name, other.name, () =>
        other.process.enter(() => void other.pool.addBreakpoint(step).then(answer)),
      );
      return promise;
    });
    await Promise.all([this.pool.addBreakpoint(step), ...others]);
  }

  /** SIGTERM. */
  async leave(): Promise<void> {
    await this.membership.stop();
    for (const { engine } of this.engines) await engine.stop();
    this.pool.close();
    this.process.kill();
  }

  /** Registers as soon as the database lets it. */
  async #join(): Promise<void> {
    for (;;) {
      try {
        return await this.membership.start();
      } catch {
        await pause(this.process, 1_000);
      }
    }
  }

  #sweep(): void {
    this.pool.sweep();
    this.process.after(SWEEP * (0.9 + this.process.random() * 0.2), () => this.#sweep());
  }

  #thread(index: number): EngineThread {
    const { clock, jobs, store } = this.#ground;
    return new EngineThread({
      session: this.name,
      clock: this.#channelClock(),
      send: (frame) => this.#wire(() => this.pool.accept(index, frame)),
      engine: (events) => {
        const engine: Engine = new Engine({
          clock: this.process,
          store: this.#store((hints) => events.hint(hints)),
          outbox: this.#queue(() => engine),
          evaluation: this.#ground.evaluationOn(this.process),
          log: this.#log,
          place: { host: this.name, directory: "/jobs" },
          groups: store.groups.length,
          index,
          events,
          newUuid: () => `${this.name}.${++this.#uuids}`,
          runtimeOf: () => jobs.runtimeOf(this, clock),
          forget() {},
          stored() {},
        });
        return engine;
      },
    });
  }

  #queue(engine: () => Engine): Queue {
    const { outbox } = this.#ground.store;
    const store: QueueStore = {
      take: (topic, now, limit, hold) => this.#call(() => outbox.take(topic, now, limit, hold)),
      done: (entries) => this.#call(() => outbox.done(entries)),
      failed: (failures) => this.#call(() => outbox.failed(failures)),
      release: (entries) => this.#call(() => outbox.release(entries)),
    };
    return new Queue({ processors: [dequeueing(engine)], store, clock: this.process, log: this.#log });
  }

  /** Between the threads of the process. */
  #wire(deliver: () => void): void {
    this.#ground.network.send(`${this.name} main`, `${this.name} engine`, () => this.process.enter(deliver));
  }

  #hint(hints: readonly RunHint[]): void {
    this.#others((other) => other.pool.look(hints.filter(({ groupId }) => other.pool.owned.has(groupId))));
  }

  #others(tell: (other: SimNode) => void): void {
    for (const other of this.#ground.peers(this)) {
      this.#ground.network.send(this.name, other.name, () => other.process.enter(() => tell(other)));
    }
  }

  /** Where nothing is sent again, no timer of a channel fires. */
  #channelClock(): Clock {
    const { process } = this;
    if (this.#ground.sabotage !== "resend") return process;
    return {
      now: () => process.now(),
      elapsed: () => process.elapsed(),
      at: (time, callback) => process.at(time, callback),
      after: () => ({ cancel() {} }),
      soon: (callback) => process.soon(callback),
      random: process.random,
    };
  }

  // ---- the database ------------------------------------------------------------------------------------------------

  /** @throws ConnectionLost when the database can't be reached; whether it has done the work is not known then */
  #call<T>(work: () => T): Promise<T> {
    const { network, clock } = this.#ground;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const lost = (): void => {
      const wait = clock.random() * LONGEST_SILENCE;
      clock.after(wait, () => this.process.enter(() => reject(new ConnectionLost("the connection is gone"))));
    };
    if (network.isCut(this.name, DATABASE)) lost();
    else {
      clock.after(network.delay(), () => {
        let reply: () => void;
        try {
          const result = work();
          reply = () => resolve(result);
        } catch (error) {
          reply = () => reject(error);
        }
        if (network.isCut(this.name, DATABASE)) lost();
        else clock.after(network.delay(), () => this.process.enter(reply));
      });
    }
    return promise;
  }

  /** As `store/flow.ts` says that it can't be reached. */
  async #answered<T>(work: () => T): Promise<T> {
    try {
      return await this.#call(work);
    } catch (error) {
      if (error instanceof ConnectionLost) throw new MaestroError("UNAVAILABLE", error.message);
      throw error;
    }
  }

  /** Until the outcome is known, as `store/pipeline.ts` does it. */
  async #untilKnown<T>(work: () => T): Promise<T> {
    for (;;) {
      try {
        return await this.#call(work);
      } catch (error) {
        if (!(error instanceof ConnectionLost)) throw error;
        await pause(this.process, 500);
      }
    }
  }

  #store(launch: (hints: readonly RunHint[]) => void): FlowStore {
    const { store } = this.#ground;
    const writer = new GroupWriter(
      (batch) =>
        this.#call(() => {
          store.commit(batch);
          if (this.diesAtCommit) this.process.kill();
          return undefined;
        }),
      { log: this.#log, clock: this.process },
    );
    const children = childReads(store);
    return {
      writer,
      heads: (ids) => this.#answered(() => store.heads(ids)),
      definition: (internalId, versionId) => this.#answered(() => store.definition(internalId, versionId)),
      startRuns: async (runs) => {
        const request = `${this.name}:${++this.#requests}`;
        const { outcomes, told } = await this.#untilKnown(() => store.startRuns(runs, request));
        if (told.length > 0) launch(told.map(({ key, groupId }) => ({ key, groupId })));
        return outcomes;
      },
      dequeue: (ids) => this.#call(() => store.dequeue(ids)),
      loadGroup: (groupId, afterKey) =>
        this.#call(() => {
          const page = store.open([groupId]).filter(({ key }) => key > afterKey);
          const runs = page.slice(0, 2).flatMap(({ key }) => store.load(key) ?? []);
          return { runs, next: page.length > 2 ? page[1]?.key : undefined, newest: Math.max(0, ...store.runs.keys()) };
        }),
      loadRun: (key) => this.#call(() => store.load(key)),
      earlier: (refs) => this.#answered(() => earlierIn(store, refs)),
      dropWords: (groups) => this.#call(() => store.dropWords(groups)),
      fetch: () => this.#call(() => ({ rows: "[]", chars: 0 })),
      words: (keys) => this.#call(() => store.words(keys)),
      templates: () => this.#call(() => []),
      brokenSteps: () =>
        this.#call(() =>
          [...store.breakpoints].map((name) => {
            const [internalId, stepId = ""] = name.split(":");
            return { internalId: Number(internalId), stepId };
          }),
        ),
      haveBreakpoints: (attempts) => this.#call(() => store.haveBreakpoints(attempts)),
      arePaused: (attempts) => this.#call(() => store.arePaused(attempts)),
      assignPermits: (look) => this.#call(() => store.assignPermits(look)),
      unfinished: (groups) =>
        this.#call(() => ({
          runs: store.open(groups).map(({ key, groupId }) => ({ key, groupId })),
          words: [...store.said.keys()].flatMap((key) => {
            const groupId = store.runs.get(key)?.groupId ?? -1;
            return groups.includes(groupId) ? [{ key, groupId }] : [];
          }),
        })),
      reserveKeys: (count) => this.#answered(() => Array.from({ length: count }, () => ++store.lastKey)),
      iterations: (workflowId) => this.#answered(() => children.iterations(workflowId)),
      latestRun: (workflowId, instanceId) => this.#answered(() => children.latestRun(workflowId, instanceId)),
      runOfRequest: (workflowId, uuid) => this.#answered(() => children.runOfRequest(workflowId, uuid)),
      latestRuns: (workflowId, ids) => this.#answered(() => children.latestRuns(workflowId, ids)),
      attemptBefore: (...args) => this.#answered(() => children.attemptBefore(...args)),
      endedOf: (keys) => this.#call(() => (this.#ground.sabotage === "ends" ? [] : children.endedOf(keys))),
      attemptsOf: (key) => this.#answered(() => children.attemptsOf(key)),
      close: () => writer.stop(),
    };
  }

  #leases(): LeaseStore {
    const { store } = this.#ground;
    return {
      register: (node) => this.#call(() => store.register(node)),
      heartbeat: (id) => this.#call(() => store.heartbeat(id)),
      claim: (id, limit) => this.#call(() => store.claim(id, limit)),
      giveBack: (id, groups) => this.#call(() => store.giveBack(id, groups)),
      releaseAll: (id) => this.#call(() => store.releaseAll(id)),
    };
  }

  #logged(line: string): void {
    this.#ground.trace(() => `${this.name} logs ${line.trim()}`);
    if (/is parked|callback failed|are refused/.test(line)) this.#ground.complain(`${this.name}: ${line.trim()}`);
  }
}
