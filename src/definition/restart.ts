/** The restart of a run, as it is stored and answered: `run_config.restart_config`. */
import type { ParamDefinitions } from "../param/type.ts";

export type RunPolicy =
  | "START_FRESH_NEW_RUN"
  | "START_CUSTOMIZED_RUN"
  | "RESTART_FROM_INCOMPLETE"
  | "RESTART_FROM_BEGINNING"
  | "RESTART_FROM_SPECIFIC"
  | "RESTART_CUSTOMIZED_RUN";

/** The run is the first of its instance. */
export const isFresh = (policy: RunPolicy): boolean => policy.startsWith("START_");

/** The run executes its whole definition, whatever earlier runs have done. */
export const isWhole = (policy: RunPolicy): boolean => isFresh(policy) || policy === "RESTART_FROM_BEGINNING";

/** One hop of a restart. */
export interface RestartNode {
  readonly workflow_id: string;
  readonly instance_id: number;
  /** null: the instance as a whole; only the deepest node may be. */
  readonly step_id: string | null;
}

/** By step. */
export type StepParamDefinitions = Readonly<Record<string, ParamDefinitions>>;

export interface RestartConfig {
  /** Deepest first; at least one. The last one is the run that has this config, or a step of it. */
  readonly restart_path: readonly RestartNode[];
  /** Of the deepest node. */
  readonly restart_policy: RunPolicy;
  /** Of runs below the deepest node, and of those beside the path. */
  readonly downstream_policy: RunPolicy;
  readonly restart_params?: ParamDefinitions | undefined;
  readonly step_restart_params?: StepParamDefinitions | undefined;
  readonly skip_steps?: readonly string[] | undefined;
}
