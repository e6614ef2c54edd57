/**
 * Main's side of the runtime threads: starts them, passes texts between them and the engine threads, and replaces one
 * that no longer turns its event loop (a plugin that blocks) or has died.
 *
 * It does not look into frames, and a replaced thread's calls and attempts are not its business: it tells the engine
 * threads, whose clients ask the new thread.
 */
import { internalError } from "../error.ts";
import { parseJson } from "../json.ts";
import { spawnWorker } from "../spawn.ts";
import {
  address,
  encodeReset,
  type FromWorker,
  type PluginFailure,
  type PluginLine,
  type PluginSource,
  type ToWorker,
  unaddress,
} from "./protocol.ts";
import type { SecretSetting } from "./secret.ts";
import type { PluginType } from "./type.ts";

export interface RuntimeHostOptions {
  readonly threads: number;
  readonly dataDir: string;
  readonly plugins: readonly PluginSource[];
  /** Bytes of an attempt's output that are kept. */
  readonly logBytes: number;
  /** Default: none. */
  readonly secrets?: readonly SecretSetting[];
  /** Hands a text to an engine thread, for its `RuntimeClient.receive`. */
  send(engine: number, text: string): void;
  onLine?(line: PluginLine): void;
  /** A thread was replaced. */
  onRestart?(thread: number, reason: string): void;
  /** Milliseconds without an answer after which a thread counts as stuck. Default 30,000. */
  readonly stuckAfter?: number;
  readonly spawn?: () => Worker;
}

/** What the plugins of a thread turned out to be. */
export interface LoadedPlugins {
  readonly types: readonly PluginType[];
  readonly failures: readonly PluginFailure[];
}

type Deferred<T> = ReturnType<typeof Promise.withResolvers<T>>;

interface Thread {
  readonly index: number;
  readonly session: string;
  readonly worker: Worker;
  readonly ready: Deferred<LoadedPlugins>;
  readonly stopped: Deferred<void>;
  /** Which try this is since the thread was last ready. */
  readonly tries: number;
  /** Processes of plugins that it has started and not reaped, so no other process has their ids. */
  readonly processes: Set<number>;
  isReady: boolean;
  isReplaced: boolean;
  /** When it last said anything. */
  heard: number;
}

const STUCK_AFTER = 30_000;
/** A thread that dies at once is not started again and again without a pause. */
const RESTART_PAUSE = 500;
const MAX_TRIES = 3;
/** How long a thread may take to let go of its attempts at the end, and to end the processes of its plugins. */
const STOP_WITHIN = 2_500;

export class RuntimeHost {
  readonly #options: RuntimeHostOptions;
  readonly #threads: Thread[] = [];
  readonly #engines = new Set<number>();
  #starts = 0;
  #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** All threads were ready once. */
  #isUp = false;
  #stopping = false;

  constructor(options: RuntimeHostOptions) {
    this.#options = options;
  }

  /**
   * Resolves when every thread has loaded the plugins; a plugin that does not load is among the failures.
   * @throws MaestroError when a thread does not come up in three tries.
   */
  async start(): Promise<LoadedPlugins> {
    for (let index = 0; index < this.#options.threads; index++) this.#threads.push(this.#spawn(index));
    const stuckAfter = this.#options.stuckAfter ?? STUCK_AFTER;
    this.#heartbeat = setInterval(() => this.#beat(stuckAfter), stuckAfter / 6);
    const loaded = await Promise.all(this.#threads.map((thread) => thread.ready.promise));
    this.#isUp = true;
    const failures = new Map(
      loaded.flatMap((each) => each.failures.map((failure) => [failure.name, failure] as const)),
    );
    return { types: loaded[0]?.types ?? [], failures: [...failures.values()] };
  }

  /** What an engine thread's `RuntimeClient` sent. */
  deliver(engine: number, text: string): void {
    const { from: thread, frame } = unaddress(text);
    this.#engines.add(engine);
    this.#threads[thread]?.worker.postMessage(address(engine, frame));
  }

  /** Lets go of all attempts; their jobs live on. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#heartbeat);
    for (const { worker } of this.#threads) post(worker, { type: "stop" });
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(() => late.resolve(), STOP_WITHIN);
    await Promise.race([Promise.all(this.#threads.map(({ stopped }) => stopped.promise)), late.promise]);
    clearTimeout(timer);
    for (const thread of this.#threads) end(thread);
  }

  #spawn(index: number, before?: Thread): Thread {
    const again = before?.isReady === false ? before : undefined;
    const worker = this.#options.spawn?.() ?? spawnWorker("src/runtime/worker.ts");
    const thread: Thread = {
      index,
      session: `runtime-${index}-${++this.#starts}-${crypto.randomUUID()}`,
      worker,
      ready: again?.ready ?? Promise.withResolvers<LoadedPlugins>(),
      stopped: Promise.withResolvers<void>(),
      tries: (again?.tries ?? 0) + 1,
      processes: new Set(),
      isReady: false,
      isReplaced: false,
      heard: performance.now(),
    };
    worker.onmessage = ({ data }: MessageEvent<string>) => this.#receive(thread, data);
    worker.onerror = (event) => this.#replace(thread, `it failed: ${event.message}`);
    worker.addEventListener("close", () => this.#replace(thread, "it ended"));
    return thread;
  }

  #receive(thread: Thread, text: string): void {
    if (thread.isReplaced) return;
    thread.heard = performance.now();
    if (text.startsWith("{")) {
      this.#control(thread, JSON.parse(text) as FromWorker);
      return;
    }
    const { from: engine, frame } = unaddress(text);
    this.#options.send(engine, address(thread.index, frame));
  }

  #control(thread: Thread, message: FromWorker): void {
    switch (message.type) {
      case "hello":
        this.#setup(thread);
        return;
      case "ready":
        thread.isReady = true;
        if (this.#isUp) this.#tellOf(message.failures);
        thread.ready.resolve({
          types: parseJson(message.types) as unknown as readonly PluginType[],
          failures: message.failures,
        });
        return;
      case "line":
        this.#options.onLine?.(message);
        return;
      case "stopped":
        thread.stopped.resolve();
        return;
      case "process":
        if (message.isAlive) thread.processes.add(message.pid);
        else thread.processes.delete(message.pid);
        return;
      case "pong":
    }
  }

  /** Of a thread in another's place: steps of these plugins fail there. */
  #tellOf(failures: readonly PluginFailure[]): void {
    for (const { name, message } of failures) {
      this.#options.onLine?.({ level: "error", message: `The plugin ${name} cannot be loaded any more: ${message}` });
    }
  }

  #setup(thread: Thread): void {
    const { dataDir, plugins, logBytes, secrets = [] } = this.#options;
    post(thread.worker, { type: "setup", session: thread.session, dataDir, plugins, logBytes, secrets });
  }

  #beat(stuckAfter: number): void {
    for (const thread of this.#threads) {
      if (thread.isReplaced) continue;
      if (performance.now() - thread.heard > stuckAfter) {
        this.#replace(thread, `it was stuck for ${stuckAfter / 1000} s`);
        continue;
      }
      if (!thread.isReady) this.#setup(thread);
      post(thread.worker, { type: "ping", id: 0 });
    }
  }

  #replace(thread: Thread, reason: string): void {
    if (this.#stopping || thread.isReplaced) return;
    thread.isReplaced = true;
    end(thread);
    if (thread.tries >= MAX_TRIES) {
      thread.ready.reject(internalError(`Runtime thread ${thread.index} does not come up: ${reason}`));
    } else if (thread.isReady) this.#respawn(thread, reason);
    else setTimeout(() => this.#respawn(thread, reason), RESTART_PAUSE);
  }

  #respawn(thread: Thread, reason: string): void {
    if (this.#stopping) return;
    const { index } = thread;
    const next = this.#spawn(index, thread);
    this.#threads[index] = next;
    this.#options.onRestart?.(index, reason);
    for (const engine of this.#engines) this.#options.send(engine, address(index, encodeReset(next.session)));
  }
}

/** A thread's plugins end with it, also those that do not look at their stdin. */
function end({ worker, processes }: Thread): void {
  worker.terminate();
  for (const pid of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
}

function post(worker: Worker, message: ToWorker): void {
  worker.postMessage(JSON.stringify(message));
}
