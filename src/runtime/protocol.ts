/**
 * What an engine thread and a runtime thread say to each other. Everything is a string: `<address> <frame>`, where the
 * address is a number that main rewrites on the way (towards a runtime thread it names that thread, and arrives as the
 * number of the engine thread it came from; and the other way round), and the frame is JSON made by `channel.ts`.
 * Params, artifacts and results travel as JSON text inside the messages, so that only they pay for faithful numbers.
 */
import { parseJson, stringifyJson } from "../json.ts";
import type { Place } from "../step/model.ts";
import type { StepResult } from "../step/result.ts";
import type { SecretSetting } from "./secret.ts";
import type { AttemptContext, AttemptIdentity, LogChunk } from "./type.ts";

export type Operation = "start" | "execute" | "terminate";

/** Engine thread → runtime thread. */
export type ToRuntime =
  | { readonly type: "call"; readonly id: number; readonly op: Operation; readonly context: string }
  /** The attempt has ended and its logs are stored: drop its memory and its files. */
  | { readonly type: "forget"; readonly uuid: string; readonly place?: Place | undefined }
  /** So many bytes of the attempt's log have committed, or will not any more: as many may follow. */
  | { readonly type: "stored"; readonly uuid: string; readonly bytes: number };

/** Runtime thread → engine thread. */
export type ToEngine =
  | { readonly type: "result"; readonly id: number; readonly result: string }
  | { readonly type: "wake"; readonly uuid: string }
  | { readonly type: "log"; readonly chunk: LogChunk };

/** What a runtime thread must know before it can work. Sent until it is ready. */
export interface WorkerSetup {
  readonly type: "setup";
  /** Unique per thread start. */
  readonly session: string;
  readonly dataDir: string;
  readonly plugins: readonly PluginSource[];
  /** Bytes of an attempt's output that are kept. */
  readonly logBytes: number;
  readonly secrets: readonly SecretSetting[];
}

/** Main → runtime thread, beside frames: JSON, recognised by its brace. */
export type ToWorker = WorkerSetup | { readonly type: "ping"; readonly id: number } | { readonly type: "stop" };

/** Runtime thread → main, beside frames. */
export type FromWorker =
  | { readonly type: "hello" }
  /** Its plugins are loaded; `types` is JSON text of `PluginType[]`. */
  | { readonly type: "ready"; readonly types: string; readonly failures: readonly PluginFailure[] }
  | { readonly type: "pong"; readonly id: number }
  | { readonly type: "stopped" }
  /** A process of a plugin lives, or does no longer: it is not to outlive the thread. */
  | { readonly type: "process"; readonly pid: number; readonly isAlive: boolean }
  | ({ readonly type: "line" } & PluginLine);

/** A line for the server's log. */
export interface PluginLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly identity?: AttemptIdentity;
  readonly uuid?: string;
}

/** A plugin to load. */
export interface PluginSource {
  /** For messages: the built-in's folder name, or what the user gave. */
  readonly name: string;
  /** A specifier that `import()` takes in a runtime thread, or a path to a file or folder. */
  readonly path: string;
}

/** A plugin that did not load. */
export interface PluginFailure {
  readonly name: string;
  readonly message: string;
}

/** Frame that tells a client that the runtime thread behind the address is a new one. */
const RESET = "!reset ";

/** @param session of the new thread. */
export const encodeReset = (session: string): string => RESET + session;
export const decodeReset = (frame: string): string | undefined =>
  frame.startsWith(RESET) ? frame.slice(RESET.length) : undefined;

/** A text for the wire. */
export const address = (to: number, frame: string): string => `${to} ${frame}`;

/** The parts of a text from the wire. */
export function unaddress(text: string): { readonly from: number; readonly frame: string } {
  const blank = text.indexOf(" ");
  return { from: Number(text.slice(0, blank)), frame: text.slice(blank + 1) };
}

/** The runtime thread that an attempt is pinned to: FNV-1a of its uuid. */
export function threadOf(uuid: string, threads: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < uuid.length; index++) {
    hash = Math.imul(hash ^ uuid.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % threads;
}

export const encodeContext = (context: AttemptContext): string => stringifyJson(context);
export const decodeContext = (text: string): AttemptContext => parseJson(text) as unknown as AttemptContext;
export const encodeResult = (result: StepResult): string => stringifyJson(result);
export const decodeResult = (text: string): StepResult => parseJson(text) as unknown as StepResult;
