/** The steps of a workflow: an object with one key, which names the kind, and the body beneath it. */
import { z } from "zod";
import type { ParamDefinitions } from "../param/type.ts";
import { type ParsableLong, parsableLongSchema } from "./duration.ts";
import { paramDefinitionsSchema } from "./parameter.ts";
import { RANGE } from "./range.ts";
import { type RetryPolicy, retryPolicySchema } from "./retry.ts";
import {
  type SignalDependencyDefinition,
  type SignalOutputDefinition,
  signalDependencyDefinitionSchema,
  signalOutputDefinitionSchema,
} from "./signal.ts";
import { type Tag, tagListSchema } from "./tag.ts";
import { type StepTransition, stepTransitionSchema } from "./transition.ts";
import { caseless, type Fields, flag, integer, object, text } from "./wire.ts";

export const FAILURE_MODES = ["FAIL_AFTER_RUNNING", "FAIL_IMMEDIATELY", "IGNORE_FAILURE"] as const;

export type FailureMode = (typeof FAILURE_MODES)[number];

export const DEFAULT_FAILURE_MODE: FailureMode = "FAIL_AFTER_RUNNING";

/** Ten days, for workflows and steps alike. */
export const DEFAULT_TIMEOUT_MS = 10 * 86_400_000;

export interface StepFields {
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly transition: StepTransition;
  /** {@link DEFAULT_FAILURE_MODE} when absent. */
  readonly failure_mode?: FailureMode | undefined;
  readonly tags?: readonly Tag[] | undefined;
  /** A bare number is seconds; {@link DEFAULT_TIMEOUT_MS} when absent. */
  readonly timeout?: ParsableLong | undefined;
  readonly signal_dependencies?: readonly SignalDependencyDefinition[] | undefined;
  readonly signal_outputs?: readonly SignalOutputDefinition[] | undefined;
  readonly params?: ParamDefinitions | undefined;
}

/** A leaf: a job of some type. */
export interface TypedStep extends StepFields {
  /** Canonical spelling of the step type, such as `NoOp`. */
  readonly type: string;
  /** Name of a job template. */
  readonly sub_type?: string | undefined;
  readonly sub_type_version?: string | undefined;
  readonly retry_policy?: RetryPolicy | undefined;
}

/** Another workflow's instance, named by the params `subworkflow_id` and `subworkflow_version`. */
export interface SubworkflowStep extends StepFields {
  /** true when absent; false: the step succeeds once the child is launched. */
  readonly sync?: boolean | undefined;
  /** false when absent: all workflow params are passed down. */
  readonly explicit_params?: boolean | undefined;
}

/** An inline loop over the product of the arrays in `loop_params`, in parallel. */
export interface ForeachStep extends StepFields {
  readonly concurrency?: number | undefined;
  /** false when absent; true: the window slides from the lowest unfinished iteration. */
  readonly strict_ordering?: boolean | undefined;
  readonly steps: readonly Step[];
}

/** An inline loop, one iteration after the other, while the SEL condition is true. */
export interface WhileStep extends StepFields {
  readonly condition: string;
  readonly steps: readonly Step[];
}

/** A leaf whose type is left to a job template: a job of whatever type the template is for. */
export interface TemplateStep extends StepFields {
  /** Name of the job template; the rules want one. */
  readonly sub_type?: string | undefined;
  readonly sub_type_version?: string | undefined;
}

export type Step =
  | { readonly step: TypedStep }
  | { readonly subworkflow: SubworkflowStep }
  | { readonly foreach: ForeachStep }
  | { readonly while: WhileStep }
  | { readonly template: TemplateStep };

export const STEP_KINDS = ["step", "subworkflow", "foreach", "while", "template"] as const;

export type StepKind = (typeof STEP_KINDS)[number];

/** A step without its wrapper. */
export type UnwrappedStep =
  | { readonly kind: "step"; readonly body: TypedStep }
  | { readonly kind: "subworkflow"; readonly body: SubworkflowStep }
  | { readonly kind: "foreach"; readonly body: ForeachStep }
  | { readonly kind: "while"; readonly body: WhileStep }
  | { readonly kind: "template"; readonly body: TemplateStep };

export function stepOf(step: Step): UnwrappedStep {
  if ("step" in step) return { kind: "step", body: step.step };
  if ("foreach" in step) return { kind: "foreach", body: step.foreach };
  if ("while" in step) return { kind: "while", body: step.while };
  if ("subworkflow" in step) return { kind: "subworkflow", body: step.subworkflow };
  return { kind: "template", body: step.template };
}

/** What every kind of step has. */
export const fieldsOf = (step: Step): StepFields => stepOf(step).body;

export const stepIdOf = (step: Step): string => fieldsOf(step).id;

/** The steps of a loop's body; none for other kinds. */
export function nestedSteps(step: Step): readonly Step[] {
  if ("foreach" in step) return step.foreach.steps;
  return "while" in step ? step.while.steps : [];
}

/** Every step, those of loop bodies after their loop. */
export function* allSteps(steps: readonly Step[]): Generator<Step> {
  for (const step of steps) {
    yield step;
    yield* allSteps(nestedSteps(step));
  }
}

/** Step types of the wire format, in the spelling in which they are written. Runtimes may register more. */
export const WIRE_STEP_TYPES = ["NoOp", "Sleep", "Titus", "Notebook", "Kubernetes", "Http"] as const;

const typesByLowerCase = new Map<string, string>(WIRE_STEP_TYPES.map((type) => [type.toLowerCase(), type]));

const stepType = z
  .preprocess(
    (value) => (typeof value === "string" ? (typesByLowerCase.get(value.toLowerCase()) ?? value) : value),
    z.string(),
  )
  .meta({ description: "The step type, in any case" });

const head = {
  id: text,
  name: text.optional(),
  description: text.optional(),
  transition: stepTransitionSchema.prefault({}),
};

const tail = {
  failure_mode: caseless(FAILURE_MODES).optional(),
  tags: tagListSchema.optional(),
  timeout: parsableLongSchema.optional(),
  signal_dependencies: z.array(signalDependencyDefinitionSchema).optional(),
  signal_outputs: z.array(signalOutputDefinitionSchema).optional(),
  params: paramDefinitionsSchema.optional(),
};

/** A stray `type` beside a wrapper that names the kind already is ignored. */
function withoutType(fields: Fields): Fields {
  if (!("type" in fields)) return fields;
  const { type: _, ...rest } = fields;
  return rest;
}

export const typedStepSchema: z.ZodType<TypedStep> = object({
  ...head,
  type: stepType,
  sub_type: text.optional(),
  sub_type_version: text.optional(),
  ...tail,
  retry_policy: retryPolicySchema.optional(),
}).meta({ id: "TypedStep" });

export const subworkflowStepSchema: z.ZodType<SubworkflowStep> = object(
  { ...head, sync: flag.optional(), explicit_params: flag.optional(), ...tail },
  withoutType,
).meta({ id: "SubworkflowStep" });

const nested: z.ZodType<readonly Step[]> = z.array(z.lazy(() => stepSchema));

export const foreachStepSchema: z.ZodType<ForeachStep> = object(
  {
    ...head,
    concurrency: integer(RANGE.foreachConcurrency).optional(),
    strict_ordering: flag.optional(),
    ...tail,
    steps: nested,
  },
  withoutType,
).meta({ id: "ForeachStep" });

export const whileStepSchema: z.ZodType<WhileStep> = object(
  { ...head, condition: text, ...tail, steps: nested },
  withoutType,
).meta({ id: "WhileStep" });

export const templateStepSchema: z.ZodType<TemplateStep> = object(
  { ...head, sub_type: text.optional(), sub_type_version: text.optional(), ...tail },
  withoutType,
).meta({ id: "TemplateStep" });

const wrapper = object({
  step: typedStepSchema.optional(),
  subworkflow: subworkflowStepSchema.optional(),
  foreach: foreachStepSchema.optional(),
  while: whileStepSchema.optional(),
  template: templateStepSchema.optional(),
}).refine((step) => Object.keys(step).length === 1, {
  error: `needs exactly one of the keys ${STEP_KINDS.join(", ")}`,
});

export const stepSchema: z.ZodType<Step> = wrapper.meta({
  id: "StepDefinition",
  description: "One step: an object with exactly one key, which names its kind",
  minProperties: 1,
  maxProperties: 1,
}) as unknown as z.ZodType<Step>;
