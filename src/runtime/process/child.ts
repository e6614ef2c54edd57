/**
 * One process of a plugin, from its start to its end: lines in and out, and whether it still answers.
 *
 * It knows nothing of calls, and starts no other process in its place: `plugin.ts` does. A job that the process has
 * begun lives on when it is killed; only the process itself is.
 */
import { type Subprocess, spawn } from "bun";
import { Lines, LongLineError } from "./line.ts";
import { encodePing, MAX_LINE } from "./message.ts";

export interface ChildOptions {
  readonly command: readonly string[];
  /** Its working directory. */
  readonly folder: string;
  /** Milliseconds without a word after which it counts as stuck. */
  readonly silentFor: number;
  /** Takes a line of stdout. A throw ends the process, with its message as the reason. */
  receive(line: string): void;
  /** Takes a line of stderr. */
  stderr(line: string): void;
  /** It is gone, and all that it wrote has been received. @param reason goes on after "the process" */
  ended(reason: string): void;
}

interface Outgoing {
  readonly line: string;
  written?(): void;
}

/** Characters that are written before it is looked whether the process has read them. */
const BATCH = 256 * 1024;
/** Milliseconds of listening to a process that has much to say before others have their turn on the thread. */
const SLICE = 5;
/** Bytes of a line on stderr that are kept, and lines a second. */
const STDERR_LINE = 8 * 1024;
const STDERR_RATE = 100;
/** Milliseconds for what a process has written to come in once it has ended, and for its end once it is deaf or mute. */
const LAST_WORDS = 500;

export class Child {
  readonly #options: ChildOptions;
  readonly #process: Subprocess<"pipe", "pipe", "pipe">;
  readonly #beat: ReturnType<typeof setInterval>;
  #outgoing: Outgoing[] = [];
  #isWriting = false;
  #heard = performance.now();
  #lastBeat = performance.now();
  #isEnded = false;
  /** Why it was killed. */
  #reason: string | undefined;
  /** Its last line on stderr. */
  #lastWords = "";

  /** @throws Error when it can't be started */
  constructor(options: ChildOptions) {
    this.#options = options;
    // In a session of its own: a Ctrl-C in the server's terminal is the server's to act on.
    this.#process = spawn([...options.command], {
      ...{ cwd: options.folder, env: environment(), detached: true, stdio: ["pipe", "pipe", "pipe"] as const },
    });
    this.#beat = setInterval(() => this.#check(), options.silentFor / 6);
    void this.#watch();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** @param written called when the line is on its way */
  send(line: string, written?: () => void): void {
    if (this.#isEnded) return;
    this.#outgoing.push(written === undefined ? { line } : { line, written });
    if (this.#isWriting) return;
    this.#isWriting = true;
    setImmediate(() => void this.#write()); // with what else is sent in this turn
  }

  /** @param reason goes on after "the process" */
  kill(reason: string): void {
    this.#reason ??= reason;
    this.#process.kill("SIGKILL");
  }

  /** Asks it to end, by the end of its stdin, then by SIGTERM, then not any more. @param patience ms before each */
  async close(patience: number): Promise<void> {
    clearInterval(this.#beat);
    this.#outgoing = [];
    const { exited, stdin } = this.#process;
    void Promise.resolve(stdin.end()).catch(() => {});
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      if (await within(exited, patience)) return;
      this.#process.kill(signal);
    }
    await exited;
  }

  async #write(): Promise<void> {
    const { stdin } = this.#process;
    try {
      while (this.#outgoing.length > 0 && !this.#isEnded) {
        stdin.write(this.#nextBatch());
        await stdin.flush(); // resolves when the pipe has taken it
      }
    } catch {
      // Its stdin is closed: it has ended, or will be found silent.
    }
    this.#isWriting = false;
  }

  #nextBatch(): string {
    const lines: string[] = [];
    let size = 0;
    let count = 0;
    for (const { line, written } of this.#outgoing) {
      if (size > BATCH) break;
      lines.push(line, "\n");
      size += line.length;
      count++;
      written?.();
    }
    this.#outgoing = this.#outgoing.slice(count);
    return lines.join("");
  }

  /** Pings go before what waits to be written. Whatever it says shows that it lives. */
  #check(): void {
    const now = performance.now();
    const { silentFor } = this.#options;
    const wasLate = now - this.#lastBeat > silentFor / 2;
    this.#lastBeat = now;
    if (wasLate) this.#heard = now; // this thread did not listen
    if (now - this.#heard > silentFor) this.kill(`did not answer for ${silentFor / 1000} s`);
    else {
      this.#outgoing.unshift({ line: encodePing() });
      if (!this.#isWriting) this.#flush();
    }
  }

  #flush(): void {
    this.#isWriting = true;
    void this.#write();
  }

  async #watch(): Promise<void> {
    const { exited } = this.#process;
    const messages = this.#readOut();
    const said = Promise.all([messages, this.#readErrors()]);
    await Promise.race([exited, messages]);
    if (!(await within(exited, LAST_WORDS))) this.kill("closed its stdout");
    await exited;
    await within(said, LAST_WORDS); // a child of its own may hold the pipe
    this.#isEnded = true;
    clearInterval(this.#beat);
    this.#options.ended(this.#reasonOf());
  }

  async #readOut(): Promise<void> {
    const lines = new Lines({ most: MAX_LINE });
    let turnEnd = performance.now() + SLICE;
    try {
      for await (const bytes of this.#process.stdout) {
        this.#heard = performance.now();
        for (const line of lines.push(bytes)) {
          if (this.#reason === undefined && line.trim() !== "") this.#options.receive(line);
          if (performance.now() < turnEnd) continue;
          await new Promise(setImmediate);
          turnEnd = performance.now() + SLICE;
        }
      }
    } catch (error) {
      this.kill(error instanceof LongLineError ? `wrote a line of more than ${MAX_LINE} bytes` : messageOf(error));
    }
  }

  async #readErrors(): Promise<void> {
    const lines = new Lines({ most: STDERR_LINE, cut: true });
    const gate = new Gate(STDERR_RATE, (line) => this.#options.stderr(line));
    const pass = (line: string): void => {
      if (line.trim() === "") return;
      this.#lastWords = line;
      gate.pass(line);
    };
    try {
      for await (const bytes of this.#process.stderr) for (const line of lines.push(bytes)) pass(line);
    } catch {
      // The pipe broke: there is nothing more to hear.
    }
    pass(lines.rest() ?? "");
    gate.end();
  }

  #reasonOf(): string {
    const { exitCode, signalCode } = this.#process;
    const end = signalCode === null ? `exited with code ${exitCode}` : `was ended by ${signalCode}`;
    return this.#reason ?? (this.#lastWords === "" ? end : `${end}; its last words: ${this.#lastWords.trim()}`);
  }
}

/** Lets so many lines a second pass, and counts the others. */
class Gate {
  readonly #most: number;
  readonly #take: (line: string) => void;
  #since = 0;
  #passed = 0;
  #left = 0;

  constructor(most: number, take: (line: string) => void) {
    this.#most = most;
    this.#take = take;
  }

  pass(line: string): void {
    const now = performance.now();
    if (now - this.#since > 1000) {
      this.end();
      this.#since = now;
      this.#passed = 0;
    }
    if (this.#passed++ < this.#most) this.#take(line);
    else this.#left++;
  }

  end(): void {
    if (this.#left > 0) this.#take(`[${this.#left} lines are left out here]`);
    this.#left = 0;
  }
}

/** The server's own, without its settings: they hold the database's password. */
function environment(): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("MAESTRO_")));
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether it resolves in time. */
async function within(promise: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), milliseconds);
  const inTime = await Promise.race([promise.then(() => true), late.promise]);
  clearTimeout(timer);
  return inTime;
}
