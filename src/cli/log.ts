/** `maestro run logs`: what the attempts at steps have written, once or as it comes. */
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { closest } from "../definition/suggest.ts";
import { isJsonObject, type JsonObject, parseJson } from "../json.ts";
import { printable } from "../printable.ts";
import { addressIn, addressOf, INSTANCE, RUN, type RunAddress, runPath } from "./address.ts";
import { notEmpty, option, positional, UsageError, wholeNumber } from "./argument.ts";
import { attemptsOf, isStepEnd, numberText, waitText } from "./attempt.ts";
import { type Client, clientOf, path, Unreachable } from "./client.ts";
import { type Command, EXIT, type Exit, Failure, type Io } from "./command.ts";
import { cell, instant, object } from "./output.ts";
import { Patience } from "./patience.ts";
import { runName, type Snapshot, stepIds } from "./progress.ts";
import { CLIENT_SETTING_OPTIONS } from "./setting.ts";
import { firstSignal } from "./signal.ts";
import { goesOn, hasEnded, lookAt, lookPauses } from "./watch.ts";
import { WORKFLOW } from "./workflow.ts";

const STEP = positional({
  name: "STEP",
  summary: "The step's id; without it, each step that has written something",
  optional: true,
  read: notEmpty,
});
const ATTEMPT = option({
  name: "--attempt",
  placeholder: "N",
  summary: "Which attempt at STEP",
  otherwise: "the newest",
  read: wholeNumber(1),
});
const FOLLOW = option({
  name: "--follow",
  short: "-f",
  summary: "Go on with what comes, until the step, or without STEP the run, has ended",
});

export const logsCommand: Command = {
  name: "run logs",
  summary: "Print what steps have written to stdout and stderr",
  positionals: [WORKFLOW, INSTANCE, STEP],
  options: [RUN, ATTEMPT, FOLLOW, ...CLIENT_SETTING_OPTIONS],
  examples: ["run logs etl 7", "run logs etl 7 transform", "run logs etl 7 transform --attempt 1", "run logs etl 7 -f"],
  detail: [
    "Without STEP, a line such as ==> transform, attempt 2 <== stands before what each step has written. With --follow,",
    "further attempts at a step follow, and a server that is restarted is waited for.",
  ].join("\n"),
  run: async (args, io) => {
    const [stepId, attempt] = [args.get(STEP), args.get(ATTEMPT)];
    if (attempt !== undefined && stepId === undefined) throw new UsageError("--attempt is for one STEP");
    const logs = new Logs(clientOf(args, io), addressOf(args), io, { stepId, attempt });
    return args.has(FOLLOW) ? logs.follow(firstSignal(io)) : logs.print();
  },
};

/** What is asked for; undefined: every step, the newest attempt. */
interface Wanted {
  readonly stepId: string | undefined;
  readonly attempt: number | undefined;
}

/** The logs of one run. */
class Logs {
  readonly #client: Client;
  readonly #address: RunAddress;
  readonly #io: Io;
  readonly #wanted: Wanted;
  readonly #printer: Printer;

  constructor(client: Client, address: RunAddress, io: Io, wanted: Wanted) {
    this.#client = client;
    this.#address = address;
    this.#io = io;
    this.#wanted = wanted;
    this.#printer = new Printer(io, wanted.stepId === undefined);
  }

  /** What there is by now. */
  async print(): Promise<Exit> {
    const snapshot = await lookAt(this.#client, this.#address);
    const address = addressIn(snapshot.run);
    const steps = this.#chosen(snapshot);
    for (const step of steps) {
      const number = this.#wanted.attempt ?? attemptsOf(step).number;
      const source = `${cell(step, "step_id")}, attempt ${number}`;
      for await (const text of await this.#client.open(logPath(address, step, number)))
        this.#printer.write(source, text);
    }
    this.#printer.end();
    if (!this.#printer.hasWritten) this.#io.err(this.#nothing(snapshot, steps));
    return EXIT.OK;
  }

  #nothing(snapshot: Snapshot, [step]: readonly JsonObject[]): string {
    const { stepId, attempt } = this.#wanted;
    if (stepId === undefined) return `No step of ${runName(snapshot.run)} has written anything.`;
    if (step === undefined) return `Step ${stepId} of ${runName(snapshot.run)} has not begun.`;
    const status = cell(object(step.runtime_state), "status");
    const newest = attemptsOf(step).number;
    const which = attempt === undefined || attempt === newest ? `attempt ${newest}, ${status}` : `attempt ${attempt}`;
    return `Step ${stepId} of ${runName(snapshot.run)} has written nothing (${which}).`;
  }

  /** What there is and what comes, until no more can come. */
  async follow(signal: AbortSignal): Promise<Exit> {
    const patience = new Patience(this.#client.server, (line) => this.#io.err(line ?? "The server is back."));
    let address = this.#address;
    const following = new Following((step, number) => this.#followAttempt(address, step, number, patience, signal));
    const nextPause = lookPauses();
    for (;;) {
      const snapshot = await patience.ask(() => lookAt(this.#client, address, signal), signal);
      if (snapshot !== undefined) {
        address = addressIn(snapshot.run);
        const steps = this.#chosen(snapshot);
        for (const step of steps) following.add(step, this.#wanted.attempt, () => this.#sayNext(step));
        if (hasEnded(snapshot) || this.#isOver(steps)) break;
      }
      following.check();
      if (signal.aborted) break;
      await this.#io.sleep(nextPause(), signal);
    }
    await following.end();
    this.#printer.end();
    if (signal.aborted) throw goesOn(this.#client, address, this.#io, signal.reason);
    if (!this.#printer.hasWritten) this.#io.err("Nothing was written.");
    return EXIT.OK;
  }

  /** No further attempt comes at the one step that is wanted. */
  #isOver([step]: readonly JsonObject[]): boolean {
    if (this.#wanted.stepId === undefined || step === undefined) return false;
    const ended = isStepEnd(cell(object(step.runtime_state), "status")) && attemptsOf(step).next === undefined;
    return ended || this.#wanted.attempt !== undefined;
  }

  #sayNext(step: JsonObject): void {
    const { number, most, next } = attemptsOf(step);
    if (next === undefined || this.#wanted.attempt !== undefined) return;
    const then = `${numberText(number + 1, most)} comes ${waitText(next.delay)} later`;
    this.#io.err(`${cell(step, "step_id")}: ${cell(object(step.runtime_state), "status")}; ${then}`);
  }

  async #followAttempt(
    address: RunAddress,
    step: JsonObject,
    number: number,
    patience: Patience,
    signal: AbortSignal,
  ): Promise<void> {
    const source = `${cell(step, "step_id")}, attempt ${number}`;
    let after: string | undefined;
    const received = async (): Promise<true> => {
      const query = { follow: true, after };
      const pieces = await this.#client.open(logPath(address, step, number), { query, signal });
      patience.answered();
      for await (const { event, id, data } of eventsOf(pieces)) {
        if (event === "end") return true;
        this.#printer.write(source, textOf(data));
        after = id ?? after;
      }
      throw new Unreachable(this.#client.server, "it closed the connection");
    };
    const nextPause = lookPauses();
    for (;;) {
      if ((await patience.ask(received, signal)) === true || signal.aborted) return;
      await this.#io.sleep(nextPause(), signal);
    }
  }

  /** @throws Failure (NOT_FOUND) when the run has no such step */
  #chosen(snapshot: Snapshot): readonly JsonObject[] {
    const { stepId } = this.#wanted;
    if (stepId === undefined) return snapshot.steps.filter(hasBegun);
    const ids = stepIds(snapshot);
    if (ids.includes(stepId)) return snapshot.steps.filter((it) => it.step_id === stepId);
    const meant = closest(stepId, ids);
    throw new Failure(
      `${runName(snapshot.run)} has no step "${stepId}"${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
      EXIT.NOT_FOUND,
      [`Its steps: ${ids.join(", ")}`],
    );
  }
}

const hasBegun = (step: JsonObject): boolean => instant(object(step.runtime_state), "start_time") !== undefined;

/** Attempts at several steps at once; those at one step one after the other. */
class Following {
  readonly #follow: (step: JsonObject, attempt: number) => Promise<void>;
  readonly #newest = new Map<string, number>();
  readonly #chains = new Map<string, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(follow: (step: JsonObject, attempt: number) => Promise<void>) {
    this.#follow = follow;
  }

  /** @param ended called when all that is known of the step has been followed */
  add(step: JsonObject, wanted: number | undefined, ended: () => void): void {
    const id = cell(step, "step_id");
    const { number, next } = attemptsOf(step);
    const last = wanted ?? (hasBegun(step) ? number : number - 1);
    const from = this.#newest.get(id) ?? last - 1;
    for (let attempt = from + 1; attempt <= last; attempt++) this.#then(id, () => this.#follow(step, attempt));
    if (from < last && next !== undefined) this.#then(id, async () => ended());
    this.#newest.set(id, Math.max(from, last));
  }

  #then(id: string, work: () => Promise<void>): void {
    const before = this.#chains.get(id) ?? Promise.resolve();
    const chain = before.then(work).catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#chains.set(id, chain);
  }

  /** @throws what following one of them failed with */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Until all have been followed to their ends. */
  async end(): Promise<void> {
    await Promise.all(this.#chains.values());
    this.check();
  }
}

/** Writes texts to stdout, with a line where another source begins. */
class Printer {
  readonly #io: Io;
  readonly #headed: boolean;
  #source: string | undefined;
  #atLineStart = true;

  constructor(io: Io, headed: boolean) {
    this.#io = io;
    this.#headed = headed;
  }

  get hasWritten(): boolean {
    return this.#source !== undefined;
  }

  write(source: string, text: string): void {
    if (text === "") return;
    if (this.#headed && source !== this.#source) {
      const gap = this.#source === undefined ? "" : this.#atLineStart ? "\n" : "\n\n";
      this.#io.raw(`${gap}==> ${source} <==\n`);
    }
    this.#source = source;
    // A terminal would obey what a script has written.
    this.#io.raw(this.#io.terminal.out ? printable(text) : text);
    this.#atLineStart = text.endsWith("\n");
  }

  /** A file gets what was written and nothing else. */
  end(): void {
    if (!this.#atLineStart && (this.#io.terminal.out || this.#headed)) this.#io.raw("\n");
    this.#atLineStart = true;
  }
}

const logPath = (address: RunAddress, step: JsonObject, attempt: number): string =>
  `${runPath(address)}${path`/steps/${String(step.step_id)}/attempts/${attempt}/logs`}`;

async function* eventsOf(pieces: AsyncIterable<string>): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  for await (const piece of pieces) {
    parser.feed(piece);
    yield* events.splice(0);
  }
}

function textOf(data: string): string {
  const chunk = parseJson(data);
  return isJsonObject(chunk) && typeof chunk.text === "string" ? chunk.text : "";
}
