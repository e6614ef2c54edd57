/** An engine thread's client joined to a runtime, and the little of an engine that drives one attempt. */
import type { StepType } from "@maestro/sdk";
import { RuntimeClient } from "../../src/runtime/client.ts";
import { address, unaddress } from "../../src/runtime/protocol.ts";
import { Secrets } from "../../src/runtime/secret.ts";
import { RuntimeThread } from "../../src/runtime/thread.ts";
import type { AttemptContext, LogChunk } from "../../src/runtime/type.ts";
import type { StepResult } from "../../src/step/result.ts";

export function contextOf(
  stepType: string,
  params: AttemptContext["params"],
  uuid = crypto.randomUUID(),
): AttemptContext {
  return {
    uuid,
    stepType,
    identity: {
      workflowId: "wf",
      instanceId: 12,
      runId: 3,
      stepId: "job",
      attemptId: 2,
      stepInstanceId: 7,
      correlationId: "corr",
      owner: "tester",
      user: "tester",
    },
    startTime: Date.now(),
    params,
    artifacts: {},
  };
}

/** Executes attempts as they wake, storing artifacts and logs. */
export class Driver {
  readonly client: RuntimeClient;
  readonly chunks: LogChunk[] = [];
  /** Logs are said to be stored as they come. */
  commits = true;
  /** Puts a text on this driver's wire. */
  readonly resend: (text: string) => void;
  readonly #wakes = new Map<string, PromiseWithResolvers<void>>();
  readonly #logWaiters = new Set<() => void>();

  constructor(threads: number, send: (text: string) => void, session = crypto.randomUUID()) {
    this.resend = send;
    this.client = new RuntimeClient({
      threads,
      session,
      send,
      onWake: (uuid) => this.#wake(uuid).resolve(),
      onLog: (chunks) => {
        this.chunks.push(...chunks);
        if (this.commits) for (const { uuid, length } of chunks) this.client.stored(uuid, length);
        for (const check of this.#logWaiters) check();
      },
    });
  }

  #wake(uuid: string): PromiseWithResolvers<void> {
    const wake = this.#wakes.get(uuid) ?? Promise.withResolvers<void>();
    this.#wakes.set(uuid, wake);
    return wake;
  }

  woken(uuid: string): Promise<void> {
    return this.#wake(uuid).promise;
  }

  /** Starts, and executes on every wake until the attempt has ended. */
  async run(context: AttemptContext): Promise<StepResult> {
    return this.finish(context, await this.client.start(context));
  }

  /** From a first answer to the last one; artifacts are merged. */
  async finish(context: AttemptContext, first: StepResult): Promise<StepResult> {
    let result = first;
    let artifacts = { ...context.artifacts, ...result.artifacts };
    while (result.state === "CONTINUE") {
      await this.woken(context.uuid);
      this.#wakes.delete(context.uuid);
      result = await this.client.execute({ ...context, artifacts });
      artifacts = { ...artifacts, ...result.artifacts };
    }
    return { ...result, artifacts };
  }

  text(stream: "stdout" | "stderr", uuid?: string): string {
    const chunks = this.chunks.filter(
      (chunk) => chunk.stream === stream && (uuid === undefined || chunk.uuid === uuid),
    );
    return chunks.map((chunk) => chunk.text).join("");
  }

  /** Resolves when the stdout so far contains the text. */
  logged(text: string): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!this.text("stdout").includes(text)) return;
        this.#logWaiters.delete(check);
        resolve();
      };
      this.#logWaiters.add(check);
      check();
    });
  }
}

/** A runtime thread without a worker. */
export function inPlace(
  dataDir: string,
  types: readonly StepType[],
  logBytes = 100_000_000,
  secrets = new Secrets([]),
): Driver & Disposable & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  const thread = new RuntimeThread({
    session: crypto.randomUUID(),
    dataDir,
    types,
    logBytes,
    secrets,
    send: (engine, frame) => driver.client.receive(address(engine, frame)),
    line: (level, message) => lines.push(`${level} ${message}`),
    now: Date.now,
  });
  const driver = new Driver(1, (text) => {
    const { from, frame } = unaddress(text);
    thread.deliver(from, frame);
  });
  const dispose = (): void => {
    driver.client.close();
    thread.stop();
  };
  return Object.assign(driver, { lines, [Symbol.dispose]: dispose });
}

export const message = (result: StepResult): string => (result.timeline ?? []).map((entry) => entry.message).join("\n");
