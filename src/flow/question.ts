/** What a step asks of its params and conditions, put to the evaluation: answered at once, or once that is done elsewhere. */
import { resolveRetryPolicy } from "../definition/retry.ts";
import { toErrorData } from "../error.ts";
import { OutputError, wrongOutput } from "../param/output.ts";
import type { Params } from "../param/type.ts";
import { type Lineage, stepTemplate, templateNotes } from "../run/template.ts";
import { timeoutOf } from "../run/timeout.ts";
import { policyToRead } from "../step/node.ts";
import type { Answer, GateName, Question, RuntimeCall, Settings, StepEffect } from "../step/state.ts";
import { Deferred, type EvaluationPort, type TaskScope } from "./evaluation.ts";

type Unnumbered<T> = T extends unknown ? Omit<T, "id"> : never;
/** Without the question that it answers. */
export type Reply = Unnumbered<Answer>;

export type Ask = Extract<StepEffect, { readonly type: "ask" }>;
type Evaluation = Exclude<Question, RuntimeCall | GateName>;

export const isCall = (what: Question): what is RuntimeCall =>
  what === "start" || what === "execute" || what === "terminate";

/** One question, which may have to be put several times: what of it has been answered is kept. */
export class Evaluating {
  readonly #what: Evaluation;
  readonly #outputs: Params;
  /** Where they stand. */
  readonly #source: string | undefined;
  readonly #evaluation: EvaluationPort;
  #conditions: Map<string, boolean> | undefined;
  /** Looked up once, so that params, tags and type are of one template. */
  #template: { readonly found: Lineage | undefined } | undefined;

  constructor(evaluation: EvaluationPort, what: Evaluation, outputs: Params = {}, source?: string) {
    this.#evaluation = evaluation;
    this.#what = what;
    this.#outputs = outputs;
    this.#source = source;
  }

  /** @returns a promise when the answer takes a while: the question is to be put again once it has settled */
  put(scope: TaskScope): Reply | Promise<void> {
    try {
      return this.#answer(scope);
    } catch (error) {
      if (error instanceof Deferred) return error.settled;
      if (error instanceof OutputError) return { type: "refused", message: wrongOutput(this.#source, error.message) };
      return { type: "failed", error: toErrorData(error) };
    }
  }

  #answer(scope: TaskScope): Reply {
    switch (this.#what) {
      case "settings":
        return { type: "settings", settings: this.#settings(scope) };
      case "params":
        return this.#params(scope);
      case "outputs": {
        const template = scope.attempt.paramsTime === undefined ? this.#templateOf(scope) : undefined;
        return { type: "params", params: this.#evaluation.outputParams(scope, this.#outputs, template) };
      }
      case "conditions":
        return { type: "conditions", conditions: this.#decideAll(scope) };
    }
  }

  #params(scope: TaskScope): Reply {
    const template = this.#templateOf(scope);
    const params = this.#evaluation.stepParams(scope, template);
    const notes = templateNotes(scope.node, template);
    return {
      ...{ type: "params", params },
      ...(template && { template: stepTemplate(template) }),
      ...(notes.length > 0 && { notes }),
    };
  }

  #templateOf(scope: TaskScope): Lineage | undefined {
    const { template: use } = scope.node;
    if (use === undefined) return undefined;
    this.#template ??= { found: this.#evaluation.template(scope, use) };
    return this.#template.found;
  }

  #settings({ run, node, attempt, now }: TaskScope): Settings {
    const interpolate = (text: string): string => this.#evaluation.interpolate(run, text, now);
    const policy = policyToRead(node, attempt);
    const read = policy ? policyOf(() => resolveRetryPolicy(policy, interpolate)) : NO_POLICY;
    return { ...read, timeoutMs: timeoutOf(node.body.timeout, `step [${node.id}]`, interpolate) };
  }

  #decideAll(scope: TaskScope): { readonly [stepId: string]: boolean } {
    this.#conditions ??= new Map();
    for (const [id, expression] of scope.node.successors) {
      if (this.#conditions.has(id)) continue;
      this.#conditions.set(id, expression === "true" || this.#evaluation.condition(scope, expression));
    }
    return Object.fromEntries(this.#conditions);
  }
}

const NO_POLICY = { plan: undefined, planProblem: undefined };

/** A policy that turns out to be wrong does not fail the step. @throws Deferred when a text has to be evaluated elsewhere */
function policyOf(read: () => NonNullable<Settings["plan"]>): Pick<Settings, "plan" | "planProblem"> {
  try {
    return { plan: read(), planProblem: undefined };
  } catch (error) {
    if (error instanceof Deferred) throw error;
    const { message, details } = toErrorData(error);
    return { plan: undefined, planProblem: details.length > 0 ? details.join("; ") : message };
  }
}
