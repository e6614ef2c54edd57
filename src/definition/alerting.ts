/** Alerting settings of a workflow. */
import { z } from "zod";
import { RANGE } from "./range.ts";
import { caseless, flag, instant, integer, object, setOf, text } from "./wire.ts";

export const ALERT_TYPES = [
  "STEP_FAILURE",
  "TCT_VIOLATION",
  "LONG_RUNNING",
  "DEPENDENCY_LATE",
  "BREAKPOINT_HIT",
  "DEFINITION_CHANGE",
  "RUN_SUCCESS",
  "SUCCESS_WITHIN",
] as const;

export type AlertType = (typeof ALERT_TYPES)[number];

export const ALERT_ACTIONS = ["email", "page", "slack", "cancel"] as const;
export const ALERT_GRANULARITIES = ["WORKFLOW", "STEP", "ALL"] as const;
export const PAGERDUTY_SEVERITIES = ["CRITICAL", "ERROR", "WARNING", "INFO"] as const;

export interface Slack {
  readonly users?: readonly string[] | undefined;
  readonly channels?: readonly string[] | undefined;
  readonly mention_users?: readonly string[] | undefined;
}

export interface AlertTypeConfig {
  readonly emails?: readonly string[] | undefined;
  readonly pagerduties?: readonly string[] | undefined;
  readonly slack?: Slack | undefined;
  readonly actions?: readonly (typeof ALERT_ACTIONS)[number][] | undefined;
  readonly disabled: boolean;
  readonly granularity?: (typeof ALERT_GRANULARITIES)[number] | undefined;
  readonly duration_minutes?: number | undefined;
}

/** When the run should have ended: exactly one of hour, duration and instant. */
export interface Tct {
  readonly completed_by_hour?: number | undefined;
  readonly duration_minutes?: number | undefined;
  readonly completed_by_ts?: number | undefined;
  /** Zone of the hour; the param WORKFLOW_CRON_TIMEZONE when absent. */
  readonly tz?: string | undefined;
}

export interface Alerting {
  /** May hold `${param}`. */
  readonly emails?: readonly string[] | undefined;
  readonly pagerduties?: readonly string[] | undefined;
  readonly slack?: Slack | undefined;
  readonly bypass_digest_config?:
    | { readonly workflow: boolean; readonly steps?: readonly string[] | undefined }
    | undefined;
  readonly type_configs?: { readonly [type in AlertType]?: AlertTypeConfig | undefined } | undefined;
  readonly pagerduty_config?:
    | {
        readonly severity?: (typeof PAGERDUTY_SEVERITIES)[number] | undefined;
        readonly always_page?: boolean | undefined;
      }
    | undefined;
  readonly tct?: Tct | undefined;
}

const texts = setOf(text).optional();
const slack = object({ users: texts, channels: texts, mention_users: texts });

const typeConfig = object({
  emails: texts,
  pagerduties: texts,
  slack: slack.optional(),
  actions: setOf(caseless(ALERT_ACTIONS)).optional(),
  disabled: flag.prefault(false),
  granularity: caseless(ALERT_GRANULARITIES).optional(),
  duration_minutes: integer(RANGE.alertMinutes).optional(),
});

const TCT_KINDS = ["completed_by_hour", "duration_minutes", "completed_by_ts"] as const;

const tctSchema: z.ZodType<Tct> = object({
  completed_by_hour: integer(RANGE.alertHours).optional(),
  duration_minutes: integer(RANGE.alertMinutes).optional(),
  completed_by_ts: instant.optional(),
  tz: text.optional(),
}).refine((tct) => TCT_KINDS.filter((kind) => tct[kind] !== undefined).length === 1, {
  error: `needs exactly one of ${TCT_KINDS.join(", ")}`,
});

export const alertingSchema: z.ZodType<Alerting> = object({
  emails: texts,
  pagerduties: texts,
  slack: slack.optional(),
  bypass_digest_config: object({ workflow: flag.prefault(false), steps: texts }).optional(),
  type_configs: z.partialRecord(z.enum(ALERT_TYPES), typeConfig).optional(),
  pagerduty_config: object({
    severity: caseless(PAGERDUTY_SEVERITIES).optional(),
    always_page: flag.optional(),
  }).optional(),
  tct: tctSchema.optional(),
}).meta({ id: "Alerting" });
