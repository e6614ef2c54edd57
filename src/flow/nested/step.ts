/**
 * One attempt at a step whose work are other runs: the calls of the step contract, one after the other, over what its kind
 * knows to do. A call that ends the step overtakes none: it waits for the one under way, which never takes long.
 */
import { type Clock, pause } from "../../clock.ts";
import type { RestartConfig } from "../../definition/restart.ts";
import { internalError, toErrorData } from "../../error.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import { logEvent } from "../../step/event.ts";
import type { StepResult } from "../../step/result.ts";
import type { AttemptRuntime } from "../context.ts";
import { Deferred } from "../evaluation.ts";
import type { TaskParent, TaskView } from "../parent.ts";
import { Admission } from "./admission.ts";
import { ForeachKind } from "./foreach.ts";
import type { ChildrenPort, Kind, NestedContext, Place } from "./place.ts";
import { SubworkflowKind } from "./subworkflow.ts";
import { WhileKind } from "./while.ts";

/** Until something is tried again that the database did not take, ms. */
const AGAIN = 1_000;

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
  readonly #admission: Admission;
  readonly #kind: Kind;
  /** The call that is under way, or was last. */
  #last: Promise<unknown> = Promise.resolve();
  #told = Promise.withResolvers<void>();
  #closed = false;
  /** Whatever a call has said last, or that the step is being ended: nothing new runs below it. */
  #over = false;

  constructor({ engine, children, wake }: Surroundings, parent: TaskParent, task: TaskView) {
    const { uuid, attemptId } = task.attempt;
    this.uuid = uuid;
    this.attemptId = attemptId;
    this.parentKey = parent.run.key;
    this.stepId = task.node.id;
    this.#clock = engine.clock;
    const isOver = (): boolean => this.#over || this.#closed;
    const place: Place = {
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
      get isOver() {
        return isOver();
      },
      get admission() {
        return admission;
      },
      scope: () => parent.scope(task.node, task.attempt),
      wake: () => {
        if (!this.#closed) wake(uuid);
      },
      told: () => this.#told.promise,
    };
    const admission = new Admission(place);
    this.#admission = admission;
    this.#kind = kindOf(place);
  }

  /** Some run of it is held back. */
  get waits(): boolean {
    return this.#admission.waits;
  }

  get live(): Iterable<LiveChild> {
    return this.#kind.live;
  }

  start = (): Promise<StepResult> => this.#call(() => this.#kind.start());

  execute = (): Promise<StepResult> => this.#call(() => this.#kind.execute());

  /** Said again, it may be harder. */
  terminate = async (hard: boolean): Promise<StepResult> => {
    this.#over = true;
    await this.#last;
    return this.#settled(() => this.#kind.stop(hard));
  };

  /** One of its children is to run again, while it waits for the others. Comes to nothing once the step is about to end. */
  async again(restart: RestartConfig): Promise<void> {
    await this.#inTurn(async () => {
      while (!this.#over && !this.#closed) {
        try {
          return await this.#kind.again?.(restart);
        } catch (error) {
          if (error instanceof Deferred) await error.settled;
          else if (toErrorData(error).code === "UNAVAILABLE") await pause(this.#clock, AGAIN);
          else throw error;
        }
      }
    });
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

  #call(work: () => Promise<StepResult>): Promise<StepResult> {
    return this.#inTurn(async () => {
      const result = await this.#settled(work);
      this.#over ||= result.state !== "CONTINUE";
      return result;
    });
  }

  /** After everything that was asked before. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    try {
      await before;
      return await work();
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
