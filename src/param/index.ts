/**
 * Params: types, merging, evaluation, and their compact stored form. Pure: clock, randomness and answers from outside
 * the run are arguments.
 *
 * A run: `mergeWorkflowParams` → `evaluateWorkflowParams` → `compactParams` → store → `expandParams` →
 * `allWorkflowParams` (wire). An attempt: `mergeStepParams` → `evaluateStepParams` → `mergeOutputParams` →
 * `compactStepParams` → store → `expandStepParams` → `allStepParams` (wire).
 */
export { type Coerced, castLiteral, coerceResult } from "./coerce.ts";
export { compactParams, compactStepParams, expandParams, expandStepParams } from "./compact.ts";
export { buildCatalog, DEFAULT_CATALOG, type DefaultCatalog, type DefaultOverrides } from "./defaults.ts";
export { toDefinition, toDefinitions } from "./definition.ts";
export type { DefaultInputs } from "./derive.ts";
export { type DryRun, dryRunContext, dryRunExtension, dryRunWorkflowParams } from "./dryrun.ts";
export { doubleToJson, toJson, toSel, untypedToSel } from "./literal.ts";
export { allowedModes, isSystemSource } from "./mode.ts";
export {
  type MergedWorkflowParams,
  mergeOutputParams,
  mergeStepParams,
  mergeWorkflowParams,
  passedDown,
  RESERVED_PARAM_NAMES,
  type RequestSource,
  requestSource,
  type StepMerge,
  type WorkflowMerge,
  type WorkflowRestart,
} from "./order.ts";
export {
  evaluateCondition,
  evaluateDefinitions,
  evaluatedParam,
  evaluateExpression,
  evaluateStepParams,
  evaluateWorkflowParams,
  interpolateText,
  PARAMS_SIZE_LIMIT,
} from "./resolve.ts";
export {
  allStepParams,
  allWorkflowParams,
  type EvaluationContext,
  type FinishedStep,
  type InstanceFacts,
  type ParamExtension,
  type StepFacts,
  type StepIdentity,
  type StepParams,
  type StepScope,
  stepParam,
  type WorkflowParams,
  workflowParam,
} from "./scope.ts";
export { SEPARATOR } from "./split.ts";
export { templateParams } from "./template.ts";
export * from "./type.ts";
