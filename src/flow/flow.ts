/**
 * The actor of one run: what happens to the run, or to a step of it, goes to `run/machine.ts` and `step/machine.ts`, and
 * what they decide is carried out here.
 *
 * It keeps the run in memory and hands every change to the writer; it never reads. A turn works through the mail and
 * the ready steps, then hands over all rows of the turn at once, so that a step that starts and ends within a turn is
 * one row. Invariants: (1) rows are handed over in the order in which they were produced (D3); (2) a run ends once, with
 * the outbox row that frees its place in the run strategy (D6); (3) a flow that has lost its group does nothing more.
 */
import type { Timer } from "../clock.ts";
import { toErrorData } from "../error.ts";
import { own } from "../record.ts";
import { decide, newRunState, type RunEffect, type RunEvent, type RunOrder, type RunState } from "../run/machine.ts";
import type { Run } from "../run/model.ts";
import type { RunPlan } from "../run/plan.ts";
import { Walk } from "../run/walk.ts";
import type { LogOffset } from "../runtime/type.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import { isComplete } from "../step/status.ts";
import type { FlowContext } from "./context.ts";
import type { TaskScope } from "./evaluation.ts";
import { Line } from "./line.ts";
import type { TaskParent, TaskView } from "./parent.ts";
import type { GroupStamp, LoadedRun, StoredRun } from "./port.ts";
import { reportRun } from "./report.ts";
import type { Scheduled } from "./scheduler.ts";
import { Task } from "./task.ts";
import { TurnRows } from "./turn.ts";

export class Flow implements Scheduled, TaskParent {
  readonly engine: FlowContext;
  readonly #stamp: GroupStamp;
  readonly #plan: RunPlan;
  readonly #rows: TurnRows;
  readonly #tasks = new Map<string, Task>();
  #walk: Walk;
  #state: RunState;
  #now = 0;
  #mail: (() => void)[] = [];
  /**
   * Steps on their way in, a generation at a time: those whose predecessors have completed, those that are to be
   * prepared, those that are prepared and go when the whole generation is. So steps that become ready together begin
   * together: none sees another's end.
   */
  #ready = new Line<string>();
  #preparing = new Line<string>();
  readonly #prepared = new Line<TaskView>();
  /** Tasks that have not ended. */
  #live = 0;
  #lastStepInstanceId = 0;
  /** Where the logs of adopted attempts went on under a former owner. */
  #logEnds: LoadedRun["logEnds"] = new Map();
  #timeout: Timer | undefined;
  /** Attempts whose wakes and logs come here. */
  readonly #tracked = new Set<string>();
  #abandoned = false;

  constructor(engine: FlowContext, stamp: GroupStamp, plan: RunPlan, run: Run) {
    this.engine = engine;
    this.#stamp = stamp;
    this.#plan = plan;
    this.#walk = new Walk(plan);
    this.#state = newRunState(run);
    this.#rows = new TurnRows(engine, stamp, run);
  }

  get run(): Run {
    return this.#state.run;
  }

  /** Epoch ms; one instant for a whole turn. */
  get now(): number {
    return this.#now;
  }

  /** A run that the strategy has just let go, or one whose owner died before its first step: nothing has happened yet. */
  launch(): void {
    this.post(() => {
      this.#take({ type: "launch" });
      for (const root of this.#plan.roots) this.#ready.push(root);
    });
  }

  /** Goes on where the rows say that a former owner was. @param doom why the run can't go on, and is to fail */
  adopt(loaded: LoadedRun, doom?: string): void {
    this.post(() => {
      this.#logEnds = loaded.logEnds;
      this.#adoptTasks(loaded.attempts, doom === undefined);
      this.#take({ type: "adopt", doom });
      // What the end of a step has set off may not have been carried out.
      for (const task of [...this.#tasks.values()]) if (task.ended) this.#stepEnded(task, []);
      if (loaded.action) this.#take({ type: "order", order: loaded.action });
    });
  }

  /** A user, or the run strategy, asks something of the run. */
  order(order: RunOrder): void {
    this.post(() => this.#take({ type: "order", order }));
  }

  /** Runs in the flow's next turn; dropped when the run is over. */
  post(event: () => void): void {
    if (this.#isOver) return;
    this.#mail.push(event);
    this.engine.scheduler.ready(this);
  }

  /** What is in memory counts no more: the group has another owner (D4), or the run is taken up anew from its rows. */
  abandon(): void {
    this.#abandoned = true;
    this.#rows.abandon();
    this.#timeout?.cancel();
    for (const task of this.#tasks.values()) task.abandon();
    for (const uuid of this.#tracked) this.engine.drop(uuid);
    this.#mail = [];
    this.#prepared.clear();
    this.#holdBack();
  }

  turn(deadline: number): boolean {
    this.#now = this.engine.clock.now();
    let index = 0;
    while (!this.#isOver) {
      const event = this.#mail[index];
      if (event) {
        index++;
        event();
      } else if (!this.#advance()) break;
      if (this.engine.clock.elapsed() >= deadline) break;
    }
    this.#mail = index < this.#mail.length ? this.#mail.slice(index) : [];
    const more = this.#mail.length + this.#waiting + this.#prepared.size > 0;
    if (!more && this.#live === 0 && !this.#isOver) this.#end();
    this.#handOver();
    return more && !this.#isOver;
  }

  /** A turn has thrown: what is in memory may be half done. */
  failed(error: unknown): void {
    this.engine.park(this.#rows.handedOver, toErrorData(error).message, error);
  }

  // ---- what tasks need ---------------------------------------------------------------------------------------------

  isSatisfied(node: StepNode): boolean {
    if (node.predecessors.length === 0) return true;
    return node.predecessors.some((id) => own(this.#tasks.get(id)?.attempt.conditions, node.id) === true);
  }

  scope(node: StepNode, attempt: StepAttempt): TaskScope {
    const attemptOf = (stepId: string): StepAttempt | undefined => this.#tasks.get(stepId)?.attempt;
    return { run: this.run, node, attempt, now: this.#now, attemptOf, stepIds: () => this.#tasks.keys() };
  }

  logEnd(uuid: string): LogOffset | undefined {
    return this.#logEnds.get(uuid);
  }

  save(attempt: StepAttempt): void {
    this.#rows.attempt(attempt);
  }

  afterCommit(callback: () => void): void {
    this.#rows.afterCommit(callback);
  }

  track(task: TaskView): void {
    this.#tracked.add(task.attempt.uuid);
    this.engine.track(task.attempt.uuid, { stamp: this.#stamp, wake: () => this.post(() => task.wake()) });
  }

  untrack(task: TaskView): void {
    const { uuid } = task.attempt;
    if (!this.#tracked.has(uuid)) return;
    this.afterCommit(() => {
      this.#tracked.delete(uuid);
      this.engine.untrack(uuid);
    });
  }

  ready(task: TaskView): void {
    this.#prepared.push(task);
  }

  taskEnded(task: TaskView): void {
    this.#live--;
    this.untrack(task);
    this.#stepEnded(task, isComplete(task.status) ? this.#walk.complete(task.node) : []);
  }

  // ---- steps -------------------------------------------------------------------------------------------------------

  /** One step's next move; false when there is none. */
  #advance(): boolean {
    const preparing = this.#preparing.take();
    const prepared = preparing === undefined ? this.#prepared.take() : undefined;
    if (preparing !== undefined) this.#begin(preparing);
    else if (prepared) prepared.go();
    else if (this.#ready.size === 0) return false;
    else [this.#preparing, this.#ready] = [this.#ready, this.#preparing];
    return true;
  }

  #begin(stepId: string): void {
    const node = this.#plan.nodes.get(stepId);
    if (!node) return;
    const task = Task.make(this, node, ++this.#lastStepInstanceId);
    this.#tasks.set(stepId, task);
    this.#live++;
    task.begin();
  }

  #adoptTasks(attempts: readonly StepAttempt[], goOn: boolean): void {
    for (const attempt of attempts) {
      const node = this.#plan.nodes.get(attempt.stepId);
      if (node) this.#tasks.set(attempt.stepId, Task.adopt(this, node, attempt));
      this.#lastStepInstanceId = Math.max(this.#lastStepInstanceId, attempt.stepInstanceId);
    }
    const statusOf = (id: string) => this.#tasks.get(id)?.status ?? "NOT_CREATED";
    this.#walk = new Walk(this.#plan, (id) => isComplete(statusOf(id)));
    for (const id of this.#walk.open()) if (!this.#tasks.has(id)) this.#ready.push(id);
    for (const task of this.#tasks.values()) {
      if (task.ended) continue;
      this.#live++;
      if (goOn) task.resume();
    }
  }

  // ---- the run as a whole ------------------------------------------------------------------------------------------

  #stepEnded({ node, status }: TaskView, released: readonly string[]): void {
    this.#take({ type: "ended", stepId: node.id, status, mode: node.body.failure_mode, released });
  }

  #take(event: RunEvent): void {
    const before = this.#state.deadline;
    const { state, effects } = decide(this.#state, event, { now: this.#now, waiting: this.#waiting });
    this.#state = state;
    if (state.deadline !== before) this.#arm(state.deadline);
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: RunEffect): void {
    switch (effect.type) {
      case "save":
        return this.#rows.run();
      case "begin":
        for (const id of effect.steps) this.#ready.push(id);
        return;
      case "terminate":
        this.#holdBack();
        for (const task of [...this.#tasks.values()]) task.terminate(effect.termination);
    }
  }

  #arm(deadline: number | undefined): void {
    this.#timeout?.cancel();
    this.#timeout =
      deadline === undefined
        ? undefined
        : this.engine.timers.at(deadline, () => this.post(() => this.#take({ type: "due" })));
  }

  get #isOver(): boolean {
    return this.#abandoned || this.#state.over;
  }

  /** Steps that have not begun. */
  get #waiting(): number {
    return this.#ready.size + this.#preparing.size;
  }

  #holdBack(): void {
    this.#ready.clear();
    this.#preparing.clear();
  }

  #end(): void {
    const attempts = [...this.#tasks.values()].map((task) => task.attempt);
    this.#take({ type: "idle", attempts, total: this.#plan.nodes.size });
  }

  /** The run's end takes what was asked of it along, and tells its run strategy (D6). */
  #handOver(): void {
    const { run, ending, over } = this.#state;
    if (!over || this.#abandoned) return this.#rows.handOver(run);
    this.#rows.handOver(run, {
      rows: [
        ...(ending ? [{ kind: "action-done", runKey: run.key } as const] : []),
        { kind: "outbox", topic: "dequeue", key: run.workflowId },
      ],
      committed: (row: StoredRun | undefined) => {
        reportRun(this.engine.log, run, run.status, ending?.reason, run);
        this.engine.runOver(run, row);
      },
    });
  }
}
