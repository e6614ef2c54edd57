/** A plugin's answer, taken with care: whatever it returned or threw becomes a {@link StepResult}. */
import { MAX_ARTIFACTS, MAX_POLL_DELAY, type StepResult as PluginResult, type StepType } from "@maestro/sdk";
import { shown } from "../definition/finding.ts";
import { LOG_LEVELS, type TimelineLogEvent } from "../definition/timeline.ts";
import { toErrorData } from "../error.ts";
import {
  isJsonObject,
  isRawNumber,
  type Json,
  type JsonObject,
  jsonToLong,
  longToJson,
  numberToJson,
  stringifyJson,
} from "../json.ts";
import { wrongOutput } from "../param/output.ts";
import type { Params } from "../param/type.ts";
import { RUNTIME_STATES, type RuntimeArtifacts, type RuntimeState, type StepResult } from "../step/result.ts";
import { outputParams } from "./output.ts";

/** Characters of a timeline message. */
const MAX_MESSAGE = 4_000;

export function failure(state: RuntimeState, message: string, now: number): StepResult {
  return { state, timeline: [timelineLog("ERROR", message, now)] };
}

/** A plugin's throw: the platform's fault, so that it is retried. */
export function thrown(type: string, message: string, now: number): StepResult {
  return failure("PLATFORM_ERROR", `Step type ${type} failed: ${message}`, now);
}

/** An answer that the contract does not allow: the plugin's mistake, which it would make again. */
export class AnswerError extends Error {}

/** @throws AnswerError when a number or size in it is out of its range */
export function takeResult(type: StepType, answer: unknown, now: number): StepResult {
  const raw = (answer ?? {}) as PluginResult;
  if (!RUNTIME_STATES.includes(raw.state)) {
    return failure("PLATFORM_ERROR", `Step type ${type.type} answered state [${raw.state}]`, now);
  }
  const timeline = (raw.timeline ?? []).map((entry) => takeTimeline(entry, now));
  const artifacts = takeArtifacts(raw.artifacts);
  const rest = {
    ...(timeline.length > 0 && { timeline }),
    ...(artifacts !== undefined && { artifacts }),
  };
  if (raw.state === "CONTINUE") return { state: "CONTINUE", ...rest, ...takeDelay(raw.nextPollDelay) };
  if (raw.state !== "DONE") return { state: raw.state, ...rest };
  try {
    const outputs = takeOutputs(type, raw);
    return { state: "DONE", ...rest, ...(outputs !== undefined && { outputs, ...sourceOf(raw) }) };
  } catch (error) {
    const { message } = toErrorData(error);
    const line = timelineLog("ERROR", wrongOutput(sourceOf(raw).outputSource, message), now);
    return { ...rest, state: "FATAL_ERROR", timeline: [...timeline, line] };
  }
}

function takeDelay(delay: unknown): { readonly nextPollDelay?: number } {
  if (delay === undefined || delay === null) return {};
  if (typeof delay === "number" && delay >= 0 && delay <= MAX_POLL_DELAY) return { nextPollDelay: Math.ceil(delay) };
  throw new AnswerError(
    `nextPollDelay is ${shown(delay)}; it must be 0 to ${MAX_POLL_DELAY} milliseconds (${MAX_POLL_DELAY / 86_400_000} days)`,
  );
}

/** Undefined when an attempt's artifacts may be stored. */
export function artifactsProblem(artifacts: RuntimeArtifacts): string | undefined {
  const size = stringifyJson(artifacts).length;
  return size > MAX_ARTIFACTS ? `the artifacts have ${size} characters, more than ${MAX_ARTIFACTS}` : undefined;
}

const sourceOf = ({ outputSource }: PluginResult): Pick<StepResult, "outputSource"> =>
  typeof outputSource === "string" ? { outputSource: outputSource.slice(0, MAX_MESSAGE / 4) } : {};

function takeOutputs(type: StepType, raw: PluginResult): Params | undefined {
  if (raw.outputs === undefined && raw.outputParams === undefined) return undefined;
  const checked = type.outputs?.safeParse(raw.outputs ?? {});
  if (checked?.success === false) throw new Error(`Outputs: ${issues(checked.error.issues).join("; ")}`);
  const params = outputParams(raw.outputs ?? {}, raw.outputParams ?? {});
  return Object.keys(params).length === 0 ? undefined : params;
}

/** One text an issue, such as `script: Invalid input: expected string, received undefined`. */
export function issues(
  found: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string[] {
  return found.map(({ path, message }) => `${path.map(String).join(".") || "value"}: ${message}`);
}

function takeTimeline(entry: NonNullable<PluginResult["timeline"]>[number], now: number): TimelineLogEvent {
  if (typeof entry === "string") return timelineLog("INFO", entry, now);
  return timelineLog(LOG_LEVELS.includes(entry.level) ? entry.level : "INFO", String(entry.message), now);
}

function timelineLog(level: TimelineLogEvent["level"], message: string, timestamp: number): TimelineLogEvent {
  const text = message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE)}…` : message;
  return { type: "LOG", level, message: showNul(text), timestamp };
}

function takeArtifacts(artifacts: unknown): RuntimeArtifacts | undefined {
  const plain = toJson(artifacts);
  if (!isJsonObject(plain)) return undefined;
  return Object.fromEntries(
    Object.entries(plain).filter((entry): entry is [string, JsonObject] => isJsonObject(entry[1])),
  );
}

/** Postgres stores no NUL. */
export const showNul = (text: string): string => (text.includes("\0") ? text.replaceAll("\0", "\u2400") : text);

/** As JSON would have it, with 64-bit integers for bigints. */
function toJson(value: unknown): Json {
  if (typeof value === "string") return showNul(value);
  if (typeof value === "bigint") return longToJson(value);
  if (typeof value === "number") return Number.isFinite(value) ? numberToJson(value) : null;
  if (typeof value === "boolean" || isRawNumber(value)) return value;
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== "object" || value === null) return null;
  if (value instanceof Date) return value.toJSON();
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && typeof item !== "function");
  return Object.fromEntries(entries.map(([key, item]) => [showNul(key), toJson(item)]));
}

/** Paths of keys `__proto__`: a plugin's schema would leave them out without a word. */
export function findProto(value: Json, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => findProto(item, `${path}[${index}]`));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "__proto__" ? [`${path}.${key}`] : findProto(item, `${path}.${key}`),
  );
}

/** A stored value as plugins get it: plain numbers, and a bigint for every integer beyond ±(2^53−1). */
export function toPlain(value: Json): unknown {
  if (isRawNumber(value)) return jsonToLong(value) ?? Number(value.rawJSON);
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toPlain(item)]));
}
