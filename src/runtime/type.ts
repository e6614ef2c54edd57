/**
 * The step contract as the engine sees it: plain, JSON-serialisable data that crosses threads. What a plugin author
 * sees is `@maestro/sdk`; `attempt.ts` and `result.ts` translate between the two.
 */
import type { Json, JsonObject } from "../json.ts";
import type { Params } from "../param/type.ts";
import type { Place } from "../step/model.ts";

/** What a runtime call decided about its attempt. */
export const RUNTIME_STATES = [
  "CONTINUE",
  "DONE",
  "USER_ERROR",
  "PLATFORM_ERROR",
  "FATAL_ERROR",
  "STOPPED",
  "TIMED_OUT",
] as const;

export type RuntimeState = (typeof RUNTIME_STATES)[number];

/** Who an attempt is. */
export interface AttemptIdentity {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;
  readonly stepId: string;
  readonly attemptId: number;
  readonly stepInstanceId: number;
  readonly correlationId: string;
  readonly owner: string;
}

/** Artifacts by key. A runtime's only durable memory. */
export type Artifacts = Readonly<Record<string, JsonObject>>;

/** All that a runtime is told about an attempt. */
export interface AttemptContext {
  /** Idempotency key: the same for every call of one attempt. */
  readonly uuid: string;
  /** Canonical name, such as `Sleep` or `shell`. */
  readonly stepType: string;
  readonly identity: AttemptIdentity;
  /** Epoch milliseconds when the attempt entered STARTING. */
  readonly startTime: number;
  /** Evaluated step params as plain values. */
  readonly params: Readonly<Record<string, Json>>;
  readonly artifacts: Artifacts;
  /** On adoption: where the stored logs end, in bytes of each stream. Absent means 0, or what the client saw. */
  readonly logOffset?: LogOffset | undefined;
  /** Where it was, or is, to begin. Absent means: wherever the runtime thread keeps its files. */
  readonly place?: Place | undefined;
}

export const LOG_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/** A LOG event of the attempt's timeline, in wire shape. */
export interface TimelineLog {
  readonly type: "LOG";
  readonly level: LogLevel;
  readonly message: string;
  /** Epoch milliseconds. */
  readonly timestamp: number;
}

export interface StepResult {
  readonly state: RuntimeState;
  /** To be merged into the stored ones. */
  readonly artifacts?: Artifacts | undefined;
  /** Output params: `type`, `value` and `evaluated_result` are set; source and time are for the engine to add. */
  readonly outputs?: Params | undefined;
  readonly timeline?: readonly TimelineLog[] | undefined;
  /** Milliseconds until the next `execute`; absent with CONTINUE means: the runtime will wake the step. */
  readonly nextPollDelay?: number | undefined;
}

export type LogStream = "stdout" | "stderr";

export type LogOffset = Readonly<Record<LogStream, number>>;

/**
 * A piece of an attempt's output. Key: (uuid, stream, offset). Chunks of one stream follow each other without gaps;
 * after a crash a piece may come again with other borders, so readers skip what lies before `offset + length` seen.
 */
export interface LogChunk {
  readonly uuid: string;
  readonly identity: AttemptIdentity;
  readonly stream: LogStream;
  /** In bytes from the start of the stream. */
  readonly offset: number;
  /** Bytes that the text stood for in the stream (bytes that are not UTF-8 read as U+FFFD, NUL as U+2400). */
  readonly length: number;
  readonly text: string;
  /** Epoch milliseconds when the chunk was read. */
  readonly time: number;
}

/** What the registry knows of a plugin's step type; gathered in a runtime thread when the plugin is loaded. */
export interface PluginType {
  readonly type: string;
  readonly version: string;
  readonly title: string;
  readonly description?: string | undefined;
  /** JSON Schema (2020-12) of the MAP param that is named after the type. */
  readonly schema: JsonObject;
  /** Default step params in wire shape, merged below the step's own. */
  readonly defaultParams: JsonObject;
}
