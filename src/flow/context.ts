/** What the actors of a thread share. */
import type { Clock } from "../clock.ts";
import type { Logger } from "../log.ts";
import type { Run } from "../run/model.ts";
import type { RunPlan } from "../run/plan.ts";
import type { AttemptContext, Callback } from "../runtime/type.ts";
import type { Place, Reported } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { StepResult } from "../step/result.ts";
import type { EvaluationPort } from "./evaluation.ts";
import type { Gates } from "./gate.ts";
import type { Permits } from "./permit.ts";
import type { FlowStore, GroupStamp, OutboxRow, StoredRun } from "./port.ts";
import type { Refusal } from "./refusal.ts";
import type { ReportAnswer } from "./reports.ts";
import type { Scheduler } from "./scheduler.ts";
import type { TimerHeap } from "./timer.ts";

/** The runtime of a step type that does not run in place. */
export interface StepRuntime {
  start(context: AttemptContext): Promise<StepResult>;
  execute(context: AttemptContext): Promise<StepResult>;
  terminate(context: AttemptContext): Promise<StepResult>;
}

/** The runtime of one attempt. */
export interface AttemptRuntime {
  start(): Promise<StepResult>;
  execute(): Promise<StepResult>;
  /** @param hard whoever does not end soon is not waited for */
  terminate(hard: boolean): Promise<StepResult>;
}

/** Where wakes and logs of an attempt go. */
export interface Tracked {
  readonly stamp: GroupStamp;
  wake(): void;
  /** @param workflowId of the attempt, as the job has it; undefined: it does not say */
  report(reported: Reported, workflowId: string | undefined): Promise<ReportAnswer>;
}

export interface FlowContext {
  readonly clock: Clock;
  readonly timers: TimerHeap;
  readonly scheduler: Scheduler;
  readonly store: FlowStore;
  readonly evaluation: EvaluationPort;
  readonly gates: Gates;
  readonly permits: Permits;
  readonly log: Logger;
  /** Where plugins of this server work. */
  readonly place: Place;
  /** The most iterations of one loop. */
  readonly iterations: number;
  /** Workflow params that subworkflows get in spite of `explicit_params: true`, as far as there are some of that name. */
  readonly alwaysPassDown: readonly string[];
  newUuid(): string;
  /** How the attempt's job gets at the API; undefined: it does not. */
  callback(run: Run, uuid: string): Callback | undefined;
  /** Why there is none: a sentence for the user. */
  runtimeOf(node: StepNode): StepRuntime | { readonly unavailable: string };
  track(uuid: string, tracked: Tracked): void;
  /** Its last row has committed: the job's traces may go. */
  untrack(uuid: string): void;
  /** Another owner has it now: its traces stay. */
  drop(uuid: string): void;
  /** A write was refused: the group has another owner than this. */
  lost(stamp: GroupStamp): void;
  /** Rows of the run can't be stored: it is taken up anew from what is, and fails for this reason. @param run as it is stored */
  refused(run: Run, refusal: Refusal): void;
  /** These rows of the outbox have committed. */
  announce(rows: readonly OutboxRow[]): void;
  /** The run's actor can't go on, for a fault of the engine's. @param run as it was handed over last */
  park(run: Run, reason: string, error: unknown): void;
  /** The run's end has committed. @param ended its row, if the commit returned it */
  runOver(run: Run, plan: RunPlan, ended: StoredRun | undefined): void;
}
