/**
 * Main's end of the engine threads: sends each command to the thread that is to carry it out, and matches answers.
 *
 * Starts of one workflow always meet on one thread, so that they share a transaction; everything about a run goes to
 * the thread that holds its group. Of runs it knows no more than which are under way here. Hints for groups that this
 * node does not own go to `elsewhere`; a lost one costs latency only.
 */
import type { Clock } from "../clock.ts";
import { internalError, MaestroError } from "../error.ts";
import { stringHash } from "../id.ts";
import { stringifyJson } from "../json.ts";
import type { RunRef } from "../run/model.ts";
import { Channel } from "../runtime/channel.ts";
import type { GroupStamp, StepRef } from "./port.ts";
import type {
  EndedRun,
  EngineCounters,
  OutputReport,
  RunCommand,
  RunHint,
  StartCommand,
  StartReply,
  ToEngine,
  ToMain,
} from "./protocol.ts";
import type { ReportAnswer } from "./reports.ts";
import { Running } from "./running.ts";

export interface EnginePoolOptions {
  readonly threads: number;
  readonly session: string;
  readonly clock?: Clock;
  send(thread: number, frame: string): void;
  /** Hints for groups that this node does not own. */
  elsewhere(hints: readonly RunHint[]): void;
  ended(runs: readonly EndedRun[]): void;
  logged(uuids: readonly string[]): void;
  /** A write was refused: these groups have another owner. */
  stale(groups: readonly number[]): void;
}

interface Waiting {
  /** As many as there were commands. */
  resolve(replies: readonly StartReply[]): void;
  reject(error: unknown): void;
  /** Told when the start begins to wait for a long expression, and when that is over. */
  readonly evaluating: ((isEvaluating: boolean) => void) | undefined;
}

export class EnginePool {
  readonly #options: EnginePoolOptions;
  readonly #threads: readonly Channel<ToMain, ToEngine>[];
  readonly #starts = new Map<number, Waiting>();
  /** Messages whose threads have still to say that they have done what was asked. */
  readonly #undone = new Map<number, () => void>();
  readonly #reports = new Map<number, (answer: ReportAnswer) => void>();
  readonly #owned = new Set<number>();
  readonly #running = new Running();
  readonly #counters: (EngineCounters | undefined)[];
  #lastId = 0;
  #closed = false;

  constructor(options: EnginePoolOptions) {
    this.#options = options;
    this.#counters = new Array(options.threads);
    this.#threads = Array.from(
      { length: options.threads },
      (_, index) =>
        new Channel<ToMain, ToEngine>({
          session: options.session,
          clock: options.clock,
          initiator: true,
          send: (frame) => options.send(index, frame),
          receive: (message) => this.#receive(message),
        }),
    );
  }

  get counters(): readonly EngineCounters[] {
    return this.#counters.filter((counters) => counters !== undefined);
  }

  /** Groups that this node holds. */
  get owned(): ReadonlySet<number> {
    return this.#owned;
  }

  accept(thread: number, frame: string): void {
    this.#threads[thread]?.accept(frame);
  }

  /** @throws MaestroError as the engine decided, or INTERNAL_ERROR when it is stopping. */
  async start(command: RunCommand, evaluating?: Waiting["evaluating"]): Promise<StartReply> {
    const message = { type: "start", command: stringifyJson(command) } as const;
    const [reply] = await this.#start(command.workflowId, message, evaluating);
    return reply as StartReply;
  }

  /**
   * Any number of starts of one workflow, decided in their order, all at once: run strategies that keep only the first or
   * the last of what comes keep that of the batch. The replies have the order of the commands; a command with the uuid of
   * an earlier one is answered with that one's run.
   * @throws MaestroError when one of them is not good, and none is started; INTERNAL_ERROR when the engine is stopping
   */
  async startBatch(
    commands: readonly StartCommand[],
    evaluating?: Waiting["evaluating"],
  ): Promise<readonly StartReply[]> {
    const [first] = commands;
    if (first === undefined) return [];
    const message = { type: "start-batch", commands: stringifyJson(commands) } as const;
    return this.#start(first.workflowId, message, evaluating);
  }

  #start(
    workflowId: string,
    message:
      | { readonly type: "start"; readonly command: string }
      | { readonly type: "start-batch"; readonly commands: string },
    evaluating: Waiting["evaluating"],
  ): Promise<readonly StartReply[]> {
    if (this.#closed) return Promise.reject(internalError("The server is stopping"));
    const { promise, resolve, reject } = Promise.withResolvers<readonly StartReply[]>();
    const id = ++this.#lastId;
    this.#starts.set(id, { resolve, reject, evaluating });
    this.#byWorkflow(workflowId).post({ ...message, id });
    return promise;
  }

  own(stamps: readonly GroupStamp[]): void {
    for (const { groupId } of stamps) this.#owned.add(groupId);
    this.#each(
      stamps,
      ({ groupId }) => groupId,
      (some) => ({ type: "own", stamps: some }),
    );
  }

  /** Resolves when nothing of these groups is on its way to the database any more. */
  async disown(groups: readonly number[]): Promise<void> {
    for (const id of groups) this.#owned.delete(id);
    this.#running.disown(groups);
    if (this.#closed) return;
    const done: Promise<void>[] = [];
    this.#each(
      groups,
      (id) => id,
      (some) => {
        const { id, promise } = this.#number();
        done.push(promise);
        return { type: "disown", groups: some, id };
      },
    );
    await Promise.all(done);
  }

  /** The step has a breakpoint from now on: resolves when every thread knows. */
  addBreakpoint(step: StepRef): Promise<void> {
    return this.#tellAll((id) => ({ type: "breakpoint", id, step }));
  }

  /** Job templates have changed: resolves when every thread knows. */
  forgetTemplates(): Promise<void> {
    return this.#tellAll((id) => ({ type: "templates", id }));
  }

  /** Resolves when every thread has said that it is done. */
  async #tellAll(message: (id: number) => ToEngine): Promise<void> {
    if (this.#closed) return;
    const done = this.#threads.map((thread) => {
      const { id, promise } = this.#number();
      thread.post(message(id));
      return promise;
    });
    await Promise.all(done);
  }

  /** Resolves once it has committed, or can't be taken; `unknown` also when this node does not own the run. */
  report(report: OutputReport): Promise<ReportAnswer> {
    if (this.#closed || !this.#owned.has(report.groupId)) return Promise.resolve("unknown");
    const { promise, resolve } = Promise.withResolvers<ReportAnswer>();
    const id = ++this.#lastId;
    this.#reports.set(id, resolve);
    this.#byGroup(report.groupId).post({ type: "report", id, report: stringifyJson(report) });
    return promise;
  }

  /** The owners of these runs should look at them. */
  look(hints: readonly RunHint[]): void {
    const here = hints.filter(({ groupId }) => this.#owned.has(groupId));
    this.#each(
      here,
      ({ groupId }) => groupId,
      (some) => ({ type: "look", hints: some }),
    );
    if (here.length < hints.length) {
      this.#options.elsewhere(hints.filter(({ groupId }) => !this.#owned.has(groupId)));
    }
  }

  /** The run is known to be under way here, and `ended` is yet to be called for it. */
  isRunning(run: RunRef): boolean {
    return this.#running.has(run);
  }

  dequeue(workflowIds: readonly string[]): void {
    for (const id of workflowIds) this.#byWorkflow(id).post({ type: "dequeue", workflowIds: [id] });
  }

  sweep(): void {
    for (const thread of this.#threads) thread.post({ type: "sweep" });
  }

  /** Calls to the thread that are still unanswered will stay so. */
  close(): void {
    this.#closed = true;
    for (const { reject } of this.#starts.values()) reject(internalError("The server is stopping"));
    for (const resolve of this.#undone.values()) resolve();
    for (const resolve of this.#reports.values()) resolve("unknown");
    this.#reports.clear();
    this.#starts.clear();
    this.#running.clear();
    this.#undone.clear();
    for (const thread of this.#threads) thread.close();
  }

  #receive(message: ToMain): void {
    switch (message.type) {
      case "started":
        return this.#started(message.id, message.replies);
      case "refused":
        this.#starts.get(message.id)?.reject(MaestroError.fromData(message.error));
        this.#starts.delete(message.id);
        return;
      case "evaluating":
        return this.#starts.get(message.id)?.evaluating?.(message.isEvaluating);
      case "done":
        this.#undone.get(message.id)?.();
        this.#undone.delete(message.id);
        return;
      case "reported":
        this.#reports.get(message.id)?.(message.answer);
        this.#reports.delete(message.id);
        return;
      case "hint":
        return this.look(message.hints);
      case "ended":
        for (const run of message.runs) this.#running.ended(run);
        return this.#options.ended(message.runs);
      case "logged":
        return this.#options.logged(message.uuids);
      case "stale":
        this.#running.disown(message.groups);
        return this.#options.stale(message.groups);
      case "counted":
        this.#counters[message.counters.index] = message.counters;
    }
  }

  /** Of a message that is answered when it is done. */
  #number(): { readonly id: number; readonly promise: Promise<void> } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const id = ++this.#lastId;
    this.#undone.set(id, resolve);
    return { id, promise };
  }

  #started(id: number, replies: readonly StartReply[]): void {
    for (const reply of replies) {
      const { groupId } = reply;
      if (groupId !== undefined && this.#owned.has(groupId)) this.#running.add(reply, groupId);
    }
    this.#starts.get(id)?.resolve(replies);
    this.#starts.delete(id);
  }

  #byWorkflow(workflowId: string): Channel<ToMain, ToEngine> {
    return this.#threads[(stringHash(workflowId) >>> 0) % this.#threads.length] as Channel<ToMain, ToEngine>;
  }

  #byGroup(groupId: number): Channel<ToMain, ToEngine> {
    return this.#threads[groupId % this.#threads.length] as Channel<ToMain, ToEngine>;
  }

  /** One message for each thread that has some of the items; group ids map to threads by remainder. */
  #each<T>(items: readonly T[], groupOf: (item: T) => number, message: (some: readonly T[]) => ToEngine): void {
    this.#threads.forEach((thread, index) => {
      const some = items.filter((item) => groupOf(item) % this.#threads.length === index);
      if (some.length > 0) thread.post(message(some));
    });
  }
}
