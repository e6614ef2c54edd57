/** The main names of the definition model; everything else is imported from the file of its concept. */
export { computeDag, type Dag, type DagNode, findCycle, reachable, roots, topologicalOrder } from "./graph.ts";
export type { Initiator } from "./initiator.ts";
export { DEFAULT_LIMITS, type DefinitionLimits } from "./limit.ts";
export { type Metadata, metadataOf, type WorkflowCreateRequest, type WorkflowDefinition } from "./metadata.ts";
export {
  applyUpdate,
  effectiveRunStrategy,
  mergeForPush,
  type Properties,
  type PropertiesSnapshot,
  type PropertiesUpdateRequest,
} from "./properties.ts";
export { allSteps, fieldsOf, type Step, type StepView, stepIdOf, stepOf, type TypedStep } from "./step.ts";
export type { RunStrategy } from "./strategy.ts";
export { parsePropertiesUpdateRequest, parseWorkflowCreateRequest, validateDefinition } from "./validate.ts";
export type { Workflow } from "./workflow.ts";
