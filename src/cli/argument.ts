/** What a command takes: its options and positionals with the readers of their values, and the values once read. */
import { closest } from "../definition/suggest.ts";
import { VERSION_RULE, type VersionName, versionOf } from "../definition/version.ts";
import { isUuid } from "../id.ts";

/** A command line that can't be understood. The message says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** @throws UsageError whose message is the end of a sentence: "must be …" */
export type Reader<T> = (text: string) => T;

export interface OptionSpec<T = unknown> {
  /** `--port` */
  readonly name: string;
  /** `-p` */
  readonly short?: string;
  /** What help shows for the value; absent for a switch. FILE, DIR and PATH are completed with file names. */
  readonly placeholder?: string;
  readonly summary: string;
  /** The default, in words. */
  readonly otherwise?: string;
  readonly repeat?: boolean;
  /** Refused otherwise, and offered by shell completion. */
  readonly choices?: readonly string[];
  /** Left out of `-h`, shown by `--help`. */
  readonly advanced?: boolean;
  /** By default the text as it is. */
  readonly read?: Reader<T>;
}

export interface PositionalSpec<T = unknown> {
  /** In capitals. FILE is completed with file names. */
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that follow; only the last positional may. */
  readonly repeat?: boolean;
  readonly choices?: readonly string[];
  readonly read?: Reader<T>;
}

/** An option, with the type that its reader gives. */
export const option = <T = string>(spec: OptionSpec<T>): OptionSpec<T> => spec;

/** A positional, with the type that its reader gives. */
export const positional = <T = string>(spec: PositionalSpec<T>): PositionalSpec<T> => spec;

export const JSON_OPTION: OptionSpec = { name: "--json", summary: "Print the server's answer as JSON" };

/** What was given. */
export class Arguments {
  readonly #values = new Map<string, unknown[]>();
  readonly #texts = new Map<string, string[]>();

  /** @throws UsageError when the value is none, or the second of an option that can be given once */
  add(spec: OptionSpec | PositionalSpec, text: string): void {
    const { name, repeat, read = String } = spec;
    const [values, texts] = [this.#values.get(name) ?? [], this.#texts.get(name) ?? []];
    const isSwitch = name.startsWith("-") && !("placeholder" in spec && spec.placeholder !== undefined);
    if (values.length > 0 && repeat !== true && !isSwitch) {
      throw new UsageError(`${name} is given more than once, and can be given once`);
    }
    this.#values.set(name, [...values, readValue(spec, text, read)]);
    this.#texts.set(name, [...texts, text]);
  }

  /** The texts of the options by their spelling, in the order given. */
  get texts(): ReadonlyMap<string, readonly string[]> {
    return this.#texts;
  }

  has({ name }: OptionSpec): boolean {
    return this.#values.has(name);
  }

  /** The value; undefined when it was not given. */
  get<T>({ name }: OptionSpec<T> | PositionalSpec<T>): T | undefined {
    return this.#values.get(name)?.at(-1) as T | undefined;
  }

  /** Those of a spec that may repeat. */
  all<T>({ name }: OptionSpec<T> | PositionalSpec<T>): readonly T[] {
    return (this.#values.get(name) ?? []) as T[];
  }

  /** A positional that is not optional, so that it is there. */
  need<T>({ name }: PositionalSpec<T>): T {
    return this.#values.get(name)?.at(-1) as T;
  }
}

function readValue({ name, choices }: OptionSpec | PositionalSpec, text: string, read: Reader<unknown>): unknown {
  try {
    if (choices !== undefined) oneOf(choices)(text);
    return read(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${name} is ${JSON.stringify(text)}, and ${error.message}`);
  }
}

function oneOf(choices: readonly string[]): Reader<string> {
  return (text) => {
    if (choices.includes(text)) return text;
    const meant = closest(text, choices);
    throw new UsageError(
      `must be one of ${choices.join(", ")}${meant === undefined ? "" : `; did you mean ${meant}?`}`,
    );
  };
}

/** A whole number; both ends are included. */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER): Reader<number> {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(
      `must be a whole number ${max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`}`,
    );
  };
}

/** Anything but nothing. */
export const notEmpty: Reader<string> = (text) => {
  if (text.trim() === "") throw new UsageError("must not be empty");
  return text;
};

export const uuid: Reader<string> = (text) => {
  if (isUuid(text)) return text;
  throw new UsageError("must be a UUID such as 0b9c3f4e-7f0a-4a67-9d0e-2f1f0c5a8b11");
};

/** The version of a definition. */
export const version: Reader<VersionName> = (text) => {
  const name = versionOf(text);
  if (name === undefined) throw new UsageError(VERSION_RULE);
  return name;
};
