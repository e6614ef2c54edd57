/**
 * Params as they are stored: only what can't be derived. Left out are untouched defaults (a few inputs stand for
 * them), a mode MUTABLE, a source DEFINITION, empty tags, results that equal their literal, and times that equal the
 * common one. `expand…` restores every field.
 */
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import type { DefaultInputs } from "./derive.ts";
import { doubleToJson, jsonToDouble } from "./literal.ts";
import type { StepIdentity, StepParams, WorkflowParams } from "./scope.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params } from "./type.ts";

/** Stored params. `t`: common `evaluated_time`. `d`: inputs of the defaults. `p`: params. */
interface Stored {
  readonly t?: number;
  readonly d?: DefaultInputs;
  readonly p?: { readonly [name: string]: JsonObject };
}

/** Marks a param that has neither mode, tags nor source: one that the engine made. */
const BARE = "bare";

/** A run's params as stored. */
export function compactParams(run: WorkflowParams): JsonObject {
  const time = run.defaults?.time ?? commonTime(run.params);
  return clean({ t: time, d: run.defaults && clean({ ...run.defaults }), p: compactAll(run.params, time) });
}

/** The inverse of {@link compactParams}. An empty object gives no params. */
export function expandParams(stored: JsonObject): WorkflowParams {
  const { t, d, p } = stored as Stored;
  return { params: expandAll(p, t), ...(d && { defaults: d }) };
}

/** An attempt's params as stored; its identity is not: the row has it. */
export function compactStepParams(step: StepParams): JsonObject {
  const time = step.time ?? commonTime(step.params);
  return clean({ t: time, e: step.time === undefined ? undefined : true, p: compactAll(step.params, time) });
}

/** The inverse of {@link compactStepParams}. */
export function expandStepParams(stored: JsonObject, identity: StepIdentity): StepParams {
  const { t, p, e } = stored as Stored & { readonly e?: true };
  return { params: expandAll(p, t), identity, ...(e && t !== undefined && { time: t }) };
}

function commonTime(params: Params): number | undefined {
  for (const name in params) {
    const time = params[name]?.evaluated_time;
    if (time !== undefined) return time;
  }
  return undefined;
}

/** Without what is undefined. Its keys are this module's and the param's fields, no names that users give. */
function clean(object: { readonly [key: string]: unknown }): JsonObject {
  const cleaned: Record<string, unknown> = {};
  for (const key in object) if (object[key] !== undefined) cleaned[key] = object[key];
  return cleaned as JsonObject;
}

function compactAll(params: Params, time: number | undefined): JsonObject | undefined {
  const entries = Object.entries(params).map(([name, param]) => [name, compactParam(param, time)] as const);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function compactParam(param: Parameter, time: number | undefined): JsonObject {
  const { value, tags, mode, source, evaluated_result, evaluated_time, ...rest } = param;
  const bare = tags === undefined && mode === undefined && source === undefined;
  return clean({
    value: param.type === "MAP" && value !== undefined ? compactMap(value as ParamDefinitions) : value,
    ...rest,
    [BARE]: bare || undefined,
    tags: tags?.length === 0 ? undefined : tags,
    mode: mode === "MUTABLE" ? undefined : mode,
    source: source === "DEFINITION" ? undefined : source,
    evaluated_result: isLiteral(param) ? undefined : evaluated_result,
    evaluated_time: evaluated_time === time ? undefined : (evaluated_time ?? null),
  });
}

function compactMap(definitions: ParamDefinitions): JsonObject {
  return Object.fromEntries(
    Object.entries(definitions).map(([key, entry]) => [key, compactParam(entry, undefined)] as const),
  );
}

/** The result is the literal itself: as the evaluator leaves it where nothing was to be replaced. */
function isLiteral(param: Parameter): boolean {
  if (param.evaluated_result === undefined || param.value === undefined || param.expression !== undefined) return false;
  return param.type !== "MAP" && sameAsLiteral(literalResult(param), param.evaluated_result);
}

function sameAsLiteral(literal: Json, result: Json): boolean {
  if (literal === result) return true;
  if (typeof literal !== "object" || typeof result !== "object") return false;
  return !isJsonObject(result) && JSON.stringify(literal) === JSON.stringify(result);
}

function literalResult({ type, value }: ParamDefinition): Json {
  if (type === "DOUBLE") return doubleToJson(jsonToDouble(value) ?? Number.NaN);
  if (type === "DOUBLE_ARRAY") {
    return (value as readonly Json[]).map((item) => doubleToJson(jsonToDouble(item) ?? Number.NaN));
  }
  return value as Json;
}

function expandAll(stored: { readonly [name: string]: JsonObject } | undefined, time: number | undefined): Params {
  const params = Object.entries(stored ?? {}).map(([name, param]) => [name, expandParam(param, time)] as const);
  return Object.fromEntries(params);
}

function expandParam(stored: JsonObject, time: number | undefined): Parameter {
  const { [BARE]: bare, evaluated_time, evaluated_result, ...rest } = stored as unknown as Parameter;
  const named = bare ? rest : { tags: [], mode: "MUTABLE", source: "DEFINITION", ...rest };
  const param = { ...named, ...(isMapLiteral(rest) && { value: expandMap(rest.value as JsonObject) }) } as Parameter;
  const evaluatedAt = evaluated_time === undefined ? time : evaluated_time;
  if (evaluatedAt === undefined || evaluatedAt === null) return param;
  return { ...param, evaluated_result: evaluated_result ?? literalResult(param), evaluated_time: evaluatedAt };
}

function isMapLiteral(param: ParamDefinition): boolean {
  return param.type === "MAP" && param.value !== undefined;
}

function expandMap(stored: JsonObject): ParamDefinitions {
  return Object.fromEntries(
    Object.entries(stored).map(([key, entry]) => [key, expandParam(entry as JsonObject, undefined)] as const),
  );
}
