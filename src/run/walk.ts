/** How far a run has come through its plan: which steps still wait for how many others. Each edge is looked at once. */
import type { StepNode } from "../step/node.ts";
import type { RunPlan } from "./plan.ts";

export class Walk {
  readonly #plan: Pick<RunPlan, "nodes" | "held">;
  /** Predecessors of this run that have not completed, by step that has some. */
  readonly #missing = new Map<string, number>();

  /** @param completed of a run that is under way: the steps that have completed */
  constructor(plan: Pick<RunPlan, "nodes" | "held">, completed: (id: string) => boolean = () => false) {
    this.#plan = plan;
    for (const { id, predecessors } of plan.nodes.values()) {
      let missing = 0;
      for (const before of predecessors) if (plan.nodes.has(before) && !completed(before)) missing++;
      if (missing > 0) this.#missing.set(id, missing);
    }
  }

  /** Steps that wait for none, and are not held. */
  *open(): Iterable<string> {
    const { nodes, held } = this.#plan;
    for (const id of nodes.keys()) if ((this.#missing.get(id) ?? 0) === 0 && !held.has(id)) yield id;
  }

  /** A step has completed. @returns the steps that waited for it alone */
  complete(node: StepNode): readonly string[] {
    const released: string[] = [];
    for (const [id] of node.successors) {
      const missing = (this.#missing.get(id) ?? 1) - 1;
      this.#missing.set(id, missing);
      if (missing === 0) released.push(id);
    }
    return released;
  }
}
