/**
 * The actor of one step of one run: what happens to the step goes to `step/machine.ts`, and what that decides is carried
 * out here. It decides nothing. Everything it does happens in a turn of its flow; rows that it hands over commit before
 * anything outside can see their consequences (D2, D3).
 */
import type { Timer } from "../clock.ts";
import { toErrorData } from "../error.ts";
import { BUILTIN_RUNTIMES, type BuiltinRuntime } from "../runtime/builtin/index.ts";
import { decide, newStep, storedStep } from "../step/machine.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { RuntimeCall, StepEffect, StepEvent, StepState, TimerName, Timers } from "../step/state.ts";
import type { StepStatus } from "../step/status.ts";
import type { Termination } from "../step/termination.ts";
import { LEASE } from "./membership.ts";
import { contextOf, type TaskParent, type TaskView } from "./parent.ts";
import { type Ask, Evaluating, isCall, type Reply } from "./question.ts";
import { reportAttempt } from "./report.ts";

/** How long after it was asked for a commit says that a job may begin, ms: half a lease. */
const CERTAIN = LEASE / 2;
/** No gate has anything to say yet. */
const OPEN = Object.freeze({});

export class Task implements TaskView {
  readonly node: StepNode;
  readonly #flow: TaskParent;
  readonly #builtin: BuiltinRuntime | undefined;
  readonly #armed = new Map<TimerName, Timer>();
  #state: StepState;

  private constructor(flow: TaskParent, node: StepNode, state: StepState) {
    this.#flow = flow;
    this.node = node;
    this.#builtin = node.typed && BUILTIN_RUNTIMES.get(node.typed.type);
    this.#state = state;
  }

  /** A step whose predecessors have all completed. {@link begin} follows. */
  static make(flow: TaskParent, node: StepNode, stepInstanceId: number): Task {
    const uuid = flow.engine.newUuid();
    return new Task(flow, node, newStep({ stepId: node.id, uuid, stepInstanceId, now: flow.now }));
  }

  /** Takes over from another owner, or from before a crash: from the newest attempt's row. */
  static adopt(flow: TaskParent, node: StepNode, attempt: StepAttempt): Task {
    return new Task(flow, node, storedStep(attempt));
  }

  get attempt(): StepAttempt {
    return this.#state.attempt;
  }

  get status(): StepStatus {
    return this.#state.attempt.status;
  }

  get ended(): boolean {
    return this.#state.phase === "ended";
  }

  /** Decides whether the step runs, and prepares it; the flow is told when it is ready. */
  begin(): void {
    this.#take({ type: "begin", satisfied: this.#flow.isSatisfied(this.node) });
  }

  /** Goes on from wherever the row says the attempt is. */
  resume(): void {
    this.#take({ type: "resume", satisfied: this.#flow.isSatisfied(this.node) });
  }

  /** Starts the step, if it still is to be started. */
  go(): void {
    this.#take({ type: "go" });
  }

  /** The runtime has something to say. */
  wake(): void {
    this.#take({ type: "woken" });
  }

  /** Ends the step from outside. */
  terminate(termination: Termination): void {
    this.#take({ type: "terminate", termination, uuid: this.#flow.engine.newUuid() });
  }

  /** The group is lost: no timer fires and no answer counts any more. */
  abandon(): void {
    for (const timer of this.#armed.values()) timer.cancel();
    this.#state = { ...this.#state, phase: "ended", asked: undefined };
  }

  #take(event: StepEvent): void {
    const { timers } = this.#state;
    const { state, effects } = decide(this.#state, event, {
      now: this.#flow.now,
      node: this.node,
      inPlace: this.#builtin !== undefined,
      place: this.#flow.engine.place,
      holds: OPEN,
    });
    this.#state = state;
    if (state.timers !== timers) this.#arm(timers, state.timers);
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: StepEffect): void {
    switch (effect.type) {
      case "save":
        return this.#flow.save(this.attempt);
      case "ready":
        return this.#flow.ready(this);
      case "over":
        return this.#flow.untrack(this);
      case "report": {
        const { engine, run } = this.#flow;
        return this.#flow.afterCommit(() => reportAttempt(engine.log, run, effect.attempt, effect.retry));
      }
      case "ended":
        return this.#flow.taskEnded(this);
      case "ask":
        return isCall(effect.what)
          ? this.#call(effect.id, effect.what)
          : this.#evaluate(effect.id, new Evaluating(this.#flow.engine.evaluation, effect.what, effect.outputs));
    }
  }

  #evaluate(id: Ask["id"], evaluating: Evaluating): void {
    const reply = evaluating.put(this.#flow.scope(this.node, this.attempt));
    if (!(reply instanceof Promise)) return this.#take({ id, ...reply });
    void reply.then(() => this.#flow.post(() => this.#evaluate(id, evaluating)));
    this.#take({ id, type: "deferred" });
  }

  #call(id: Ask["id"], call: RuntimeCall): void {
    if (this.#builtin) return this.#take({ id, ...this.#callInPlace(this.#builtin, call) });
    const runtime = this.#flow.engine.runtimeOf(this.node);
    if ("unavailable" in runtime) return this.#take({ id, type: "unavailable", reason: runtime.unavailable });
    this.#flow.track(this);
    const { clock } = this.#flow.engine;
    const since = clock.elapsed();
    const invoke = (): void => {
      if (this.#state.asked?.id !== id) return;
      if (call === "start" && clock.elapsed() - since > CERTAIN) return this.#confirm(id);
      runtime[call](contextOf(this.#flow, this.node, this.attempt)).then(
        (result) => this.#later({ id, type: "answered", result }),
        (error) => this.#later({ id, type: "broken", message: toErrorData(error).message }),
      );
    };
    // The row that says where the job begins comes first (D2).
    if (call === "start") this.#flow.afterCommit(invoke);
    else invoke();
  }

  /** The commit was heard of late: whoever owns the group by now may have ended the attempt. Another commit tells. */
  #confirm(id: Ask["id"]): void {
    this.#flow.post(() => {
      if (this.#state.asked?.id !== id) return;
      this.#flow.save(this.attempt);
      this.#call(id, "start");
    });
  }

  #callInPlace(runtime: BuiltinRuntime, call: RuntimeCall): Reply {
    try {
      const context = contextOf(this.#flow, this.node, this.attempt);
      return { type: "answered", result: runtime[call](context, this.#flow.now) };
    } catch (error) {
      return { type: "failed", error: toErrorData(error) };
    }
  }

  #later(event: StepEvent): void {
    this.#flow.post(() => this.#take(event));
  }

  #arm(before: Timers, after: Timers): void {
    for (const name of Object.keys(before) as TimerName[]) {
      if (after[name] === before[name]) continue;
      this.#armed.get(name)?.cancel();
      this.#armed.delete(name);
    }
    for (const [timer, time] of Object.entries(after) as [TimerName, number][]) {
      if (before[timer] === time) continue;
      const { engine } = this.#flow;
      const fire = (): void => this.#later({ type: "due", timer, time, uuid: engine.newUuid() });
      this.#armed.set(timer, engine.timers.at(time, fire));
    }
  }
}
