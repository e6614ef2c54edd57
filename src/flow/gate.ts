/**
 * The guards of the gates between INITIALIZED and STARTING, as the engine knows them. What becomes of the step is for its
 * state machine to say (`step/phase/gates.ts`); a guard knows whether it may pass.
 *
 * Invariants: (1) a step that no guard may hold, as far as memory knows, costs no query, no row and no turn; (2) a guard is
 * asked once all rows that the step's flow has handed over have committed, its own among them (D3); (3) the answer is read
 * from rows, so a new owner that asks again is told the same; (4) whoever changes such a row tells the step, by a hint; the
 * sweep asks for every step that is held, so that a lost hint costs latency only.
 */
import type { TimelineLogEvent } from "../definition/timeline.ts";
import type { Run } from "../run/model.ts";
import type { StepAttempt } from "../step/model.ts";
import type { StepNode } from "../step/node.ts";
import type { GateName, Guarded } from "../step/state.ts";
import type { Write } from "./port.ts";

/** An attempt at a gate, as it is when the guard is spoken to. */
export interface GateStep {
  readonly run: Run;
  readonly node: StepNode;
  readonly attempt: StepAttempt;
}

/** Why the step is held, a sentence for its timeline; otherwise it passes, and maybe somebody has let it. */
export type GateAnswer = string | TimelineLogEvent | undefined;

export interface Guard {
  /** It may hold steps like this one. From memory, and cheap: it is asked whenever something happens to a step. */
  mayHold(run: Run, node: StepNode): boolean;
  /** Rows that commit together with the one that says that the attempt is at the gate. They may commit again. */
  entering(step: GateStep): readonly Write[];
  /**
   * Whether the step may pass, from rows. Many steps may ask at one time: a guard answers them together.
   * @throws when that can't be known now: the step stays where it is and asks again
   */
  ask(step: GateStep): Promise<GateAnswer>;
  /** Rows that commit together with the attempt's end, whichever gates it has come to. */
  ending(step: GateStep): readonly Write[];
  /** The attempt's end has committed, with the rows of {@link ending}: there were some. */
  left?(step: GateStep): void;
  /** Compares what it knows in memory with the database: before the first step is asked for, and with each sweep. */
  refresh(): Promise<void>;
}

const NOTHING: readonly Write[] = [];
const UNGUARDED: Guarded = Object.freeze({});

export class Gates {
  readonly #guards: ReadonlyMap<GateName, Guard>;

  /** @param guards a gate without one lets every step pass */
  constructor(guards: ReadonlyMap<GateName, Guard>) {
    this.#guards = guards;
  }

  /** What a decision about the step may know of its gates. */
  guarded(run: Run, node: StepNode): Guarded {
    let found: { [gate in GateName]?: boolean } | undefined;
    for (const [gate, guard] of this.#guards) {
      if (!guard.mayHold(run, node)) continue;
      found ??= {};
      found[gate] = true;
    }
    return found ?? UNGUARDED;
  }

  entering(gate: GateName, step: GateStep): readonly Write[] {
    return this.#guards.get(gate)?.entering(step) ?? NOTHING;
  }

  /** As {@link Guard.ask}; a gate that has lost its guard lets the step pass. */
  async ask(gate: GateName, step: GateStep): Promise<GateAnswer> {
    return this.#guards.get(gate)?.ask(step);
  }

  ending(step: GateStep): readonly Write[] {
    let rows = NOTHING;
    for (const guard of this.#guards.values()) {
      const own = guard.ending(step);
      if (own.length > 0) rows = [...rows, ...own];
    }
    return rows;
  }

  left(step: GateStep): void {
    for (const guard of this.#guards.values()) guard.left?.(step);
  }

  async refresh(): Promise<void> {
    await Promise.all([...this.#guards.values()].map((guard) => guard.refresh()));
  }
}
