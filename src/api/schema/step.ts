/** Answers about steps of runs. */
import { z } from "zod";
import { paramsSchema } from "../../definition/parameter.ts";
import { backoffPolicySchema } from "../../definition/retry.ts";
import { stepSchema } from "../../definition/step.ts";
import { tagListSchema } from "../../definition/tag.ts";
import { artifactSchema, timelineEventSchema } from "../../definition/timeline.ts";
import { STEP_TIMES } from "../../step/status.ts";
import { millis } from "./common.ts";
import { restartConfigSchema, stepStatusSchema } from "./run.ts";

export const stepRuntimeStateSchema = z
  .strictObject({
    status: stepStatusSchema,
    ...Object.fromEntries(STEP_TIMES.map((time) => [time, millis.optional()])),
  })
  .meta({ id: "StepRuntimeState" });

export const stepInstanceSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    step_id: z.string(),
    step_attempt_id: z.int(),
    workflow_uuid: z.string(),
    step_uuid: z.string(),
    correlation_id: z.string(),
    step_instance_id: z.int(),
    workflow_version_id: z.int(),
    group_info: z.int(),
    owner: z.string(),
    definition: stepSchema,
    tags: tagListSchema,
    step_run_params: z.looseObject({}).optional(),
    restart_config: restartConfigSchema.optional(),
    params: paramsSchema,
    transition: z
      .strictObject({ predecessors: z.array(z.string()).optional(), successors: paramsSchema.optional() })
      .meta({ id: "StepInstanceTransition" }),
    step_retry: z
      .strictObject({
        error_retries: z.int(),
        error_retry_limit: z.int(),
        platform_retries: z.int(),
        platform_retry_limit: z.int(),
        timeout_retries: z.int(),
        timeout_retry_limit: z.int(),
        manual_retries: z.int(),
        retryable: z.boolean(),
        backoff: backoffPolicySchema,
      })
      .meta({ id: "StepRetry" }),
    timeout_in_millis: z.int().optional(),
    runtime_state: stepRuntimeStateSchema,
    signal_dependencies: z.looseObject({}).optional(),
    signal_outputs: z.looseObject({}).optional(),
    artifacts: z.record(z.string(), artifactSchema).optional(),
    timeline: z.array(timelineEventSchema).optional(),
  })
  .meta({ id: "StepInstance" });

export const stepInstancesSchema = z.array(stepInstanceSchema).meta({ id: "StepInstances" });

export const stepActionMapSchema = z
  .record(z.string(), z.array(z.string()))
  .meta({ id: "StepInstanceActionMap", description: "What a user may do with a step, by its status" });

export const stepActionResponseSchema = z
  .strictObject({
    workflow_id: z.string(),
    workflow_instance_id: z.int(),
    workflow_run_id: z.int(),
    step_id: z.string().optional().meta({ description: "Absent when a new run was made" }),
    step_attempt_id: z.int().optional(),
    step_runtime_state: stepRuntimeStateSchema.optional().meta({ description: "Absent unless the request has waited" }),
    timeline_event: timelineEventSchema,
  })
  .meta({ id: "StepInstanceActionResponse" });
