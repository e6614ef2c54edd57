/** The state machine of a step, as data: what is remembered of the newest attempt, what may happen, what follows from it. */

import type { RestartConfig } from "../definition/restart.ts";
import type { ResolvedRetryPolicy } from "../definition/retry.ts";
import type { TimelineLogEvent } from "../definition/timeline.ts";
import type { ErrorData } from "../error.ts";
import type { Params } from "../param/type.ts";
import type { Place, Reported, StepAttempt, StepTemplate } from "./model.ts";
import type { StepNode } from "./node.ts";
import type { StepResult } from "./result.ts";
import type { Termination } from "./termination.ts";

export type StepPhase =
  /** From CREATED to INITIALIZED: what the definition says of retries and time limits is read. */
  | "prepare"
  /** From INITIALIZED to STARTING: at a gate, until all have let the step pass. */
  | "gates"
  /** STARTING, and its flow says when to go: steps that become ready together do not see each other's ends. */
  | "launch"
  /** The runtime has the job: a call is under way, or a wake or a timer comes next. */
  | "run"
  /** The job is done, and the way on from it is being decided. */
  | "finish"
  /** Failed, and the next attempt begins after its backoff. */
  | "retry"
  /** The runtime is asked to end the job. */
  | "terminate"
  | "ended";

/** What a step may ask of its surroundings: an evaluation, whoever guards a gate, or a call to its runtime. */
export type Question = "settings" | "params" | "outputs" | "conditions" | GateName | RuntimeCall;
/** A gate that is guarded: whoever guards it is asked. */
export type GateName = "breakpoint" | "signals" | "permits";
export type RuntimeCall = "start" | "execute" | "terminate";

/** Time limits and retries of an attempt, with the texts in them read. */
export interface Settings {
  readonly timeoutMs: number | undefined;
  /** Undefined: as the attempt has it. */
  readonly plan: ResolvedRetryPolicy | undefined;
  /** Why the policy can't be used, so that the default one applies. */
  readonly planProblem: string | undefined;
}

export type TimerName = "timeout" | "poll" | "again" | "grace" | "retry";

/** When what is due (epoch ms). The actor arms what is here and cancels what is not. */
export type Timers = { readonly [name in TimerName]?: number };

export interface StepState {
  readonly attempt: StepAttempt;
  readonly phase: StepPhase;
  /** The one question that is open. An answer to any other comes too late. */
  readonly asked: { readonly id: number; readonly what: Question } | undefined;
  /** Questions so far. */
  readonly questions: number;
  readonly timers: Timers;
  /** A wake came while a call was under way, or a word while a guard was asked. */
  readonly woken: boolean;
  /** In the phase `terminate`: why, how long it may take (ms), and whether a try has failed already. */
  readonly ending: { readonly termination: Termination; readonly grace: number; readonly overdue: boolean } | undefined;
}

/** Another try of a step, by its user. */
export interface Again {
  /** The attempt that was the newest one when the user said it; 0: the run had made none. */
  readonly after: number;
  readonly restart: RestartConfig | undefined;
  /** For the attempt's timeline. */
  readonly note: string;
  /** The attempt ends so at once. */
  readonly termination?: Termination | undefined;
}

export type StepEvent =
  /**
   * Its predecessors have completed.
   * @param satisfied one of the conditions of its incoming edges holds
   * @param skipped the run's restart leaves it out
   */
  | { readonly type: "begin"; readonly satisfied: boolean; readonly skipped?: boolean }
  /** Taken over from another owner: goes on from what the row says. */
  | { readonly type: "resume"; readonly satisfied: boolean; readonly skipped?: boolean }
  /** What the step waits for at a gate may have come. */
  | { readonly type: "told" }
  /** Every step that became ready with this one is ready, too. */
  | { readonly type: "go" }
  /** The runtime has something to say. */
  | { readonly type: "woken" }
  /** The job of this attempt reports outputs. Not heard once the job has ended, or is to. */
  | { readonly type: "reported"; readonly uuid: string; readonly reported: Reported }
  | { readonly type: "due"; readonly timer: TimerName; readonly time: number; readonly uuid: string }
  /** The step is tried again, if it has ended and is not complete. @param uuid of the attempt */
  | { readonly type: "again"; readonly again: Again; readonly uuid: string }
  /** @param uuid of an attempt that may have to be made for it */
  | { readonly type: "terminate"; readonly termination: Termination; readonly uuid: string }
  | Answer;

/** To the question with this id. */
export type Answer = { readonly id: number } & (
  | { readonly type: "settings"; readonly settings: Settings }
  /** @param template which the step has found for them */
  | {
      readonly type: "params";
      readonly params: Params;
      readonly template?: StepTemplate | undefined;
      readonly notes?: readonly string[];
    }
  | { readonly type: "conditions"; readonly conditions: { readonly [stepId: string]: boolean } }
  /** The guard lets the step pass. @param event what the timeline says of it */
  | { readonly type: "opened"; readonly event?: TimelineLogEvent | undefined }
  /** The guard holds it, and will tell. @param reason a sentence for the timeline */
  | { readonly type: "held"; readonly reason: string }
  | { readonly type: "answered"; readonly result: StepResult }
  /** No runtime of this server has the step's type. */
  | { readonly type: "unavailable"; readonly reason: string }
  /** The call itself failed: the thread is gone, the plugin threw something odd, or the guard can't be reached. The job may live. */
  | { readonly type: "broken"; readonly message: string }
  /** The evaluation, or a runtime in place, failed for good. */
  | { readonly type: "failed"; readonly error: ErrorData }
  /** The step can't have what its job has put out. */
  | { readonly type: "refused"; readonly message: string }
  /** The answer takes a while. */
  | { readonly type: "deferred" }
);

/** In the order in which they are to be carried out; a question is the last one. */
export type StepEffect =
  /** The attempt's row belongs to this turn's rows. */
  | { readonly type: "save" }
  /** It has left its last gate. */
  | { readonly type: "ready" }
  | {
      readonly type: "ask";
      readonly id: number;
      readonly what: Question;
      /** Of the job, for the question `outputs`. */
      readonly outputs?: Params | undefined;
      /** Where they stand, as {@link StepResult} has it. */
      readonly source?: string | undefined;
      /** The step has come to this gate in this very decision: the guard's rows go with the attempt's. */
      readonly isEntered?: boolean;
      /** The job is to end soon. */
      readonly isHard?: boolean;
    }
  /** The attempt's job is over. */
  | { readonly type: "over" }
  /** A failure is for the server's log, once it has committed. */
  | { readonly type: "report"; readonly attempt: StepAttempt; readonly retry: boolean }
  /** Nothing more happens to the step. */
  | { readonly type: "ended" };

/** Gates that may hold the step, as far as is known in memory. Every other one lets it pass at once. */
export type Guarded = { readonly [gate in GateName]?: boolean };

/** What a decision may know of the step's surroundings. */
export interface StepFacts {
  /** Epoch ms. */
  readonly now: number;
  readonly node: StepNode;
  /** Its runtime works in place: it has no job outside, and its answers come at once. */
  readonly inPlace: boolean;
  /** Where plugins of this server work. */
  readonly place: Place;
  readonly guarded: Guarded;
}

export interface StepDecision {
  readonly state: StepState;
  readonly effects: readonly StepEffect[];
}
