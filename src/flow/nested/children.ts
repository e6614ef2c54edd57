/**
 * The road between the steps of a thread and the runs that they have started: launches children and speaks to them, and
 * brings their ends to the steps. A child's end is true by its row; the hint that tells of it may be lost: the sweep asks
 * what has become of the children that steps still wait for.
 */
import { isUpstream } from "../../definition/initiator.ts";
import type { RestartConfig } from "../../definition/restart.ts";
import { notFound } from "../../error.ts";
import { groupOf } from "../../id.ts";
import { parseJson, stringifyJson } from "../../json.ts";
import type { ChildEnd, LiveChild } from "../../nested/child.ts";
import { childEnd } from "../../nested/end.ts";
import type { Run } from "../../run/model.ts";
import type { RunPlan } from "../../run/plan.ts";
import type { RestartRequest } from "../../run/restart.ts";
import type { Word } from "../../run/word.ts";
import type { TaskParent, TaskView } from "../parent.ts";
import type { GroupStamp, Write } from "../port.ts";
import type { ChildStart, RunCommand, RunHint, StartReply } from "../protocol.ts";
import type { ChildrenPort, NestedContext } from "./place.ts";
import { NestedStep } from "./step.ts";

/** Keys that are reserved at once. */
const KEYS = 1_000;
/** Children that one look at the database asks for. */
const ASKED = 10_000;

/** Who starts runs for steps. */
const STEP = "maestro";

export interface ChildrenContext extends NestedContext {
  wake(uuid: string): void;
  failed(what: string, error: unknown): void;
  /** Groups that this thread has taken over so far. */
  readonly takeovers: number;
  launch(run: Run, plan: RunPlan, asOf: number): void;
  look(hints: readonly RunHint[]): void;
  startChild(command: RunCommand): Promise<StartReply>;
  /** This thread holds the group. */
  owns(groupId: number): boolean;
  hint(hints: readonly RunHint[]): void;
}

export class Children implements ChildrenPort {
  readonly #engine: ChildrenContext;
  readonly #steps = new Map<string, NestedStep>();
  /** By the run that they belong to, and their id. */
  readonly #byRun = new Map<number, Map<string, NestedStep>>();
  #keys: number[] = [];

  constructor(engine: ChildrenContext) {
    this.#engine = engine;
  }

  get size(): number {
    return Math.max(this.#steps.size, this.#byRun.size);
  }

  /** The same one for every call of an attempt. */
  runtimeOf(parent: TaskParent, task: TaskView): NestedStep {
    const known = this.#steps.get(task.attempt.uuid);
    if (known) return known;
    const step = new NestedStep(
      { engine: this.#engine, children: this, wake: (uuid) => this.#engine.wake(uuid) },
      parent,
      task,
    );
    this.#steps.set(step.uuid, step);
    const ofRun = this.#byRun.get(step.parentKey);
    if (ofRun) ofRun.set(step.stepId, step);
    else this.#byRun.set(step.parentKey, new Map([[step.stepId, step]]));
    return step;
  }

  async restartBelow(parentKey: number, stepId: string, restart: RestartConfig): Promise<void> {
    await this.#byRun.get(parentKey)?.get(stepId)?.again(restart);
  }

  // ---- steps that wait ---------------------------------------------------------------------------------------------

  /** @returns whether the attempt was one that waits for children */
  delete(uuid: string): boolean {
    const step = this.#steps.get(uuid);
    if (step === undefined) return false;
    step.close();
    this.#steps.delete(uuid);
    const ofRun = this.#byRun.get(step.parentKey);
    if (ofRun?.get(step.stepId) === step) ofRun.delete(step.stepId);
    if (ofRun?.size === 0) this.#byRun.delete(step.parentKey);
    return true;
  }

  /** A child has ended, here or elsewhere. @param text a {@link ChildEnd} as JSON; empty: it is not said which one */
  heard(parentKey: number, text: string): void {
    if (text !== "") this.#tell(parentKey, parseJson(text) as unknown as ChildEnd);
    else this.look(parentKey);
  }

  look(parentKey: number): void {
    const steps = this.#byRun.get(parentKey);
    if (steps)
      this.#ask([...steps.values()]).catch((error) =>
        this.#engine.failed("asking for children that have ended", error),
      );
  }

  #tell(parentKey: number, end: ChildEnd): void {
    const step = this.#byRun.get(parentKey)?.get(end.stepId);
    if (step?.attemptId === end.attemptId) step.tell(end);
  }

  /** Finds the ends that nobody has told of. */
  async sweep(): Promise<void> {
    // Whoever was to be told of a permit may not have been.
    for (const step of this.#steps.values()) if (step.waits) this.#engine.wake(step.uuid);
    await this.#ask([...this.#steps.values()]);
  }

  async #ask(steps: readonly NestedStep[]): Promise<void> {
    const keys = steps.flatMap((step) => [...step.live].map(({ key }) => key));
    for (let from = 0; from < keys.length; from += ASKED) {
      for (const run of await this.#engine.store.endedOf(keys.slice(from, from + ASKED))) {
        const plan = await this.#engine.planOf(run);
        const end = plan && childEnd(run, plan);
        if (end && run.parentKey !== undefined) this.#tell(run.parentKey, end);
      }
    }
  }

  async start(workflowId: string, version: string, child: ChildStart): Promise<Run> {
    const { uuid: requestId, initiator, requestTime, runParams } = child;
    const options = { runtimeTags: undefined, artifacts: undefined, persistFailedRun: false };
    const request = { initiator, requestTime, requestId, runParams, child, ...options };
    return this.#made(await this.#engine.startChild({ workflowId, version, user: STEP, request }));
  }

  async startAgain({ workflowId, instanceId }: Run, restart: RestartRequest, child: ChildStart): Promise<Run> {
    const { uuid: requestId, requestTime } = child;
    const command = { workflowId, instanceId, restart, requestTime, requestId, user: STEP, child };
    return this.#made(await this.#engine.startChild(command));
  }

  async #made({ workflowId, uuid }: StartReply): Promise<Run> {
    const run = await this.#engine.store.runOfRequest(workflowId, uuid);
    if (run === undefined) throw notFound(`The run of workflow [${workflowId}] that was started is gone`);
    return run;
  }

  // ---- children ----------------------------------------------------------------------------------------------------

  /** The run's end has committed: the step that waits for it is told, wherever it is. */
  ended(run: Run, plan: RunPlan): void {
    const { parentKey, initiator } = run;
    const end = parentKey === undefined ? undefined : childEnd(run, plan);
    const parent = isUpstream(initiator) ? initiator.ancestors.at(-1) : undefined;
    if (parentKey === undefined || end === undefined || parent === undefined) return;
    const groupId = groupOf(parent.workflow_id, parent.instance_id, parent.run_id, run.groupInfo);
    if (this.#engine.owns(groupId)) this.#tell(parentKey, end);
    else this.#engine.hint([{ key: parentKey, groupId, child: stringifyJson(end) }]);
  }

  async reserve(count: number): Promise<readonly number[]> {
    while (this.#keys.length < count) {
      this.#keys.push(...(await this.#engine.store.reserveKeys(Math.max(KEYS, count - this.#keys.length))));
    }
    return this.#keys.splice(0, count);
  }

  launch(stamp: GroupStamp, runs: readonly Run[], plan: RunPlan | undefined): Promise<void> {
    const asOf = this.#engine.takeovers;
    const rows = runs.map((run) => ({ kind: "child", run }) as const);
    return this.write(stamp, rows, () => {
      if (plan) for (const run of runs) this.#engine.launch(run, plan, asOf);
      else this.#point(runs);
    });
  }

  say(stamp: GroupStamp, children: readonly LiveChild[], word: Word): Promise<void> {
    const rows = children.map(({ key, groupId }) => ({ kind: "word", runKey: key, groupId, word }) as const);
    return this.write(stamp, rows, () => this.#point(children));
  }

  write(stamp: GroupStamp, rows: readonly Write[], committed: () => void = () => {}): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#engine.store.writer.write(stamp, rows, (error) => {
      if (error?.name === "StaleOwner") return this.#engine.lost(stamp);
      if (error) return reject(error);
      committed();
      resolve();
    });
    return promise;
  }

  /** The owners of these runs look at them. */
  #point(runs: readonly LiveChild[]): void {
    const hints = runs.map(({ key, groupId }) => ({ key, groupId }));
    const here = hints.filter(({ groupId }) => this.#engine.owns(groupId));
    const elsewhere = hints.filter(({ groupId }) => !this.#engine.owns(groupId));
    if (here.length > 0) this.#engine.look(here);
    if (elsewhere.length > 0) this.#engine.hint(elsewhere);
  }
}
