/** The push request, and the definition as it is answered. */
import { z } from "zod";
import type { ParamDefinitions } from "../param/type.ts";
import { paramDefinitionsSchema } from "./parameter.ts";
import { type Properties, type PropertiesSnapshot, propertiesSchema, propertiesSnapshotSchema } from "./properties.ts";
import { type User, userSchema } from "./user.ts";
import { flag, instant, integer, mapOf, object, open, text } from "./wire.ts";
import { type Workflow, workflowSchema } from "./workflow.ts";

export interface GitInfo {
  readonly origin?: string | undefined;
  readonly branch?: string | undefined;
  readonly sha?: string | undefined;
  readonly path?: string | undefined;
  readonly author?: string | undefined;
  readonly timestamp?: number | undefined;
  readonly uncommitted_changes?: boolean | undefined;
}

/** Extra keys of the push request are kept beside the known ones. */
export interface Metadata {
  readonly workflow_id: string;
  readonly workflow_version_id: number;
  /** Epoch ms. */
  readonly create_time: number;
  readonly version_author: User;
  readonly git_info?: GitInfo | undefined;
  readonly [extra: string]: unknown;
}

export interface WorkflowCreateRequest {
  readonly properties?: Properties | undefined;
  readonly workflow: Workflow;
  readonly is_active: boolean;
  readonly git_info?: GitInfo | undefined;
  /** Any other key goes to the metadata. */
  readonly [extra: string]: unknown;
}

export interface DefinitionExtras {
  readonly workflow_params?: ParamDefinitions | undefined;
  readonly step_params?: Readonly<Record<string, ParamDefinitions>> | undefined;
  /** Epoch ms, the earliest of the next. */
  readonly next_execution_time?: number | undefined;
  readonly next_execution_times?: readonly (number | null)[] | undefined;
}

export interface WorkflowDefinition {
  /** Always the current one, whichever version is read. */
  readonly properties_snapshot: PropertiesSnapshot;
  readonly metadata: Metadata;
  readonly workflow: Workflow;
  readonly is_active: boolean;
  readonly activate_time?: number | undefined;
  readonly activated_by?: User | undefined;
  readonly is_latest: boolean;
  readonly is_default: boolean;
  /** Absent: it is not. */
  readonly paused?: boolean | undefined;
  readonly internal_id?: number | undefined;
  readonly enriched_extras?: DefinitionExtras | undefined;
  readonly modify_time: number;
}

export const gitInfoSchema: z.ZodType<GitInfo> = object({
  origin: text.optional(),
  branch: text.optional(),
  sha: text.optional(),
  path: text.optional(),
  author: text.optional(),
  timestamp: integer().optional(),
  uncommitted_changes: flag.optional(),
}).meta({ id: "GitInfo" });

/** Keys of the metadata that the server writes. */
const RESERVED = ["workflow_id", "workflow_version_id", "create_time", "version_author"] as const;

export const workflowCreateRequestSchema: z.ZodType<WorkflowCreateRequest> = open({
  properties: propertiesSchema.optional(),
  workflow: workflowSchema,
  is_active: flag.prefault(true),
  git_info: gitInfoSchema.optional(),
})
  .superRefine((request, context) => {
    for (const key of RESERVED) {
      if (key in request)
        context.addIssue({ code: "custom", path: [key], message: "is set by the server; leave it out" });
    }
  })
  .meta({ id: "WorkflowCreateRequest", description: "Further keys are kept in the metadata of the version" });

export const metadataSchema: z.ZodType<Metadata> = open({
  workflow_id: text,
  workflow_version_id: integer(),
  create_time: instant,
  version_author: userSchema,
  git_info: gitInfoSchema.optional(),
}).meta({ id: "Metadata" });

export const definitionExtrasSchema: z.ZodType<DefinitionExtras> = object({
  workflow_params: paramDefinitionsSchema.optional(),
  step_params: mapOf(paramDefinitionsSchema).optional(),
  next_execution_time: instant.optional(),
  next_execution_times: z.array(instant.nullable()).optional(),
}).meta({ id: "WorkflowDefinitionExtras" });

export const workflowDefinitionSchema: z.ZodType<WorkflowDefinition> = object({
  properties_snapshot: propertiesSnapshotSchema,
  metadata: metadataSchema,
  workflow: workflowSchema,
  is_active: flag,
  activate_time: instant.optional(),
  activated_by: userSchema.optional(),
  is_latest: flag,
  is_default: flag,
  paused: flag.optional(),
  internal_id: integer().optional(),
  enriched_extras: definitionExtrasSchema.optional(),
  modify_time: instant,
}).meta({ id: "WorkflowDefinition" });

/** The metadata of a new version. */
export function metadataOf(
  request: WorkflowCreateRequest,
  version: { readonly id: number; readonly createTime: number; readonly author: User },
): Metadata {
  const { properties: _p, workflow, is_active: _a, git_info, ...extra } = request;
  return {
    workflow_id: workflow.id,
    workflow_version_id: version.id,
    create_time: version.createTime,
    version_author: version.author,
    ...(git_info === undefined ? {} : { git_info }),
    ...extra,
  };
}
