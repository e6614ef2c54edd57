import { z } from "zod";
import type { StepContext, StepResult } from "./context.ts";
import type { JsonObject } from "./json.ts";

/** Version of the contract between a plugin and its host. */
export const API_VERSION = 1;

type Answer = StepResult | Promise<StepResult>;

/**
 * A step type. All three calls must be idempotent, may be made by another thread or process than the one before, and
 * keep what they must remember in artifacts. A throw is a PLATFORM_ERROR with its message.
 */
export interface StepTypeSpec<Schema extends z.ZodType> {
  /** The name in definitions, compared without regard to case. */
  readonly type: string;
  readonly version: string;
  /** For people; the type when absent. */
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** Schema of the MAP param named after the type. */
  readonly params: Schema;
  /** Schema of the outputs, when they are known beforehand: they are checked. */
  readonly outputs?: z.ZodType | undefined;
  /** Default step params in wire shape (`{ name: { type, value } }`), merged below the step's own. */
  readonly defaultParams?: JsonObject | undefined;
  /** Begins the work, or finds that it has begun. */
  start(context: StepContext<z.output<Schema>>): Answer;
  /** Looks at the work, after a wake, a poll or an adoption. */
  execute(context: StepContext<z.output<Schema>>): Answer;
  /** Ends the work, or finds it ended or never begun. Answers STOPPED. */
  terminate(context: StepContext<z.output<Schema>>): Answer;
}

/** A defined step type, as a plugin exports it. */
export interface StepType<Schema extends z.ZodType = z.ZodType> extends StepTypeSpec<Schema> {
  readonly apiVersion: number;
  /** JSON Schema (2020-12) of the MAP param, as a user writes it. */
  schema(): JsonObject;
}

const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** @throws TypeError when the name can't be used in a definition. */
export function defineStepType<Schema extends z.ZodType>(spec: StepTypeSpec<Schema>): StepType<Schema> {
  if (!NAME.test(spec.type)) {
    throw new TypeError(`Step type [${spec.type}] must start with a letter and hold letters, digits, - and _ only`);
  }
  let schema: JsonObject | undefined;
  return {
    ...spec,
    apiVersion: API_VERSION,
    schema() {
      schema ??= z.toJSONSchema(spec.params, { io: "input", unrepresentable: "any", override }) as JsonObject;
      return schema;
    },
  };
}

/** A 64-bit integer arrives as a bigint, and is an integer to whoever writes a definition. */
function override({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: { type?: unknown } }): void {
  if (zodSchema._zod.def.type === "bigint") jsonSchema.type = "integer";
}

/** Whether a module's export is a step type that this host can run. */
export function isStepType(value: unknown): value is StepType {
  if (typeof value !== "object" || value === null) return false;
  const type = value as Partial<StepType>;
  const calls = [type.start, type.execute, type.terminate, type.schema];
  return (
    typeof type.type === "string" && type.apiVersion === API_VERSION && calls.every((f) => typeof f === "function")
  );
}
