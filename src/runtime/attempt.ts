/**
 * An attempt in a runtime thread: the plugin's calls in order, its context, its log.
 *
 * It does not remember anything that a crash may not take: the engine has the artifacts, the store has the log.
 * Calls of one attempt run one after the other; only `terminate` does not wait for ever for a call that hangs.
 */

import type { Follower, StepContext, Logger as StepLogger, StepType } from "@maestro/sdk";
import { own } from "../record.ts";
import type { Place } from "../step/model.ts";
import type { RuntimeArtifacts, StepResult } from "../step/result.ts";
import { FileFollower, MAX_CHUNK, type Ticker } from "./follow.ts";
import { folderOf, isVisible } from "./place.ts";
import type { Operation } from "./protocol.ts";
import {
  AnswerError,
  artifactsProblem,
  failure,
  findProto,
  issues,
  showNul,
  takeResult,
  thrown,
  toPlain,
} from "./result.ts";
import type { AttemptContext, LogChunk, LogStream } from "./type.ts";

/** How long `terminate` waits for the call before it. */
const TERMINATE_AFTER = 5_000;

/** Bytes of one attempt's log on the way to their commit above which its files are not read further. */
const MOST_UNSTORED = 256 * 1024;
/** The same for text that a plugin hands over, which can't be left where it is: more is left out. */
const MOST_HANDED_OVER = 4 << 20;
/** The part of what is kept of each stream that is its end. */
const TAIL = 1 / 20;

/** What an attempt needs of its thread. */
export interface AttemptPort {
  readonly dataDir: string;
  readonly place: Place;
  readonly ticker: Ticker;
  now(): number;
  wake(uuid: string): void;
  log(chunk: LogChunk): void;
  /** False while the engine thread's commits are behind with logs. */
  canLog(): boolean;
  /** Bytes of an attempt's output that are kept. */
  readonly logBytes: number;
  line(level: keyof StepLogger, message: string, context: AttemptContext): void;
}

export class Attempt {
  readonly #type: StepType;
  readonly #port: AttemptPort;
  readonly #abort = new AbortController();
  readonly #followers = new Set<FileFollower>();
  readonly #offsets: Record<LogStream, number>;
  /** Bytes that were passed on as they came. */
  #kept: number;
  #unstored = 0;
  /** Streams of which something that the plugin handed over was left out, and that it was said. */
  readonly #cut = new Set<LogStream>();
  #context: AttemptContext;
  #artifacts: RuntimeArtifacts = {};
  #tail: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor(type: StepType, context: AttemptContext, port: AttemptPort) {
    this.#type = type;
    this.#port = port;
    this.#context = context;
    this.#offsets = { stdout: 0, stderr: 0, ...context.logOffset };
    this.#kept = this.#offsets.stdout + this.#offsets.stderr;
  }

  /** Never rejects. */
  call(op: Operation, context: AttemptContext): Promise<StepResult> {
    this.#context = context;
    const { signal } = this.#abort;
    const wasAborted = signal.aborted;
    const before = op === "terminate" ? this.#interrupt() : this.#tail;
    const result = before.then((): StepResult | Promise<StepResult> => {
      const isOvertaken = op !== "terminate" && signal.aborted && !wasAborted;
      return isOvertaken ? { state: "STOPPED" } : this.#run(op);
    });
    this.#tail = result;
    return result;
  }

  /** So many bytes of its log have committed. */
  stored(bytes: number): void {
    this.#unstored = Math.max(0, this.#unstored - bytes);
  }

  /** Nobody waits for this attempt here any more; what the plugin still says is not heard. */
  release(): void {
    this.#released = true;
    this.#abort.abort();
    for (const follower of this.#followers) follower.close();
  }

  #interrupt(): Promise<unknown> {
    this.#abort.abort();
    return Promise.race([this.#tail, Bun.sleep(TERMINATE_AFTER)]);
  }

  async #run(op: Operation): Promise<StepResult> {
    const { type, params } = this.#type;
    try {
      const given = own(this.#context.params, type) ?? {};
      const parsed = await params.safeParseAsync(toPlain(given));
      const found = [
        ...findProto(given, type).map((path) => `[${path}]: this key cannot be used`),
        ...(parsed.error ? issues(parsed.error.issues).map((text) => `[${type}.${text.replace(":", "]:")}`) : []),
      ];
      if (!parsed.success || found.length > 0) {
        if (op === "terminate") return { state: "STOPPED" }; // it was never started
        return failure("FATAL_ERROR", `Param ${found.join("; ")}`, this.#port.now());
      }
      return await this.#ask(op, this.#stepContext(parsed.data));
    } catch (error) {
      return thrown(type, error, this.#port.now());
    }
  }

  /** An answer that cannot be taken ends the step, and with it the work, which nobody would look after any more. */
  async #ask(op: Operation, context: StepContext<unknown>): Promise<StepResult> {
    const { type } = this.#type;
    try {
      return this.#take(op, await this.#type[op](context));
    } catch (error) {
      if (!(error instanceof AnswerError) || op === "terminate") throw error;
      this.#abort.abort();
      await this.#type.terminate(context);
      return failure(
        "FATAL_ERROR",
        `Step type ${type} gave an answer to ${op} that is refused: ${error.message}`,
        this.#port.now(),
      );
    }
  }

  #take(op: Operation, answer: unknown): StepResult {
    const { artifacts: brought, ...result } = takeResult(this.#type, answer, this.#port.now());
    if (brought === undefined) return result;
    const artifacts = { ...this.#context.artifacts, ...this.#artifacts, ...brought };
    const problem = artifactsProblem(artifacts);
    if (problem === undefined) {
      this.#artifacts = artifacts;
      return { ...result, artifacts: brought };
    }
    if (op !== "terminate") throw new AnswerError(problem);
    return result; // the work has ended, whatever there is to remember of it
  }

  #stepContext(params: unknown): StepContext<unknown> {
    const context = this.#context;
    const { uuid, identity, startTime, place } = context;
    const here = this.#port.place;
    const line = (level: keyof StepLogger) => (message: string) => this.#port.line(level, message, context);
    return {
      uuid,
      identity,
      startTime,
      params,
      stepParams: toPlain(context.params) as Readonly<Record<string, unknown>>,
      code: context.code,
      artifacts: { ...context.artifacts, ...this.#artifacts },
      signal: this.#abort.signal,
      logger: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
      directory: folderOf(uuid, place, here),
      elsewhere: isVisible(place, here) ? undefined : place?.host,
      dataDir: this.#port.dataDir,
      log: (stream, text) => this.#log(stream, text),
      follow: (stream, path) => this.#follow(stream, path),
      wake: () => {
        if (!this.#released) this.#port.wake(uuid);
      },
      now: () => this.#port.now(),
    };
  }

  #log(stream: LogStream, text: string): void {
    const bytes = Buffer.from(text);
    if (this.#room() <= 0 || this.#unstored > MOST_HANDED_OVER) {
      if (!this.#cut.has(stream))
        this.#emit(stream, this.#offsets[stream], bytes.subarray(0, 0), "[output left out]\n");
      this.#cut.add(stream);
      this.#offsets[stream] += bytes.length;
      return;
    }
    this.#cut.delete(stream);
    for (let from = 0; from < bytes.length; ) {
      let to = Math.min(from + MAX_CHUNK, bytes.length);
      while (to < bytes.length && ((bytes[to] as number) & 0xc0) === 0x80) to--; // not within a character
      this.#emit(stream, this.#offsets[stream], bytes.subarray(from, to));
      from = to;
    }
  }

  #follow(stream: LogStream, path: string): Follower {
    const follower = new FileFollower({
      path,
      offset: this.#offsets[stream],
      ticker: this.#port.ticker,
      ready: () => this.#released || (this.#unstored < MOST_UNSTORED && this.#port.canLog()),
      room: () => this.#room(),
      tail: Math.floor(this.#port.logBytes * TAIL),
      emit: (offset, bytes) => this.#emit(stream, offset, bytes),
      skip: (offset, bytes) => this.#emit(stream, offset, Buffer.alloc(0), leftOut(bytes)),
    });
    if (this.#released) follower.close();
    this.#followers.add(follower);
    return follower;
  }

  /** How much more is kept as it comes. */
  #room(): number {
    return this.#port.logBytes * (1 - 2 * TAIL) - this.#kept;
  }

  /** @param remark in the place of bytes of the stream */
  #emit(stream: LogStream, offset: number, bytes: Buffer, remark?: string): void {
    const { length } = bytes;
    this.#offsets[stream] = offset + length;
    if (this.#released) return;
    this.#kept += length;
    this.#unstored += length;
    const { uuid, identity } = this.#context;
    const text = remark ?? showNul(bytes.toString("utf8"));
    this.#port.log({ uuid, identity, stream, offset, length, text, time: this.#port.now() });
  }
}

const leftOut = (bytes: number): string =>
  `\n[… ${bytes} bytes are left out here: more than limits.log_bytes are not kept …]\n`;
