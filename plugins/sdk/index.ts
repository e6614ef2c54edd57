/**
 * The contract of a step type. A plugin is a module whose default export is a {@link StepType} (or an array of them):
 *
 * ```ts
 * import { defineStepType, z } from "@maestro/sdk";
 *
 * export default defineStepType({
 *   type: "greet",
 *   version: "1.0.0",
 *   params: z.strictObject({ name: z.string() }),
 *   start: ({ params, log }) => {
 *     log("stdout", `Hello ${params.name}\n`);
 *     return { state: "DONE", outputs: { greeted: params.name } };
 *   },
 *   execute: () => ({ state: "DONE" }),
 *   terminate: () => ({ state: "STOPPED" }),
 * });
 * ```
 *
 * A plugin may be a process of another language, too: PROTOCOL.md.
 */
export { z } from "zod";
export { code, codeFields } from "./code.ts";
export {
  type Artifacts,
  type Callback,
  type CodeContext,
  type Follower,
  KEEP_FILE,
  type Logger,
  type LogStream,
  MAX_ARTIFACTS,
  MAX_POLL_DELAY,
  type StepContext,
  type StepIdentity,
  type StepResult,
  type StepState,
  type TimelineEntry,
} from "./context.ts";
export { isRawNumber, type Json, type JsonObject, parseJson, type RawNumber, stringifyJson } from "./json.ts";
export { API_VERSION, defineStepType, isStepType, type StepType, type StepTypeSpec } from "./type.ts";
