/** Which params of a restarted run keep the results of the run before. */
import { references, SelError } from "../sel/index.ts";
import { DEFAULT_ROOTS, WORKFLOW_DEFAULTS } from "./derive.ts";
import { sameParam } from "./equal.ts";
import { textReferences } from "./interpolate.ts";
import type { MergeTarget } from "./merge.ts";
import { type WorkflowParams, workflowParam } from "./scope.ts";
import type { ParamDefinition, ParamDefinitions, Parameter } from "./type.ts";

/**
 * Drops the results that a restart must not keep: of IMMUTABLE params (their definition holds, so it is evaluated
 * anew), and of params that mention, directly or through others, one whose definition the restart changed.
 */
export function forgetStaleResults(target: MergeTarget, previous: WorkflowParams): void {
  const changed = new Set<string>();
  for (const [name, param] of target) {
    const before = workflowParam(previous, name);
    if (!before || !sameParam(before, param)) changed.add(name);
    if (param.mode === "IMMUTABLE") target.set(name, withoutResult(param));
  }
  if (changed.size === 0) return;
  if (DEFAULT_ROOTS.some((name) => changed.has(name))) for (const name of WORKFLOW_DEFAULTS.keys()) changed.add(name);
  const mentions = new Map([...target].map(([name, param]) => [name, mentioned(param)]));
  for (let grown = true; grown; ) {
    grown = false;
    for (const [name, names] of mentions) {
      if (changed.has(name) || !names.some((other) => changed.has(other))) continue;
      changed.add(name);
      grown = true;
      const param = target.get(name);
      if (param) target.set(name, withoutResult(param));
    }
  }
}

function withoutResult(param: Parameter): Parameter {
  const { evaluated_result: _result, evaluated_time: _time, info: _info, warn: _warn, ...definition } = param;
  return definition as Parameter;
}

/** Names of params that a definition mentions. */
export function mentioned(definition: ParamDefinition): readonly string[] {
  const { expression, type, value } = definition;
  if (expression !== undefined) return mentionedIn(expression);
  switch (type) {
    case "STRING":
      return textReferences(value as string);
    case "STRING_ARRAY":
      return (value as readonly string[]).flatMap((item) => textReferences(item ?? ""));
    case "STRING_MAP":
      return Object.entries(value as object).flatMap((entry) => entry.flatMap((text) => textReferences(String(text))));
    case "MAP":
      return Object.values((value ?? {}) as ParamDefinitions).flatMap(mentioned);
    default:
      return [];
  }
}

function mentionedIn(expression: string): readonly string[] {
  try {
    return references(expression);
  } catch (error) {
    if (error instanceof SelError) return [];
    throw error;
  }
}
