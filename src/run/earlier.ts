/** What the runs of an instance have come to, run by run: each is planned from what those before it have left. */
import type { Workflow } from "../definition/workflow.ts";
import type { StepAttempt } from "../step/model.ts";
import { type Aggregate, addRun, NO_RUNS, type RunLayer } from "./aggregate.ts";
import type { Run, RunOverview } from "./model.ts";
import { type Earlier, isPartial, madeIn, type PlannedRun, planOf, type RunPlan, reachOf } from "./plan.ts";
import { shownRunStatus } from "./status.ts";

/** As much of a run as says what it has left. */
export type EndedRun = PlannedRun & Pick<Run, "runId" | "status" | "overview">;

const NO_ATTEMPTS: ReadonlyMap<string, StepAttempt> = new Map();

/**
 * @param runs of one instance, ascending: all that were before some run, or those from the latest one on that executed the
 *   whole definition
 * @param definition of their version, which is the same for all
 */
export function aggregateOf(runs: readonly EndedRun[], definition: Workflow): Aggregate {
  const whole = runs.findLastIndex((run) => !isPartial(run));
  let aggregate = NO_RUNS;
  for (const run of runs.slice(Math.max(0, whole))) {
    const plan = planOf(run, definition, { aggregate, attempts: NO_ATTEMPTS });
    aggregate = addRun(aggregate, layerOf(run, plan, run.overview), plan.stepIds);
  }
  return aggregate;
}

export const earlierOf = (
  runs: readonly EndedRun[],
  attempts: readonly StepAttempt[],
  definition: Workflow,
): Earlier => ({
  aggregate: aggregateOf(runs, definition),
  attempts: new Map(attempts.map((attempt) => [attempt.stepId, attempt])),
});

/** @param overview the stored one, or derived from the attempts so far; undefined before the launch */
export function layerOf(
  run: Pick<Run, "runId" | "status" | "config">,
  plan: Pick<RunPlan, "nodes" | "held">,
  overview: RunOverview | undefined,
): RunLayer {
  const made = madeIn(overview);
  return {
    runId: run.runId,
    policy: run.config.policy,
    status: shownRunStatus(run.status),
    overview,
    reach: reachOf(plan, (id) => made.has(id)),
  };
}
