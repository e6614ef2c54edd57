/**
 * Main's side of evaluation: hands questions to threads, one at a time each, and passes answers back. One thread is
 * there for good; while it is held up by a long expression, further ones (a few at most) take what waits, and go when
 * they have been idle for a while. So a program that runs until its limits holds up nobody else for longer than the
 * start of a thread.
 *
 * A thread that has not answered for far longer than an evaluation may take is replaced, and its question fails. Nothing
 * here is durable: the thread that asked is told.
 */
import type { ErrorData } from "../../error.ts";
import { spawnWorker } from "../../spawn.ts";
import { type EvaluationSetup, encode, SETUP_ID } from "./protocol.ts";

interface Asked {
  /** The question's text, with the asking side's id. */
  readonly text: string;
  answer(text: string): void;
}

interface Thread {
  readonly worker: Worker;
  asked: Asked | undefined;
  /** When the question was handed over, or since when the thread is idle: a `performance.now()` instant. */
  since: number;
}

export interface EvaluationHostOptions {
  readonly setup: EvaluationSetup;
  /** Milliseconds that a question may take before its thread counts as stuck. */
  readonly stuckAfter: number;
  onRestart(): void;
  readonly spawn?: () => Worker;
}

/** Threads at most: beyond the machine's cores they would only take turns. */
const MOST_THREADS = 4;
/** How long a question waits for a thread that is busy before another one is started, ms. */
const PATIENCE = 5;
/** A thread beyond the first goes after so long without a question, ms. */
const IDLE_FOR = 30_000;

const STUCK: ErrorData = {
  code: "REQUEST_TIMEOUT",
  message: "The expression did not end in time and was given up with its thread",
  details: [],
  retryable: false,
};

export class EvaluationHost {
  readonly #options: EvaluationHostOptions;
  readonly #threads: Thread[] = [];
  readonly #watch: ReturnType<typeof setInterval>;
  #waiting: Asked[] = [];
  #growing: ReturnType<typeof setTimeout> | undefined;

  constructor(options: EvaluationHostOptions) {
    this.#options = options;
    this.#threads.push(this.#spawn());
    this.#watch = setInterval(() => this.#check(), Math.max(10, Math.min(IDLE_FOR, options.stuckAfter) / 5));
  }

  /** How many threads there are now. */
  get threads(): number {
    return this.#threads.length;
  }

  /** @param text of an `EvaluationClient` @param answer is given the text for that client's `receive` */
  ask(text: string, answer: (text: string) => void): void {
    this.#waiting.push({ text, answer });
    this.#handOut();
  }

  stop(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#growing);
    for (const { worker } of this.#threads) worker.terminate();
  }

  #handOut(): void {
    for (const thread of this.#threads) {
      if (thread.asked) continue;
      const asked = this.#waiting.shift();
      if (!asked) return;
      thread.asked = asked;
      thread.since = performance.now();
      thread.worker.postMessage(asked.text);
    }
    if (this.#waiting.length > 0 && this.#threads.length < MOST_THREADS) this.#grow();
  }

  /** Most answers take less than the start of a thread: only what still waits after a moment gets another one. */
  #grow(): void {
    this.#growing ??= setTimeout(() => {
      this.#growing = undefined;
      if (this.#waiting.length === 0) return;
      this.#threads.push(this.#spawn());
      this.#handOut();
    }, PATIENCE);
  }

  #spawn(): Thread {
    const worker = this.#options.spawn?.() ?? spawnWorker("src/server/evaluation/worker.ts");
    const thread: Thread = { worker, asked: undefined, since: performance.now() };
    worker.onmessage = ({ data }: MessageEvent<string>) => this.#receive(thread, data);
    worker.postMessage(encode(SETUP_ID, this.#options.setup));
    return thread;
  }

  #receive(thread: Thread, text: string): void {
    const { asked } = thread;
    thread.asked = undefined;
    thread.since = performance.now();
    this.#handOut();
    asked?.answer(text);
  }

  #check(): void {
    const now = performance.now();
    for (const thread of [...this.#threads]) {
      if (thread.asked && now - thread.since >= this.#options.stuckAfter) this.#replace(thread);
      else if (!thread.asked && this.#threads.length > 1 && now - thread.since >= IDLE_FOR) this.#drop(thread);
    }
  }

  #replace(thread: Thread): void {
    const { asked } = thread;
    this.#drop(thread);
    this.#threads.push(this.#spawn());
    this.#options.onRestart();
    this.#handOut();
    if (asked) asked.answer(encode(Number.parseInt(asked.text, 10), { error: STUCK }));
  }

  #drop(thread: Thread): void {
    thread.worker.terminate();
    this.#threads.splice(this.#threads.indexOf(thread), 1);
  }
}
