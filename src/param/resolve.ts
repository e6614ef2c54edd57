/** What the engine asks to have evaluated: a run's params, an attempt's, conditions, and single texts. */
import { badRequest } from "../error.ts";
import { isRawNumber, type Json, type JsonObject, stringifyJson } from "../json.ts";
import { own } from "../record.ts";
import { type CodeFields, type CodeParams, namesIn } from "./code.ts";
import { coerceResult } from "./coerce.ts";
import { DEFAULT_ROOTS, type DefaultInputs } from "./derive.ts";
import { Evaluation } from "./evaluate.ts";
import { toText } from "./literal.ts";
import type { MergedWorkflowParams } from "./order.ts";
import {
  allStepParams,
  allWorkflowParams,
  type EvaluationContext,
  LOOP_SIZE_LIMIT,
  PARAMS_SIZE_LIMIT,
  type StepParams,
  type StepScope,
  stepParam,
  type WorkflowParams,
  workflowParam,
} from "./scope.ts";
import { namesSecret } from "./secret.ts";
import { splitName } from "./split.ts";
import type { ParamDefinitions, Parameter, Params, ParamType } from "./type.ts";
import { enforceValidators } from "./validator.ts";

/**
 * Evaluates a run's params. Untouched defaults stay unevaluated: they follow from a few inputs.
 * @throws MaestroError BAD_REQUEST (definition, expression, unknown name, cycle, size, validators) or INTERNAL_ERROR;
 * `ExtensionRequest` and `BudgetExceeded` of the expression language pass through.
 */
export function evaluateWorkflowParams(merged: MergedWorkflowParams, context: EvaluationContext): WorkflowParams {
  const defaults = defaultInputs(merged, context);
  const params = new Evaluation(merged.params, { kind: "workflow", defaults }, context).all();
  const run: WorkflowParams = { params, defaults };
  const zones = defaults.trigger_timezone || defaults.initiator_timezone;
  if (zones || DEFAULT_ROOTS.some((name) => Object.hasOwn(params, name))) allWorkflowParams(run);
  check(params, () => allWorkflowParams(run), NONE, context);
  return run;
}

function defaultInputs(merged: MergedWorkflowParams, { now, instance }: EvaluationContext): DefaultInputs {
  const { defaults, omit } = merged;
  if (defaults) {
    if (defaults.owner && defaults.workflow_id) return defaults;
    return { ...defaults, owner: instance.owner, workflow_id: instance.workflow_id, time: now };
  }
  return {
    run_ts: now,
    ...(instance.first_time_trigger_timezone && { trigger_timezone: instance.first_time_trigger_timezone }),
    ...(instance.initiator_timezone && { initiator_timezone: instance.initiator_timezone }),
    owner: instance.owner,
    workflow_id: instance.workflow_id,
    time: now,
    ...(omit && { omit }),
  };
}

/**
 * Evaluates an attempt's merged params inside its run. Throws as {@link evaluateWorkflowParams} does.
 * @param ofLoops params with an element for each iteration of a loop, for which limits of their own hold
 * @param code of the step's type
 */
export function evaluateStepParams(
  merged: Params,
  scope: StepScope,
  context: EvaluationContext,
  ofLoops: Iterable<string> = NONE,
  code?: CodeFields,
): StepParams {
  const { own: _, ...bare } = scope;
  const { workflow_instance_id, step_instance_uuid, step_attempt_id, step_id } = scope.facts;
  const evaluation = new Evaluation(merged, { kind: "step", step: bare, maySecret: true }, context, ofLoops, code);
  const params = evaluation.all();
  if (code !== undefined) refuseSecrets(code, params);
  const identity = { workflow_instance_id, step_instance_uuid, step_attempt_id, step_id };
  const step: StepParams = { params, identity, time: context.now };
  check(params, () => allStepParams(step), evaluation.ofLoops, context);
  return step;
}

/**
 * Evaluates definitions that are not the step's own params (signal dependencies, outputs): they see the step's
 * surroundings, and `scope.own` if given, but not each other.
 */
export function evaluateDefinitions(
  definitions: ParamDefinitions,
  scope: StepScope,
  context: EvaluationContext,
): Params {
  const entries = Object.entries(definitions).map(([name, definition]) => {
    const at: Parameter = { ...definition };
    return [name, evaluateOne(name, at, scope, context)] as const;
  });
  return Object.fromEntries(entries);
}

function evaluateOne(name: string, param: Parameter, scope: StepScope, context: EvaluationContext): Parameter {
  const evaluation = new Evaluation({}, { kind: "step", step: scope }, context);
  const evaluated_time = context.now;
  if (param.expression === undefined) {
    return { ...param, evaluated_result: evaluation.literal(name, param), evaluated_time };
  }
  const { result, ...notes } = coerceResult(name, param.type, evaluation.expression(name, param.expression));
  return { ...param, evaluated_result: result, evaluated_time, ...notes };
}

/** Code has secrets by variables of the settings alone: a param's text would have the name in the place of the value. */
function refuseSecrets(code: CodeFields, params: Params): void {
  for (const name of namesIn(textsOf(code, params[code.param])).variables) {
    const param = own(params, name);
    if (param === undefined || !namesSecret(param)) continue;
    throw badRequest(
      `The code mentions param [${name}], which names a secret: name the secret in its settings, as in [env]`,
    );
  }
}

const textsOf = ({ fields }: CodeFields, settings: Parameter | undefined): readonly string[] =>
  Object.entries((settings?.evaluated_result ?? {}) as JsonObject).flatMap(([key, text]) =>
    fields.has(key) && typeof text === "string" ? [text] : [],
  );

/**
 * What a step's code may refer to. A name that it mentions and that leads nowhere is the code's own affair.
 * @param scope with the step's evaluated params as its own
 */
export function codeParams(code: CodeFields, scope: StepScope, context: EvaluationContext): CodeParams {
  const { param } = code;
  const { [param]: settings, ...others } = allStepParams(scope.own ?? { params: {}, identity: scope.facts });
  const { variables, tokens } = namesIn(textsOf(code, settings));
  const evaluation = new Evaluation({}, { kind: "step", step: scope }, context);
  const find = (name: string) => (isWorthAsking(name, scope) ? evaluation.find(name) : undefined);
  const mentioned = [...tokens].flatMap((name) => {
    const found = find(name);
    return found === undefined ? [] : [[name, found.result] as const];
  });
  const texted = [...variables].flatMap((name) => {
    const found = name === param ? undefined : find(name);
    return found === undefined ? [] : [[name, toText(found.type, found.result)] as const];
  });
  return {
    params: { ...resultsOf(allWorkflowParams(scope.workflow)), ...resultsOf(others), ...Object.fromEntries(mentioned) },
    variables: Object.fromEntries(texted),
  };
}

/** Spares the search for the many names of a program that are nobody's params. */
function isWorthAsking(name: string, { facts, workflow, own, finished }: StepScope): boolean {
  const splits = splitName(name);
  if (splits.length > 0) return splits.some(([id]) => id === facts.step_id || finished(id) !== undefined);
  return (own !== undefined && stepParam(own, name) !== undefined) || workflowParam(workflow, name) !== undefined;
}

const resultsOf = (params: Params): JsonObject =>
  Object.fromEntries(Object.entries(params).map(([name, { evaluated_result = null }]) => [name, evaluated_result]));

/** An expression's value as a declared type, inside a step. */
export function evaluateExpression(
  name: string,
  expression: string,
  type: ParamType,
  scope: StepScope,
  context: EvaluationContext,
): Json {
  const evaluation = new Evaluation({}, { kind: "step", step: scope }, context);
  return coerceResult(name, type, evaluation.expression(name, expression)).result;
}

/**
 * A condition: of a transition, of a while step. `scope.own` are the step's evaluated params.
 * @throws MaestroError BAD_REQUEST when the result is neither a boolean nor the text true or false.
 */
export function evaluateCondition(expression: string, scope: StepScope, context: EvaluationContext): boolean {
  const literal = expression.trim();
  if (literal === "true" || literal === "true;") return true;
  return evaluateExpression(`condition ${expression}`, expression, "BOOLEAN", scope, context) === true;
}

/**
 * Text of an attribute (timeout, retry number, alert address) with `${name}` replaced by workflow params.
 * @throws MaestroError for a name that the run does not have.
 */
export function interpolateText(template: string, run: WorkflowParams, context: EvaluationContext): string {
  if (!template.includes("$")) return template;
  return new Evaluation(run.params, { kind: "workflow", defaults: run.defaults }, context).text(template);
}

/** A literal as an evaluated param, for values that the engine itself makes (`maestro_step_satisfied`, loop values). */
export function evaluatedParam(type: ParamType, result: Json, now: number): Parameter {
  return { value: result as NonNullable<Parameter["value"]>, type, evaluated_result: result, evaluated_time: now };
}

const NONE: ReadonlySet<string> = new Set();

/** What holds for evaluated params as a whole, and for those of loops among them. */
function check(
  params: Params,
  whole: () => Params,
  ofLoops: ReadonlySet<string>,
  { maxChars = PARAMS_SIZE_LIMIT, loops, ...context }: EvaluationContext,
): void {
  if (context.enforceValidators) enforceValidators(params, context.budget);
  if (ofLoops.size === 0) return checkSize("Total parameters' size", maxChars, params, whole);
  const isOfLoop = (name: string): boolean => ofLoops.has(name);
  const others = (all: Params): Params => select(all, (name) => !isOfLoop(name));
  checkSize("Total parameters' size", maxChars, others(params), () => others(whole()));
  const gathered = select(params, isOfLoop);
  const what = `The size of what params have of loops (${[...ofLoops].join(", ")})`;
  checkSize(what, loops?.maxChars ?? LOOP_SIZE_LIMIT, gathered, () => gathered);
}

const select = (params: Params, isWanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => isWanted(name)));

function checkSize(what: string, most: number, params: Params, whole: () => Params): void {
  if (roughSize(params, most) < most / 4) return;
  const size = stringifyJson(whole()).length;
  if (size > most) throw badRequest(`${what} in JSON is ${size} characters: the limit is ${most}`);
}

/** A guess at the length of a value's JSON, at least a quarter of it; stops counting at the cap. */
function roughSize(value: unknown, cap: number): number {
  if (typeof value === "string") return value.length + 8;
  if (typeof value !== "object" || value === null || isRawNumber(value)) return 8;
  let size = 0;
  for (const key in value) {
    size += key.length + roughSize((value as Record<string, unknown>)[key], cap);
    if (size > cap) break;
  }
  return size;
}
