/**
 * A run in its wire shape (WorkflowInstance): the row, and what its definition's version says already.
 * Absent fields are left out, in the order in which upstream writes the others.
 */

import type { Initiator } from "../definition/initiator.ts";
import type { StepParamDefinitions } from "../definition/restart.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import type { Workflow } from "../definition/workflow.ts";
import type { ParamDefinitions, Params } from "../param/type.ts";
import type { StepStatus } from "../step/status.ts";
import type { Aggregate } from "./aggregate.ts";
import { correlationOf, type RollupOverview, type Run, type RunConfig, type RunOverview } from "./model.ts";
import type { RuntimeDag } from "./plan.ts";
import { type RunStatus, shownRunStatus } from "./status.ts";
import { enrichRunTimeline } from "./timeline.ts";

export interface OverviewView {
  readonly total_step_count: number;
  readonly step_overview: {
    readonly [status in StepStatus]?: {
      readonly cnt: number;
      readonly steps: readonly (readonly [ordinal: number, start: number | null, end: number | null])[];
    };
  };
  readonly rollup_overview: RollupOverview;
  readonly run_status?: RunStatus;
}

export interface AggregateView {
  readonly workflow_instance_status: RunStatus;
  readonly step_aggregated_views: Readonly<
    Record<
      string,
      {
        readonly workflow_run_id?: number;
        readonly status: StepStatus;
        readonly start_time?: number;
        readonly end_time?: number;
      }
    >
  >;
}

export interface RunView {
  readonly workflow_id: string;
  readonly workflow_instance_id: number;
  readonly workflow_run_id: number;
  readonly workflow_uuid: string;
  readonly correlation_id: string;
  readonly workflow_version_id: number;
  readonly group_info: number;
  readonly internal_id: number;
  readonly execution_id?: string;
  readonly run_config: Omit<RunConfig, "step_run_params">;
  readonly run_params: ParamDefinitions;
  readonly step_run_params?: StepParamDefinitions;
  readonly run_properties: Run["properties"];
  readonly runtime_workflow: Workflow;
  readonly runtime_dag: RuntimeDag;
  readonly timeout_in_millis?: number;
  readonly params: Params;
  readonly initiator: Initiator;
  readonly status: RunStatus;
  readonly request_time: number;
  readonly create_time: number;
  readonly start_time?: number;
  readonly end_time?: number;
  readonly modify_time: number;
  readonly runtime_overview?: OverviewView;
  readonly artifacts?: Artifacts;
  readonly timeline?: readonly TimelineEvent[];
  readonly aggregated_info?: AggregateView;
}

export interface RunViewInput {
  readonly run: Run;
  /** As the run executes it: see `planOf`, with the run's tags. */
  readonly workflow: Workflow;
  readonly dag: RuntimeDag;
  /** Whole: with the system defaults put back. */
  readonly params: Params;
  /** The stored one, or derived from the attempts so far. */
  readonly overview: RunOverview | undefined;
  readonly aggregate?: Aggregate | undefined;
  /** Adds the changes of status to the timeline. */
  readonly enriched: boolean;
}

export function runView(input: RunViewInput): RunView {
  const { run, dag, aggregate } = input;
  const timeline = input.enriched ? enrichRunTimeline(run) : run.timeline;
  const launched = run.executionId !== undefined;
  const { step_run_params, ...config } = run.config;
  return {
    workflow_id: run.workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    workflow_uuid: run.uuid,
    correlation_id: correlationOf(run),
    workflow_version_id: run.versionId,
    group_info: run.groupInfo,
    internal_id: run.internalId,
    ...(run.executionId !== undefined && { execution_id: run.executionId }),
    run_config: config,
    run_params: run.runParams,
    ...(step_run_params !== undefined && { step_run_params }),
    run_properties: run.properties,
    runtime_workflow: input.workflow,
    runtime_dag: dag,
    ...(run.timeoutMs !== undefined && { timeout_in_millis: run.timeoutMs }),
    params: input.params,
    initiator: run.initiator,
    status: shownRunStatus(run.status),
    request_time: run.requestTime,
    create_time: run.createTime,
    ...(run.startTime !== undefined && { start_time: run.startTime }),
    ...(run.endTime !== undefined && { end_time: run.endTime }),
    modify_time: run.modifyTime,
    ...(launched && input.overview !== undefined && { runtime_overview: overviewView(input.overview, dag) }),
    ...(Object.keys(run.artifacts).length > 0 && { artifacts: run.artifacts }),
    ...(timeline.length > 0 && { timeline }),
    ...(aggregate !== undefined && { aggregated_info: aggregateView(aggregate) }),
  };
}

export function overviewView({ runStatus, ...overview }: RunOverview, dag: RuntimeDag): OverviewView {
  const ordinals = new Map(Object.keys(dag).map((id, index) => [id, index + 1]));
  const steps: { [status in StepStatus]?: { cnt: number; steps: [number, number | null, number | null][] } } = {};
  for (const [status, rows] of Object.entries(overview.steps) as [StepStatus, RunOverview["steps"][StepStatus]][]) {
    if (rows === undefined) continue;
    const numbered = rows.map(([id, start, end]): [number, number | null, number | null] => [
      ordinals.get(id) ?? 0,
      start,
      end,
    ]);
    steps[status] = { cnt: rows.length, steps: numbered.sort((a, b) => a[0] - b[0]) };
  }
  return {
    total_step_count: overview.total,
    step_overview: steps,
    rollup_overview: overview.rollup,
    ...(runStatus !== undefined && { run_status: runStatus }),
  };
}

export function aggregateView(aggregate: Aggregate): AggregateView {
  const views = [...aggregate.steps].map(([id, { runId, status, start, end }]) => {
    const view = {
      ...(runId !== undefined && { workflow_run_id: runId }),
      status,
      ...(start !== undefined && { start_time: start }),
      ...(end !== undefined && { end_time: end }),
    };
    return [id, view] as const;
  });
  return { workflow_instance_status: aggregate.status, step_aggregated_views: Object.fromEntries(views) };
}
