/** A step whose work are other runs: what its kind sees of it, and what it does. */
import type { RestartConfig } from "../../definition/restart.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import type { Run } from "../../run/model.ts";
import type { RunPlan } from "../../run/plan.ts";
import type { RestartRequest } from "../../run/restart.ts";
import type { Word } from "../../run/word.ts";
import type { StepResult } from "../../step/result.ts";
import type { FlowContext } from "../context.ts";
import type { TaskScope } from "../evaluation.ts";
import type { GroupStamp } from "../port.ts";
import type { ChildStart } from "../protocol.ts";
import type { Admission, Starting } from "./admission.ts";

export interface NestedContext extends FlowContext {
  planOf(run: Run): Promise<RunPlan | undefined>;
}

type Writing = Starting["children"];

/** The narrow port: children are launched in batches, spoken to, and tell of their ends. */
export interface ChildrenPort extends Writing {
  /** Keys of runs to be. */
  reserve(count: number): Promise<readonly number[]>;
  /**
   * Inserts runs, and lets them go. Rejects when the rows can't be stored; never settles once the group is lost.
   * @param plan of all of them; undefined: each has its own, which depends on the runs before it
   */
  launch(stamp: GroupStamp, runs: readonly Run[], plan: RunPlan | undefined): Promise<void>;
  /** Starts an instance of another workflow, or finds the one that this request has made. */
  start(workflowId: string, version: string, request: ChildStart): Promise<Run>;
  /** Makes one more run of an instance that has ended, or finds the one that this request has made. */
  startAgain(previous: Run, restart: RestartRequest, request: ChildStart): Promise<Run>;
  /** Says something to children. Resolves once it is true by rows, and their owners are told. */
  say(stamp: GroupStamp, children: readonly LiveChild[], word: Word): Promise<void>;
  /** Some child of the run may have ended without anybody telling. */
  look(parentKey: number): void;
}

/** The step as its kind sees it. */
export interface Place extends Starting {
  readonly engine: NestedContext;
  readonly children: ChildrenPort;
  readonly admission: Admission;
  scope(): TaskScope;
  /** `execute` is to be called, once nothing else is under way. */
  wake(): void;
  /** Resolves when a child has ended. */
  told(): Promise<void>;
}

/** What a kind of nested step does. */
export interface Kind {
  readonly live: Iterable<LiveChild>;
  start(): Promise<StepResult>;
  execute(): Promise<StepResult>;
  /** No child of it runs any more: how its artifacts look now. @param hard within the time of a KILL */
  stop(hard: boolean): Promise<StepResult>;
  /** A child has ended. */
  tell(end: ChildEnd): void;
  /** One child that has ended runs again; a kind without it does not do that. */
  again?(restart: RestartConfig): Promise<void>;
}
