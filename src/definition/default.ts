/** Changes to the server's own params, as a configuration writes them. */
import { z } from "zod";
import { badRequest, MaestroError } from "../error.ts";
import { buildCatalog, type DefaultOverrides } from "../param/defaults.ts";
import { OWN_DEFAULTS } from "../param/derive.ts";
import { STEP_DEFAULTS } from "../param/scope.ts";
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import { problemOf } from "../param/validator.ts";
import { syntaxProblem } from "./expression.ts";
import { at, collect, pathOf, type Report } from "./finding.ts";
import { checkReferenceId } from "./id.ts";
import { DEFAULT_LIMITS } from "./limit.ts";
import { paramDefinitionSchema } from "./parameter.ts";
import { parseWire } from "./parse.ts";
import { mapOf, strict } from "./wire.ts";

type Changes = { readonly [name: string]: ParamDefinition | null };

const changesSchema = mapOf(z.nullable(paramDefinitionSchema));

/** What {@link parseDefaultParams} reads. */
export const defaultParamsSchema = strict({
  workflow: changesSchema.nullish(),
  step: changesSchema.nullish(),
  dry_run: changesSchema.nullish(),
  types: mapOf(changesSchema.nullish()).nullish(),
});

/**
 * Reads `default_params`: per scope (`workflow`, `step`, `dry_run`) and step type, a definition that replaces or adds a
 * default, or null, which takes it away.
 * @param key where it stands, for the findings
 * @throws BAD_REQUEST with one detail per finding, each beginning with its path
 */
export function parseDefaultParams(json: unknown, key: string): DefaultOverrides {
  const read = readShape(json, key);
  const types = Object.entries(read.types ?? {}).map(([type, changes]) => [type.toLowerCase(), changes ?? {}]);
  const overrides: DefaultOverrides = {
    ...(read.workflow && { workflow: read.workflow }),
    ...(read.step && { step: read.step }),
    ...(read.dry_run && { dry_run: read.dry_run }),
    ...(types.length > 0 && { types: Object.fromEntries(types) }),
  };
  const { report, lines } = collect();
  checkChanges(read.workflow, at(key, "workflow"), OWN_DEFAULTS, report);
  checkChanges(read.step, at(key, "step"), STEP_DEFAULTS, report);
  checkChanges(read.dry_run, at(key, "dry_run"), STEP_DEFAULTS, report);
  for (const [type, changes] of Object.entries(read.types ?? {})) {
    checkChanges(changes, at(at(key, "types"), type), STEP_DEFAULTS, report);
  }
  if (lines.length === 0) checkMerge(overrides, key, report);
  if (lines.length > 0) throw badRequest(`${key} can't be used`, lines);
  return overrides;
}

function readShape(json: unknown, key: string): z.infer<typeof defaultParamsSchema> {
  try {
    return parseWire(defaultParamsSchema, json, key);
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    throw badRequest(
      error.message,
      error.details.map((line) =>
        /^(?:workflow|step|dry_run|types)\b/.test(line) ? `${key}.${line}` : `${key}: ${line}`,
      ),
    );
  }
}

/** @param fixed names that follow from the run or the attempt itself */
function checkChanges(
  changes: Changes | null | undefined,
  path: string,
  fixed: { has(name: string): boolean },
  report: Report,
): void {
  for (const [name, change] of Object.entries(changes ?? {})) {
    const where = at(path, name);
    const problem = checkReferenceId(name, DEFAULT_LIMITS);
    if (problem) report(where, problem);
    if (fixed.has(name)) report(where, "follows from the run itself and can't be changed");
    else if (change !== null) checkDefault(change, where, report);
  }
}

function checkDefault(param: ParamDefinition, path: string, report: Report): void {
  const { value, expression, validator, internal_mode } = param;
  if (value !== undefined && expression !== undefined) {
    report(path, 'has both "value" and "expression"; keep one of them');
  } else if (value === undefined && expression === undefined && !/^(?:REQUIRED|OPTIONAL)$/.test(internal_mode ?? "")) {
    report(
      path,
      'has neither "value" nor "expression"; give one of them, or "internal_mode": REQUIRED if definitions must give it, ' +
        "OPTIONAL if they may",
    );
  }
  const wrong = expression === undefined ? undefined : syntaxProblem(expression);
  if (wrong) report(at(path, "expression"), wrong);
  const unclear = validator === undefined ? undefined : problemOf(validator, param.type);
  if (unclear) report(at(path, "validator"), unclear);
  if (param.type !== "MAP" || value === undefined) return;
  for (const [name, nested] of Object.entries(value as ParamDefinitions)) {
    checkDefault(nested, at(at(path, "value"), name), report);
  }
}

/** What single definitions do not show: a literal that is not of the type that is merged over. */
function checkMerge(overrides: DefaultOverrides, key: string, report: Report): void {
  try {
    buildCatalog(overrides);
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    report(pathOf([key]), error.message);
  }
}
