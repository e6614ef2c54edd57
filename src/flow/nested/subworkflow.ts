/** The work of a subworkflow step: an instance of another workflow, which it waits for unless it is asynchronous. */
import type { SubworkflowStep } from "../../definition/step.ts";
import { badRequest } from "../../error.ts";
import { type ChildEnd, type LiveChild, stateOf } from "../../nested/child.ts";
import { childEnd } from "../../nested/end.ts";
import type { SubworkflowArtifact } from "../../nested/subworkflow.ts";
import { toDefinition } from "../../param/definition.ts";
import type { ParamDefinitions } from "../../param/type.ts";
import { own } from "../../record.ts";
import { subworkflowUuid } from "../../run/inline.ts";
import { type Run, userOf } from "../../run/model.ts";
import { downstream, instanceRestart, type RestartRequest } from "../../run/restart.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { isAsync } from "../../step/node.ts";
import type { RuntimeArtifacts, StepResult } from "../../step/result.ts";
import type { ChildStart } from "../protocol.ts";
import { artifactBefore } from "./again.ts";
import { configOf, initiatorOf } from "./iteration.ts";
import { inheritedOf } from "./param.ts";
import type { Kind, Place } from "./place.ts";
import { stopAll } from "./stop.ts";

/** Params that name the child, and are not passed to it. */
const NAMING: ReadonlySet<string> = new Set(["subworkflow_id", "subworkflow_version"]);

export class SubworkflowKind implements Kind {
  readonly #place: Place;
  #artifact: SubworkflowArtifact | undefined;
  #child: LiveChild | undefined;
  #end: ChildEnd | undefined;

  constructor(place: Place) {
    this.#place = place;
  }

  get live(): Iterable<LiveChild> {
    return this.#child ? [this.#child] : [];
  }

  /** The same attempt's request names the same child, however often it is made. */
  async start(): Promise<StepResult> {
    const run = await this.#made();
    if (run === undefined) return { state: "CONTINUE", ...this.#place.admission.notes };
    await this.#found(run);
    if (this.#isAsync) return { state: "DONE", artifacts: this.#artifacts };
    this.#place.wake();
    return { state: "CONTINUE", artifacts: this.#artifacts };
  }

  async execute(): Promise<StepResult> {
    if (this.#artifact === undefined) {
      const run = await this.#existing();
      if (run === undefined) return this.start();
      await this.#found(run);
    }
    if (this.#isAsync) return { state: "DONE", artifacts: this.#artifacts };
    if (this.#end === undefined) return { state: "CONTINUE" };
    return { state: stateOf(this.#end.status), artifacts: this.#artifacts };
  }

  async stop(hard: boolean): Promise<StepResult> {
    if (this.#artifact === undefined) {
      const run = await this.#existing();
      if (run === undefined) return { state: "STOPPED" };
      await this.#found(run);
    }
    await stopAll(this.#place, hard, () => this.live);
    return { state: "STOPPED", artifacts: this.#artifacts };
  }

  tell(end: ChildEnd): void {
    if (this.#child?.runId !== end.runId || this.#child.instanceId !== end.instanceId) return;
    this.#ended(end);
    this.#place.wake();
  }

  get #isAsync(): boolean {
    return isAsync(this.#place.node);
  }

  get #artifacts(): RuntimeArtifacts {
    return { maestro_subworkflow: this.#artifact as never };
  }

  /** Undefined: it has to wait until the tree has room for it. */
  async #made(): Promise<Run | undefined> {
    const { children, admission, run, attempt } = this.#place;
    const previous = await this.#previous();
    if (previous === undefined && !admission.isLimited) return this.#start();
    const made = await this.#existing();
    if (made) return made;
    const restart = previous && this.#restartOf(previous);
    if (previous && restart === undefined) return previous;
    const uuid = subworkflowUuid(run, attempt);
    if (!(await admission.admit([uuid])).has(uuid)) return undefined;
    const child = await (previous && restart ? children.startAgain(previous, restart, this.#request()) : this.#start());
    admission.started(uuid);
    return child;
  }

  #start(): Promise<Run> {
    return this.#place.children.start(this.#text("subworkflow_id"), this.#text("subworkflow_version"), this.#request());
  }

  /** The child that an earlier attempt has waited for runs once more. */
  async #previous(): Promise<Run | undefined> {
    const { engine } = this.#place;
    const before = this.#isAsync
      ? undefined
      : await artifactBefore<SubworkflowArtifact>(this.#place, "maestro_subworkflow");
    const workflowId = this.#text("subworkflow_id");
    if (before?.subworkflow_id !== workflowId) return undefined;
    return engine.store.latestRun(workflowId, before.subworkflow_instance_id);
  }

  /** Undefined: it is complete, and counts as it is. */
  #restartOf(previous: Run): RestartRequest | undefined {
    const { run, node, attempt } = this.#place;
    const { workflowId, instanceId } = previous;
    const child = { type: "SUBWORKFLOW", workflowId, instanceId } as const;
    const { policy, config } = downstream(run.config, attempt.restart, node.id, child);
    const isDone = policy === "RESTART_FROM_INCOMPLETE" && stateOf(shownRunStatus(previous.status)) === "DONE";
    if (isDone) return undefined;
    return { policy, config: config ?? instanceRestart(previous, policy, undefined).config };
  }

  #request(): ChildStart {
    const { run, node, attempt, stamp, now } = this.#place;
    const { sync, explicit_params } = node.body as SubworkflowStep;
    return {
      uuid: subworkflowUuid(run, attempt),
      initiator: initiatorOf(this.#place, "SUBWORKFLOW", sync),
      requestTime: now,
      config: configOf(run, "SUBWORKFLOW"),
      inherited: explicit_params === true ? undefined : run.params,
      passed: { ...(explicit_params !== true && inheritedOf(run.params)), ...this.#passed() },
      runParams: this.#passed(),
      parent: {
        ...{ key: run.key, stamp, groupInfo: run.groupInfo },
        tree: run.properties.instance_step_concurrency,
        user: userOf(run.properties),
      },
    };
  }

  async #existing(): Promise<Run | undefined> {
    const { run, attempt, engine } = this.#place;
    const stored = attempt.artifacts.maestro_subworkflow as unknown as SubworkflowArtifact | undefined;
    if (stored) return engine.store.latestRun(stored.subworkflow_id, stored.subworkflow_instance_id);
    return engine.store.runOfRequest(this.#text("subworkflow_id"), subworkflowUuid(run, attempt));
  }

  async #found(run: Run): Promise<void> {
    this.#artifact = {
      subworkflow_id: run.workflowId,
      subworkflow_version_id: run.versionId,
      subworkflow_instance_id: run.instanceId,
      subworkflow_run_id: run.runId,
      subworkflow_uuid: run.uuid,
      type: "SUBWORKFLOW",
    };
    if (!isOver(run)) {
      // One that nobody waits for goes its own way, and tells nobody.
      if (!this.#isAsync) this.#child = run;
      return;
    }
    const plan = await this.#place.engine.planOf(run);
    const end = plan && childEnd(run, plan);
    if (end) this.#ended(end);
  }

  #ended(end: ChildEnd): void {
    this.#child = undefined;
    this.#end = end;
    if (this.#artifact && end.overview) this.#artifact = { ...this.#artifact, subworkflow_overview: end.overview };
  }

  #text(name: string): string {
    const value = own(this.#place.attempt.params, name)?.evaluated_result;
    if (typeof value === "string" && value !== "") return value;
    throw badRequest(`Param [${name}] of step [${this.#place.node.id}] must be a text that is not empty`);
  }

  #passed(): ParamDefinitions {
    const { node, attempt, run, engine } = this.#place;
    const { params = {}, explicit_params } = node.body as SubworkflowStep;
    const always = explicit_params === true ? engine.alwaysPassDown.filter((name) => own(run.params.params, name)) : [];
    const passed = [
      ...always.map((name) => [name, own(run.params.params, name)] as const),
      ...Object.keys(params)
        .filter((name) => !NAMING.has(name))
        .map((name) => [name, own(attempt.params, name)] as const),
    ].flatMap(([name, param]) => (param === undefined ? [] : [[name, toDefinition(param)] as const]));
    return Object.fromEntries(passed);
  }
}
