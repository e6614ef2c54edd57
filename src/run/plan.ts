/**
 * What a run executes, said once for the engine and the API: which definition (that of its version, or the body of the
 * loop step that made the run), which of its steps, and which steps count as done because an earlier run did them.
 */
import { computeDag, reachable } from "../definition/graph.ts";
import { type Ancestor, isInline, isUpstream } from "../definition/initiator.ts";
import { allSteps, fieldsOf, nestedSteps, stepIdOf } from "../definition/step.ts";
import type { StepTransition } from "../definition/transition.ts";
import type { Workflow } from "../definition/workflow.ts";
import { notFound } from "../error.ts";
import { isJsonObject } from "../json.ts";
import { type StepNode, stepNode } from "../step/node.ts";
import { isComplete, isTerminal } from "../step/status.ts";
import type { StepAggregate } from "./aggregate.ts";
import type { Run } from "./model.ts";

/** As much of a run as says what it executes. */
export type PlannedRun = Pick<Run, "workflowId" | "internalId" | "versionId" | "initiator" | "config">;

/** What earlier runs of the instance have made of its steps, by step. */
export type Earlier = ReadonlyMap<string, Pick<StepAggregate, "status" | "runId">>;

export interface RunPlan {
  /** Without the run's own tags. */
  readonly workflow: Workflow;
  /** The steps that this run executes, in the order of the definition. */
  readonly nodes: ReadonlyMap<string, StepNode>;
  /** Those that wait for no other step of this run. */
  readonly roots: readonly string[];
  /** Steps outside this run that count with what they ended as: the run whose newest attempt says so, by step. */
  readonly done: ReadonlyMap<string, number>;
  /** The step that a user named for the restart: it runs, whatever its incoming conditions say. */
  readonly forced: string | undefined;
}

/** The steps of a run with their edges, in wire shape; the order of the keys numbers the steps in overviews. */
export type RuntimeDag = Readonly<Record<string, StepTransition>>;

const NOTHING: Earlier = new Map();

/**
 * @param definition of the run's version; for an iteration of a loop, the one that holds the loop
 * @param earlier needed for a restart only
 * @throws NOT_FOUND when the definition has no such loop
 */
export function planOf(run: PlannedRun, definition: Workflow, earlier: Earlier = NOTHING): RunPlan {
  const workflow = bodyOf(run, definition);
  const dag = computeDag(workflow.steps);
  const target = targetOf(run);
  const begin = beginsAt(run, target, earlier);
  const executed = begin && reachable(dag, [...dag.keys()].filter(begin));
  const nodes = new Map<string, StepNode>();
  const done = new Map<string, number>();
  for (const step of workflow.steps) {
    const { id } = fieldsOf(step);
    const edges = dag.get(id);
    if (executed === undefined || executed.has(id)) {
      nodes.set(id, stepNode(step, edges?.predecessors ?? [], edges?.successors ?? {}));
    } else {
      const runId = earlier.get(id)?.runId;
      if (runId !== undefined) done.set(id, runId);
    }
  }
  const roots = [...nodes.values()].filter((node) => !node.predecessors.some((id) => nodes.has(id)));
  return { workflow, nodes, roots: roots.map((node) => node.id), done, forced: begin && target };
}

/** Runs with the same key have the same plan; undefined: the plan is this run's alone. */
export function planKey({ workflowId, internalId, versionId, initiator, config }: PlannedRun): string | undefined {
  if (!isWhole(config.policy)) return undefined;
  const version = `${internalId}:${versionId}`;
  if (!isInline(initiator) || !isUpstream(initiator)) return version;
  // Every iteration of one attempt at a loop does the same.
  const { run_id, step_id, step_attempt_id } = initiator.ancestors.at(-1) as Ancestor;
  return `${version}:${workflowId}:${run_id}:${step_id}:${step_attempt_id}`;
}

export function dagOf({ nodes }: RunPlan): RuntimeDag {
  const entries = [...nodes.values()].map(({ id, predecessors, successors }): [string, StepTransition] => [
    id,
    {
      ...(predecessors.length > 0 && { predecessors }),
      ...(successors.length > 0 && { successors: Object.fromEntries(successors) }),
    },
  ]);
  return Object.fromEntries(entries);
}

/** The run's tags join those of the definition. */
export function withRunTags(workflow: Workflow, { config }: Pick<Run, "config">): Workflow {
  const tags = config.runtime_tags;
  if (tags === undefined || tags.length === 0) return workflow;
  const { steps, ...rest } = workflow;
  return { ...rest, tags: [...(workflow.tags ?? []), ...tags], steps };
}

function bodyOf({ workflowId, initiator }: PlannedRun, definition: Workflow): Workflow {
  if (!isUpstream(initiator) || initiator.type === "SUBWORKFLOW") return definition;
  const parent = initiator.ancestors.at(-1);
  const loop = [...allSteps(definition.steps)].find((step) => stepIdOf(step) === parent?.step_id);
  if (parent === undefined || loop === undefined) {
    throw notFound(`Cannot find the loop of inline workflow [${workflowId}] in its definition.`);
  }
  const { workflow_id, instance_id, run_id, step_id, step_attempt_id } = parent;
  const identity = `[${workflow_id}][${instance_id}][${run_id}][${step_id}][${step_attempt_id}]`;
  const body = initiator.type === "WHILE" ? "while loop inline workflow including steps" : FOREACH_BODY;
  return {
    id: workflowId,
    name: identity,
    ...(fieldsOf(loop).tags && { tags: fieldsOf(loop).tags }),
    description: `Maestro ${body} created by ${identity}`,
    params: {},
    steps: nestedSteps(loop),
  };
}

const FOREACH_BODY = "foreach inline workflow including steps within foreach";

/** Which steps the run begins at; undefined: at the beginning, with every step. */
function beginsAt(
  { config }: PlannedRun,
  target: string | undefined,
  earlier: Earlier,
): ((id: string) => boolean) | undefined {
  if (isWhole(config.policy) || earlier.size === 0) return undefined;
  return (id) => {
    const status = earlier.get(id)?.status ?? "NOT_CREATED";
    return id === target || status === "NOT_CREATED" || (isTerminal(status) && !isComplete(status));
  };
}

const isWhole = (policy: Run["config"]["policy"]): boolean =>
  policy.startsWith("START_") || policy === "RESTART_FROM_BEGINNING";

/** The step at the end of the restart path, which the request names from the inside to the outside. */
function targetOf({ config }: PlannedRun): string | undefined {
  if (config.policy !== "RESTART_FROM_SPECIFIC") return undefined;
  const path = config.restart_config?.restart_path;
  const node = Array.isArray(path) ? path.at(-1) : undefined;
  const step = isJsonObject(node) ? node.step_id : undefined;
  return typeof step === "string" ? step : undefined;
}
