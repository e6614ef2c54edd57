/**
 * How many runs of a tree are under way on a level is limited, if its root says so (`instance_step_concurrency`): a step asks
 * before it starts one, and is told when it may.
 *
 * What it asks for is a row of the parent's, and goes with the end of the run that was started, or with that of the step
 * (`flow/permit.ts`). A run is asked for before it is there, never after, so nothing that has ended is asked for again.
 */
import type { Run } from "../../run/model.ts";
import { logEvent } from "../../step/event.ts";
import type { StepAttempt } from "../../step/model.ts";
import type { StepNode } from "../../step/node.ts";
import type { StepResult } from "../../step/result.ts";
import type { Permits } from "../permit.ts";
import type { GroupStamp, Write } from "../port.ts";

/** Runs that a step waits to start at a time: however wide a loop is, asking for them stays cheap. */
export const MOST_ASKED = 50;

/** The step that asks. */
export interface Starting {
  readonly engine: { readonly permits: Permits };
  /** Commits rows of the parent's. Rejects when they can't be stored; never settles once the group is lost. */
  readonly children: { write(stamp: GroupStamp, rows: readonly Write[]): Promise<void> };
  readonly stamp: GroupStamp;
  readonly node: StepNode;
  readonly run: Run;
  readonly attempt: StepAttempt;
  readonly now: number;
  /** The step is about to end, or has ended: nothing new runs below it. */
  readonly isOver: boolean;
}

export class Admission {
  readonly #place: Starting;
  /** Asked for, and not started. */
  readonly #asked = new Set<string>();
  readonly #granted = new Set<string>();
  #isNoted = false;

  constructor(place: Starting) {
    this.#place = place;
  }

  /** The tree's runs are limited. */
  get isLimited(): boolean {
    return this.#place.run.properties.instance_step_concurrency !== undefined;
  }

  /** Some run is held back. */
  get waits(): boolean {
    return this.#asked.size > this.#granted.size;
  }

  /**
   * Which of these runs may be started. Those that were asked for before and are not among them are not to be any more.
   * @param uuids of runs that are due
   */
  async admit(uuids: readonly string[]): Promise<ReadonlySet<string>> {
    const due = new Set(uuids);
    if (!this.isLimited || (due.size === 0 && this.#asked.size === 0)) return due;
    // Nothing is asked for behind the rows of the step's end.
    if (this.#place.isOver) return new Set();
    const gone = [...this.#asked].filter((uuid) => !due.has(uuid));
    await this.#say(uuids, gone);
    const open = uuids.filter((uuid) => !this.#granted.has(uuid));
    if (open.length > 0) {
      for (const uuid of await this.#place.engine.permits.admit(open)) this.#granted.add(uuid);
    }
    return this.#granted.intersection(due);
  }

  started(uuid: string): void {
    this.#asked.delete(uuid);
    this.#granted.delete(uuid);
  }

  /** Why runs are held back, said once. */
  get notes(): Pick<StepResult, "timeline"> {
    if (!this.waits || this.#isNoted) return {};
    this.#isNoted = true;
    const { run, now } = this.#place;
    const limit = run.properties.instance_step_concurrency;
    const text = `Runs of this step wait: ${limit} of the tree's runs are under way on their level, and no more may be (instance_step_concurrency)`;
    return { timeline: [logEvent(text, now)] };
  }

  async #say(uuids: readonly string[], gone: readonly string[]): Promise<void> {
    const { engine, children, stamp, run, node, attempt } = this.#place;
    const fresh = uuids.filter((uuid) => !this.#asked.has(uuid));
    if (fresh.length + gone.length === 0) return;
    await children.write(stamp, [
      ...fresh.flatMap((uuid) => engine.permits.childEntering(run, node, attempt, uuid)),
      ...gone.map((uuid) => ({ kind: "permits-released", runKey: run.key, uuid }) as const),
    ]);
    for (const uuid of fresh) this.#asked.add(uuid);
    for (const uuid of gone) this.started(uuid);
    if (gone.length > 0) engine.permits.givenUp(run);
  }
}
