/**
 * Main's side of the evaluation thread: passes questions on and answers back, and replaces a thread that has not
 * answered the oldest question for far longer than an evaluation may take. It keeps nothing durable: whoever asked is
 * told, and the run ends with that error.
 */
import type { ErrorData } from "../../error.ts";
import { spawnWorker } from "../../spawn.ts";
import { decode, type EvaluationSetup, encode, SETUP_ID } from "./protocol.ts";

interface Asked {
  readonly id: number;
  /** When it was asked, or when its turn came: the thread takes one question at a time. */
  since: number;
  answer(text: string): void;
}

export interface EvaluationHostOptions {
  readonly setup: EvaluationSetup;
  /** Milliseconds that the oldest question may take before the thread counts as stuck. */
  readonly stuckAfter: number;
  onRestart(): void;
}

const STUCK: ErrorData = {
  code: "REQUEST_TIMEOUT",
  message: "The expression did not end in time and was given up with its thread",
  details: [],
  retryable: false,
};

export class EvaluationHost {
  readonly #options: EvaluationHostOptions;
  /** By the id under which the thread knows the question, oldest first. */
  readonly #asked = new Map<number, Asked>();
  readonly #watch: ReturnType<typeof setInterval>;
  #worker: Worker;
  #lastId = SETUP_ID;

  constructor(options: EvaluationHostOptions) {
    this.#options = options;
    this.#worker = this.#spawn();
    this.#watch = setInterval(() => this.#check(), Math.max(1_000, options.stuckAfter / 10));
  }

  /** @param text of an `EvaluationClient` @param answer is given the text for that client's `receive` */
  ask(text: string, answer: (text: string) => void): void {
    const { id, message } = decode<never>(text);
    const own = ++this.#lastId;
    this.#asked.set(own, { id, since: performance.now(), answer });
    this.#worker.postMessage(encode(own, message));
  }

  stop(): void {
    clearInterval(this.#watch);
    this.#worker.terminate();
  }

  #spawn(): Worker {
    const worker = spawnWorker("src/server/evaluation/worker.ts");
    worker.onmessage = ({ data }: MessageEvent<string>) => this.#receive(data);
    worker.postMessage(encode(SETUP_ID, this.#options.setup));
    return worker;
  }

  #receive(text: string): void {
    const blank = text.indexOf(" ");
    const own = Number(text.slice(0, blank));
    const asked = this.#asked.get(own);
    this.#asked.delete(own);
    const next = this.#asked.values().next().value;
    if (next) next.since = performance.now();
    asked?.answer(`${asked.id}${text.slice(blank)}`);
  }

  #check(): void {
    const oldest = this.#asked.values().next().value;
    if (!oldest || performance.now() - oldest.since < this.#options.stuckAfter) return;
    this.#worker.terminate();
    this.#options.onRestart();
    const given = [...this.#asked.values()];
    this.#asked.clear();
    this.#worker = this.#spawn();
    for (const { id, answer } of given) answer(encode(id, { error: STUCK }));
  }
}
