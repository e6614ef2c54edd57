/**
 * The jobs of a simulated cluster: they live outside the nodes, go on when their node dies, and end when chance has it. A
 * job is known by its attempt's uuid: to start it twice is to ask for it.
 */
import type { StepRuntime } from "../../src/flow/context.ts";
import type { AttemptContext } from "../../src/runtime/type.ts";
import type { RuntimeState, StepResult } from "../../src/step/result.ts";
import type { SimClock } from "./clock.ts";
import type { SimNode } from "./node.ts";

export interface Job {
  readonly context: AttemptContext;
  state: "runs" | "done" | "terminated";
  /** Who has asked for it: they are told when it is done. */
  readonly watched: Set<SimNode>;
  readonly outcome: RuntimeState;
}

export interface JobWatcher {
  /** A runtime is told to start an attempt. */
  starting(context: AttemptContext, isKnown: boolean): void;
}

export interface JobChances {
  /** Calls that throw. */
  readonly broken: number;
  /** Jobs that fail. */
  readonly failed: number;
}

export class Jobs {
  readonly all = new Map<string, Job>();
  chances: JobChances = { broken: 0, failed: 0 };
  readonly #clock: SimClock;
  readonly #watcher: JobWatcher;

  constructor(clock: SimClock, watcher: JobWatcher) {
    this.#clock = clock;
    this.#watcher = watcher;
  }

  runtimeOf(node: SimNode, clock: SimClock): StepRuntime {
    const later = (work: () => StepResult): Promise<StepResult> => {
      const { promise, resolve, reject } = Promise.withResolvers<StepResult>();
      const breaks = clock.random() < this.chances.broken;
      clock.after(clock.random() * 3, () => {
        if (node.process.isDead) return;
        const isBefore = clock.random() < 0.5;
        if (breaks && isBefore) return node.process.enter(() => reject(new Error("the plugin threw")));
        const result = work();
        node.process.enter(() => (breaks ? reject(new Error("the plugin threw")) : resolve(result)));
      });
      return promise;
    };
    return {
      start: (context) => {
        this.#watcher.starting(context, this.all.has(context.uuid));
        return later(() => this.#start(node, context));
      },
      execute: (context) => later(() => this.#ask(node, context)),
      terminate: (context) => later(() => this.#terminate(context)),
    };
  }

  #start(node: SimNode, context: AttemptContext): StepResult {
    if (!this.all.has(context.uuid)) this.#begin(node, context);
    return this.#ask(node, context);
  }

  #begin(node: SimNode, context: AttemptContext): void {
    const { random } = this.#clock;
    const job: Job = { context, state: "runs", watched: new Set([node]), outcome: this.#outcome() };
    this.all.set(context.uuid, job);
    const kind = random();
    if (kind < 0.3) job.state = "done";
    else this.#clock.after(kind < 0.9 ? random() * 3_000 : random() * 40_000, () => this.#done(job));
  }

  #outcome(): RuntimeState {
    const { random } = this.#clock;
    if (random() >= this.chances.failed) return "DONE";
    return random() < 0.6 ? "USER_ERROR" : random() < 0.8 ? "PLATFORM_ERROR" : "FATAL_ERROR";
  }

  #done(job: Job): void {
    if (job.state !== "runs") return;
    job.state = "done";
    const { watched, context } = job;
    for (const node of watched) {
      node.process.enter(() => {
        for (const { engine } of node.engines) engine.wake(context.uuid);
      });
    }
  }

  #ask(node: SimNode, context: AttemptContext): StepResult {
    const job = this.all.get(context.uuid);
    if (!job) return { state: "PLATFORM_ERROR" };
    job.watched.add(node);
    if (job.state === "runs")
      return this.#clock.random() < 0.3 ? { state: "CONTINUE", nextPollDelay: 500 } : { state: "CONTINUE" };
    return { state: job.state === "done" ? job.outcome : "STOPPED", artifacts: { job: { uuid: context.uuid } } };
  }

  #terminate(context: AttemptContext): StepResult {
    const job = this.all.get(context.uuid);
    if (job?.state === "runs" && this.#clock.random() < 0.2) return { state: "CONTINUE" };
    if (job?.state === "runs") job.state = "terminated";
    return { state: "STOPPED" };
  }
}
