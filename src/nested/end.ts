/** What a child tells the step that has started it. */
import { isUpstream } from "../definition/initiator.ts";
import type { Run } from "../run/model.ts";
import { EMPTY_ROLLUP } from "../run/overview.ts";
import { dagOf, type RunPlan } from "../run/plan.ts";
import { shownRunStatus } from "../run/status.ts";
import { overviewView } from "../run/view.ts";
import type { ChildEnd } from "./child.ts";

/** Undefined: nobody waits for it. */
export function childEnd(run: Run, plan: RunPlan): ChildEnd | undefined {
  const { workflowId, instanceId, runId, initiator, overview } = run;
  const parent = isUpstream(initiator) ? initiator.ancestors.at(-1) : undefined;
  if (parent === undefined || parent.sync === false) return undefined;
  return {
    workflowId,
    instanceId,
    runId,
    stepId: parent.step_id,
    attemptId: parent.step_attempt_id,
    status: shownRunStatus(run.status),
    rollup: overview?.rollup ?? EMPTY_ROLLUP,
    ...(overview && initiator.type !== "FOREACH" && { overview: overviewView(overview, dagOf(plan)) }),
  };
}
