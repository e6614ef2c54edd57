/**
 * Dry run of a pushed definition: would a start get past its params? Workflow params are merged and evaluated for a
 * caller of type VALIDATION; the params of top-level steps are merged with what their type asks for, and not evaluated.
 * Pure; a long evaluation throws the evaluator's own errors when the caller sets a budget.
 */
import type { WorkflowCreateRequest } from "../definition/metadata.ts";
import { zoneOf } from "../definition/schedule.ts";
import { type Step, stepOf } from "../definition/step.ts";
import { nameOf } from "../definition/user.ts";
import type { Workflow } from "../definition/workflow.ts";
import { badRequest, MaestroError } from "../error.ts";
import {
  DEFAULT_CATALOG,
  type DefaultCatalog,
  type DryRun,
  dryRunContext,
  dryRunWorkflowParams,
  type EvaluationContext,
  interpolateText,
  mergeStepParams,
} from "../param/index.ts";
import { timeoutOf } from "./timeout.ts";

export interface DryRunSetting extends Pick<EvaluationContext, "now" | "seed" | "limits" | "budget" | "clock"> {
  /** What `params.getExecutionEnvironment()` answers. */
  readonly environment: string;
  readonly catalog?: DefaultCatalog | undefined;
}

/** @throws MaestroError BAD_REQUEST with one detail per finding */
export function dryRunDefinition(request: WorkflowCreateRequest, user: string, setting: DryRunSetting): void {
  const { workflow } = request;
  const findings = [
    ...finding("workflow.params", () => dryRunWorkflow(workflow, ownerOf(request, user), setting)),
    ...workflow.steps.flatMap((step, index) => {
      const { kind, body } = stepOf(step);
      return finding(`workflow.steps[${index}].${kind}.params (step ${body.id})`, () => dryRunStep(step, setting));
    }),
  ];
  if (findings.length === 0) return;
  throw badRequest(`Exception during dry run validation for workflow ${workflow.id}: ${findings[0]}`, findings);
}

const ownerOf = ({ properties }: WorkflowCreateRequest, user: string): string =>
  properties?.owner === undefined ? user : nameOf(properties.owner);

function dryRunWorkflow(workflow: Workflow, owner: string, setting: DryRunSetting): void {
  const triggers = workflow.signal_triggers ?? [];
  const [firstTimeTrigger] = workflow.time_triggers ?? [];
  const run: DryRun = {
    definition: workflow.params,
    signals: new Set(triggers.flatMap((trigger) => Object.keys(trigger.definitions))),
    triggerParams: new Set(triggers.flatMap((trigger) => Object.keys(trigger.params ?? {}))),
    workflowId: workflow.id,
    owner,
    timezone: firstTimeTrigger && zoneOf(firstTimeTrigger),
    environment: setting.environment,
    catalog: setting.catalog,
  };
  const params = dryRunWorkflowParams(run, setting);
  const context = dryRunContext(run, setting);
  timeoutOf(workflow.timeout, "the workflow", (text) => interpolateText(text, params, context));
}

function dryRunStep(step: Step, { catalog = DEFAULT_CATALOG }: DryRunSetting): void {
  const { kind, body } = stepOf(step);
  const stepType = "type" in body ? body.type : kind;
  mergeStepParams({ stepType, definition: body.params, source: "LAUNCH", fresh: true, catalog });
}

/** What an attempt says when it fails; a failure that is not about the definition goes through. */
function finding(path: string, attempt: () => void): string[] {
  try {
    attempt();
    return [];
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    return [`${path}: ${error.message}`, ...error.details.map((detail) => `${path}: ${detail}`)];
  }
}
