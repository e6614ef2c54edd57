/** All rules of a definition beyond its wire shape, and the reading of a push request. */
import { badRequest } from "../error.ts";
import { stringifyJson } from "../json.ts";
import { at, collect, type Report } from "./finding.ts";
import { checkDescription, checkDisplayName, checkWorkflowId } from "./id.ts";
import { DEFAULT_LIMITS, type DefinitionLimits } from "./limit.ts";
import { type WorkflowCreateRequest, workflowCreateRequestSchema } from "./metadata.ts";
import { parseWire } from "./parse.ts";
import type { Properties, PropertiesUpdateRequest } from "./properties.ts";
import { propertiesUpdateRequestSchema } from "./properties.ts";
import { checkParams, checkTags } from "./rule/param.ts";
import { checkSecrets } from "./rule/secret.ts";
import { checkSteps, checkTimeout, scopeOf } from "./rule/step.ts";
import { checkSignalTrigger, checkTimeTrigger } from "./rule/trigger.ts";
import { nestedSteps, type Step } from "./step.ts";
import type { Workflow } from "./workflow.ts";

const INVALID_CREATE = "Invalid workflow create request";
const INVALID_UPDATE = "Invalid workflow properties update request";

/**
 * Reads a push request: its shape, then every rule of the definition. Expressions are not looked into: that is the dry
 * run's part.
 * @throws BAD_REQUEST with one detail per finding
 */
export function parseWorkflowCreateRequest(
  json: unknown,
  limits: DefinitionLimits = DEFAULT_LIMITS,
): WorkflowCreateRequest {
  const request = parseWire(workflowCreateRequestSchema, json, INVALID_CREATE);
  const { report, lines } = collect();
  checkSize(request, limits, report);
  if (request.properties) checkProperties(request.properties, "properties", limits, report);
  const findings = [...lines, ...validateDefinition(request.workflow, limits, "workflow")];
  if (findings.length > 0) throw badRequest(INVALID_CREATE, findings);
  return request;
}

/**
 * Reads a properties update.
 * @throws BAD_REQUEST with one detail per finding
 */
export function parsePropertiesUpdateRequest(
  json: unknown,
  limits: DefinitionLimits = DEFAULT_LIMITS,
): PropertiesUpdateRequest {
  const request = parseWire(propertiesUpdateRequestSchema, json, INVALID_UPDATE);
  const { report, lines } = collect();
  checkProperties(request, "", limits, report);
  if (lines.length > 0) throw badRequest(INVALID_UPDATE, lines);
  return request;
}

/** Findings of every rule; none when the definition is good. */
export function validateDefinition(
  workflow: Workflow,
  limits: DefinitionLimits = DEFAULT_LIMITS,
  path = "workflow",
): readonly string[] {
  const { report, lines } = collect();
  const check = (key: string, problem: string | undefined) => {
    if (problem) report(at(path, key), problem);
  };
  check("id", checkWorkflowId(workflow.id, limits));
  if (workflow.name !== undefined) check("name", checkDisplayName(workflow.name, limits));
  if (workflow.description !== undefined) check("description", checkDescription(workflow.description, limits));
  checkTags(workflow.tags, at(path, "tags"), limits, report);
  checkTimeout(workflow.timeout, at(path, "timeout"), report);
  workflow.time_triggers?.forEach((trigger, index) => {
    checkTimeTrigger(trigger, at(at(path, "time_triggers"), index), limits, report);
  });
  workflow.signal_triggers?.forEach((trigger, index) => {
    checkSignalTrigger(trigger, at(at(path, "signal_triggers"), index), limits, report);
  });
  checkParams(workflow.params, at(path, "params"), limits, report);
  checkSecrets(workflow.params, at(path, "params"), false, report);
  const count = countSteps(workflow.steps);
  check("steps", workflow.steps.length === 0 ? "a workflow needs at least one step" : undefined);
  if (count > limits.steps)
    check("steps", `has ${count} steps, nested ones included; at most ${limits.steps} are allowed`);
  else checkSteps(workflow.steps, at(path, "steps"), scopeOf(limits, report));
  return lines;
}

const countSteps = (steps: readonly Step[]): number =>
  steps.reduce((count, step) => count + 1 + countSteps(nestedSteps(step)), 0);

function checkSize(request: WorkflowCreateRequest, limits: DefinitionLimits, report: Report): void {
  const bytes = Buffer.byteLength(stringifyJson(request));
  if (bytes > limits.requestBytes)
    report("", `the request has ${bytes} bytes; at most ${limits.requestBytes} are allowed`);
}

function checkProperties(properties: Properties, path: string, limits: DefinitionLimits, report: Report): void {
  const { description, tags = [] } = properties;
  const problem = description === undefined ? undefined : checkDescription(description, limits);
  if (problem) report(at(path, "description"), problem);
  if (tags.length > 0) {
    report(at(path, "tags"), "dynamic tags are not set by a push; add them one by one through properties/tag");
  }
}
