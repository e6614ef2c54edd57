/**
 * What a host and the process of a plugin say to each other, as `plugins/sdk/PROTOCOL.md` describes it: JSON, a message a
 * line. Whatever a process writes is taken with care: a message is what the protocol knows, or a {@link ProtocolError}.
 */
import { API_VERSION, type StepContext, type StepResult, stringifyJson } from "@maestro/sdk";
import { z } from "zod";
import { isJsonObject, isRawNumber, type Json, type JsonObject, MAX_DEPTH, outlineOf, parseJson } from "../../json.ts";
import { RUNTIME_STATES } from "../../step/result.ts";
import type { Operation } from "../protocol.ts";
import { AnswerError, issues } from "../result.ts";

/**
 * Bytes of a line that a process may write: artifacts and outputs of the greatest size fit, even when each character is
 * written as `\u1234`.
 */
export const MAX_LINE = 16 << 20;

/** A process did not keep to the protocol. The message goes on after "the process". */
export class ProtocolError extends Error {}

/** A step type as a process describes it. */
export interface DescribedType {
  readonly type: string;
  readonly version: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** JSON Schema (2020-12) of the MAP param named after the type. */
  readonly params: JsonObject;
  readonly defaultParams?: JsonObject | undefined;
}

export type FromProcess =
  | { readonly type: "hello"; readonly stepTypes: readonly DescribedType[] }
  | { readonly type: "result"; readonly id: number; readonly answer: JsonObject }
  | { readonly type: "log"; readonly uuid: string; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly type: "wake"; readonly uuid: string }
  | { readonly type: "pong" };

const HELLO = JSON.stringify({ type: "hello", apiVersion: API_VERSION, maxLine: MAX_LINE });

export const encodeHello = (): string => HELLO;
export const encodePing = (): string => `{"type":"ping"}`;
export const encodeAbort = (uuid: string): string => JSON.stringify({ type: "abort", uuid });

export function encodeCall(id: number, op: Operation, stepType: string, context: StepContext<unknown>): string {
  const { uuid, identity, startTime, params, stepParams, code, artifacts } = context;
  const { directory, elsewhere, dataDir, callback } = context;
  const data = { uuid, identity, startTime, params, stepParams, code, artifacts };
  return encode({ type: "call", id, op, stepType, context: { ...data, directory, elsewhere, dataDir, callback } });
}

function encode(message: unknown): string {
  try {
    return JSON.stringify(message);
  } catch {
    return stringifyJson(message); // it takes large integers, and much longer
  }
}

const object = z.custom<JsonObject>(isJsonObject, "must be an object");
const text = (most: number) => z.string().max(most);
/** Many languages write null for what isn't there. */
const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullish().transform((it) => it ?? undefined);

const stepType = z.strictObject({
  type: text(64),
  version: text(64).min(1),
  title: maybe(text(200)),
  description: maybe(text(10_000)),
  params: object,
  defaultParams: maybe(object),
});

const said = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("hello"), apiVersion: z.int(), stepTypes: z.array(stepType).min(1).max(100) }),
  z.looseObject({ type: z.literal("result"), id: z.int().positive() }), // its answer: `checkAnswer`
  z.strictObject({ type: z.literal("log"), uuid: z.string(), stream: z.enum(["stdout", "stderr"]), text: z.string() }),
  z.strictObject({ type: z.literal("wake"), uuid: z.string() }),
  z.strictObject({ type: z.literal("pong") }),
]);

/** @throws ProtocolError */
export function decode(line: string): FromProcess {
  const value = wellFormed(parse(line), line);
  if (isJsonObject(value) && value.type === "hello") checkVersion(value.apiVersion);
  if (isJsonObject(value) && value.type === "result" && Number.isSafeInteger(value.id)) return resultOf(value);
  const { success, data, error } = said.safeParse(value);
  if (!success)
    throw new ProtocolError(`wrote a message that is none of the protocol's: ${found(error)}: ${shown(line)}`);
  if (data.type === "hello") return { type: "hello", stepTypes: data.stepTypes };
  return data.type === "result" ? resultOf(value as JsonObject) : data;
}

const resultOf = ({ type, id, ...answer }: JsonObject): FromProcess => ({ type: "result", id: Number(id), answer });

function parse(line: string): Json {
  try {
    if (outlineOf(line).depth <= MAX_DEPTH) return parseJson(line);
  } catch {
    throw new ProtocolError(
      `wrote on stdout what is no JSON: ${shown(line)} (stdout is for messages of the protocol; stderr is for people)`,
    );
  }
  throw new ProtocolError(`wrote JSON of more than ${MAX_DEPTH} levels: ${shown(line)}`);
}

function checkVersion(version: Json | undefined): void {
  if (version === API_VERSION) return;
  const given = JSON.stringify(version);
  throw new ProtocolError(`speaks version ${given} of the protocol (apiVersion); this server speaks ${API_VERSION}`);
}

const answerSchema = z.strictObject({
  state: z.enum(RUNTIME_STATES),
  artifacts: z
    .custom<JsonObject>(
      (it) => isJsonObject(it) && Object.values(it).every(isJsonObject),
      "must be an object of objects",
    )
    .optional(),
  outputs: object.optional(),
  outputParams: object.optional(),
  outputSource: z.string().optional(),
  timeline: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ level: z.enum(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"]), message: z.string() }),
      ]),
    )
    .optional(),
  nextPollDelay: z.number().optional(),
});

/** @throws AnswerError when the answer's shape is not the contract's */
export function checkAnswer(answer: JsonObject): StepResult {
  const given = withoutNull(answer);
  const delay = given.nextPollDelay;
  const plain = isRawNumber(delay) ? { ...given, nextPollDelay: Number(delay.rawJSON) } : given;
  const { success, error } = answerSchema.safeParse(plain);
  if (!success) throw new AnswerError(found(error));
  return plain as unknown as StepResult;
}

const withoutNull = (value: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));

const found = (error: z.ZodError): string => issues(error.issues).join("; ");

const MOST_SHOWN = 200;
const shown = (line: string): string => (line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}…` : line);

/** Halves of surrogate pairs, which only an escape brings here, and no database stores, read as U+FFFD. */
function wellFormed(value: Json, line: string): Json {
  return /\\u[dD][89a-fA-F]/.test(line) ? mend(value) : value;
}

function mend(value: Json): Json {
  if (typeof value === "string") return value.toWellFormed();
  if (Array.isArray(value)) return value.map(mend);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key.toWellFormed(), mend(item)]));
}
