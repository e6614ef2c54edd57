/**
 * An engine thread's side of the plugin runtimes: calls that are answered with a {@link StepResult}, wakes and logs.
 *
 * It does not decide anything about a step, keeps no durable state and never loses a call: a call that a runtime
 * thread did not answer before it was replaced is made again (`start` is idempotent by uuid), and attempts that were
 * running there are woken, so that the engine `execute`s them and they are adopted.
 */
import { internalError } from "../error.ts";
import type { Place } from "../step/model.ts";
import type { StepResult } from "../step/result.ts";
import { Channel } from "./channel.ts";
import {
  address,
  decodeReset,
  decodeResult,
  encodeContext,
  type Operation,
  type ToEngine,
  type ToRuntime,
  threadOf,
  unaddress,
} from "./protocol.ts";
import type { AttemptContext, LogChunk, LogOffset } from "./type.ts";

export interface RuntimeClientOptions {
  /** Number of runtime threads; attempts are pinned to one by their uuid. */
  readonly threads: number;
  /** Unique per engine thread start. */
  readonly session: string;
  /** Hands a text to main's `RuntimeHost.deliver`. */
  send(text: string): void;
  /** The attempt has something to say: `execute` it soon. */
  onWake(uuid: string): void;
  /** For each chunk {@link RuntimeClient.stored} is owed. */
  onLog(chunks: readonly LogChunk[]): void;
}

interface Call {
  readonly id: number;
  readonly op: Operation;
  readonly context: AttemptContext;
  resolve(result: StepResult): void;
  reject(error: unknown): void;
}

interface Followed {
  readonly place: Place | undefined;
  /** Where its logs end. */
  readonly logOffset: LogOffset;
}

interface Thread {
  readonly channel: Channel<ToEngine, ToRuntime>;
  readonly calls: Map<number, Call>;
}

export class RuntimeClient {
  readonly #options: RuntimeClientOptions;
  readonly #threads: readonly Thread[];
  /** The attempts that run here, by uuid. */
  readonly #attempts = new Map<string, Followed>();
  #chunks: LogChunk[] = [];
  #lastCall = 0;
  #closed = false;

  constructor(options: RuntimeClientOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads }, (_, index) => this.#open(index));
  }

  /** Only after the attempt's row is committed (D2). Rejects only when the client is closed. */
  start(context: AttemptContext): Promise<StepResult> {
    return this.#call("start", context);
  }

  /** A poll, an answer to a wake, or the adoption of an attempt that this thread did not start. */
  execute(context: AttemptContext): Promise<StepResult> {
    return this.#call("execute", context);
  }

  /** May take as long as the attempt's grace period. Idempotent. An answer other than STOPPED: it failed, try again. */
  terminate(context: AttemptContext): Promise<StepResult> {
    return this.#call("terminate", context);
  }

  /** The attempt has ended and its logs are stored: its memory and files may go. Owed for every attempt that was called. */
  forget(uuid: string): void {
    const place = this.#attempts.get(uuid)?.place;
    this.#attempts.delete(uuid);
    this.#threadOf(uuid).channel.post({ type: "forget", uuid, place });
  }

  /** This much of the attempt's log has committed, or will not any more; owed for every chunk. @param bytes its length */
  stored(uuid: string, bytes: number): void {
    if (!this.#closed) this.#threadOf(uuid).channel.post({ type: "stored", uuid, bytes });
  }

  /** What main passes on from a runtime thread. */
  receive(text: string): void {
    const { from, frame } = unaddress(text);
    const thread = this.#threads[from];
    if (this.#closed || thread === undefined) return;
    const session = decodeReset(frame);
    if (session === undefined) thread.channel.accept(frame);
    else thread.channel.reset(session);
    this.#flushLogs();
  }

  /** Every runtime thread was restarted: pending calls are made again, running attempts are woken. */
  reset(): void {
    for (const thread of this.#threads) thread.channel.reset();
  }

  /** Pending calls reject; nothing is sent any more. */
  close(): void {
    this.#closed = true;
    for (const { channel, calls } of this.#threads) {
      channel.close();
      for (const call of calls.values()) call.reject(internalError("The runtime client is closed"));
      calls.clear();
    }
  }

  #threadOf(uuid: string): Thread {
    return this.#threads[threadOf(uuid, this.#threads.length)] as Thread;
  }

  #call(op: Operation, context: AttemptContext): Promise<StepResult> {
    if (this.#closed) return Promise.reject(internalError("The runtime client is closed"));
    const thread = this.#threadOf(context.uuid);
    if (!this.#attempts.has(context.uuid)) {
      const { uuid, place, logOffset = { stdout: 0, stderr: 0 } } = context;
      this.#attempts.set(uuid, { place, logOffset });
    }
    const { promise, resolve, reject } = Promise.withResolvers<StepResult>();
    const call: Call = { id: ++this.#lastCall, op, context, resolve, reject };
    thread.calls.set(call.id, call);
    this.#post(thread, call);
    return promise;
  }

  #post(thread: Thread, { id, op, context }: Call): void {
    const logOffset = this.#attempts.get(context.uuid)?.logOffset ?? context.logOffset;
    thread.channel.post({ type: "call", id, op, context: encodeContext({ ...context, logOffset }) });
  }

  #open(index: number): Thread {
    const calls = new Map<number, Call>();
    const channel = new Channel<ToEngine, ToRuntime>({
      session: this.#options.session,
      initiator: true,
      send: (frame) => this.#options.send(address(index, frame)),
      receive: (message) => this.#receive(calls, message),
      onReset: () => this.#resume(index),
    });
    return { channel, calls };
  }

  #receive(calls: Map<number, Call>, message: ToEngine): void {
    switch (message.type) {
      case "result": {
        const call = calls.get(message.id);
        if (call === undefined) return;
        calls.delete(message.id);
        this.#flushLogs(); // an attempt's last output comes before its end
        call.resolve(decodeResult(message.result));
        return;
      }
      case "wake":
        if (this.#attempts.has(message.uuid)) this.#options.onWake(message.uuid);
        return;
      case "log":
        this.#log(message.chunk);
    }
  }

  #log(chunk: LogChunk): void {
    const seen = this.#attempts.get(chunk.uuid);
    if (seen === undefined) return this.stored(chunk.uuid, chunk.length);
    const logOffset = { ...seen.logOffset, [chunk.stream]: chunk.offset + chunk.length };
    this.#attempts.set(chunk.uuid, { ...seen, logOffset });
    this.#chunks.push(chunk);
  }

  #flushLogs(): void {
    if (this.#chunks.length === 0) return;
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#options.onLog(chunks);
  }

  #resume(index: number): void {
    const thread = this.#threads[index] as Thread;
    const called = new Set<string>();
    for (const call of thread.calls.values()) {
      called.add(call.context.uuid);
      this.#post(thread, call);
    }
    for (const uuid of this.#attempts.keys()) {
      if (!called.has(uuid) && this.#threadOf(uuid) === thread) this.#options.onWake(uuid);
    }
  }
}
