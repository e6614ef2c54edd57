/** Where in a JSON text things are: a syntax error, or the value that a finding's path names. */

/** Line and column count from 1, in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** Units to underline, within the line. */
  readonly length: number;
}

/** A text that is not JSON. The message says what was found and what would be right. */
export class JsonSyntaxError extends Error {
  override readonly name = "JsonSyntaxError";
  constructor(
    message: string,
    readonly place: Place,
  ) {
    super(message);
  }
}

/** What a path names: from `key`, for a member, or from `start`. */
interface Span {
  readonly key: number | undefined;
  readonly start: number;
  end: number;
  readonly scalar: boolean;
}

export type Segment = string | number;

/** `workflow.steps[0].params["a b"]` in parts. Undefined when the text is no such path. */
export function parsePath(path: string): readonly Segment[] | undefined {
  const segments: Segment[] = [];
  const part = /(?:^|\.)([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
  while (part.lastIndex < path.length) {
    const match = part.exec(path);
    if (!match) return undefined;
    const [, plain, index, quoted] = match;
    segments.push(plain ?? (index === undefined ? (JSON.parse(quoted ?? '""') as string) : Number(index)));
  }
  return segments;
}

const idOf = (segments: readonly Segment[]): string => segments.map((it) => JSON.stringify(it)).join("/");

/** The places of a JSON text. */
export class JsonPlaces {
  readonly #text: string;
  readonly #spans = new Map<string, Span>();

  /** @throws JsonSyntaxError */
  constructor(text: string) {
    this.#text = text;
    new Scanner(text, this.#spans).scan();
  }

  /**
   * The place of what the path names, or of the nearest thing around it that is there.
   * @param byKey shows a member by its key, whatever its value is.
   */
  find(path: readonly Segment[], byKey = false): Place {
    for (let length = path.length; length >= 0; length--) {
      const span = this.#spans.get(idOf(path.slice(0, length)));
      if (span) return this.#placeOf(span, byKey);
    }
    return placeAt(this.#text, 0, 1);
  }

  /** A scalar is shown itself, an object or array by its key. */
  #placeOf({ key, start, end, scalar }: Span, byKey: boolean): Place {
    if (scalar && !(byKey && key !== undefined)) return placeAt(this.#text, start, end - start);
    if (key === undefined) return placeAt(this.#text, start, 1);
    return placeAt(this.#text, key, this.#text.indexOf('"', key + 1) + 1 - key);
  }
}

/** Line and column of an offset. */
export function placeAt(text: string, offset: number, length: number): Place {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  const column = offset - (before.lastIndexOf("\n") + 1) + 1;
  const end = text.indexOf("\n", offset);
  return { line, column, length: Math.max(1, Math.min(length, (end < 0 ? text.length : end) - offset)) };
}

/** `file:3:7: message`, the line, and a caret below the place. */
export function pointOut(file: string, text: string, { line, column, length }: Place, message: string): string {
  const head = `${file}:${line}:${column}: ${message}`;
  const source = (text.split("\n")[line - 1] ?? "").replace(/\r$/, "");
  // A long line is shown around the place.
  const from = column > 100 ? column - 60 : 0;
  const shown = source.slice(from, from + 120);
  const lead = shown.slice(0, column - 1 - from).replace(/[^\t]/g, " ");
  const caret = "^".repeat(Math.max(1, Math.min(length, shown.length - lead.length)));
  const margin = `${line}`.length;
  return [head, `  ${line} | ${shown}`, `  ${" ".repeat(margin)} | ${lead}${caret}`].join("\n");
}

const MAX_DEPTH = 500;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings, and says so by their numbers.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const WORD = /true|false|null/y;
const BLANK = /[ \t\r\n]*/y;

class Scanner {
  #at = 0;
  readonly #path: Segment[] = [];

  constructor(
    readonly text: string,
    readonly spans: Map<string, Span>,
  ) {}

  scan(): void {
    if (this.text.startsWith("\uFEFF")) this.#at = 1;
    this.#value(undefined);
    this.#skip();
    if (this.#at < this.text.length) this.#fail("nothing may follow the end of the document");
  }

  #value(key: number | undefined): void {
    this.#skip();
    const start = this.#at;
    const first = this.text[start];
    const scalar = first !== "{" && first !== "[";
    if (this.#path.length > MAX_DEPTH) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
    const span: Span = { key, start, end: start, scalar };
    this.spans.set(idOf(this.#path), span);
    if (first === "{") this.#members();
    else if (first === "[") this.#elements();
    else if (first === '"') this.#string("a string");
    else if (!this.#take(NUMBER) && !this.#take(WORD)) this.#fail("expected a value");
    span.end = this.#at;
  }

  #members(): void {
    this.#at++;
    this.#skip();
    if (this.#accept("}")) return;
    do {
      this.#skip();
      const key = this.#at;
      if (this.text[key] !== '"') this.#fail('expected a key in double quotes, such as "id"');
      const name = JSON.parse(this.#string("a key")) as string;
      this.#skip();
      if (!this.#accept(":")) this.#fail(`expected ":" after the key ${JSON.stringify(name)}`);
      this.#path.push(name);
      this.#value(key);
      this.#path.pop();
      this.#skip();
    } while (this.#next("}"));
  }

  #elements(): void {
    this.#at++;
    this.#skip();
    if (this.#accept("]")) return;
    let index = 0;
    do {
      this.#path.push(index++);
      this.#value(undefined);
      this.#path.pop();
      this.#skip();
    } while (this.#next("]"));
  }

  /** After a member or element: true when another one follows. */
  #next(close: "}" | "]"): boolean {
    if (this.#accept(close)) return false;
    const comma = this.#at;
    if (!this.#accept(",")) this.#fail(`expected "," or "${close}"`);
    this.#skip();
    if (this.text[this.#at] === close) {
      this.#at = comma;
      this.#fail(`no "," may stand before "${close}"`);
    }
    return true;
  }

  #string(what: string): string {
    const start = this.#at;
    if (this.#take(STRING)) return this.text.slice(start, this.#at);
    const lineEnd = this.text.indexOf("\n", start);
    const line = this.text.slice(start, lineEnd < 0 ? undefined : lineEnd);
    const valid = /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*\\/.exec(line);
    if (valid) {
      this.#at = start + valid[0].length - 1;
      this.#fail('an unknown escape; JSON has \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000');
    }
    return this.#fail(`${what} must end with a double quote on its line; a line break in it is written \\n`);
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #accept(char: string): boolean {
    if (this.text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #skip(): void {
    this.#take(BLANK);
  }

  #fail(expected: string): never {
    const rest = /^(?:[\w.+-]+|[^\n])/.exec(this.text.slice(this.#at, this.#at + 60))?.[0];
    const found = this.#at >= this.text.length ? ", found the end of the file" : "";
    throw new JsonSyntaxError(`${expected}${found}`, placeAt(this.text, this.#at, rest?.length ?? 1));
  }
}
