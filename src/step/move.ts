/** A decision while it is being made: a copy of the state that the phases change, and the effects so far. */
import type { TimelineEvent } from "../definition/timeline.ts";
import type { Params } from "../param/type.ts";
import { type Draft, enter } from "./attempt.ts";
import { addEvents, logEvent } from "./event.ts";
import type { StepAttempt } from "./model.ts";
import type { GateName, Question, RuntimeCall, StepEffect, StepFacts, StepPhase, StepState, Timers } from "./state.ts";
import type { StepStatus } from "./status.ts";

type Changing<T> = { -readonly [key in keyof T]: T[key] };

export const NO_TIMERS: Timers = Object.freeze({});

export class Move {
  readonly state: Changing<StepState>;
  readonly effects: StepEffect[] = [];
  readonly facts: StepFacts;
  /** The attempt, once this move has a copy of its own. */
  #draft: Draft | undefined;

  constructor(state: StepState, facts: StepFacts) {
    // Field by field: this is made for every event, and a spread takes longer.
    this.state = {
      attempt: state.attempt,
      phase: state.phase,
      asked: state.asked,
      questions: state.questions,
      timers: state.timers,
      woken: state.woken,
      ending: state.ending,
    };
    this.facts = facts;
  }

  get now(): number {
    return this.facts.now;
  }

  /** The attempt is not as it was before. */
  get isChanged(): boolean {
    return this.#draft !== undefined;
  }

  phase(phase: StepPhase): void {
    this.state.phase = phase;
    this.state.asked = undefined;
  }

  enter(...path: readonly StepStatus[]): void {
    this.enterAll(path);
  }

  enterAll(path: readonly StepStatus[]): void {
    if (path.length > 0) enter(this.#own(), this.now, path);
  }

  change(fields: Partial<StepAttempt>): void {
    Object.assign(this.#own(), fields);
  }

  /** Another attempt takes the place of this one. */
  replace(attempt: StepAttempt): void {
    this.#draft = undefined;
    this.state.attempt = attempt;
  }

  note(message: string, level: "INFO" | "WARN" | "ERROR" = "INFO"): void {
    this.events([logEvent(message, this.now, level)]);
  }

  events(events: readonly TimelineEvent[] | undefined): void {
    if (!events || events.length === 0) return;
    const draft = this.#own();
    draft.timeline = addEvents(draft.timeline, events);
  }

  save(): void {
    this.effects.push({ type: "save" });
  }

  #own(): Draft {
    if (this.#draft === undefined) {
      this.#draft = { ...this.state.attempt };
      this.state.attempt = this.#draft;
    }
    return this.#draft;
  }

  /** The last thing of a decision: the answer is another event. */
  ask(what: Question, outputs?: Params, source?: string): void {
    const id = ++this.state.questions;
    this.state.asked = { id, what };
    this.effects.push({ type: "ask", id, what, outputs, ...(source !== undefined && { source }) });
  }

  /** As {@link ask}. @param isHard a job that is to end does not have long */
  call(what: RuntimeCall, isHard: boolean): void {
    const id = ++this.state.questions;
    this.state.asked = { id, what };
    this.effects.push(isHard ? { type: "ask", id, what, isHard } : { type: "ask", id, what });
  }

  /** As {@link ask}. @param isEntered the step has come to the gate in this move */
  askGuard(what: GateName, isEntered: boolean): void {
    const id = ++this.state.questions;
    this.state.asked = { id, what };
    this.effects.push({ type: "ask", id, what, isEntered });
  }

  /** Arms one more timer, or moves it. */
  arm(timers: Timers): void {
    this.state.timers = { ...this.state.timers, ...timers };
  }
}
