/** Timeline events and artifacts: what runs and attempts leave for people and for later steps to read. */
import { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../error.ts";
import type { RawNumber } from "../json.ts";
import { type User, userSchema } from "./user.ts";
import { type Fields, flag, instant, kind, long, object, reading, spellings, strict, text } from "./wire.ts";

export const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface TimelineLogEvent {
  readonly timestamp: number;
  readonly type: "LOG";
  readonly level: LogLevel;
  readonly message: string;
}

export interface TimelineDetailsEvent {
  readonly timestamp: number;
  readonly type: "DETAILS";
  readonly status: ErrorCode;
  readonly message?: string | undefined;
  readonly errors?: readonly string[] | undefined;
  readonly retryable?: boolean | undefined;
}

export interface TimelineStatusEvent {
  readonly timestamp: number;
  readonly type: "STATUS";
  readonly status: string;
}

export interface TimelineActionEvent {
  readonly timestamp: number;
  readonly type: "ACTION";
  readonly action: string;
  readonly author?: User | undefined;
  readonly message?: string | undefined;
  readonly reason?: string | undefined;
  readonly info?: number | RawNumber | undefined;
}

export interface TimelineMilestoneEvent {
  readonly timestamp: number;
  readonly type: "MILESTONE";
  readonly status: string;
  readonly milestone_type: "CMB_JOB" | "CMB_TASK";
  readonly source_id: string;
  readonly info?: string | undefined;
}

export type TimelineEvent =
  | TimelineLogEvent
  | TimelineDetailsEvent
  | TimelineStatusEvent
  | TimelineActionEvent
  | TimelineMilestoneEvent;

export const timelineEventSchema: z.ZodType<TimelineEvent> = reading(
  (fields) => (typeof fields.type === "string" ? { ...fields, type: fields.type.toUpperCase() } : fields),
  z.discriminatedUnion("type", [
    strict({ timestamp: instant, type: kind("LOG"), level: z.enum(LOG_LEVELS), message: text }).meta({
      id: "TimelineLogEvent",
    }),
    strict({
      timestamp: instant,
      type: kind("DETAILS"),
      status: z.enum(ERROR_CODES),
      message: text.optional(),
      errors: z.array(text).optional(),
      retryable: flag.optional(),
    }).meta({ id: "TimelineDetailsEvent" }),
    strict({ timestamp: instant, type: kind("STATUS"), status: text }).meta({ id: "TimelineStatusEvent" }),
    strict({
      timestamp: instant,
      type: kind("ACTION"),
      action: text,
      author: userSchema.optional(),
      message: text.optional(),
      reason: text.optional(),
      info: long.optional(),
    }).meta({ id: "TimelineActionEvent" }),
    strict({
      timestamp: instant,
      type: kind("MILESTONE"),
      status: text,
      milestone_type: z.enum(["CMB_JOB", "CMB_TASK"]),
      source_id: text,
      info: text.optional(),
    }).meta({ id: "TimelineMilestoneEvent" }),
  ]),
).meta({ id: "TimelineEvent" });

/** What a runtime remembers of its job. Its `type` says which fields it has; free-form without one. */
export interface Artifact {
  readonly type?: string | undefined;
  readonly [field: string]: unknown;
}

/** By key, which is fixed for each type: `maestro_foreach`, `maestro_subworkflow`, … */
export type Artifacts = Readonly<Record<string, Artifact>>;

/** Types whose fields are fixed; an artifact of any other type, or of none, is free-form and carries no type. */
export const ARTIFACT_TYPES = [
  "SUBWORKFLOW",
  "FOREACH",
  "WHILE",
  "TITUS",
  "NOTEBOOK",
  "DYNAMIC_OUTPUT",
  "KUBERNETES",
  "HTTP",
  "RETRY",
] as const;

const knownTypes: ReadonlySet<unknown> = new Set(ARTIFACT_TYPES);

function canonicalType({ type, ...fields }: Fields): Fields {
  const name = typeof type === "string" ? type.toUpperCase() : undefined;
  return knownTypes.has(name) ? { ...fields, type: name } : fields;
}

export const artifactSchema: z.ZodType<Artifact> = reading(
  canonicalType,
  z.looseObject({ type: z.enum(ARTIFACT_TYPES).optional() }),
).meta({ id: "Artifact" });
// A `type` that is none of these is no error: what an artifact holds is its runtime's affair.
spellings.add(artifactSchema, { instead: { type: "object", additionalProperties: {} } });

/** One line of a workflow's history. */
export interface WorkflowTimelineEvent {
  readonly author: User;
  readonly log: string;
  readonly timestamp: number;
}

export const workflowTimelineEventSchema: z.ZodType<WorkflowTimelineEvent> = object({
  author: userSchema,
  log: text,
  timestamp: instant,
}).meta({ id: "WorkflowTimelineEvent" });
