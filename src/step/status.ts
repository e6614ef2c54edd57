/**
 * The step status machine as one table. The engine, the reads, the OpenAPI document and the tests read it.
 *
 * ```
 * CREATED ─▶ INITIALIZED ─▶ (PAUSED) ─▶ WAITING_FOR_SIGNALS ─▶ EVALUATING_PARAMS ─▶ WAITING_FOR_PERMITS
 *    │                                                                                     │
 *    ├▶ UNSATISFIED, SKIPPED                                                            STARTING ─▶ RUNNING ─▶ FINISHING ─▶ SUCCEEDED
 *    └▶ … any live status ─▶ STOPPED, TIMED_OUT, *_FAILED
 * ```
 */

export interface StepStatusTraits {
  /** Nothing more happens to this attempt by itself. */
  readonly terminal: boolean;
  /** Ended in a way that lets successors decide. */
  readonly complete: boolean;
  /** The engine makes a further attempt while the retry policy allows one. */
  readonly retryable: boolean;
  /** A rollup names the steps that are in this status. */
  readonly referenced: boolean;
  /** Slot of {@link STEP_TIMES} that entering the status sets. */
  readonly time: StepTime | undefined;
}

/** The instants an attempt records, in the order in which they are stored and answered. */
export const STEP_TIMES = [
  "create_time",
  "initialize_time",
  "pause_time",
  "wait_signal_time",
  "evaluate_param_time",
  "wait_permit_time",
  "start_time",
  "execute_time",
  "finish_time",
  "end_time",
  "modify_time",
] as const;

export type StepTime = (typeof STEP_TIMES)[number];

const live = (time: StepTime | undefined, referenced = false): StepStatusTraits => ({
  terminal: false,
  complete: false,
  retryable: false,
  referenced,
  time,
});
const complete: StepStatusTraits = {
  terminal: true,
  complete: true,
  retryable: false,
  referenced: false,
  time: "end_time",
};
const retryable: StepStatusTraits = {
  terminal: true,
  complete: false,
  retryable: true,
  referenced: true,
  time: "end_time",
};
const ended = (referenced: boolean): StepStatusTraits => ({
  terminal: true,
  complete: false,
  retryable: false,
  referenced,
  time: "end_time",
});

export const STEP_STATUS = {
  NOT_CREATED: live(undefined),
  CREATED: live("create_time"),
  INITIALIZED: live("initialize_time"),
  PAUSED: live("pause_time", true),
  WAITING_FOR_SIGNALS: live("wait_signal_time", true),
  EVALUATING_PARAMS: live("evaluate_param_time", true),
  WAITING_FOR_PERMITS: live("wait_permit_time", true),
  STARTING: live("start_time"),
  RUNNING: live("execute_time", true),
  FINISHING: live("finish_time"),
  DISABLED: complete,
  UNSATISFIED: complete,
  SKIPPED: complete,
  SUCCEEDED: complete,
  COMPLETED_WITH_ERROR: complete,
  USER_FAILED: retryable,
  PLATFORM_FAILED: retryable,
  TIMEOUT_FAILED: retryable,
  FATALLY_FAILED: ended(true),
  INTERNALLY_FAILED: ended(true),
  STOPPED: ended(false),
  TIMED_OUT: ended(false),
} as const satisfies Record<string, StepStatusTraits>;

export type StepStatus = keyof typeof STEP_STATUS;

export const STEP_STATUSES = Object.keys(STEP_STATUS) as readonly StepStatus[];

/** Ends that come from outside, or from a fault of the engine: out of any live status. */
const CUT = ["STOPPED", "TIMED_OUT", "FATALLY_FAILED", "TIMEOUT_FAILED", "INTERNALLY_FAILED"] as const;
/** What a runtime's answer may make of an attempt. */
const FAILURES = [...CUT, "USER_FAILED", "PLATFORM_FAILED"] as const;

/** Ends that a user may give a live attempt. */
const DONE = ["SKIPPED", "SUCCEEDED"] as const;
const TOLD = [...DONE, ...CUT] as const;

/**
 * Where an attempt may go from a status. A way out of a terminal status is taken before anything of it is stored: while it
 * is being decided where the run goes from it.
 */
const NEXT: Readonly<Record<StepStatus, readonly StepStatus[]>> = {
  NOT_CREATED: ["CREATED"],
  CREATED: ["INITIALIZED", "UNSATISFIED", ...TOLD],
  INITIALIZED: ["PAUSED", "WAITING_FOR_SIGNALS", ...TOLD],
  PAUSED: ["WAITING_FOR_SIGNALS", ...TOLD],
  WAITING_FOR_SIGNALS: ["EVALUATING_PARAMS", ...TOLD],
  EVALUATING_PARAMS: ["WAITING_FOR_PERMITS", ...TOLD],
  WAITING_FOR_PERMITS: ["STARTING", ...TOLD],
  STARTING: ["RUNNING", ...DONE, ...FAILURES],
  RUNNING: ["FINISHING", ...DONE, ...FAILURES],
  FINISHING: TOLD,
  DISABLED: [],
  UNSATISFIED: [],
  SKIPPED: CUT,
  SUCCEEDED: CUT,
  COMPLETED_WITH_ERROR: CUT,
  USER_FAILED: [],
  PLATFORM_FAILED: [],
  TIMEOUT_FAILED: [],
  FATALLY_FAILED: ["COMPLETED_WITH_ERROR"],
  INTERNALLY_FAILED: [],
  STOPPED: [],
  TIMED_OUT: [],
};

export const mayFollow = (from: StepStatus, to: StepStatus): boolean => NEXT[from].includes(to);

export const isTerminal = (status: StepStatus): boolean => STEP_STATUS[status].terminal;
export const isComplete = (status: StepStatus): boolean => STEP_STATUS[status].complete;
/** Failed, and tried again by policy. */
export const isRetryable = (status: StepStatus): boolean => STEP_STATUS[status].retryable;
/** A user may restart it in place: ended, not complete, not waiting for a retry. */
export const isRestartable = (status: StepStatus): boolean =>
  isTerminal(status) && !isComplete(status) && !isRetryable(status);

const FAILED: ReadonlySet<StepStatus> = new Set([
  "USER_FAILED",
  "PLATFORM_FAILED",
  "TIMEOUT_FAILED",
  "FATALLY_FAILED",
  "INTERNALLY_FAILED",
]);
export const isFailed = (status: StepStatus): boolean => FAILED.has(status);
