/**
 * The actor of one run: makes a task for each step whose predecessors have completed, ends the run when nothing is
 * left to do, and carries out what is asked of the run as a whole.
 *
 * It keeps the run in memory and hands every change to the writer; it never reads. A turn works through the mail and
 * the ready steps, then hands over all rows of the turn at once, so that a step that starts and ends within a turn is
 * one row. Invariants: (1) rows are handed over in the order in which they were produced (D3); (2) a run ends once, with
 * the outbox row that frees its place in the run strategy (D6); (3) a flow that has lost its group does nothing more.
 */

import type { Timer } from "../clock.ts";
import { DEFAULT_TIMEOUT_MS } from "../definition/step.ts";
import { toErrorData } from "../error.ts";
import { own } from "../record.ts";
import type { Run } from "../run/model.ts";
import { runOverview } from "../run/overview.ts";
import { type RunEnd, runEnd } from "../run/progress.ts";
import { reportRun } from "../run/report.ts";
import type { LogOffset } from "../runtime/type.ts";
import { addEvents, logEvent, spelled } from "../step/event.ts";
import type { StepAttempt } from "../step/model.ts";
import { endsRun } from "../step/outcome.ts";
import { isComplete } from "../step/status.ts";
import { outranks, type Termination } from "../step/termination.ts";
import type { FlowContext } from "./context.ts";
import type { TaskScope } from "./evaluation.ts";
import type { Graph, GraphNode } from "./graph.ts";
import { Line } from "./line.ts";
import type { TaskParent, TaskView } from "./parent.ts";
import {
  type GroupStamp,
  type LoadedRun,
  type RefusedWrite,
  type RunActionRequest,
  StaleOwner,
  type StoredRun,
  type Write,
} from "./port.ts";
import type { Scheduled } from "./scheduler.ts";
import { Task } from "./task.ts";

/** Steps that a reason spells out. */
const MOST_NAMED = 3;

export class Flow implements Scheduled, TaskParent {
  readonly engine: FlowContext;
  readonly #stamp: GroupStamp;
  readonly #graph: Graph;
  readonly #tasks = new Map<string, Task>();
  /** Predecessors that have not completed, by step that has some. */
  readonly #missing = new Map<string, number>();
  #run: Run;
  #now = 0;
  #mail: (() => void)[] = [];
  /**
   * Steps on their way in, a generation at a time: those whose predecessors have completed, those that are to be
   * prepared, those that are prepared and go when the whole generation is. So steps that become ready together begin
   * together: none sees another's end.
   */
  #ready = new Line<string>();
  #preparing = new Line<string>();
  readonly #prepared = new Line<Task>();
  #rows: Write[] = [];
  #attempts = new Map<string, StepAttempt>();
  #afterCommit: (() => void)[] = [];
  #runChanged = false;
  #live = 0;
  /** Where the logs of adopted attempts went on under a former owner. */
  #logEnds: LoadedRun["logEnds"] = new Map();
  #lastStepInstanceId = 0;
  #timeout: Timer | undefined;
  /** Set once the run is being ended from outside or by a step: nothing new starts. */
  #ending: Termination | undefined;
  /** Steps that could have run did not, since the run was being ended. */
  #cut = false;
  /** Why the run has to fail, however its steps end. */
  #doom: string | undefined;
  /** The run as it was when its rows were last handed over. */
  #handedOver: Run;
  #over = false;
  #abandoned = false;

  constructor(engine: FlowContext, stamp: GroupStamp, graph: Graph, run: Run) {
    this.engine = engine;
    this.#stamp = stamp;
    this.#graph = graph;
    this.#run = run;
    this.#handedOver = run;
  }

  get run(): Run {
    return this.#run;
  }

  /** Epoch ms; one instant for a whole turn. */
  get now(): number {
    return this.#now;
  }

  /** A run that the strategy has just let go, or one whose owner died before its first step: nothing has happened yet. */
  launch(): void {
    this.post(() => {
      const dequeued = logEvent("The run strategy let the run go", this.#now);
      const timeline = addEvents(this.#run.timeline, [dequeued]);
      this.#change({ status: "IN_PROGRESS", startTime: this.#now, timeline });
      this.#armTimeout();
      for (const node of this.#graph.nodes.values()) {
        if (node.predecessors.length > 0) this.#missing.set(node.id, node.predecessors.length);
      }
      for (const root of this.#graph.roots) this.#ready.push(root);
    });
  }

  /**
   * Goes on where the rows say that a former owner was.
   *
   * @param doom why the run can't go on, and is to fail; undefined: it can
   */
  adopt(loaded: LoadedRun, doom?: string): void {
    this.post(() => {
      this.#logEnds = loaded.logEnds;
      this.#doom = doom;
      if (this.#run.startTime === undefined) this.#change({ status: "IN_PROGRESS", startTime: this.#now });
      this.#adoptTasks(loaded.attempts);
      this.#armTimeout();
      if (doom !== undefined) this.#failRun(doom);
      if (loaded.action) this.#act(loaded.action);
    });
  }

  /** A user stops or kills the run. */
  act(action: RunActionRequest): void {
    this.post(() => this.#act(action));
  }

  /** Runs in the flow's next turn; dropped when the run is over. */
  post(event: () => void): void {
    if (this.#over) return;
    this.#mail.push(event);
    this.engine.scheduler.ready(this);
  }

  /** What is in memory counts no more: the group has another owner (D4), or the run is taken up anew from its rows. */
  abandon(): void {
    this.#over = true;
    this.#abandoned = true;
    this.#timeout?.cancel();
    for (const task of this.#tasks.values()) {
      task.abandon();
      this.engine.drop(task.attempt.uuid);
    }
    this.#mail = [];
    this.#ready.clear();
    this.#preparing.clear();
    this.#prepared.clear();
  }

  turn(deadline: number): boolean {
    this.#now = this.engine.clock.now();
    let index = 0;
    while (!this.#over) {
      const event = this.#mail[index];
      if (event) {
        index++;
        event();
      } else if (!this.#advance()) {
        break;
      }
      if (performance.now() >= deadline) break;
    }
    this.#mail = index < this.#mail.length ? this.#mail.slice(index) : [];
    const more = this.#mail.length + this.#ready.size + this.#preparing.size + this.#prepared.size > 0;
    if (!more && this.#live === 0 && !this.#over) this.#end();
    this.#handOver();
    return more && !this.#over;
  }

  /** A turn has thrown: what is in memory may be half done. */
  failed(error: unknown): void {
    this.engine.park(this.#handedOver, toErrorData(error).message, error);
  }

  // ---- what tasks need ---------------------------------------------------------------------------------------------

  nextStepInstanceId(): number {
    return ++this.#lastStepInstanceId;
  }

  /** At least one incoming condition was true; a step without predecessors always is. */
  isSatisfied(node: GraphNode): boolean {
    if (node.predecessors.length === 0) return true;
    return node.predecessors.some((id) => own(this.#tasks.get(id)?.attempt.conditions, node.id) === true);
  }

  scope(node: GraphNode, attempt: StepAttempt): TaskScope {
    return {
      run: this.#run,
      node,
      attempt,
      now: this.#now,
      attemptOf: (stepId) => this.#tasks.get(stepId)?.attempt,
      stepIds: () => this.#tasks.keys(),
    };
  }

  logEnd(uuid: string): LogOffset | undefined {
    return this.#logEnds.get(uuid);
  }

  /** The attempt's row as it is now belongs to this turn's rows. */
  save(attempt: StepAttempt): void {
    this.#attempts.set(attempt.uuid, attempt);
  }

  /** Runs once this turn's rows, and all before them, have committed. */
  afterCommit(callback: () => void): void {
    this.#afterCommit.push(callback);
  }

  /** Wakes and logs of this attempt find the task. */
  track(task: TaskView): void {
    this.engine.track(task.attempt.uuid, { stamp: this.#stamp, wake: () => this.post(() => task.wake()) });
  }

  /** The attempt's job is over: its traces go once its last row has committed. */
  untrack(task: TaskView): void {
    const { uuid } = task.attempt;
    if (this.engine.isTracked(uuid)) this.afterCommit(() => this.engine.untrack(uuid));
  }

  /** The task is at its end. */
  taskEnded(task: TaskView): void {
    this.#live--;
    this.untrack(task);
    if (isComplete(task.status)) this.#release(task.node);
    if (endsRun(task.status, task.node.body.failure_mode)) this.#failAll(task);
  }

  // ---- steps -------------------------------------------------------------------------------------------------------

  /** One step's next move; false when there is none. */
  #advance(): boolean {
    const preparing = this.#preparing.take();
    if (preparing !== undefined) {
      this.#begin(preparing);
      return true;
    }
    const prepared = this.#prepared.take();
    if (prepared) {
      prepared.go();
      return true;
    }
    if (this.#ready.size === 0) return false;
    [this.#preparing, this.#ready] = [this.#ready, this.#preparing];
    return true;
  }

  #begin(stepId: string): void {
    const node = this.#graph.nodes.get(stepId);
    if (!node || this.#ending) return;
    const task = Task.begin(this, node);
    this.#tasks.set(stepId, task);
    this.#live++;
    this.#prepared.push(task);
    task.prepare();
  }

  #release(node: GraphNode): void {
    for (const [id] of node.successors) {
      const missing = (this.#missing.get(id) ?? 1) - 1;
      this.#missing.set(id, missing);
      if (missing > 0) continue;
      if (this.#ending) this.#cut = true;
      else this.#ready.push(id);
    }
  }

  #adoptTasks(attempts: readonly StepAttempt[]): void {
    for (const attempt of attempts) {
      const node = this.#graph.nodes.get(attempt.stepId);
      if (node) this.#tasks.set(attempt.stepId, Task.adopt(this, node, attempt));
      this.#lastStepInstanceId = Math.max(this.#lastStepInstanceId, attempt.stepInstanceId);
    }
    for (const node of this.#graph.nodes.values()) {
      const missing = node.predecessors.filter((id) => !this.#completed(id)).length;
      if (missing > 0) this.#missing.set(node.id, missing);
      else if (!this.#tasks.has(node.id)) this.#ready.push(node.id);
    }
    for (const task of this.#tasks.values()) {
      if (task.ended) continue;
      this.#live++;
      if (this.#doom === undefined) task.resume();
    }
    for (const task of this.#tasks.values()) if (endsRun(task.status, task.node.body.failure_mode)) this.#failAll(task);
  }

  #completed(stepId: string): boolean {
    const task = this.#tasks.get(stepId);
    return task !== undefined && isComplete(task.status);
  }

  // ---- the run as a whole ------------------------------------------------------------------------------------------

  #act({ action, user, reason }: RunActionRequest): void {
    const status = action === "KILL" ? "FATALLY_FAILED" : "STOPPED";
    const because = reason ? ` due to reason: [${reason}]` : "";
    this.#terminateAll({
      status,
      reason: `User [${user}] takes action [${action}] on the run${because}`,
      byMode: false,
    });
  }

  #failRun(reason: string): void {
    this.#change({ timeline: addEvents(this.#run.timeline, [logEvent(reason, this.#now, "ERROR")]) });
    this.#terminateAll({ status: "STOPPED", reason, byMode: false });
  }

  #failAll(task: TaskView): void {
    const reason = `Step [${task.node.id}] failed, and its failure mode is FAIL_IMMEDIATELY`;
    this.#terminateAll({ status: "STOPPED", reason, byMode: false });
  }

  #terminateAll(termination: Termination): void {
    if (this.#ending && !outranks(termination, this.#ending)) return;
    this.#ending = termination;
    this.#cut ||= this.#ready.size + this.#preparing.size > 0;
    this.#ready.clear();
    this.#preparing.clear();
    for (const task of this.#tasks.values()) task.terminate(termination);
  }

  #armTimeout(): void {
    const limit = this.#run.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const due = (this.#run.startTime ?? this.#now) + limit;
    this.#timeout = this.engine.timers.at(due, () => {
      const reason = `The run took longer than its timeout of ${spelled(limit)}`;
      this.post(() => this.#terminateAll({ status: "TIMED_OUT", reason, byMode: false }));
    });
  }

  #end(): void {
    this.#over = true;
    this.#timeout?.cancel();
    const statuses = [...this.#tasks.values()].map((task) => task.status);
    const attempts = [...this.#tasks.values()].map((task) => task.attempt);
    const end = statuses.length === 0 && this.#ending ? "SUCCEEDED" : runEnd(statuses);
    const cut = this.#ending && end === "SUCCEEDED" && this.#cut ? END_OF[this.#ending.status] : end;
    const status = this.#doom === undefined ? cut : "FAILED";
    this.#change({ status, endTime: this.#now, overview: runOverview(this.#run, this.#graph.nodes.size, attempts) });
  }

  #change(change: Partial<Pick<Run, "status" | "startTime" | "endTime" | "overview" | "timeline">>): void {
    this.#run = { ...this.#run, ...change, modifyTime: this.#now };
    this.#runChanged = true;
  }

  /** Gives the turn's rows to the writer: attempts before the run, so that a prefix of the rows is a past state. */
  #handOver(): void {
    for (const attempt of this.#attempts.values()) {
      this.#rows.push({ kind: "attempt", runKey: this.#run.key, attempt });
    }
    const over = this.#over && this.#runChanged;
    if (this.#runChanged) this.#rows.push({ kind: "run", key: this.#run.key, change: this.#run });
    if (over) {
      if (this.#ending) this.#rows.push({ kind: "action-done", runKey: this.#run.key });
      this.#rows.push({ kind: "outbox", topic: "dequeue", key: this.#run.workflowId });
    }
    if (this.#rows.length === 0) return this.#committed();
    const before = this.#handedOver;
    this.#handedOver = this.#run;
    const rows = this.#rows;
    const callbacks = this.#afterCommit;
    this.#rows = [];
    this.#attempts = new Map();
    this.#afterCommit = [];
    this.#runChanged = false;
    this.engine.store.writer.write(this.#stamp, rows, (error, ended) => {
      if (error instanceof StaleOwner) return this.engine.lost(error.groups);
      if (error) return this.#refused(before, rows, error);
      for (const callback of callbacks) callback();
      if (over) this.#reportEnd(ended);
    });
  }

  /** What is in memory will never be stored. @param stored the run without it */
  #refused(stored: Run, rows: readonly Write[], { message }: RefusedWrite): void {
    if (this.#abandoned) return;
    const steps = new Set(rows.flatMap((row) => (row.kind === "attempt" ? [`[${row.attempt.stepId}]`] : [])));
    const named = [...steps].slice(0, MOST_NAMED).join(", ") + (steps.size > MOST_NAMED ? ", …" : "");
    const what =
      steps.size === 0 ? "state of the run" : steps.size === 1 ? `state of step ${named}` : `state of steps ${named}`;
    this.engine.refused(stored, `The database refuses the ${what}: ${message}. The run cannot go on`);
  }

  #reportEnd(row: StoredRun | undefined): void {
    reportRun(this.engine.log, this.#run, this.#run.status, this.#ending?.reason, this.#run);
    this.engine.runOver(this.#run, row);
  }

  /** Nothing to write: tasks that go on after the next commit go on now. */
  #committed(): void {
    const callbacks = this.#afterCommit;
    if (callbacks.length === 0) return;
    this.#afterCommit = [];
    for (const callback of callbacks) callback();
  }
}

const END_OF = {
  STOPPED: "STOPPED",
  FATALLY_FAILED: "FAILED",
  TIMED_OUT: "TIMED_OUT",
  TIMEOUT_FAILED: "TIMED_OUT",
} as const satisfies Record<Termination["status"], RunEnd>;
