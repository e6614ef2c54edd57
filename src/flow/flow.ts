/**
 * The actor of one run: what happens to the run goes to `run/machine.ts`, and what that decides is carried out here. It
 * decides nothing.
 *
 * It keeps the run in memory and hands every change to the writer; it never reads. A turn works through the mail and
 * the ready steps, then hands over all rows of the turn at once, so that a step that starts and ends within a turn is
 * one row. Invariants: (1) rows are handed over in the order in which they were produced (D3); (2) a run ends once, with
 * the outbox row that frees its place in the run strategy (D6); (3) a flow that has lost its group does nothing more.
 */
import { isInline } from "../definition/initiator.ts";
import { type Step, stepIdOf } from "../definition/step.ts";
import { toErrorData } from "../error.ts";
import { decide, newRunState, type RunEffect, type RunEvent, type RunState } from "../run/machine.ts";
import type { Run } from "../run/model.ts";
import { leafCount } from "../run/overview.ts";
import type { RunPlan } from "../run/plan.ts";
import type { Word } from "../run/word.ts";
import type { LogOffset } from "../runtime/type.ts";
import type { Reported, StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { Again } from "../step/state.ts";
import type { TaskScope } from "./evaluation.ts";
import type { TaskContext, TaskParent, TaskView } from "./parent.ts";
import type { GroupStamp, LoadedRun, StoredRun, Write } from "./port.ts";
import { reportRun } from "./report.ts";
import { type ReportAnswer, Reports } from "./reports.ts";
import { Said } from "./said.ts";
import type { Scheduled } from "./scheduler.ts";
import { Steps } from "./steps.ts";
import { Timing } from "./timing.ts";
import { DEQUEUE } from "./topic.ts";
import { TurnRows } from "./turn.ts";

export class Flow implements Scheduled, TaskParent {
  readonly engine: TaskContext;
  readonly stamp: GroupStamp;
  readonly #plan: RunPlan;
  readonly #rows: TurnRows;
  readonly #steps: Steps;
  readonly #timing: Timing<"deadline">;
  #state: RunState;
  #now = 0;
  #mail: (() => void)[] = [];
  /** Where the logs of adopted attempts went on under a former owner. */
  #logEnds: LoadedRun["logEnds"] = new Map();
  /** Attempts whose wakes and logs come here. */
  readonly #tracked = new Set<string>();
  readonly #said = new Said();
  readonly #reports = new Reports();
  /** Leaf steps below steps whose work are other runs. */
  readonly #leaves = new Map<string, number>();
  #abandoned = false;

  constructor(engine: TaskContext, stamp: GroupStamp, plan: RunPlan, run: Run) {
    this.engine = engine;
    this.stamp = stamp;
    this.#plan = plan;
    this.#state = newRunState(run);
    this.#rows = new TurnRows(engine, stamp, run);
    this.#steps = new Steps(this, plan);
    this.#timing = new Timing(engine.timers, () => this.post(() => this.#take({ type: "due" })));
  }

  get run(): Run {
    return this.#state.run;
  }

  get now(): number {
    return this.#now;
  }

  /** A run that the strategy has just let go: nothing has happened yet. */
  launch(): void {
    this.post(() => {
      this.#take({ type: "launch" });
      this.#steps.add(this.#plan.roots);
    });
  }

  /** Goes on where the rows say that a former owner was. @param doom why the run can't go on, and is to fail */
  adopt(loaded: LoadedRun, doom?: string): void {
    this.post(() => {
      this.#logEnds = loaded.logEnds;
      this.#steps.adopt(loaded.attempts);
      const { ended } = this.#steps;
      this.#take({ type: "adopt", doom });
      this.#steps.resume();
      // What the end of a step had set off may not have been carried out.
      for (const task of ended) this.#stepEnded(task, []);
      for (const word of loaded.words) this.#hear(word);
    });
  }

  /** Somebody says something to the run, maybe again. */
  hear(words: readonly Word[]): void {
    for (const word of words) this.post(() => this.#hear(word));
  }

  #hear(word: Word): void {
    if (this.#said.hear(word)) this.#take({ type: "word", word });
  }

  /** What these steps wait for at a gate may have come. */
  tell(stepIds: readonly string[]): void {
    this.post(() => this.#steps.tell(stepIds));
  }

  /** Nobody has told, maybe: every step that is held asks again. */
  tellHeld(): void {
    const { held } = this.#steps;
    if (held.length > 0) this.tell(held);
  }

  post(event: () => void): void {
    if (this.#isOver) return;
    this.#mail.push(event);
    this.engine.scheduler.ready(this);
  }

  /** What is in memory counts no more: the group has another owner (D4), or the run is taken up anew from its rows. */
  abandon(): void {
    this.#abandoned = true;
    this.#mail = [];
    this.#rows.abandon();
    this.#timing.set({});
    this.#steps.abandon();
    for (const uuid of this.#tracked) this.engine.drop(uuid);
    this.#reports.abandon();
  }

  turn(deadline: number): boolean {
    const { clock } = this.engine;
    this.#now = clock.now();
    let index = 0;
    while (!this.#isOver) {
      const event = this.#mail[index];
      if (event) {
        index++;
        event();
      } else if (!this.#steps.advance()) break;
      if (clock.elapsed() >= deadline) break;
    }
    if (this.#abandoned) return false;
    this.#mail = index < this.#mail.length ? this.#mail.slice(index) : [];
    const more = this.#mail.length > 0 || this.#steps.isBusy;
    if (!more && this.#steps.isIdle) {
      this.#take({ type: "idle", attempts: this.#steps.attempts, plan: this.#plan });
    }
    this.#handOver();
    return more && !this.#isOver;
  }

  /** A turn has thrown: what is in memory may be half done. */
  failed(error: unknown): void {
    this.engine.park(this.#rows.handedOver, toErrorData(error).message, error);
  }

  // ---- what tasks need ---------------------------------------------------------------------------------------------

  isSatisfied(node: StepNode): boolean {
    return this.#steps.isSatisfied(node);
  }

  scope(node: StepNode, attempt: StepAttempt): TaskScope {
    const steps = this.#steps;
    const attemptOf = (stepId: string): StepAttempt | undefined => steps.attemptOf(stepId);
    const definitionOf = (stepId: string): Step | undefined =>
      this.#plan.workflow.steps.find((step) => stepIdOf(step) === stepId);
    return { run: this.run, node, attempt, now: this.#now, attemptOf, definitionOf, stepIds: () => steps.ids() };
  }

  logEnd(uuid: string): LogOffset | undefined {
    return this.#logEnds.get(uuid);
  }

  save(attempt: StepAttempt): void {
    this.#rows.attempt(attempt);
    // Of a child's leaves its root hears when it has ended.
    if (this.run.parentKey === undefined) this.#grow(attempt);
  }

  #grow(attempt: StepAttempt): void {
    const leaves = leafCount(attempt);
    if (leaves <= 1) return;
    this.#leaves.set(attempt.stepId, leaves);
    const all = [...this.#leaves.values()].reduce((sum, count) => sum + count, 0);
    this.post(() => this.#take({ type: "grown", leaves: all }));
  }

  write(rows: readonly Write[]): void {
    this.#rows.write(rows);
  }

  afterCommit(callback: () => void): void {
    this.#rows.afterCommit(callback);
  }

  track(task: TaskView): void {
    this.#tracked.add(task.attempt.uuid);
    const { uuid } = task.attempt;
    this.engine.track(uuid, {
      stamp: this.stamp,
      wake: () => this.post(() => task.wake()),
      report: (reported, workflowId) => this.#report(task, uuid, reported, workflowId),
    });
  }

  async #report(
    task: TaskView,
    uuid: string,
    reported: Reported,
    workflowId: string | undefined,
  ): Promise<ReportAnswer> {
    if (workflowId !== undefined && workflowId !== this.run.workflowId) return "foreign";
    if (this.#isOver) return "unknown";
    return this.#reports.open((report) =>
      this.post(() => {
        if (!task.report(uuid, reported)) return report.answer("late");
        report.isTaken = true;
        this.afterCommit(() => report.answer("stored"));
      }),
    );
  }

  untrack({ attempt: { uuid } }: TaskView): void {
    if (!this.#tracked.has(uuid)) return;
    this.afterCommit(() => {
      this.#tracked.delete(uuid);
      this.engine.untrack(uuid);
    });
  }

  ready(task: TaskView): void {
    this.#steps.ready(task);
  }

  taskEnded(task: TaskView): void {
    this.untrack(task);
    this.#carriedOut(task.node.id);
    this.#stepEnded(task, this.#steps.taskEnded(task));
  }

  #carriedOut(stepId: string): void {
    if (this.#said.carriedOut(stepId)) this.write([{ kind: "words-taken", runKey: this.run.key, stepId }]);
  }

  // ---- the run as a whole ------------------------------------------------------------------------------------------

  get #isOver(): boolean {
    return this.#abandoned || this.#state.over;
  }

  #stepEnded({ node, status }: TaskView, released: readonly string[]): void {
    this.#take({ type: "ended", stepId: node.id, status, mode: node.body.failure_mode, released });
  }

  #take(event: RunEvent): void {
    const { deadline } = this.#state;
    const { state, effects } = decide(this.#state, event, { now: this.#now, waiting: this.#steps.waiting });
    this.#state = state;
    if (state.deadline !== deadline) this.#timing.set(state.deadline === undefined ? {} : { deadline: state.deadline });
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: RunEffect): void {
    switch (effect.type) {
      case "save":
        return this.#rows.run();
      case "begin":
        return this.#steps.add(effect.steps);
      case "terminate":
        return this.#steps.terminate(effect.termination);
      case "terminate step":
        if (this.#steps.terminateOne(effect.stepId, effect.termination)) return;
        if (effect.again) return this.#again(effect.stepId, effect.again);
        return this.#carriedOut(effect.stepId);
      case "again":
        if (!this.#steps.isLive(effect.stepId, effect.again.after)) return this.#again(effect.stepId, effect.again);
        return this.#againBelow(effect.stepId, effect.again);
    }
  }

  /** The word goes with the row of the attempt; or, when the attempt is to end at once, with that of its end. */
  #again(stepId: string, again: Again): void {
    this.#steps.again(stepId, again);
    if (!again.termination || !this.#steps.isLive(stepId)) this.#carriedOut(stepId);
  }

  /** A step that is under way hands the word on to what is below it; it is carried out once that is a row. */
  #againBelow(stepId: string, { restart }: Again): void {
    const carriedOut = (): void => this.post(() => this.#carriedOut(stepId));
    if (restart) this.engine.restartBelow(this.run.key, stepId, restart).then(carriedOut, carriedOut);
    else this.#carriedOut(stepId);
  }

  /** The run's end takes what was asked of it along, and tells its run strategy (D6): iterations of loops have none. */
  #handOver(): void {
    const { run, ending, over } = this.#state;
    if (!over) return this.#rows.handOver(run);
    this.#reports.close();
    const { permits } = this.engine;
    this.#rows.handOver(run, {
      rows: [
        ...permits.childEnding(run),
        ...(ending ? [{ kind: "words-taken", runKey: run.key, stepId: undefined } as const] : []),
        ...(isInline(run.initiator) ? [] : [{ kind: "outbox", topic: DEQUEUE, key: run.workflowId } as const]),
      ],
      committed: (row: StoredRun | undefined) => {
        reportRun(this.engine.log, run, run.status, ending?.reason, run);
        this.engine.runOver(run, this.#plan, row);
        permits.childLeft(run);
      },
    });
  }
}
