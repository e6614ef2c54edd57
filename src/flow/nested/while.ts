/** The work of a while step: one iteration after the other, as long as its condition holds. */
import type { UpstreamInitiator } from "../../definition/initiator.ts";
import { allSteps, stepIdOf, type WhileStep } from "../../definition/step.ts";
import { badRequest } from "../../error.ts";
import { iterationNamed, type LoopStep, policyBeside } from "../../nested/again.ts";
import { type ChildEnd, type LiveChild, stateOf } from "../../nested/child.ts";
import { childEnd } from "../../nested/end.ts";
import { type LoopParam, literalOf, loopParams } from "../../nested/loop.ts";
import {
  beginWhile,
  handOn,
  hasValues,
  iterationEnded,
  launchNext,
  resumption,
  valuesOf,
  type WhileArtifact,
} from "../../nested/while.ts";
import type { Parameter, Params } from "../../param/type.ts";
import { inlineIdOf, whileUuid } from "../../run/inline.ts";
import type { Run } from "../../run/model.ts";
import { isPartial } from "../../run/plan.ts";
import { downstream } from "../../run/restart.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { logEvent } from "../../step/event.ts";
import type { RuntimeArtifacts, StepResult } from "../../step/result.ts";
import { artifactBefore, configAgain, configOfFirst } from "./again.ts";
import { identityOf, initiatorOf, runOfIteration } from "./iteration.ts";
import { LoopParams } from "./param.ts";
import type { Kind, Place } from "./place.ts";
import { stopAll } from "./stop.ts";

const BEGINNING = "RESTART_FROM_BEGINNING";

export class WhileKind implements Kind {
  readonly #place: Place;
  #artifact: WhileArtifact | undefined;
  #child: LiveChild | undefined;
  /** Ends that came before it was known how far the step had come. */
  #early: ChildEnd[] = [];
  #failure: unknown;
  #launching: Promise<void> | undefined;
  #initiator: UpstreamInitiator | undefined;
  #params: readonly LoopParam[] | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  get live(): Iterable<LiveChild> {
    return this.#child ? [this.#child] : [];
  }

  async start(): Promise<StepResult> {
    const { run, node, engine } = this.#place;
    const workflowId = inlineIdOf("while", run, node.id);
    const before = await artifactBefore<WhileArtifact>(this.#place, "maestro_while");
    const children = before === undefined ? [] : await engine.store.iterations(workflowId);
    const head = {
      loop_workflow_id: workflowId,
      loop_identity: identityOf(this.#place),
      loop_run_id: Math.max(0, ...children.map(({ runId }) => runId)) + 1,
      run_policy: run.config.policy,
      run_id: run.runId,
    };
    const resumed = before && resumption(this.#step(workflowId), before, children);
    this.#artifact = beginWhile(head, this.#loop, resumed);
    this.#place.wake();
    return { state: "CONTINUE", artifacts: artifactsOf(this.#artifact) };
  }

  async execute(): Promise<StepResult> {
    if (this.#failure !== undefined) throw this.#failure;
    const artifact = await this.#known();
    if (this.#child !== undefined) return { state: "CONTINUE", artifacts: artifactsOf(artifact) };
    const state = artifact.last_status === undefined ? "DONE" : stateOf(artifact.last_status);
    if (state !== "DONE") return { state, artifacts: artifactsOf(artifact) };
    return this.#next(await this.#withValues(artifact));
  }

  async stop(hard: boolean): Promise<StepResult> {
    await this.#launching;
    if (this.#artifact === undefined && this.#place.attempt.artifacts.maestro_while === undefined)
      return { state: "STOPPED" };
    await this.#known();
    await this.#takeNext();
    await stopAll(this.#place, hard, () => this.live);
    return { state: "STOPPED", artifacts: artifactsOf(await this.#known()) };
  }

  tell(end: ChildEnd): void {
    if (this.#artifact === undefined) this.#early.push(end);
    else this.#ended(end);
  }

  #ended(end: ChildEnd): void {
    if (this.#artifact === undefined || this.#child?.instanceId !== end.instanceId || this.#child.runId !== end.runId)
      return;
    this.#child = undefined;
    this.#artifact = iterationEnded(this.#artifact, end.status, end.overview);
    this.#place.wake();
  }

  #step(workflowId: string): LoopStep {
    const { run, node, attempt } = this.#place;
    return { type: "WHILE", stepId: node.id, workflowId, config: run.config, own: attempt.restart };
  }

  get #loop(): readonly LoopParam[] {
    this.#params ??= loopParams(this.#place.attempt.params);
    return this.#params;
  }

  /** After a change of owner: the artifact, and what the rows of its last iteration say. */
  async #known(): Promise<WhileArtifact> {
    if (this.#artifact) return this.#artifact;
    const stored = this.#place.attempt.artifacts.maestro_while as unknown as WhileArtifact;
    const { loop_workflow_id, loop_run_id, last_iteration } = stored;
    const last = await this.#place.engine.store.latestRun(loop_workflow_id, last_iteration);
    this.#artifact = stored;
    if (last === undefined || last.runId < loop_run_id) return stored;
    if (!isOver(last)) this.#child = last;
    else if (stored.last_status === "IN_PROGRESS") this.#artifact = await this.#withEnd(stored, last);
    for (const end of this.#early) this.#ended(end);
    this.#early = [];
    return this.#artifact;
  }

  async #withEnd(artifact: WhileArtifact, run: Run): Promise<WhileArtifact> {
    const plan = await this.#place.engine.planOf(run);
    const end = plan && childEnd(run, plan);
    return end === undefined ? artifact : iterationEnded(artifact, end.status, end.overview);
  }

  /** With what the next iteration begins with: the last one has handed it on. */
  async #withValues(artifact: WhileArtifact): Promise<WhileArtifact> {
    const { loop_workflow_id, last_iteration: last } = artifact;
    if (hasValues(artifact, last + 1)) return artifact;
    const { store } = this.#place.engine;
    const run = await store.latestRun(loop_workflow_id, last);
    return handOn(artifact, run === undefined ? [] : await store.attemptsOf(run.key));
  }

  /** What an owner before this one has launched last, if it could not say so any more. */
  async #takeNext(): Promise<void> {
    const artifact = this.#artifact as WhileArtifact;
    if (this.#child !== undefined) return;
    const { loop_workflow_id, loop_run_id, last_iteration } = artifact;
    const next = await this.#place.engine.store.latestRun(loop_workflow_id, last_iteration + 1);
    if (next === undefined || next.runId < loop_run_id) return;
    this.#artifact = await this.#withValues(artifact);
    await this.#taken(next);
  }

  async #next(artifact: WhileArtifact): Promise<StepResult> {
    const next = artifact.last_iteration + 1;
    const { engine, node } = this.#place;
    const { loop_workflow_id, loop_run_id } = artifact;
    this.#artifact = artifact;
    const existing = await engine.store.latestRun(loop_workflow_id, next);
    // What an owner before this one has launched, and what has been done in an earlier run.
    if (existing && (existing.runId >= loop_run_id || this.#isDone(artifact, existing))) return this.#taken(existing);
    const values = valuesOf(artifact, next, this.#loop);
    const scope = this.#place.scope();
    const isResumed = existing !== undefined && next === artifact.first_iteration;
    const { condition } = node.body as WhileStep;
    if (!isResumed && !engine.evaluation.loopCondition(scope, condition, evaluated(values, scope.now), next)) {
      const line = `The condition is false before iteration ${next}: the loop ends`;
      return { state: "DONE", artifacts: artifactsOf(artifact), timeline: [logEvent(line, this.#place.now)] };
    }
    const { iterations } = engine;
    if (next > iterations) throw badRequest(`The loop has had ${iterations} iterations, and may have no more`);
    const uuid = whileUuid(loop_workflow_id, next, loop_run_id);
    const { admission } = this.#place;
    if ((await admission.admit([uuid])).has(uuid)) {
      await this.#launch(artifact, next, values, isResumed ? existing : undefined);
      admission.started(uuid);
    }
    return { state: "CONTINUE", artifacts: artifactsOf(this.#artifact), ...admission.notes };
  }

  /** A restart of what is incomplete resumes at the last iteration; one that has succeeded counts as it is. */
  #isDone({ first_iteration, loop_workflow_id }: WhileArtifact, { instanceId, status }: Run): boolean {
    const step = this.#step(loop_workflow_id);
    const named = iterationNamed(step) === instanceId;
    return (
      instanceId === first_iteration &&
      !named &&
      policyBeside(step) !== BEGINNING &&
      stateOf(shownRunStatus(status)) === "DONE"
    );
  }

  async #taken(run: Run): Promise<StepResult> {
    this.#artifact = launchNext(this.#artifact as WhileArtifact);
    if (isOver(run)) this.#artifact = await this.#withEnd(this.#artifact, run);
    else this.#child = run;
    this.#place.wake();
    return { state: "CONTINUE", artifacts: artifactsOf(this.#artifact) };
  }

  /** @param previous the iteration's newest run, where a restart resumes */
  async #launch(
    artifact: WhileArtifact,
    iteration: number,
    values: readonly LoopParam[],
    previous: Run | undefined,
  ): Promise<void> {
    const { engine, children, stamp, run: parent, node, attempt } = this.#place;
    const { loop_workflow_id: workflowId, loop_run_id: runId } = artifact;
    this.#initiator ??= initiatorOf(this.#place, "WHILE");
    const [key = 0] = await children.reserve(1);
    const inside = [...allSteps((node.body as WhileStep).steps)].map(stepIdOf);
    const child = { type: "WHILE", workflowId, instanceId: iteration, steps: inside } as const;
    const made = downstream(parent.config, attempt.restart, node.id, child);
    const config = previous ? configAgain(previous, made) : configOfFirst(runId, made);
    const params = new LoopParams(this.#place, "WHILE", workflowId, this.#initiator);
    const run = runOfIteration(this.#place, this.#initiator, {
      ...{ type: "WHILE", workflowId, iteration, runId, key, config },
      ...params.of(iteration - 1, values, previous && { previous, config }),
      uuid: whileUuid(workflowId, iteration, runId),
    });
    const plan = isPartial(run) ? undefined : await engine.planOf(run);
    this.#artifact = launchNext(artifact);
    this.#child = run;
    this.#launching = children.launch(stamp, [run], plan).then(
      () => this.#launched(),
      (error) => {
        this.#failure = error;
        this.#launched();
        this.#place.wake();
      },
    );
  }

  #launched(): void {
    this.#launching = undefined;
  }
}

const evaluated = (values: readonly LoopParam[], now: number): Params =>
  Object.fromEntries(
    values.map(({ name, type, result }) => [
      name,
      { ...literalOf(type, result), evaluated_result: result, evaluated_time: now } as Parameter,
    ]),
  );

const artifactsOf = (artifact: WhileArtifact | undefined): RuntimeArtifacts => ({ maestro_while: artifact as never });
