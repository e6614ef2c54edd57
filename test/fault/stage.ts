/**
 * Where a scenario of `pressure.ts` plays: it starts servers that are watched from then on ({@link ProbeTarget}), asks
 * them things that are counted by answer, notes figures of its own, and says what must hold.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, type Server, type ServerOptions, startServer } from "../bench/server.ts";
import { percentile } from "../bench/stat.ts";
import type { ProbeTarget, Samples } from "./probe.ts";

/** What a scenario is; a module of `scenario/` exports one. */
export interface Scenario {
  /** For `--only`. */
  readonly name: string;
  /** One line: what happens to the server. */
  readonly summary: string;
  /** Why it can't be played on this machine; undefined when it can. */
  skipped?(): string | undefined;
  play(stage: Stage): Promise<void>;
}

export interface Figures {
  readonly problems: readonly string[];
  readonly lines: readonly string[];
}

/** Resident megabytes that a server may take, Postgres aside. */
const MOST_MEMORY = 350;
/** Milliseconds of the 99th percentile of `/livez`. */
const MOST_LATENCY = 50;

/** Answers of one kind of request. */
interface Tally {
  readonly statuses: Map<string, number>;
  readonly times: number[];
}

export class Stage {
  readonly folder = mkdtempSync(join(tmpdir(), "maestro-pressure-"));
  readonly #program: Program;
  readonly #say: (line: string) => void;
  readonly #problems: string[] = [];
  readonly #lines: string[] = [];
  readonly #tallies = new Map<string, Tally>();
  readonly #servers: Server[] = [];
  readonly #probes: Worker[] = [];
  readonly #endings: (() => Promise<unknown> | unknown)[] = [];

  constructor(program: Program, say: (line: string) => void) {
    this.#program = program;
    this.#say = say;
  }

  say(line: string): void {
    this.#say(`  ${line}`);
  }

  /** A line of the report. */
  figure(line: string): void {
    this.#lines.push(line);
  }

  demand(right: boolean, what: string): void {
    if (!right) this.#problems.push(what);
  }

  /** Called when the scenario is over, however it ends; the last one first. */
  finally(ending: () => Promise<unknown> | unknown): void {
    this.#endings.push(ending);
  }

  /** A server with its data below the stage's folder, watched until the end. */
  async serve(options: Omit<ServerOptions, "program" | "dataDir"> & { readonly dataDir?: string }): Promise<Server> {
    const dataDir = options.dataDir ?? join(this.folder, "data");
    const server = await startServer({ ...options, program: this.#program, dataDir });
    this.#servers.push(server);
    const probe = new Worker(new URL("./probe.ts", import.meta.url).href);
    this.#probes.push(probe);
    probe.postMessage({ url: server.url, pid: server.pid } satisfies ProbeTarget);
    this.finally(() => server.stop());
    return server;
  }

  /**
   * Asks, and counts the answer and its time under `kind`.
   * @returns undefined when there was none: the connection broke, or `patience` (ms) was over
   */
  async ask(kind: string, url: string, init: RequestInit = {}, patience = 60_000): Promise<Answer | undefined> {
    const begin = performance.now();
    let answer: Answer | undefined;
    let failure = "";
    try {
      const response = await fetch(url, { ...init, signal: AbortSignal.timeout(patience) });
      answer = { status: response.status, text: await response.text() };
    } catch (error) {
      failure = error instanceof Error ? error.name : String(error);
    }
    this.count(kind, answer === undefined ? failure : String(answer.status), performance.now() - begin);
    return answer;
  }

  /** An answer, or the lack of one, that was had otherwise than by {@link ask}. @param time milliseconds it took */
  count(kind: string, status: string, time: number): void {
    const tally = this.#tallies.get(kind) ?? { statuses: new Map<string, number>(), times: [] as number[] };
    this.#tallies.set(kind, tally);
    tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    tally.times.push(time);
  }

  /** Plays, cleans up, and puts everything together. */
  async run(scenario: Scenario): Promise<Figures> {
    try {
      await scenario.play(this);
    } catch (error) {
      this.#problems.push(`the scenario broke off: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    }
    for (const probe of this.#probes) this.#judge(await samplesOf(probe));
    for (const ending of this.#endings.reverse()) await ending();
    const answers = [...this.#tallies].map(([kind, tally]) => `${kind}: ${describe(tally)}`);
    const lines = [...answers, ...this.#lines];
    if (this.#problems.length > 0) lines.push(...this.#servers.map((server) => server.log().slice(-3000)));
    rmSync(this.folder, { recursive: true, force: true });
    return { problems: this.#problems, lines };
  }

  #judge({ latencies, failures, memory }: Samples): void {
    const [half, most] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
    this.figure(`/livez: p50 ${half.toFixed(1)} ms, p99 ${most.toFixed(1)} ms, of ${latencies.length}`);
    this.demand(most <= MOST_LATENCY, `/livez took ${most.toFixed(0)} ms at the 99th percentile`);
    this.demand(failures === 0, `/livez failed ${failures} times`);
    if (memory.length === 0) return this.figure("resident memory: not known here");
    const [first = 0] = memory;
    const peak = Math.max(...memory);
    this.figure(`resident memory: ${first.toFixed(0)} MB at first, ${peak.toFixed(0)} MB at most`);
    this.demand(peak <= MOST_MEMORY, `the server took ${peak.toFixed(0)} MB`);
  }
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

function describe({ statuses, times }: Tally): string {
  const counts = [...statuses].toSorted().map(([status, count]) => `${count} × ${status}`);
  const slowest = Math.max(...times);
  return `${counts.join(", ")}; p50 ${percentile(times, 0.5).toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`;
}

function samplesOf(probe: Worker): Promise<Samples> {
  const { promise, resolve } = Promise.withResolvers<Samples>();
  probe.onmessage = ({ data }: MessageEvent<Samples>) => resolve(data);
  probe.postMessage("stop");
  return promise.finally(() => probe.terminate());
}
