/** In which order layers of params are merged: for a run, and for an attempt of a step. */
import { DEFAULT_CATALOG, type DefaultCatalog } from "./defaults.ts";
import { toDefinition } from "./definition.ts";
import { type DefaultInputs, OWN_DEFAULTS, WORKFLOW_DEFAULTS } from "./derive.ts";
import { cleanUp, type MergeContext, type MergeTarget, mergeInto, mergeParam } from "./merge.ts";
import { forgetStaleResults } from "./restart.ts";
import { allWorkflowParams, STEP_DEFAULTS, type WorkflowParams, workflowParam } from "./scope.ts";
import type { ParamDefinitions, Parameter, ParamSource, Params } from "./type.ts";

/** Source of the params that a request or a parent brings, by initiator. */
export type RequestSource = "LAUNCH" | "SUBWORKFLOW" | "FOREACH" | "WHILE" | "TEMPLATE";

/** LAUNCH for MANUAL, TIME, SIGNAL and VALIDATION, else the parent's kind. */
export function requestSource(initiatorType: string): RequestSource {
  switch (initiatorType) {
    case "SUBWORKFLOW":
    case "FOREACH":
    case "WHILE":
    case "TEMPLATE":
      return initiatorType;
    default:
      return "LAUNCH";
  }
}

/** Names that only the system may provide in run params. */
export const RESERVED_PARAM_NAMES: ReadonlySet<string> = new Set([
  ...["maestro", "Maestro", "MAESTRO", "scheduler", "Scheduler", "SCHEDULER"],
  ...["util", "Util", "UTIL", "params", "Params", "PARAMS"],
  ...["AUTH_BLOB", "AUTH_DATA", "AUTH_ACTING_ON_BEHALF_OF_BLOB", "AUTH_TRIGGERING_ON_BEHALF_OF_BLOB"],
  "AUTHORIZED_MANAGERS",
]);

/** The layers of a run's params, lowest first. */
export interface WorkflowMerge {
  readonly definition?: ParamDefinitions | undefined;
  /** Evaluated params of the parent run that are passed down (all but `owner` and `workflow_id`). */
  readonly inherited?: WorkflowParams | undefined;
  readonly runParams?: ParamDefinitions | undefined;
  readonly source: RequestSource;
  /** Present for a restart. */
  readonly restart?: WorkflowRestart | undefined;
  readonly catalog?: DefaultCatalog | undefined;
}

export interface WorkflowRestart {
  /** Params of the run that is restarted; absent or empty if it has none: then layers are merged as at a start. */
  readonly previous?: WorkflowParams | undefined;
  /** `restart_params` of the request, if this run is the bottom of the restart path. */
  readonly restartParams?: ParamDefinitions | undefined;
}

/** Merged, not yet evaluated params of a run. Plain JSON. */
export interface MergedWorkflowParams {
  readonly params: Params;
  /** What the untouched defaults follow from, where that is given by a parent or by the previous run. */
  readonly defaults?: DefaultInputs | undefined;
  readonly omit?: readonly string[] | undefined;
}

/** @throws MaestroError BAD_REQUEST. */
export function mergeWorkflowParams(input: WorkflowMerge): MergedWorkflowParams {
  const catalog = input.catalog ?? DEFAULT_CATALOG;
  const previous = input.restart && hasParams(input.restart.previous) ? input.restart.previous : undefined;
  const upstream = input.source !== "LAUNCH";
  const source: ParamSource = input.restart && !upstream ? "RESTART" : input.source;
  const context: MergeContext = { source, upstream, restart: input.restart !== undefined };
  const base = (name: string) => defaultBase(catalog, previous, name);
  const target: MergeTarget = new Map();
  if (previous) {
    for (const [name, param] of Object.entries(previous.params)) {
      if (!RESERVED_PARAM_NAMES.has(name)) target.set(name, param);
    }
  } else {
    for (const [name, param] of catalog.workflow) {
      if (param.internal_mode !== "OPTIONAL" || hasContent(param)) target.set(name, param);
    }
    mergeInto(target, input.definition, { source: "DEFINITION" }, base);
  }
  if (input.inherited) mergeInherited(target, input.inherited, context, base);
  // A run without params was never begun: what it was started with is merged as a start does.
  const start = { source: input.source, upstream } as const;
  mergeInto(target, input.runParams, previous || !input.restart ? context : start, base);
  mergeInto(target, input.restart?.restartParams, context, base);
  if (previous) forgetStaleResults(target, previous);
  return {
    params: cleanUp(target),
    defaults: inheritedInputs(input, previous) ?? previous?.defaults,
    ...(catalog.omit.length > 0 && { omit: catalog.omit }),
  };
}

/** A run that could not be initialised has none. */
export function hasParams(run: WorkflowParams | undefined): run is WorkflowParams {
  return run !== undefined && (run.defaults !== undefined || Object.keys(run.params).length > 0);
}

function hasContent(param: Parameter): boolean {
  return param.value !== undefined || param.expression !== undefined;
}

/** A default that nobody has touched so far, as the base of a merge. */
function defaultBase(catalog: DefaultCatalog, previous: WorkflowParams | undefined, name: string) {
  const declared = WORKFLOW_DEFAULTS.get(name)?.param;
  if (!declared || catalog.omit.includes(name)) return catalog.workflow.get(name);
  return previous ? restartBase(previous, name, declared) : declared;
}

/** The default as the previous run evaluated it; its reservation holds. */
function restartBase(previous: WorkflowParams, name: string, declared: Parameter): Parameter {
  const { internal_mode } = declared;
  return { ...(workflowParam(previous, name) ?? declared), ...(internal_mode && { internal_mode }) };
}

function mergeInherited(
  target: MergeTarget,
  inherited: WorkflowParams,
  context: MergeContext,
  base: (name: string) => Parameter | undefined,
): void {
  const merge = (name: string, param: Parameter) =>
    target.set(name, mergeParam(name, target.get(name) ?? base(name), toDefinition(param), context));
  for (const [name, param] of Object.entries(inherited.params)) {
    if (!OWN_DEFAULTS.has(name)) merge(name, param);
  }
  for (const name of [...target.keys()]) {
    if (OWN_DEFAULTS.has(name) || Object.hasOwn(inherited.params, name)) continue;
    const param = WORKFLOW_DEFAULTS.has(name) ? workflowParam(inherited, name) : undefined;
    if (param) merge(name, param);
  }
}

/** A child's untouched defaults are its parent's, as literals. */
function inheritedInputs(input: WorkflowMerge, previous: WorkflowParams | undefined): DefaultInputs | undefined {
  const inputs = input.inherited?.defaults;
  if (!inputs) return undefined;
  const { owner = "", workflow_id = "", time = inputs.time } = previous?.defaults ?? {};
  return { ...inputs, owner, workflow_id, time, source: input.source };
}

/** Definitions that a parent passes down, in the wire shape of `run_params`. */
export function passedDown(parent: WorkflowParams): ParamDefinitions {
  const entries = Object.entries(allWorkflowParams(parent)).filter(([name]) => !OWN_DEFAULTS.has(name));
  return Object.fromEntries(entries.map(([name, param]) => [name, toDefinition(param)]));
}

/** The layers of an attempt's params, lowest first. */
export interface StepMerge {
  /** `NoOp`, `foreach`, `Http`…, in any case. */
  readonly stepType: string;
  /** Params of the job template. */
  readonly template?: ParamDefinitions | undefined;
  readonly definition?: ParamDefinitions | undefined;
  /** From the in-place restart of the step if there is one, else `step_run_params` of the run. */
  readonly runParams?: ParamDefinitions | undefined;
  /** `step_restart_params`, if this run is the bottom of the restart path. */
  readonly restartParams?: ParamDefinitions | undefined;
  readonly source: RequestSource;
  /** Whether the run is a fresh one: in a restarted run only params mutable on restart may change. */
  readonly fresh: boolean;
  /** Put as they are, over everything. */
  readonly injected?: Params | undefined;
  readonly catalog?: DefaultCatalog | undefined;
}

/** Merged, not yet evaluated params of an attempt, without the four that follow from its identity. */
export function mergeStepParams(input: StepMerge): Params {
  const catalog = input.catalog ?? DEFAULT_CATALOG;
  const target: MergeTarget = new Map(catalog.step);
  for (const [name, param] of catalog.types.get(input.stepType.toLowerCase()) ?? []) target.set(name, param);
  mergeInto(target, input.template, { source: "TEMPLATE_SCHEMA" }, reservedBase);
  const source: ParamSource = input.source === "LAUNCH" && !input.fresh ? "RESTART" : input.source;
  const context: MergeContext = { source, restart: !input.fresh };
  const { definition, runParams, restartParams } = input;
  mergeInto(target, undefinedNames(runParams, definition), context, reservedBase);
  mergeInto(target, undefinedNames(restartParams, definition), context, reservedBase);
  mergeInto(target, definition, { source: "DEFINITION" }, reservedBase);
  mergeInto(target, runParams, context, reservedBase);
  mergeInto(target, restartParams, context, reservedBase);
  const params = cleanUp(target);
  return input.injected ? { ...params, ...input.injected } : params;
}

const RESERVED_STEP_PARAMS: ReadonlyMap<string, Parameter> = new Map(
  [...STEP_DEFAULTS].map(([name, param]) => [name, { ...param, internal_mode: "RESERVED" }]),
);

/** A param that every step has, as it is before anything is merged over it. */
export function reservedBase(name: string): Parameter | undefined {
  return RESERVED_STEP_PARAMS.get(name);
}

function undefinedNames(overrides: ParamDefinitions | undefined, definition: ParamDefinitions | undefined) {
  if (!overrides || !definition) return overrides;
  return Object.fromEntries(Object.entries(overrides).filter(([name]) => !Object.hasOwn(definition, name)));
}
