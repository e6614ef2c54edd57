/**
 * Reads the text of a definition, JSON or YAML (1.2, core schema), into its value, with the place of each part of it.
 * Numbers stay whole in both. A key that stands twice is refused in both.
 */
import { type Document, isScalar, LineCounter, type Node, parseAllDocuments } from "yaml";
import { hasRepeatedKey, type Json, MAX_DEPTH, outlineOf, parseJson } from "../../json.ts";
import type { Segment } from "../finding.ts";
import type { Schema } from "./declared.ts";
import { findSyntaxProblem, type SyntaxProblem } from "./syntax.ts";
import { type TextRange, YamlTree } from "./tree.ts";

/** Line and column count from 1, in UTF-16 units. */
export interface Span {
  readonly line: number;
  readonly column: number;
  /** Units to underline, within the line. */
  readonly length: number;
}

export interface TextProblem {
  readonly message: string;
  readonly span: Span;
  /** JSON path; absent when no value is meant. */
  readonly path?: string;
}

export interface Reading {
  readonly value: Json;
  /**
   * The place of what the path names, or of the nearest thing around it that is there: of a scalar itself, of an object
   * or a list its key.
   * @param byKey a member is shown by its key, whatever its value is
   */
  spanOf(path: readonly Segment[], byKey?: boolean): Span;
}

/** A text that can't be read. */
export class TextError extends Error {
  override readonly name = "TextError";
  constructor(readonly problems: readonly TextProblem[]) {
    super(problems.map(({ message }) => message).join("; "));
  }
}

/** @param text without a byte order mark @throws TextError */
export function readJsonText(text: string): Reading {
  const outline = outlineOf(text);
  if (outline.depth > MAX_DEPTH) {
    throw failed(text, { message: `nested deeper than ${MAX_DEPTH} levels`, offset: outline.end, length: 1 });
  }
  let value: Json;
  try {
    value = parseJson(text);
  } catch (error) {
    const problem = findSyntaxProblem(text) ?? { message: `not JSON: ${messageOf(error)}`, offset: 0, length: 1 };
    throw failed(text, problem);
  }
  if (hasRepeatedKey(outline, value)) readTree(text);
  return { value, spanOf: lazily(text) };
}

/**
 * @param text without a byte order mark
 * @param schema where it declares a text, a plain scalar is one, whatever it looks like: `1.10`, `007`, `yes`
 * @throws TextError
 */
export function readYamlText(text: string, schema?: Schema): Reading {
  if (text.length > MAX_YAML) {
    const message = `has ${text.length} characters; at most ${MAX_YAML} of YAML are read: leave some out, or write it as JSON`;
    throw failed(text, { message, offset: 0, length: 1 });
  }
  const { tree, spanAt } = readTree(text);
  const value = tree.toJson(schema);
  refuseProblems(tree, spanAt);
  return { value, spanOf: (path, byKey = false) => spanAt(tree.find(path, byKey)) };
}

/** The nodes of a character take some 130 bytes. */
const MAX_YAML = 2 * 1024 * 1024;

interface Composed {
  readonly documents: readonly Document.Parsed[];
  readonly tree: YamlTree;
  readonly spanAt: (range: TextRange) => Span;
}

function compose(text: string): Composed {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: false,
    schema: "core",
    resolveKnownTags: false,
    logLevel: "silent",
  });
  const spanAt = ({ start, end }: TextRange): Span => {
    const { line, col } = lines.linePos(start);
    const next = lines.lineStarts[line];
    const length = Math.min(end, next === undefined ? text.length : next - 1) - start;
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, length) };
  };
  const placeOf = (offset: number): string => {
    const { line, column } = spanAt({ start: offset, end: offset });
    return `line ${line}, column ${column}`;
  };
  const all = "empty" in documents ? [] : (documents as Document.Parsed[]);
  return { documents: all, tree: new YamlTree(all[0]?.contents ?? null, placeOf), spanAt };
}

/** @throws TextError for what is not YAML, is more than one document, or has a key twice */
function readTree(text: string): Composed {
  const composed = compose(text);
  const { documents, tree, spanAt } = composed;
  const errors = documents.flatMap((it) => [...it.errors, ...it.warnings.filter(({ code }) => code === UNKNOWN_TAG)]);
  const [error] = errors.sort((a, b) => a.pos[0] - b.pos[0]);
  if (error !== undefined) {
    throw new TextError([{ message: wording(error), span: spanAt({ start: error.pos[0], end: error.pos[1] }) }]);
  }
  const [, second] = documents.filter(({ contents }, index) => index === 0 || !isEmpty(contents));
  if (second !== undefined) {
    const [start] = second.contents?.range ?? second.range;
    const message = "a second document begins here; give each definition a file of its own";
    throw new TextError([{ message, span: spanAt({ start, end: start + 1 }) }]);
  }
  refuseProblems(tree, spanAt);
  return composed;
}

function refuseProblems({ problems }: YamlTree, spanAt: Composed["spanAt"]): void {
  if (problems.length === 0) return;
  throw new TextError(
    problems.map(({ path, message, ...range }) => ({ message, span: spanAt(range), ...(path === "" ? {} : { path }) })),
  );
}

/** Nothing but a marker and comments. */
const isEmpty = (node: Node | null): boolean => node === null || (isScalar(node) && node.source === "");

const UNKNOWN_TAG = "TAG_RESOLVE_FAILED";

function wording({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === UNKNOWN_TAG) return `${message}; a text that begins with "!" stands in quotes`;
  if (code === "RESOURCE_EXHAUSTION") return `nested deeper than ${MAX_DEPTH} levels`;
  return `not YAML: ${message}`;
}

/** The nodes of a JSON text are made when a place within it is asked for the first time. */
function lazily(text: string): Reading["spanOf"] {
  let composed: Composed | undefined;
  return (path, byKey = false) => {
    if (path.length === 0) return spanIn(text, text.search(/[^ \t\r\n]/), 1);
    composed ??= compose(text);
    return composed.spanAt(composed.tree.find(path, byKey));
  };
}

function failed(text: string, { message, offset, length }: SyntaxProblem): TextError {
  return new TextError([{ message, span: spanIn(text, offset, length) }]);
}

function spanIn(text: string, offset: number, length: number): Span {
  const before = text.slice(0, offset);
  const column = offset - (before.lastIndexOf("\n") + 1) + 1;
  const end = text.indexOf("\n", offset);
  const within = Math.max(1, Math.min(length, (end < 0 ? text.length : end) - offset));
  return { line: before.split("\n").length, column, length: within };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
