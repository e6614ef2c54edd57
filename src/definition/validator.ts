/** Validators of a definition that could not be run. */
import type { ParamDefinitions } from "../param/type.ts";
import { problemsIn } from "../param/validator.ts";
import { at, type Problem } from "./finding.ts";
import { nestedSteps, type Step, stepOf } from "./step.ts";
import type { Workflow } from "./workflow.ts";

/** Of the workflow's params, and of its steps', those of loop bodies included. */
export const validatorProblems = (workflow: Workflow, path = "workflow"): readonly Problem[] => [
  ...inParams(workflow.params, at(path, "params")),
  ...inSteps(workflow.steps, at(path, "steps")),
];

const inSteps = (steps: readonly Step[], path: string): readonly Problem[] =>
  steps.flatMap((step, index) => {
    const { kind, body } = stepOf(step);
    const where = at(at(path, index), kind);
    return [...inParams(body.params, at(where, "params")), ...inSteps(nestedSteps(step), at(where, "steps"))];
  });

const inParams = (params: ParamDefinitions | undefined, path: string): readonly Problem[] =>
  problemsIn(params).map(({ keys, problem }) => ({ path: keys.reduce((above, key) => at(above, key), path), problem }));
