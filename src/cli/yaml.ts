/**
 * YAML files of the JSON shape. The parser tells no positions, so that places are found by the text's layout: good for
 * block style, and for flow style the line that begins it.
 */
import type { Json } from "../json.ts";
import { type Place, placeAt, type Segment } from "./locate.ts";

/** A text that is not YAML, or means something else than it says. */
export class YamlError extends Error {
  override readonly name = "YamlError";
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

/** @throws YamlError */
export function parseYaml(text: string): Json {
  let value: unknown;
  try {
    value = Bun.YAML.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/^YAML Parse error: /, "") : String(error);
    throw new YamlError(`not YAML: ${message}`, linePlace(text, brokenLine(text)));
  }
  const inexact = findInexact(value, []);
  if (inexact) {
    const message = "a whole number beyond 2^53 can't be read from YAML without loss; use a JSON file";
    throw new YamlError(message, findInYaml(text, inexact));
  }
  return (value ?? null) as Json;
}

/** The line after the longest beginning of the text that is YAML. */
function brokenLine(text: string): number {
  const lines = text.split("\n");
  for (let count = lines.length - 1; count > 0; count--) {
    try {
      Bun.YAML.parse(lines.slice(0, count).join("\n"));
      return count + 1;
    } catch {
      // The line that breaks it is further up.
    }
  }
  return 1;
}

function findInexact(value: unknown, path: readonly Segment[]): readonly Segment[] | undefined {
  if (typeof value === "number") return Number.isInteger(value) && !Number.isSafeInteger(value) ? path : undefined;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findInexact(item, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found) return found;
  }
  return undefined;
}

/** Lines of a node, and the column from which its text stands. */
interface Block {
  readonly first: number;
  readonly end: number;
  /** Blanks before its entries; a list's dash counts as a blank to what follows it. */
  readonly lines: readonly string[];
}

/** The place of what the path names, or of the nearest thing around it that can be made out. */
export function findInYaml(text: string, path: readonly Segment[]): Place {
  let block: Block = { first: 0, end: Number.POSITIVE_INFINITY, lines: text.split("\n") };
  let line = 0;
  for (const segment of path) {
    const next = typeof segment === "number" ? findItem(block, segment) : findKey(block, segment);
    if (!next) break;
    block = next;
    line = next.first;
  }
  return linePlace(text, line + 1);
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isContent = (line: string): boolean => line.trim() !== "" && !line.trimStart().startsWith("#") && line !== "---";

/** Entries of a block stand at its least indentation. */
function entries({ first, end, lines }: Block): readonly number[] {
  const numbers = lines.map((_, index) => index).filter((it) => it >= first && it < end && isContent(lines[it] ?? ""));
  const least = Math.min(...numbers.map((it) => indentOf(lines[it] ?? "")));
  return numbers.filter((it) => indentOf(lines[it] ?? "") === least);
}

function findItem(block: Block, index: number): Block | undefined {
  const items = entries(block).filter((it) => /^\s*-(\s|$)/.test(block.lines[it] ?? ""));
  const first = items[index];
  if (first === undefined) return undefined;
  // The dash is blanked, so that the item's first key stands where its others do.
  const lines = block.lines.with(first, (block.lines[first] ?? "").replace("-", " "));
  return { first, end: items[index + 1] ?? block.end, lines };
}

function findKey(block: Block, key: string): Block | undefined {
  const keys = entries(block);
  const position = keys.findIndex((it) => {
    const match = /^\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'][^:]*?))\s*:(?:\s|$)/.exec(block.lines[it] ?? "");
    return match !== null && (match[1] ?? match[2] ?? match[3]) === key;
  });
  const first = keys[position];
  if (first === undefined) return undefined;
  const line = block.lines[first] ?? "";
  // What follows the key on its line belongs to the value.
  const lines = block.lines.with(first, " ".repeat(line.length));
  // A list may stand at its key's own indentation.
  const end = keys.slice(position + 1).find((it) => !/^\s*-(\s|$)/.test(block.lines[it] ?? ""));
  return { first, end: end ?? block.end, lines };
}

function linePlace(text: string, line: number): Place {
  const lines = text.split("\n");
  const content = lines[line - 1] ?? "";
  const offset = lines.slice(0, line - 1).reduce((sum, it) => sum + it.length + 1, 0);
  const indent = indentOf(content);
  return placeAt(text, offset + indent, Math.max(1, content.trim().length));
}
