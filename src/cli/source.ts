/** A definition file: its value, and where in its text a finding is. */
import { resolve } from "node:path";
import { type Json, parseJson } from "../json.ts";
import { EXIT, Failure, type Io } from "./command.ts";
import { JsonPlaces, JsonSyntaxError, type Place, parsePath, pointOut, type Segment } from "./locate.ts";
import { findInYaml, parseYaml, YamlError } from "./yaml.ts";

export interface Source {
  /** As the user wrote it; `-` for stdin. */
  readonly file: string;
  readonly text: string;
  readonly value: Json;
  /** @param byKey a member's key is meant, not its value */
  find(path: readonly Segment[], byKey?: boolean): Place;
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

/** A file that can't be parsed. */
export class SourceError extends Failure {
  constructor(readonly finding: Finding) {
    super(`${finding.file} can't be read`, EXIT.FAILURE, [finding.shown]);
  }
}

/** @throws Failure when there is no such file, SourceError when it is neither JSON nor, by its name, YAML. */
export async function readSource(file: string, io: Io): Promise<Source> {
  const text = await readText(file, io);
  try {
    if (/\.ya?ml$/i.test(file)) {
      return { file, text, value: parseYaml(text), find: (path) => findInYaml(text, path) };
    }
    const places = new JsonPlaces(text);
    return {
      file,
      text,
      value: parseJson(text.replace(/^\uFEFF/, "")),
      find: (path, byKey) => places.find(path, byKey),
    };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError || error instanceof YamlError)) throw error;
    throw new SourceError(findingAt({ file, text }, error.place, error.message));
  }
}

/** @param file `-` is stdin. @throws Failure */
export async function readText(file: string, io: Io): Promise<string> {
  if (file === "-") return io.input();
  try {
    return await Bun.file(resolve(io.cwd, file)).text();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new Failure(`there is no file ${file}`, EXIT.NOT_FOUND);
    throw new Failure(`${file} can't be read: ${message}`);
  }
}

/** A line `path: problem`, or `path problem`, of a validation, with its place. */
export function locate(source: Source, line: string): Finding {
  const [, head, problem] = /^(\S*?(?:\["(?:[^"\\]|\\.)*"\]\S*?)*)(?::\s|\s)(.*)$/s.exec(line) ?? [];
  const path = head ? parsePath(head) : undefined;
  if (path === undefined || problem === undefined || !isPath(head ?? "", source.value)) {
    return findingAt(source, source.find([]), line);
  }
  const unknown = /^unknown field "([^"]+)"/.exec(problem)?.[1];
  const place = unknown === undefined ? source.find(path) : source.find([...path, unknown], true);
  return { ...findingAt(source, place, `${head}: ${problem}`), path: head ?? "" };
}

/** A finding's first word is a path when the file has where it begins. */
function isPath(head: string, value: Json): boolean {
  const first = parsePath(head)?.[0];
  const known = ["workflow", "properties", "is_active", "git_info"];
  if (known.includes(String(first))) return true;
  return typeof value === "object" && value !== null && first !== undefined && Object.hasOwn(value, first);
}

function findingAt({ file, text }: Pick<Source, "file" | "text">, place: Place, message: string): Finding {
  const { line, column } = place;
  return { file, line, column, message, shown: pointOut(file, text, place, message) };
}
