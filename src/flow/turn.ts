/**
 * The rows of a flow's turn, on their way to the writer. They are handed over together at the end of the turn, attempts
 * before the run, so that a prefix of the rows is a past state; what waits for them happens once they have committed.
 */
import type { Run } from "../run/model.ts";
import type { StepAttempt } from "../step/model.ts";
import type { FlowContext } from "./context.ts";
import { type GroupStamp, type RefusedWrite, StaleOwner, type StoredRun, type Write } from "./port.ts";
import { refusalOf } from "./refusal.ts";

export class TurnRows {
  readonly #engine: FlowContext;
  readonly #stamp: GroupStamp;
  #attempts = new Map<string, StepAttempt>();
  #afterCommit: (() => void)[] = [];
  #others: Write[] = [];
  /** What waits for the commit of the rows that were handed over last; undefined: it has been. */
  #uncommitted: (() => void)[] | undefined;
  #runChanged = false;
  /** The run as it was when its rows were last handed over. */
  #handedOver: Run;
  #abandoned = false;

  constructor(engine: FlowContext, stamp: GroupStamp, run: Run) {
    this.#engine = engine;
    this.#stamp = stamp;
    this.#handedOver = run;
  }

  get handedOver(): Run {
    return this.#handedOver;
  }

  attempt(attempt: StepAttempt): void {
    this.#attempts.set(attempt.uuid, attempt);
  }

  /** They go with the rows of attempts. */
  write(rows: readonly Write[]): void {
    if (rows.length > 0) this.#others.push(...rows);
  }

  run(): void {
    this.#runChanged = true;
  }

  /** Happens once the rows of this turn, and all before them, have committed. */
  afterCommit(callback: () => void): void {
    this.#afterCommit.push(callback);
  }

  /** What is handed over from now on, or was refused, is nobody's concern any more. */
  abandon(): void {
    this.#abandoned = true;
  }

  /** @param end the rows that go with the run's end, and what follows from its commit; undefined: it has not ended */
  handOver(run: Run, end?: { readonly rows: readonly Write[]; committed(row: StoredRun | undefined): void }): void {
    const rows: Write[] = [];
    for (const attempt of this.#attempts.values()) rows.push({ kind: "attempt", runKey: run.key, attempt });
    rows.push(...this.#others);
    if (this.#runChanged) rows.push({ kind: "run", key: run.key, change: run }, ...(end?.rows ?? []));
    const callbacks = this.#afterCommit;
    this.#afterCommit = [];
    if (rows.length === 0) {
      if (this.#uncommitted) this.#uncommitted.push(...callbacks);
      else for (const callback of callbacks) callback();
      return;
    }
    const before = this.#handedOver;
    this.#handedOver = run;
    this.#attempts = new Map();
    this.#others = [];
    this.#uncommitted = callbacks;
    this.#runChanged = false;
    this.#engine.store.writer.write(this.#stamp, rows, (error, ended) => {
      if (error instanceof StaleOwner) return this.#engine.lost(error.stamp);
      if (error) return this.#refused(before, rows, error);
      if (this.#uncommitted === callbacks) this.#uncommitted = undefined;
      for (const callback of callbacks) callback();
      end?.committed(ended);
      const announced = rows.filter((row) => row.kind === "outbox");
      if (announced.length > 0) this.#engine.announce(announced);
    });
  }

  /** What is in memory will never be stored. @param stored the run without it */
  #refused(stored: Run, rows: readonly Write[], { message }: RefusedWrite): void {
    if (!this.#abandoned) this.#engine.refused(stored, refusalOf(rows, message));
  }
}
