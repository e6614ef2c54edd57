/**
 * An attempt in a runtime thread: the plugin's calls in order, its context, its log.
 *
 * It does not remember anything that a crash may not take: the engine has the artifacts, the store has the log.
 * Calls of one attempt run one after the other; only `terminate` does not wait for ever for a call that hangs.
 */

import {
  codeFields,
  type Follower,
  type StepResult as PluginResult,
  type StepContext,
  type Logger as StepLogger,
  type StepType,
} from "@maestro/sdk";
import { textOf } from "../bytes.ts";
import { toErrorData } from "../error.ts";
import { own } from "../record.ts";
import type { Place } from "../step/model.ts";
import type { RuntimeArtifacts, StepResult } from "../step/result.ts";
import { FileFollower, MAX_CHUNK, type Ticker } from "./follow.ts";
import { folderOf, isVisible } from "./place.ts";
import type { Operation } from "./protocol.ts";
import { AnswerError, artifactsProblem, failure, findProto, issues, takeResult, thrown, toPlain } from "./result.ts";
import { SecretError, type Secrets } from "./secret.ts";
import type { AttemptContext, LogChunk, LogStream } from "./type.ts";
import { Veil } from "./veil.ts";

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
  readonly secrets: Secrets;
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
  /** Streams of which something was left out just before what comes next. */
  readonly #gaps = new Set<LogStream>();
  /** Streams of which it was said that they are not shown. */
  readonly #withheld = new Set<LogStream>();
  /** The end of what the plugin handed over, while it may be the beginning of a secret. */
  readonly #held = new Map<LogStream, Buffer>();
  readonly #veil: Veil;
  #context: AttemptContext;
  #artifacts: RuntimeArtifacts = {};
  #tail: Promise<unknown> = Promise.resolve();
  #released = false;

  constructor(type: StepType, context: AttemptContext, port: AttemptPort) {
    this.#type = type;
    this.#port = port;
    this.#context = context;
    this.#veil = new Veil(
      port.secrets,
      ([param, field]) => param === type.type && codeFields(type.schema()).some((name) => name === field),
    );
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
      return isOvertaken ? { state: "STOPPED" } : this.#said(op);
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

  /** All that it says has been said when a call is the last one. */
  async #said(op: Operation): Promise<StepResult> {
    const result = await this.#run(op);
    if (result.state !== "CONTINUE") for (const stream of [...this.#held.keys()]) this.#letGo(stream);
    if (this.#veil.redactor === undefined || result.timeline === undefined) return result;
    return {
      ...result,
      timeline: result.timeline.map((line) => ({ ...line, message: this.#veil.text(line.message) })),
    };
  }

  async #run(op: Operation): Promise<StepResult> {
    let values: AttemptContext["params"];
    try {
      values = this.#veil.lift(this.#context);
    } catch (error) {
      if (!(error instanceof SecretError)) return thrown(this.#type.type, toErrorData(error).message, this.#port.now());
      return this.#endBlind(op, error.message);
    }
    return this.#runWith(op, values);
  }

  /**
   * Without its secrets an attempt does not begin. One that has begun under another configuration is ended: what it
   * prints can't be shown any more.
   */
  async #endBlind(op: Operation, problem: string): Promise<StepResult> {
    this.#abort.abort();
    const { state } = await this.#runWith("terminate", this.#context.params);
    if (op === "terminate" && state !== "STOPPED")
      return failure(state, `The job can't be ended: ${problem}`, this.#port.now());
    return op === "terminate" ? { state } : failure("FATAL_ERROR", problem, this.#port.now());
  }

  async #runWith(op: Operation, values: AttemptContext["params"]): Promise<StepResult> {
    const { type, params } = this.#type;
    try {
      const given = own(values, type) ?? {};
      const parsed = await params.safeParseAsync(toPlain(given));
      const found = [
        ...findProto(given, type).map((path) => `[${path}]: this key cannot be used`),
        ...(parsed.error ? issues(parsed.error.issues).map((text) => `[${type}.${text.replace(":", "]:")}`) : []),
      ];
      if (!parsed.success || found.length > 0) {
        if (op === "terminate") return { state: "STOPPED" }; // it was never started
        return failure("FATAL_ERROR", `Param ${found.join("; ")}`, this.#port.now());
      }
      return await this.#ask(op, this.#stepContext(parsed.data, values));
    } catch (error) {
      return thrown(type, this.#veil.text(toErrorData(error).message), this.#port.now());
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
    const { artifacts: brought, ...result } = takeResult(this.#type, this.#clean(answer), this.#port.now());
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

  /** An answer without secrets. */
  #clean(answer: unknown): unknown {
    if (this.#veil.redactor === undefined || typeof answer !== "object" || answer === null) return answer;
    const { outputs, outputParams, artifacts, timeline, ...rest } = answer as Partial<PluginResult>;
    return { ...rest, ...(this.#veil.data({ outputs, outputParams, artifacts, timeline }) as object) };
  }

  #stepContext(params: unknown, values: AttemptContext["params"]): StepContext<unknown> {
    const context = this.#context;
    const { uuid, identity, startTime, place, callback } = context;
    const here = this.#port.place;
    const line = (level: keyof StepLogger) => (message: string) => {
      if (!this.#veil.isBlind) this.#port.line(level, this.#veil.text(message), context);
    };
    return {
      uuid,
      identity,
      startTime,
      params,
      stepParams: toPlain(values) as Readonly<Record<string, unknown>>,
      code: context.code,
      artifacts: { ...context.artifacts, ...this.#artifacts },
      signal: this.#abort.signal,
      logger: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
      directory: folderOf(uuid, place, here),
      elsewhere: isVisible(place, here) ? undefined : place?.host,
      dataDir: this.#port.dataDir,
      callback,
      log: (stream, text) => this.#log(stream, text),
      follow: (stream, path) => this.#follow(stream, path),
      wake: () => {
        if (!this.#released) this.#port.wake(uuid);
      },
      now: () => this.#port.now(),
    };
  }

  #log(stream: LogStream, text: string): void {
    const held = this.#held.get(stream);
    const bytes = held === undefined ? Buffer.from(text) : Buffer.concat([held, Buffer.from(text)]);
    this.#held.delete(stream);
    if (this.#room() <= 0 || this.#unstored > MOST_HANDED_OVER) {
      if (!this.#cut.has(stream))
        this.#emit(stream, this.#offsets[stream], bytes.subarray(0, 0), "[output left out]\n");
      this.#cut.add(stream);
      this.#gaps.add(stream);
      this.#offsets[stream] += bytes.length;
      return;
    }
    this.#cut.delete(stream);
    for (let from = 0; from < bytes.length; ) {
      let to = Math.min(from + MAX_CHUNK, bytes.length);
      while (to < bytes.length && ((bytes[to] as number) & 0xc0) === 0x80) to--; // not within a character
      const use = this.#whole(bytes.subarray(from, to));
      if (use === 0) {
        this.#held.set(stream, bytes.subarray(from));
        return;
      }
      this.#emit(stream, this.#offsets[stream], bytes.subarray(from, from + use));
      from += use;
    }
  }

  /** What was held back can't be the beginning of a secret any more. */
  #letGo(stream: LogStream): void {
    const held = this.#held.get(stream);
    this.#held.delete(stream);
    if (held !== undefined) this.#emit(stream, this.#offsets[stream], held);
  }

  /** How many bytes are passed on while more may follow: a full chunk is not held back as a whole. */
  #whole(bytes: Buffer): number {
    const ready = this.#veil.ready(bytes);
    return ready === 0 && bytes.length >= MAX_CHUNK - 3 ? bytes.length : ready;
  }

  #follow(stream: LogStream, path: string): Follower {
    this.#letGo(stream);
    const follower = new FileFollower({
      path,
      offset: this.#offsets[stream],
      ticker: this.#port.ticker,
      ready: () => this.#released || (this.#unstored < MOST_UNSTORED && this.#port.canLog()),
      room: () => this.#room(),
      tail: Math.floor(this.#port.logBytes * TAIL),
      whole: (bytes) => this.#whole(bytes),
      emit: (offset, bytes) => this.#emit(stream, offset, bytes),
      skip: (offset, bytes) => {
        this.#emit(stream, offset, Buffer.alloc(0), leftOut(bytes));
        this.#gaps.add(stream);
      },
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
    const text = remark ?? this.#shown(stream, bytes);
    this.#port.log({ uuid, identity, stream, offset, length, text, time: this.#port.now() });
  }

  #shown(stream: LogStream, bytes: Buffer): string {
    const isCut = this.#gaps.delete(stream);
    if (!this.#veil.isBlind) return this.#veil.piece(textOf(bytes), isCut);
    const isFirst = !this.#withheld.has(stream);
    this.#withheld.add(stream);
    return isFirst ? WITHHELD : "";
  }
}

/** In the place of what an attempt prints whose secrets are not known. */
const WITHHELD = "[output left out: it may hold secrets that this server does not know]\n";

const leftOut = (bytes: number): string =>
  `\n[… ${bytes} bytes are left out here: more than limits.log_bytes are not kept …]\n`;
