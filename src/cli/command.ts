/** What a command is, what it is given of the outside world, and how it ends. */
import type { ErrorCode } from "../error.ts";
import type { Arguments, OptionSpec, PositionalSpec } from "./argument.ts";

export const EXIT = {
  OK: 0,
  FAILURE: 1,
  USAGE: 2,
  NOT_FOUND: 3,
  AUTH: 4,
  CONFLICT: 5,
  /** A wait ended without success: the run failed, or time was up. */
  WAIT: 6,
  /** Ended by a signal, as shells say it. */
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];

export interface Command {
  /** `workflow push`: a group and a verb, or one word. */
  readonly name: string;
  readonly summary: string;
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
  /** Each begins with the command's name; shown first by `--help`. */
  readonly examples: readonly string[];
  /** More than the summary says, in whole sentences. */
  readonly detail?: string;
  readonly run: (args: Arguments, io: Io) => Promise<Exit>;
}

export type Signal = "SIGHUP" | "SIGINT" | "SIGTERM";

/** The outside world of a command. */
export interface Io {
  /** Data: a line on stdout. */
  out(line: string): void;
  /** A message: a line on stderr. */
  err(line: string): void;
  /** Lines of a server's log on stderr, as they are. @param written when their reader has taken them */
  log(lines: string, written: () => void): void;
  /** Text on stdout as it is: for what redraws itself on a terminal. */
  raw(text: string): void;
  /** All of stdin. */
  input(): Promise<Uint8Array>;
  /** Asks on the terminal; resolves with the line that was typed. */
  ask(question: string): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly home: string;
  /** The name of the operating system's user. */
  readonly user: string;
  readonly uid: number | undefined;
  readonly cores: number;
  /** Whether each stream is a terminal. */
  readonly terminal: { readonly in: boolean; readonly out: boolean; readonly err: boolean };
  /** Size of the terminal behind stdout. */
  readonly columns: number;
  readonly rows: number;
  /** Whether stdout takes ANSI colours. */
  readonly colour: boolean;
  /** Calls back on these signals instead of ending the process. @returns how to undo it. */
  onSignal(callback: (signal: Signal) => void): () => void;
  /** Resolves after the time, or as soon as the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Ends the process at once. */
  exit(code: number): never;
}

/** A command that failed with a message for the user. */
export class Failure extends Error {
  override readonly name = "Failure";
  constructor(
    message: string,
    readonly exit: Exit = EXIT.FAILURE,
    /** Shown below the message, one a line. */
    readonly details: readonly string[] = [],
  ) {
    super(message);
  }
}

const EXIT_OF: Readonly<Partial<Record<ErrorCode, Exit>>> = {
  NOT_FOUND: EXIT.NOT_FOUND,
  GONE: EXIT.NOT_FOUND,
  UNAUTHORIZED: EXIT.AUTH,
  FORBIDDEN: EXIT.AUTH,
  CONFLICT: EXIT.CONFLICT,
  PRECONDITION_FAILED: EXIT.CONFLICT,
  REQUEST_TIMEOUT: EXIT.WAIT,
};

export const exitOf = (code: ErrorCode): Exit => EXIT_OF[code] ?? EXIT.FAILURE;
