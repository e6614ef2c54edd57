/** What readers see of children while their parent's step runs: its artifact tells of those that have ended. Pure. */
import type { Artifact, Artifacts } from "../definition/timeline.ts";
import type { RollupOverview } from "../run/model.ts";
import type { OverviewView } from "../run/view.ts";
import type { ForeachArtifact } from "./foreach.ts";
import type { SubworkflowArtifact } from "./subworkflow.ts";
import type { WhileArtifact } from "./while.ts";

/** The one child that a while or a subworkflow waits for, as long as its artifact does not tell how it has ended. */
export function openChild({
  maestro_while,
  maestro_subworkflow,
}: Artifacts): { readonly workflowId: string; readonly instanceId: number } | undefined {
  if (maestro_while !== undefined) {
    const { loop_workflow_id, first_iteration, last_iteration, last_overview } = as<WhileArtifact>(maestro_while);
    if (last_iteration < first_iteration || last_overview !== undefined) return undefined;
    return { workflowId: loop_workflow_id, instanceId: last_iteration };
  }
  if (maestro_subworkflow === undefined) return undefined;
  const child = as<SubworkflowArtifact>(maestro_subworkflow);
  if (child.subworkflow_overview !== undefined) return undefined;
  return { workflowId: child.subworkflow_id, instanceId: child.subworkflow_instance_id };
}

/**
 * The artifacts with what is known of the children so far.
 * @param below leaves of the children that the artifact does not count
 * @param child of {@link openChild}
 */
export function withLive(artifacts: Artifacts, below: RollupOverview, child: OverviewView | undefined): Artifacts {
  const { maestro_foreach, maestro_while, maestro_subworkflow } = artifacts;
  if (maestro_foreach !== undefined && below.total_leaf_count > 0) {
    const { foreach_overview } = as<ForeachArtifact>(maestro_foreach);
    const overview = { ...foreach_overview, running_rollup: below };
    return { ...artifacts, maestro_foreach: { ...maestro_foreach, foreach_overview: overview } as unknown as Artifact };
  }
  if (child === undefined) return artifacts;
  if (maestro_while !== undefined) {
    return { ...artifacts, maestro_while: { ...maestro_while, last_overview: child } as unknown as Artifact };
  }
  return {
    ...artifacts,
    maestro_subworkflow: { ...maestro_subworkflow, subworkflow_overview: child } as unknown as Artifact,
  };
}

/** The program itself has written it. */
const as = <T>(artifact: Artifact): T => artifact as unknown as T;
