/**
 * A cluster of simulated nodes, out of a seed: for a while users start and stop runs, nodes crash, pause, leave and lose
 * their links; then everything heals, and every run has to end. Same seed, same events.
 */
import { drainMicrotasks } from "bun:jsc";
import { MaestroError } from "../../src/error.ts";
import type { RunCommand, StartCommand, StartReply } from "../../src/flow/protocol.ts";
import type { Run, RunRef } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import { isOver } from "../../src/run/status.ts";
import { STEP_ACTIONS } from "../../src/step/action.ts";
import type { ResumedAttempt } from "../../src/store/breakpoint.ts";
import type { Batch } from "../../src/store/writer/batch.ts";
import { type Deed, drawDeed, drawStrategy, drawWorkflow, pick, TAGS } from "./action.ts";
import { type Again, restartRun, restartStep } from "./again.ts";
import { Breach } from "./breach.ts";
import { SimClock } from "./clock.ts";
import { slowEvaluation } from "./evaluation.ts";
import { Invariants } from "./invariant.ts";
import { Jobs } from "./job.ts";
import { FAIR, Network } from "./network.ts";
import { type Ground, SimNode } from "./node.ts";
import { isOpen, nameOfStep, type Sabotage, SimStore } from "./store.ts";

const NODES = 3;
const GROUPS = 6;
const WORKFLOWS: readonly string[] = ["w0", "w1", "w2"];
const DATABASE = "database";
/** Simulated time of trouble, and between two deeds on average, ms. */
const TROUBLE = 60_000;
const BETWEEN = 1_000;
/** Every run has to end within so long after everything has healed, and memory to be empty so long after that. */
const PATIENCE = 7_200_000;
const AFTERMATH = 75_000;
/** Events at one instant beyond which something goes round in circles. */
const MOST_AT_ONCE = 100_000;

export interface Outcome {
  readonly seed: number;
  readonly events: number;
  readonly runs: number;
  /** Simulated ms. */
  readonly time: number;
  readonly breach: string | undefined;
}

export interface ClusterOptions {
  readonly sabotage?: Sabotage | undefined;
  readonly trace?: ((line: string) => void) | undefined;
}

export class Cluster implements Ground {
  readonly clock: SimClock;
  readonly network: Network;
  readonly store: SimStore;
  readonly jobs: Jobs;
  readonly invariants: Invariants;
  readonly sabotage: Sabotage | undefined;
  readonly threads: number;
  readonly #options: ClusterOptions;
  readonly #seed: number;
  #nodes: SimNode[] = [];
  #boots = 0;
  #requests = 0;
  #events = 0;
  /** Events at this instant. */
  #instant = 0;
  #atOnce = 0;
  /** Starts whose clients still wait. */
  readonly #unanswered = new Set<string>();
  #isHealed = false;
  /** Of things that nobody waits for: the next step of the world throws it. */
  #broken: unknown;

  constructor(seed: number, options: ClusterOptions = {}) {
    this.#seed = seed;
    this.#options = options;
    this.sabotage = options.sabotage;
    this.clock = new SimClock(seed);
    this.network = new Network(this.clock);
    this.invariants = new Invariants(() => this.store);
    const { invariants } = this;
    const kept =
      <A extends unknown[]>(check: (...args: A) => void) =>
      (...args: A): void =>
        this.#check(() => check(...args));
    const watcher = {
      committing: kept((batch: Batch, store: SimStore) => {
        this.trace(() => `commits ${spelled(batch)}`);
        invariants.committing(batch, store);
      }),
      committed: kept(invariants.committed.bind(invariants)),
      granted: kept(invariants.granted.bind(invariants)),
      claimed: kept(invariants.claimed.bind(invariants)),
      made: kept(invariants.made.bind(invariants)),
      starting: kept(invariants.starting.bind(invariants)),
    };
    this.store = new SimStore(GROUPS, () => this.clock.now(), watcher, this.sabotage);
    this.jobs = new Jobs(this.clock, watcher);
    this.threads = 1 + Math.floor(this.clock.random() * 2);
    this.jobs.chances = { broken: this.clock.random() * 0.1, failed: this.clock.random() * 0.4 };
  }

  run(): Outcome {
    let breach: string | undefined;
    const begin = this.clock.elapsed();
    try {
      for (const id of WORKFLOWS) this.#push(id);
      for (let index = 0; index < NODES; index++) this.#boot();
      this.clock.after(this.#pauseBetween(), () => this.#act());
      this.#until(begin + TROUBLE);
      this.#heal();
      this.#untilDone(this.clock.elapsed() + PATIENCE);
      this.#until(this.clock.elapsed() + AFTERMATH);
      this.invariants.healed(this.#nodes, this.jobs);
    } catch (error) {
      breach = error instanceof Breach ? error.message : String((error as Error).stack ?? error);
    }
    const time = this.clock.elapsed() - begin;
    return { seed: this.#seed, events: this.#events, runs: this.store.runs.size, time, breach };
  }

  // ---- what nodes stand on -----------------------------------------------------------------------------------------

  evaluationOn(process: SimNode["process"]) {
    return slowEvaluation(process, 0.03);
  }

  peers(of: SimNode): readonly SimNode[] {
    return this.#nodes.filter((node) => node !== of);
  }

  ended(node: SimNode, runs: readonly RunRef[]): void {
    if (node.process.isDead) return;
    for (const run of runs) this.#check(() => this.invariants.told(this.store.runOf(run)));
  }

  trace(text: () => string): void {
    this.#options.trace?.(`${String(this.clock.now() - 1_700_000_000_000).padStart(7)} ${text()}`);
  }

  complain(line: string): void {
    this.#broken ??= new Breach(line);
  }

  /** A breach is no failure that anybody could handle. */
  #check(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#broken ??= error;
    }
  }

  // ---- time --------------------------------------------------------------------------------------------------------

  #until(time: number): void {
    while ((this.clock.next ?? Number.POSITIVE_INFINITY) <= time) this.#step();
  }

  #untilDone(latest: number): void {
    for (let checked = 0; this.clock.elapsed() < latest; ) {
      this.#step();
      if (this.clock.elapsed() - checked < 1_000) continue;
      checked = this.clock.elapsed();
      this.#unblockChildren();
      if (this.#unanswered.size === 0 && this.invariants.unfinished().length === 0) return;
    }
    const [uuid] = this.#unanswered;
    if (uuid !== undefined) throw new Breach(`the start ${uuid} is never answered`);
  }

  /** A failed run that holds back what another run waits for does not do so for ever. */
  #unblockChildren(): void {
    const blocked = [...this.store.runs.values()].filter(
      (run) => run.parentKey !== undefined && !isOpen(run) && !isOver(run),
    );
    if (blocked.length === 0) return;
    const workflows = new Set(blocked.map((run) => run.workflowId));
    const node = pick(this.clock.random, this.#nodes);
    for (const run of this.#failed()) if (workflows.has(run.workflowId)) this.#unblock(node, run);
  }

  #step(): void {
    this.#events++;
    if (!this.clock.step()) throw new Breach("nothing happens any more");
    drainMicrotasks();
    if (this.#broken !== undefined) throw this.#broken;
    this.#atOnce = this.clock.elapsed() === this.#instant ? this.#atOnce + 1 : 0;
    this.#instant = this.clock.elapsed();
    if (this.#atOnce > MOST_AT_ONCE) throw new Breach("something goes round in circles");
  }

  #pauseBetween(): number {
    return this.clock.random() * 2 * BETWEEN;
  }

  // ---- deeds -------------------------------------------------------------------------------------------------------

  #act(): void {
    if (this.#isHealed) return;
    const deed = drawDeed(this.clock.random);
    this.trace(() => `--- ${deed}`);
    this.#do(deed);
    this.clock.after(this.#pauseBetween(), () => this.#act());
  }

  #do(deed: Deed): void {
    const { random } = this.clock;
    const node = pick(random, this.#nodes);
    switch (deed) {
      case "start":
        for (let count = 1 + Math.floor(random() * 3); count > 0; count--) this.#start([`r${++this.#requests}`]);
        return;
      case "batch":
        return this.#start(Array.from({ length: 2 + Math.floor(random() * 3) }, () => `r${++this.#requests}`));
      case "hold":
        return this.#hold(pick(random, [...this.store.tables.keys()]));
      case "stop":
      case "kill":
        return this.#stop(deed === "stop" ? "STOP" : "KILL");
      case "step":
        return this.#actOnStep();
      case "breakpoint":
        return this.#breakpoint(node);
      case "resume":
        return this.#resume(node);
      case "unblock": {
        const run = pick(random, this.#failed());
        if (run) this.#unblock(node, run);
        return;
      }
      case "restart run":
        return this.#again(node, restartRun(this.store, random));
      case "restart step":
        return this.#again(node, restartStep(this.store, random));
      case "strategy":
        return this.#push(pick(random, [...this.store.tables.keys()]));
      case "permit":
        return this.#allow(pick(random, TAGS), random() < 0.3 ? undefined : Math.floor(random() * 4));
      case "crash":
        return this.#crash(node);
      case "crash at commit":
        node.diesAtCommit = true;
        return;
      case "pause":
        return node.process.pause(random() < 0.5 ? random() * 3_000 : random() * 25_000);
      case "cut from database":
        return this.#cut(node.name, DATABASE);
      case "cut from peer":
        return this.#cut(node.name, pick(random, this.#nodes).name);
      case "heal a link":
        return this.network.healAll();
      case "leave":
        void node.leave().catch(() => {});
        return this.#replaceLater(node);
      case "weather":
        this.network.weather =
          random() < 0.5 ? FAIR : { loss: random() * 0.3, repeat: random() * 0.3, late: random() * 0.1 };
    }
  }

  #cut(a: string, b: string): void {
    this.network.cut(a, b);
    this.clock.after(this.clock.random() * 20_000, () => this.network.heal(a, b));
  }

  /** Failed runs of users' own workflows. */
  #failed(): readonly Run[] {
    const { tables, runs } = this.store;
    return [...runs.values()].filter((it) => it.status === "FAILED" && tables.has(it.workflowId));
  }

  #unblock(node: SimNode, run: Run): void {
    if (this.store.unblock(run)) node.process.enter(() => node.pool.dequeue([run.workflowId]));
  }

  /** A workflow may start those after it. */
  #push(id: string): void {
    const { random } = this.clock;
    const steps = random() < 0.2 ? 1 + Math.floor(random() * 3) : undefined;
    const callable = WORKFLOWS.slice(WORKFLOWS.indexOf(id) + 1);
    this.store.push(drawWorkflow(id, random, callable), drawStrategy(random), steps);
  }

  #allow(tag: string, limit: number | undefined): void {
    this.trace(() => `${limit ?? "any number of"} steps with ${tag}`);
    const hints = this.store
      .allow(tag, limit)
      .map(({ runKey: key, groupId, stepId }) => ({ key, groupId, told: [stepId] }));
    const node = pick(this.clock.random, this.#nodes);
    if (hints.length > 0) node.process.enter(() => node.look(hints));
  }

  #boot(): SimNode {
    const node = new SimNode(this, `n${++this.#boots}`);
    this.#nodes.push(node);
    this.trace(() => `${node.name} boots`);
    node.process.enter(() => node.boot());
    return node;
  }

  #crash(node: SimNode): void {
    node.process.kill();
    this.#replaceLater(node);
  }

  #replaceLater(node: SimNode): void {
    this.clock.after(this.clock.random() * 8_000, () => this.#replace(node));
  }

  #replace(node: SimNode): void {
    if (!this.#nodes.includes(node)) return;
    if (!node.process.isDead) node.process.kill();
    this.#nodes = this.#nodes.filter((other) => other !== node);
    this.#boot();
  }

  /** A client that asks again, anywhere, until it is answered. */
  #start(uuids: readonly string[]): void {
    const workflowId = pick(this.clock.random, [...this.store.tables.keys()]);
    this.#ask(uuids, () => uuids.map((uuid) => commandOf(workflowId, uuid, this.clock.now())));
  }

  /** A paused workflow refuses what it would not queue; a run that has changed, its restart. */
  #ask(uuids: readonly string[], make: () => readonly StartCommand[] | readonly [RunCommand]): void {
    const node = pick(this.clock.random, this.#nodes);
    for (const uuid of uuids) this.#unanswered.add(uuid);
    let isAnswered = false;
    const again = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      this.#ask(uuids, make);
    };
    const answered = (replies: readonly StartReply[]): void => {
      if (isAnswered) return;
      isAnswered = true;
      for (const uuid of uuids) this.#unanswered.delete(uuid);
      this.#check(() => this.#answered(uuids, replies));
    };
    const refused = (error: unknown): void => {
      if (!isRefusal(error)) return void this.clock.after(500, again);
      this.trace(() => `${uuids} is refused: ${(error as Error).message}`);
      isAnswered = true;
      for (const uuid of uuids) this.#unanswered.delete(uuid);
    };
    node.process.enter(() => {
      const commands = make();
      const started =
        commands.length > 1
          ? node.startBatch(commands as readonly StartCommand[])
          : node.start(commands[0] as RunCommand).then((reply) => [reply]);
      started.then(answered, (error) => (isAnswered ? undefined : refused(error)));
    });
    this.clock.after(20_000, again);
  }

  #answered(uuids: readonly string[], replies: readonly StartReply[]): void {
    for (const [index, uuid] of uuids.entries()) {
      const reply = replies[index];
      if (!reply) throw new Breach(`the start ${uuid} of a batch has no answer`);
      this.invariants.answered(uuid, this.store.runOf(reply), reply.status);
      if (index > 0 && reply.instanceId <= (replies[index - 1]?.instanceId ?? 0)) {
        throw new Breach(`the start ${uuid} of a batch has come before an earlier one`);
      }
    }
  }

  /** Pauses a workflow for a while. */
  #hold(workflowId: string): void {
    if (!this.store.pause(workflowId, true)) return;
    this.clock.after(this.clock.random() * 15_000, () => {
      const node = pick(this.clock.random, this.#nodes);
      if (this.store.pause(workflowId, false)) node.process.enter(() => node.pool.dequeue([workflowId]));
    });
  }

  #again(node: SimNode, again: Again | undefined): void {
    if (again === undefined) return;
    const { run } = again;
    if (again.type === "in place") {
      const { stepId, kind, payload } = again;
      this.trace(() => `${kind} of ${stepId} of ${run.key} in place ${JSON.stringify(payload)}`);
      if (!this.store.actOnStep(run, stepId, kind, payload)) return;
      this.invariants.nested.said(run, stepId, payload);
      return node.process.enter(() => node.look([{ key: run.key, groupId: run.groupId }]));
    }
    const uuid = `r${++this.#requests}`;
    const { workflowId, instanceId } = run;
    const { request: restart } = again;
    this.trace(() => `restart ${uuid} of ${run.key}: ${JSON.stringify(restart)}`);
    this.#ask([uuid], () => [
      { workflowId, instanceId, restart, requestTime: this.clock.now(), requestId: uuid, user: "sim" },
    ]);
  }

  #stop(action: "STOP" | "KILL"): void {
    const { random } = this.clock;
    const open = [...this.store.runs.values()].filter((run) => !isOver(run));
    if (open.length === 0) return;
    const node = pick(random, this.#nodes);
    const run = this.store.act(pick(random, open) as Run, action);
    if (run) node.process.enter(() => node.look([{ key: run.key, groupId: run.groupId }]));
  }

  /** As users may: on a step that has begun, and has not ended or waits for its retry. */
  #actOnStep(): void {
    const { random } = this.clock;
    const open = [...this.store.attempts.entries()].flatMap(([key, attempts]) =>
      latestAttempts([...attempts.values()]).flatMap(({ stepId, status }) =>
        STEP_ACTIONS[status].KILL ? [{ key, stepId }] : [],
      ),
    );
    const chosen = pick(random, open);
    if (!chosen) return;
    const run = this.store.runs.get(chosen.key) as Run;
    const kind = pick(random, ["STOP", "KILL", "SKIP", "SUCCEED"] as const);
    const node = pick(random, this.#nodes);
    this.trace(() => `${kind} of ${chosen.stepId} of ${chosen.key}`);
    if (this.store.actOnStep(run, chosen.stepId, kind)) {
      node.process.enter(() => node.look([{ key: run.key, groupId: run.groupId }]));
    }
  }

  /** Sets one, or takes one away. */
  #breakpoint(node: SimNode): void {
    const { random } = this.clock;
    const [some] = this.store.breakpoints;
    if (some !== undefined && random() < 0.5) return this.#removeBreakpoint(node, some, random() < 0.8);
    const table = pick(random, [...this.store.tables.values()]);
    const { internalId } = table.head;
    const stepId = `s${Math.floor(random() * 5)}`;
    const name = nameOfStep({ internalId, stepId });
    this.trace(() => `breakpoint at ${name}`);
    if (this.store.breakpoints.has(name)) return;
    this.store.breakpoints.add(name);
    const told = this.invariants.breakpoints.added(name);
    node.process.enter(() => void node.addBreakpoint({ internalId, stepId }).then(() => told(this.clock.now())));
  }

  #removeBreakpoint(node: SimNode, name: string, isResuming: boolean): void {
    const [internalId, stepId = ""] = name.split(":");
    this.trace(() => `no breakpoint at ${name}`);
    this.invariants.breakpoints.removed(name);
    const resumed = this.store.removeBreakpoint({ internalId: Number(internalId), stepId }, isResuming) ?? [];
    for (const attempt of resumed) this.#tell(node, attempt);
  }

  #resume(node: SimNode): void {
    const name = pick(this.clock.random, [...this.store.paused]);
    if (name === undefined) return;
    this.trace(() => `resumes ${name}`);
    const resumed = this.store.resume(name);
    if (resumed) this.#tell(node, resumed);
  }

  #tell(node: SimNode, { runKey, groupId, stepId }: ResumedAttempt): void {
    node.process.enter(() => node.look([{ key: runKey, groupId, told: [stepId] }]));
  }

  /** No more trouble: every link holds, every process runs, jobs end. */
  #heal(): void {
    this.trace(() => "=== everything heals");
    this.#isHealed = true;
    this.network.healAll();
    for (const [tag, limit] of this.store.permits.limits) if (limit === 0) this.#allow(tag, 1);
    this.jobs.chances = { broken: 0, failed: this.jobs.chances.failed };
    // A hint may be lost: one that is due is found by the sweep.
    const node = pick(this.clock.random, this.#nodes);
    for (const name of [...this.store.breakpoints]) this.#removeBreakpoint(node, name, true);
    for (const name of [...this.store.paused]) this.store.resume(name);
    for (const id of WORKFLOWS) this.store.pause(id, false);
    for (const node of [...this.#nodes]) {
      node.process.resume();
      node.diesAtCommit = false;
      if (node.process.isDead) this.#replace(node);
    }
  }
}

/** The request itself is at fault, or comes at the wrong time. */
const isRefusal = (error: unknown): boolean =>
  error instanceof MaestroError && (error.code === "BAD_REQUEST" || error.code === "CONFLICT");

function spelled({
  attempts,
  runs,
  outbox,
  paused,
  unpaused,
  taken,
  wanted,
  released,
  stamps,
  children,
  words,
}: Batch): string {
  const parts = [
    stamps.map(({ groupId, generation }) => `${groupId}/${generation}`).join(","),
    ...children.map(
      (run) => `child ${run.key} ${run.workflowId.slice(0, 16)} ${run.instanceId}:${run.runId} of ${run.parentKey}`,
    ),
    ...words.map(({ runKey, word }) => `says ${word.kind} to ${runKey}`),
    ...attempts.map(({ runKey, attempt }) => `${runKey}.${attempt.stepId}:${attempt.attemptId} ${attempt.status}`),
    ...runs.map(({ key, change }) => `run ${key} ${change.status}`),
    ...outbox.map(({ key }) => `dequeue ${key}`),
    ...paused.map(({ runKey, stepId, attemptId }) => `pauses ${runKey}.${stepId}:${attemptId}`),
    ...unpaused.map(({ runKey, stepId, attemptId }) => `pauses no more ${runKey}.${stepId}:${attemptId}`),
    ...taken.map(({ runKey, stepId }) => `heard ${runKey} ${stepId ?? ""}`),
    ...wanted.map(({ uuid, wants }) => `${uuid} wants ${wants.map(({ tag }) => tag).join()}`),
    ...released.map(({ uuid }) => `${uuid} wants nothing`),
  ];
  return parts.join("; ");
}

const commandOf = (workflowId: string, uuid: string, requestTime: number): StartCommand => ({
  workflowId,
  version: "latest",
  user: "sim",
  request: {
    initiator: { type: "MANUAL", depth: 0, user: "sim" },
    requestTime,
    requestId: uuid,
    runtimeTags: undefined,
    runParams: undefined,
    artifacts: undefined,
    persistFailedRun: false,
  },
});
