/**
 * Merging of params by name: what a later layer does to an earlier one.
 *
 * - A literal MAP merges into a literal MAP entry by entry, a literal STRING_MAP key by key; everything else replaces.
 * - The base's type wins; a literal of another type is cast, an expression is converted after evaluation.
 * - Meta keys do not survive; `source` is always written, `internal_mode` lives until {@link cleanUp}.
 * - Checks are made only for changes by users to params that exist and really differ.
 * - A kept `evaluated_result` means "not to be evaluated again"; any change drops it.
 */
import { badRequest } from "../error.ts";
import { castLiteral } from "./coerce.ts";
import { sameLiteral, sameParam } from "./equal.ts";
import { allowedModes, impliedMode, isLooser, isSystemSource, stricter } from "./mode.ts";
import type {
  ParamDefinition,
  ParamDefinitions,
  Parameter,
  ParamLiteral,
  ParamMode,
  ParamSource,
  Params,
} from "./type.ts";

/** Who merges, and when. */
export interface MergeContext {
  readonly source: ParamSource;
  /** The params are passed down by a parent step: stricter modes are kept silently. */
  readonly upstream?: boolean | undefined;
  /** The merge is part of a restart: only params mutable on restart may change. */
  readonly restart?: boolean | undefined;
}

/** Mutable accumulator of a merge. A missing base is looked up through `base`, so that defaults can stay unmerged. */
export type MergeTarget = Map<string, Parameter>;

/**
 * Merges definitions over a target, in their order.
 * @param base params that the target does not hold yet but that exist below it.
 * @throws MaestroError BAD_REQUEST with the name of the param and the rule that it breaks.
 */
export function mergeInto(
  target: MergeTarget,
  changes: ParamDefinitions | undefined,
  context: MergeContext,
  base?: (name: string) => Parameter | undefined,
): void {
  for (const name in changes) {
    const change = changes[name];
    if (change) target.set(name, mergeParam(name, target.get(name) ?? base?.(name), change, context));
  }
}

/** One param merged over its base. `parentMode` is the mode of the enclosing map. */
export function mergeParam(
  name: string,
  base: Parameter | undefined,
  change: ParamDefinition,
  context: MergeContext,
  parentMode?: ParamMode,
): Parameter {
  const system = isSystemSource(context.source);
  const trusted = system || (context.upstream === true && isUpstreamSystem(change));
  if (!trusted && change.internal_mode !== undefined && base === undefined) refuseInternalMode(name);
  const mode = mergedMode(base, change, context, parentMode);
  const merged: Parameter = {
    ...mergedContent(name, base, change, context, mode),
    type: base?.type ?? change.type,
    ...optional("validator", change.validator ?? base?.validator),
    tags: mergedTags(base, change),
    mode,
    source: context.source,
    ...optional("internal_mode", trusted ? (change.internal_mode ?? base?.internal_mode) : base?.internal_mode),
  };
  if (base === undefined) {
    if (!trusted && context.restart) checkAllowed(name, mode, context);
    return system && change.source ? withResult({ ...merged, source: change.source }, change) : merged;
  }
  if (!sameParam(base, merged)) {
    if (!trusted) checkChange(name, base, change, mode, context);
    return merged;
  }
  const source = system || context.upstream ? (base.source ?? context.source) : context.source;
  return withResult({ ...merged, source }, base);
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
}

/** Values that a parent's server put there may override whatever the child's definition says. */
function isUpstreamSystem(change: ParamDefinition): boolean {
  return change.source !== undefined && change.source !== "DEFINITION";
}

function withResult(merged: Parameter, from: Parameter): Parameter {
  if (from.evaluated_time === undefined) return merged;
  const { evaluated_result, evaluated_time, info, warn } = from;
  return { ...merged, evaluated_result, evaluated_time, ...optional("info", info), ...optional("warn", warn) };
}

function mergedMode(
  base: Parameter | undefined,
  change: ParamDefinition,
  context: MergeContext,
  parentMode: ParamMode | undefined,
): ParamMode {
  const own = change.mode ?? base?.mode ?? "MUTABLE";
  const kept = context.upstream ? stricter(own, base?.mode) : own;
  const implied = stricter(kept, impliedMode(change.internal_mode ?? base?.internal_mode));
  return stricter(implied, parentMode);
}

function mergedTags(base: Parameter | undefined, change: ParamDefinition): NonNullable<ParamDefinition["tags"]> {
  const before = base?.tags ?? [];
  const added = change.tags?.filter((tag) => !before.some((known) => known.name === tag.name)) ?? [];
  return added.length === 0 ? before : [...before, ...added];
}

type Content = { readonly value?: ParamLiteral; readonly expression?: string };

function mergedContent(
  name: string,
  base: Parameter | undefined,
  change: ParamDefinition,
  context: MergeContext,
  mode: ParamMode,
): Content {
  const type = base?.type ?? change.type;
  if (type !== change.type && (isMap(type) || isMap(change.type))) {
    throw badRequest(`Parameter type mismatch for [${name}]: cannot merge [${change.type}] into [${type}]`);
  }
  if (change.expression !== undefined) return { expression: change.expression };
  if (change.value === undefined) return contentOf(base);
  if (!isMap(type)) return { value: castLiteral(name, change.type, type, change.value) };
  if (base?.expression !== undefined) {
    throw badRequest(`Cannot merge a literal map into [${name}]: its value is the expression [${base.expression}]`);
  }
  if (type === "STRING_MAP") {
    return { value: { ...(base?.value as Record<string, string> | undefined), ...(change.value as object) } };
  }
  const entries = new Map(Object.entries((base?.value ?? {}) as Params));
  const changes = change.value as ParamDefinitions;
  for (const key of Object.keys(changes)) {
    const entry = changes[key];
    if (entry) entries.set(key, mergeParam(`${name}.${key}`, entries.get(key), entry, context, mode));
  }
  return { value: Object.fromEntries(entries) };
}

function contentOf(base: Parameter | undefined): Content {
  return { ...optional("value", base?.value), ...optional("expression", base?.expression) };
}

function isMap(type: ParamDefinition["type"]): boolean {
  return type === "MAP" || type === "STRING_MAP";
}

function checkChange(
  name: string,
  base: Parameter,
  change: ParamDefinition,
  mode: ParamMode,
  context: MergeContext,
): void {
  if (!context.upstream && change.source !== undefined) {
    throw badRequest(`Cannot modify source for parameter [${name}]: only the system sets it`);
  }
  checkAllowed(name, mode, context);
  if (base.mode !== undefined && isLooser(mode, base.mode)) {
    throw badRequest(
      `Cannot modify param mode to be less strict for parameter [${name}] from [${base.mode}] to [${mode}]`,
    );
  }
  if (change.internal_mode !== undefined) refuseInternalMode(name);
  if (base.internal_mode === "RESERVED") {
    throw badRequest(`Cannot modify param with internal mode [RESERVED] for parameter [${name}]`);
  }
}

function checkAllowed(name: string, mode: ParamMode, context: MergeContext): void {
  const allowed = allowedModes(context.source, context.restart === true);
  if (allowed.has(mode)) return;
  const modes = [...allowed].join(", ");
  throw badRequest(
    `Cannot modify param with mode [${mode}] for parameter [${name}]: a change by ${context.source} needs one of [${modes}]`,
  );
}

function refuseInternalMode(name: string): never {
  throw badRequest(`Cannot modify system mode for parameter [${name}]: internal_mode is for the system's own params`);
}

/**
 * The end of merging: OPTIONAL params without content are dropped, `internal_mode` is removed.
 * @throws MaestroError BAD_REQUEST for any other param that has neither value nor expression.
 */
export function cleanUp(target: MergeTarget): Params {
  const params = new Map<string, Parameter>();
  for (const [name, param] of target) {
    const cleaned = cleanParam(name, param);
    if (cleaned) params.set(name, cleaned);
  }
  return Object.fromEntries(params);
}

function cleanParam(name: string, param: Parameter): Parameter | undefined {
  const value = param.type === "MAP" && param.value !== undefined ? cleanMap(name, param) : param.value;
  if (value === undefined && param.expression === undefined) {
    if (param.internal_mode === "OPTIONAL") return undefined;
    throw badRequest(`[${name}] is a required parameter (type=[${param.type}])`);
  }
  if (param.internal_mode === undefined)
    return value === param.value ? param : { ...param, ...optional("value", value) };
  if (param.internal_mode === "OPTIONAL" && isMap(param.type) && sameLiteral(value, {})) return undefined;
  const { internal_mode: _, ...rest } = param;
  return { ...rest, ...optional("value", value) };
}

function cleanMap(name: string, param: Parameter): ParamLiteral {
  const before = param.value as Params;
  const after = new Map<string, Parameter>();
  let same = true;
  for (const [key, entry] of Object.entries(before)) {
    const cleaned = cleanParam(`${name}.${key}`, entry);
    if (cleaned !== entry) same = false;
    if (cleaned) after.set(key, cleaned);
  }
  return same ? before : Object.fromEntries(after);
}
