/** A definition file: its value, and where in its text a finding is. */
import { resolve } from "node:path";
import { partsOf, type Segment, shown } from "../definition/finding.ts";
import { MAX_TEXT_BYTES } from "../definition/limit.ts";
import { workflowCreateRequestSchema } from "../definition/metadata.ts";
import type { Schema } from "../definition/text/declared.ts";
import type { Reading, Span } from "../definition/text/read.ts";
import { isJsonObject, type Json, type JsonObject } from "../json.ts";
import { EXIT, Failure, type Io } from "./command.ts";
import { decodeText } from "./encoding.ts";
import { pointOut } from "./excerpt.ts";

export interface Source extends Reading {
  /** As the user wrote it; `-` for stdin. */
  readonly file: string;
  readonly text: string;
}

/** One thing that is wrong with a file. */
export interface Finding {
  readonly file: string;
  /** JSON path; absent when the whole file is meant. */
  readonly path?: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** Absent for an error. */
  readonly level?: "warning";
  /** With the source line and a caret. */
  readonly shown: string;
}

/** A file that can't be read. */
export class SourceError extends Failure {
  constructor(
    file: string,
    readonly findings: readonly Finding[],
  ) {
    super(
      `${file} can't be read`,
      EXIT.FAILURE,
      findings.map((it) => it.shown),
    );
  }
}

const START: Span = { line: 1, column: 1, length: 1 };

/**
 * A file that is JSON by its name `.json`; any other may be JSON or YAML.
 * @param schema where it declares a text, a plain scalar of YAML is one
 * @throws Failure when there is no such file, SourceError when it can't be read
 */
export async function readSource(file: string, io: Io, schema?: Schema): Promise<Source> {
  const text = await readText(file, io);
  if (text.trim() === "") throw new SourceError(file, [findingAt({ file, text }, START, "the file is empty")]);
  const { TextError } = await import("../definition/text/read.ts");
  try {
    return { file, text, ...(await readingOf(file, text, schema)) };
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    const findings = error.problems.map(({ message, path, span }) => ({
      ...findingAt({ file, text }, span, path === undefined ? message : `${path}: ${message}`),
      ...(path === undefined ? {} : { path }),
    }));
    throw new SourceError(file, findings);
  }
}

/** The text is taken for JSON when it begins as JSON does, and for YAML if it is none. */
async function readingOf(file: string, text: string, schema: Schema | undefined): Promise<Reading> {
  const { readJsonText, readYamlText, TextError } = await import("../definition/text/read.ts");
  if (/\.json$/i.test(file)) return readJsonText(text);
  if (!/^\s*[{[]/.test(text)) return readYamlText(text, schema);
  try {
    return readJsonText(text);
  } catch (error) {
    if (!(error instanceof TextError)) throw error;
    try {
      return readYamlText(text, schema);
    } catch {
      throw error;
    }
  }
}

/** What a push sends. @throws as {@link readSource}, and SourceError for what can't be a definition at all */
export async function readDefinition(file: string, io: Io): Promise<Source> {
  const source = await readSource(file, io, workflowCreateRequestSchema);
  if (!isJsonObject(source.value)) {
    const message = `a definition is an object { properties, workflow }, and this is ${shown(source.value)}`;
    throw new SourceError(file, [findingAt(source, source.spanOf([]), message)]);
  }
  const dsl = dslKey(source.value);
  if (dsl === undefined) return source;
  const message =
    "this is the YAML DSL of Netflix Maestro, with jobs, which is not read here; write the definition as the API has it, { properties: { owner }, workflow: { id, params, steps } }";
  throw new SourceError(file, [findingAt(source, source.spanOf([dsl], true), message)]);
}

/** The key of the workflow in a file of upstream's DSL. */
const dslKey = (value: JsonObject): string | undefined =>
  ["Workflow", "workflow"].find((key) => {
    const workflow = Object.hasOwn(value, key) ? value[key] : undefined;
    return isJsonObject(workflow) && Array.isArray(workflow.jobs) && workflow.steps === undefined;
  });

/** @param file `-` is stdin. @throws Failure */
export async function readText(file: string, io: Io): Promise<string> {
  const text = decodeText(await readBytes(file, io));
  if (typeof text === "string") return text;
  const { problem, before } = text;
  const lines = before.split("\n");
  const span = { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1, length: 1 };
  throw new SourceError(file, [findingAt({ file, text: before }, span, problem)]);
}

async function readBytes(file: string, io: Io): Promise<Uint8Array> {
  if (file === "-") return within(file, await io.input());
  const path = Bun.file(resolve(io.cwd, file));
  try {
    if (path.size > MAX_TEXT_BYTES) throw tooLong(file, path.size);
    return within(file, await path.bytes());
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Failure(`there is no file ${file}`, EXIT.NOT_FOUND);
    throw new Failure(`${file} can't be read: ${message}`);
  }
}

function within(file: string, bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_TEXT_BYTES) throw tooLong(file, bytes.length);
  return bytes;
}

const tooLong = (file: string, size: number): Failure =>
  new Failure(`${file} has ${size} bytes; at most ${MAX_TEXT_BYTES} are read`);

/** A line `path: problem`, or `path problem`, of a validation, with its place. */
export function locate(source: Source, line: string): Finding {
  const [, head, problem] = /^(\S*?(?:\["(?:[^"\\]|\\.)*"\]\S*?)*)(?::\s|\s)(.*)$/s.exec(line) ?? [];
  const path = head ? partsOf(head) : undefined;
  if (path === undefined || problem === undefined || !isPath(path, source.value)) {
    return findingAt(source, source.spanOf([]), line);
  }
  const unknown = /^unknown field ("(?:[^"\\]|\\.)*")/.exec(problem)?.[1];
  const span = unknown === undefined ? source.spanOf(path) : source.spanOf([...path, JSON.parse(unknown)], true);
  return { ...findingAt(source, span, `${head}: ${problem}`), path: head ?? "" };
}

/** A finding's first word is a path when the file has where it begins. */
function isPath([first]: readonly Segment[], value: Json): boolean {
  const known = ["workflow", "properties", "is_active", "git_info"];
  if (known.includes(String(first))) return true;
  return typeof value === "object" && value !== null && first !== undefined && Object.hasOwn(value, first);
}

function findingAt({ file, text }: Pick<Source, "file" | "text">, span: Span, message: string): Finding {
  const { line, column } = span;
  return { file, line, column, message, shown: pointOut(file, text, span, message) };
}
