/**
 * What becomes of a run when something happens to it or to one of its steps: a pure function, carried out by the actor in
 * `flow/`. Its steps decide for themselves (`step/machine.ts`); the run says when they begin, ends them when it has to, and
 * ends when none of them has anything left to do.
 *
 * ```
 * CREATED ─▶ IN_PROGRESS ──────────────────────▶ SUCCEEDED | FAILED | STOPPED | TIMED_OUT
 *                 └─ ending: nothing new begins ─▶
 * ```
 */
import { DEFAULT_TIMEOUT_MS, type FailureMode } from "../definition/step.ts";
import type { Params } from "../param/type.ts";
import { addEvents, logEvent, spelled } from "../step/event.ts";
import type { StepAttempt } from "../step/model.ts";
import { endsRun } from "../step/outcome.ts";
import type { Again } from "../step/state.ts";
import type { StepStatus } from "../step/status.ts";
import { isDone, outranks, type Termination, type TerminationStatus } from "../step/termination.ts";
import { addRun } from "./aggregate.ts";
import { layerOf } from "./earlier.ts";
import type { Run, RunOverview } from "./model.ts";
import { rollupBase, runOverview } from "./overview.ts";
import type { RunPlan } from "./plan.ts";
import { type RunEnd, runEnd } from "./progress.ts";
import { type StoredRunStatus, shownRunStatus } from "./status.ts";
import type { Word } from "./word.ts";

/** A run is not skipped, and not declared done: only its steps are. */
type Ending = Termination & { readonly status: Exclude<TerminationStatus, "SKIPPED" | "SUCCEEDED"> };

export interface RunState {
  readonly run: Run;
  /** Set once the run is being ended from outside or by a step: nothing new begins. */
  readonly ending: Ending | undefined;
  /** Steps that could have run did not, since the run was being ended. */
  readonly cut: boolean;
  /** Why the run has to fail, however its steps end. */
  readonly doom: string | undefined;
  /** When it has taken too long (epoch ms). */
  readonly deadline: number | undefined;
  readonly over: boolean;
}

export type RunEvent =
  /** The strategy has let it go, and nothing has happened yet. */
  | { readonly type: "launch" }
  /** Another owner takes it over. @param doom why it can't go on, and is to fail */
  | { readonly type: "adopt"; readonly doom: string | undefined }
  /** Somebody says something to it, or to one of its steps, maybe again. */
  | { readonly type: "word"; readonly word: Word }
  /** Its steps have so many leaves below them by now. */
  | { readonly type: "grown"; readonly leaves: number }
  /** The deadline has come. */
  | { readonly type: "due" }
  /** A step has ended. @param released steps that have waited for it alone */
  | {
      readonly type: "ended";
      readonly stepId: string;
      readonly status: StepStatus;
      readonly mode: FailureMode | undefined;
      readonly released: readonly string[];
    }
  /** No step has anything left to do. @param attempts the newest one at each step that was made */
  | { readonly type: "idle"; readonly attempts: readonly StepAttempt[]; readonly plan: RunPlan };

export type RunEffect =
  | { readonly type: "save" }
  /** These steps begin, together. */
  | { readonly type: "begin"; readonly steps: readonly string[] }
  /** Every step that has begun is ended, and none begins any more. */
  | { readonly type: "terminate"; readonly termination: Termination }
  /** One step is ended, if it has begun. @param again what is done instead if it has ended already */
  | {
      readonly type: "terminate step";
      readonly stepId: string;
      readonly termination: Termination;
      readonly again?: Again | undefined;
    }
  /** One step that has ended, or was held, is tried again. */
  | { readonly type: "again"; readonly stepId: string; readonly again: Again };

export interface RunFacts {
  /** Epoch ms. */
  readonly now: number;
  /** Steps on their way in that have not begun. */
  readonly waiting: number;
}

export interface RunDecision {
  readonly state: RunState;
  readonly effects: readonly RunEffect[];
}

export const newRunState = (run: Run): RunState => ({
  run,
  ending: undefined,
  cut: false,
  doom: undefined,
  deadline: undefined,
  over: false,
});

export function decide(state: RunState, event: RunEvent, facts: RunFacts): RunDecision {
  if (state.over) return { state, effects: [] };
  switch (event.type) {
    case "launch":
      return launch(state, facts);
    case "adopt":
      return adopt(state, event.doom, facts);
    case "word":
      return hear(state, event.word, facts);
    case "grown":
      return event.leaves > MOST_LEAVES
        ? terminate(state, overgrown(event.leaves), facts)
        : { state, effects: NOTHING };
    case "due":
      return terminate(state, overdue(state.run), facts);
    case "ended":
      return stepEnded(state, event, facts);
    case "idle":
      return { state: end(state, event.attempts, event.plan, facts), effects: [SAVE] };
  }
}

const SAVE: RunEffect = { type: "save" };
const NOTHING: readonly RunEffect[] = [];

function launch(state: RunState, { now }: RunFacts): RunDecision {
  const timeline = addEvents(state.run.timeline, [logEvent("The run strategy let the run go", now)]);
  return { state: limited(began({ ...state.run, timeline }, state, now)), effects: [SAVE] };
}

function adopt(state: RunState, doom: string | undefined, facts: RunFacts): RunDecision {
  const { now } = facts;
  const isNew = state.run.startTime === undefined;
  const adopted = limited(isNew ? began(state.run, state, now) : state);
  if (doom === undefined) return { state: adopted, effects: isNew ? [SAVE] : NOTHING };
  const timeline = addEvents(adopted.run.timeline, [logEvent(doom, now, "ERROR")]);
  const doomed = { ...adopted, doom, run: { ...adopted.run, timeline, modifyTime: now } };
  const { state: ending, effects } = terminate(doomed, { status: "STOPPED", reason: doom, byMode: false }, facts);
  return { state: ending, effects: [SAVE, ...effects] };
}

const began = (run: Run, state: RunState, now: number): RunState => ({
  ...state,
  run: { ...run, status: "IN_PROGRESS", startTime: now, modifyTime: now },
});

/** Counted from the run's start, so that no change of owner extends it. */
const limited = (state: RunState): RunState => ({
  ...state,
  deadline: (state.run.startTime ?? 0) + timeoutOf(state.run),
});

const timeoutOf = (run: Run): number => run.timeoutMs ?? DEFAULT_TIMEOUT_MS;

function stepEnded(
  state: RunState,
  { stepId, status, mode, released }: Extract<RunEvent, { readonly type: "ended" }>,
  facts: RunFacts,
): RunDecision {
  if (endsRun(status, mode)) {
    const reason = `Step [${stepId}] failed, and its failure mode is FAIL_IMMEDIATELY`;
    return terminate(state, { status: "STOPPED", reason, byMode: false }, facts);
  }
  if (released.length === 0) return { state, effects: NOTHING };
  if (state.ending) return { state: state.cut ? state : { ...state, cut: true }, effects: NOTHING };
  return { state, effects: [{ type: "begin", steps: released }] };
}

/** A later termination counts if it says more than the one that is being carried out. */
function terminate(state: RunState, termination: Ending, { waiting }: RunFacts): RunDecision {
  if (state.ending && !outranks(termination, state.ending)) return { state, effects: NOTHING };
  const ending = { ...state, ending: termination, cut: state.cut || waiting > 0 };
  return { state: ending, effects: [{ type: "terminate", termination }] };
}

function hear(state: RunState, word: Word, facts: RunFacts): RunDecision {
  const { kind, stepId } = word;
  if (stepId !== undefined) return { state, effects: [...toStep(state, stepId, word)] };
  const status = kind === "KILL" ? "FATALLY_FAILED" : "STOPPED";
  return terminate(
    state,
    { status, reason: said(word, "run"), byMode: false, ...(kind === "ABORT" && { hard: true }) },
    facts,
  );
}

/** No step is tried again in a run that is being ended. */
function* toStep({ ending }: RunState, stepId: string, word: Word): Iterable<RunEffect> {
  const note = said(word, "step");
  const { kind, after = 0, restart } = word;
  if (kind === "RESTART") {
    if (!ending) yield { type: "again", stepId, again: { after, restart, note } };
    return;
  }
  // A KILL of this very step leaves it to the step's failure mode what becomes of the run.
  const termination = { status: STEP_END[kind], reason: note, byMode: kind === "KILL", outputs: outputsOf(word) };
  const again = !ending && isDone(termination) ? { after, restart, note, termination } : undefined;
  yield { type: "terminate step", stepId, termination, again };
}

const STEP_END = {
  STOP: "STOPPED",
  ABORT: "STOPPED",
  KILL: "FATALLY_FAILED",
  SKIP: "SKIPPED",
  SUCCEED: "SUCCEEDED",
} as const;

const outputsOf = ({ outputs }: Word): Params | undefined =>
  outputs && Object.keys(outputs).length > 0 ? (outputs as Params) : undefined;

const said = ({ kind, user, reason }: Word, to: "run" | "step"): string =>
  `User [${user}] takes action [${kind}] on the ${to}${reason ? ` due to reason: [${reason}]` : ""}`;

/** Leaf steps over a whole tree of runs. */
const MOST_LEAVES = 1_000_000;

const overgrown = (leaves: number): Ending => ({
  status: "STOPPED",
  reason: `The tree of this run has ${leaves} leaf steps, and may have ${MOST_LEAVES}: it is stopped`,
  byMode: false,
});

const overdue = (run: Run): Ending => ({
  status: "TIMED_OUT",
  reason: `The run took longer than its timeout of ${spelled(timeoutOf(run))}`,
  byMode: false,
});

function end(state: RunState, attempts: readonly StepAttempt[], plan: RunPlan, { now }: RunFacts): RunState {
  const status = endOf(state, attempts, plan);
  const base = rollupBase(state.run, plan.done.values());
  const overview = runOverview(state.run, plan.nodes.size, attempts, base);
  const run = { ...state.run, endTime: now, modifyTime: now };
  return { ...state, run: { ...run, ...overall({ ...run, status }, plan, overview) }, deadline: undefined, over: true };
}

/** What the run makes of its instance: a restart that succeeds does not make good what it has left out. */
function overall(run: Run, plan: RunPlan, overview: RunOverview): Pick<Run, "status" | "overview"> {
  const own = shownRunStatus(run.status);
  if (plan.earlier === undefined) return { status: own, overview };
  const { status } = addRun(plan.earlier.aggregate, layerOf(run, plan, overview), plan.stepIds);
  return { status, overview: status === own ? overview : { ...overview, runStatus: own } };
}

/**
 * As its steps ended; but a run that was kept from going on, while none of them failed, ends as it was told to. A restart that
 * finds nothing to do has succeeded.
 */
function endOf({ ending, cut, doom }: RunState, attempts: readonly StepAttempt[], { nodes }: RunPlan): StoredRunStatus {
  if (doom !== undefined) return "FAILED";
  const idle = attempts.length === 0 && (ending !== undefined || nodes.size === 0);
  const end = idle ? "SUCCEEDED" : runEnd(attempts.map((attempt) => attempt.status));
  return ending && cut && end === "SUCCEEDED" ? END_OF[ending.status] : end;
}

const END_OF = {
  STOPPED: "STOPPED",
  FATALLY_FAILED: "FAILED",
  TIMED_OUT: "TIMED_OUT",
  TIMEOUT_FAILED: "TIMED_OUT",
} as const satisfies Record<Ending["status"], RunEnd>;
