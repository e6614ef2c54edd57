/**
 * A thread of its own that asks a server for `/livez` again and again and looks at its resident memory: a busy player of
 * a scenario is not taken for a slow server. Linux only for the memory.
 *
 * Takes `{ url, pid }` to begin and `"stop"` to answer with its {@link Samples}.
 */
import { residentMb } from "../bench/stat.ts";

export interface ProbeTarget {
  readonly url: string;
  /** The server's process; its Postgres and its steps are not looked at. */
  readonly pid: number;
}

export interface Samples {
  /** Milliseconds from asking for `/livez` until the answer. */
  readonly latencies: readonly number[];
  /** Answers other than 200, and none within {@link PATIENCE}. */
  readonly failures: number;
  /** Megabytes. */
  readonly memory: readonly number[];
}

/** Milliseconds between two looks. */
const PAUSE = 20;
/** Milliseconds after which an answer is given up. */
const PATIENCE = 10_000;

declare const self: Worker;

async function look(target: ProbeTarget, until: () => boolean): Promise<Samples> {
  const latencies: number[] = [];
  const memory: number[] = [];
  let failures = 0;
  while (!until()) {
    const begin = performance.now();
    const right = await fetch(`${target.url}/livez`, { signal: AbortSignal.timeout(PATIENCE) }).then(
      async (answer) => (await answer.text()) !== "" && answer.ok,
      () => false,
    );
    latencies.push(performance.now() - begin);
    if (!right) failures++;
    const megabytes = residentMb(target.pid);
    if (megabytes !== undefined) memory.push(megabytes);
    await Bun.sleep(PAUSE);
  }
  return { latencies, failures, memory };
}

if (!Bun.isMainThread) {
  let over = false;
  self.onmessage = ({ data }: MessageEvent<ProbeTarget | "stop">) => {
    if (data === "stop") over = true;
    else void look(data, () => over).then((samples) => self.postMessage(samples));
  };
}
