/** What a runtime answers about an attempt: plain, JSON-serialisable data that crosses threads. */
import type { TimelineLogEvent } from "../definition/timeline.ts";
import type { JsonObject } from "../json.ts";
import type { Params } from "../param/type.ts";

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

/** Artifacts by key. A runtime's only durable memory. */
export type RuntimeArtifacts = Readonly<Record<string, JsonObject>>;

export interface StepResult {
  readonly state: RuntimeState;
  /** To be merged into the stored ones. */
  readonly artifacts?: RuntimeArtifacts | undefined;
  /** Output params: `type`, `value` and `evaluated_result` are set; source and time are for the engine to add. */
  readonly outputs?: Params | undefined;
  /** Where the job has put them, such as `in the file $MAESTRO_OUTPUT`: for what is said of those that are wrong. */
  readonly outputSource?: string | undefined;
  readonly timeline?: readonly TimelineLogEvent[] | undefined;
  /** Milliseconds until the next `execute`; absent with CONTINUE means: the runtime will wake the step. */
  readonly nextPollDelay?: number | undefined;
}
