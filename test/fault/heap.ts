/**
 * Preloaded into a server by {@link watchedHeap}: tells how much is in the heaps of its main thread and of its engine
 * threads, each after a full collection. The program itself is as it is for everyone.
 */
import { heapStats } from "bun:jsc";
import { join } from "node:path";

export interface Heaps {
  /** Bytes. */
  readonly main: number;
  /** Bytes, of each engine thread. */
  readonly engines: readonly number[];
}

/** Where the main thread answers. */
const SOCKET = "MAESTRO_TEST_HEAP_SOCKET";
/** Joins the main thread with the others, without a word in the messages of the program. */
const CHANNEL = "maestro test heap";

/** What a server's environment needs. */
export const watchedHeap = (folder: string): Readonly<Record<string, string>> => ({
  BUN_OPTIONS: `--preload=${import.meta.path}`,
  [SOCKET]: socketIn(folder),
});

/** @param folder as given to {@link watchedHeap} */
export async function heapsOf(folder: string): Promise<Heaps> {
  const answer = await fetch("http://server/", { unix: socketIn(folder) });
  return (await answer.json()) as Heaps;
}

const socketIn = (folder: string): string => join(folder, "heap.sock");

function collected(): number {
  Bun.gc(true);
  return heapStats().heapSize;
}

function watchMain(socket: string): void {
  const channel = new BroadcastChannel(CHANNEL);
  let threads = 0;
  const Unwatched = globalThis.Worker;
  globalThis.Worker = class extends Unwatched {
    constructor(url: string | URL, options: WorkerOptions = {}) {
      const isEngine = String(url).endsWith("/server/engine/worker.ts");
      super(url, isEngine ? { ...options, preload: [import.meta.path] } : options);
      if (isEngine) threads++;
    }
  };
  async function engines(): Promise<readonly number[]> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const sizes: number[] = [];
    channel.onmessage = ({ data }) => {
      if (sizes.push(data) === threads) resolve();
    };
    channel.postMessage("how much?");
    await promise;
    return sizes;
  }
  const server = Bun.serve({
    unix: socket,
    fetch: async () => Response.json({ engines: await engines(), main: collected() } satisfies Heaps),
  });
  // The program ends when nothing of its own is left.
  server.unref();
  channel.unref();
}

function watchThread(): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = () => channel.postMessage(collected());
}

const socket = process.env[SOCKET];
if (socket !== undefined) {
  if (Bun.isMainThread) watchMain(socket);
  else watchThread();
}
