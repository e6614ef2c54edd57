/**
 * How the engine gets at params and conditions, in its own words. The answer comes at once; an expression that is too
 * long for an engine thread throws {@link Deferred} instead, and the same call succeeds once that has settled.
 */
import type { Params } from "../param/type.ts";
import type { Run } from "../run/model.ts";
import type { StepAttempt } from "../step/model.ts";
import type { GraphNode } from "./graph.ts";

/** The expression is being evaluated elsewhere: ask again after `settled`. */
export class Deferred extends Error {
  override readonly name = "Deferred";
  readonly settled: Promise<void>;
  constructor(settled: Promise<void>) {
    super("the expression is evaluated on another thread");
    this.settled = settled;
  }
}

/** What an expression of a step may see. */
export interface StepScope {
  readonly run: Run;
  readonly node: GraphNode;
  readonly attempt: StepAttempt;
  /** The newest attempt at a step of this run; undefined when it was never made. */
  attemptOf(stepId: string): StepAttempt | undefined;
  /** The step exists in the definition. */
  hasStep(stepId: string): boolean;
  /** Epoch ms. */
  readonly now: number;
}

export interface Evaluation {
  /** A text with `${param}` of workflow params. @throws MaestroError, {@link Deferred} */
  interpolate(run: Run, text: string): string;
  /** All params of an attempt, merged and evaluated. @throws MaestroError, {@link Deferred} */
  stepParams(scope: StepScope): Params;
  /** The SEL condition of an edge. @throws MaestroError, {@link Deferred} */
  condition(scope: StepScope, expression: string): boolean;
  /** Merges what a job put out into the attempt's params. @throws MaestroError */
  outputParams(params: Params, outputs: Params, now: number): Params;
}
