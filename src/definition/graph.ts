/**
 * The graph that the transitions of one step list make. Pure functions; orders are those of the definition, so that
 * equal definitions give equal answers.
 */
import { fieldsOf, type Step } from "./step.ts";

export interface DagNode {
  readonly predecessors: readonly string[];
  /** SEL conditions by successor. */
  readonly successors: Readonly<Record<string, string>>;
}

export type Dag = ReadonlyMap<string, DagNode>;

const NONE: Readonly<Record<string, string>> = Object.freeze({});

/** Nodes in definition order; predecessors follow from successors. Successors outside the list are left out. */
export function computeDag(steps: readonly Step[]): Dag {
  const dag = new Map<string, { predecessors: string[]; successors: Readonly<Record<string, string>> }>();
  for (const step of steps) {
    const { id, transition } = fieldsOf(step);
    dag.set(id, { predecessors: [], successors: transition.successors ?? NONE });
  }
  for (const [id, node] of dag) {
    const known = Object.keys(node.successors).filter((successor) => dag.has(successor));
    if (known.length < Object.keys(node.successors).length) {
      node.successors = Object.fromEntries(known.map((successor) => [successor, node.successors[successor] ?? ""]));
    }
    for (const successor of known) dag.get(successor)?.predecessors.push(id);
  }
  return dag;
}

/** Steps without predecessors. */
export const roots = (dag: Dag): readonly string[] =>
  [...dag].filter(([, node]) => node.predecessors.length === 0).map(([id]) => id);

/** Every step after all its predecessors; steps on or behind a cycle are left out. */
export function topologicalOrder(dag: Dag): readonly string[] {
  const open = new Map<string, number>();
  for (const [id, node] of dag) open.set(id, node.predecessors.length);
  const order = [...roots(dag)];
  for (let at = 0; at < order.length; at++) {
    for (const successor of Object.keys(dag.get(order[at] ?? "")?.successors ?? NONE)) {
      const left = (open.get(successor) ?? 0) - 1;
      open.set(successor, left);
      if (left === 0) order.push(successor);
    }
  }
  return order;
}

/** One cycle as the ids along it, the first repeated at the end (`a`, `b`, `a`); undefined when there is none. */
export function findCycle(dag: Dag): readonly string[] | undefined {
  const ordered = new Set(topologicalOrder(dag));
  const left = [...dag.keys()].filter((id) => !ordered.has(id));
  const start = left[0];
  if (start === undefined) return undefined;
  // Each step left over has a predecessor left over, so walking back must come to a step seen before.
  const path: string[] = [];
  const position = new Map<string, number>();
  let id = start;
  while (!position.has(id)) {
    position.set(id, path.length);
    path.push(id);
    id = dag.get(id)?.predecessors.find((predecessor) => !ordered.has(predecessor)) ?? start;
  }
  const cycle = path.slice(position.get(id)).reverse();
  const first = cycle.reduce((least, candidate) => (left.indexOf(candidate) < left.indexOf(least) ? candidate : least));
  const turn = cycle.indexOf(first);
  return [...cycle.slice(turn), ...cycle.slice(0, turn), first];
}

/** The given steps and everything behind them. */
export function reachable(dag: Dag, from: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [...from].filter((id) => dag.has(id));
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    pending.push(...Object.keys(dag.get(id)?.successors ?? NONE));
  }
  return found;
}
