/** What may be said to a run, or to one of its steps: true by its row, whether the run's owner has heard of it or not. */
export interface Word {
  /** SKIP is said to a step only; ABORT, by the step that has started the run: it stops, within the time of a KILL. */
  readonly kind: "STOP" | "KILL" | "SKIP" | "ABORT";
  /** Undefined: the run as a whole. */
  readonly stepId: string | undefined;
  /** Who says it. */
  readonly user: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly createTime: number;
}
