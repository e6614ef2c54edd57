/**
 * Stored rows to answers. Definitions are immutable, so the newest used ones are kept; everything else is read anew for
 * each request (D1).
 */

import { LRUCache } from "lru-cache";
import { isInline, isUpstream } from "../definition/initiator.ts";
import { fieldsOf, type Step } from "../definition/step.ts";
import type { Artifacts } from "../definition/timeline.ts";
import type { Workflow } from "../definition/workflow.ts";
import { notFound } from "../error.ts";
import type { EarlierRows } from "../flow/port.ts";
import { openChild, withLive } from "../nested/live.ts";
import { allStepParams, allWorkflowParams } from "../param/scope.ts";
import { own } from "../record.ts";
import { type Aggregate, addRun, NO_RUNS } from "../run/aggregate.ts";
import { earlierOf, layerOf } from "../run/earlier.ts";
import { correlationOf, type RollupOverview, type Run, type RunOverview } from "../run/model.ts";
import { addRollups, hasChildren, rollupBase, runOverview } from "../run/overview.ts";
import { dagOf, isPartial, planKey, planOf, type RunPlan, type RuntimeDag, withRunTags } from "../run/plan.ts";
import { type OverviewView, overviewView, type RunView, runView } from "../run/view.ts";
import type { StepAttempt } from "../step/model.ts";
import { withSatisfied } from "../step/satisfied.ts";
import { isTerminal } from "../step/status.ts";
import { type StepView, stepView } from "../step/view.ts";
import type { Sql } from "../store/connection.ts";
import { loadEarlier } from "../store/earlier.ts";
import { loadAttemptStates, loadAttemptUuid, loadRun, loadRunsOf } from "../store/instance.ts";
import { type LiveStep, liveSteps } from "../store/tree.ts";
import { loadVersion } from "../store/version.ts";

/** How many definitions are kept. */
const CACHED = 200;

/** A run's plan as answers show it. */
interface Plan {
  readonly plan: RunPlan;
  readonly workflow: Workflow;
  readonly dag: RuntimeDag;
  readonly steps: ReadonlyMap<string, Step>;
}

function makePlan(plan: RunPlan): Plan {
  const steps = new Map(plan.workflow.steps.map((step) => [fieldsOf(step).id, step]));
  return { plan, workflow: plan.workflow, dag: dagOf(plan), steps };
}

export class Reader {
  readonly #sql: Sql;
  /** By version. */
  readonly #definitions = new LRUCache<string, Workflow>({ max: CACHED });
  /** Those that runs share. */
  readonly #plans = new LRUCache<string, Plan>({ max: CACHED });
  /** Of attempts at loops, which never change. */
  readonly #uuids = new LRUCache<string, string>({ max: CACHED });

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

  /** What the run executes, as answers show it. */
  async workflow(run: Run): Promise<Workflow> {
    return (await this.#plan(run)).workflow;
  }

  /** What the run executes. */
  async plan(run: Run): Promise<RunPlan> {
    return (await this.#plan(run)).plan;
  }

  /** What the run would execute if it began anew. */
  wholePlan = (run: Run): Promise<RunPlan> => this.plan({ ...run, config: { policy: "START_FRESH_NEW_RUN" } });

  /** What the instance has come to with this run, which is its latest. */
  async aggregate(run: Run): Promise<Aggregate> {
    const plans = await this.#plansOf([run]);
    const overviews = await this.#overviews([run], plans);
    return aggregateOf(run, plans.get(run.key) as Plan, overviews.get(run.key));
  }

  async #plan(run: Run): Promise<Plan> {
    return (await this.#plansOf([run])).get(run.key) as Plan;
  }

  /** By run key. */
  async #plansOf(runs: readonly Run[]): Promise<ReadonlyMap<number, Plan>> {
    const partial = runs.filter(isPartial);
    const rows = await loadEarlier(this.#sql, partial);
    const before = new Map(partial.map((run, index) => [run.key, rows[index]]));
    const plans = new Map<number, Plan>();
    for (const run of runs) plans.set(run.key, await this.#planFor(run, before.get(run.key)));
    return plans;
  }

  async #planFor(run: Run, before: EarlierRows | undefined): Promise<Plan> {
    const key = planKey(run);
    const known = key === undefined ? undefined : this.#plans.get(key);
    if (known !== undefined) return withTags(known, run);
    const [definition, parentUuid] = await Promise.all([
      this.definition(run.workflowId, run.internalId, run.versionId),
      this.#parentUuid(run),
    ]);
    const earlier = before && earlierOf(before.runs, before.attempts, definition);
    const plan = makePlan(planOf({ ...run, parentUuid }, definition, earlier));
    if (key !== undefined) this.#plans.set(key, plan);
    return withTags(plan, run);
  }

  /** Of the attempt that has made an iteration of a loop. */
  async #parentUuid({ initiator, parentKey }: Run): Promise<string | undefined> {
    const parent = isInline(initiator) && isUpstream(initiator) ? initiator.ancestors.at(-1) : undefined;
    if (parent === undefined || parentKey === undefined) return undefined;
    const { step_id: stepId, step_attempt_id: attemptId } = parent;
    const key = `${parentKey}:${attemptId}:${stepId}`;
    const known = this.#uuids.get(key) ?? (await loadAttemptUuid(this.#sql, parentKey, stepId, attemptId));
    if (known !== undefined) this.#uuids.set(key, known);
    return known;
  }

  /** In the given order; overviews of live runs come from their attempts so far. */
  async runs(
    given: readonly Run[],
    options: { readonly enriched: boolean; readonly aggregated: boolean },
  ): Promise<RunView[]> {
    const plans = await this.#plansOf(given);
    const read = await this.#overviews(given, plans);
    const runs = await this.#begun(given, read);
    const overviews = new Map(read);
    for (const { key, overview } of runs) if (overview !== undefined) overviews.set(key, overview);
    return runs.map((run) => {
      const plan = plans.get(run.key) as Plan;
      const overview = overviews.get(run.key);
      return runView({
        run,
        workflow: plan.workflow,
        dag: plan.dag,
        params: allWorkflowParams(run.params),
        overview,
        enriched: options.enriched,
        ...(options.aggregated && { aggregate: aggregateOf(run, plan, overview) }),
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
    const shown = await this.#withChildren(run, attempts);
    return shown.flatMap((attempt) => {
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

  /** Artifacts of steps under way, with what has become of their children so far. */
  async #withChildren(run: Run, attempts: readonly StepAttempt[]): Promise<readonly StepAttempt[]> {
    if (!attempts.some(isOpen)) return attempts;
    const live = (await liveSteps(this.#sql, [run.key])).get(run.key);
    return Promise.all(
      attempts.map(async (attempt) => {
        const step = isOpen(attempt) ? live?.get(attempt.stepId) : undefined;
        return step === undefined ? attempt : { ...attempt, artifacts: await this.#artifacts(step) };
      }),
    );
  }

  async #artifacts({ artifacts, below }: LiveStep): Promise<Artifacts> {
    const child = openChild(artifacts);
    return withLive(artifacts, below, child && (await this.#overviewOf(child.workflowId, child.instanceId)));
  }

  /** Of the newest run of an instance; undefined before its launch. */
  async #overviewOf(workflowId: string, instanceId: number): Promise<OverviewView | undefined> {
    const run = await loadRun(this.#sql, workflowId, instanceId, "latest");
    if (run === undefined) return undefined;
    const plan = await this.#plan(run);
    const overview = (await this.#overviews([run], new Map([[run.key, plan]]))).get(run.key);
    return overview && overviewView(overview, plan.dag);
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
    const attemptsOf = Map.groupBy(attempts, (it) => it.runKey);
    const parents = live.filter(({ key }) => attemptsOf.get(key)?.some((it) => isOpen(it.attempt)));
    const below = await liveSteps(
      this.#sql,
      parents.map((run) => run.key),
    );
    for (const run of live) {
      const own = (attemptsOf.get(run.key) ?? []).map((it) => it.attempt);
      const { nodes, done } = (plans.get(run.key) as Plan).plan;
      const base = rollupBase(run, done.values());
      overviews.set(run.key, runOverview(run, nodes.size, own, base, leavesOf(below.get(run.key))));
    }
    return overviews;
  }
}

/** Its work are other runs, and it is under way. */
const isOpen = (attempt: StepAttempt): boolean => !isTerminal(attempt.status) && hasChildren(attempt);

const leavesOf = (steps: ReadonlyMap<string, LiveStep> = new Map()): ReadonlyMap<string, RollupOverview> =>
  new Map([...steps].map(([id, { gathered, below }]) => [id, addRollups([gathered, below])]));

function withTags(plan: Plan, run: Run): Plan {
  const workflow = withRunTags(plan.workflow, run);
  return workflow === plan.workflow ? plan : { ...plan, workflow };
}

const aggregateOf = (run: Run, { plan }: Plan, overview: RunOverview | undefined): Aggregate =>
  addRun(plan.earlier?.aggregate ?? NO_RUNS, layerOf(run, plan, overview), plan.stepIds);
