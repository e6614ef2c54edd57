/** The work of a foreach step: launches its iterations in batches, and counts their ends. */
import type { UpstreamInitiator } from "../../definition/initiator.ts";
import { DEFAULT_FAILURE_MODE, type ForeachStep } from "../../definition/step.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import { Foreach, type ForeachArtifact, type ForeachRules } from "../../nested/foreach.ts";
import { Product } from "../../nested/loop.ts";
import { foreachUuid, inlineIdOf } from "../../run/inline.ts";
import type { Run } from "../../run/model.ts";
import { logEvent } from "../../step/event.ts";
import type { RuntimeArtifacts, StepResult } from "../../step/result.ts";
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

export class ForeachKind implements Kind {
  readonly #place: Place;
  #foreach: Foreach | undefined;
  #params: LoopParams | undefined;
  #initiator: UpstreamInitiator | undefined;
  #product: Product | undefined;
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
    const total = this.#loop.total;
    const foreach = Foreach.begin({
      foreach_workflow_id: inlineIdOf("foreach", run, node.id),
      foreach_identity: identityOf(this.#place),
      foreach_run_id: 1,
      run_policy: run.config.policy,
      run_id: run.runId,
      total_loop_count: total,
    });
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
        return { state: "CONTINUE", artifacts: this.#shown(foreach) };
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

  get #body(): ForeachStep {
    return this.#place.node.body as ForeachStep;
  }

  get #rules(): ForeachRules {
    const { failure_mode: mode, concurrency, strict_ordering: strict } = this.#body;
    return { mode: mode ?? DEFAULT_FAILURE_MODE, limit: concurrency, strict: strict ?? false };
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
    const foreach = Foreach.resume(artifact, children);
    for (const end of this.#early) foreach.ended(end);
    this.#early = [];
    this.#foreach = foreach;
    return foreach;
  }

  /** One batch at a time: the next one comes when this one has committed. */
  async #launch(foreach: Foreach): Promise<void> {
    if (this.#launching || this.#isHeldBack(foreach)) return;
    const ids = foreach.due(this.#rules, BATCH);
    if (ids.length === 0) return;
    const runs = await this.#runs(foreach, ids);
    const plan = await this.#place.engine.planOf(runs[0] as Run);
    if (plan === undefined) throw new Error("the workflow's definition is gone");
    for (const run of runs) foreach.launched(run);
    this.#launching = this.#place.children.launch(this.#place.stamp, runs, plan).then(
      () => this.#launched(),
      (error) => {
        this.#failure = error;
        this.#launched();
      },
    );
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
    const { foreach_workflow_id: workflowId, foreach_run_id: runId } = foreach.head;
    this.#initiator ??= initiatorOf(this.#place, "FOREACH");
    this.#params ??= new LoopParams(this.#place, "FOREACH", workflowId, this.#initiator);
    const keys = await this.#place.children.reserve(ids.length);
    return ids.map((iteration, index) => {
      const { runParams, params } = (this.#params as LoopParams).of(iteration - 1, this.#loop.at(iteration - 1));
      return runOfIteration(this.#place, this.#initiator as UpstreamInitiator, {
        ...{ type: "FOREACH", workflowId, iteration, runId, runParams, params },
        key: keys[index] as number,
        uuid: foreachUuid(workflowId, runId, iteration - 1),
        config: { policy: "START_FRESH_NEW_RUN" },
      });
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
