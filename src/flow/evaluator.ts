/**
 * Params and conditions on an engine thread: in place within a small budget. What exceeds it goes to the evaluation
 * thread with the full limits, what asks other runs is evaluated again once their answers are there (`fetching.ts`); the
 * result waits here until the flow asks again.
 */

import type { JobTemplateDefinition, TemplateRef, TemplateUse } from "../definition/template.ts";
import { nameOf } from "../definition/user.ts";
import { MaestroError, toErrorData } from "../error.ts";
import { stringHash } from "../id.ts";
import type { CodeParams } from "../param/code.ts";
import { mergeStepParams } from "../param/order.ts";
import { mergeOutputParams } from "../param/output.ts";
import type { FinishedStep, StepFacts, StepParams, StepScope, WorkflowParams } from "../param/scope.ts";
import type { Parameter, Params } from "../param/type.ts";
import type { EvaluationJob, StartJob, StepData } from "../run/evaluation.ts";
import { codeOf, instanceFacts, runText, startParams, stepCode, stepCondition, stepParams } from "../run/evaluation.ts";
import type { Run } from "../run/model.ts";
import { mergeOf } from "../run/override.ts";
import { type Lineage, templateFor, templateRef } from "../run/template.ts";
import { undeclaredParams } from "../run/undeclared.ts";
import { BudgetExceeded, ExtensionRequest } from "../sel/index.ts";
import type { StepAttempt } from "../step/model.ts";
import { withSatisfied } from "../step/satisfied.ts";
import { isComplete } from "../step/status.ts";
import { type ChildInput, Deferred, type EvaluationPort, type StartInput, type TaskScope } from "./evaluation.ts";
import { type About, Fetching, type FetchingOptions } from "./fetching.ts";
import { Outcomes } from "./outcome.ts";
import { Templates } from "./template.ts";

export interface EvaluatorOptions extends FetchingOptions {
  /** A number in [0, 2^53): fixed for each evaluation. */
  random(): number;
  /**
   * These job templates with all that they inherit from, in any order; default: there are none. Rejects with what the
   * question fails with for good.
   */
  templates?(refs: readonly TemplateRef[]): Promise<readonly JobTemplateDefinition[]>;
}

export class Evaluator implements EvaluationPort {
  readonly #options: EvaluatorOptions;
  readonly #fetching: Fetching;
  readonly #templates: Templates;
  /** Results of the evaluation thread that no flow has fetched yet, by what was evaluated. */
  readonly #outcomes = new Outcomes();

  constructor(options: EvaluatorOptions) {
    this.#options = options;
    this.#fetching = new Fetching(options);
    this.#templates = new Templates(async (refs) => (await options.templates?.(refs)) ?? []);
  }

  startParams(input: StartInput): WorkflowParams {
    return this.#startParams(input.id, {
      definition: input.workflow.params,
      inherited: input.inherited,
      runParams: input.runParams,
      ...(input.restart && {
        restart: { previous: input.restart.previous.params, restartParams: input.restart.params },
      }),
      instance: startFacts(input),
      now: input.now,
      seed: this.#options.random(),
    });
  }

  childParams({ id, workflowId, parent, initiator, policy, restart, runParams, now }: ChildInput): WorkflowParams {
    const { owner } = parent.properties;
    return this.#startParams(id, {
      definition: undefined,
      inherited: parent.params,
      runParams,
      ...(restart && { restart }),
      instance: instanceFacts({ workflowId }, { owner, initiator, policy }),
      now,
      seed: this.#options.random(),
    });
  }

  #startParams(id: string, job: Omit<StartJob, "kind">): WorkflowParams {
    return this.#inline(
      `start ${id}`,
      (budget) => startParams(job, this.#options, budget),
      () => ({ ...job, kind: "start" }),
    );
  }

  undeclaredParams({ workflow, runParams }: StartInput): string | undefined {
    return undeclaredParams(workflow, runParams, this.#options.catalog);
  }

  startText(input: StartInput, workflow: WorkflowParams, text: string): string {
    return this.#text(`text ${input.id} ${text}`, startFacts(input), workflow, text, input.now);
  }

  interpolate(run: Run, text: string, now: number): string {
    return this.#text(`text ${run.key} ${text}`, runFacts(run), run.params, text, now);
  }

  template(scope: TaskScope, use: TemplateUse): Lineage | undefined {
    const { run, node, now } = scope;
    const ref = templateRef(use, run.params, (text) => this.interpolate(run, text, now));
    return templateFor(node, ref, this.#templates.get(ref));
  }

  forgetTemplates(): void {
    this.#templates.forget();
  }

  stepParams(scope: TaskScope, template?: Lineage): Params {
    const { run, node, attempt, now } = scope;
    const job = {
      merge: mergeOf(run, node, attempt.restart, template),
      instance: runFacts(run),
      now,
      seed: seedOf(attempt),
    };
    const facts = factsOf(scope);
    return this.#inline(
      `step ${attempt.uuid}`,
      (budget) => stepParams(job, surroundings(scope, facts, undefined), this.#options, budget),
      () => ({ ...job, kind: "step", step: this.#data(scope, facts, undefined) }),
      aboutOf(scope),
    );
  }

  code(scope: TaskScope): CodeParams | undefined {
    const { run, node, attempt, now } = scope;
    const code = codeOf(node.typed?.type ?? node.kind, this.#options);
    if (code === undefined) return undefined;
    const job = { instance: runFacts(run), now, seed: seedOf(attempt) };
    return stepCode(code, job, surroundings(scope, factsOf(scope), withSatisfied(attempt)), this.#options);
  }

  condition(scope: TaskScope, expression: string): boolean {
    return this.#condition(scope, expression, 0);
  }

  /** @param round tells evaluations of one condition by one attempt apart */
  #condition(scope: TaskScope, expression: string, round: number): boolean {
    const { run, attempt, now } = scope;
    const job = { expression, instance: runFacts(run), now, seed: seedOf(attempt) + round };
    const facts = factsOf(scope);
    const own = withSatisfied(attempt);
    return this.#inline(
      `condition ${attempt.uuid} ${round} ${expression}`,
      (budget) => stepCondition(job, surroundings(scope, facts, own), this.#options, budget),
      () => ({ ...job, kind: "condition", step: this.#data(scope, facts, own) }),
      aboutOf(scope),
    );
  }

  loopCondition(scope: TaskScope, expression: string, values: Params, iteration: number): boolean {
    const attempt = { ...scope.attempt, params: { ...scope.attempt.params, ...values } };
    return this.#condition({ ...scope, attempt }, expression, iteration);
  }

  /** A step that never came to its params has those of its definition, as far as they are put out. */
  outputParams({ run, node, attempt, now }: TaskScope, outputs: Params, template?: Lineage): Params {
    const step = paramsOf(run, attempt);
    const missing = Object.keys(outputs).filter((name) => !Object.hasOwn(step.params, name));
    if (missing.length === 0) return mergeOutputParams(step, outputs, now).params;
    const layers = mergeOf(run, node, attempt.restart, template);
    const defined = mergeStepParams({ ...layers, catalog: this.#options.catalog });
    const added = missing.flatMap((name) => (Object.hasOwn(defined, name) ? [[name, defined[name] as Parameter]] : []));
    return mergeOutputParams({ ...step, params: { ...step.params, ...Object.fromEntries(added) } }, outputs, now)
      .params;
  }

  #text(
    key: string,
    instance: ReturnType<typeof runFacts>,
    workflow: WorkflowParams,
    text: string,
    now: number,
  ): string {
    const job = { text, workflow, instance, now, seed: 0 };
    return this.#inline(
      key,
      (budget) => runText(job, this.#options, budget),
      () => ({ ...job, kind: "text" }),
    );
  }

  #inline<T>(key: string, here: (budget: { visits: number }) => T, job: () => EvaluationJob, about?: About): T {
    const known = this.#outcomes.take(key);
    if (known) {
      if ("error" in known) throw known.error;
      return known.value as T;
    }
    try {
      return here({ visits: this.#options.inlineVisits });
    } catch (error) {
      const request = error instanceof ExtensionRequest ? error : undefined;
      if (!request && !(error instanceof BudgetExceeded)) throw error;
      throw new Deferred(this.#later(key, this.#fetching.carryOut(job(), about, request)));
    }
  }

  async #later(key: string, outcome: Promise<unknown>): Promise<void> {
    try {
      this.#outcomes.keep(key, { value: await outcome });
    } catch (error) {
      this.#outcomes.keep(key, { error: MaestroError.fromData(toErrorData(error)) });
    }
  }

  /** The whole scope as data: made only for a job that leaves the thread. */
  #data(scope: TaskScope, facts: StepFacts, own: Params | undefined): StepData {
    const finished = new Map<string, FinishedStep>();
    for (const id of scope.stepIds()) {
      const step = finishedStep(scope, id);
      if (step) finished.set(id, step);
    }
    return { facts, workflow: scope.run.params, finished: Object.fromEntries(finished), ...(own && { own }) };
  }
}

const aboutOf =
  (scope: TaskScope): About =>
  (stepId) => ({ attempt: scope.attemptOf(stepId), step: scope.definitionOf(stepId) });

function surroundings(scope: TaskScope, facts: StepFacts, own: Params | undefined): StepScope {
  return {
    facts,
    workflow: scope.run.params,
    finished: (id) => finishedStep(scope, id),
    ...(own && { own: paramsOf(scope.run, scope.attempt) }),
  };
}

function finishedStep(scope: TaskScope, id: string): FinishedStep | undefined {
  const attempt = scope.attemptOf(id);
  if (!attempt || !isComplete(attempt.status)) return undefined;
  return { params: paramsOf(scope.run, attempt), status: attempt.status, end_time: attempt.times.end_time };
}

const paramsOf = (run: Run, attempt: StepAttempt): StepParams => ({
  params: withSatisfied(attempt),
  identity: identityOf(run, attempt),
  time: attempt.paramsTime,
});

const identityOf = (run: Run, attempt: StepAttempt) => ({
  workflow_instance_id: run.instanceId,
  step_instance_uuid: attempt.uuid,
  step_attempt_id: attempt.attemptId,
  step_id: attempt.stepId,
});

const factsOf = ({ run, node, attempt }: TaskScope): StepFacts => ({
  ...identityOf(run, attempt),
  step_instance_id: attempt.stepInstanceId,
  step_type_info: node.typed?.sub_type ?? node.typed?.type ?? node.kind,
  error_retries: attempt.retry.error,
});

function startFacts({ workflow, head, initiator, restart }: StartInput) {
  const owner = restart?.previous.properties.owner ?? nameOf(head.properties.owner ?? "");
  const policy = restart?.policy ?? "START_FRESH_NEW_RUN";
  const { workflowId } = head;
  const run = restart ? { workflowId, instanceId: restart.previous.instanceId } : { workflowId };
  return instanceFacts(run, { owner, initiator, policy, workflow });
}

const runFacts = (run: Run) =>
  instanceFacts(run, { owner: run.properties.owner, initiator: run.initiator, policy: run.config.policy });

/** The same for every evaluation of an attempt, so that asking again repeats the answer. */
const seedOf = ({ uuid }: StepAttempt): number => (stringHash(uuid) >>> 0) * 2 ** 20;
