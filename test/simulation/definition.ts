/** Workflows for the simulated world, written shortly. */
import type { Step, TypedStep } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";

/** @param to successors and their conditions */
export type Written = Partial<TypedStep> & { readonly to?: Record<string, string> };

export const step = (id: string, { to = {}, ...body }: Written = {}): Step => ({
  step: { id, type: "NoOp", transition: Object.keys(to).length > 0 ? { successors: to } : {}, ...body },
});
export const workflow = (steps: readonly Step[], rest: Partial<Workflow> = {}): Workflow => ({
  id: "wf",
  steps,
  ...rest,
});
