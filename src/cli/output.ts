/** How data look on a terminal. What others wrote is shown escaped in everything but JSON. */
import { isRawNumber, type Json, type JsonObject, stringifyJson } from "../json.ts";
import { inLine, printable } from "../printable.ts";
import type { Io } from "./command.ts";

const ESCAPE = "\x1b";
/** What {@link paint} and the pretty log write: no other sequence gets to a terminal, nor one that hides text. */
const PAINT = new RegExp(`${ESCAPE}\\[(?:0|3[1236]|90)m`, "g");

/** Lines of commands pass through here, so that whatever a command forgets is shown escaped. Only colours pass. */
export function printing(io: Io): Io {
  const shown: Pick<Io, "out" | "err"> = {
    out: (text) => io.out(shownLine(text, io.colour)),
    err: (text) => io.err(shownLine(text, io.terminal.err)),
  };
  // Not a copy: to find out some of it, such as the user, takes time.
  return Object.assign(Object.create(io) as Io, shown);
}

/** For what is drawn with {@link Io.raw}, too. @param colour whether our own colours pass */
export const shownLine = (text: string, colour: boolean): string => (colour ? paintedLine(text) : printable(text));

function paintedLine(text: string): string {
  const colours = text.match(PAINT) ?? [];
  return text
    .split(PAINT)
    .map((part, index) => `${printable(part)}${colours[index] ?? ""}`)
    .join("");
}

/** The server's or our own data, as they are. */
export function printJson(io: Io, value: unknown, indent?: number): void {
  io.raw(`${stringifyJson(value, indent)}\n`);
}

/** Columns as wide as their widest cell; the last one is not padded. No rows: only the head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, index) => Math.max(title.length, ...rows.map((row) => (row[index] ?? "").length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A field as text of one line; absent and null are "-". */
export const cell = (record: JsonObject, name: string): string => inLine(fieldText(record[name]));

function fieldText(value: Json | undefined): string {
  if (value === undefined || value === null) return "-";
  if (isRawNumber(value)) return value.rawJSON;
  if (typeof value === "object") {
    // A user with a name and further keys.
    return "name" in value && typeof value.name === "string" ? value.name : stringifyJson(value);
  }
  return String(value);
}

/** A field that holds epoch milliseconds. */
export function instant(record: JsonObject, name: string): number | undefined {
  const value = record[name];
  return typeof value === "number" ? value : undefined;
}

/** `2024-05-01 12:00:00Z`; "-" when absent. */
export function timeText(time: number | undefined): string {
  return time === undefined ? "-" : `${new Date(time).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** `12 ms`, `3.4 s`, `2 min 5 s`, `1 h 2 min` */
export function durationText(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value)
    ? value.filter((it): it is JsonObject => typeof it === "object" && it !== null && !Array.isArray(it))
    : [];

export const object = (value: Json | undefined): JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};

/** Colours of statuses of runs and steps. */
const COLOURS: readonly (readonly [pattern: RegExp, code: number])[] = [
  [/^SUCCEEDED$/, 32],
  [/^(SKIPPED|UNSATISFIED|DISABLED|NOT_CREATED)$/, 90],
  [/^(STOPPED|TIMED_OUT|PAUSED|COMPLETED_WITH_ERROR)$/, 33],
  [/FAILED/, 31],
];

/** The text in the colour of a status. */
export function paint(text: string, status: string, colour: boolean): string {
  if (!colour) return text;
  const code = COLOURS.find(([pattern]) => pattern.test(status))?.[1] ?? 36;
  return `\x1b[${code}m${text}\x1b[0m`;
}
