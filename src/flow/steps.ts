/** The steps of one run: which have a task, which are on their way in, which still wait for others. */
import { own } from "../record.ts";
import type { RunPlan } from "../run/plan.ts";
import { Walk } from "../run/walk.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { Again } from "../step/state.ts";
import { isComplete } from "../step/status.ts";
import type { Termination } from "../step/termination.ts";
import { Intake } from "./intake.ts";
import type { TaskParent, TaskView } from "./parent.ts";
import { Task } from "./task.ts";

export class Steps {
  readonly #flow: TaskParent;
  readonly #plan: RunPlan;
  readonly #tasks = new Map<string, Task>();
  readonly #intake = new Intake();
  #walk: Walk;
  /** Tasks that have not ended. */
  #live = 0;
  #lastInstanceId = 0;

  constructor(flow: TaskParent, plan: RunPlan) {
    this.#flow = flow;
    this.#plan = plan;
    this.#walk = new Walk(plan);
  }

  /** Steps that could begin and have not. */
  get waiting(): number {
    return this.#intake.waiting;
  }

  /** Some step has a move to make now. */
  get isBusy(): boolean {
    return !this.#intake.isEmpty;
  }

  /** No step has anything left to do, now or later. */
  get isIdle(): boolean {
    return this.#live === 0 && this.#intake.isEmpty;
  }

  /** The newest attempt at each step that was made. */
  get attempts(): readonly StepAttempt[] {
    return [...this.#tasks.values()].map((task) => task.attempt);
  }

  /** Steps that have ended. */
  get ended(): readonly TaskView[] {
    return [...this.#tasks.values()].filter((task) => task.ended);
  }

  /** The newest attempt at a step, or the one that counts from an earlier run. */
  attemptOf(stepId: string): StepAttempt | undefined {
    return this.#tasks.get(stepId)?.attempt ?? this.#plan.done.get(stepId)?.attempt;
  }

  *ids(): Iterable<string> {
    yield* this.#tasks.keys();
    yield* this.#plan.done.keys();
  }

  isSatisfied({ id, predecessors }: StepNode): boolean {
    if (predecessors.length === 0 || id === this.#plan.forced) return true;
    return predecessors.some((before) => own(this.attemptOf(before)?.conditions, id) === true);
  }

  add(steps: Iterable<string>): void {
    this.#intake.add(steps);
  }

  ready(task: TaskView): void {
    this.#intake.prepared(task);
  }

  /** One step's next move. @returns false when there is none */
  advance(): boolean {
    return this.#intake.advance((id) => this.#begin(id));
  }

  /** @returns the steps that have waited for it alone */
  taskEnded({ node, status }: TaskView): readonly string[] {
    this.#live--;
    return isComplete(status) ? this.#walk.complete(node) : [];
  }

  /** Those of a former owner, from their rows. {@link resume} follows, unless they are to end. */
  adopt(attempts: readonly StepAttempt[]): void {
    for (const attempt of attempts) {
      const node = this.#plan.nodes.get(attempt.stepId);
      if (!node) continue;
      const task = Task.adopt(this.#flow, node, attempt);
      this.#tasks.set(attempt.stepId, task);
      if (!task.ended) this.#live++;
      this.#lastInstanceId = Math.max(this.#lastInstanceId, attempt.stepInstanceId);
    }
    const hasCompleted = (id: string): boolean => {
      const attempt = this.attemptOf(id);
      return attempt !== undefined && isComplete(attempt.status);
    };
    this.#walk = new Walk(this.#plan, hasCompleted);
    this.#intake.add([...this.#walk.open()].filter((id) => !this.#tasks.has(id)));
  }

  resume(): void {
    for (const task of [...this.#tasks.values()]) task.resume();
  }

  /** None begins any more, and all that have begun end. */
  terminate(termination: Termination): void {
    this.#intake.holdBack();
    for (const task of [...this.#tasks.values()]) task.terminate(termination);
  }

  /** @returns false when it has ended already */
  terminateOne(stepId: string, termination: Termination): boolean {
    const task = this.#tasks.get(stepId);
    if (!task) return !this.#plan.held.has(stepId);
    if (task.ended) return false;
    task.terminate(termination);
    return true;
  }

  /** This attempt at the step is under way: it can't be tried again. @param attemptId default: any */
  isLive(stepId: string, attemptId?: number): boolean {
    const task = this.#tasks.get(stepId);
    return task?.ended === false && (attemptId ?? task.attempt.attemptId) === task.attempt.attemptId;
  }

  /** Tries a step again that has ended and is not complete, or one that was held. */
  again(stepId: string, again: Again): void {
    const task = this.#tasks.get(stepId);
    // Counted first: it may end before this returns.
    this.#live++;
    if (!(task ? task.again(again) : this.#release(stepId, again))) this.#live--;
  }

  #release(stepId: string, { after, restart, termination }: Again): boolean {
    const node = this.#plan.nodes.get(stepId);
    if (!node || !this.#plan.held.has(stepId) || after !== 0) return false;
    const task = Task.make(this.#flow, node, ++this.#lastInstanceId, restart);
    this.#tasks.set(stepId, task);
    if (termination) task.terminate(termination);
    else task.begin();
    return true;
  }

  /** Steps that a gate holds. */
  get held(): readonly string[] {
    return [...this.#tasks.values()].flatMap((task) => (task.isHeld ? [task.node.id] : []));
  }

  tell(stepIds: readonly string[]): void {
    for (const id of stepIds) this.#tasks.get(id)?.tell();
  }

  abandon(): void {
    this.#intake.clear();
    for (const task of this.#tasks.values()) task.abandon();
  }

  #begin(stepId: string): void {
    const node = this.#plan.nodes.get(stepId);
    if (!node) return;
    const task = Task.make(this.#flow, node, ++this.#lastInstanceId);
    this.#tasks.set(stepId, task);
    this.#live++;
    task.begin();
  }
}
