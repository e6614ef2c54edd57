/**
 * The actor of one step of one run: makes attempts, takes them from status to status, talks to the step's runtime.
 *
 * It decides nothing about other steps: it tells its flow when it has ended. Everything it does happens in a turn of
 * its flow; rows that it hands over commit before anything outside can see their consequences (D2, D3):
 *
 * ```
 *            ┌── built-in: in place ─────────────────────────────────┐
 * prepare ───┤                                                       ├─▶ answered ─▶ ended | backoff ─▶ prepare
 *            └── plugin: row commits ─▶ start ─▶ waiting ⇄ execute ──┘
 *                                          └── stop, kill, time-out ─▶ terminate ─┘
 * ```
 * Invariants: (1) one call to a runtime is under way at most; (2) an answer to a call made before a termination is
 * dropped; (3) `start` is called only for an attempt whose row is committed; (4) an ended task never acts again.
 */
import type { Timer } from "../clock.ts";
import { DEFAULT_TIMEOUT_MS } from "../definition/step.ts";
import { toErrorData } from "../error.ts";
import type { Params } from "../param/type.ts";
import { reportAttempt } from "../run/report.ts";
import { timeoutOf } from "../run/timeout.ts";
import { BUILTIN_RUNTIMES, type BuiltinRuntime } from "../runtime/builtin/index.ts";
import type { StepResult } from "../runtime/type.ts";
import { enter, mergeArtifacts, newAttempt, withEvents } from "../step/attempt.ts";
import { detailsEvent, logEvent, spelled } from "../step/event.ts";
import type { StepAttempt } from "../step/model.ts";
import { applyFailureMode, type Failure, failedStatus } from "../step/outcome.ts";
import { countRetry, FRESH_RETRY, lastAttempt, limitReached, retryDelay, retryKind } from "../step/retry.ts";
import { isComplete, isFailed, isTerminal, type StepStatus } from "../step/status.ts";
import { LONGEST_TERMINATION, outranks, TERMINATION_GRACE, type Termination } from "../step/termination.ts";
import { Deferred, type TaskScope } from "./evaluation.ts";
import type { GraphNode } from "./graph.ts";
import { contextOf, type TaskParent, type TaskView } from "./parent.ts";
import { withRetryPlan } from "./retryplan.ts";

/** How long to wait before a failed `terminate` or a broken runtime call is made again, ms. */
const CALL_AGAIN = 5_000;

type Phase =
  /** Between two decisions of one turn, or waiting for an expression that is evaluated elsewhere. */
  | "deciding"
  /** Evaluated up to STARTING; the flow says when to go, so that steps that begin together do not see each other's ends. */
  | "prepared"
  /** Waiting for the row's commit, then for the answer of `start` or `execute`. */
  | "calling"
  /** The runtime has the job; a wake or a timer comes next. */
  | "waiting"
  | "backoff"
  | "terminating"
  | "ended";

export class Task implements TaskView {
  readonly node: GraphNode;
  readonly #flow: TaskParent;
  #attempt: StepAttempt;
  #phase: Phase = "deciding";
  #timers: Timer[] = [];
  /** Raised by every termination: answers to older calls are dropped (2). */
  #epoch = 0;
  /** Conditions that are decided while others wait for the evaluation thread. */
  readonly #conditions = new Map<string, boolean>();
  /** A wake came while a call was under way. */
  #woken = false;
  #termination: Termination | undefined;
  /** The termination was not carried out at the first try: it ends after its grace period. */
  #isOverdue = false;

  private constructor(flow: TaskParent, node: GraphNode, attempt: StepAttempt) {
    this.#flow = flow;
    this.node = node;
    this.#attempt = attempt;
  }

  /** The first attempt at a step whose predecessors have all completed. */
  static begin(flow: TaskParent, node: GraphNode): Task {
    const made = newAttempt({
      stepId: node.id,
      attemptId: 1,
      uuid: flow.engine.newUuid(),
      stepInstanceId: flow.nextStepInstanceId(),
      retry: FRESH_RETRY,
      now: flow.now,
    });
    return new Task(flow, node, made);
  }

  /** Takes over from another owner, or from before a crash: from the newest attempt's row. */
  static adopt(flow: TaskParent, node: GraphNode, attempt: StepAttempt): Task {
    const task = new Task(flow, node, attempt);
    if (isTerminal(attempt.status)) task.#phase = task.#retryPending() ? "backoff" : "ended";
    return task;
  }

  get attempt(): StepAttempt {
    return this.#attempt;
  }

  get status(): StepStatus {
    return this.#attempt.status;
  }

  get ended(): boolean {
    return this.#phase === "ended";
  }

  /** Decides whether the step runs, and evaluates its params. {@link go} follows. */
  prepare(): void {
    this.#prepare(false);
  }

  /** Starts what {@link prepare} has made ready, if it still is. */
  go(): void {
    if (this.#phase !== "prepared") return;
    const builtin = this.#builtin;
    if (builtin) this.#runBuiltin(builtin, "start");
    else this.#call("start");
  }

  /** Goes on from wherever the row says the attempt is. */
  resume(): void {
    const { status } = this.#attempt;
    if (isTerminal(status)) return this.#backOff();
    if (status === "STARTING" && !this.#builtin) return this.#call("start");
    if (status === "RUNNING") {
      this.#armTimeout();
      return this.#call("execute");
    }
    this.#prepare(true);
  }

  /** The runtime has something to say. */
  wake(): void {
    if (this.#phase === "waiting") this.#call("execute");
    else this.#woken = true;
  }

  /** The group is lost: no timer fires and no answer counts any more. */
  abandon(): void {
    this.#clearTimers();
    this.#epoch++;
    this.#phase = "ended";
  }

  /** Ends the step from outside; a step that waits for its retry gets an attempt that ends at once. */
  terminate(termination: Termination): void {
    if (this.#phase === "ended") return;
    if (this.#phase === "terminating") return this.#overrule(termination);
    if (this.#phase === "backoff") this.#attempt = this.#followUp();
    this.#clearTimers();
    this.#epoch++;
    this.#isOverdue = false;
    this.#ordered(termination);
    const { status } = this.#attempt;
    const external = (status === "RUNNING" || status === "STARTING") && this.#phase !== "prepared";
    if (!external || this.#builtin) return this.#terminated();
    this.#giveUpAfter(termination.status === "FATALLY_FAILED" ? TERMINATION_GRACE : LONGEST_TERMINATION);
    this.#call("terminate");
  }

  /** Another termination while one is being carried out: the job has been told; what the step becomes may change. */
  #overrule(termination: Termination): void {
    if (this.#termination && !outranks(termination, this.#termination)) return;
    this.#ordered(termination);
    this.#save();
    if (termination.status === "FATALLY_FAILED") this.#giveUpAfter(TERMINATION_GRACE);
  }

  #ordered(termination: Termination): void {
    this.#termination = termination;
    const level = termination.status === "STOPPED" ? "INFO" : "ERROR";
    this.#attempt = withEvents(this.#attempt, [logEvent(termination.reason, this.#flow.now, level)]);
  }

  /** A runtime that does not end the job can't keep the step, and its run, for ever. */
  #giveUpAfter(grace: number): void {
    this.#timer(this.#flow.now + grace, () => {
      if (this.#phase !== "terminating") return;
      const note = `Its runtime has not ended the job within ${spelled(grace)}, so the step ends without: the job may still run`;
      this.#attempt = withEvents(this.#attempt, [logEvent(note, this.#flow.now, "WARN")]);
      this.#epoch++;
      this.#terminated();
    });
  }

  // ---- preparation -------------------------------------------------------------------------------------------------

  #prepare(goes: boolean): void {
    this.#phase = "deciding";
    if (!this.#flow.isSatisfied(this.node)) return this.#skip("UNSATISFIED");
    try {
      this.#attempt = this.#prepared();
    } catch (error) {
      return this.#failed(error, () => this.#prepare(true));
    }
    this.#phase = "prepared";
    if (goes) this.go();
  }

  /** Everything up to STARTING; no status on the way can hold the step back. */
  #prepared(): StepAttempt {
    const { now, run, engine } = this.#flow;
    const first = this.#attempt.attemptId === 1;
    const waiting =
      this.#attempt.status === "EVALUATING_PARAMS"
        ? this.#attempt
        : enter(this.#attempt, now, "INITIALIZED", "WAITING_FOR_SIGNALS", "EVALUATING_PARAMS");
    const interpolate = (text: string): string => engine.evaluation.interpolate(run, text, now);
    const isNew = first && waiting.retry.plan === undefined;
    const planned = isNew ? withRetryPlan(waiting, this.node.typed?.retry_policy, interpolate, now) : waiting;
    const ready: StepAttempt = {
      ...planned,
      timeoutMs: timeoutOf(this.node.body.timeout, `step [${this.node.id}]`, interpolate),
    };
    this.#attempt = ready;
    const evaluated = { ...ready, params: engine.evaluation.stepParams(this.#scope(ready)), paramsTime: now };
    return enter(evaluated, now, "WAITING_FOR_PERMITS", "STARTING");
  }

  #skip(status: "UNSATISFIED"): void {
    const { now } = this.#flow;
    const conditions = Object.fromEntries(this.node.successors.map(([id]) => [id, false]));
    this.#attempt = enter({ ...this.#attempt, conditions, conditionsTime: now }, now, status);
    this.#settle();
  }

  // ---- the runtime -------------------------------------------------------------------------------------------------

  get #builtin(): BuiltinRuntime | undefined {
    return this.node.typed && BUILTIN_RUNTIMES.get(this.node.typed.type);
  }

  #runBuiltin(runtime: BuiltinRuntime, call: "start" | "execute"): void {
    try {
      this.#answered(runtime[call](contextOf(this.#flow, this.node, this.#attempt), this.#flow.now));
    } catch (error) {
      this.#failed(error);
    }
  }

  #call(call: "start" | "execute" | "terminate"): void {
    const builtin = this.#builtin;
    if (builtin && call !== "terminate") return this.#runBuiltin(builtin, call);
    const runtime = this.#flow.engine.runtimeOf(this.node);
    if ("unavailable" in runtime) {
      if (call === "terminate") return this.#terminated();
      return this.#answered({
        state: "FATAL_ERROR",
        timeline: [logEvent(runtime.unavailable, this.#flow.now, "ERROR")],
      });
    }
    this.#phase = call === "terminate" ? "terminating" : "calling";
    this.#woken = false;
    const epoch = this.#epoch;
    this.#flow.track(this);
    const invoke = (): void => {
      if (epoch !== this.#epoch || this.#phase === "ended") return;
      runtime[call](contextOf(this.#flow, this.node, this.#attempt)).then(
        (result) => this.#later(epoch, () => this.#replied(call, result)),
        (error) => this.#later(epoch, () => this.#broken(call, error)),
      );
    };
    if (call !== "start") return invoke();
    this.#armTimeout();
    this.#attempt = { ...this.#attempt, place: this.#attempt.place ?? this.#flow.engine.place };
    this.#save();
    this.#flow.afterCommit(invoke);
  }

  #later(epoch: number, then: () => void): void {
    this.#flow.post(() => {
      if (epoch === this.#epoch && this.#phase !== "ended") then();
    });
  }

  #replied(call: "start" | "execute" | "terminate", result: StepResult): void {
    if (call !== "terminate") return this.#answered(result);
    this.#attempt = this.#absorbed(result);
    if (result.state === "STOPPED") return this.#terminated();
    this.#broken(call, new Error(`the runtime answered ${result.state}, so the job may still run`));
  }

  /** The call itself failed: the thread is gone or the plugin threw something odd. The job may live: ask again. */
  #broken(call: "start" | "execute" | "terminate", error: unknown): void {
    const message = `${call} could not be carried out and is tried again: ${toErrorData(error).message}`;
    this.#attempt = withEvents(this.#attempt, [logEvent(message, this.#flow.now, "WARN")]);
    if (call === "terminate" && !this.#isOverdue) {
      this.#isOverdue = true;
      this.#giveUpAfter(TERMINATION_GRACE);
    }
    this.#timer(this.#flow.now + CALL_AGAIN, () => this.#call(call));
  }

  #absorbed(result: StepResult): StepAttempt {
    const merged = { ...this.#attempt, artifacts: mergeArtifacts(this.#attempt.artifacts, result.artifacts) };
    return withEvents(merged, result.timeline);
  }

  #answered(result: StepResult): void {
    const { now } = this.#flow;
    const before = this.#attempt;
    const started = before.status === "STARTING";
    this.#attempt = this.#absorbed(result);
    switch (result.state) {
      case "CONTINUE":
        if (started) this.#attempt = enter(this.#attempt, now, "RUNNING");
        return this.#wait(result, started || this.#attempt !== before);
      case "DONE":
        if (started) this.#attempt = enter(this.#attempt, now, "RUNNING");
        return this.#finish(result.outputs);
      case "USER_ERROR":
      case "PLATFORM_ERROR":
      case "FATAL_ERROR":
        return this.#fail(result.state);
      case "STOPPED":
      case "TIMED_OUT":
        this.#attempt = enter(this.#attempt, now, result.state);
        return this.#settle();
    }
  }

  #wait(result: StepResult, changed: boolean): void {
    const { now } = this.#flow;
    if (result.nextPollDelay !== undefined) {
      this.#attempt = { ...this.#attempt, pollTime: now + result.nextPollDelay };
    }
    if (changed) this.#save();
    this.#phase = "waiting";
    this.#armTimeout();
    if (this.#woken) return this.#call("execute");
    if (result.nextPollDelay !== undefined) this.#timer(now + result.nextPollDelay, () => this.wake());
  }

  #finish(outputs: Params | undefined): void {
    const { now, engine } = this.#flow;
    try {
      const params = outputs
        ? engine.evaluation.outputParams(this.#scope(this.#attempt), outputs)
        : this.#attempt.params;
      this.#attempt = enter({ ...this.#attempt, params }, now, "FINISHING", "SUCCEEDED");
    } catch (error) {
      return this.#failed(error);
    }
    this.#settle();
  }

  // ---- ends --------------------------------------------------------------------------------------------------------

  #fail(failure: Failure): void {
    const status = failedStatus(failure, this.#attempt.retry);
    this.#attempt = enter(this.#attempt, this.#flow.now, status);
    if (status === "FATALLY_FAILED") this.#applyMode();
    this.#settle();
  }

  #applyMode(): void {
    const mode = this.node.body.failure_mode;
    const status = applyFailureMode("FATALLY_FAILED", mode);
    if (status === "FATALLY_FAILED") return;
    const note = logEvent("The step failed; its failure mode IGNORE_FAILURE lets the run go on", this.#flow.now);
    this.#attempt = withEvents(enter(this.#attempt, this.#flow.now, status), [note]);
  }

  /** Something that the engine itself could not do for the step: no retry, whatever the failure mode. */
  #failed(error: unknown, again?: () => void): void {
    if (error instanceof Deferred && again) {
      const epoch = this.#epoch;
      void error.settled.then(() => this.#later(epoch, again));
      // An attempt that has completed is not stored before it is known where the run goes from it.
      if (!isComplete(this.#attempt.status)) this.#save();
      return;
    }
    const { now } = this.#flow;
    const data = { ...toErrorData(error), code: "INTERNAL_ERROR" as const };
    this.#attempt = withEvents(enter(this.#attempt, now, "INTERNALLY_FAILED"), [detailsEvent(data, now)]);
    this.#settle();
  }

  #terminated(): void {
    const { now } = this.#flow;
    const termination = this.#termination as Termination;
    this.#attempt = enter(this.#attempt, now, termination.status);
    if (termination.byMode) this.#applyMode();
    this.#settle();
  }

  /** The attempt has reached a terminal status: decide what follows from it. */
  #settle(): void {
    this.#clearTimers();
    if (isComplete(this.#attempt.status) && !this.#conditionsDecided()) return;
    this.#reportFailure();
    if (this.#retryPending()) return this.#backOff();
    this.#save();
    this.#phase = "ended";
    this.#flow.taskEnded(this);
  }

  #reportFailure(): void {
    const attempt = this.#attempt;
    if (!isFailed(attempt.status) && attempt.status !== "TIMED_OUT" && attempt.status !== "COMPLETED_WITH_ERROR")
      return;
    const { engine, run } = this.#flow;
    const retry = this.#retryPending();
    this.#flow.afterCommit(() => reportAttempt(engine.log, run, attempt, retry));
  }

  /** False when the attempt is not settled yet: a condition could not be evaluated, or not at once. */
  #conditionsDecided(): boolean {
    if (this.#attempt.conditions !== undefined || this.node.successors.length === 0) return true;
    const scope = this.#scope(this.#attempt);
    try {
      for (const [id, expression] of this.node.successors) {
        if (this.#conditions.has(id)) continue;
        const holds = expression === "true" || this.#flow.engine.evaluation.condition(scope, expression);
        this.#conditions.set(id, holds);
      }
    } catch (error) {
      this.#failed(error, () => this.#settle());
      return false;
    }
    const conditions = Object.fromEntries(this.#conditions);
    this.#attempt = { ...this.#attempt, conditions, conditionsTime: this.#flow.now };
    return true;
  }

  #retryPending(): boolean {
    const kind = retryKind(this.#attempt.status);
    return kind !== undefined && !limitReached(this.#attempt.retry, kind);
  }

  #backOff(): void {
    const { attemptId, status, retry } = this.#attempt;
    const kind = retryKind(status) ?? "error";
    const delay = retryDelay(retry, kind);
    const end = this.#attempt.times.end_time ?? this.#flow.now;
    const next = `Attempt ${attemptId + 1} of ${lastAttempt(attemptId, retry, kind)}`;
    const note = logEvent(`${next} begins ${spelled(delay)} after this failure`, this.#flow.now);
    this.#attempt = withEvents(this.#attempt, [note]);
    this.#save();
    this.#flow.untrack(this);
    this.#phase = "backoff";
    this.#timer(end + delay, () => {
      this.#attempt = this.#followUp();
      this.#prepare(true);
    });
  }

  #followUp(): StepAttempt {
    const { stepInstanceId, attemptId, retry, status } = this.#attempt;
    return newAttempt({
      stepId: this.node.id,
      attemptId: attemptId + 1,
      uuid: this.#flow.engine.newUuid(),
      stepInstanceId,
      retry: countRetry(retry, status),
      now: this.#flow.now,
    });
  }

  // ---- odds --------------------------------------------------------------------------------------------------------

  #armTimeout(): void {
    const start = this.#attempt.times.start_time ?? this.#flow.now;
    this.#clearTimers();
    this.#timer(start + (this.#attempt.timeoutMs ?? DEFAULT_TIMEOUT_MS), () => this.#timedOut());
  }

  #timedOut(): void {
    const status = failedStatus("TIMEOUT_ERROR", this.#attempt.retry) as "TIMEOUT_FAILED" | "TIMED_OUT";
    const limit = spelled(this.#attempt.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.terminate({ status, reason: `The step ran longer than its timeout of ${limit}`, byMode: false });
  }

  #timer(time: number, callback: () => void): void {
    const epoch = this.#epoch;
    this.#timers.push(this.#flow.engine.timers.at(time, () => this.#later(epoch, callback)));
  }

  #clearTimers(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers = [];
  }

  #save(): void {
    this.#flow.save(this.#attempt);
  }

  #scope(attempt: StepAttempt): TaskScope {
    return this.#flow.scope(this.node, attempt);
  }
}
