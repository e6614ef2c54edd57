/**
 * Validators of params: texts such as `@NotNull @Size(max = 10)`, always stored and echoed, and run on evaluated params
 * when the configuration says so. Every step of a check is charged; a hostile pattern runs out of its allowance.
 */
import { badRequest } from "../error.ts";
import { isJsonObject, isRawNumber, type Json, stringifyJson } from "../json.ts";
import { BudgetExceeded, SelError } from "../sel/index.ts";
import type { Meter } from "../sel/regex/match.ts";
import { type Annotation, AnnotationError, type Attribute, parseAnnotations } from "./annotation.ts";
import { type AttributeKind, type Attributes, CLOCKED, CONSTRAINTS, type ConstraintType, reach } from "./constraint.ts";
import { readDecimal } from "./decimal.ts";
import { isSystemSource } from "./mode.ts";
import type { ParamDefinition, ParamDefinitions, Parameter, Params, ParamType } from "./type.ts";

interface Constraint {
  readonly type: ConstraintType;
  readonly attributes: Attributes;
  readonly message: string;
  readonly scope: "whole" | "each";
}

/** Units of work, about ten nanoseconds each, for all validators of one run or attempt. */
const ALLOWANCE = 100_000_000;
/** Bytes that a pattern may remember. */
const MEMORY = 50_000_000;
/** Findings that are told of. */
const MAX_FINDINGS = 100;
/** Characters of a validator. */
const LONGEST = 20_000;

const COMMON: Readonly<Record<string, AttributeKind>> = { message: "text" };

/** Charges work and memory. @throws what `exhausted` makes of it when there is no more */
class Allowance implements Meter {
  #units: number;
  #bytes = MEMORY;
  readonly #exhausted: () => Error;

  constructor(units: number, exhausted: () => Error) {
    this.#units = units;
    this.#exhausted = exhausted;
  }

  toil(units: number): void {
    this.#units -= units;
    if (this.#units < 0) throw this.#exhausted();
  }

  grow(bytes: number): void {
    this.#bytes -= bytes;
    if (this.#bytes < 0) throw this.#exhausted();
  }
}

/** A validator that says nothing that could be run. The message is for the user. */
class ValidatorError extends Error {
  override readonly name = "ValidatorError";
}

const tooLong = (): Error =>
  badRequest("The validators of these params take too long: simplify their patterns, or validate shorter texts");

const fullAllowance = (): Allowance => new Allowance(ALLOWANCE, tooLong);

/** What is wrong with a validator of a param of this type, with what would be right; undefined when it can be run. */
export function problemOf(text: string, type: ParamType): string | undefined {
  try {
    constraintsOf(text, type, fullAllowance());
    return undefined;
  } catch (error) {
    if (error instanceof ValidatorError) return error.message;
    throw error;
  }
}

/** A validator that can't be run. */
export interface BrokenValidator {
  /** The keys that lead to it. */
  readonly keys: readonly string[];
  readonly problem: string;
}

/** Validators that can't be run, those inside of MAP literals included. */
export function problemsIn(definitions: ParamDefinitions | undefined): readonly BrokenValidator[] {
  return Object.entries(definitions ?? {}).flatMap(([name, { validator, type, value }]) => {
    const problem = validator === undefined ? undefined : problemOf(validator, type);
    const inner = type === "MAP" && value !== undefined ? problemsIn(value as ParamDefinitions) : [];
    return [
      ...(problem === undefined ? [] : [{ keys: [name, "validator"], problem }]),
      ...inner.map((it) => ({ ...it, keys: [name, "value", ...it.keys] })),
    ];
  });
}

/**
 * Runs the validators of evaluated params. What the server itself has put in and nobody may change is taken as good.
 * @param budget ends with `BudgetExceeded` when the work exceeds it
 * @throws MaestroError BAD_REQUEST with one detail per finding
 */
export function enforceValidators(params: Params, budget?: { readonly visits: number }): void {
  const meter = budget
    ? new Allowance(budget.visits, () => new BudgetExceeded("inline budget used up by validators"))
    : fullAllowance();
  refuse(
    Object.entries(params).flatMap(([name, param]) =>
      isFixed(param) ? [] : findingsOf(name, param, param.evaluated_result, meter),
    ),
  );
}

/**
 * Findings of the validators of literals that do not refer to other params: what is known before a run exists. Of
 * validators that can't be run nothing is said: {@link problemsIn} does.
 * @throws MaestroError BAD_REQUEST when that takes too long
 */
export function literalFindings(params: Params): readonly string[] {
  const meter = fullAllowance();
  return Object.entries(params)
    .flatMap(([name, param]) => {
      const known = isFixed(param) ? undefined : literalOf(param);
      return known === undefined ? [] : findingsOf(name, param, known, meter, () => []);
    })
    .slice(0, MAX_FINDINGS);
}

const isFixed = ({ mode, source }: Parameter): boolean =>
  mode === "CONSTANT" && source !== undefined && isSystemSource(source);

function refuse(findings: readonly string[]): void {
  if (findings.length === 0) return;
  const count = findings.length === 1 ? "a param does" : `${findings.length} values do`;
  const shown = findings.slice(0, MAX_FINDINGS);
  throw badRequest(`Invalid params: ${count} not pass validation: ${findings[0]}`, shown);
}

/** A literal's value as evaluation will give it; undefined when that depends on others. */
function literalOf({ type, value, expression }: ParamDefinition): Json | undefined {
  if (value === undefined || expression !== undefined) return undefined;
  if (type === "MAP") {
    const entries = Object.entries(value as ParamDefinitions).map(([key, entry]) => [key, literalOf(entry)] as const);
    return Object.fromEntries(entries.map(([key, entry]) => [key, entry ?? UNKNOWN])) as Json;
  }
  return refers(value as Json) ? undefined : (value as Json);
}

/** Stands in a map for what is not known yet. */
const UNKNOWN: Json = {};

function refers(value: Json): boolean {
  if (typeof value === "string") return value.includes("$");
  if (Array.isArray(value)) return value.some(refers);
  return (
    isJsonObject(value) && !isRawNumber(value) && Object.entries(value).some(([key, it]) => refers(key) || refers(it))
  );
}

/** What a validator that can't be run is told of as. */
type Unclear = (path: string, problem: string) => readonly string[];

const refused: Unclear = (path, problem) => [`${path}: its validator can't be run: ${problem}`];

function findingsOf(
  path: string,
  param: Parameter,
  result: Json | undefined,
  meter: Meter,
  unclear = refused,
): readonly string[] {
  const { validator, type, value, expression } = param;
  const own = validator === undefined ? [] : check(path, validator, type, result ?? null, meter, unclear);
  if (type !== "MAP" || expression !== undefined || value === undefined || !isJsonObject(result)) return own;
  const inner = Object.entries(value as ParamDefinitions).flatMap(([key, entry]) => {
    const known = Object.hasOwn(result, key) ? result[key] : undefined;
    return known === undefined || known === UNKNOWN ? [] : findingsOf(`${path}.${key}`, entry, known, meter, unclear);
  });
  return [...own, ...inner];
}

function check(
  path: string,
  validator: string,
  type: ParamType,
  result: Json,
  meter: Meter,
  unclear: Unclear,
): readonly string[] {
  try {
    return constraintsOf(validator, type, meter).flatMap((constraint) =>
      placesOf(constraint, path, result).flatMap(([place, value]) => {
        if (passes(constraint, value, meter)) return [];
        return [`${place}: ${constraint.message}, and is ${shown(value)}`];
      }),
    );
  } catch (error) {
    if (error instanceof ValidatorError) return unclear(path, error.message);
    throw error;
  }
}

function placesOf({ scope }: Constraint, path: string, result: Json): readonly (readonly [string, Json])[] {
  if (scope === "whole" || result === null) return [[path, result]];
  if (Array.isArray(result)) return result.map((item, index) => [`${path}[${index}]`, item] as const);
  return isJsonObject(result) ? Object.entries(result).map(([key, item]) => [`${path}.${key}`, item] as const) : [];
}

function passes({ type, attributes }: Constraint, value: Json, meter: Meter): boolean {
  meter.toil(10);
  return (value === null && type.nulls !== true) || type.test(value, attributes, meter);
}

function shown(value: Json): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isJsonObject(value) && !isRawNumber(value)) return `a map of ${Object.keys(value).length}`;
  const text = stringifyJson(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** @throws ValidatorError */
function constraintsOf(text: string, type: ParamType, meter: Meter): readonly Constraint[] {
  if (text.length > LONGEST) throw new ValidatorError(`is longer than ${LONGEST} characters`);
  meter.toil(text.length);
  try {
    return parseAnnotations(text).map((annotation) => constraintOf(annotation, type, meter));
  } catch (error) {
    if (error instanceof AnnotationError) throw new ValidatorError(`${JSON.stringify(short(text))} ${error.message}`);
    throw error;
  }
}

const short = (text: string): string => (text.length > 80 ? `${text.slice(0, 80)}…` : text);

function constraintOf({ name, attributes: given }: Annotation, paramType: ParamType, meter: Meter): Constraint {
  const type = Object.hasOwn(CONSTRAINTS, name) ? CONSTRAINTS[name] : undefined;
  if (!type) throw new ValidatorError(unknownName(name));
  const scope = reach(type.target, paramType);
  if (!scope) throw new ValidatorError(`@${name} does not apply to a ${paramType}; ${fitting(paramType)}`);
  const attributes = readAttributes(name, type, given);
  try {
    type.check?.(attributes, meter);
  } catch (error) {
    if (!(error instanceof SelError)) throw error;
    throw new ValidatorError(`@${name}: ${error.message}${error.hint ? `; ${error.hint}` : ""}`);
  }
  const message = attributes.message === undefined ? type.message(attributes) : filled(attributes.message, attributes);
  return { type, attributes, message, scope };
}

function unknownName(name: string): string {
  if (CLOCKED.has(name)) return `@${name} depends on the clock, so it can't validate a param; compare in an expression`;
  const near = Object.keys(CONSTRAINTS).find((known) => known.toLowerCase() === name.toLowerCase());
  if (near) return `@${name} is not known; did you mean @${near}?`;
  return `@${name} is not known; known are ${Object.keys(CONSTRAINTS)
    .map((known) => `@${known}`)
    .join(", ")}`;
}

const fitting = (type: ParamType): string =>
  `these do: ${Object.entries(CONSTRAINTS)
    .filter(([, { target }]) => reach(target, type))
    .map(([name]) => `@${name}`)
    .join(", ")}`;

function readAttributes(name: string, type: ConstraintType, given: Annotation["attributes"]): Attributes {
  const known: Readonly<Record<string, AttributeKind>> = { ...type.attributes, ...COMMON };
  const like = `write it like ${type.example}`;
  const read: Record<string, string> = {};
  for (const [key, attribute] of given) {
    const kind = Object.hasOwn(known, key) ? known[key] : undefined;
    if (!kind) {
      const names = Object.keys(known).join(", ");
      throw new ValidatorError(`@${name} has no attribute "${key}"; it has ${names}: ${like}`);
    }
    read[key] = readAttribute(attribute, kind, `@${name}: "${key}"`, like);
  }
  for (const key of type.required ?? []) {
    if (read[key] === undefined) throw new ValidatorError(`@${name} needs "${key}"; ${like}`);
  }
  return read;
}

/** Letters of Java's pattern flags. */
const FLAGS: Readonly<Record<string, string>> = {
  CASE_INSENSITIVE: "i",
  MULTILINE: "m",
  DOTALL: "s",
  UNICODE_CASE: "u",
  COMMENTS: "x",
  UNIX_LINES: "d",
};

function readAttribute(attribute: Attribute, kind: AttributeKind, what: string, like: string): string {
  if (kind === "flags") return flagsOf(attribute, what);
  if (attribute.kind === "list") throw new ValidatorError(`${what} must be one value; ${like}`);
  const { kind: given, text } = attribute;
  switch (kind) {
    case "text":
      if (given === "text") return text;
      throw new ValidatorError(`${what} must be a text in double quotes; ${like}`);
    case "boolean":
      if (given === "name" && (text === "true" || text === "false")) return text;
      throw new ValidatorError(`${what} must be true or false; ${like}`);
    case "integer":
      if (given === "number" && /^[+-]?\d{1,19}$/.test(text)) return text;
      throw new ValidatorError(`${what} must be an integer; ${like}`);
    case "decimal":
      if (given !== "name" && readDecimal(text)) return text;
      throw new ValidatorError(`${what} must be a decimal number in double quotes; ${like}`);
  }
}

function flagsOf(attribute: Attribute, what: string): string {
  const items = attribute.kind === "list" ? attribute.items : [attribute];
  return items
    .map((item) => {
      const name = item.kind === "name" ? item.text.slice(item.text.lastIndexOf(".") + 1) : "";
      const letter = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
      if (!letter) throw new ValidatorError(`${what} must be of ${Object.keys(FLAGS).join(", ")}`);
      return letter;
    })
    .join("");
}

/** `{min}` in a message of one's own is the attribute's value. */
const filled = (message: string, attributes: Attributes): string =>
  message.replace(/\{(\w{1,20})\}/g, (whole, name: string) =>
    name !== "message" && Object.hasOwn(attributes, name) ? (attributes[name] ?? whole) : whole,
  );
