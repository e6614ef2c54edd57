/** The argv parser: a declarative table of options and positionals in, values out. It knows no command. */
import { closest } from "../definition/suggest.ts";

export interface OptionSpec {
  /** `--port` */
  readonly name: string;
  /** `-p` */
  readonly short?: string;
  /** What help shows for the value; absent for a switch. */
  readonly placeholder?: string;
  readonly summary: string;
  /** The default, in words. */
  readonly otherwise?: string;
  readonly repeat?: boolean;
  /** Refused otherwise, and offered by shell completion. */
  readonly choices?: readonly string[];
  /** Shell completion offers file names. */
  readonly file?: boolean;
  /** Left out of `-h`, shown by `--help`. */
  readonly advanced?: boolean;
}

export interface PositionalSpec {
  readonly name: string;
  readonly summary: string;
  readonly optional?: boolean;
  /** Takes all that follow; only the last positional may. */
  readonly repeat?: boolean;
  readonly choices?: readonly string[];
  readonly file?: boolean;
}

export interface Signature {
  readonly positionals: readonly PositionalSpec[];
  readonly options: readonly OptionSpec[];
}

/** A command line that can't be understood. The message says what would be right. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** What was given. */
export class Arguments {
  constructor(
    readonly positionals: readonly string[],
    /** By spelling, in the order given; a switch has the value "true". */
    readonly options: ReadonlyMap<string, readonly string[]>,
  ) {}

  has(name: string): boolean {
    return this.options.has(name);
  }

  /** The last value given. */
  get(name: string): string | undefined {
    return this.options.get(name)?.at(-1);
  }

  all(name: string): readonly string[] {
    return this.options.get(name) ?? [];
  }

  /** A positional that the parser has seen to be there. */
  at(index: number): string {
    return this.positionals[index] ?? "";
  }

  /** @throws UsageError */
  integer(name: string, min: number): number | undefined {
    const text = this.get(name);
    return text === undefined ? undefined : integer(name, text, min);
  }
}

/** @throws UsageError */
export function integer(name: string, text: string, min: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min)) throw new UsageError(`${name} is "${text}", and must be a whole number from ${min}`);
  return value;
}

/** @throws UsageError */
export function parseArguments(signature: Signature, argv: readonly string[]): Arguments {
  const positionals: string[] = [];
  const options = new Map<string, string[]>();
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] ?? "";
    if (word === "--") {
      positionals.push(...argv.slice(i + 1));
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      positionals.push(word);
      continue;
    }
    const { option, value } = findOption(signature, word);
    const text = option.placeholder === undefined ? switchValue(option, value) : (value ?? argv[++i]);
    if (text === undefined) throw new UsageError(`${option.name} needs a value: ${option.name} ${option.placeholder}`);
    checkChoice(option.name, text, option.choices);
    options.set(option.name, [...(options.get(option.name) ?? []), text]);
  }
  checkRepeats(signature, options);
  checkPositionals(signature, positionals);
  return new Arguments(positionals, options);
}

function findOption({ options }: Signature, word: string): { option: OptionSpec; value: string | undefined } {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  const spelling = equals < 0 ? word : word.slice(0, equals);
  const option = options.find((it) => it.name === spelling || it.short === spelling);
  if (option) return { option, value: equals < 0 ? undefined : word.slice(equals + 1) };
  const meant = closest(
    spelling,
    options.map((it) => it.name),
  );
  throw new UsageError(`there is no option ${spelling}${meant === undefined ? "" : `; did you mean ${meant}?`}`);
}

function switchValue(option: OptionSpec, value: string | undefined): string {
  if (value !== undefined) throw new UsageError(`${option.name} takes no value`);
  return "true";
}

function checkChoice(name: string, text: string, choices: readonly string[] | undefined): void {
  if (choices === undefined || choices.includes(text)) return;
  const meant = closest(text, choices);
  const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
  throw new UsageError(`${name} is "${text}", and must be one of ${choices.join(", ")}${hint}`);
}

function checkRepeats(signature: Signature, options: ReadonlyMap<string, readonly string[]>): void {
  for (const option of signature.options) {
    const given = options.get(option.name)?.length ?? 0;
    if (given > 1 && option.repeat !== true && option.placeholder !== undefined) {
      throw new UsageError(`${option.name} is given ${given} times, and can be given once`);
    }
  }
}

function checkPositionals({ positionals: specs }: Signature, given: readonly string[]): void {
  const missing = specs[given.length];
  if (missing !== undefined && missing.optional !== true) {
    throw new UsageError(`${missing.name} is missing: ${missing.summary}`);
  }
  given.forEach((text, index) => {
    const spec = specs[index] ?? (specs.at(-1)?.repeat === true ? specs.at(-1) : undefined);
    if (!spec) throw new UsageError(`"${text}" is one argument too many`);
    checkChoice(spec.name, text, spec.choices);
  });
}
