/**
 * Everything that is evaluated for a run, as jobs of plain data: an engine thread carries one out in place while it is
 * small, and sends the same job to the evaluation thread when it is not. Pure: the clock and the seed are in the job.
 */
import type { Initiator } from "../definition/initiator.ts";
import { nameOf } from "../definition/user.ts";
import type { Workflow } from "../definition/workflow.ts";
import { stringifyJson } from "../json.ts";
import {
  type CodeFields,
  type CodeParams,
  codeParams,
  type DefaultCatalog,
  type EvaluationContext,
  evaluateCondition,
  evaluateStepParams,
  evaluateWorkflowParams,
  type FinishedStep,
  type InstanceFacts,
  interpolateText,
  type LoopLimits,
  mergeStepParams,
  mergeWorkflowParams,
  type ParamDefinitions,
  type ParamExtension,
  type Params,
  requestSource,
  type StepFacts,
  type StepMerge,
  type StepScope,
  type WorkflowParams,
  type WorkflowRestart,
} from "../param/index.ts";
import { ExtensionRequest, type SelLimits, type SelValue } from "../sel/index.ts";
import { type ChildAnswer, type ChildArgs, type ChildMethod, childValue } from "./child.ts";
import type { Run } from "./model.ts";

interface Job {
  readonly instance: InstanceFacts;
  /** Epoch ms. */
  readonly now: number;
  readonly seed: number;
  /** What other runs have answered so far. */
  readonly answers?: readonly ChildAnswer[] | undefined;
}

/** A step's surroundings as plain data. */
export interface StepData {
  readonly facts: StepFacts;
  readonly workflow: WorkflowParams;
  readonly finished: { readonly [stepId: string]: FinishedStep };
  /** The step's own evaluated params, for conditions. */
  readonly own?: Params | undefined;
}

export interface StartJob extends Job {
  readonly kind: "start";
  readonly definition: ParamDefinitions | undefined;
  /** Params of the run whose step starts this one, as far as they are passed down. */
  readonly inherited?: WorkflowParams | undefined;
  readonly runParams: ParamDefinitions | undefined;
  readonly restart?: WorkflowRestart | undefined;
}

export interface TextJob extends Job {
  readonly kind: "text";
  readonly text: string;
  readonly workflow: WorkflowParams;
}

export interface StepJob extends Job {
  readonly kind: "step";
  readonly merge: Omit<StepMerge, "catalog">;
  readonly step: StepData;
}

export interface ConditionJob extends Job {
  readonly kind: "condition";
  readonly expression: string;
  readonly step: StepData;
}

export type EvaluationJob = StartJob | TextJob | StepJob | ConditionJob;

/** What jobs do not carry: the same on every thread. */
export interface EvaluationSetting {
  readonly environment: string;
  readonly limits: Partial<SelLimits>;
  readonly catalog: DefaultCatalog;
  /** A monotonic clock in milliseconds, for the time limit; without it, work is counted instead. */
  readonly clock?: () => number;
  /** Characters that the JSON of all params may have; default 750,000. */
  readonly maxChars?: number | undefined;
  /** For what has an element for each iteration of a loop; default: 100,000 iterations, 5,000,000 characters. */
  readonly loops?: LoopLimits | undefined;
  /** Whether the validators of params are run; default: no. */
  readonly enforceValidators?: boolean | undefined;
}

/** Visits after which an evaluation ends with `BudgetExceeded`; undefined: the full limits. */
export type Budget = EvaluationContext["budget"];

export function startParams(job: Omit<StartJob, "kind">, setting: EvaluationSetting, budget: Budget): WorkflowParams {
  const merged = mergeWorkflowParams({
    definition: job.definition,
    inherited: job.inherited,
    runParams: job.runParams,
    source: requestSource(job.instance.initiator_type),
    restart: job.restart,
    catalog: setting.catalog,
  });
  return evaluateWorkflowParams(merged, contextOf(job, setting, budget));
}

export function runText(job: Omit<TextJob, "kind">, setting: EvaluationSetting, budget: Budget): string {
  return interpolateText(job.text, job.workflow, contextOf(job, setting, budget));
}

export function stepParams(
  job: Omit<StepJob, "kind" | "step">,
  scope: StepScope,
  setting: EvaluationSetting,
  budget: Budget,
): Params {
  const merged = mergeStepParams({ ...job.merge, catalog: setting.catalog });
  const ofLoops = job.merge.stepType === "foreach" ? ["loop_params"] : [];
  const code = codeOf(job.merge.stepType, setting);
  return evaluateStepParams(merged, scope, contextOf(job, setting, budget), ofLoops, code).params;
}

/** Where a step type has code. */
export const codeOf = (stepType: string, { catalog }: Pick<EvaluationSetting, "catalog">): CodeFields | undefined =>
  catalog.code.get(stepType.toLowerCase());

/** What a step's code may refer to. Nothing of it is evaluated any more. */
export const stepCode = (code: CodeFields, job: Job, scope: StepScope, setting: EvaluationSetting): CodeParams =>
  codeParams(code, scope, contextOf(job, setting, undefined));

export function stepCondition(
  job: Omit<ConditionJob, "kind" | "step">,
  scope: StepScope,
  setting: EvaluationSetting,
  budget: Budget,
): boolean {
  return evaluateCondition(job.expression, scope, contextOf(job, setting, budget));
}

/**
 * Carries a job out.
 * @param budget undefined: with the full limits
 * @throws ExtensionRequest for what another run is to answer first
 */
export function evaluateJob(
  job: EvaluationJob,
  setting: EvaluationSetting,
  budget?: Budget,
): WorkflowParams | Params | string | boolean {
  switch (job.kind) {
    case "start":
      return startParams(job, setting, budget);
    case "text":
      return runText(job, setting, budget);
    case "step":
      return stepParams(job, scopeOf(job.step), setting, budget);
    case "condition":
      return stepCondition(job, scopeOf(job.step), setting, budget);
  }
}

function scopeOf({ facts, workflow, finished, own }: StepData): StepScope {
  return {
    facts,
    workflow,
    finished: (id) => (Object.hasOwn(finished, id) ? finished[id] : undefined),
    ...(own && { own: { params: own, identity: facts } }),
  };
}

function contextOf(
  { instance, now, seed, answers = [] }: Job,
  setting: EvaluationSetting,
  budget: Budget,
): EvaluationContext {
  return {
    now,
    seed,
    instance,
    extension: extensionOf(setting.environment, seed, answers),
    limits: setting.limits,
    maxChars: setting.maxChars,
    loops: setting.loops,
    enforceValidators: setting.enforceValidators,
    ...(setting.clock && { clock: setting.clock }),
    ...(budget && { budget }),
  };
}

/** Signals do not exist in this engine yet: what asks for them is told so. */
function extensionOf(environment: string, seed: number, answers: readonly ChildAnswer[]): ParamExtension {
  const missing = (what: string) => (): SelValue => {
    throw new Error(`${what}: this run has none`);
  };
  const ofChildren = childExtension(answers);
  return {
    getFromSignal: missing("a signal"),
    getFromTrigger: missing("a signal trigger"),
    getFromSignalDependency: missing("a signal dependency"),
    getFromForeach: (...args) => ofChildren("getFromForeach", args),
    getFromSubworkflow: (...args) => ofChildren("getFromSubworkflow", args),
    nextUniqueId: (call) => uniqueId(seed, call),
    getExecutionEnvironment: () => environment,
  };
}

/** Each answer becomes a value once, however often an expression asks for it. */
function childExtension(answers: readonly ChildAnswer[]) {
  const known = new Map(answers.map((answer) => [callKey(answer.method, answer.args), answer]));
  const values = new Map<string, SelValue>();
  return (method: ChildMethod, args: ChildArgs): SelValue => {
    const key = callKey(method, args);
    const value = values.get(key);
    if (value) return value;
    const answer = known.get(key);
    if (!answer) throw new ExtensionRequest(method, args);
    const made = childValue(answer);
    values.set(key, made);
    return made;
  };
}

const callKey = (method: string, args: readonly string[]): string => stringifyJson([method, ...args]);

/** 63 bits: 42 of the evaluation's random seed and 21 that count its calls. */
const uniqueId = (seed: number, call: number): bigint =>
  (BigInt(Math.floor(seed) % 2 ** 42) << 21n) | BigInt(call % 2 ** 21);

/** What expressions may ask of the run. Ids are absent while it is being created. */
export function instanceFacts(
  run: { readonly workflowId: string; readonly instanceId?: number; readonly runId?: number },
  about: {
    readonly owner: string;
    readonly initiator: Initiator;
    readonly policy: Run["config"]["policy"];
    /** Needed while workflow params are evaluated. */
    readonly workflow?: Workflow;
  },
): InstanceFacts {
  const { initiator, workflow } = about;
  const trigger = workflow?.time_triggers?.[0];
  return {
    workflow_id: run.workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    owner: about.owner,
    initiator_type: initiator.type,
    initiator_timezone: initiator.type === "TIME" ? initiator.timezone : undefined,
    initiator_runner_name: initiator.type === "MANUAL" && initiator.user ? nameOf(initiator.user) : undefined,
    first_time_trigger_timezone: trigger && "timezone" in trigger ? trigger.timezone : undefined,
    run_policy: about.policy,
  };
}
