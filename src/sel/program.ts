/**
 * Programs: parsed once, compiled when they first run, kept in a bounded cache. A program holds nothing of any
 * evaluation.
 */
import type { Tree } from "./ast.ts";
import { type Compiled, compile } from "./compile/statement.ts";
import { SelError } from "./error.ts";
import { DEFAULT_LIMITS } from "./limit.ts";
import { parseTree } from "./parser.ts";
import { referencedNames } from "./reference.ts";

/** A parsed program. Opaque outside of this folder. */
export class Program {
  private plain: Compiled | undefined;
  private checking: Compiled | undefined;
  private names: readonly string[] | undefined;

  constructor(
    /** The text as it was given. */
    readonly source: string,
    readonly tree: Tree,
  ) {}

  /** The text that was parsed; positions refer to it. */
  get text(): string {
    return this.tree.text;
  }

  get references(): readonly string[] {
    this.names ??= referencedNames(this.tree);
    return this.names;
  }

  /** The code for a stack of so many operands. */
  code(stack: number): Compiled {
    this.plain ??= compile(this.tree, false);
    if (this.plain.operands <= stack) return this.plain;
    this.checking ??= compile(this.tree, true);
    return this.checking;
  }
}

/** Trims the text and appends the `;` that a bare expression may omit (sel.md §8.1). */
export function sanitize(source: string): string {
  let start = 0;
  let end = source.length;
  while (start < end && source.charCodeAt(start) <= 32) start++;
  while (end > start && source.charCodeAt(end - 1) <= 32) end--;
  const text = source.slice(start, end);
  const complete = text === "" || text.endsWith(";") || (text.endsWith("}") && !text.startsWith('{"'));
  return complete ? text : `${text};`;
}

/** Programs in each of two generations: the least recently used are dropped a generation at a time. */
const GENERATION = 1_000;
/** Long texts are not worth their memory. */
const MAX_CACHED_LENGTH = 10_000;
let young = new Map<string, Program>();
let old = new Map<string, Program>();

function remember(source: string, program: Program): Program {
  if (source.length > MAX_CACHED_LENGTH) return program;
  if (young.size >= GENERATION) {
    old = young;
    young = new Map();
  }
  young.set(source, program);
  return program;
}

/** @throws SelError limit-length. */
export function checkLength(text: string, limit: number): void {
  if (text.length < limit) return;
  const hint = `shorter than ${limit} characters`;
  throw new SelError("limit-length", `the expression has ${text.length} characters`, undefined, hint);
}

/**
 * Sanitizes and parses; cached.
 * @param limit length from which a text is refused.
 * @throws SelError `parse`, `limit-length`, or `limit-stack` when it is nested too deeply.
 */
export function parse(source: string, limit: number = DEFAULT_LIMITS.length): Program {
  const known = young.get(source);
  if (known !== undefined) {
    checkLength(known.text, limit);
    return known;
  }
  const text = sanitize(source);
  checkLength(text, limit);
  return remember(source, old.get(source) ?? new Program(source, parseTree(text)));
}
