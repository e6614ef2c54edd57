/** Restarting runs and steps, and declaring a step done: request bodies and answers. */
import { z } from "zod";
import { paramDefinitionsSchema } from "../../definition/parameter.ts";
import { timelineEventSchema } from "../../definition/timeline.ts";
import { instant, object, text } from "../../definition/wire.ts";
import { RESTART_POLICIES } from "../restart.ts";

export const RESTART_MODES = ["RESTART_FROM_STEP", "RESTART_FROM_INLINE_ROOT"] as const;

const common = {
  request_time: instant.optional(),
  request_id: text.optional().meta({ description: "A UUID: the same id twice makes one run" }),
  restart_policy: z.enum(RESTART_POLICIES),
};

export const instanceRestartSchema = object({
  ...common,
  run_params: paramDefinitionsSchema.optional(),
}).meta({ id: "WorkflowInstanceRestartRequest" });

export const stepRestartSchema = object({
  ...common,
  step_run_params: paramDefinitionsSchema.optional(),
  upstream_restart_mode: z.enum(RESTART_MODES).optional().meta({
    description: "From the workflow around the loops that the step stands in, or from the step; default: the step",
  }),
}).meta({ id: "StepInstanceRestartRequest" });

export const stepSucceedSchema = object({
  outputs: paramDefinitionsSchema.optional().meta({ description: "What the step puts out, by param of the step" }),
}).meta({ id: "StepInstanceSucceedRequest" });

export const stepRestartResponseSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_version_id: z.int(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    step_id: z.string().optional().meta({ description: "Absent when a new run was made" }),
    step_attempt_id: z.int().optional(),
    status: z.enum(["CREATED", "DUPLICATED", "STOPPED", "INTERNAL_ERROR"]),
    timeline_event: timelineEventSchema,
  })
  .meta({ id: "StepInstanceRestartResponse" });
