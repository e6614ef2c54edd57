/**
 * What the engine needs from the store, in the engine's own words. `store/` implements it; the simulator and the
 * writer's oracle implement it too.
 */
import type { Initiator } from "../definition/initiator.ts";
import type { PropertiesSnapshot } from "../definition/properties.ts";
import type { JobTemplateDefinition, TemplateRef } from "../definition/template.ts";
import type { Artifacts, TimelineEvent, TimelineLogEvent } from "../definition/timeline.ts";
import type { Workflow } from "../definition/workflow.ts";
import type { Json } from "../json.ts";
import type { StoredChild } from "../nested/child.ts";
import type { ParamQuestion, ParamRows } from "../run/child.ts";
import type { Run, RunOverview, RunRef } from "../run/model.ts";
import type { Want } from "../run/permit.ts";
import type { StoredRunStatus } from "../run/status.ts";
import type { Word } from "../run/word.ts";
import type { LogOffset } from "../runtime/type.ts";
import type { StepAttempt } from "../step/model.ts";

/** The right to write for a group: what fences every batch (D4). */
export interface GroupStamp {
  readonly groupId: number;
  readonly generation: number;
}

/** One row's new content. Rows of one flow commit in the order in which they were queued (D3). */
export type Write =
  | { readonly kind: "attempt"; readonly runKey: number; readonly attempt: StepAttempt }
  | { readonly kind: "run"; readonly key: number; readonly change: RunChange }
  | { readonly kind: "log"; readonly chunk: LogChunk }
  | OutboxRow
  /** A row of the outbox that is dead from the start: an operator sees it. */
  | {
      readonly kind: "dead-letter";
      readonly topic: string;
      readonly key: string;
      readonly payload: Json;
      readonly error: string;
    }
  /** A run that a step of another one starts: launched, and nothing has happened to it yet. */
  | { readonly kind: "child"; readonly run: Run }
  /** Something is said to a run by the step that has started it. One that still waits for its run strategy is stopped. */
  | { readonly kind: "word"; readonly runKey: number; readonly groupId: number; readonly word: Word }
  /** The attempt is paused from then on (epoch ms), if a breakpoint that matches is still there; undefined: it is no longer. */
  | ({ readonly kind: "paused"; readonly since: number | undefined } & AttemptRef)
  /** Whatever was said to this step, or to the run and all its steps, is carried out, or comes too late. */
  | { readonly kind: "words-taken"; readonly runKey: number; readonly stepId: string | undefined }
  | ({ readonly kind: "permits-wanted" } & PermitNeed)
  /** The attempt has ended: it holds no permit and waits for none. */
  | { readonly kind: "permits-released"; readonly runKey: number; readonly uuid: string }
  /** So has one that has started runs, or was about to: with it, whatever these hold or wait for. */
  | { readonly kind: "permits-left"; readonly runKey: number; readonly starter: string };

/** How an attempt stands that was paused. */
export interface Pause {
  readonly isHeld: boolean;
  /** Of one that a user has let go on, for the step's timeline. */
  readonly resumed?: TimelineLogEvent | undefined;
}

/** An attempt has come to need permits: from its commit on it waits for them. */
export interface PermitNeed {
  readonly runKey: number;
  readonly groupId: number;
  readonly stepId: string;
  /** The attempt's; of a run that a step is about to start, the run's. */
  readonly uuid: string;
  /** At least one. */
  readonly wants: readonly Want[];
  /** Epoch ms. */
  readonly time: number;
  /** Of a run that a step is about to start and waits for: the uuid of the step's attempt. */
  readonly starter?: string | undefined;
}

/** An attempt that needs permits, as it stands. */
export interface PermitState {
  readonly runKey: number;
  readonly groupId: number;
  readonly stepId: string;
  readonly uuid: string;
  /** The tag whose permits are taken; undefined: it holds its permits. */
  readonly blockedBy: string | undefined;
}

/** What a look has found. */
export interface PermitAnswer {
  /** Those that were granted their permits, whoever owns them, and the asked ones. */
  readonly states: readonly PermitState[];
  /** There is more to look at: the same tags are to be opened again. */
  readonly isMore: boolean;
}

export interface PermitLook {
  /** Tags that may have room. */
  readonly opened: readonly string[];
  /** Attempts of which it is asked how they stand. */
  readonly asked: readonly string[];
  /** Looks at every tag that holds somebody back. */
  readonly sweeps: boolean;
}

/** Announces what is written with it (D6). Two waiting rows of one `topic` and `key` are one. */
export interface OutboxRow {
  readonly kind: "outbox";
  readonly topic: string;
  readonly key: string;
  readonly payload?: Json;
  /** Epoch ms until which the row is the announcer's alone, which acts on it once it has committed. Default: everybody's. */
  readonly held?: number;
}

/** Acts on rows of the outbox. `queue/` implements it. */
export interface Outbox {
  /** These rows have committed: they are acted on at once, or are found later. */
  announce(rows: readonly Pick<OutboxRow, "topic" | "key" | "payload" | "held">[]): void;
  /** Resolves when rows that are due are taken. */
  sweep(): Promise<void>;
  stop(): Promise<void>;
}

/** A step of a definition, in whichever loop: ids are unique in a workflow. */
export interface StepRef {
  readonly internalId: number;
  readonly stepId: string;
}

export interface AttemptRef {
  readonly runKey: number;
  readonly stepId: string;
  readonly attemptId: number;
}

/** The mutable part of a run's row, whole: the last one of a batch wins. */
export interface RunChange {
  readonly status: StoredRunStatus;
  readonly startTime: number | undefined;
  readonly endTime: number | undefined;
  readonly modifyTime: number;
  readonly overview: RunOverview | undefined;
  readonly artifacts: Artifacts;
  readonly timeline: readonly TimelineEvent[];
}

export interface LogChunk {
  /** The attempt's uuid. */
  readonly uuid: string;
  readonly stream: "stdout" | "stderr";
  /** Bytes before this chunk in its stream. */
  readonly offset: number;
  /** Bytes that the text stood for in the stream. */
  readonly length: number;
  readonly text: string;
  /** Epoch ms. */
  readonly time: number;
}

/** Why a write did not commit: the group has another owner now, for good. */
export class StaleOwner extends Error {
  override readonly name = "StaleOwner";
  /** Of the owner that was. */
  readonly stamp: GroupStamp;
  constructor(stamp: GroupStamp) {
    super(`another node owns group ${stamp.groupId}`);
    this.stamp = stamp;
  }
}

/** Why a write did not commit: the store takes none of its rows, and would not take them later either. */
export class RefusedWrite extends Error {
  override readonly name = "RefusedWrite";
}

/** A run's row as Postgres returned it. Only the store looks into it. */
export type StoredRun = Readonly<Record<string, string | number | null>>;

/** @param ended the run that the rows have ended, if the commit returned it: not when it was shared */
export type Settled = (error?: StaleOwner | RefusedWrite, ended?: StoredRun) => void;

/** Group commit. */
export interface Writer {
  /**
   * Queues rows; they commit together with whatever else is queued, in this order.
   * @param settled called once: after the commit; with {@link StaleOwner} when the group was lost; with
   *   {@link RefusedWrite} when the rows can't be stored. What is queued for the same runs by then is refused with them.
   */
  write(stamp: GroupStamp, rows: readonly Write[], settled?: Settled): void;
  /** Rows queued and not committed: callers slow down above a limit. */
  readonly depth: number;
  /** Resolves when everything queued before the call has settled. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** A run to be created; ids come from the store. */
export interface NewRun {
  readonly workflowId: string;
  readonly internalId: number;
  /** Of the {@link WorkflowHead} that the run was made from. */
  readonly revision: number;
  readonly versionId: number;
  readonly uuid: string;
  /**
   * Requests of one workflow with the same number, side by side, are one decision: where a newer run stops what is
   * older, the last of them stops the others before they have begun. Undefined: alone.
   */
  readonly batch?: number | undefined;
  /** An instance: this is its next run. Undefined: the first run of a new instance. */
  readonly restartOf?: number | undefined;
  /** The run of that instance that this one is made from: none is made after another one. Undefined: after whichever. */
  readonly restartAfter?: number | undefined;
  /** The run whose step starts this one, and the right to write for it. */
  readonly parent?: { readonly key: number; readonly stamp: GroupStamp } | undefined;
  readonly groupInfo: number;
  /** Undefined: the run's own, `workflow:instance:run`. */
  readonly correlationId?: string | undefined;
  readonly initiator: Initiator;
  readonly config: Run["config"];
  readonly runParams: Run["runParams"];
  readonly properties: Run["properties"];
  readonly params: Run["params"];
  readonly timeoutMs: number | undefined;
  /** CREATED; FAILED for a run that could not be initialised and is kept. */
  readonly status: "CREATED" | "FAILED";
  readonly requestTime: number;
  readonly artifacts: Artifacts;
  readonly timeline: readonly TimelineEvent[];
}

export type StartOutcome =
  /** `run.executionId` is set when the run strategy let it go at once. */
  | { readonly result: "CREATED"; readonly run: Run }
  /** The strategy refused it: stored as STOPPED. */
  | { readonly result: "STOPPED"; readonly ref: RunRef; readonly versionId: number }
  | DuplicatedStart
  | StartRefusal;

/** Why there is no run. */
export type StartRefusal =
  /** The workflow is not as `revision` says any more, or is gone: read it and try again. */
  | { readonly result: "CHANGED" }
  /** There is no instance to restart. */
  | { readonly result: "MISSING" }
  /** The latest run of the instance to restart, which has not ended. */
  | { readonly result: "UNFINISHED"; readonly ref: RunRef }
  /** The workflow is paused, and its run strategy does not queue. */
  | { readonly result: "PAUSED" }
  /** The parent has another owner. */
  | { readonly result: "STALE"; readonly stamp: GroupStamp };

/** The run that the first request with this uuid made, as it is now. */
export interface DuplicatedStart extends RunPlace {
  readonly result: "DUPLICATED";
  readonly ref: RunRef;
  readonly versionId: number;
  readonly status: StoredRunStatus;
}

/** What a start needs to know of a workflow. May be a while old: the start's transaction compares the revision. */
export interface WorkflowHead {
  readonly workflowId: string;
  readonly internalId: number;
  /** Raised by every push, activation and change of properties. */
  readonly revision: number;
  readonly activeVersion: number;
  readonly latestVersion: number;
  readonly properties: PropertiesSnapshot;
}

/** A launched, unfinished run with all that its actor needs. */
export interface LoadedRun {
  readonly run: Run;
  /** The newest attempt at each step, in the order in which the steps began. */
  readonly attempts: readonly StepAttempt[];
  readonly words: readonly Word[];
  /** Where the stored logs of attempts that have not ended end, in bytes of each stream. */
  readonly logEnds: ReadonlyMap<string, LogOffset>;
}

/** Some of a group's runs. */
export interface RunPage {
  readonly runs: readonly LoadedRun[];
  /** Key behind which the next page begins; undefined: there is none. */
  readonly next: number | undefined;
  /** The highest key of any run, when the first page was read. */
  readonly newest: number;
}

/** What the runs of an instance before some run have left; see `run/earlier.ts`. */
export interface EarlierRows {
  /** Ascending, from the latest one on that executed the whole definition: without params, artifacts and timeline. */
  readonly runs: readonly Run[];
  /** The newest one at each step over these runs. */
  readonly attempts: readonly StepAttempt[];
}

export interface Unfinished {
  readonly runs: readonly RunPlace[];
  readonly words: readonly RunPlace[];
}

export interface RunPlace {
  readonly key: number;
  readonly groupId: number;
}

export interface FlowStore {
  readonly writer: Writer;
  heads(workflowIds: readonly string[]): Promise<readonly WorkflowHead[]>;
  /** Immutable; undefined when the workflow was deleted. */
  definition(internalId: number, versionId: number): Promise<Workflow | undefined>;
  /**
   * One transaction for all: locks the workflows' rows in order, finds repeated uuids (in the table and within the
   * batch), hands out instance and run ids, lets the run strategy decide, inserts. `group = hash(run) mod groupInfo`.
   */
  startRuns(runs: readonly NewRun[]): Promise<readonly StartOutcome[]>;
  /**
   * Lets queued runs of these workflows go while their strategy has room; deletes their `dequeue` outbox rows in the same
   * transaction. @throws RefusedWrite when it would fail again
   */
  dequeue(workflowIds: readonly string[]): Promise<readonly Run[]>;
  /** Launched unfinished runs of a group with a key above `afterKey`, ascending: one at least, and no more than fit a page. */
  loadGroup(groupId: number, afterKey: number): Promise<RunPage>;
  /** Undefined when it has ended or was never launched. */
  loadRun(key: number): Promise<LoadedRun | undefined>;
  /** What was before these runs, one for each. */
  earlier(runs: readonly RunRef[]): Promise<readonly EarlierRows[]>;
  /** Forgets what was said to runs of these groups that have ended without it. */
  dropWords(groupIds: readonly number[]): Promise<void>;
  /** What is said to these runs and not carried out, by run. */
  words(runKeys: readonly number[]): Promise<ReadonlyMap<number, readonly Word[]>>;
  /** Steps that have a breakpoint, of whatever scope. */
  brokenSteps(): Promise<readonly StepRef[]>;
  /** For each attempt, in order, whether a breakpoint matches it. */
  haveBreakpoints(attempts: readonly AttemptRef[]): Promise<readonly boolean[]>;
  /** For each attempt, in order, whether it is paused. */
  arePaused(attempts: readonly AttemptRef[]): Promise<readonly Pause[]>;
  /** Grants what is free to attempts that are new, and to those that wait for an opened tag. */
  assignPermits(look: PermitLook): Promise<PermitAnswer>;
  /** Launched unfinished runs, and runs to which something is said, of these groups: what the sweep compares with memory. */
  unfinished(groupIds: readonly number[]): Promise<Unfinished>;
  /** Keys of runs to be. */
  reserveKeys(count: number): Promise<readonly number[]>;
  /** The newest run of each iteration of a loop, by iteration. */
  iterations(workflowId: string): Promise<readonly StoredChild[]>;
  /** The newest run of an instance. */
  latestRun(workflowId: string, instanceId: number): Promise<Run | undefined>;
  /** The run that a request with this uuid has made. */
  runOfRequest(workflowId: string, uuid: string): Promise<Run | undefined>;
  /** The newest run of each of these instances. */
  latestRuns(workflowId: string, instanceIds: readonly number[]): Promise<readonly Run[]>;
  /** The newest attempt at the step before this one, over all runs of the instance, that has left artifacts. */
  attemptBefore(run: RunRef, stepId: string, attemptId: number): Promise<StepAttempt | undefined>;
  /** Those of these runs that have ended. */
  endedOf(runKeys: readonly number[]): Promise<readonly Run[]>;
  /** The newest attempt at each step of a run, in the order in which the steps began. */
  attemptsOf(runKey: number): Promise<readonly StepAttempt[]>;
  /** These job templates with all that they inherit from, as far as there are any, in no order. */
  templates(refs: readonly TemplateRef[]): Promise<readonly JobTemplateDefinition[]>;
  /** What a param has become in other runs. One statement, whatever the number of instances. */
  fetch(question: ParamQuestion): Promise<ParamRows>;
  close(): Promise<void>;
}
