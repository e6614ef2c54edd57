/** Answers about permits. */
import { z } from "zod";
import { timelineEventSchema } from "../../definition/timeline.ts";
import { listSchema, millis } from "./common.ts";

const fields = {
  tag: z.string(),
  max_allowed: z.int().min(0).meta({ description: "Attempts with the tag that may run at a time" }),
};

export const tagPermitSchema = z
  .looseObject({ ...fields, timeline: z.array(timelineEventSchema).meta({ description: "The newest 32 events" }) })
  .meta({ id: "TagPermit", description: "Keys that the request had beyond these are answered beside them" });

const summarySchema = z
  .strictObject({
    ...fields,
    held: z.int().meta({ description: "Attempts that hold a permit of the tag" }),
    waiting: z.int().meta({ description: "Attempts that the tag holds up" }),
    create_time: millis,
    modify_time: millis,
  })
  .meta({ id: "TagPermitSummary" });

export const tagPermitListSchema = listSchema("TagPermitList", summarySchema);

export const PERMIT_STATES = ["HELD", "WAITING"] as const;

const stepSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    step_id: z.string(),
    step_attempt_id: z.int().optional().meta({ description: "Absent: a run that the step starts" }),
    step_uuid: z.string(),
    state: z.enum(PERMIT_STATES),
    wait_time: millis.meta({ description: "Since when it needs the permit" }),
    grant_time: millis.optional(),
  })
  .meta({ id: "PermitStep" });

export const permitStepListSchema = z
  .strictObject({
    total_count: z.int().meta({ description: "Attempts in this state, on all pages" }),
    elements: z.array(stepSchema),
    next_cursor: z.string().optional().meta({ description: "Absent on the last page" }),
  })
  .meta({ id: "PermitStepList" });
