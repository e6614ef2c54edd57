/** Why a text is not JSON, and where: the engine's own parser, which refuses it, tells no position. */
import { Lexer } from "yaml";

export interface SyntaxProblem {
  /** In UTF-16 units. */
  readonly offset: number;
  readonly length: number;
  /** What was found and what would be right. */
  readonly message: string;
}

type Expected = "value" | "element" | "first element" | "key" | "first key" | "colon" | "more" | "end";

const LITERAL = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings, and says so by their numbers.
const STRING = /^"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/;
const KNOWN_ESCAPES = /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/;
/** What the lexer puts between tokens: no part of the text. */
const MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"]);

class Refusal extends Error {
  constructor(readonly problem: SyntaxProblem) {
    super(problem.message);
  }
}

/** @returns undefined when the text is JSON, or when YAML's tokens don't show why it is not */
export function findSyntaxProblem(text: string): SyntaxProblem | undefined {
  const grammar = new JsonGrammar(text.length);
  let offset = 0;
  try {
    for (const token of new Lexer().lex(text)) {
      if (MARKS.has(token)) continue;
      if (/[^ \t\r\n]/.test(token)) grammar.take(token, offset);
      offset += token.length;
    }
    grammar.end();
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.problem;
    throw error;
  }
}

/** Takes tokens in their order; what JSON does not have there is refused. */
class JsonGrammar {
  #expected: Expected = "value";
  readonly #closers: ("}" | "]")[] = [];
  #comma = 0;
  #key = "";

  constructor(readonly length: number) {}

  take(token: string, offset: number): void {
    if (token.startsWith("#")) refuse("JSON has no comments", offset, token.length);
    if (this.#expected === "colon") this.#takeColon(token, offset);
    else if (this.#expected === "more") this.#takeMore(token, offset);
    else if (this.#expected === "end") refuse("nothing may follow the end of the document", offset, token.length);
    else if (token === this.#closers.at(-1) && this.#expected !== "value") this.#close(token, offset);
    else if (this.#expected === "key" || this.#expected === "first key") this.#takeKey(token, offset);
    else this.#takeValue(token, offset);
  }

  end(): void {
    const found = ", found the end of the file";
    const wanted: Partial<Record<Expected, string>> = {
      key: "expected a key",
      "first key": 'expected a key in double quotes, such as "id"',
      colon: `expected ":" after the key ${this.#key}`,
      more: `expected "," or "${this.#closers.at(-1)}"`,
    };
    if (this.#expected !== "end") refuse((wanted[this.#expected] ?? "expected a value") + found, this.length, 1);
  }

  #takeColon(token: string, offset: number): void {
    if (token !== ":") refuse(`expected ":" after the key ${this.#key}`, offset, token.length);
    this.#expected = "value";
  }

  #takeMore(token: string, offset: number): void {
    const closer = this.#closers.at(-1);
    if (token === closer) return this.#close(token, offset);
    if (token !== ",") refuse(`expected "," or "${closer}"`, offset, token.length);
    this.#comma = offset;
    this.#expected = closer === "}" ? "key" : "element";
  }

  #close(token: string, offset: number): void {
    const isTrailing = this.#expected === "key" || this.#expected === "element";
    if (isTrailing) refuse(`no "," may stand before "${token}"`, this.#comma, offset - this.#comma);
    this.#closers.pop();
    this.#ended();
  }

  #takeKey(token: string, offset: number): void {
    if (!token.startsWith('"')) refuse('expected a key in double quotes, such as "id"', offset, token.length);
    checkString(token, offset, "a key");
    this.#key = token;
    this.#expected = "colon";
  }

  #takeValue(token: string, offset: number): void {
    if (token === "{" || token === "[") {
      this.#closers.push(token === "{" ? "}" : "]");
      this.#expected = token === "{" ? "first key" : "first element";
    } else if (token.startsWith('"')) {
      checkString(token, offset, "a string");
      this.#ended();
    } else {
      this.#takeLiteral(token, offset);
    }
  }

  /** For YAML, what follows a literal without a comma is a part of it. */
  #takeLiteral(token: string, offset: number): void {
    const [literal] = LITERAL.exec(token) ?? [];
    if (literal === undefined) return refuse("expected a value", offset, token.length);
    this.#ended();
    const rest = token.slice(literal.length).trimStart();
    if (rest !== "") this.take(rest, offset + token.length - rest.length);
  }

  #ended(): void {
    this.#expected = this.#closers.length === 0 ? "end" : "more";
  }
}

function checkString(token: string, offset: number, what: string): void {
  if (STRING.test(token)) return;
  const [line = ""] = token.split("\n", 1);
  const known = KNOWN_ESCAPES.exec(line)?.[0].length ?? 0;
  if (line[known] === "\\") {
    refuse('an unknown escape; JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000', offset + known, 1);
  }
  refuse(`${what} must end with a double quote on its line; a line break in it is written \\n`, offset, line.length);
}

function refuse(message: string, offset: number, length: number): never {
  throw new Refusal({ message, offset, length });
}
