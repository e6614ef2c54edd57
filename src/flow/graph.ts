/** A definition as the engine walks it: made once per version and shared by all its runs. */
import { computeDag } from "../definition/graph.ts";
import { type StepFields, type StepKind, stepOf, type TypedStep } from "../definition/step.ts";
import type { Workflow } from "../definition/workflow.ts";

export interface GraphNode {
  readonly id: string;
  readonly kind: StepKind;
  readonly body: StepFields;
  /** The body of a leaf step. */
  readonly typed: TypedStep | undefined;
  readonly predecessors: readonly string[];
  /** Successor and the condition of the edge, in the order written. */
  readonly successors: readonly (readonly [string, string])[];
}

export interface Graph {
  readonly workflow: Workflow;
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly roots: readonly string[];
}

export function graphOf(workflow: Workflow): Graph {
  const dag = computeDag(workflow.steps);
  const nodes = new Map<string, GraphNode>();
  for (const wrapper of workflow.steps) {
    const { kind, body } = stepOf(wrapper);
    const edges = dag.get(body.id);
    nodes.set(body.id, {
      id: body.id,
      kind,
      body,
      typed: kind === "step" ? body : undefined,
      predecessors: edges?.predecessors ?? [],
      successors: Object.entries(edges?.successors ?? {}),
    });
  }
  const roots = [...nodes.values()].filter((node) => node.predecessors.length === 0).map((node) => node.id);
  return { workflow, nodes, roots };
}
