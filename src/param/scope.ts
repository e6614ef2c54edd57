/** Evaluated params of a run and of a step, and what an evaluation needs to know about its surroundings. */
import { badRequest } from "../error.ts";
import type { Json } from "../json.ts";
import { DEFAULT_LIMITS, type SelLimits, type SelValue } from "../sel/index.ts";
import { type DefaultInputs, deriveDefault, WORKFLOW_DEFAULTS } from "./derive.ts";
import type { Parameter, Params } from "./type.ts";

/** Characters that the JSON of all params of a run, or of an attempt, may have, unless the configuration says otherwise. */
export const PARAMS_SIZE_LIMIT = 750_000;

/** Characters that the JSON of what an attempt has of loops may have: `loop_params` of a foreach, answers of `getFromForeach`. */
export const LOOP_SIZE_LIMIT = 5_000_000;
/** Iterations of one loop, unless the configuration says otherwise. */
export const ITERATION_LIMIT = 100_000;

/** Limits of their own for what has an element for each iteration of a loop. */
export interface LoopLimits {
  /** Instead of the common ones, for expressions in `loop_params` of a foreach and those that call `getFromForeach`. */
  readonly sel: Partial<SelLimits>;
  /** Default {@link LOOP_SIZE_LIMIT}. */
  readonly maxChars: number;
}

/** The limits for loops of so many iterations: an array for all of them can be made, and gone through. */
export function loopLimits(
  iterations: number = ITERATION_LIMIT,
  common: Partial<SelLimits> = {},
  maxChars: number = LOOP_SIZE_LIMIT,
): LoopLimits {
  const { array = DEFAULT_LIMITS.array, loop = DEFAULT_LIMITS.loop } = common;
  const sel = { ...common, array: Math.max(array, iterations + 1), loop: Math.max(loop, iterations + 1) };
  return { sel, maxChars };
}

/** Params of a run: those that somebody touched, and what the untouched defaults follow from. Plain JSON. */
export interface WorkflowParams {
  readonly params: Params;
  /** Absent for a run without any defaults. */
  readonly defaults?: DefaultInputs | undefined;
}

/** What the four reserved params of every step follow from. */
export interface StepIdentity {
  readonly workflow_instance_id: number;
  readonly step_instance_uuid: string;
  readonly step_attempt_id: number;
  readonly step_id: string;
}

/** Params of an attempt; the four reserved ones are implied by its identity. Plain JSON. */
export interface StepParams {
  readonly params: Params;
  readonly identity: StepIdentity;
  /** `evaluated_time` of the reserved ones. Absent until evaluated. */
  readonly time?: number | undefined;
}

/** What `params.getFromInstance` tells. Ids are absent while a run is being created. */
export interface InstanceFacts {
  readonly workflow_id: string;
  readonly workflow_instance_id?: number | undefined;
  readonly workflow_run_id?: number | undefined;
  readonly owner: string;
  /** `VALIDATION` in a dry run. */
  readonly initiator_type: string;
  readonly initiator_timezone?: string | undefined;
  readonly initiator_runner_name?: string | undefined;
  readonly first_time_trigger_timezone?: string | undefined;
  readonly run_policy: string;
}

/** What `params.getFromStep` tells about the step itself. */
export interface StepFacts extends StepIdentity {
  readonly step_instance_id: number;
  /** Subtype if there is one, else the type's name. */
  readonly step_type_info: string;
  readonly error_retries: number;
}

/** A finished step as others see it. */
export interface FinishedStep {
  readonly params: StepParams;
  readonly status: string;
  /** Epoch milliseconds. */
  readonly end_time?: number | undefined;
}

/** Surroundings of an evaluation inside a step. */
export interface StepScope {
  readonly facts: StepFacts;
  readonly workflow: WorkflowParams;
  /** Steps of the run that ended successfully, by id; undefined for any other id. */
  readonly finished: (stepId: string) => FinishedStep | undefined;
  /** Evaluated params of the step itself, where they exist already (conditions, outputs). */
  readonly own?: StepParams | undefined;
}

/**
 * Answers from outside the run. Each returns at once, throws `ExtensionRequest` when the answer is not at hand
 * (it reaches the caller of the evaluation, who fetches it and evaluates again), or any other error to fail.
 */
export interface ParamExtension {
  /** Param of the signal instance that started the run, or that the step's dependency matched. */
  getFromSignal(signal: string, param: string): SelValue;
  /** One of the initiator's own params (signal triggers). */
  getFromTrigger(param: string): SelValue;
  getFromSignalDependency(index: number, param: string): SelValue;
  /** Array with one element an iteration. */
  getFromForeach(foreachStep: string, innerStep: string, param: string): SelValue;
  getFromSubworkflow(subworkflowStep: string, innerStep: string, param: string): SelValue;
  /** A positive 63-bit id that no one else gets. `call` counts the calls of one evaluation from 0. */
  nextUniqueId(call: number): bigint;
  getExecutionEnvironment(): string;
}

/** Clock, randomness, limits and outside answers of one evaluation. */
export interface EvaluationContext {
  /** Epoch milliseconds: `evaluated_time`, and what expressions see as the present. */
  readonly now: number;
  readonly seed: number;
  readonly instance: InstanceFacts;
  readonly extension: ParamExtension;
  readonly limits?: Partial<SelLimits> | undefined;
  /** A monotonic clock in milliseconds, for the time limit; without it, work is counted instead. */
  readonly clock?: (() => number) | undefined;
  /** Ends the evaluation with `BudgetExceeded` when one expression visits more nodes. */
  readonly budget?: { readonly visits: number } | undefined;
  /** Characters that the JSON of all params may have; default {@link PARAMS_SIZE_LIMIT}. */
  readonly maxChars?: number | undefined;
  /** For what has an element for each iteration; default: {@link loopLimits} of {@link ITERATION_LIMIT}. */
  readonly loops?: LoopLimits | undefined;
  /** Whether the validators of evaluated params are run; default: no. */
  readonly enforceValidators?: boolean | undefined;
}

/** A param of a run by name, an untouched default included. */
export function workflowParam(run: WorkflowParams, name: string): Parameter | undefined {
  if (Object.hasOwn(run.params, name)) return run.params[name];
  return run.defaults && deriveDefault(name, run.defaults, (other) => workflowResult(run, other));
}

function workflowResult(run: WorkflowParams, name: string): Json {
  const param = workflowParam(run, name);
  if (param?.evaluated_result === undefined) throw badRequest(`Param [${name}] is not evaluated yet`);
  return param.evaluated_result;
}

const RESERVED = { tags: [], mode: "CONSTANT", source: "SYSTEM_DEFAULT" } as const;

/** Params that every step has, and the expressions that say so. */
export const STEP_DEFAULTS: ReadonlyMap<string, Parameter> = new Map<string, Parameter>([
  [
    "workflow_instance_id",
    { expression: "params.getFromInstance('workflow_instance_id');", type: "LONG", ...RESERVED },
  ],
  ["step_instance_uuid", { expression: "params.getFromStep('step_instance_uuid');", type: "STRING", ...RESERVED }],
  ["step_attempt_id", { expression: "params.getFromStep('step_attempt_id');", type: "LONG", ...RESERVED }],
  ["step_id", { expression: "params.getFromStep('step_id');", type: "STRING", ...RESERVED }],
]);

/** A param of an attempt by name, the reserved ones included. */
export function stepParam(step: StepParams, name: string): Parameter | undefined {
  if (Object.hasOwn(step.params, name)) return step.params[name];
  const declared = STEP_DEFAULTS.get(name);
  if (!declared) return undefined;
  const result = step.identity[name as keyof StepIdentity];
  return { ...declared, evaluated_result: result, ...(step.time === undefined ? {} : { evaluated_time: step.time }) };
}

/** All params of a run in their full wire shape. @throws MaestroError for a default that can't be derived. */
export function allWorkflowParams(run: WorkflowParams): Params {
  const { params, defaults } = run;
  if (!defaults) return params;
  const all = new Map<string, Parameter>();
  const get = (name: string): Json => {
    const known = all.get(name);
    if (known) return known.evaluated_result ?? null;
    if (Object.hasOwn(params, name)) return workflowResult(run, name);
    const param = deriveDefault(name, defaults, get);
    if (param) all.set(name, param);
    return param?.evaluated_result ?? null;
  };
  for (const name of WORKFLOW_DEFAULTS.keys()) get(name);
  return { ...Object.fromEntries(all), ...params };
}

/** All params of an attempt in their full wire shape; without the reserved ones while it is not evaluated. */
export function allStepParams(step: StepParams): Params {
  if (step.time === undefined) return step.params;
  const all = new Map<string, Parameter>();
  for (const name of STEP_DEFAULTS.keys()) {
    const param = stepParam(step, name);
    if (param) all.set(name, param);
  }
  return { ...Object.fromEntries(all), ...step.params };
}
