/** What a step has put out, merged into its params. */
import { badRequest, MaestroError } from "../error.ts";
import { isJsonObject, isRawNumber, type Json, type JsonObject, longToJson, stringifyJson } from "../json.ts";
import { own } from "../record.ts";
import { coerceResult } from "./coerce.ts";
import { toDefinition } from "./definition.ts";
import { jsonToDouble, parseLong, toSel } from "./literal.ts";
import { mergeParam } from "./merge.ts";
import { reservedBase } from "./order.ts";
import type { StepParams } from "./scope.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params, ParamType } from "./type.ts";

/** An output that the step can't have: its author's mistake, which another attempt would make again. */
export class OutputError extends MaestroError {
  constructor(message: string) {
    super("BAD_REQUEST", message);
  }
}

/** What a user is told of outputs that the step can't have. @param source where they stand, such as `in the file X` */
export const wrongOutput = (source: string | undefined, problem: string): string =>
  `The step's output${source === undefined ? "" : ` ${source}`} can't be taken. ${problem}`;

/**
 * Outputs of a step merged into its evaluated params. Outputs are data: their values are not evaluated. Literal maps
 * merge entry by entry, everything else replaces value and result. The declared type holds, see {@link fit}.
 * @param outputs definitions or evaluated params; a missing `evaluated_result` is the literal.
 * @throws OutputError for a name that the step does not define, a mode other than MUTABLE, a type that can't be
 * converted.
 */
export function mergeOutputParams(step: StepParams, outputs: Params, now: number): StepParams {
  const params = new Map(Object.entries(step.params));
  for (const [name, output] of Object.entries(outputs)) {
    const base = params.get(name) ?? reservedBase(name);
    if (!base) throw undeclared(name, output.type);
    try {
      params.set(name, mergeOutput(name, base, output, now));
    } catch (error) {
      throw error instanceof MaestroError ? new OutputError(error.message) : error;
    }
  }
  return { ...step, params: Object.fromEntries(params) };
}

function undeclared(name: string, type: ParamType): OutputError {
  const initial = type.endsWith("_ARRAY") ? [] : (INITIAL[type] ?? "");
  const param = `${stringifyJson(name)}: ${stringifyJson({ type, value: initial })}`;
  return new OutputError(
    `Invalid output parameter [${name}], not defined in params: write ${param} into the step's params, or leave it out`,
  );
}

const INITIAL: { readonly [type in ParamType]?: Json } = {
  LONG: 0,
  DOUBLE: 0,
  BOOLEAN: false,
  MAP: {},
  STRING_MAP: {},
};

function mergeOutput(name: string, base: Parameter, output: Parameter, now: number): Parameter {
  const result = outputResult(name, base, output);
  const change = outputDefinition(base.type, output, result);
  const isMap = base.type === "MAP" || base.type === "STRING_MAP";
  const merged = mergeParam(name, isMap ? toDefinition(base) : base, change, { source: "OUTPUT_PARAMETER" });
  const whole = isMap ? mergeResults(base.evaluated_result, result) : result;
  return { ...merged, evaluated_result: whole, evaluated_time: output.evaluated_time ?? now };
}

function outputResult(name: string, base: Parameter, output: Parameter): Json {
  const given = output.evaluated_result ?? plainValue(output);
  return fit(name, base.type, output.type, given);
}

/**
 * A value as the declared type: what JSON and the writers of JSON do not tell apart is no mistake. 30.0 fills a LONG, [1] a
 * DOUBLE_ARRAY, [] every array, and an object of scalars a STRING_MAP.
 * @throws MaestroError that names both, and what would be right
 */
function fit(name: string, to: ParamType, from: ParamType, value: Json): Json {
  if (Array.isArray(value) && to.endsWith("_ARRAY") && to !== from) {
    const [toItem, fromItem] = [to, from].map((type) => type.replace("_ARRAY", "") as ParamType);
    return value.map((item, index) => fit(`${name}[${index}]`, toItem as ParamType, fromItem as ParamType, item));
  }
  if (to === "STRING_MAP" && isJsonObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, textOf(`${name}.${key}`, item)]));
  }
  const whole = to === "LONG" && from === "DOUBLE" ? wholeOf(value) : undefined;
  if (whole !== undefined) return longToJson(whole);
  try {
    return coerceResult(name, to, toSel(from, value)).result;
  } catch (error) {
    if (!(error instanceof MaestroError)) throw error;
    throw badRequest(
      `Output [${name}] is the ${from} ${shownValue(value)}, and the step declares a ${to}: ${HINT[to]}`,
    );
  }
}

const HINT: { readonly [type in ParamType]: string } = {
  STRING: 'write a text, such as "abc"',
  LONG: "write a whole number, such as 30",
  DOUBLE: "write a number, such as 2.5",
  BOOLEAN: "write true or false",
  STRING_ARRAY: 'write an array of texts, such as ["a", "b"]',
  LONG_ARRAY: "write an array of whole numbers, such as [1, 2]",
  DOUBLE_ARRAY: "write an array of numbers, such as [0.5, 2]",
  BOOLEAN_ARRAY: "write an array such as [true, false]",
  MAP: 'write an object, such as {"a": 1}',
  STRING_MAP: 'write an object of texts, such as {"a": "x"}',
};

function shownValue(value: Json): string {
  const text = stringifyJson(value);
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

/** Digit by digit, as far as they are written. */
function wholeOf(value: Json): bigint | undefined {
  const digits = /^(-?\d+)\.0*$/.exec(isRawNumber(value) ? value.rawJSON : "")?.[1];
  if (digits !== undefined) return parseLong(digits);
  const number = jsonToDouble(value);
  return Number.isSafeInteger(number) ? BigInt(number as number) : undefined;
}

function textOf(path: string, value: Json): string {
  if (typeof value === "string") return value;
  if (isRawNumber(value)) return value.rawJSON;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const problem = `Output [${path}] is ${shownValue(value)}, and the step declares a STRING_MAP`;
  throw badRequest(`${problem}: ${HINT.STRING}, or declare a MAP`);
}

function outputDefinition(to: ParamType, output: Parameter, result: Json): ParamDefinition {
  if (output.value === undefined || (output.type !== to && to !== "MAP")) {
    return toDefinition({ ...output, type: to, evaluated_result: result, evaluated_time: 0 });
  }
  const {
    evaluated_result: _r,
    evaluated_time: _t,
    source: _s,
    internal_mode: _i,
    info: _n,
    warn: _w,
    ...rest
  } = output;
  return rest;
}

/** The result of a literal that is data. */
function plainValue({ type, value }: ParamDefinition): Json {
  if (type !== "MAP") return (value ?? null) as Json;
  const entries = Object.entries((value ?? {}) as ParamDefinitions);
  return Object.fromEntries(entries.map(([key, entry]) => [key, plainValue(entry)]));
}

function mergeResults(base: Json | undefined, change: Json): Json {
  if (!isJsonObject(base) || !isJsonObject(change)) return change;
  const changes = Object.entries(change as JsonObject).map(([key, value]) => [
    key,
    mergeResults(own(base, key), value),
  ]);
  return { ...base, ...Object.fromEntries(changes) };
}
