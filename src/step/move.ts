/** A decision while it is being made: a copy of the state that the phases change, and the effects so far. */
import type { TimelineEvent } from "../definition/timeline.ts";
import type { Params } from "../param/type.ts";
import { enter, withEvents } from "./attempt.ts";
import { logEvent } from "./event.ts";
import type { Question, StepEffect, StepFacts, StepPhase, StepState, Timers } from "./state.ts";
import type { StepStatus } from "./status.ts";

type Changing<T> = { -readonly [key in keyof T]: T[key] };

export const NO_TIMERS: Timers = Object.freeze({});

export class Move {
  readonly state: Changing<StepState>;
  readonly effects: StepEffect[] = [];
  readonly facts: StepFacts;

  constructor(state: StepState, facts: StepFacts) {
    this.state = { ...state };
    this.facts = facts;
  }

  get now(): number {
    return this.facts.now;
  }

  phase(phase: StepPhase): void {
    this.state.phase = phase;
    this.state.asked = undefined;
  }

  enter(...path: readonly StepStatus[]): void {
    if (path.length > 0) this.state.attempt = enter(this.state.attempt, this.now, ...path);
  }

  note(message: string, level: "INFO" | "WARN" | "ERROR" = "INFO"): void {
    this.events([logEvent(message, this.now, level)]);
  }

  events(events: readonly TimelineEvent[] | undefined): void {
    this.state.attempt = withEvents(this.state.attempt, events);
  }

  save(): void {
    this.effects.push({ type: "save" });
  }

  /** The last thing of a decision: the answer is another event. */
  ask(what: Question, outputs?: Params): void {
    const id = ++this.state.questions;
    this.state.asked = { id, what };
    this.effects.push({ type: "ask", id, what, outputs });
  }

  /** Arms one more timer, or moves it. */
  arm(timers: Timers): void {
    this.state.timers = { ...this.state.timers, ...timers };
  }
}
