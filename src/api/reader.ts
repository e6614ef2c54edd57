/**
 * Stored rows to answers. Definitions are immutable, so the newest used ones are kept; everything else is read anew for
 * each request (D1).
 */

import { LRUCache } from "lru-cache";
import { fieldsOf, type Step } from "../definition/step.ts";
import type { Workflow } from "../definition/workflow.ts";
import { notFound } from "../error.ts";
import { allStepParams, allWorkflowParams } from "../param/scope.ts";
import { own } from "../record.ts";
import { type Aggregate, aggregateRuns, type RunLayer } from "../run/aggregate.ts";
import { correlationOf, type Run, type RunOverview } from "../run/model.ts";
import { runOverview } from "../run/overview.ts";
import { dagOf, planKey, planOf, type RuntimeDag, withRunTags } from "../run/plan.ts";
import { shownRunStatus } from "../run/status.ts";
import { type RunView, runView } from "../run/view.ts";
import type { StepAttempt } from "../step/model.ts";
import { withSatisfied } from "../step/satisfied.ts";
import { type StepView, stepView } from "../step/view.ts";
import type { Sql } from "../store/connection.ts";
import { loadAttemptStates, loadEarlierRuns, loadRunsOf } from "../store/instance.ts";
import { loadVersion } from "../store/version.ts";

/** How many definitions are kept. */
const CACHED = 200;

/** A run's plan as answers show it. */
interface Plan {
  readonly workflow: Workflow;
  readonly dag: RuntimeDag;
  readonly steps: ReadonlyMap<string, Step>;
}

function makePlan(run: Run, definition: Workflow): Plan {
  const plan = planOf(run, definition);
  const steps = new Map(plan.workflow.steps.map((step) => [fieldsOf(step).id, step]));
  return { workflow: plan.workflow, dag: dagOf(plan), steps };
}

export class Reader {
  readonly #sql: Sql;
  /** By version. */
  readonly #definitions = new LRUCache<string, Workflow>({ max: CACHED });
  /** Those that runs share. */
  readonly #plans = new LRUCache<string, Plan>({ max: CACHED });

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** @throws NOT_FOUND when the version went with its workflow's deletion */
  async definition(workflowId: string, internalId: number, versionId: number): Promise<Workflow> {
    const key = `${internalId}:${versionId}`;
    const known = this.#definitions.get(key);
    if (known !== undefined) return known;
    const version = await loadVersion(this.#sql, internalId, versionId);
    if (version === undefined) throw notFound(`The definition of workflow [${workflowId}] has been deleted.`);
    this.#definitions.set(key, version.workflow);
    return version.workflow;
  }

  /** The run executes the step, or would if it came so far. */
  async hasStep(run: Run, stepId: string): Promise<boolean> {
    return Object.hasOwn((await this.#plan(run)).dag, stepId);
  }

  async #plan(run: Run): Promise<Plan> {
    const key = planKey(run);
    const known = key === undefined ? undefined : this.#plans.get(key);
    const plan = known ?? makePlan(run, await this.definition(run.workflowId, run.internalId, run.versionId));
    if (key !== undefined && known === undefined) this.#plans.set(key, plan);
    const workflow = withRunTags(plan.workflow, run);
    return workflow === plan.workflow ? plan : { ...plan, workflow };
  }

  /** In the given order; overviews of live runs come from their attempts so far. */
  async runs(
    given: readonly Run[],
    options: { readonly enriched: boolean; readonly aggregated: boolean },
  ): Promise<RunView[]> {
    const earlier = options.aggregated ? await loadEarlierRuns(this.#sql, given) : [];
    const plans = new Map<number, Plan>();
    for (const run of [...given, ...earlier]) plans.set(run.key, await this.#plan(run));
    const read = await this.#overviews([...given, ...earlier], plans);
    const runs = await this.#begun(given, read);
    const overviews = new Map(read);
    for (const { key, overview } of runs) if (overview !== undefined) overviews.set(key, overview);
    return runs.map((run) => {
      const { workflow, dag } = plans.get(run.key) as Plan;
      return runView({
        run,
        workflow,
        dag,
        params: allWorkflowParams(run.params),
        overview: overviews.get(run.key),
        enriched: options.enriched,
        ...(options.aggregated && { aggregate: aggregateOf(run, earlier, plans, overviews) }),
      });
    });
  }

  async run(run: Run, options: { readonly enriched: boolean; readonly aggregated: boolean }): Promise<RunView> {
    const [view] = await this.runs([run], options);
    return view as RunView;
  }

  async steps(run: Run, attempts: readonly StepAttempt[], enriched: boolean): Promise<StepView[]> {
    const { dag, steps } = await this.#plan(run);
    const owner = {
      workflowId: run.workflowId,
      instanceId: run.instanceId,
      runId: run.runId,
      uuid: run.uuid,
      correlationId: correlationOf(run),
      versionId: run.versionId,
      groupInfo: run.groupInfo,
      owner: run.properties.owner,
    };
    return attempts.flatMap((attempt) => {
      const step = steps.get(attempt.stepId);
      if (step === undefined) return [];
      const identity = {
        workflow_instance_id: run.instanceId,
        step_instance_uuid: attempt.uuid,
        step_attempt_id: attempt.attemptId,
        step_id: attempt.stepId,
      };
      const params = allStepParams({ params: withSatisfied(attempt), identity, time: attempt.paramsTime });
      return [stepView({ owner, attempt, step, transition: own(dag, attempt.stepId) ?? {}, params, enriched })];
    });
  }

  /**
   * The rows of the runs are older than what was read of their attempts: one that had no steps yet, and now has some, is
   * read again, or the answer would show the steps of a run that is CREATED.
   */
  async #begun(runs: readonly Run[], overviews: ReadonlyMap<number, RunOverview>): Promise<readonly Run[]> {
    const hasSteps = ({ key }: Run): boolean => Object.keys(overviews.get(key)?.steps ?? {}).length > 0;
    const begun = runs.filter((run) => run.status === "CREATED" && hasSteps(run));
    if (begun.length === 0) return runs;
    const rows = await loadRunsOf(
      this.#sql,
      begun.map(({ key }) => key),
    );
    const current = new Map(rows.map((run) => [run.key, run]));
    return runs.map((run) => current.get(run.key) ?? run);
  }

  /** By run key: the stored overview, or the one so far; none before the launch. */
  async #overviews(runs: readonly Run[], plans: ReadonlyMap<number, Plan>): Promise<ReadonlyMap<number, RunOverview>> {
    const overviews = new Map<number, RunOverview>();
    const live: Run[] = [];
    for (const run of runs) {
      if (run.overview !== undefined) overviews.set(run.key, run.overview);
      else if (run.executionId !== undefined) live.push(run);
    }
    const attempts = await loadAttemptStates(
      this.#sql,
      live.map((run) => run.key),
    );
    for (const run of live) {
      const own = attempts.filter((it) => it.runKey === run.key).map((it) => it.attempt);
      overviews.set(run.key, runOverview(run, Object.keys(plans.get(run.key)?.dag ?? {}).length, own));
    }
    return overviews;
  }
}

function aggregateOf(
  run: Run,
  earlier: readonly Run[],
  plans: ReadonlyMap<number, Plan>,
  overviews: ReadonlyMap<number, RunOverview>,
): Aggregate {
  const before = earlier.filter((it) => it.workflowId === run.workflowId && it.instanceId === run.instanceId);
  const layers = [...before, run].map(
    (it): RunLayer => ({
      runId: it.runId,
      policy: it.config.policy,
      status: shownRunStatus(it.status),
      overview: overviews.get(it.key),
      reach: Object.keys(plans.get(it.key)?.dag ?? {}),
    }),
  );
  return aggregateRuns(layers, Object.keys(plans.get(run.key)?.dag ?? {}));
}
