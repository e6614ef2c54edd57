/** What main and an engine thread say to each other: JSON messages in the frames of `runtime/channel.ts`. */
import type { Initiator } from "../definition/initiator.ts";
import type { Tag } from "../definition/tag.ts";
import type { Artifacts, TimelineEvent } from "../definition/timeline.ts";
import type { ErrorData } from "../error.ts";
import type { WorkflowParams } from "../param/scope.ts";
import type { ParamDefinitions } from "../param/type.ts";
import type { RunConfig, RunRef } from "../run/model.ts";
import type { RestartRequest } from "../run/restart.ts";
import type { Reported } from "../step/model.ts";
import type { GroupStamp, RunPlace, StepRef, StoredRun } from "./port.ts";
import type { ReportAnswer } from "./reports.ts";

/** A start request after validation. */
export interface StartRequest {
  /** For MANUAL, `user` is the caller already. */
  readonly initiator: Initiator;
  /** Epoch milliseconds. */
  readonly requestTime: number;
  /** Becomes the run's uuid; undefined: a random one. */
  readonly requestId: string | undefined;
  readonly runtimeTags: readonly Tag[] | undefined;
  readonly runParams: ParamDefinitions | undefined;
  readonly artifacts: Artifacts | undefined;
  /** Params that cannot be evaluated: store a FAILED run instead of refusing the request. */
  readonly persistFailedRun: boolean;
  /** Of a subworkflow step. */
  readonly child?: ChildStart | undefined;
}

/** What a step that starts an instance of another workflow adds to the request. */
export interface ChildStart {
  readonly uuid: string;
  readonly initiator: Initiator;
  readonly requestTime: number;
  readonly config: Pick<RunConfig, "runtime_tags" | "correlation_id">;
  /** Params that are passed down; undefined: only those of `runParams`. */
  readonly inherited: WorkflowParams | undefined;
  /** All that is passed down, as the run shows it. */
  readonly passed: ParamDefinitions;
  /** What is passed over `inherited`. */
  readonly runParams: ParamDefinitions;
  readonly parent: {
    readonly key: number;
    readonly stamp: GroupStamp;
    readonly groupInfo: number;
    /** Leaf steps of the tree at a time; undefined: any number. */
    readonly tree: number | undefined;
    /** Who the step runs as: the child's caller. */
    readonly user: string;
  };
}

export interface StartCommand {
  readonly workflowId: string;
  /** As in the path: `active`, `latest`, `default` (any case) or a number; not yet resolved or checked. */
  readonly version: string;
  readonly request: StartRequest;
  readonly user: string;
}

/** One more run of an instance that has ended. */
export interface RestartCommand {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly restart: RestartRequest;
  /** Epoch milliseconds. */
  readonly requestTime: number;
  /** Becomes the run's uuid; undefined: a random one. */
  readonly requestId: string | undefined;
  readonly user: string;
  /** Of a subworkflow step. */
  readonly child?: ChildStart | undefined;
}

/** What leads to a new run. */
export type RunCommand = StartCommand | RestartCommand;

export interface StartReply extends RunRef {
  readonly versionId: number;
  readonly uuid: string;
  readonly status: "CREATED" | "DUPLICATED" | "STOPPED" | "INTERNAL_ERROR";
  readonly timelineEvent: TimelineEvent;
  /** Of a run that this request has made and the run strategy has let go at once. */
  readonly groupId?: number;
}

/** A run that its owner should look at, or steps of it. A hint: what it says is true by a row. */
export interface RunHint extends RunPlace {
  /** The run that was let go, as JSON: an owner that it is new to needs no look. */
  readonly run?: string;
  /** Steps that may pass the gate that holds them, and nothing else is new; undefined: the run is to be looked at. */
  readonly told?: readonly string[];
  /** A child of the run has ended: a `ChildEnd` as JSON, or empty when it is for the run to find out which. */
  readonly child?: string;
}

/** A run whose end has committed. */
export interface EndedRun extends RunRef {
  /** The run's row as the commit returned it: a client that waits for the run's end is answered without a read. */
  readonly row?: StoredRun;
}

/** What the job of an attempt reports of its outputs. */
export interface OutputReport {
  /** Of the attempt's run: who owns it has the step. */
  readonly groupId: number;
  readonly uuid: string;
  /** Of the attempt, as the job has it; undefined: it does not say. */
  readonly workflowId: string | undefined;
  readonly reported: Reported;
}

/** Main → engine thread. Commands travel as JSON text, so that only they pay for faithful numbers. */
export type ToEngine =
  | { readonly type: "start"; readonly id: number; readonly command: string }
  /** Of one workflow: all of them are started, or none. */
  | { readonly type: "start-batch"; readonly id: number; readonly commands: string }
  /** These groups are owned from now on. */
  | { readonly type: "own"; readonly stamps: readonly GroupStamp[] }
  /** These are not any more: drop them; with `id`, say when nothing of them is on its way to the database. */
  | { readonly type: "disown"; readonly groups: readonly number[]; readonly id: number }
  /** Runs were let go elsewhere, or something is said to them. */
  | { readonly type: "look"; readonly hints: readonly RunHint[] }
  | { readonly type: "dequeue"; readonly workflowIds: readonly string[] }
  /** The step has a breakpoint from now on; say when that is known. */
  | { readonly type: "breakpoint"; readonly id: number; readonly step: StepRef }
  /** Job templates have changed; say when that is known. */
  | { readonly type: "templates"; readonly id: number }
  /** An {@link OutputReport}, as JSON. */
  | { readonly type: "report"; readonly id: number; readonly report: string }
  /** Compare memory with the database. */
  | { readonly type: "sweep" };

/** Engine thread → main. */
export type ToMain =
  | { readonly type: "started"; readonly id: number; readonly replies: readonly StartReply[] }
  | { readonly type: "refused"; readonly id: number; readonly error: ErrorData }
  /** The start begins to wait for a long expression, or no longer does. */
  | { readonly type: "evaluating"; readonly id: number; readonly isEvaluating: boolean }
  /** What the message of this number asked for is done. */
  | { readonly type: "done"; readonly id: number }
  /** What has become of the report of this number. */
  | { readonly type: "reported"; readonly id: number; readonly answer: ReportAnswer }
  /** Runs that are another thread's or node's to look at. */
  | { readonly type: "hint"; readonly hints: readonly RunHint[] }
  /** The ends of these runs have committed. */
  | { readonly type: "ended"; readonly runs: readonly EndedRun[] }
  /** New log chunks of these attempts have committed. */
  | { readonly type: "logged"; readonly uuids: readonly string[] }
  /** A write was refused: these groups have another owner. */
  | { readonly type: "stale"; readonly groups: readonly number[] }
  | { readonly type: "counted"; readonly counters: EngineCounters };

/** Since the thread began. */
export interface EngineCounters {
  readonly index: number;
  readonly activeRuns: number;
  readonly parkedRuns: number;
  readonly startedRuns: number;
  readonly endedRuns: number;
  readonly queuedRows: number;
}
