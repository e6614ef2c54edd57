/** The workflow that a run executes: the definition of its version, or the body of the loop step that made the run. */
import { computeDag } from "../definition/graph.ts";
import { isUpstream } from "../definition/initiator.ts";
import { allSteps, nestedSteps, stepIdOf } from "../definition/step.ts";
import type { Tag } from "../definition/tag.ts";
import type { StepTransition } from "../definition/transition.ts";
import type { Workflow } from "../definition/workflow.ts";
import { notFound } from "../error.ts";
import type { Run } from "./model.ts";

/** The steps of a run with their edges; the order of the keys numbers the steps in overviews. */
export type RuntimeDag = Readonly<Record<string, StepTransition>>;

/**
 * @param definition of the run's version; for an iteration of a loop, the one that holds the loop
 * @throws NOT_FOUND when the definition has no such loop
 */
export function runtimeWorkflow(run: Run, definition: Workflow): Workflow {
  const { initiator, config } = run;
  if (!isUpstream(initiator) || initiator.type === "SUBWORKFLOW") return withTags(definition, config.runtime_tags);
  const parent = initiator.ancestors.at(-1);
  const loop = [...allSteps(definition.steps)].find((step) => stepIdOf(step) === parent?.step_id);
  if (parent === undefined || loop === undefined) {
    throw notFound(`Cannot find the loop of inline workflow [${run.workflowId}] in its definition.`);
  }
  const { workflow_id, instance_id, run_id, step_id, step_attempt_id } = parent;
  const identity = `[${workflow_id}][${instance_id}][${run_id}][${step_id}][${step_attempt_id}]`;
  const kind = initiator.type.toLowerCase();
  const body: Workflow = {
    id: run.workflowId,
    name: identity,
    description: `Maestro ${kind} inline workflow including steps within ${kind} created by ${identity}`,
    params: {},
    steps: nestedSteps(loop),
  };
  return withTags(body, config.runtime_tags);
}

/** Runtime tags join those of the definition. */
function withTags(workflow: Workflow, tags: readonly Tag[] | undefined): Workflow {
  if (tags === undefined || tags.length === 0) return workflow;
  const { steps, ...rest } = workflow;
  return { ...rest, tags: [...(workflow.tags ?? []), ...tags], steps };
}

/** The graph of a run that executes every step. */
export function runtimeDag(workflow: Workflow): RuntimeDag {
  const nodes = [...computeDag(workflow.steps)].map(([id, { predecessors, successors }]): [string, StepTransition] => [
    id,
    {
      ...(predecessors.length > 0 && { predecessors }),
      ...(Object.keys(successors).length > 0 && { successors }),
    },
  ]);
  return Object.fromEntries(nodes);
}
