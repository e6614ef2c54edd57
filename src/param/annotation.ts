/**
 * The syntax of validators: annotations as Java writes them, `@Min(1) @Pattern(regexp = "[a-z]+", message = "…")`, with
 * or without package, blanks or commas between them. It knows no annotation by name.
 */

/** A literal of an attribute; numbers keep their text, names and texts are told apart. */
export type Attribute =
  | { readonly kind: "text" | "number" | "name"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Attribute[] };

export interface Annotation {
  /** Without `@` and package. */
  readonly name: string;
  /** `value` for the only one, when it has no name. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** A text that is no list of annotations. The message says where and what would be right. */
export class AnnotationError extends Error {
  override readonly name = "AnnotationError";
}

/** @throws AnnotationError */
export function parseAnnotations(text: string): readonly Annotation[] {
  return new Reader(text).all();
}

const BLANK = /\s*/y;
const NAME = /[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*/y;
const NUMBER = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?/y;
const SUFFIX = /[lLdDfF]?/y;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", s: " " };

/** Lists within lists. */
const MAX_DEPTH = 5;

class Reader {
  #at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  all(): readonly Annotation[] {
    const found: Annotation[] = [];
    this.#match(BLANK);
    while (this.#at < this.#text.length) {
      if (found.length > 0) this.#accept(",");
      found.push(this.#annotation());
      this.#match(BLANK);
    }
    if (found.length === 0) this.#fail("is empty; write an annotation such as @NotNull");
    return found;
  }

  #annotation(): Annotation {
    if (!this.#accept("@")) this.#fail("expected an annotation, which begins with @, such as @NotNull");
    const name = this.#match(NAME) || this.#fail("expected the name of an annotation after @");
    const attributes = new Map<string, Attribute>();
    if (!this.#accept("(")) return { name: simple(name), attributes };
    while (!this.#accept(")")) {
      if (attributes.size > 0 && !this.#accept(",")) this.#fail('expected "," or ")"');
      const [key, value] = this.#attribute();
      if (attributes.has(key)) this.#fail(`the attribute ${key} is given twice`);
      attributes.set(key, value);
    }
    return { name: simple(name), attributes };
  }

  #attribute(): readonly [string, Attribute] {
    const start = this.#at;
    this.#match(BLANK);
    const key = this.#match(NAME);
    if (key !== "" && this.#accept("=")) return [key, this.#value(1)];
    this.#at = start;
    return ["value", this.#value(1)];
  }

  #value(depth: number): Attribute {
    this.#match(BLANK);
    const first = this.#text[this.#at];
    if (first === '"' || first === "'") return { kind: "text", text: this.#quoted(first) };
    if (first === "{") return this.#list(depth);
    const number = this.#match(NUMBER);
    if (number !== "") {
      this.#match(SUFFIX);
      return { kind: "number", text: number };
    }
    const name = this.#match(NAME);
    if (name !== "") return { kind: "name", text: name };
    return this.#fail("expected a value: a number, a text in double quotes, true or false");
  }

  #list(depth: number): Attribute {
    if (depth > MAX_DEPTH) this.#fail("the braces are nested too deeply");
    this.#accept("{");
    const items: Attribute[] = [];
    while (!this.#accept("}")) {
      if (items.length > 0 && !this.#accept(",")) this.#fail('expected "," or "}"');
      items.push(this.#value(depth + 1));
    }
    return { kind: "list", items };
  }

  #quoted(quote: string): string {
    let out = "";
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const letter = this.#text[at] as string;
      if (letter === quote) {
        this.#at = at + 1;
        return out;
      }
      if (letter !== "\\") {
        out += letter;
        continue;
      }
      const code = /^u+([0-9a-fA-F]{4})/.exec(this.#text.slice(at + 1, at + 12));
      const escaped = this.#text[at + 1] ?? "";
      out += code ? String.fromCharCode(Number.parseInt(code[1] ?? "", 16)) : (ESCAPES[escaped] ?? escaped);
      at += code ? code[0].length : 1;
    }
    return this.#fail("a text is not closed: its quote is missing");
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #accept(mark: string): boolean {
    this.#match(BLANK);
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    this.#match(BLANK);
    return true;
  }

  #fail(problem: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    throw new AnnotationError(rest === "" ? `${problem}, at its end` : `${problem}, at ${JSON.stringify(rest)}`);
  }
}

const simple = (name: string): string => name.slice(name.lastIndexOf(".") + 1);
