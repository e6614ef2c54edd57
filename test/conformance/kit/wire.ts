/** What scenarios read of the server's answers. */
import type { Params, Part } from "./definition.ts";

export interface Event {
  readonly type: string;
  readonly timestamp: number;
  readonly status?: string;
  readonly action?: string;
  readonly level?: string;
  readonly message?: string;
}

export interface Evaluated {
  readonly [name: string]: { readonly evaluated_result?: unknown; readonly source?: string; readonly mode?: string };
}

export interface Rollup {
  readonly total_leaf_count: number;
  readonly overview?: {
    readonly [status: string]: { readonly cnt: number; readonly ref?: { readonly [run: string]: readonly string[] } };
  };
}

export interface Overview {
  readonly total_step_count: number;
  readonly step_overview?: {
    readonly [status: string]: { readonly cnt: number; readonly steps?: readonly unknown[][] };
  };
  readonly rollup_overview?: Rollup;
  readonly run_status?: string;
}

export interface Aggregate {
  readonly workflow_instance_status: string;
  readonly step_aggregated_views: {
    readonly [step: string]: { readonly status: string; readonly workflow_run_id?: number };
  };
}

export interface RunBody {
  readonly workflow_id: string;
  readonly workflow_instance_id: number;
  readonly workflow_run_id: number;
  readonly workflow_uuid: string;
  readonly workflow_version_id: number;
  readonly correlation_id: string;
  readonly execution_id?: string;
  readonly status: string;
  readonly create_time: number;
  readonly start_time?: number;
  readonly end_time?: number;
  readonly params: Evaluated;
  readonly run_config: { readonly policy: string; readonly restart_config?: Part };
  readonly runtime_dag: Part;
  readonly runtime_overview?: Overview;
  readonly initiator: { readonly type: string; readonly depth: number; readonly ancestors?: readonly Part[] };
  readonly timeline?: readonly Event[];
  readonly aggregated_info?: Aggregate;
}

export interface StepBody {
  readonly step_id: string;
  readonly step_attempt_id: number;
  readonly workflow_run_id: number;
  readonly params: Evaluated;
  readonly runtime_state: { readonly status: string; readonly [time: string]: number | string | undefined };
  readonly step_retry: { readonly [counter: string]: unknown; readonly retryable: boolean };
  readonly transition: { readonly successors?: { readonly [step: string]: { readonly evaluated_result: boolean } } };
  readonly tags: readonly { readonly name: string }[];
  readonly signal_outputs?: Part;
  readonly artifacts?: Artifacts;
  readonly timeline?: readonly Event[];
}

interface Artifacts {
  readonly maestro_foreach?: ForeachArtifact;
  readonly maestro_while?: WhileArtifact;
  readonly maestro_subworkflow?: {
    readonly subworkflow_id: string;
    readonly subworkflow_version_id: number;
    readonly subworkflow_instance_id: number;
    readonly subworkflow_run_id: number;
    readonly subworkflow_overview?: Overview;
  };
}

interface ForeachArtifact {
  readonly foreach_workflow_id: string;
  readonly foreach_run_id: number;
  readonly total_loop_count: number;
  readonly next_loop_index: number;
  readonly foreach_overview: {
    readonly stats?: { readonly [status: string]: number };
    readonly details?: { readonly [status: string]: readonly unknown[] };
    readonly rollup?: Rollup;
  };
}

interface WhileArtifact {
  readonly loop_workflow_id: string;
  readonly loop_run_id: number;
  readonly first_iteration: number;
  readonly last_iteration: number;
  readonly loop_param_values: { readonly [name: string]: readonly unknown[] };
}

export interface StartBody {
  readonly workflow_instance_id: number;
  readonly workflow_run_id: number;
  readonly workflow_version_id: number;
  readonly workflow_uuid: string;
  readonly status: string;
  readonly timeline_event: Event;
}

export interface ActionBody {
  readonly workflow_instance_status: string;
  readonly completed: boolean;
}

export type RestartPolicy = "RESTART_FROM_INCOMPLETE" | "RESTART_FROM_BEGINNING";

/** Fields of a start's or restart's body. */
export interface Asked {
  readonly run_params?: Params;
  readonly request_id?: string;
  readonly [field: string]: unknown;
}
