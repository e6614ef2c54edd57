/** Main's side of the engine threads: starts them, and passes their texts on to the part that each is meant for. */
import { internalError } from "../../error.ts";
import { stringifyJson } from "../../json.ts";
import { spawnWorker } from "../../spawn.ts";
import { type EngineSetup, MARK } from "./protocol.ts";

export interface EngineHostOptions {
  readonly setups: readonly EngineSetup[];
  frame(thread: number, text: string): void;
  runtime(thread: number, text: string): void;
  evaluate(thread: number, text: string): void;
  log(line: string): void;
  /** A thread has died; nothing of it goes on. */
  died(thread: number, reason: string): void;
}

interface Thread {
  readonly worker: Worker;
  readonly ready: PromiseWithResolvers<void>;
  readonly stopped: PromiseWithResolvers<void>;
}

/** How long a thread may take to bring its last rows to the database, ms. */
const STOP_WITHIN = 4_000;

export class EngineHost {
  readonly #options: EngineHostOptions;
  #threads: readonly Thread[] = [];
  #stopping = false;

  constructor(options: EngineHostOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#threads = this.#options.setups.map((setup) => this.#spawn(setup));
    await Promise.all(this.#threads.map(({ ready }) => ready.promise));
  }

  send(thread: number, mark: "frame" | "runtime" | "evaluate", text: string): void {
    this.#threads[thread]?.worker.postMessage(MARK[mark] + text);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { worker } of this.#threads) worker.postMessage(MARK.stop);
    const all = Promise.all(this.#threads.map(({ stopped }) => stopped.promise));
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, STOP_WITHIN);
    await Promise.race([all, late.promise]);
    clearTimeout(timer);
    for (const { worker } of this.#threads) worker.terminate();
  }

  #spawn(setup: EngineSetup): Thread {
    const worker = spawnWorker("src/server/engine/worker.ts");
    const thread: Thread = {
      worker,
      ready: Promise.withResolvers<void>(),
      stopped: Promise.withResolvers<void>(),
    };
    worker.onmessage = ({ data }: MessageEvent<string>) => this.#receive(setup.index, thread, data);
    worker.onerror = (event) => this.#died(setup.index, thread, event.message);
    worker.addEventListener("close", () => this.#died(setup.index, thread, "it has ended"));
    worker.postMessage(MARK.setup + stringifyJson(setup));
    return thread;
  }

  #receive(index: number, thread: Thread, data: string): void {
    const text = data.slice(1);
    switch (data[0]) {
      case MARK.ready:
        return thread.ready.resolve();
      case MARK.stopped:
        return thread.stopped.resolve();
      case MARK.frame:
        return this.#options.frame(index, text);
      case MARK.runtime:
        return this.#options.runtime(index, text);
      case MARK.evaluate:
        return this.#options.evaluate(index, text);
      case MARK.log:
        return this.#options.log(text);
    }
  }

  #died(index: number, thread: Thread, reason: string): void {
    thread.stopped.resolve();
    if (this.#stopping) return;
    thread.ready.reject(internalError(`Engine thread ${index} did not start: ${reason}`));
    this.#options.died(index, reason);
  }
}
