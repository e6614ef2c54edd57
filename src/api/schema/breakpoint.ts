/** Breakpoints and the attempts that they hold. */
import { z } from "zod";
import { timelineEventSchema } from "../../definition/timeline.ts";
import { object, text } from "../../definition/wire.ts";
import { millis } from "./common.ts";

const SCOPE = "Must be absent: a breakpoint holds every attempt at its step";
const scope = z.int().optional().meta({ description: SCOPE });

export const breakpointRequestSchema = object({
  workflow_id: text,
  step_id: text.meta({ description: "A step of the default version, in whichever loop" }),
  workflow_version: scope,
  workflow_instance_id: scope,
  workflow_run: scope,
  step_attempt_id: scope,
}).meta({ id: "StepBreakpointCreateRequest" });

export const breakpointSchema = z
  .strictObject({
    workflow_id: z.string().meta({
      description: "For a step of a loop's body what the ids of its inline workflows begin with",
    }),
    workflow_version_id: z.int().optional(),
    workflow_instance_id: z.int().optional(),
    workflow_run_id: z.int().optional(),
    step_id: z.string(),
    step_attempt_id: z.int().optional(),
    create_time: millis,
    created_by: z.string(),
  })
  .meta({ id: "StepBreakpoint", description: "A scope that is absent stands for all" });

export const breakpointsSchema = z.array(breakpointSchema).meta({ id: "StepBreakpoints" });

export const breakpointDeleteResponseSchema = z
  .strictObject({ workflow_id: z.string(), step_id: z.string(), timeline_event: timelineEventSchema })
  .meta({ id: "StepBreakpointDeleteResponse" });

export const pausedAttemptsSchema = z
  .array(
    z
      .strictObject({
        workflow_id: z.string().meta({ description: "Of the run: an inline one for a step of a loop's body" }),
        workflow_version_id: z.int(),
        workflow_instance_id: z.int(),
        workflow_run_id: z.int(),
        step_id: z.string(),
        step_attempt_id: z.int(),
        create_time: millis,
      })
      .meta({ id: "PausedStepAttempt" }),
  )
  .meta({ id: "PausedStepAttempts" });
