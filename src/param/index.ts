/**
 * Params: types, merging, evaluation, and their compact stored form. Pure: clock, randomness and answers from outside
 * the run are arguments.
 *
 * A run: `mergeWorkflowParams` → `evaluateWorkflowParams` → `compactParams` → store → `expandParams` →
 * `allWorkflowParams` (wire). An attempt: `mergeStepParams` → `evaluateStepParams` → `mergeOutputParams` →
 * `compactStepParams` → store → `expandStepParams` → `allStepParams` (wire).
 */
export type { CodeFields, CodeParams } from "./code.ts";
export { compactParams, compactStepParams, expandParams, expandStepParams } from "./compact.ts";
export { buildCatalog, DEFAULT_CATALOG, type DefaultCatalog, type DefaultOverrides } from "./defaults.ts";
export type { DefaultInputs } from "./derive.ts";
export { type DryRun, dryRunContext, dryRunWorkflowParams } from "./dryrun.ts";
export {
  type MergedWorkflowParams,
  mergeStepParams,
  mergeWorkflowParams,
  passedDown,
  type RequestSource,
  requestSource,
  type StepMerge,
  type WorkflowMerge,
  type WorkflowRestart,
} from "./order.ts";
export { mergeOutputParams, OutputError } from "./output.ts";
export {
  codeParams,
  evaluateCondition,
  evaluateDefinitions,
  evaluatedParam,
  evaluateStepParams,
  evaluateWorkflowParams,
  interpolateText,
} from "./resolve.ts";
export {
  allStepParams,
  allWorkflowParams,
  type EvaluationContext,
  type FinishedStep,
  type InstanceFacts,
  type LoopLimits,
  loopLimits,
  type ParamExtension,
  type StepFacts,
  type StepIdentity,
  type StepParams,
  type StepScope,
  type WorkflowParams,
} from "./scope.ts";
export { templateParams } from "./template.ts";
export * from "./type.ts";
