/** What a definition's params will be made of before anything is evaluated: defaults and definition, merged. */

import type { DefinitionExtras } from "../definition/metadata.ts";
import { readSchedule } from "../definition/schedule.ts";
import { type Step, stepOf } from "../definition/step.ts";
import type { Workflow } from "../definition/workflow.ts";
import { DEFAULT_CATALOG, type DefaultCatalog } from "../param/defaults.ts";
import { WORKFLOW_DEFAULTS } from "../param/derive.ts";
import { mergeInto } from "../param/merge.ts";
import { STEP_DEFAULTS } from "../param/scope.ts";
import type { ParamDefinitions, Parameter } from "../param/type.ts";

/**
 * @param now epoch ms, for the next firings of time triggers
 * @throws MaestroError when the params do not merge
 */
export function previewDefinition(
  workflow: Workflow,
  now: number,
  catalog: DefaultCatalog = DEFAULT_CATALOG,
): DefinitionExtras {
  return {
    workflow_params: workflowParams(workflow, catalog),
    step_params: Object.fromEntries(workflow.steps.map((step) => [stepOf(step).body.id, stepParams(step, catalog)])),
    ...nextTimes(workflow, now),
  };
}

function workflowParams(workflow: Workflow, catalog: DefaultCatalog): ParamDefinitions {
  const target = new Map<string, Parameter>();
  for (const [name, { param }] of WORKFLOW_DEFAULTS) if (!catalog.omit.includes(name)) target.set(name, param);
  for (const [name, param] of catalog.workflow) target.set(name, param);
  mergeInto(target, workflow.params, { source: "DEFINITION" });
  return Object.fromEntries(target);
}

function stepParams(step: Step, catalog: DefaultCatalog): ParamDefinitions {
  const { kind, body } = stepOf(step);
  const type = "type" in body ? body.type : kind;
  const target = new Map<string, Parameter>();
  for (const [name, param] of STEP_DEFAULTS) target.set(name, { ...param, internal_mode: "RESERVED" });
  for (const [name, param] of catalog.step) target.set(name, param);
  for (const [name, param] of catalog.types.get(type.toLowerCase()) ?? []) target.set(name, param);
  mergeInto(target, body.params, { source: "DEFINITION" });
  return Object.fromEntries(target);
}

function nextTimes({ time_triggers = [] }: Workflow, now: number): DefinitionExtras {
  if (time_triggers.length === 0) return {};
  const times = time_triggers.map((trigger) => {
    const reading = readSchedule(trigger);
    return "schedule" in reading ? (reading.schedule.next(now) ?? null) : null;
  });
  const known = times.filter((time) => time !== null);
  return {
    ...(known.length > 0 && { next_execution_time: Math.min(...known) }),
    next_execution_times: times,
  };
}
