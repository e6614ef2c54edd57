/** The work of a foreach step: launches its iterations in batches, and counts their ends. */
import type { UpstreamInitiator } from "../../definition/initiator.ts";
import type { RestartConfig } from "../../definition/restart.ts";
import { allSteps, DEFAULT_FAILURE_MODE, type ForeachStep, stepIdOf } from "../../definition/step.ts";
import { notFound } from "../../error.ts";
import { iterationNamed, keeps, type LoopStep } from "../../nested/again.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import { endedIn, Foreach, type ForeachArtifact, type ForeachRules } from "../../nested/foreach.ts";
import { Product } from "../../nested/loop.ts";
import { foreachUuid, inlineIdOf } from "../../run/inline.ts";
import type { Run } from "../../run/model.ts";
import { isPartial } from "../../run/plan.ts";
import { downstream } from "../../run/restart.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { logEvent } from "../../step/event.ts";
import type { RuntimeArtifacts, StepResult } from "../../step/result.ts";
import { MOST_ASKED } from "./admission.ts";
import { artifactBefore, configAgain, configOfFirst } from "./again.ts";
import { identityOf, initiatorOf, runOfIteration } from "./iteration.ts";
import { LoopParams } from "./param.ts";
import type { Kind, Place } from "./place.ts";
import { stopAll } from "./stop.ts";

/** Iterations that are launched together. */
const BATCH = 500;
/** Flows that may wait for a turn before no further iterations are launched; and how many of a foreach's own run whatever else does. */
const BACKLOG = 1_000;
const ALWAYS = 50;
/** Characters of artifacts that a foreach writes in a second for its readers. */
const PACE = 100_000;

interface Relaunch {
  readonly iteration: number;
  readonly runId: number;
  readonly key: number;
  /** Of an earlier run. */
  readonly previous: Run | undefined;
  readonly own?: RestartConfig;
}

export class ForeachKind implements Kind {
  readonly #place: Place;
  #foreach: Foreach | undefined;
  #params: LoopParams | undefined;
  #initiator: UpstreamInitiator | undefined;
  #product: Product | undefined;
  #steps: readonly string[] | undefined;
  /** Ends that came before it was known how far the step had come. */
  #early: ChildEnd[] = [];
  /** Launches whose commit is not known of. */
  #launching: Promise<void> | undefined;
  #failure: unknown;
  /** No artifact is written before this instant, unless the step ends. */
  #quietUntil = 0;
  #waits = false;

  constructor(place: Place) {
    this.#place = place;
  }

  get live(): Iterable<LiveChild> {
    return this.#foreach?.live ?? [];
  }

  async start(): Promise<StepResult> {
    const { run, node } = this.#place;
    const workflowId = inlineIdOf("foreach", run, node.id);
    const before = await artifactBefore<ForeachArtifact>(this.#place, "maestro_foreach");
    const children = before === undefined ? [] : await this.#place.engine.store.iterations(workflowId);
    const head = {
      foreach_workflow_id: workflowId,
      foreach_identity: identityOf(this.#place),
      foreach_run_id: Math.max(0, ...children.map(({ runId }) => runId)) + 1,
      run_policy: run.config.policy,
      run_id: run.runId,
      ...(children.length > 0 && { ancestor_iteration_count: children.at(-1)?.instanceId ?? 0 }),
      total_loop_count: this.#loop.total,
    };
    const step = this.#step(workflowId);
    const keep = keeps(step);
    const known = before === undefined ? () => false : endedIn(before.foreach_overview);
    const kept = children.filter((child) => known(child.instanceId) && keep(child));
    const named = children.length === 0 ? undefined : iterationNamed(step);
    const foreach = Foreach.begin(head, kept, named);
    this.#foreach = foreach;
    this.#place.wake();
    return { state: "CONTINUE", artifacts: artifactsOf(foreach) };
  }

  async execute(): Promise<StepResult> {
    if (this.#failure !== undefined) throw this.#failure;
    const foreach = await this.#known();
    const verdict = foreach.verdict(this.#rules);
    switch (verdict) {
      case "GOES_ON":
        await this.#launch(foreach);
        return { state: "CONTINUE", artifacts: this.#shown(foreach), ...this.#place.admission.notes };
      case "KILL": {
        const { artifacts } = await this.stop(true);
        const reason = "An iteration has failed, and the failure mode is FAIL_IMMEDIATELY: the others are ended";
        return { state: "FATAL_ERROR", artifacts, timeline: [logEvent(reason, this.#place.now)] };
      }
      default:
        return { state: verdict, artifacts: artifactsOf(foreach) };
    }
  }

  async stop(hard: boolean): Promise<StepResult> {
    await this.#launching;
    const foreach = this.#place.attempt.artifacts.maestro_foreach || this.#foreach ? await this.#known() : undefined;
    if (foreach === undefined) return { state: "STOPPED" };
    await stopAll(this.#place, hard, () => foreach.live);
    return { state: "STOPPED", artifacts: artifactsOf(foreach) };
  }

  tell(end: ChildEnd): void {
    if (this.#foreach === undefined) this.#early.push(end);
    else if (this.#foreach.ended(end)) this.#place.wake();
  }

  async again(restart: RestartConfig): Promise<void> {
    const foreach = await this.#known();
    const { foreach_workflow_id: workflowId, foreach_run_id } = foreach.head;
    const step = { ...this.#step(workflowId), own: restart };
    const iteration = iterationNamed(step);
    if (iteration === undefined || !foreach.hasEnded(iteration) || this.#rules.mode === "FAIL_IMMEDIATELY") return;
    await this.#launching;
    const previous = await this.#place.engine.store.latestRun(workflowId, iteration);
    if (previous === undefined || !isOver(previous)) return;
    const [key = 0] = await this.#place.children.reserve(1);
    const runId = Math.max(foreach_run_id, previous.runId) + 1;
    const run = this.#run({ iteration, runId, key, previous, own: restart });
    const rollup = previous.overview?.rollup;
    if (!foreach.relaunched(run, { status: shownRunStatus(previous.status), rollup })) return;
    await this.#place.children.launch(this.#place.stamp, [run], undefined);
  }

  #step(workflowId: string): LoopStep {
    const { run, node, attempt } = this.#place;
    return { type: "FOREACH", stepId: node.id, workflowId, config: run.config, own: attempt.restart };
  }

  /** The steps of its body, at any depth. */
  get #inside(): readonly string[] {
    this.#steps ??= [...allSteps(this.#body.steps)].map(stepIdOf);
    return this.#steps;
  }

  get #body(): ForeachStep {
    return this.#place.node.body as ForeachStep;
  }

  get #rules(): ForeachRules {
    const { failure_mode: mode, concurrency, strict_ordering: strict } = this.#body;
    const { step_concurrency, instance_step_concurrency } = this.#place.run.properties;
    // More iterations than steps may run would only wait.
    const limits = [concurrency, step_concurrency, instance_step_concurrency].filter((limit) => limit !== undefined);
    const limit = limits.length === 0 ? undefined : Math.min(...limits);
    return { mode: mode ?? DEFAULT_FAILURE_MODE, limit, strict: strict ?? false };
  }

  get #loop(): Product {
    this.#product ??= new Product(this.#place.attempt.params, this.#place.engine.iterations);
    return this.#product;
  }

  /** After a change of owner: as the rows of its children say. */
  async #known(): Promise<Foreach> {
    if (this.#foreach) return this.#foreach;
    const artifact = this.#place.attempt.artifacts.maestro_foreach as unknown as ForeachArtifact;
    const children = await this.#place.engine.store.iterations(artifact.foreach_workflow_id);
    const { foreach_workflow_id: workflowId, ancestor_iteration_count } = artifact;
    const named = ancestor_iteration_count === undefined ? undefined : iterationNamed(this.#step(workflowId));
    const foreach = Foreach.resume(artifact, children, named);
    for (const end of this.#early) foreach.ended(end);
    this.#early = [];
    this.#foreach = foreach;
    return foreach;
  }

  /** One batch at a time: the next one comes when this one has committed. */
  async #launch(foreach: Foreach): Promise<void> {
    if (this.#launching || this.#isHeldBack(foreach)) return;
    const ids = await this.#admitted(foreach);
    if (ids.length === 0) return;
    const runs = await this.#runs(foreach, ids);
    const whole = runs.filter((run) => !isPartial(run));
    const plan = whole[0] && (await this.#place.engine.planOf(whole[0]));
    if (whole[0] && plan === undefined) throw notFound("The definition of the workflow is gone");
    const { children, stamp } = this.#place;
    for (const run of runs) {
      foreach.launched(run);
      this.#place.admission.started(run.uuid);
    }
    const partial = runs.filter(isPartial);
    this.#launching = Promise.all([
      whole.length > 0 ? children.launch(stamp, whole, plan) : undefined,
      partial.length > 0 ? children.launch(stamp, partial, undefined) : undefined,
    ]).then(
      () => this.#launched(),
      (error) => {
        this.#failure = error;
        this.#launched();
      },
    );
  }

  /** Those of the iterations that are due which the limit of the tree lets go. */
  async #admitted(foreach: Foreach): Promise<readonly number[]> {
    const { admission } = this.#place;
    const ids = foreach.due(this.#rules, admission.isLimited ? MOST_ASKED : BATCH);
    if (!admission.isLimited) return ids;
    const { foreach_workflow_id: workflowId, foreach_run_id: runId } = foreach.head;
    const uuids = new Map(ids.map((id) => [id, foreachUuid(workflowId, runId, id - 1)]));
    const admitted = await admission.admit([...uuids.values()]);
    // An iteration may have failed meanwhile.
    return foreach.due(this.#rules, MOST_ASKED).filter((id) => admitted.has(uuids.get(id) ?? ""));
  }

  #launched(): void {
    this.#launching = undefined;
    this.#place.wake();
  }

  /** The thread has flows enough to go on with. */
  #isHeldBack(foreach: Foreach): boolean {
    const { scheduler } = this.#place.engine;
    if (foreach.running < ALWAYS || scheduler.backlog < BACKLOG) return false;
    if (!this.#waits) {
      this.#waits = true;
      scheduler.whenBelow(BACKLOG, () => {
        this.#waits = false;
        this.#place.wake();
      });
    }
    return true;
  }

  async #runs(foreach: Foreach, ids: readonly number[]): Promise<readonly Run[]> {
    const { foreach_workflow_id: workflowId, foreach_run_id: runId, ancestor_iteration_count: had = 0 } = foreach.head;
    const again = ids.filter((id) => id <= had);
    const { engine, children } = this.#place;
    const before = again.length === 0 ? [] : await engine.store.latestRuns(workflowId, again);
    const previous = new Map(before.map((run) => [run.instanceId, run]));
    const keys = await children.reserve(ids.length);
    return ids.map((iteration, index) =>
      this.#run({ iteration, runId, key: keys[index] as number, previous: previous.get(iteration) }),
    );
  }

  /** @param own the restart of this very iteration, while the step runs */
  #run({ iteration, runId, key, previous, own }: Relaunch): Run {
    const { run, node, attempt } = this.#place;
    const workflowId = inlineIdOf("foreach", run, node.id);
    this.#initiator ??= initiatorOf(this.#place, "FOREACH");
    this.#params ??= new LoopParams(this.#place, "FOREACH", workflowId, this.#initiator);
    const child = { type: "FOREACH", workflowId, instanceId: iteration, steps: this.#inside } as const;
    const made = downstream(run.config, own ?? attempt.restart, node.id, child);
    const config = previous ? configAgain(previous, made) : configOfFirst(runId, made);
    return runOfIteration(this.#place, this.#initiator, {
      ...{ type: "FOREACH", workflowId, iteration, runId, key, config },
      ...this.#params.of(iteration - 1, this.#loop.at(iteration - 1), previous && { previous, config }),
      uuid: foreachUuid(workflowId, runId, iteration - 1),
    });
  }

  /** Readers see a small artifact at once, and a large one as often as its size allows. */
  #shown(foreach: Foreach): RuntimeArtifacts | undefined {
    const { now } = this.#place;
    if (now < this.#quietUntil) return undefined;
    const artifacts = artifactsOf(foreach);
    const size = JSON.stringify(artifacts).length;
    this.#quietUntil = size < 2_000 ? now : now + (size / PACE) * 1_000;
    return artifacts;
  }
}

const artifactsOf = (foreach: Foreach): RuntimeArtifacts => ({ maestro_foreach: foreach.artifact as never });
