/** What may be said to a run, or to one of its steps: true by its row, whether the run's owner has heard of it or not. */
import type { RestartConfig } from "../definition/restart.ts";
import type { ParamDefinitions } from "../param/type.ts";

/**
 * RESTART, SKIP and SUCCEED are said to a step only; ABORT, by the step that has started the run: it stops, within the
 * time of a KILL.
 */
export type WordKind = "STOP" | "KILL" | "SKIP" | "RESTART" | "SUCCEED" | "ABORT";

export interface Word extends WordPayload {
  readonly kind: WordKind;
  /** Undefined: the run as a whole. */
  readonly stepId: string | undefined;
  /** Who says it. */
  readonly user: string;
  readonly reason: string;
  /** Epoch ms. */
  readonly createTime: number;
}

/** What a word brings along. */
export interface WordPayload {
  /**
   * To a step that has ended: the attempt after this one is another try. Said again, it finds that attempt and does nothing.
   * 0: the run has made none.
   */
  readonly after?: number | undefined;
  readonly restart?: RestartConfig | undefined;
  /** Of SUCCEED: what the step puts out. */
  readonly outputs?: ParamDefinitions | undefined;
}
