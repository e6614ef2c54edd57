/**
 * What the program knows of one attempt at a step: the row, as plain data. Everything that the definition, the run or
 * the status says already (definition, tags, owner, correlation id) is not here; `view.ts` puts it back for a reader.
 */
import type { RestartConfig } from "../definition/restart.ts";
import type { ResolvedRetryPolicy } from "../definition/retry.ts";
import type { Tag } from "../definition/tag.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import type { Params } from "../param/type.ts";
import type { StepStatus, StepTime } from "./status.ts";

/** Epoch milliseconds, absent until reached. */
export type StepTimes = { readonly [time in StepTime]?: number };

/** Retries made so far, by kind. `plan` is undefined for the default policy. */
export interface RetryState {
  readonly error: number;
  readonly platform: number;
  readonly timeout: number;
  readonly manual: number;
  readonly retryable: boolean;
  readonly plan: ResolvedRetryPolicy | undefined;
}

/** Where a runtime works for an attempt: a node that adopts the attempt looks there, or sees that the place is out of its reach. */
export interface Place {
  /** A machine, as `runtime/place.ts` names it. */
  readonly host: string;
  /** Absolute: the folder of the attempts' folders on that host. */
  readonly directory: string;
}

/** The job template that an attempt has found when its params were evaluated, which may change or go afterwards. */
export interface StepTemplate {
  readonly jobType: string;
  readonly version: string;
  /** The type of the step, if its definition leaves it to the template. */
  readonly stepType: string;
  /** They join the step's own. */
  readonly tags?: readonly Tag[] | undefined;
}

/** What a job says of its outputs while it runs. A later report replaces an earlier one whole. */
export interface Reported {
  readonly params?: Params | undefined;
  readonly artifacts?: Artifacts | undefined;
}

export interface StepAttempt {
  readonly stepId: string;
  /** 1, 2, … within the run. */
  readonly attemptId: number;
  readonly uuid: string;
  /** Ascending within the run; the same for every attempt at the step. */
  readonly stepInstanceId: number;
  readonly status: StepStatus;
  readonly times: StepTimes;
  /** Merged and evaluated; empty until EVALUATING_PARAMS is done. What follows from the attempt itself is not here. */
  readonly params: Params;
  /** When the params were evaluated (epoch ms); undefined until then. The four reserved params follow from it. */
  readonly paramsTime: number | undefined;
  /** Results of the conditions of the outgoing edges, by successor; undefined until they are evaluated. */
  readonly conditions: { readonly [stepId: string]: boolean } | undefined;
  readonly conditionsTime: number | undefined;
  readonly retry: RetryState;
  /** Undefined: the default of ten days, not written by the user. */
  readonly timeoutMs: number | undefined;
  readonly artifacts: Artifacts;
  readonly timeline: readonly TimelineEvent[];
  /** The runtime's hint: not to be polled before this instant (epoch ms). */
  readonly pollTime: number | undefined;
  /** Committed before a plugin's `start` is called (D2), and the same from then on; undefined for built-in types. */
  readonly place: Place | undefined;
  /** Of an attempt that a user made in a live run: it counts instead of the run's. */
  readonly restart?: RestartConfig | undefined;
  /** Undefined: the step names none, it does not exist, or the params are not evaluated yet. */
  readonly template?: StepTemplate | undefined;
  /** What its job has reported of its outputs; undefined once the attempt has ended. */
  readonly reported?: Reported | undefined;
}
