/** The SEL expressions of a definition, by what the model says that an expression is. */
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import { parse, SelError } from "../sel/index.ts";
import { at, type Problem } from "./finding.ts";
import type { SignalTrigger } from "./signal.ts";
import { nestedSteps, type Step, stepOf } from "./step.ts";
import type { Workflow } from "./workflow.ts";

export interface Expression {
  /** JSON path. */
  readonly path: string;
  readonly source: string;
}

/** Those of params, of transitions, of `while` steps, and of signals and their triggers. */
export function expressionsOf(workflow: Workflow, path = "workflow"): readonly Expression[] {
  return [
    ...inParams(workflow.params, at(path, "params")),
    ...(workflow.signal_triggers ?? []).flatMap((trigger, index) =>
      inTrigger(trigger, at(at(path, "signal_triggers"), index)),
    ),
    ...inSteps(workflow.steps, at(path, "steps")),
  ];
}

/** Expressions that don't parse. */
export const expressionProblems = (workflow: Workflow, path?: string): readonly Problem[] =>
  expressionsOf(workflow, path).flatMap((expression) => {
    const problem = syntaxProblem(expression.source);
    return problem === undefined ? [] : [{ path: expression.path, problem }];
  });

/** Why a text is no expression, in one line; undefined when it is one. */
export function syntaxProblem(expression: string): string | undefined {
  try {
    parse(expression);
    return undefined;
  } catch (error) {
    if (!(error instanceof SelError)) throw error;
    const { position, message, hint } = error;
    const place = position === undefined ? "" : ` (line ${position.line}, column ${position.column} of the expression)`;
    return `${message}${place}${hint === undefined ? "" : `; ${hint}`}`;
  }
}

const one = (source: string | undefined, path: string): readonly Expression[] =>
  source === undefined ? [] : [{ path, source }];

const inParams = (params: ParamDefinitions | undefined, path: string): readonly Expression[] =>
  Object.entries(params ?? {}).flatMap(([name, param]) => inParam(param, at(path, name)));

function inParam({ type, value, expression }: ParamDefinition, path: string): readonly Expression[] {
  return [
    ...one(expression, at(path, "expression")),
    ...(type === "MAP" ? inParams(value as ParamDefinitions | undefined, at(path, "value")) : []),
  ];
}

function inTrigger({ condition, dedup_expr, params }: SignalTrigger, path: string): readonly Expression[] {
  return [
    ...one(condition, at(path, "condition")),
    ...one(dedup_expr, at(path, "dedup_expr")),
    ...inParams(params, at(path, "params")),
  ];
}

const inSteps = (steps: readonly Step[], path: string): readonly Expression[] =>
  steps.flatMap((step, index) => inStep(step, at(at(path, index), stepOf(step).kind)));

function inStep(step: Step, path: string): readonly Expression[] {
  const { kind, body } = stepOf(step);
  const successors = Object.entries(body.transition.successors ?? {});
  return [
    ...inParams(body.params, at(path, "params")),
    ...successors.flatMap(([id, condition]) => one(condition, at(at(at(path, "transition"), "successors"), id))),
    ...(kind === "while" ? one(body.condition, at(path, "condition")) : []),
    ...(body.signal_dependencies ?? []).flatMap(({ match_params = {} }, index) =>
      Object.entries(match_params).flatMap(([name, { param }]) =>
        inParam(param, at(at(at(at(at(path, "signal_dependencies"), index), "match_params"), name), "param")),
      ),
    ),
    ...(body.signal_outputs ?? []).flatMap(({ params, payload }, index) => {
      const output = at(at(path, "signal_outputs"), index);
      return [...inParams(params, at(output, "params")), ...inParams(payload, at(output, "payload"))];
    }),
    ...inSteps(nestedSteps(step), at(path, "steps")),
  ];
}
