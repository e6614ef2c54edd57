/** Requests to start runs, and answers about runs. */
import { z } from "zod";
import { alertingSchema } from "../../definition/alerting.ts";
import { initiatorSchema } from "../../definition/initiator.ts";
import { paramDefinitionsSchema, paramsSchema } from "../../definition/parameter.ts";
import { runAsSchema } from "../../definition/properties.ts";
import { tagListSchema } from "../../definition/tag.ts";
import { artifactSchema, timelineEventSchema } from "../../definition/timeline.ts";
import { stepTransitionSchema } from "../../definition/transition.ts";
import { flag, instant, mapOf, object, text } from "../../definition/wire.ts";
import { workflowSchema } from "../../definition/workflow.ts";
import { RUN_STATUSES } from "../../run/status.ts";
import { STEP_STATUSES } from "../../step/status.ts";
import { listSchema, millis, pageSchema } from "./common.ts";
import { runStatusSchema } from "./workflow.ts";

export const stepStatusSchema = z.enum(STEP_STATUSES as unknown as [string, ...string[]]).meta({ id: "StepStatus" });

/** What the wire says; the rules beyond it are in `start.ts`. */
export const startRequestSchema = object({
  initiator: initiatorSchema,
  request_time: instant.optional(),
  request_id: text.optional().meta({ description: "A UUID: the same id twice starts one run" }),
  runtime_tags: tagListSchema.optional(),
  run_params: paramDefinitionsSchema.optional(),
  artifacts: mapOf(artifactSchema).optional(),
  persist_failed_run: flag
    .optional()
    .meta({ description: "Params that cannot be evaluated: store a FAILED run instead of refusing" }),
}).meta({ id: "WorkflowStartRequest" });

export const startResponseSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_version_id: z.int(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    workflow_uuid: z.string(),
    status: z.enum(["CREATED", "DUPLICATED", "STOPPED", "INTERNAL_ERROR"]),
    timeline_event: timelineEventSchema,
  })
  .meta({ id: "WorkflowStartResponse" });

const rollupSchema = z
  .strictObject({
    total_leaf_count: z.int(),
    overview: z.partialRecord(
      stepStatusSchema,
      z
        .strictObject({ cnt: z.int(), ref: z.record(z.string(), z.array(z.string())).optional() })
        .meta({ id: "RollupCount" }),
    ),
  })
  .meta({ id: "WorkflowRollupOverview", description: "Leaf steps by status, over the whole tree" });

export const overviewSchema = z
  .strictObject({
    total_step_count: z.int(),
    step_overview: z.partialRecord(
      stepStatusSchema,
      z
        .strictObject({
          cnt: z.int(),
          steps: z.array(z.array(z.int().nullable()).length(3)).meta({
            description: "[position of the step in runtime_dag from 1, start, end]",
          }),
        })
        .meta({ id: "StepOverviewCount" }),
    ),
    rollup_overview: rollupSchema,
    run_status: runStatusSchema.optional(),
  })
  .meta({ id: "WorkflowRuntimeOverview" });

const aggregateSchema = z
  .strictObject({
    workflow_instance_status: runStatusSchema,
    step_aggregated_views: z.record(
      z.string(),
      z
        .strictObject({
          workflow_run_id: z.int().optional(),
          status: stepStatusSchema,
          start_time: millis.optional(),
          end_time: millis.optional(),
        })
        .meta({ id: "StepAggregatedView" }),
    ),
  })
  .meta({ id: "WorkflowInstanceAggregatedInfo" });

const restartNodeSchema = z
  .strictObject({
    workflow_id: z.string(),
    instance_id: z.int(),
    step_id: z.string().nullable().meta({ description: "null: the instance as a whole" }),
  })
  .meta({ id: "RestartNode" });

export const restartConfigSchema = z
  .strictObject({
    restart_path: z.array(restartNodeSchema).meta({ description: "Deepest first; the last one is the run itself" }),
    restart_policy: z.string(),
    downstream_policy: z.string(),
    restart_params: paramDefinitionsSchema.optional(),
    step_restart_params: z.record(z.string(), paramDefinitionsSchema).optional(),
    skip_steps: z.array(z.string()).optional(),
  })
  .meta({ id: "RestartConfig" });

export const instanceSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    workflow_uuid: z.string(),
    correlation_id: z.string(),
    workflow_version_id: z.int(),
    group_info: z.int(),
    internal_id: z.int().optional(),
    execution_id: z.string().optional(),
    run_config: z
      .strictObject({
        runtime_tags: tagListSchema.optional(),
        correlation_id: z.string().optional(),
        policy: z.string(),
        restart_config: restartConfigSchema.optional(),
      })
      .meta({ id: "RunConfig" }),
    run_params: paramDefinitionsSchema,
    step_run_params: z.record(z.string(), paramDefinitionsSchema).optional(),
    run_properties: z
      .strictObject({
        create_time: millis,
        owner: z.string(),
        run_as: runAsSchema.optional(),
        user: z
          .string()
          .optional()
          .meta({ description: "Who has started a run whose steps run as the CALLER; absent: a trigger has" }),
        alerting: alertingSchema.optional(),
        step_concurrency: z.int().optional(),
        instance_step_concurrency: z.int().optional(),
        tags: tagListSchema.optional(),
      })
      .meta({ id: "RunProperties" }),
    runtime_workflow: workflowSchema,
    runtime_dag: z.record(z.string(), stepTransitionSchema),
    timeout_in_millis: z.int().optional(),
    params: paramsSchema,
    initiator: initiatorSchema,
    status: runStatusSchema,
    request_time: millis,
    create_time: millis,
    start_time: millis.optional(),
    end_time: millis.optional(),
    modify_time: millis,
    runtime_overview: overviewSchema.optional(),
    artifacts: z.record(z.string(), artifactSchema).optional(),
    timeline: z.array(timelineEventSchema).optional(),
    aggregated_info: aggregateSchema.optional(),
  })
  .meta({ id: "WorkflowInstance" });

export const instancePageSchema = pageSchema("WorkflowInstancePage", instanceSchema);

export const instanceActionResponseSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    workflow_instance_status: runStatusSchema,
    completed: z.boolean().meta({ description: "false: accepted; read the run to see it done" }),
    info: z.string(),
    timeline_event: timelineEventSchema,
  })
  .meta({ id: "WorkflowInstanceActionResponse" });

export const runActionMapSchema = z
  .record(z.enum(RUN_STATUSES as unknown as [string, ...string[]]), z.array(z.string()))
  .meta({ id: "WorkflowInstanceActionMap" });

const runSummarySchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    workflow_version_id: z.int(),
    workflow_uuid: z.string(),
    status: runStatusSchema,
    run_policy: z.string().optional(),
    initiator: initiatorSchema,
    create_time: millis,
    start_time: millis.optional(),
    end_time: millis.optional(),
    modify_time: millis,
  })
  .meta({ id: "RunSummary" });

export const runListSchema = listSchema("RunList", runSummarySchema);
