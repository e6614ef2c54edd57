/**
 * What a run executes, said once for the engine and the API: which definition (that of its version, or the body of the
 * loop step that made the run), which of its steps, and which steps count as done because an earlier run did them.
 */
import { computeDag, reachable } from "../definition/graph.ts";
import { type Ancestor, isInline, isUpstream } from "../definition/initiator.ts";
import { isWhole } from "../definition/restart.ts";
import { allSteps, fieldsOf, nestedSteps, stepIdOf } from "../definition/step.ts";
import type { StepTransition } from "../definition/transition.ts";
import type { Workflow } from "../definition/workflow.ts";
import { notFound } from "../error.ts";
import type { StepAttempt } from "../step/model.ts";
import { type StepNode, stepNode } from "../step/node.ts";
import { isComplete, isTerminal, type StepStatus } from "../step/status.ts";
import type { Aggregate } from "./aggregate.ts";
import type { Run, RunOverview } from "./model.ts";
import { targetOf } from "./restart.ts";

/** As much of a run as says what it executes. */
export interface PlannedRun extends Pick<Run, "workflowId" | "internalId" | "versionId" | "initiator" | "config"> {
  /** Of the attempt that has made an iteration of a loop: part of the body's name. What executes the body needs no name. */
  readonly parentUuid?: string | undefined;
}

/** What earlier runs of the instance have made of its steps. */
export interface Earlier {
  /** Over all runs before this one. */
  readonly aggregate: Aggregate;
  /** The newest attempt at each step over all of them. May lack what nobody asks for. */
  readonly attempts: ReadonlyMap<string, StepAttempt>;
}

/** A step that is complete and that this run does not execute. */
export interface DoneStep {
  /** The run whose newest attempt says so. */
  readonly runId: number;
  readonly status: StepStatus;
  readonly attempt: StepAttempt | undefined;
  /** Its work were other runs. */
  readonly isNested: boolean;
}

export interface RunPlan {
  /** Without the run's own tags. */
  readonly workflow: Workflow;
  /** Of all steps of the workflow, whether the run executes them or not. */
  readonly stepIds: readonly string[];
  /** The steps that this run executes, in the order of the definition. */
  readonly nodes: ReadonlyMap<string, StepNode>;
  /** Those that the run begins with. */
  readonly roots: readonly string[];
  /**
   * Those that could begin, and do not: a restart of one step leaves the other unfinished ones to their user, who may restart
   * them while the run lasts. What follows them waits.
   */
  readonly held: ReadonlySet<string>;
  /** Steps outside this run that count with what they ended as, by step. */
  readonly done: ReadonlyMap<string, DoneStep>;
  /** The step that a user named for the restart: it runs, whatever its incoming conditions say. */
  readonly forced: string | undefined;
  /** Of a run that executes a part of its definition. */
  readonly earlier: Earlier | undefined;
}

/** The steps of a run with their edges, in wire shape; the order of the keys numbers the steps in overviews. */
export type RuntimeDag = Readonly<Record<string, StepTransition>>;

/**
 * @param definition of the run's version; for an iteration of a loop, the one that holds the loop
 * @param earlier needed for a run that {@link isPartial}
 * @throws NOT_FOUND when the definition has no such loop
 */
export function planOf(run: PlannedRun, definition: Workflow, earlier?: Earlier): RunPlan {
  const workflow = bodyOf(run, definition);
  const dag = computeDag(workflow.steps);
  const before = isPartial(run) && earlier !== undefined && earlier.aggregate.steps.size > 0 ? earlier : undefined;
  const target = before && targetOf(run.config);
  const executed = before && reachable(dag, [...dag.keys()].filter(beginsAt(target, before.aggregate)));
  const nodes = new Map<string, StepNode>();
  const done = new Map<string, DoneStep>();
  for (const step of workflow.steps) {
    const { id } = fieldsOf(step);
    const edges = dag.get(id);
    if (executed === undefined || executed.has(id)) {
      nodes.set(id, stepNode(step, edges?.predecessors ?? [], edges?.successors ?? {}));
    } else {
      const { runId, status } = before?.aggregate.steps.get(id) ?? {};
      if (runId === undefined || !status) continue;
      done.set(id, {
        runId,
        status,
        attempt: before?.attempts.get(id),
        isNested: !("step" in step || "template" in step),
      });
    }
  }
  const open = [...nodes.values()].filter(({ predecessors }) => !predecessors.some((id) => nodes.has(id)));
  const roots = open.map(({ id }) => id).filter((id) => target === undefined || id === target);
  const held = new Set(open.map(({ id }) => id).filter((id) => target !== undefined && id !== target));
  return { workflow, stepIds: [...dag.keys()], nodes, roots, held, done, forced: target, earlier: before };
}

/** The run counts the steps that it does not execute as earlier runs have left them. */
export const isPartial = ({ config }: Pick<Run, "config">): boolean => !isWhole(config.policy);

/**
 * The steps that count for the end of a run: all but those that are held, and what waits for them.
 * @param made whether the run has made an attempt at the step
 */
export function reachOf({ nodes, held }: Pick<RunPlan, "nodes" | "held">, made: (id: string) => boolean): Set<string> {
  const pending = [...held].filter((id) => !made(id));
  const out = new Set<string>();
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (out.has(id)) continue;
    out.add(id);
    for (const [successor] of nodes.get(id)?.successors ?? []) pending.push(successor);
  }
  return new Set([...nodes.keys()].filter((id) => !out.has(id)));
}

/** The steps that a run has made attempts at. */
export function madeIn(overview: RunOverview | undefined): ReadonlySet<string> {
  const made = new Set<string>();
  for (const rows of Object.values(overview?.steps ?? {})) for (const [id] of rows) made.add(id);
  return made;
}

/** Runs with the same key have the same plan; undefined: the plan is this run's alone. */
export function planKey({ workflowId, internalId, versionId, initiator, config }: PlannedRun): string | undefined {
  if (isPartial({ config })) return undefined;
  const version = `${internalId}:${versionId}`;
  if (!isInline(initiator) || !isUpstream(initiator)) return version;
  // Every iteration of one attempt at a loop does the same.
  const { run_id, step_id, step_attempt_id } = initiator.ancestors.at(-1) as Ancestor;
  return `${version}:${workflowId}:${run_id}:${step_id}:${step_attempt_id}`;
}

/** Without the edges from steps that the run does not execute. */
export function dagOf({ nodes }: RunPlan): RuntimeDag {
  const entries = [...nodes.values()].map(({ id, predecessors, successors }): [string, StepTransition] => {
    const before = predecessors.filter((other) => nodes.has(other));
    return [
      id,
      {
        ...(before.length > 0 && { predecessors: before }),
        ...(successors.length > 0 && { successors: Object.fromEntries(successors) }),
      },
    ];
  });
  return Object.fromEntries(entries);
}

/** The run's tags join those of the definition. */
export function withRunTags(workflow: Workflow, { config }: Pick<Run, "config">): Workflow {
  const tags = config.runtime_tags;
  if (tags === undefined || tags.length === 0) return workflow;
  const { steps, ...rest } = workflow;
  return { ...rest, tags: [...(workflow.tags ?? []), ...tags], steps };
}

function bodyOf({ workflowId, initiator, parentUuid }: PlannedRun, definition: Workflow): Workflow {
  if (!isUpstream(initiator) || initiator.type === "SUBWORKFLOW") return definition;
  const parent = initiator.ancestors.at(-1);
  const loop = [...allSteps(definition.steps)].find((step) => stepIdOf(step) === parent?.step_id);
  if (parent === undefined || loop === undefined) {
    throw notFound(`Cannot find the loop of inline workflow [${workflowId}] in its definition.`);
  }
  const { workflow_id, instance_id, run_id, step_id, step_attempt_id } = parent;
  const attempt = parentUuid === undefined ? "" : `[${parentUuid}]`;
  const identity = `[${workflow_id}][${instance_id}][${run_id}][${step_id}][${step_attempt_id}]${attempt}`;
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

/** Which steps the run begins at: what is not complete, and what the user named. */
const beginsAt =
  (target: string | undefined, { steps }: Aggregate) =>
  (id: string): boolean => {
    const status = steps.get(id)?.status ?? "NOT_CREATED";
    return id === target || status === "NOT_CREATED" || (isTerminal(status) && !isComplete(status));
  };
