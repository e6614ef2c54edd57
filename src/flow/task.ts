/**
 * The actor of one step of one run: what happens to the step goes to `step/machine.ts`, and what that decides is carried
 * out here. It decides nothing. Everything it does happens in a turn of its flow; rows that it hands over commit before
 * anything outside can see their consequences (D2, D3).
 */
import type { RestartConfig } from "../definition/restart.ts";
import { isSkipped } from "../run/restart.ts";
import { decide, newStep, storedStep } from "../step/machine.ts";
import type { Reported, StepAttempt, StepTemplate } from "../step/model.ts";
import { type StepNode, withTemplate } from "../step/node.ts";
import type { Again, Answer, StepEffect, StepEvent, StepState, TimerName } from "../step/state.ts";
import type { StepStatus } from "../step/status.ts";
import type { Termination } from "../step/termination.ts";
import { Asking } from "./asking.ts";
import type { TaskParent, TaskView } from "./parent.ts";
import { reportAttempt } from "./report.ts";
import { Timing } from "./timing.ts";

export class Task implements TaskView {
  /** As the definition has it. */
  readonly #plain: StepNode;
  /** As the attempt's job template makes it. */
  #made: { readonly template: StepTemplate | undefined; readonly node: StepNode };
  readonly #flow: TaskParent;
  readonly #asking: Asking;
  /** Made when it is needed: most steps are never timed. */
  #timing: Timing<TimerName> | undefined;
  #state: StepState;

  private constructor(flow: TaskParent, node: StepNode, state: StepState) {
    this.#flow = flow;
    this.#plain = node;
    this.#made = { template: undefined, node };
    this.#state = state;
    this.#asking = new Asking(flow, this);
  }

  /** A step whose predecessors have all completed. {@link begin} follows. */
  static make(flow: TaskParent, node: StepNode, stepInstanceId: number, restart?: RestartConfig): Task {
    const uuid = flow.engine.newUuid();
    return new Task(flow, node, newStep({ stepId: node.id, uuid, stepInstanceId, now: flow.now, restart }));
  }

  /** Takes over from another owner, or from before a crash: from the newest attempt's row. */
  static adopt(flow: TaskParent, node: StepNode, attempt: StepAttempt): Task {
    return new Task(flow, node, storedStep(attempt));
  }

  get node(): StepNode {
    return this.#nodeWith(this.attempt.template);
  }

  #nodeWith(template: StepTemplate | undefined): StepNode {
    if (this.#made.template !== template) this.#made = { template, node: withTemplate(this.#plain, template) };
    return this.#made.node;
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
    this.#take({ type: "begin", ...this.#asTold() });
  }

  /** Goes on from wherever the row says the attempt is. */
  resume(): void {
    this.#take({ type: "resume", ...this.#asTold() });
  }

  go(): void {
    this.#take({ type: "go" });
  }

  /** It is at a gate, and nothing is asked: it goes on when it is told. */
  get isHeld(): boolean {
    return this.#state.phase === "gates" && this.#state.asked === undefined;
  }

  /** What it waits for at a gate may have come. */
  tell(): void {
    this.#take({ type: "told" });
  }

  wake(): void {
    this.#take({ type: "woken" });
  }

  report(uuid: string, reported: Reported): boolean {
    this.#take({ type: "reported", uuid, reported });
    return this.attempt.reported === reported;
  }

  /** What a user wants to run runs, whatever its conditions say. */
  #asTold(): { readonly satisfied: boolean; readonly skipped: boolean } {
    const { run } = this.#flow;
    const { restart } = this.attempt;
    return {
      satisfied: restart !== undefined || this.#flow.isSatisfied(this.node),
      skipped: isSkipped(restart ?? run.config.restart_config, this.node.id),
    };
  }

  /** Tries a step again that has ended and is not complete. @returns whether it does */
  again(again: Again): boolean {
    const { attemptId } = this.attempt;
    if (attemptId !== again.after) return false;
    this.#take({ type: "again", again, uuid: this.#flow.engine.newUuid() });
    return this.attempt.attemptId !== attemptId;
  }

  /** Ends the step from outside. */
  terminate(termination: Termination): void {
    this.#take({ type: "terminate", termination, uuid: this.#flow.engine.newUuid() });
  }

  /** The group is lost: no timer fires and no answer counts any more. */
  abandon(): void {
    this.#timing?.set({});
    this.#state = { ...this.#state, phase: "ended", asked: undefined };
  }

  isAsking(id: number): boolean {
    return this.#state.asked?.id === id;
  }

  answer(answer: Answer): void {
    this.#take(answer);
  }

  #take(event: StepEvent): void {
    const { timers } = this.#state;
    const { now, engine } = this.#flow;
    // The template comes with the params, and the gates after them are those of the step that it makes.
    const node = event.type === "params" ? this.#nodeWith(event.template ?? this.attempt.template) : this.node;
    const guarded = engine.gates.guarded(this.#flow.run, node);
    const facts = { now, node, inPlace: this.#asking.inPlace, place: engine.place, guarded };
    const { state, effects } = decide(this.#state, event, facts);
    this.#state = state;
    if (state.timers !== timers) this.#timed().set(state.timers);
    for (const effect of effects) this.#carryOut(effect);
  }

  /** The attempt has ended: what guards keep for it goes with its row. */
  #leaveGates(): void {
    const { engine, run } = this.#flow;
    const step = { run, node: this.node, attempt: this.attempt };
    const rows = engine.gates.ending(step);
    if (rows.length === 0) return;
    this.#flow.write(rows);
    this.#flow.afterCommit(() => engine.gates.left(step));
  }

  #timed(): Timing<TimerName> {
    this.#timing ??= new Timing(this.#flow.engine.timers, (timer, time) => {
      const uuid = this.#flow.engine.newUuid();
      this.#flow.post(() => this.#take({ type: "due", timer, time, uuid }));
    });
    return this.#timing;
  }

  #carryOut(effect: StepEffect): void {
    switch (effect.type) {
      case "save":
        return this.#flow.save(this.attempt);
      case "ready":
        return this.#flow.ready(this);
      case "ask":
        return this.#asking.ask(effect);
      case "over":
        this.#leaveGates();
        return this.#flow.untrack(this);
      case "report": {
        const { engine, run } = this.#flow;
        return this.#flow.afterCommit(() => reportAttempt(engine.log, run, effect.attempt, effect.retry));
      }
      case "ended":
        this.#leaveGates();
        return this.#flow.taskEnded(this);
    }
  }
}
