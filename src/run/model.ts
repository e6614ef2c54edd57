/** One attempt at a workflow instance: the row, as plain data. `view.ts` puts it into its wire shape. */

import type { Alerting } from "../definition/alerting.ts";
import type { Initiator } from "../definition/initiator.ts";
import type { RunAs } from "../definition/properties.ts";
import type { RestartConfig, RunPolicy, StepParamDefinitions } from "../definition/restart.ts";
import type { Tag } from "../definition/tag.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import type { WorkflowParams } from "../param/scope.ts";
import type { ParamDefinitions } from "../param/type.ts";
import type { StepStatus } from "../step/status.ts";
import type { RunStatus, StoredRunStatus } from "./status.ts";

export interface RunRef {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;
}

export interface RunConfig {
  readonly runtime_tags?: readonly Tag[] | undefined;
  readonly correlation_id?: string | undefined;
  readonly policy: RunPolicy;
  readonly restart_config?: RestartConfig | undefined;
  /** What earlier restarts gave for steps; in wire shape it stands beside the config. */
  readonly step_run_params?: StepParamDefinitions | undefined;
}

/** The properties that held when the run was created. */
export interface RunProperties {
  readonly create_time: number;
  readonly owner: string;
  /** OWNER when absent. */
  readonly run_as?: RunAs | undefined;
  /** Who its steps run as; absent: the owner. */
  readonly user?: string | undefined;
  readonly alerting?: Alerting | undefined;
  readonly step_concurrency?: number | undefined;
  /** Of the root's definition; a run that a step starts has its parent's, whatever its own definition says. */
  readonly instance_step_concurrency?: number | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

/** Counts by step status, with `[step id, start, end]` of each step; stored when the run ends, derived while it runs. */
export interface RunOverview {
  readonly total: number;
  readonly steps: { readonly [status in StepStatus]?: readonly (readonly [string, number | null, number | null])[] };
  /** Leaf steps over the whole tree. */
  readonly rollup: RollupOverview;
  /** How this run itself has ended, where the instance has another status for what earlier runs left. */
  readonly runStatus?: RunStatus | undefined;
}

export interface RollupOverview {
  readonly total_leaf_count: number;
  readonly overview: {
    readonly [status in StepStatus]?: {
      readonly cnt: number;
      readonly ref?: { readonly [run: string]: readonly string[] } | undefined;
    };
  };
}

export interface Run extends RunRef {
  /** The row's own key: what step rows point at. */
  readonly key: number;
  /** The request id, or random: the key that makes a repeated start harmless. */
  readonly uuid: string;
  /** Identifies the workflow through deletion and re-creation; with `versionId` it names an immutable definition. */
  readonly internalId: number;
  readonly versionId: number;
  readonly groupId: number;
  /** The number of groups when the root run was created. */
  readonly groupInfo: number;
  /** Undefined: `workflow:instance:run`. */
  readonly correlationId: string | undefined;
  /** The key of the run whose step has started this one; undefined: a root. */
  readonly parentKey?: number | undefined;
  readonly initiator: Initiator;
  readonly config: RunConfig;
  readonly runParams: ParamDefinitions;
  readonly properties: RunProperties;
  /** Merged and evaluated workflow params; plain JSON, untouched system defaults as what they follow from. */
  readonly params: WorkflowParams;
  readonly timeoutMs: number | undefined;
  readonly status: StoredRunStatus;
  /** Undefined while the run strategy holds the run back. */
  readonly executionId: string | undefined;
  /** Epoch milliseconds. */
  readonly requestTime: number;
  readonly createTime: number;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
  readonly modifyTime: number;
  /** Set once the run has ended. */
  readonly overview: RunOverview | undefined;
  readonly artifacts: Artifacts;
  readonly timeline: readonly TimelineEvent[];
}

export const runIdentity = (run: RunRef): string => `[${run.workflowId}][${run.instanceId}][${run.runId}]`;
/** Who the steps of a run run as. */
export const userOf = ({ user, owner }: RunProperties): string => user ?? owner;
export const correlationOf = (run: Run): string =>
  run.correlationId ?? `${run.workflowId}:${run.instanceId}:${run.runId}`;
