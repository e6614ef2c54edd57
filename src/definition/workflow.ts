/** A workflow as a user wrote it. */
import { z } from "zod";
import type { ParamDefinitions } from "../param/type.ts";
import { type ParsableLong, parsableLongSchema } from "./duration.ts";
import { paramDefinitionsSchema } from "./parameter.ts";
import { RANGE } from "./range.ts";
import { type SignalTrigger, signalTriggerSchema } from "./signal.ts";
import { type Step, stepSchema } from "./step.ts";
import { type Tag, tagListSchema } from "./tag.ts";
import { type TimeTrigger, timeTriggerSchema } from "./trigger.ts";
import { caseless, integer, object, text } from "./wire.ts";

export const CRITICALITIES = ["CRITICAL", "HIGH", "MEDIUM", "LOW"] as const;

export type Criticality = (typeof CRITICALITIES)[number];

export interface Workflow {
  readonly id: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly Tag[] | undefined;
  /** A bare number is seconds; ten days when absent. */
  readonly timeout?: ParsableLong | undefined;
  readonly time_triggers?: readonly TimeTrigger[] | undefined;
  readonly signal_triggers?: readonly SignalTrigger[] | undefined;
  readonly criticality?: Criticality | undefined;
  /** How many leaf steps of the instance's whole tree may be active at a time; no bound when absent. */
  readonly instance_step_concurrency?: number | undefined;
  readonly params?: ParamDefinitions | undefined;
  readonly steps: readonly Step[];
}

export const workflowSchema: z.ZodType<Workflow> = object({
  id: text,
  name: text.optional(),
  description: text.optional(),
  tags: tagListSchema.optional(),
  timeout: parsableLongSchema.optional(),
  time_triggers: z.array(timeTriggerSchema).optional(),
  signal_triggers: z.array(signalTriggerSchema).optional(),
  criticality: caseless(CRITICALITIES).optional(),
  instance_step_concurrency: integer(RANGE.instanceStepConcurrency).optional(),
  params: paramDefinitionsSchema.optional(),
  steps: z.array(stepSchema),
}).meta({ id: "Workflow" });
