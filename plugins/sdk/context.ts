import type { Json, JsonObject } from "./json.ts";

/**
 * What a call decided. CONTINUE: still running. DONE: succeeded. USER_ERROR and PLATFORM_ERROR fail the attempt and
 * are retried under the step's retry policy; FATAL_ERROR is not retried. STOPPED is `terminate`'s answer.
 */
export type StepState = "CONTINUE" | "DONE" | "USER_ERROR" | "PLATFORM_ERROR" | "FATAL_ERROR" | "STOPPED" | "TIMED_OUT";

/** Artifacts by key: objects of plain JSON. */
export type Artifacts = Readonly<Record<string, JsonObject>>;

/** Milliseconds: 120 days, which is also the longest timeout. */
export const MAX_POLL_DELAY = 120 * 86_400_000;
/** Characters of an attempt's artifacts as JSON. An answer that brings more fails the step. */
export const MAX_ARTIFACTS = 1_000_000;

/** Name of a file in an attempt's folder that has the host leave the folder where it is, for whoever started it to look into. */
export const KEEP_FILE = ".keep";

export type LogStream = "stdout" | "stderr";

/** Which attempt this is. */
export interface StepIdentity {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly runId: number;
  readonly stepId: string;
  readonly attemptId: number;
  readonly stepInstanceId: number;
  readonly correlationId: string;
  /** Of the workflow. */
  readonly owner: string;
  /** Who the step runs as: the owner, or who has started the run, as the workflow's property `run_as` says. */
  readonly user: string;
}

/** What a step type's code may refer to. */
export interface CodeContext {
  /**
   * Values by name: the workflow's params, above them the step's own but for its settings, and `step__param` of each
   * step that has ended and that the code names so.
   */
  readonly params: JsonObject;
  /** Of these, those that the code mentions as `$name`, `${name…}` or in `((…))`, as text. */
  readonly variables: Readonly<Record<string, string>>;
}

/** A line for the attempt's timeline: INFO when only text is given. */
export type TimelineEntry =
  | string
  | { readonly level: "TRACE" | "DEBUG" | "INFO" | "WARN" | "ERROR"; readonly message: string };

export interface StepResult {
  readonly state: StepState;
  /**
   * Merged into the stored ones, key by key, to at most {@link MAX_ARTIFACTS}. The only memory that survives a crash.
   */
  readonly artifacts?: Artifacts | undefined;
  /** Output params as plain values: strings, numbers, booleans, arrays of one of these, objects. */
  readonly outputs?: Readonly<Record<string, unknown>> | undefined;
  /** Output params in the wire shape of a parameter (`{ type, value }`), for a runtime that gets them so. */
  readonly outputParams?: Readonly<Record<string, Json>> | undefined;
  /**
   * Where the job has put its outputs, such as `in the file $MAESTRO_OUTPUT`: it stands in what the user is told of those
   * that the step can't have, which fail it for good.
   */
  readonly outputSource?: string | undefined;
  readonly timeline?: readonly TimelineEntry[] | undefined;
  /**
   * With CONTINUE: milliseconds until the next `execute`, 0 to {@link MAX_POLL_DELAY}, rounded up; whatever else fails
   * the step. Not needed by a runtime that calls `wake()`.
   */
  readonly nextPollDelay?: number | undefined;
}

/** A file whose growth is passed on as the attempt's log. */
export interface Follower {
  /** Passes on what is left and stops; the file is complete. */
  end(): Promise<void>;
}

/**
 * How the work of an attempt reports outputs while it runs: `PUT {url}/api/v3/output-data` with the header
 * `Authorization: Bearer {token}`. The token is a secret: it is not for logs.
 */
export interface Callback {
  /** Where the server's API is: a base such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** Good for this attempt alone, while it is under way. */
  readonly token: string;
}

/** Lines for the server's own log, with the attempt's identity added. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/**
 * What each call gets. `uuid` is the idempotency key: however often `start` is called with it, and by whatever thread
 * or process, the work may begin once only.
 */
export interface StepContext<Params> {
  readonly uuid: string;
  readonly identity: StepIdentity;
  /** Epoch milliseconds. */
  readonly startTime: number;
  /** The step's MAP param named after the type, evaluated and checked. */
  readonly params: Params;
  /** All of the step's evaluated params. */
  readonly stepParams: Readonly<Record<string, unknown>>;
  /** In `start` alone, of a type with fields of `code()`. */
  readonly code: CodeContext | undefined;
  /** As stored, plus what this thread returned since. */
  readonly artifacts: Artifacts;
  /**
   * The same object in every call that this thread makes for the attempt, so memory can hang on it. Aborted before
   * `terminate` is called, and when the host lets go of the attempt: whoever watches the work may stop watching.
   */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /**
   * For this attempt alone, wherever on this host it began; not created. The host removes it when the attempt has ended
   * and its logs are stored, unless a file {@link KEEP_FILE} is in it.
   */
  readonly directory: string;
  /**
   * The host on which the attempt began (or was about to), when that is not this one: its files and processes can't be
   * seen from here, so work that lives in them must not be begun again. Undefined when this is the host.
   */
  readonly elsewhere: string | undefined;
  /** The server's data directory. */
  readonly dataDir: string;
  /** Undefined on a host without an API. */
  readonly callback: Callback | undefined;
  /** Adds to the attempt's log. */
  log(stream: LogStream, text: string): void;
  /** Adds a file, which may not exist yet, to the attempt's log as it grows, from where the stored log ends. */
  follow(stream: LogStream, path: string): Follower;
  /** Asks for an `execute` now. */
  wake(): void;
  /** Epoch milliseconds. */
  now(): number;
}
