/**
 * One attempt at a step whose work are other runs: the calls of the step contract, one after the other, over what its kind
 * knows to do. A call that ends the step overtakes none: it waits for the one under way, which never takes long.
 */
import type { Clock } from "../../clock.ts";
import type { RestartConfig } from "../../definition/restart.ts";
import { internalError, toErrorData } from "../../error.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import { logEvent } from "../../step/event.ts";
import type { StepResult } from "../../step/result.ts";
import type { AttemptRuntime } from "../context.ts";
import { Deferred } from "../evaluation.ts";
import type { TaskParent, TaskView } from "../parent.ts";
import { ForeachKind } from "./foreach.ts";
import type { ChildrenPort, Kind, NestedContext, Place } from "./place.ts";
import { SubworkflowKind } from "./subworkflow.ts";
import { WhileKind } from "./while.ts";

interface Surroundings {
  readonly engine: NestedContext;
  readonly children: ChildrenPort;
  wake(uuid: string): void;
}

export class NestedStep implements AttemptRuntime {
  readonly uuid: string;
  readonly parentKey: number;
  readonly stepId: string;
  readonly attemptId: number;
  readonly #clock: Clock;
  readonly #kind: Kind;
  /** The call that is under way, or was last. */
  #last: Promise<unknown> = Promise.resolve();
  #told = Promise.withResolvers<void>();
  #closed = false;

  constructor({ engine, children, wake }: Surroundings, parent: TaskParent, task: TaskView) {
    const { uuid, attemptId } = task.attempt;
    this.uuid = uuid;
    this.attemptId = attemptId;
    this.parentKey = parent.run.key;
    this.stepId = task.node.id;
    this.#clock = engine.clock;
    this.#kind = kindOf({
      ...{ engine, children, stamp: parent.stamp, node: task.node },
      get run() {
        return parent.run;
      },
      get attempt() {
        return task.attempt;
      },
      get now() {
        return engine.clock.now();
      },
      scope: () => parent.scope(task.node, task.attempt),
      wake: () => {
        if (!this.#closed) wake(uuid);
      },
      told: () => this.#told.promise,
    });
  }

  get live(): Iterable<LiveChild> {
    return this.#kind.live;
  }

  start = (): Promise<StepResult> => this.#call(() => this.#kind.start());

  execute = (): Promise<StepResult> => this.#call(() => this.#kind.execute());

  /** Said again, it may be harder. */
  terminate = async (hard: boolean): Promise<StepResult> => {
    await this.#last;
    return this.#settled(() => this.#kind.stop(hard));
  };

  /** One of its children is to run again, while it waits for the others. */
  async again(restart: RestartConfig): Promise<void> {
    await this.#last;
    await this.#kind.again?.(restart);
  }

  tell(end: ChildEnd): void {
    this.#kind.tell(end);
    this.#told.resolve();
    this.#told = Promise.withResolvers<void>();
  }

  /** Nobody listens to it any more. */
  close(): void {
    this.#closed = true;
  }

  async #call(work: () => Promise<StepResult>): Promise<StepResult> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      return await this.#settled(work);
    } finally {
      resolve();
    }
  }

  /** What is wrong with the step is fatal; a database that does not answer is not: the call is made again. */
  async #settled(work: () => Promise<StepResult>): Promise<StepResult> {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Deferred) await error.settled;
        else {
          const { code, message, details } = toErrorData(error);
          if (code === "UNAVAILABLE") throw error;
          const text = details.length > 0 ? `${message}: ${details.join("; ")}` : message;
          return { state: "FATAL_ERROR", timeline: [logEvent(text, this.#clock.now(), "ERROR")] };
        }
      }
    }
  }
}

function kindOf(place: Place): Kind {
  switch (place.node.kind) {
    case "foreach":
      return new ForeachKind(place);
    case "while":
      return new WhileKind(place);
    case "subworkflow":
      return new SubworkflowKind(place);
    default:
      throw internalError(`Steps of kind [${place.node.kind}] have no runtime`);
  }
}
