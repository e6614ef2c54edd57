/**
 * A plugin that is a process: its step types, the calls to them, and a new process when one has ended.
 *
 * ```
 *  starting ─hello─▶ up ─ended─▶ pausing ─▶ starting …      down: given up (`restart.ts`); a call tries again after a while
 *      └─ended─▶ pausing, or down                           stopped: for good
 * ```
 *
 * The process is this runtime thread's alone: threads share nothing, as attempts are pinned to one, so each is replaced
 * without the others, and a language that has one interpreter a process has as many as there are threads.
 *
 * - P1 A call that a process had when it ended is made again of the next one (`start` is idempotent by uuid), unless that
 *   happened {@link MOST_TRIES} times, or nobody waits for its answer any more.
 * - P2 An attempt that a process looked after when it ended is woken: whoever executes it lets the next one adopt it.
 * - P3 A word about an attempt that has ended or was let go is not heard.
 */
import type { StepContext, StepResult, StepType } from "@maestro/sdk";
import type { Operation, PluginLine } from "../protocol.ts";
import { Child } from "./child.ts";
import {
  checkAnswer,
  type DescribedType,
  decode,
  encodeAbort,
  encodeCall,
  encodeHello,
  type FromProcess,
  ProtocolError,
} from "./message.ts";
import { DOWN_FOR, MOST_TRIES, pauseAfter } from "./restart.ts";
import { type Compile, loadCompiler } from "./schema.ts";
import { stepTypeOf } from "./type.ts";

export interface ProcessPluginOptions {
  /** For messages. */
  readonly name: string;
  readonly command: readonly string[];
  readonly folder: string;
  line(level: PluginLine["level"], message: string): void;
  /** Takes secrets out of what a process has written before others are told of it. */
  clean?(text: string): string;
  /** A process lives, or does no longer. */
  onProcess?(pid: number, isAlive: boolean): void;
  /** Milliseconds until a new process must have said hello. Default 30,000. */
  readonly helloWithin?: number;
  /** Milliseconds without a word after which a process counts as stuck. Default 30,000. */
  readonly silentFor?: number;
  /** Milliseconds after which a plugin that was given up is tried again. Default {@link DOWN_FOR}. */
  readonly downFor?: number;
}

interface Call {
  readonly id: number;
  readonly op: Operation;
  readonly line: string;
  readonly attempt: Watched;
  /** Processes that ended while they had it. */
  tries: number;
  /** The process of now has it. */
  isWritten: boolean;
  resolve(result: StepResult): void;
  reject(error: Error): void;
}

/** An attempt that a process looks after. */
interface Watched {
  readonly context: StepContext<unknown>;
  readonly calls: Set<Call>;
}

type State =
  | { readonly status: "starting" | "up"; readonly child: Child; readonly late?: ReturnType<typeof setTimeout> }
  | { readonly status: "pausing"; readonly timer: ReturnType<typeof setTimeout> }
  | { readonly status: "down"; readonly until: number; readonly reason: string }
  | { readonly status: "stopped" };

const HELLO_WITHIN = 30_000;
const SILENT_FOR = 30_000;
/** Milliseconds before each harder way to end a process. */
const STOP_PATIENCE = 1_000;

export class ProcessPlugin {
  readonly #options: ProcessPluginOptions;
  readonly #calls = new Map<number, Call>();
  readonly #attempts = new Map<string, Watched>();
  readonly #begun = Promise.withResolvers<readonly DescribedType[]>();
  #state: State = { status: "stopped" };
  #lastCall = 0;
  /** Processes that have ended since the last answer. */
  #ends = 0;
  /** What the first process said it serves; undefined before. */
  #types: readonly DescribedType[] | undefined;

  constructor(options: ProcessPluginOptions) {
    this.#options = options;
  }

  /** @throws Error with the reason when the first process does not say hello as it should */
  async start(): Promise<readonly StepType[]> {
    const compile = await loadCompiler();
    this.#spawn();
    const types = await this.#begun.promise;
    try {
      return types.map((type) => this.#define(type, compile));
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Its process ends, at the latest when it is killed; calls are not answered any more. */
  async stop(): Promise<void> {
    const state = this.#state;
    this.#state = { status: "stopped" };
    if (state.status === "pausing") clearTimeout(state.timer);
    if (!("child" in state)) return;
    clearTimeout(state.late);
    await state.child.close(STOP_PATIENCE);
  }

  #define(type: DescribedType, compile: Compile): StepType {
    try {
      return stepTypeOf(type, compile, (op, context) => this.#call(op, type.type, context));
    } catch (error) {
      throw new Error(`Step type [${type.type}]: ${error instanceof Error ? error.message : error}`);
    }
  }

  #call(op: Operation, stepType: string, context: StepContext<unknown>): Promise<StepResult> {
    const state = this.#state;
    if (state.status === "down" && performance.now() >= state.until) this.#spawn();
    else if (state.status === "down") return Promise.reject(new Error(state.reason));
    const { promise, resolve, reject } = Promise.withResolvers<StepResult>();
    const attempt = this.#watch(context);
    const id = ++this.#lastCall;
    const line = encodeCall(id, op, stepType, context);
    const call: Call = { id, op, line, attempt, tries: 0, isWritten: false, resolve, reject };
    attempt.calls.add(call);
    this.#calls.set(id, call);
    if (this.#state.status === "up") this.#send(this.#state.child, call);
    return promise;
  }

  #send(child: Child, call: Call): void {
    child.send(call.line, () => {
      call.isWritten = true;
    });
  }

  #watch(context: StepContext<unknown>): Watched {
    const { uuid, signal } = context;
    const known = this.#attempts.get(uuid);
    if (known?.context.signal === signal) return known; // another signal: it was let go, and is adopted
    const attempt: Watched = { context, calls: new Set() };
    this.#attempts.set(uuid, attempt);
    if (!signal.aborted) signal.addEventListener("abort", () => this.#aborted(uuid, attempt), { once: true });
    return attempt;
  }

  #aborted(uuid: string, attempt: Watched): void {
    if (this.#attempts.get(uuid) !== attempt) return;
    const state = this.#state;
    if (state.status === "up") state.child.send(encodeAbort(uuid));
    else for (const call of attempt.calls) this.#settle(call).reject(new Error("It was stopped before it was asked"));
    if (attempt.calls.size === 0) this.#forget(attempt);
  }

  #forget(attempt: Watched): void {
    const { uuid } = attempt.context;
    if (this.#attempts.get(uuid) === attempt) this.#attempts.delete(uuid);
  }

  /** A call that is over. */
  #settle(call: Call): Call {
    this.#calls.delete(call.id);
    call.attempt.calls.delete(call);
    return call;
  }

  #spawn(): void {
    const { name, command, folder, line, clean } = this.#options;
    const { helloWithin = HELLO_WITHIN, silentFor = SILENT_FOR, onProcess } = this.#options;
    try {
      const child: Child = new Child({
        ...{ command, folder, silentFor },
        receive: (text) => this.#receive(child, text),
        stderr: (text) => line("info", `plugin ${name}: ${clean?.(text) ?? text}`),
        ended: (reason) => {
          onProcess?.(child.pid, false);
          this.#ended(child, reason);
        },
      });
      onProcess?.(child.pid, true);
      const late = setTimeout(() => child.kill(`did not say hello within ${helloWithin / 1000} s`), helloWithin);
      this.#state = { status: "starting", child, late };
      child.send(encodeHello());
    } catch (error) {
      this.#replace(`cannot be started: ${error instanceof Error ? error.message : error}`);
    }
  }

  #receive(child: Child, text: string): void {
    const state = this.#state;
    if (!("child" in state) || state.child !== child) return;
    const message = decode(text);
    if (message.type === "hello") this.#greet(state, message.stepTypes);
    else if (state.status === "starting") throw new ProtocolError(`wrote a ${message.type} before its hello`);
    else this.#take(message);
  }

  #greet(state: Extract<State, { child: Child }>, types: readonly DescribedType[]): void {
    if (state.status === "up") throw new ProtocolError("said hello twice");
    const names = new Set(types.map(({ type }) => type));
    const missing = this.#types?.find(({ type }) => !names.has(type));
    if (missing !== undefined) throw new ProtocolError(`serves the step type [${missing.type}] no longer`);
    clearTimeout(state.late);
    this.#state = { status: "up", child: state.child };
    this.#types ??= types;
    this.#begun.resolve(types);
    for (const call of this.#calls.values()) this.#send(state.child, call);
  }

  #take(message: Exclude<FromProcess, { type: "hello" }>): void {
    switch (message.type) {
      case "result":
        this.#answer(message.id, message.answer);
        return;
      case "log":
        this.#attempts.get(message.uuid)?.context.log(message.stream, message.text);
        return;
      case "wake":
        this.#attempts.get(message.uuid)?.context.wake();
        return;
      case "pong":
    }
  }

  #answer(id: number, answer: Parameters<typeof checkAnswer>[0]): void {
    const call = this.#calls.get(id);
    if (call?.isWritten !== true)
      throw new ProtocolError(`answered call ${id}, which it was not asked or has answered`);
    const { attempt, resolve, reject } = this.#settle(call);
    this.#ends = 0;
    const goesOn = answer.state === "CONTINUE" && !attempt.context.signal.aborted;
    if (!goesOn && attempt.calls.size === 0) this.#forget(attempt);
    try {
      resolve(checkAnswer(answer));
    } catch (error) {
      reject(error as Error);
    }
  }

  #ended(child: Child, reason: string): void {
    const state = this.#state;
    if (!("child" in state) || state.child !== child) return;
    clearTimeout(state.late);
    this.#replace(reason);
  }

  /** @param why as the process may have said it */
  #replace(why: string): void {
    const { name, line, clean, downFor = DOWN_FOR } = this.#options;
    const reason = clean?.(why) ?? why;
    if (this.#types === undefined) {
      this.#state = { status: "stopped" };
      this.#begun.reject(new Error(`Its process ${reason}`));
      return;
    }
    this.#ends++;
    const pause = pauseAfter(this.#ends);
    const next = pause === undefined ? `given up: ${this.#ends} have ended in a row` : `replaced in ${pause} ms`;
    line("error", `plugin ${name}: its process ${reason}; it is ${next}`);
    if (pause === undefined)
      this.#giveUp(`The process of plugin ${name} does not stay up: the last one ${reason}`, downFor);
    else this.#state = { status: "pausing", timer: setTimeout(() => this.#spawn(), pause) };
    this.#handOver(reason);
  }

  #giveUp(reason: string, downFor: number): void {
    this.#state = { status: "down", until: performance.now() + downFor, reason };
    for (const call of this.#calls.values()) this.#settle(call).reject(new Error(reason));
  }

  /** What the process had goes to the next one: P1, P2. */
  #handOver(reason: string): void {
    for (const call of this.#calls.values()) {
      if (!call.isWritten) continue;
      call.isWritten = false;
      call.tries++;
      const isOver = call.op !== "terminate" && call.attempt.context.signal.aborted;
      if (isOver || call.tries >= MOST_TRIES) {
        this.#settle(call).reject(new Error(`its process ${reason}; ${call.tries} have ended during this call`));
      }
    }
    for (const attempt of this.#attempts.values()) {
      if (attempt.calls.size > 0) continue;
      if (attempt.context.signal.aborted) this.#forget(attempt);
      else attempt.context.wake();
    }
  }
}
