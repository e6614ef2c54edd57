/**
 * What the API needs from the engine, in the API's own words. `server/` implements it over the engine's threads; tests
 * implement it by hand. Everything else the API does by itself, on the database: the rows are the truth, and a hint
 * that is lost costs latency, never correctness.
 */
import type { WorkflowCreateRequest } from "../definition/metadata.ts";
import type { JobTemplateDefinition } from "../definition/template.ts";
import type { StepRef, StoredRun } from "../flow/port.ts";
import type { OutputReport, RunCommand, StartReply } from "../flow/protocol.ts";
import type { ReportAnswer } from "../flow/reports.ts";
import type { JsonObject } from "../json.ts";
import type { RunRef } from "../run/model.ts";
import type { TokenRef } from "../runtime/token.ts";

export type { RunCommand, StartCommand, StartReply, StartRequest } from "../flow/protocol.ts";

/** A step type that a definition may name in a `step` wrapper. */
export interface StepTypeInfo {
  /** Canonical spelling, such as `NoOp` or `shell`. */
  readonly type: string;
  /** False: known to upstream and accepted at push; a run of it fails with a clear reason. */
  readonly runnable: boolean;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** JSON Schema (2020-12) of the MAP param named after the type, for plugin types. */
  readonly schema?: JsonObject | undefined;
  /** Default step params in wire shape, merged below the step's own. */
  readonly defaultParams?: JsonObject | undefined;
}

export interface EngineHealth {
  /** Flows are owned and can make progress. */
  readonly ready: boolean;
  /** One line per thing that is not as it should be. */
  readonly problems: readonly string[];
}

export type Unsubscribe = () => void;

export interface EnginePort {
  /**
   * Merges and evaluates the params, lets the run strategy decide, commits.
   * @param evaluating called when the start begins to wait for a long expression, and when that is over
   * @throws MaestroError BAD_REQUEST (params, version text), NOT_FOUND (workflow, version), CONFLICT, UNPROCESSABLE_ENTITY,
   * UNAVAILABLE (the database)
   */
  start(command: RunCommand, evaluating?: (isEvaluating: boolean) => void): Promise<StartReply>;
  /** Something is said to this run, or a run that it has started has ended, and the row is committed: the owner should look. */
  hintRun(runKey: number, groupId: number): void;
  /** These steps may pass the gate that holds them, and the rows that say so are committed: their owners should ask again. */
  hintSteps(steps: readonly { readonly runKey: number; readonly groupId: number; readonly stepId: string }[]): void;
  /** A step has a breakpoint, and its row is committed: resolves when every node knows that can be reached in 2 s. */
  breakpointAdded(step: StepRef): Promise<void>;
  /** Job templates have changed, and that is committed: resolves when every node knows that can be reached in 2 s. */
  templatesChanged(): Promise<void>;
  /**
   * Runs on the evaluation thread.
   * @param templates of its steps, with what they inherit, in any order
   * @throws MaestroError BAD_REQUEST with one detail a finding
   */
  dryRun(request: WorkflowCreateRequest, user: string, templates: readonly JobTemplateDefinition[]): Promise<void>;
  /** The job that has this token is known to be of this attempt; undefined: the token is none of this database's. */
  readToken(token: string): TokenRef | undefined;
  /**
   * A job reports outputs: its step's owner, whichever node that is, stores them. `stored` comes after the commit; `unknown`:
   * no owner that can be reached has the attempt under way.
   */
  report(report: OutputReport): Promise<ReportAnswer>;
  /** These workflows may have room for queued runs, or fewer queued runs than before. */
  hintDequeue(workflowIds: readonly string[]): void;
  /** Rows of the outbox have become due: they should be looked at. */
  hintOutbox(): void;
  /** The run is under way on this node as far as it knows, and the node will tell of its end. */
  isRunning(run: RunRef): boolean;
  /** Called at or after the commit of the run's end, maybe never, maybe more than once, maybe with the row that the commit returned. */
  onRunEnded(run: RunRef, listener: (row?: StoredRun) => void): Unsubscribe;
  /** Called after new log chunks of the attempt have committed. */
  onLog(uuid: string, listener: () => void): Unsubscribe;
  /** Built-in types, types known upstream without a runtime here, and loaded plugins. */
  stepTypes(): readonly StepTypeInfo[];
  health(): EngineHealth;
}
