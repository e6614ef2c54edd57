/**
 * The guard of the breakpoint gate: a step whose breakpoint matches is PAUSED once per attempt, until its row among the paused
 * attempts is resumed, or gone.
 *
 * Memory says which steps have a breakpoint of some scope; only those are asked for in the database, which says whether one
 * matches. What is in memory may be too much: a breakpoint that was removed costs its steps one look. It is too little only
 * between the commit of a new breakpoint and the hint of it. The API sends that to every thread of every node and waits for
 * it, two seconds at most, before it answers: so a breakpoint holds every attempt that comes to the gate after the answer.
 * A node that could not be reached, or that the API's node has not heard of (it heard of none that began in the last two
 * seconds), learns of it by its sweep, half a minute later at most. Until memory has been read for the first time, every step
 * is asked for.
 */
import type { Clock } from "../clock.ts";
import type { Run } from "../run/model.ts";
import type { StepNode } from "../step/node.ts";
import type { GateAnswer, GateStep, Guard } from "./gate.ts";
import { Gathering } from "./gather.ts";
import type { AttemptRef, FlowStore, Pause, StepRef, Write } from "./port.ts";

const HELD = "Paused by a breakpoint, until the step is resumed or the breakpoint is removed";
const NOTHING: readonly Write[] = [];

type Steps = Map<number, Set<string>>;

export class BreakpointGuard implements Guard {
  readonly #store: Pick<FlowStore, "brokenSteps">;
  readonly #matching: Gathering<AttemptRef, boolean>;
  readonly #paused: Gathering<AttemptRef, Pause>;
  /** Steps that may have a breakpoint, by workflow; undefined: not read yet. */
  #known: Steps | undefined;
  /** Those that came while they are being read. */
  #added: StepRef[] = [];
  #reading: Promise<void> | undefined;

  constructor(store: FlowStore, clock: Clock) {
    this.#store = store;
    this.#matching = new Gathering(clock, (attempts) => store.haveBreakpoints(attempts));
    this.#paused = new Gathering(clock, (attempts) => store.arePaused(attempts));
  }

  /** A step has a breakpoint from now on. */
  add(step: StepRef): void {
    if (this.#known) put(this.#known, step);
    if (this.#reading) this.#added.push(step);
  }

  mayHold(run: Run, node: StepNode): boolean {
    return this.#known === undefined || this.#known.get(run.internalId)?.has(node.id) === true;
  }

  entering(step: GateStep): readonly Write[] {
    return [{ kind: "paused", ...refOf(step), since: step.attempt.times.pause_time }];
  }

  async ask(step: GateStep): Promise<GateAnswer> {
    if (!isPaused(step)) return (await this.#matching.ask(refOf(step))) ? HELD : undefined;
    const { isHeld, resumed } = await this.#paused.ask(refOf(step));
    return isHeld ? HELD : resumed;
  }

  /** An attempt that has ended is not paused any more, whoever has let it go on. */
  ending(step: GateStep): readonly Write[] {
    return step.attempt.times.pause_time !== undefined
      ? [{ kind: "paused", ...refOf(step), since: undefined }]
      : NOTHING;
  }

  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #read(): Promise<void> {
    this.#added = [];
    const steps: Steps = new Map();
    for (const step of await this.#store.brokenSteps()) put(steps, step);
    // They may have committed after the read.
    for (const step of this.#added) put(steps, step);
    this.#known = steps;
  }
}

/** It has come to its gate, and gone no further. */
const isPaused = ({ attempt: { times } }: GateStep): boolean =>
  times.pause_time !== undefined && times.wait_signal_time === undefined;

const refOf = ({ run, attempt }: GateStep): AttemptRef => ({
  runKey: run.key,
  stepId: attempt.stepId,
  attemptId: attempt.attemptId,
});

function put(steps: Steps, { internalId, stepId }: StepRef): void {
  const known = steps.get(internalId);
  if (known) known.add(stepId);
  else steps.set(internalId, new Set([stepId]));
}
