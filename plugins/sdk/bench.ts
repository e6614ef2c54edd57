/** A host for one plugin in a test: it keeps artifacts as a store would, and can crash. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Artifacts, Follower, LogStream, StepContext, StepResult } from "./context.ts";
import type { StepType } from "./type.ts";

export interface BenchOptions {
  load(incarnation: number): Promise<StepType>;
  readonly dataDir: string;
  readonly patience?: number | undefined;
}

type Operation = "start" | "execute" | "terminate";

const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

export class Bench {
  readonly #options: BenchOptions;
  #incarnation = 0;

  constructor(options: BenchOptions) {
    this.#options = options;
  }

  /** A copy of the step type that remembers nothing. */
  load(): Promise<StepType> {
    return this.#options.load(++this.#incarnation);
  }

  async attempt(params: unknown): Promise<Attempt> {
    const type = await this.load();
    return new Attempt(this, type, params, this.#options.dataDir, this.#options.patience ?? 10_000);
  }
}

/** One attempt as the engine would drive it. */
export class Attempt {
  readonly uuid = crypto.randomUUID();
  readonly #bench: Bench;
  readonly #params: unknown;
  readonly #dataDir: string;
  readonly #patience: number;
  readonly #startTime = Date.now();
  #type: StepType;
  #stored: Artifacts = {};
  #abort = new AbortController();
  #woken = Promise.withResolvers<void>();
  #pollDelay: number | undefined;
  /** What the attempt logged since the last crash. */
  log: Record<LogStream, string> = { stdout: "", stderr: "" };

  constructor(bench: Bench, type: StepType, params: unknown, dataDir: string, patience: number) {
    this.#bench = bench;
    this.#type = type;
    this.#params = params;
    this.#dataDir = dataDir;
    this.#patience = patience;
  }

  /** Makes a call and stores its artifacts. */
  async call(op: Operation): Promise<StepResult> {
    const result = await this.callAndLose(op);
    this.#stored = { ...this.#stored, ...result.artifacts };
    return result;
  }

  /** Makes a call whose answer is never stored. */
  async callAndLose(op: Operation): Promise<StepResult> {
    if (op === "terminate") this.#abort.abort();
    if (op === "execute") this.#woken = Promise.withResolvers<void>(); // what wakes from now on asks for another look
    const result = await this.#type[op](this.#context());
    this.#pollDelay = result.nextPollDelay;
    return result;
  }

  /** All memory is lost; what the old copy says is not heard. */
  async crash(): Promise<void> {
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#woken = Promise.withResolvers<void>();
    this.#woken.resolve(); // an adopted attempt is looked at
    this.log = { stdout: "", stderr: "" };
    this.#type = await this.#bench.load();
  }

  /** Waits until the runtime wakes the step, or its poll is due. */
  async stirs(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const due = this.#pollDelay;
    const timeout = new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`Neither woken nor polled within ${this.#patience} ms`));
      timer = due === undefined ? setTimeout(late, this.#patience) : setTimeout(resolve, due);
    });
    await Promise.race([this.#woken.promise, timeout]);
    clearTimeout(timer);
  }

  /** Executes until the attempt has ended. */
  async settle(options: { readonly lose?: boolean } = {}): Promise<StepResult> {
    const end = Date.now() + this.#patience;
    for (;;) {
      await this.stirs();
      const result = await this.callAndLose("execute");
      if (options.lose !== true) this.#stored = { ...this.#stored, ...result.artifacts };
      if (result.state !== "CONTINUE") return result;
      if (Date.now() > end) throw new Error(`Still running after ${this.#patience} ms`);
    }
  }

  #context(): StepContext<unknown> {
    const parsed = this.#type.params.parse(this.#params);
    const { log } = this;
    const { signal } = this.#abort;
    return {
      uuid: this.uuid,
      identity: {
        workflowId: "conformance",
        instanceId: 1,
        runId: 1,
        stepId: "step",
        attemptId: 1,
        stepInstanceId: 1,
        correlationId: "conformance",
        owner: "tester",
        user: "tester",
      },
      startTime: this.#startTime,
      params: parsed,
      stepParams: { [this.#type.type]: parsed },
      code: { params: {}, variables: {} },
      artifacts: this.#stored,
      signal,
      logger: QUIET,
      directory: join(this.#dataDir, "attempt", this.uuid),
      elsewhere: undefined,
      dataDir: this.#dataDir,
      callback: undefined,
      log: (stream, text) => {
        log[stream] += text;
      },
      follow: (stream, path) => follower(log, stream, path),
      wake: () => {
        if (signal === this.#abort.signal) this.#woken.resolve();
      },
      now: Date.now,
    };
  }
}

/** Reads the file when it is complete. */
function follower(log: Record<LogStream, string>, stream: LogStream, path: string): Follower {
  let isRead = false;
  return {
    end: async () => {
      if (!isRead && existsSync(path)) log[stream] += readFileSync(path, "utf8");
      isRead = true;
    },
  };
}
