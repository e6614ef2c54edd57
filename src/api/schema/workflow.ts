/** Answers about workflows. */
import { z } from "zod";
import { workflowDefinitionSchema } from "../../definition/metadata.ts";
import { propertiesSnapshotSchema } from "../../definition/properties.ts";
import { tagListSchema } from "../../definition/tag.ts";
import { timelineEventSchema, workflowTimelineEventSchema } from "../../definition/timeline.ts";
import { userSchema } from "../../definition/user.ts";
import { RUN_STATUSES } from "../../run/status.ts";
import { listSchema, millis } from "./common.ts";

export const runStatusSchema = z
  .enum(RUN_STATUSES as unknown as [string, ...string[]])
  .meta({ id: "WorkflowInstanceStatus" });

export const workflowCreateResponseSchema = z
  .strictObject({ workflow_definition: workflowDefinitionSchema })
  .meta({ id: "WorkflowCreateResponse" });

export const workflowOverviewSchema = z
  .strictObject({
    workflow_id: z.string(),
    active_version_id: z.int().optional(),
    latest_version_id: z.int().optional(),
    default_version_id: z.int().optional(),
    properties_snapshot: propertiesSnapshotSchema,
    step_concurrency: z.int().optional(),
    /** Absent: it is not. */
    paused: z.boolean().optional(),
    nonterminal_instances: z
      .strictObject({ CREATED: z.int(), IN_PROGRESS: z.int(), PAUSED: z.int() })
      .meta({ id: "NonterminalInstances" }),
    failed_instances: z.int(),
    latest_instance_id: z.int().optional(),
  })
  .meta({ id: "WorkflowOverview" });

export const workflowTimelineSchema = z
  .strictObject({ workflow_id: z.string(), timeline_events: z.array(workflowTimelineEventSchema) })
  .meta({ id: "WorkflowTimeline" });

export const workflowActionResponseSchema = z
  .strictObject({ workflow_id: z.string(), workflow_version_id: z.int(), timeline_event: timelineEventSchema })
  .meta({ id: "WorkflowActionResponse" });

const workflowSummarySchema = z
  .strictObject({
    workflow_id: z.string(),
    name: z.string().optional(),
    description: z.string().optional(),
    owner: userSchema,
    tags: tagListSchema.optional(),
    active_version_id: z.int().optional(),
    latest_version_id: z.int(),
    paused: z.boolean().optional(),
    create_time: millis,
    modify_time: millis,
    latest_run: z
      .strictObject({
        workflow_instance_id: z.int(),
        workflow_run_id: z.int(),
        status: runStatusSchema,
        start_time: millis.optional(),
        end_time: millis.optional(),
      })
      .meta({ id: "LatestRun" })
      .optional(),
  })
  .meta({ id: "WorkflowSummary" });

export const workflowListSchema = listSchema("WorkflowList", workflowSummarySchema);
