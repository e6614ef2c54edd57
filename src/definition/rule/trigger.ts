/** Rules of time triggers, signal triggers, and signals of steps. */
import type { ParamDefinitions } from "../../param/type.ts";
import { parseDuration } from "../duration.ts";
import { at, type Report, shown } from "../finding.ts";
import { checkMaestroName } from "../id.ts";
import type { DefinitionLimits } from "../limit.ts";
import { RANGE } from "../range.ts";
import { readSchedule, type Schedule } from "../schedule.ts";
import type { SignalDependencyDefinition, SignalOutputDefinition, SignalTrigger } from "../signal.ts";
import type { StepFields } from "../step.ts";
import type { TimeTrigger } from "../trigger.ts";
import { checkParam, checkParams } from "./param.ts";

export function checkTimeTrigger(trigger: TimeTrigger, path: string, limits: DefinitionLimits, report: Report): void {
  const read = readSchedule(trigger);
  if ("problem" in read) report(at(path, read.field), read.problem);
  else checkGaps(read.schedule, path, limits, report);
  if (trigger.fuzzy_max_delay === undefined) return;
  const fuzzy = parseDuration(trigger.fuzzy_max_delay, "milliseconds", RANGE.fuzzyDelay);
  if ("problem" in fuzzy) report(at(path, "fuzzy_max_delay"), fuzzy.problem);
}

/** Firings that are looked at, from the epoch on, so that the answer does not depend on the clock. */
const LOOKED_AT = 10;

function checkGaps(schedule: Schedule, path: string, limits: DefinitionLimits, report: Report): void {
  let last = schedule.next(0);
  if (last === undefined) {
    report(path, "never fires; name a date that exists");
    return;
  }
  for (let count = 1; count < LOOKED_AT; count++) {
    const next = schedule.next(last);
    if (next === undefined) return;
    if (next - last < limits.triggerIntervalMs) {
      const least = limits.triggerIntervalMs / 1000;
      report(
        path,
        `fires twice within ${(next - last) / 1000} seconds; firings must be at least ${least} seconds apart`,
      );
      return;
    }
    last = next;
  }
}

export function checkSignalTrigger(
  trigger: SignalTrigger,
  path: string,
  limits: DefinitionLimits,
  report: Report,
): void {
  const entries = Object.entries(trigger.definitions);
  const definitions = at(path, "definitions");
  if (entries.length < 1 || entries.length > limits.signalsPerTrigger) {
    report(definitions, `has ${entries.length} signals; 1 to ${limits.signalsPerTrigger} are allowed`);
  }
  const joinKeys = entries[0]?.[1].join_keys?.length ?? 0;
  for (const [name, { match_params = {}, join_keys = [] }] of entries) {
    const entry = at(definitions, name);
    const problem = checkMaestroName(name, limits);
    if (problem) report(entry, problem);
    if (join_keys.length !== joinKeys) {
      report(
        at(entry, "join_keys"),
        `has ${join_keys.length} keys, but ${shown(entries[0]?.[0])} has ${joinKeys}; give each signal as many`,
      );
    }
    for (const key of join_keys) {
      if (Object.hasOwn(match_params, key)) {
        report(at(entry, "join_keys"), `${shown(key)} is in match_params too; keep it in one of them`);
      }
    }
  }
  checkParams(trigger.params, at(path, "params"), limits, report);
}

/** Signals that a step waits for and announces. */
export function checkStepSignals(body: StepFields, path: string, limits: DefinitionLimits, report: Report): void {
  const { signal_dependencies: dependencies, signal_outputs: outputs } = body;
  if (dependencies?.length === 0) report(at(path, "signal_dependencies"), "must not be empty; leave it out instead");
  if (outputs?.length === 0) report(at(path, "signal_outputs"), "must not be empty; leave it out instead");
  dependencies?.forEach((dependency, index) => {
    checkDependency(dependency, at(at(path, "signal_dependencies"), index), limits, report);
  });
  outputs?.forEach((output, index) => {
    checkOutput(output, at(at(path, "signal_outputs"), index), limits, report);
  });
}

function checkDependency(
  { name, match_params = {} }: SignalDependencyDefinition,
  path: string,
  limits: DefinitionLimits,
  report: Report,
): void {
  const problem = checkMaestroName(name, limits);
  if (problem) report(at(path, "name"), problem);
  const matches = at(path, "match_params");
  let ranges = 0;
  for (const [key, { param, operator }] of Object.entries(match_params)) {
    const paramPath = at(at(matches, key), "param");
    checkParam(param, paramPath, limits, report);
    checkSignalType(param.type, paramPath, report);
    if (operator !== "=") ranges += 1;
  }
  if (ranges > 1) report(matches, `has ${ranges} params with a range operator; at most one may have another than "="`);
}

function checkOutput(output: SignalOutputDefinition, path: string, limits: DefinitionLimits, report: Report): void {
  const problem = checkMaestroName(output.name, limits);
  if (problem) report(at(path, "name"), problem);
  checkNamed(output.params, at(path, "params"), limits, report);
  for (const [key, param] of Object.entries(output.params ?? {})) {
    checkSignalType(param.type, at(at(path, "params"), key), report);
  }
  checkNamed(output.payload, at(path, "payload"), limits, report);
}

function checkNamed(
  params: ParamDefinitions | undefined,
  path: string,
  limits: DefinitionLimits,
  report: Report,
): void {
  for (const [key, param] of Object.entries(params ?? {})) checkParam(param, at(path, key), limits, report);
}

function checkSignalType(type: string, path: string, report: Report): void {
  if (type !== "STRING" && type !== "LONG") report(at(path, "type"), `${type} cannot be matched; use STRING or LONG`);
}
