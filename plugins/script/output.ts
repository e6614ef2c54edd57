/** Outputs that a script leaves in the file `MAESTRO_OUTPUT` or prints between the marker lines. */
import { closeSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { type Artifacts, type Json, type JsonObject, parseJson } from "@maestro/sdk";

/** Characters. */
const MAX_OUTPUT = 750_000;
const WINDOW = 1 << 20;

export interface Output {
  readonly outputs: Readonly<Record<string, Json>>;
  readonly outputParams: Readonly<Record<string, Json>>;
  readonly artifacts: Artifacts;
  /** Where they stand; undefined when there are none. */
  readonly source: string | undefined;
}

const ON_STDOUT = "between the markers on stdout";
const IN_FILE = "in the file $MAESTRO_OUTPUT";

/** What the script wrote can't be used; the message is for its author. */
export class OutputError extends Error {
  constructor(where: string, problem: string) {
    super(`The step's output ${where} can't be taken. ${problem}`);
  }
}

const EXAMPLE = 'Write a JSON object of names and values, such as {"rows": 30}';

/** A later source wins: stdout's sections in order, then the file. @throws OutputError */
export function readOutput(stdout: string, file: string, marker: { start: string; end: string }): Output {
  let result: Output = { outputs: {}, outputParams: {}, artifacts: {}, source: undefined };
  for (const text of sections(stdout, marker)) result = merge(result, parse(text, ON_STDOUT));
  const text = readText(file);
  if (text.trim() !== "") result = merge(result, parse(text, IN_FILE));
  return result;
}

function merge(first: Output, second: Output): Output {
  return {
    outputs: { ...first.outputs, ...second.outputs },
    outputParams: { ...first.outputParams, ...second.outputParams },
    artifacts: { ...first.artifacts, ...second.artifacts },
    source:
      first.source === undefined || first.source === second.source
        ? second.source
        : `${first.source}, or ${second.source},`,
  };
}

function parse(text: string, where: string): Output {
  if (text.length > MAX_OUTPUT) {
    throw new OutputError(where, `It has ${text.length} characters, more than ${MAX_OUTPUT}`);
  }
  let value: Json;
  try {
    value = parseJson(text.replace(/^\s*\uFEFF/, ""));
  } catch (error) {
    throw new OutputError(where, `It is not JSON: ${(error as Error).message}. ${EXAMPLE}`);
  }
  if (!isObject(value)) throw new OutputError(where, `It is no JSON object. ${EXAMPLE}`);
  if (!isWrapped(value)) return { outputs: value, outputParams: {}, artifacts: {}, source: where };
  const params = splitParams((value.params ?? {}) as JsonObject);
  return { ...params, artifacts: artifactsOf(value.artifacts, where), source: where };
}

/** Upstream's form `{ params, artifacts }`, either of which may be missing. */
function isWrapped(value: JsonObject): boolean {
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => (key === "params" || key === "artifacts") && isObject(value[key]));
}

function splitParams(params: JsonObject): Pick<Output, "outputs" | "outputParams"> {
  const isTyped = (value: Json): boolean =>
    isObject(value) && typeof value.type === "string" && ("value" in value || "evaluated_result" in value);
  const entries = Object.entries(params);
  return {
    outputs: Object.fromEntries(entries.filter(([, value]) => !isTyped(value))),
    outputParams: Object.fromEntries(entries.filter(([, value]) => isTyped(value))),
  };
}

function artifactsOf(value: Json | undefined, where: string): Artifacts {
  const artifacts = (value ?? {}) as JsonObject;
  for (const [key, artifact] of Object.entries(artifacts)) {
    if (!isObject(artifact)) throw new OutputError(where, `Artifact [${key}] must be a JSON object`);
  }
  return artifacts as Artifacts;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !("rawJSON" in value);
}

function readText(path: string): string {
  const size = sizeOf(path);
  if (size > MAX_OUTPUT * 4) throw new OutputError(IN_FILE, `It has ${size} bytes, more than ${MAX_OUTPUT}`);
  return size === 0 ? "" : readFileSync(path, "utf8");
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Texts between a start and the next end marker. */
function* sections(path: string, { start, end }: { start: string; end: string }): Generator<string> {
  if (sizeOf(path) === 0) return;
  const file = openSync(path, "r");
  try {
    for (let position = 0; ; ) {
      const from = find(file, start, position);
      if (from === undefined) return;
      const begin = from + start.length;
      const to = find(file, end, begin);
      if (to === undefined)
        throw new OutputError(ON_STDOUT, "There is $MAESTRO_OUTPUT_START without $MAESTRO_OUTPUT_END");
      if (to - begin > MAX_OUTPUT * 4)
        throw new OutputError(ON_STDOUT, `It has ${to - begin} bytes, more than ${MAX_OUTPUT}`);
      yield readRange(file, begin, to - begin).toString("utf8");
      position = to + end.length;
    }
  } finally {
    closeSync(file);
  }
}

/** Position of a marker; one in a print of the environment (`NAME=marker`) is none. */
function find(file: number, marker: string, from: number): number | undefined {
  const overlap = marker.length + 1;
  for (let position = from; ; position += WINDOW) {
    const before = position > from ? overlap : Math.min(2, from);
    const window = readRange(file, position - before, WINDOW + before);
    for (let at = window.indexOf(marker); at >= 0; at = window.indexOf(marker, at + 1)) {
      const inWindow = position - before + at;
      if (inWindow >= from && !/=['"]?$/.test(window.toString("latin1", Math.max(0, at - 2), at))) return inWindow;
    }
    if (window.length < WINDOW + before) return undefined;
  }
}

function readRange(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let read = 0;
  while (read < length) {
    const count = readSync(file, buffer, read, length - read, position + read);
    if (count === 0) break;
    read += count;
  }
  return buffer.subarray(0, read);
}
