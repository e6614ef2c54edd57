/**
 * The parameter model in its wire shape (snake_case, meta keys flattened). `definition/` builds its zod schemas on the
 * literal lists below; everything here is plain readonly data.
 */
import type { Json, RawNumber } from "../json.ts";

export const PARAM_TYPES = [
  "STRING",
  "LONG",
  "DOUBLE",
  "BOOLEAN",
  "STRING_MAP",
  "STRING_ARRAY",
  "LONG_ARRAY",
  "DOUBLE_ARRAY",
  "BOOLEAN_ARRAY",
  "MAP",
] as const;

export type ParamType = (typeof PARAM_TYPES)[number];

/** From the loosest to the strictest: an override may move a param to the right, never to the left. */
export const PARAM_MODES = [
  "MUTABLE",
  "MUTABLE_ON_START_RESTART",
  "MUTABLE_ON_START",
  "IMMUTABLE",
  "CONSTANT",
] as const;

export type ParamMode = (typeof PARAM_MODES)[number];

/** Only in the server's own schemas (system defaults, step types, job templates); gone once merging is done. */
export const INTERNAL_PARAM_MODES = ["REQUIRED", "OPTIONAL", "PROVIDED", "RESERVED"] as const;

export type InternalParamMode = (typeof INTERNAL_PARAM_MODES)[number];

export const PARAM_SOURCES = [
  "SYSTEM",
  "SYSTEM_DEFAULT",
  "SYSTEM_INJECTED",
  "TEMPLATE_SCHEMA",
  "DEFINITION",
  "TEMPLATE",
  "LAUNCH",
  "RESTART",
  "SIGNAL",
  "TIME_TRIGGER",
  "SUBWORKFLOW",
  "FOREACH",
  "WHILE",
  "OUTPUT_PARAMETER",
  "WORKFLOW_PARAMETER",
] as const;

/** Who wrote a param last. */
export type ParamSource = (typeof PARAM_SOURCES)[number];

/** A tag on the wire; attributes are flattened beside `name`. */
export interface ParamTag {
  readonly name: string;
  readonly namespace?: string | undefined;
  readonly permit?: number | undefined;
  readonly [attribute: string]: unknown;
}

/** A number as JSON carries it: plain while faithful, else its source text. */
export type ParamNumber = number | RawNumber;

/** Literal of a MAP: definitions by name, nested to any depth. */
export interface ParamDefinitions {
  readonly [name: string]: ParamDefinition;
}

/** What `value` may hold; which one follows from `type`. */
export type ParamLiteral =
  | string
  | ParamNumber
  | boolean
  | readonly string[]
  | readonly ParamNumber[]
  | readonly boolean[]
  | { readonly [key: string]: string }
  | ParamDefinitions;

/**
 * A parameter as a user or the server declares it: a literal `value` or a SEL `expression`, never both. Keys beyond
 * the named ones are meta: kept in definitions, dropped when merging.
 */
export interface ParamDefinition {
  readonly value?: ParamLiteral | undefined;
  readonly expression?: string | undefined;
  readonly type: ParamType;
  /** Such as `@NotNull`: stored and echoed, and run if the configuration says so. */
  readonly validator?: string | undefined;
  readonly tags?: readonly ParamTag[] | undefined;
  /** MUTABLE when absent. */
  readonly mode?: ParamMode | undefined;
  readonly source?: ParamSource | undefined;
  readonly internal_mode?: InternalParamMode | undefined;
  readonly [meta: string]: unknown;
}

/** A parameter of a run or an attempt: merged, and evaluated once `evaluated_time` is set. */
export interface Parameter extends ParamDefinition {
  /** Plain JSON of the declared type; a MAP's is an object of plain values. */
  readonly evaluated_result?: Json | undefined;
  /** Epoch milliseconds. */
  readonly evaluated_time?: number | undefined;
  /** Note about a harmless conversion of the result. */
  readonly info?: string | undefined;
  /** Note about a conversion that may surprise. */
  readonly warn?: string | undefined;
}

/** Merged, maybe evaluated params by name, in evaluation order. */
export interface Params {
  readonly [name: string]: Parameter;
}
