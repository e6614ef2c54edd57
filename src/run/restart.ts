/**
 * Restarts, as data: what of a restart concerns one run, what its nested steps hand on to the runs that they make again,
 * and which run a request leads to. Pure.
 *
 * A restart names a path through nested runs, deepest first: its last node is the run that is being handled, and the one
 * before it is the next one down. Params and skips of the request are for the deepest node, so they apply where the path
 * has one node only.
 */
import { isUpstream } from "../definition/initiator.ts";
import type { RestartConfig, RestartNode, RunPolicy, StepParamDefinitions } from "../definition/restart.ts";
import type { ParamDefinitions } from "../param/type.ts";
import { own } from "../record.ts";
import { closestWhole } from "./inline.ts";
import type { Run, RunConfig } from "./model.ts";
import { isRunTerminal, type RunStatus } from "./status.ts";

/** The node that is being handled. */
export const currentNode = ({ restart_path }: RestartConfig): RestartNode | undefined => restart_path.at(-1);
/** The node below it. */
export const nextNode = ({ restart_path }: RestartConfig): RestartNode | undefined => restart_path.at(-2);

/** The restart is meant for this very run, or for a step of it. */
const endsHere = (config: RestartConfig | undefined): config is RestartConfig => config?.restart_path.length === 1;

/** The step that a user named for the restart of this run, or that the way to that step leads through. */
export function targetOf({ policy, restart_config }: RunConfig): string | undefined {
  if (policy !== "RESTART_FROM_SPECIFIC" || restart_config === undefined) return undefined;
  return currentNode(restart_config)?.step_id ?? undefined;
}

export const restartParamsOf = (config: RestartConfig | undefined): ParamDefinitions | undefined =>
  endsHere(config) ? config.restart_params : undefined;

export const stepRestartParamsOf = (config: RestartConfig | undefined, stepId: string): ParamDefinitions | undefined =>
  endsHere(config) ? own(config.step_restart_params, stepId) : undefined;

/** The step ends SKIPPED instead of running. */
export const isSkipped = (config: RestartConfig | undefined, stepId: string): boolean =>
  endsHere(config) && config.skip_steps?.includes(stepId) === true;

/** How a nested step makes the run below it again. */
export interface Downstream {
  readonly policy: RunPolicy;
  readonly config: RestartConfig | undefined;
}

export interface Child {
  readonly type: "SUBWORKFLOW" | "FOREACH" | "WHILE" | "TEMPLATE";
  readonly workflowId: string;
  readonly instanceId: number;
  /** Of an iteration: the ids of the steps in its body, at any depth. */
  readonly steps?: readonly string[];
}

/**
 * What a nested step hands to the run that it makes again.
 *
 * | the step                                               | the child gets                                             |
 * |--------------------------------------------------------|------------------------------------------------------------|
 * | is on the path, and the child is the next node         | the path without this node; the policy of the request if   |
 * |                                                        | the child is the deepest node, else RESTART_FROM_SPECIFIC  |
 * | is on the path, and the child is another iteration     | no path; the downstream policy                             |
 * | is beside the path, or is what the request named       | no path; the downstream policy                             |
 * | is a loop around a step that is given params from the  | the path as it is; the downstream policy                   |
 * | workflow that the loop stands in                       |                                                            |
 * | has no restart config                                  | the policy of its own run                                  |
 *
 * @param restarted of the attempt, if it was restarted in a live run: it counts instead of the run's
 */
export function downstream(
  run: RunConfig,
  restarted: RestartConfig | undefined,
  stepId: string,
  child: Child,
): Downstream {
  const config = restarted ?? run.restart_config;
  if (config === undefined) return { policy: run.policy, config: undefined };
  if (isForInside(config, child)) return { policy: config.downstream_policy, config };
  const next = nextNode(config);
  if (next === undefined || currentNode(config)?.step_id !== stepId || !isNode(next, child)) {
    return { policy: config.downstream_policy, config: undefined };
  }
  const restart_path = config.restart_path.slice(0, -1);
  const policy = restart_path.length === 1 ? config.restart_policy : "RESTART_FROM_SPECIFIC";
  return { policy, config: { ...config, restart_path } };
}

/** Step params of a restart of a whole workflow are for a step inside its loops. */
const isForInside = (config: RestartConfig, { steps = [] }: Child): boolean =>
  endsHere(config) && currentNode(config)?.step_id === null && steps.some((id) => own(config.step_restart_params, id));

const isNode = (node: RestartNode, child: Child): boolean =>
  node.workflow_id === child.workflowId && node.instance_id === child.instanceId;

/**
 * Step params that a restarted run gets from the runs before it: what they were given for a step holds on, until it is
 * given anew.
 * @param attempts the newest ones; what one was given in a live run is the newest word on its step
 */
export function carriedStepParams(
  { config }: Pick<Run, "config">,
  attempts: Iterable<{ readonly stepId: string; readonly restart?: RestartConfig | undefined }>,
): StepParamDefinitions | undefined {
  const carried = new Map(Object.entries(config.step_run_params ?? {}));
  const add = (stepId: string, params: ParamDefinitions | undefined): void => {
    if (params && Object.keys(params).length > 0) carried.set(stepId, { ...carried.get(stepId), ...params });
  };
  const { restart_config } = config;
  for (const stepId of Object.keys(restart_config?.step_restart_params ?? {})) {
    add(stepId, stepRestartParamsOf(restart_config, stepId));
  }
  for (const { stepId, restart } of attempts) add(stepId, stepRestartParamsOf(restart, stepId));
  return carried.size === 0 ? undefined : Object.fromEntries(carried);
}

/** What a user asks for, before it is known which run it leads to. */
export interface RestartRequest {
  /** Of the run that is made, if that is the node's own. */
  readonly policy: RunPolicy;
  readonly config: RestartConfig;
}

interface Place {
  readonly workflowId: string;
  readonly instanceId: number;
}

const nodeOf = ({ workflowId, instanceId }: Place, step_id: string | null): RestartNode => ({
  workflow_id: workflowId,
  instance_id: instanceId,
  step_id,
});

export function instanceRestart(
  place: Place,
  policy: RunPolicy,
  restart_params: ParamDefinitions | undefined,
): RestartRequest {
  const restart_path = [nodeOf(place, null)];
  const config = { restart_path, restart_policy: policy, downstream_policy: policy };
  return { policy, config: { ...config, ...(restart_params && { restart_params }) } };
}

/** @param downstream_policy what the runs below the step are made again by */
export function stepRestart(
  place: Place,
  stepId: string,
  downstream_policy: RunPolicy,
  params: ParamDefinitions | undefined,
): RestartRequest {
  const policy = "RESTART_FROM_SPECIFIC";
  const config = {
    restart_path: [nodeOf(place, stepId)],
    restart_policy: policy,
    downstream_policy,
    step_restart_params: Object.fromEntries([[stepId, params ?? {}]]),
  } as const;
  return { policy, config };
}

export function stepSkip(place: Place, stepId: string): RestartRequest {
  const { policy, config } = stepRestart(place, stepId, "RESTART_FROM_INCOMPLETE", undefined);
  return { policy, config: { ...config, skip_steps: [stepId] } };
}

/**
 * From the workflow that the step's loops stand in, with the user's policy: for an iteration of a foreach the nearest run
 * above it that is no iteration, else the step's own run.
 */
export function inlineRootRestart(
  run: Pick<Run, "workflowId" | "instanceId" | "initiator">,
  stepId: string,
  policy: RunPolicy,
  params: ParamDefinitions | undefined,
): RestartRequest {
  const { config } = stepRestart(run, stepId, policy, params);
  return { policy, config: { ...config, restart_path: [inlineRoot(run)], restart_policy: policy } };
}

function inlineRoot({ workflowId, instanceId, initiator }: Pick<Run, "workflowId" | "instanceId" | "initiator">) {
  const above = initiator.type === "FOREACH" ? closestWhole(initiator) : undefined;
  return above === undefined
    ? nodeOf({ workflowId, instanceId }, null)
    : nodeOf({ workflowId: above.workflow_id, instanceId: above.instance_id }, null);
}

/** The latest run of an instance, as the way up looks at it. */
export interface Hop {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly status: RunStatus;
  readonly initiator: Run["initiator"];
}

/** Where a request leads to. */
export type Climb =
  /** A new run of this instance. */
  | { readonly type: "new run"; readonly at: Hop; readonly request: RestartRequest }
  /** The step that the last node of the path names, in a run that is under way. */
  | { readonly type: "in place"; readonly at: Hop; readonly stepId: string; readonly request: RestartRequest }
  /** The instance that the request names is under way: there is nothing to restart. */
  | { readonly type: "under way"; readonly at: Hop }
  /** The latest run of this instance has to be read first. */
  | { readonly type: "unknown"; readonly workflowId: string; readonly instanceId: number };

/**
 * Follows a request upwards: a run that has ended is made again by the step that made it, so its ancestors are restarted
 * at that step, up to the root or to the nearest one that is under way. A run that its parent did not wait for is a root.
 * @param known finds the latest run of an instance
 */
export function climb(
  request: RestartRequest,
  known: (workflowId: string, instanceId: number) => Hop | undefined,
): Climb {
  let { policy, config } = request;
  for (;;) {
    const node = currentNode(config) as RestartNode;
    const at = known(node.workflow_id, node.instance_id);
    if (at === undefined) return { type: "unknown", workflowId: node.workflow_id, instanceId: node.instance_id };
    if (!isRunTerminal(at.status)) {
      if (node.step_id === null) return { type: "under way", at };
      return { type: "in place", at, stepId: node.step_id, request: { policy, config } };
    }
    const parent = parentOf(at);
    if (parent === undefined) return { type: "new run", at, request: { policy, config } };
    policy = "RESTART_FROM_SPECIFIC";
    config = { ...config, restart_path: [...config.restart_path, parent] };
  }
}

/** The step that made the run and waits for it; undefined for a root. */
export function parentOf({ initiator }: Pick<Run, "initiator">): RestartNode | undefined {
  const parent = isUpstream(initiator) ? initiator.ancestors.at(-1) : undefined;
  if (parent === undefined || parent.sync === false) return undefined;
  const { workflow_id, instance_id, step_id } = parent;
  return { workflow_id, instance_id, step_id };
}
