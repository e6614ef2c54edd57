/**
 * A world in which the engine runs without Postgres, threads or a real clock: rows in maps, commits and time when the
 * test says so. `crash()` throws the engine away as `kill -9` would, with everything that has not committed.
 */

import type { TimelineEvent } from "../../src/definition/timeline.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { Engine } from "../../src/flow/engine.ts";
import type { EvaluationPort, TaskScope } from "../../src/flow/evaluation.ts";
import type { Guard } from "../../src/flow/gate.ts";
import {
  type AttemptRef,
  type FlowStore,
  type GroupStamp,
  type LoadedRun,
  type NewRun,
  RefusedWrite,
  type Settled,
  StaleOwner,
  type StartOutcome,
  type Write,
  type Writer,
} from "../../src/flow/port.ts";
import type { EngineCounters, StartReply, StartRequest } from "../../src/flow/protocol.ts";
import { stringifyJson } from "../../src/json.ts";
import { createLogger } from "../../src/log.ts";
import { dequeueing } from "../../src/queue/dequeue.ts";
import type { QueueStore } from "../../src/queue/port.ts";
import { Queue } from "../../src/queue/queue.ts";
import type { Run, RunRef } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import type { Word, WordPayload } from "../../src/run/word.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import { logEvent } from "../../src/step/event.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import type { StepNode } from "../../src/step/node.ts";
import type { StepResult } from "../../src/step/result.ts";
import type { GateName } from "../../src/step/state.ts";
import { childReads } from "./child.ts";
import { FakeClock } from "./clock.ts";
import { earlierIn } from "./earlier.ts";
import { plainEvaluation, watched } from "./evaluation.ts";
import { SimPermits } from "./permit.ts";

interface HeldWrite {
  readonly stamp: GroupStamp;
  readonly rows: readonly Write[];
  readonly settled: Settled | undefined;
  isRefused: boolean;
}

class HeldWriter implements Writer {
  #queue: HeldWrite[] = [];
  readonly #apply: (rows: readonly Write[]) => void;
  readonly #refuses: (row: Write) => boolean;
  readonly #owns: (stamp: GroupStamp) => boolean;

  constructor(
    apply: (rows: readonly Write[]) => void,
    refuses: (row: Write) => boolean,
    owns: (stamp: GroupStamp) => boolean,
  ) {
    this.#apply = apply;
    this.#refuses = refuses;
    this.#owns = owns;
  }

  get depth(): number {
    return this.#queue.length;
  }

  write(stamp: GroupStamp, rows: readonly Write[], settled?: Settled): void {
    this.#queue.push({ stamp, rows, settled, isRefused: false });
  }

  /** Commits the oldest write that waits. */
  commitOne(): void {
    const write = this.#queue.shift();
    if (!write) return;
    if (!this.#owns(write.stamp)) return write.settled?.(new StaleOwner(write.stamp));
    if (!write.isRefused && !write.rows.some(this.#refuses)) {
      this.#apply(write.rows);
      return write.settled?.();
    }
    const runs = write.isRefused ? new Set<number>() : runsOf(write.rows);
    for (const later of this.#queue) later.isRefused ||= !runsOf(later.rows).isDisjointFrom(runs);
    write.settled?.(new RefusedWrite("value out of range"));
  }

  async flush(): Promise<void> {
    while (this.#queue.length > 0) this.commitOne();
  }

  async stop(): Promise<void> {}
}

const runsOf = (rows: readonly Write[]): ReadonlySet<number> =>
  new Set(rows.flatMap((row) => (row.kind === "run" ? [row.key] : "runKey" in row ? [row.runKey] : [])));

/** A runtime whose jobs end when the test says so. */
export class FakeRuntime {
  readonly started: string[] = [];
  readonly terminated: string[] = [];
  readonly results = new Map<string, StepResult | Promise<StepResult>>();
  /** Answers of `terminate` by step; the others are STOPPED. */
  readonly terminations = new Map<string, StepResult | Promise<StepResult>>();
  /** Called when a job is asked for. */
  onCall: (context: AttemptContext) => void = () => {};

  start = async (context: AttemptContext): Promise<StepResult> => {
    this.onCall(context);
    this.started.push(`${context.identity.stepId}:${context.identity.attemptId}`);
    return this.#answer(context);
  };
  execute = async (context: AttemptContext): Promise<StepResult> => {
    this.onCall(context);
    return this.#answer(context);
  };
  terminate = async (context: AttemptContext): Promise<StepResult> => {
    this.terminated.push(`${context.identity.stepId}:${context.identity.attemptId}`);
    return this.terminations.get(context.identity.stepId) ?? { state: "STOPPED", timeline: this.#stopped };
  };

  readonly #stopped = [logEvent("Stopped with SIGTERM", 1)];

  #answer({ identity }: AttemptContext): StepResult | Promise<StepResult> {
    const key = `${identity.stepId}:${identity.attemptId}`;
    return this.results.get(key) ?? this.results.get(identity.stepId) ?? { state: "CONTINUE" };
  }
}

export class World {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime();
  readonly runs = new Map<number, Run>();
  #lastKey = 0;
  readonly attempts = new Map<number, Map<string, StepAttempt>>();
  /** What is said to runs, by run. */
  readonly said = new Map<number, readonly Word[]>();
  readonly permits = new SimPermits();
  readonly outbox = new Set<string>();
  /** How often the engine has looked for rows of the outbox that are due. */
  outboxLooks = 0;
  /** Dead letters, by key. */
  readonly letters = new Map<string, Extract<Write, { readonly kind: "dead-letter" }>>();
  /** Each time the engine asked whether a queued run may go: for which workflows. */
  readonly dequeues: (readonly string[])[] = [];
  /** What the engine has logged as an error. */
  readonly errors: string[] = [];
  /** Runs whose end the engine has told. */
  readonly ends: RunRef[] = [];
  /** Groups of which the engine has said that they are lost. */
  readonly lost: number[] = [];
  /** Attempts whose traces may go, as the engine has said it. */
  readonly forgotten: string[] = [];
  /** Of the group's owner, as the database knows it. */
  generation = 0;
  /** Starts are answered once this has settled. */
  slowStarts: Promise<void> = Promise.resolve();
  /** Of the workflow: each one pushes a version. */
  revision = 0;
  /** 0: none. */
  activeVersion = 1;
  /** How often the engine has read a run. */
  runReads = 0;
  /** How often the engine has read what is said to runs, without the runs. */
  wordReads = 0;
  /** How often the engine has read the workflow's head. */
  headReads = 0;
  /** Reads of a run answer with what they saw when they began, once this has settled. */
  slowReads: Promise<void> = Promise.resolve();
  /** Steps of the workflow that may run at a time. */
  stepConcurrency: number | undefined;
  /** Starts are held back by their strategy. */
  holdBack = false;
  /** Rows that no commit takes. */
  refuses: (row: Write) => boolean = () => false;
  /** Called in the turn in which a runtime is asked for. */
  onRuntime: (node: StepNode) => void = () => {};
  /** Commits so far. */
  commits = 0;
  /** Steps that have a breakpoint. */
  breakpoints: readonly string[] = [];
  /** Attempts that it holds: run, step, attempt. */
  readonly paused = new Set<string>();
  /** So many reads of the steps that have one fail. */
  brokenReads = 0;
  /** How often the engine has asked whether a breakpoint matches. */
  breakpointReads = 0;
  /** Whoever guards gates from the next boot on; undefined: the engine's own. */
  guards: ReadonlyMap<GateName, Guard> | undefined;
  /** Called when a run's params are evaluated. */
  onStart: () => void = () => {};
  /** Called when a step's params are evaluated. */
  onParams: (scope: TaskScope) => void = () => {};
  readonly #workflow: Workflow;
  readonly #evaluation: EvaluationPort;
  #writer: HeldWriter | undefined;
  #engine: Engine | undefined;
  #boots = 0;
  #uuids = 0;

  constructor(workflow: Workflow, evaluation: EvaluationPort = plainEvaluation) {
    this.#workflow = workflow;
    this.#evaluation = evaluation;
  }

  /**
   * A new owner of everything: what it knows is what has committed.
   * @param slice how long flows or starts may hold the thread, ms: by default as long as they like
   */
  async boot({ slice = 60_000 } = {}): Promise<void> {
    this.#writer = new HeldWriter(
      (rows) => this.#commit(rows),
      (row) => this.refuses(row),
      ({ generation }) => generation === this.generation,
    );
    const engine: Engine = new Engine({
      clock: this.clock,
      store: this.#store(this.#writer),
      outbox: this.#queue(() => engine),
      evaluation: watched(
        this.#evaluation,
        (scope) => this.onParams(scope),
        () => this.onStart(),
      ),
      log: createLogger({ format: "json", level: "error", write: (line) => this.errors.push(line) }),
      ...(this.guards && { guards: this.guards }),
      place: { host: "here", directory: `/node-${++this.#boots}/attempt` },
      groups: 1,
      index: 0,
      // How fast this machine is must not show.
      slice,
      events: {
        hint() {},
        ended: (run) => this.ends.push(run),
        logged() {},
        stale: (groups) => this.lost.push(...groups),
      },
      newUuid: () => `uuid-${++this.#uuids}`,
      runtimeOf: (node) => {
        this.onRuntime(node);
        return node.typed?.type === "Job" ? this.runtime : { unavailable: "no runtime" };
      },
      forget: (uuid) => this.forgotten.push(uuid),
      stored() {},
    });
    this.#engine = engine;
    await engine.own([{ groupId: 0, generation: ++this.generation }]);
    await settle();
  }

  /** Acts on what is announced: what is not, no sweep finds. */
  #queue(engine: () => Engine): Queue {
    const none = async (): Promise<void> => {};
    const store: QueueStore = {
      take: async () => {
        this.outboxLooks++;
        return [];
      },
      done: none,
      failed: none,
      release: none,
    };
    return new Queue({
      processors: [dequeueing(engine)],
      store,
      clock: this.clock,
      log: createLogger({ format: "json", level: "error", write: (line) => this.errors.push(line) }),
    });
  }

  /** Everything in memory is gone. */
  crash(): void {
    const writer = this.#writer;
    this.#engine?.scheduler.stop();
    this.#engine?.timers.stop();
    this.#writer = undefined;
    this.#engine = undefined;
    if (writer) writer.write = () => {};
  }

  start(request: Partial<StartRequest> = {}, version = "latest"): Promise<StartReply> {
    if (!this.#engine) throw new Error("no engine");
    return this.#engine.start({
      workflowId: this.#workflow.id,
      version,
      user: "tester",
      request: {
        initiator: { type: "MANUAL", depth: 0, user: "tester" },
        requestTime: this.clock.now(),
        requestId: undefined,
        runtimeTags: undefined,
        runParams: undefined,
        artifacts: undefined,
        persistFailedRun: false,
        ...request,
      },
    });
  }

  async act(key: number, kind: Word["kind"], stepId?: string, payload: WordPayload = {}): Promise<void> {
    const word = { kind, stepId, user: "tester", reason: "", createTime: this.clock.now(), ...payload };
    this.said.set(key, [...(this.said.get(key) ?? []), word]);
    this.#engine?.look([{ key, groupId: 0 }]);
    await settle();
  }

  get counters(): EngineCounters {
    if (!this.#engine) throw new Error("no engine");
    return this.#engine.counters;
  }

  /** The group is claimed again: by the same engine, which has not heard of having lost it. */
  async claimAgain(): Promise<void> {
    await this.#engine?.own([{ groupId: 0, generation: ++this.generation }]);
    await settle();
  }

  /** Resolves when nothing of the group is on its way to the database any more. */
  async disown(): Promise<void> {
    await this.#engine?.disown([0]);
  }

  /** What the engine does every now and then. */
  async sweep(): Promise<void> {
    await this.#engine?.sweep();
    await settle();
  }

  /** A hint, maybe a late one, that the run should be looked at. */
  hint(key: number): void {
    this.#engine?.look([{ key, groupId: 0 }]);
  }

  /** A hint that steps of the run may pass the gate that holds them. */
  tell(key: number, ...told: readonly string[]): void {
    this.#engine?.look([{ key, groupId: 0, told }]);
  }

  /** A hint that the step has a breakpoint from now on. */
  addBreakpoint(stepId: string): void {
    this.#engine?.breakpoints.add({ internalId: 1, stepId });
  }

  /** A run that is let go elsewhere: its row, and the hint that brings it. */
  async letGo(): Promise<Run> {
    this.holdBack = true;
    const { instanceId } = await this.start();
    const run = this.runs.get(instanceId) as Run;
    const gone = { ...run, executionId: run.uuid };
    this.runs.set(run.key, gone);
    return gone;
  }

  hand(run: Run): void {
    this.handText(run.key, stringifyJson(run));
  }

  handText(key: number, run: string): void {
    this.#engine?.look([{ key, groupId: 0, run }]);
  }

  wake(stepId: string): void {
    for (const attempts of this.attempts.values()) {
      for (const attempt of attempts.values()) if (attempt.stepId === stepId) this.#engine?.wake(attempt.uuid);
    }
  }

  /** Commits what waits, one write at a time, and lets the engine react; time stands still. */
  async settle(most = Number.POSITIVE_INFINITY): Promise<void> {
    await settle();
    for (let count = 0; count < most && this.#writer && this.#writer.depth > 0; count++) {
      this.#writer.commitOne();
      await settle();
    }
  }

  /** Commits the oldest write that waits, and nobody comes to react. */
  commitOnly(): void {
    this.#writer?.commitOne();
  }

  /** Moves time from one due timer to the next until the instant is reached. */
  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms;
    await this.settle();
    while (this.clock.next !== undefined && this.clock.next <= end) {
      this.clock.moveTo(this.clock.next);
      await this.settle();
    }
    this.clock.moveTo(end);
    await this.settle();
  }

  /** Status of the newest committed attempt at each step. */
  statuses(key = 1): Record<string, string> {
    const latest: Record<string, string> = {};
    for (const attempt of this.attempts.get(key)?.values() ?? []) latest[attempt.stepId] = attempt.status;
    return latest;
  }

  /** Level and text of what a run's committed timeline holds. */
  runMessages(key = 1): readonly (readonly [level: string, message: string])[] {
    return logsIn(this.runs.get(key)?.timeline ?? []);
  }

  /** Level and text of what the newest committed attempt at a step has in its timeline. */
  messages(stepId: string, key = 1): readonly (readonly [level: string, message: string])[] {
    const attempt = [...(this.attempts.get(key)?.values() ?? [])].findLast((it) => it.stepId === stepId);
    return logsIn(attempt?.timeline ?? []);
  }

  status(key = 1): string | undefined {
    return this.runs.get(key)?.status;
  }

  #commit(rows: readonly Write[]): void {
    this.commits++;
    for (const row of rows) {
      if (row.kind === "child") this.runs.set(row.run.key, row.run);
      else if (row.kind === "word") this.said.set(row.runKey, [...(this.said.get(row.runKey) ?? []), row.word]);
      else if (row.kind === "attempt") {
        const ofRun = this.attempts.get(row.runKey) ?? new Map<string, StepAttempt>();
        ofRun.set(`${row.attempt.stepId}:${row.attempt.attemptId}`, row.attempt);
        this.attempts.set(row.runKey, ofRun);
      } else if (row.kind === "run") {
        const run = this.runs.get(row.key);
        if (run) this.runs.set(row.key, { ...run, ...row.change });
      } else if (row.kind === "paused") this.#pause(row);
      else if (row.kind === "outbox") this.outbox.add(`${row.topic}:${row.key}`);
      else if (row.kind === "dead-letter") this.letters.set(row.key, row);
      else if (row.kind === "words-taken") this.#taken(row.runKey, row.stepId);
      else if (row.kind === "permits-wanted") this.permits.want(row);
      else if (row.kind === "permits-released") this.permits.release(row.uuid);
      else if (row.kind === "permits-left") this.permits.leave(row.starter);
    }
  }

  #pause(row: Extract<Write, { readonly kind: "paused" }>): void {
    if (row.since === undefined) this.paused.delete(placeIn(row));
    else if (this.breakpoints.includes(row.stepId)) this.paused.add(placeIn(row));
  }

  #taken(key: number, stepId: string | undefined): void {
    const left = (this.said.get(key) ?? []).filter((word) => stepId !== undefined && word.stepId !== stepId);
    if (left.length > 0) this.said.set(key, left);
    else this.said.delete(key);
  }

  #unfinished(): LoadedRun[] {
    return [...this.runs.values()].filter(isOpen).map((run) => this.#loaded(run));
  }

  #loaded(run: Run): LoadedRun {
    return {
      run,
      attempts: latestAttempts([...(this.attempts.get(run.key)?.values() ?? [])]),
      words: this.said.get(run.key) ?? [],
      logEnds: new Map(),
    };
  }

  #create(made: NewRun): StartOutcome {
    if (made.revision !== this.revision) return { result: "CHANGED" };
    const key = ++this.#lastKey;
    const ref = { workflowId: made.workflowId, instanceId: key, runId: 1 };
    const times = { createTime: this.clock.now(), startTime: undefined, endTime: undefined };
    const executionId = this.holdBack ? undefined : made.uuid;
    const fixed = { key, groupId: 0, correlationId: undefined, executionId, overview: undefined };
    const run: Run = { ...made, ...ref, ...times, ...fixed, modifyTime: this.clock.now() };
    this.runs.set(key, run);
    return { result: "CREATED", run };
  }

  #store(writer: Writer): FlowStore {
    const fixed = { workflowId: this.#workflow.id, internalId: 1 };
    const snapshot = { workflow_id: this.#workflow.id, create_time: 1, author: "tester", owner: "tester" };
    const children = childReads(this);
    return {
      writer,
      heads: async () => {
        this.headReads++;
        const { revision, activeVersion, stepConcurrency } = this;
        const properties = { ...snapshot, step_concurrency: stepConcurrency };
        return [{ ...fixed, properties, revision, activeVersion, latestVersion: revision + 1 }];
      },
      definition: async () => this.#workflow,
      startRuns: async (runs) => {
        const outcomes = runs.map((run) => this.#create(run));
        await this.slowStarts;
        return outcomes;
      },
      dequeue: async (workflowIds) => {
        this.dequeues.push(workflowIds);
        return [];
      },
      loadGroup: async () => ({ runs: this.#unfinished(), next: undefined, newest: this.#lastKey }),
      loadRun: async (key) => {
        this.runReads++;
        const found = this.#unfinished().find(({ run }) => run.key === key);
        await this.slowReads;
        return found;
      },
      fetch: async () => ({ rows: "[]", chars: 0 }),
      words: async (keys) => {
        this.wordReads++;
        return new Map(keys.flatMap((key) => (this.said.has(key) ? [[key, this.said.get(key) ?? []] as const] : [])));
      },
      earlier: async (refs) => earlierIn(this, refs),
      dropWords: async () => {
        for (const key of this.said.keys()) if (!isOpen(this.runs.get(key))) this.said.delete(key);
      },
      templates: async () => [],
      brokenSteps: async () => {
        if (this.brokenReads-- > 0) throw new Error("no connection");
        const seen = this.breakpoints.map((stepId) => ({ internalId: 1, stepId }));
        await this.slowReads;
        return seen;
      },
      haveBreakpoints: async (attempts) => {
        this.breakpointReads++;
        return attempts.map(({ stepId }) => this.breakpoints.includes(stepId));
      },
      arePaused: async (attempts) => attempts.map((ref) => ({ isHeld: this.paused.has(placeIn(ref)) })),
      assignPermits: async (look) => {
        if (writer !== this.#writer) throw new Error("the engine has crashed");
        return this.permits.assign(look);
      },
      unfinished: async () => ({
        runs: this.#unfinished().map(({ run }) => placeOf(run.key)),
        words: [...this.said.keys()].map(placeOf),
      }),
      reserveKeys: async (count) => Array.from({ length: count }, () => ++this.#lastKey),
      iterations: async (workflowId) => children.iterations(workflowId),
      latestRun: async (workflowId, instanceId) => children.latestRun(workflowId, instanceId),
      runOfRequest: async (workflowId, uuid) => children.runOfRequest(workflowId, uuid),
      latestRuns: async (workflowId, ids) => children.latestRuns(workflowId, ids),
      attemptBefore: async (...args) => children.attemptBefore(...args),
      endedOf: async (keys) => children.endedOf(keys),
      attemptsOf: async (key) => children.attemptsOf(key),
      close: async () => {},
    };
  }
}

const placeIn = ({ runKey, stepId, attemptId }: AttemptRef): string => `${runKey} ${stepId} ${attemptId}`;
const placeOf = (key: number) => ({ key, groupId: 0 });
const logsIn = (timeline: readonly TimelineEvent[]) =>
  timeline.flatMap((it) => (it.type === "LOG" ? [[it.level, it.message] as const] : []));
const isOpen = (run: Run | undefined): boolean => run?.status === "CREATED" || run?.status === "IN_PROGRESS";

/** Lets everything that is ready run: microtasks and immediates, several rounds of them. */
async function settle(): Promise<void> {
  for (let round = 0; round < 6; round++) await new Promise((resolve) => setImmediate(resolve));
}
