/** An engine thread's end of the protocol: takes main's messages to the engine, and the engine's answers to main. */
import type { Clock } from "../clock.ts";
import { toErrorData } from "../error.ts";
import { parseJson } from "../json.ts";
import type { RunRef } from "../run/model.ts";
import { Channel } from "../runtime/channel.ts";
import type { Engine, EngineEvents } from "./engine.ts";
import type { StoredRun } from "./port.ts";
import type { EndedRun, OutputReport, RunCommand, RunHint, ToEngine, ToMain } from "./protocol.ts";

export interface EngineThreadOptions {
  readonly session: string;
  readonly clock?: Clock;
  send(frame: string): void;
  /** Made with the events that this thread reports. */
  engine(events: EngineEvents): Engine;
}

export class EngineThread {
  readonly engine: Engine;
  readonly #channel: Channel<ToEngine, ToMain>;
  #ended: EndedRun[] = [];
  #logged = new Set<string>();
  #hints: RunHint[] = [];
  #reporting = false;

  constructor(options: EngineThreadOptions) {
    this.#channel = new Channel<ToEngine, ToMain>({
      session: options.session,
      clock: options.clock,
      initiator: false,
      send: options.send,
      receive: (message) => this.#receive(message),
    });
    this.engine = options.engine({
      hint: (hints) => this.#report(() => this.#hints.push(...hints)),
      ended: (run, row) => this.#report(() => this.#ended.push(endedRun(run, row))),
      logged: (uuid) => this.#report(() => this.#logged.add(uuid)),
      stale: (groups) => this.#channel.post({ type: "stale", groups }),
    });
  }

  accept(frame: string): void {
    this.#channel.accept(frame);
  }

  /** Tells main how the engine is doing. */
  count(): void {
    this.#channel.post({ type: "counted", counters: this.engine.counters });
  }

  #receive(message: ToEngine): void {
    switch (message.type) {
      case "start":
        return void this.#start(message.id, [parseJson(message.command) as unknown as RunCommand]);
      case "start-batch":
        return void this.#start(message.id, parseJson(message.commands) as unknown as readonly RunCommand[]);
      case "own":
        return void this.engine.own(message.stamps).catch((error) => this.engine.failed("taking over groups", error));
      case "disown":
        return void this.#disown(message.id, message.groups);
      case "look":
        return this.engine.look(message.hints);
      case "dequeue":
        return this.engine.dequeue(message.workflowIds);
      case "breakpoint":
        this.engine.breakpoints.add(message.step);
        return this.#channel.post({ type: "done", id: message.id });
      case "templates":
        this.engine.evaluation.forgetTemplates();
        return this.#channel.post({ type: "done", id: message.id });
      case "report":
        return void this.#reported(message.id, parseJson(message.report) as unknown as OutputReport);
      case "sweep":
        return void this.engine.sweep().catch((error) => this.engine.failed("the sweep", error));
    }
  }

  async #start(id: number, commands: readonly RunCommand[]): Promise<void> {
    try {
      const replies = await this.engine.startBatch(commands, (isEvaluating) =>
        this.#channel.post({ type: "evaluating", id, isEvaluating }),
      );
      this.#channel.post({ type: "started", id, replies });
    } catch (error) {
      this.#channel.post({ type: "refused", id, error: toErrorData(error) });
    }
  }

  async #reported(id: number, { uuid, reported, workflowId }: OutputReport): Promise<void> {
    const answer = await this.engine.report(uuid, reported, workflowId);
    this.#channel.post({ type: "reported", id, answer });
  }

  async #disown(id: number, groups: readonly number[]): Promise<void> {
    await this.engine.disown(groups).catch((error) => this.engine.failed("giving up groups", error));
    this.#channel.post({ type: "done", id });
  }

  /** What happens in one tick is reported in one message of each kind. */
  #report(add: () => void): void {
    add();
    if (this.#reporting) return;
    this.#reporting = true;
    queueMicrotask(() => {
      this.#reporting = false;
      if (this.#hints.length > 0) this.#channel.post({ type: "hint", hints: this.#hints });
      if (this.#ended.length > 0) this.#channel.post({ type: "ended", runs: this.#ended });
      if (this.#logged.size > 0) this.#channel.post({ type: "logged", uuids: [...this.#logged] });
      this.#hints = [];
      this.#ended = [];
      this.#logged = new Set();
    });
  }
}

const endedRun = ({ workflowId, instanceId, runId }: RunRef, row: StoredRun | undefined): EndedRun => ({
  ...{ workflowId, instanceId, runId },
  ...(row && { row }),
});
