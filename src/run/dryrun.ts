/**
 * Dry run of a pushed definition: would a start get past its params? Workflow params are merged and evaluated for a
 * caller of type VALIDATION; the params of top-level steps are merged with what their type asks for, and not evaluated.
 * Pure; a long evaluation throws the evaluator's own errors when the caller sets a budget.
 */
import type { WorkflowCreateRequest } from "../definition/metadata.ts";
import { zoneOf } from "../definition/schedule.ts";
import { type Step, stepOf } from "../definition/step.ts";
import type { JobTemplateDefinition } from "../definition/template.ts";
import { nameOf } from "../definition/user.ts";
import { validatorProblems } from "../definition/validator.ts";
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
  type Parameter,
  type Params,
} from "../param/index.ts";
import { literalFindings } from "../param/validator.ts";
import { stepNode } from "../step/node.ts";
import { lineageOf, literalTemplateRef, templateFor, templateLayer } from "./template.ts";
import { timeoutOf } from "./timeout.ts";

type Surroundings = "now" | "seed" | "limits" | "budget" | "clock" | "maxChars" | "enforceValidators";

export interface DryRunSetting extends Pick<EvaluationContext, Surroundings> {
  /** What `params.getExecutionEnvironment()` answers. */
  readonly environment: string;
  readonly catalog?: DefaultCatalog | undefined;
  /**
   * Job templates of the steps, with what they inherit, in any order. Undefined: nobody knows them, so that params of steps
   * that name one are not looked at.
   */
  readonly templates?: readonly JobTemplateDefinition[] | undefined;
}

/** @throws MaestroError BAD_REQUEST with one detail per finding */
export function dryRunDefinition(request: WorkflowCreateRequest, user: string, setting: DryRunSetting): void {
  const { workflow } = request;
  const findings = [
    ...finding("workflow.params", () => dryRunWorkflow(workflow, ownerOf(request, user), setting)),
    ...workflow.steps.flatMap((step, index) => dryRunStep(step, `workflow.steps[${index}]`, workflow, setting)),
    ...(setting.enforceValidators ? validatorProblems(workflow).map(({ path, problem }) => `${path}: ${problem}`) : []),
  ];
  if (findings.length === 0) return;
  throw badRequest(`Exception during dry run validation for workflow ${workflow.id}: ${findings[0]}`, findings);
}

const ownerOf = ({ properties }: WorkflowCreateRequest, user: string): string =>
  properties?.owner === undefined ? user : nameOf(properties.owner);

function dryRunWorkflow(workflow: Workflow, owner: string, setting: DryRunSetting): readonly string[] {
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
  return setting.enforceValidators ? literalFindings(asWritten(params.params, workflow, setting)) : [];
}

/** Params without the values that a dry run puts in place of the definition's. */
function asWritten(params: Params, { params: written = {} }: Workflow, { catalog = DEFAULT_CATALOG }: DryRunSetting) {
  const replaced = Object.keys(written).filter((name) => catalog.dryRun.has(name));
  return { ...params, ...Object.fromEntries(replaced.map((name) => [name, written[name] as Parameter])) };
}

function dryRunStep(step: Step, path: string, workflow: Workflow, setting: DryRunSetting): readonly string[] {
  const { kind, body } = stepOf(step);
  const { catalog = DEFAULT_CATALOG } = setting;
  return finding(`${path}.${kind}.params (step ${body.id})`, () => {
    const found = templateFound(step, workflow, setting);
    if (found === "unknown") return [];
    const stepType = "type" in body ? body.type : (found?.stepType ?? kind);
    const template = found && templateLayer(found, { params: {} });
    const layers = { stepType, template, definition: body.params } as const;
    const params = mergeStepParams({ ...layers, source: "LAUNCH", fresh: true, catalog });
    return setting.enforceValidators ? literalFindings(params) : [];
  });
}

/** Which template it is may take an evaluation to tell. @throws BAD_REQUEST for one that the step can't use */
function templateFound(step: Step, { params }: Workflow, { templates }: DryRunSetting) {
  const node = stepNode(step, [], {});
  if (node.template === undefined) return undefined;
  const ref = literalTemplateRef(node.template, params);
  return ref === undefined || templates === undefined ? "unknown" : templateFor(node, ref, lineageOf(ref, templates));
}

/** What an attempt finds or, when it fails, says; a failure that is not about the definition goes through. */
function finding(path: string, attempt: () => readonly string[]): readonly string[] {
  try {
    return attempt().map((line) => `${path}: ${line}`);
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    return [`${path}: ${error.message}`, ...error.details.map((detail) => `${path}: ${detail}`)];
  }
}
