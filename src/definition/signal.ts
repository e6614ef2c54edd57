/** Signals in a definition: a step's dependencies and outputs, and a workflow's triggers. */
import { z } from "zod";
import type { RawNumber } from "../json.ts";
import type { ParamDefinition, ParamDefinitions } from "../param/type.ts";
import { paramDefinitionSchema, paramDefinitionsSchema } from "./parameter.ts";
import { long, mapOf, object, setOf, text } from "./wire.ts";

export const SIGNAL_OPERATORS = ["=", ">", ">=", "<", "<="] as const;

export type SignalOperator = (typeof SIGNAL_OPERATORS)[number];

/** What a signal carries: texts and 64-bit integers. */
export type SignalValue = string | number | RawNumber;

/** A step waits for a signal whose params match. */
export interface SignalDependencyDefinition {
  readonly name: string;
  readonly match_params?: Readonly<Record<string, DependencyMatch>> | undefined;
}

export interface DependencyMatch {
  /** Evaluates to STRING or LONG. */
  readonly param: ParamDefinition;
  readonly operator: SignalOperator;
}

/** A step announces a signal when it finishes. */
export interface SignalOutputDefinition {
  readonly name: string;
  readonly params?: ParamDefinitions | undefined;
  readonly payload?: ParamDefinitions | undefined;
}

/** A workflow starts when every one of the signals has come, joined by keys. */
export interface SignalTrigger {
  readonly definitions: Readonly<Record<string, SignalTriggerEntry>>;
  /** SEL boolean over the signals' params; false: no start. */
  readonly condition?: string | undefined;
  /** SEL text that identifies a start: equal texts start once. */
  readonly dedup_expr?: string | undefined;
  readonly params?: ParamDefinitions | undefined;
}

export interface SignalTriggerEntry {
  readonly match_params?: Readonly<Record<string, TriggerMatch>> | undefined;
  readonly join_keys?: readonly string[] | undefined;
}

export interface TriggerMatch {
  readonly value: SignalValue;
  readonly operator: SignalOperator;
}

const operator = z.enum(SIGNAL_OPERATORS);

export const signalDependencyDefinitionSchema: z.ZodType<SignalDependencyDefinition> = object({
  name: text,
  match_params: mapOf(object({ param: paramDefinitionSchema, operator })).optional(),
}).meta({ id: "SignalDependencyDefinition" });

export const signalOutputDefinitionSchema: z.ZodType<SignalOutputDefinition> = object({
  name: text,
  params: paramDefinitionsSchema.optional(),
  payload: paramDefinitionsSchema.optional(),
}).meta({ id: "SignalOutputDefinition" });

/** A text stays a text, a number is a LONG. */
export const signalValueSchema: z.ZodType<SignalValue> = z
  .union([z.string(), long], { error: "must be a text or an integer" })
  .meta({ id: "SignalValue" });

export const signalTriggerSchema: z.ZodType<SignalTrigger> = object({
  definitions: mapOf(
    object({
      match_params: mapOf(object({ value: signalValueSchema, operator })).optional(),
      join_keys: setOf(text).optional(),
    }),
  ),
  condition: text.optional(),
  dedup_expr: text.optional(),
  params: paramDefinitionsSchema.optional(),
}).meta({ id: "SignalTrigger" });
