/** A subworkflow step: which instance it waits for, and what that makes of it. Pure. */
import type { OverviewView } from "../run/view.ts";

/** As it is stored and shown. */
export interface SubworkflowArtifact {
  readonly subworkflow_id: string;
  readonly subworkflow_version_id: number;
  readonly subworkflow_instance_id: number;
  readonly subworkflow_run_id: number;
  readonly subworkflow_uuid: string;
  readonly subworkflow_overview?: OverviewView;
  readonly type: "SUBWORKFLOW";
}
