/** Rules of params and tags as they are written in definitions and requests. */
import { INTERNAL_PARAM_MODES, PARAM_SOURCES, type ParamDefinition, type ParamDefinitions } from "../../param/type.ts";
import { at, type Report, shown } from "../finding.ts";
import { checkMaestroName, checkReferenceId } from "../id.ts";
import type { DefinitionLimits } from "../limit.ts";
import { notOneOf } from "../suggest.ts";
import type { Tag } from "../tag.ts";

/**
 * Names are reference ids, each param has exactly one of `value` and `expression`, MAPs are not too deep.
 * @param isSchema params that are there to be filled in: with an `internal_mode`, one may have neither
 */
export function checkParams(
  params: ParamDefinitions | undefined,
  path: string,
  limits: DefinitionLimits,
  report: Report,
  isSchema = false,
): void {
  for (const [name, param] of Object.entries(params ?? {})) {
    const problem = checkReferenceId(name, limits);
    if (problem) report(at(path, name), problem);
    checkParam(param, at(path, name), limits, report, isSchema);
  }
}

/** One param, whatever its name. */
export function checkParam(
  param: ParamDefinition,
  path: string,
  limits: DefinitionLimits,
  report: Report,
  isSchema = false,
  depth = 1,
): void {
  const { value, expression } = param;
  if (value !== undefined && expression !== undefined) {
    report(path, 'has both "value" and "expression"; keep one of them');
  } else if (value === undefined && expression === undefined && !(isSchema && param.internal_mode !== undefined)) {
    report(path, 'has neither "value" nor "expression"; give one of them');
  } else if (expression?.trim() === "") {
    report(at(path, "expression"), "must not be blank");
  }
  checkMeta(param, path, report);
  checkTags(param.tags as readonly Tag[] | undefined, at(path, "tags"), limits, report);
  if (param.type !== "MAP" || value === undefined) return;
  if (depth > limits.mapDepth) {
    report(path, `MAP params are nested more than ${limits.mapDepth} levels deep; nest less`);
    return;
  }
  for (const [name, nested] of Object.entries(value as ParamDefinitions)) {
    const nestedPath = at(at(path, "value"), name);
    if (name === "") report(nestedPath, "the name of a param must not be empty");
    checkParam(nested, nestedPath, limits, report, isSchema, depth + 1);
  }
}

/** The wire schema lets other texts pass, since these are meta keys: they have a meaning only once params are merged. */
function checkMeta({ source, internal_mode }: ParamDefinition, path: string, report: Report): void {
  if (source !== undefined && !PARAM_SOURCES.includes(source)) {
    report(at(path, "source"), notOneOf(source, PARAM_SOURCES));
  }
  if (internal_mode !== undefined && !INTERNAL_PARAM_MODES.includes(internal_mode)) {
    report(at(path, "internal_mode"), notOneOf(internal_mode, INTERNAL_PARAM_MODES));
  }
}

/** Names follow the rule and appear once. */
export function checkTags(
  tags: readonly Tag[] | undefined,
  path: string,
  limits: DefinitionLimits,
  report: Report,
): void {
  if (tags === undefined) return;
  const seen = new Set<string>();
  tags.forEach(({ name }, index) => {
    const problem = checkMaestroName(name, limits);
    if (problem) report(at(at(path, index), "name"), problem);
    if (seen.has(name)) report(at(path, index), `the tag ${shown(name)} is there already; give each name once`);
    seen.add(name);
  });
}
