/**
 * Structured logging: one line an event, JSON for machines or pretty for people. Which one, and where it goes, is the
 * caller's choice; this file reads no environment.
 */
import { stringifyJson } from "./json.ts";
import { inLine, printable } from "./printable.ts";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFormat = "pretty" | "json";

/** What a line is about. The named ones come first on the line, in this order. */
export interface LogFields {
  readonly workflow?: string;
  readonly instance?: number;
  readonly run?: number;
  readonly step?: string;
  readonly attempt?: number;
  /** An error is written as its message, and with its stack on level debug and below. */
  readonly error?: unknown;
  readonly [name: string]: unknown;
}

export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that writes these fields on every line. */
  child(fields: LogFields): Logger;
  /** Whether a line of this level is written: to spare the work of making it. */
  enabled(level: LogLevel): boolean;
  /** Writes lines that a logger of the same style has made on another thread. */
  pass(lines: string): void;
  readonly style: LogStyle;
}

/** How lines look, and which there are. */
export interface LogStyle {
  readonly format: LogFormat;
  /** The lowest level that is written. */
  readonly level: LogLevel;
  /** ANSI colours, in the pretty format only. Default false. */
  readonly colour?: boolean;
}

export interface LoggerOptions extends LogStyle {
  readonly fields?: LogFields;
  /** Takes a line with its line feed. Default: stderr. */
  readonly write?: (line: string) => void;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

const FIRST = ["workflow", "instance", "run", "step", "attempt"] as const;
const LEADING: ReadonlySet<string> = new Set(FIRST);

export function createLogger(options: LoggerOptions): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line));
  const now = options.now ?? Date.now;
  const { format, level: least, colour = false } = options;
  const lowest = LOG_LEVELS.indexOf(least);
  const own = options.fields ?? {};
  const enabled = (level: LogLevel): boolean => LOG_LEVELS.indexOf(level) >= lowest;
  const render = format === "json" ? jsonLine : prettyLine(colour);
  const at =
    (level: LogLevel) =>
    (message: string, fields?: LogFields): void => {
      if (!enabled(level)) return;
      write(render(now(), level, message, ordered({ ...own, ...fields }, lowest)));
    };
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => createLogger({ ...options, fields: { ...own, ...fields } }),
    enabled,
    pass: write,
    style: { format, level: least, colour },
  };
}

type Entry = readonly [name: string, value: unknown];
type Render = (time: number, level: LogLevel, message: string, fields: readonly Entry[]) => string;

function ordered(fields: LogFields, lowest: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (const name of FIRST) if (fields[name] !== undefined) entries.push([name, fields[name]]);
  for (const name in fields) {
    const value = fields[name];
    if (value === undefined || LEADING.has(name)) continue;
    entries.push([name, plain(value)]);
    if (value instanceof Error && value.stack && lowest <= LOG_LEVELS.indexOf("debug")) {
      entries.push(["stack", value.stack]);
    }
  }
  return entries;
}

function plain(value: unknown): unknown {
  if (value instanceof Error) return value.message;
  return typeof value === "bigint" ? value.toString() : value;
}

const jsonLine: Render = (time, level, message, fields) =>
  `${stringifyJson({ time: new Date(time).toISOString(), level, message, ...Object.fromEntries(fields) })}\n`;

const COLOUR: Readonly<Record<LogLevel, number>> = { trace: 90, debug: 90, info: 32, warn: 33, error: 31 };

const prettyLine =
  (colour: boolean): Render =>
  (time, level, message, fields) => {
    const paint = (code: number, text: string): string => (colour ? `\x1b[${code}m${text}\x1b[0m` : text);
    const clock = new Date(time).toISOString().slice(11, 23);
    const tail = fields.map(([name, value]) => ` ${paint(90, `${name}=`)}${prettyValue(name, value)}`).join("");
    return `${paint(90, clock)} ${paint(COLOUR[level], level.toUpperCase().padEnd(5))} ${inLine(message)}${tail}\n`;
  };

function prettyValue(name: string, value: unknown): string {
  if (name === "stack") return `\n${printable(String(value))}`;
  if (typeof value === "string" && /^[^\s"=\p{Cc}]+$/u.test(value)) return inLine(value);
  return inLine(stringifyJson(value) ?? String(value));
}
