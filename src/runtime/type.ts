/**
 * The step contract as the engine sees it: plain, JSON-serialisable data that crosses threads. What a plugin author
 * sees is `@maestro/sdk`; `attempt.ts` and `result.ts` translate between the two.
 */
import type { Json, JsonObject } from "../json.ts";
import type { CodeParams } from "../param/code.ts";
import type { SecretPlace } from "../param/secret.ts";
import type { Place } from "../step/model.ts";
import type { RuntimeArtifacts } from "../step/result.ts";

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
  /** Who the step runs as: the owner, or who has started the run, as the workflow's `run_as` says. */
  readonly user: string;
}

/** How the job of an attempt gets at the server. */
export interface Callback {
  /** Where the API is: a base such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Good for this attempt alone, while it is under way. */
  readonly token: string;
}

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
  /** Which texts of the params name secrets; absent: none does. */
  readonly secrets?: { readonly workflowId: string; readonly places: readonly SecretPlace[] } | undefined;
  /** In the `start` of a type with fields of code: what the code may refer to. */
  readonly code?: CodeParams | undefined;
  readonly artifacts: RuntimeArtifacts;
  /** On adoption: where the stored logs end, in bytes of each stream. Absent means 0, or what the client saw. */
  readonly logOffset?: LogOffset | undefined;
  /** Where it was, or is, to begin. Absent means: wherever the runtime thread keeps its files. */
  readonly place?: Place | undefined;
  readonly callback?: Callback | undefined;
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
  /** Bytes that the text stands for in the stream. */
  readonly length: number;
  /** As `textOf` of bytes.ts has it. */
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
  /** Fields of the MAP param that hold code: references in their text are not replaced. */
  readonly code: readonly string[];
  /** Default step params in wire shape, merged below the step's own. */
  readonly defaultParams: JsonObject;
}
