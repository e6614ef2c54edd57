/**
 * How the engine gets at params and conditions, in its own words. The answer comes at once; an expression that is too
 * long for an engine thread, or asks other runs, throws {@link Deferred} instead, and the same call succeeds once that
 * has settled.
 */
import type { Initiator } from "../definition/initiator.ts";
import type { RunPolicy } from "../definition/restart.ts";
import type { Step } from "../definition/step.ts";
import type { TemplateUse } from "../definition/template.ts";
import type { Workflow } from "../definition/workflow.ts";
import type { CodeParams } from "../param/code.ts";
import type { WorkflowRestart } from "../param/order.ts";
import type { WorkflowParams } from "../param/scope.ts";
import type { ParamDefinitions, Params } from "../param/type.ts";
import type { Run } from "../run/model.ts";
import type { Lineage } from "../run/template.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { WorkflowHead } from "./port.ts";

/** The expression is being evaluated elsewhere, or waits for what other runs say: ask again after `settled`. */
export class Deferred extends Error {
  override readonly name = "Deferred";
  readonly settled: Promise<void>;
  constructor(settled: Promise<void>) {
    super("the expression takes a while");
    this.settled = settled;
  }
}

/** What an expression of a step may see. */
export interface TaskScope {
  readonly run: Run;
  readonly node: StepNode;
  readonly attempt: StepAttempt;
  /** The newest attempt at a step of this run; undefined when it was never made. */
  attemptOf(stepId: string): StepAttempt | undefined;
  /** A step as the run's definition has it. */
  definitionOf(stepId: string): Step | undefined;
  /** Every step that was made so far. */
  stepIds(): Iterable<string>;
  /** Epoch ms. */
  readonly now: number;
}

/** What the params of a new run are made of. */
export interface StartInput {
  /** Unique per start. */
  readonly id: string;
  readonly workflow: Workflow;
  readonly head: WorkflowHead;
  readonly initiator: Initiator;
  /** Params of the run whose step starts this one, as far as they are passed down. */
  readonly inherited?: WorkflowParams | undefined;
  readonly runParams: ParamDefinitions | undefined;
  readonly restart?: RestartInput | undefined;
  /** Epoch ms. */
  readonly now: number;
}

/** What the params of an iteration are made of. */
export interface ChildInput {
  /** Unique per iteration. */
  readonly id: string;
  readonly workflowId: string;
  /** Whose step the loop is. */
  readonly parent: Run;
  readonly initiator: Initiator;
  readonly policy: RunPolicy;
  /** Of an iteration that is made again. */
  readonly restart?: WorkflowRestart | undefined;
  readonly runParams: ParamDefinitions;
  /** Epoch ms. */
  readonly now: number;
}

/** What a restarted run has from the one before it. */
export interface RestartInput {
  readonly previous: Run;
  readonly policy: RunPolicy;
  readonly params: ParamDefinitions | undefined;
}

export interface EvaluationPort {
  /** All params of a new run, merged and evaluated. @throws MaestroError, {@link Deferred} */
  startParams(input: StartInput): WorkflowParams;
  /** A warning of params that were given and are not declared. */
  undeclaredParams(input: StartInput): string | undefined;
  /** A text with `${param}` of a new run's params. @throws MaestroError, {@link Deferred} */
  startText(input: StartInput, params: WorkflowParams, text: string): string;
  /** A text with `${param}` of workflow params. @throws MaestroError, {@link Deferred} */
  interpolate(run: Run, text: string, now: number): string;
  /** The job template that the step names; undefined: there is none. @throws MaestroError, {@link Deferred} */
  template(scope: TaskScope, use: TemplateUse): Lineage | undefined;
  /** Job templates have changed: what is remembered of them does not count any more. */
  forgetTemplates(): void;
  /** All params of an attempt, merged and evaluated. @throws MaestroError, {@link Deferred} */
  stepParams(scope: TaskScope, template?: Lineage): Params;
  /** What an attempt's code may refer to; undefined when its type has no code. @throws MaestroError */
  code(scope: TaskScope): CodeParams | undefined;
  /** The SEL condition of an edge. @throws MaestroError, {@link Deferred} */
  condition(scope: TaskScope, expression: string): boolean;
  /** All params of an iteration of a loop, merged and evaluated. @throws MaestroError, {@link Deferred} */
  childParams(input: ChildInput): WorkflowParams;
  /**
   * The condition of a while, before an iteration.
   * @param values the loop params that the iteration would have
   * @throws MaestroError, {@link Deferred}
   */
  loopCondition(scope: TaskScope, expression: string, values: Params, iteration: number): boolean;
  /**
   * Merges what a job put out into the attempt's params.
   * @param template of an attempt that never came to its params
   * @throws MaestroError
   */
  outputParams(scope: TaskScope, outputs: Params, template?: Lineage): Params;
}
