import { type Position, SelError } from "./error.ts";

export type TokenKind = "integer" | "floating" | "string" | "identifier" | "keyword" | "operator" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** The token's text; for a string its content with the escapes resolved. */
  readonly text: string;
  readonly at: Position;
}

const KEYWORDS: ReadonlySet<string> = new Set(
  (
    "abstract boolean break byte case catch char class const continue default do double else extends false final " +
    "finally float for goto if implements import instanceof int interface long native new null package private " +
    "protected public return short static super switch synchronized this throw throws transient true try void " +
    "volatile while"
  ).split(" "),
);

const BLANK = /[ \t\n\r\f]+|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//y;
const FLOATING = /\d+\.\d*(?:[eE][+-]?\d+)?[fFdD]?|\.\d+(?:[eE][+-]?\d+)?[fFdD]?|\d+(?:[eE][+-]?\d+[fFdD]?|[fFdD])/y;
const INTEGER = /0[xX][0-9a-fA-F]+[lL]?|[1-9]\d*[lL]?|0[0-7]*[lL]?/y;
const IDENTIFIER =
  /[$_A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u3040-\u318f\u3300-\u337f\u3400-\u3d2d\u4e00-\u9fff\uf900-\ufaff][$_A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u3040-\u318f\u3300-\u337f\u3400-\u3d2d\u4e00-\u9fff\uf900-\ufaff]*/y;
const STRING =
  /'(?:[^'\\\n\r]|\\(?:[ntbrf\\'"]|[0-7]{1,2}|[0-3][0-7]{2}))*'|"(?:[^"\\\n\r]|\\(?:[ntbrf\\'"]|[0-7]{1,2}|[0-3][0-7]{2}))*"/y;
const OPERATOR = />>>=|<<=|>>=|>>>|<<|>>|\+\+|--|&&|\|\||[=!<>+\-*/%&|^]=|[=<>+\-*/%!?:~&|^(){}[\];,.]/y;

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["b", "\b"],
  ["r", "\r"],
  ["f", "\f"],
]);

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text with its unicode escapes decoded; `origin(i)` is where the i-th unit came from. */
interface Decoded {
  readonly text: string;
  readonly origin: (index: number) => number;
}

/** Positions of one text, asked for in ascending order. */
class Ruler {
  private line = 1;
  private start = 0;
  private next = 0;

  constructor(private readonly text: string) {}

  at(offset: number): Position {
    for (; this.next < offset; this.next++) {
      const unit = this.text.charCodeAt(this.next);
      if (unit !== 10 && (unit !== 13 || this.text.charCodeAt(this.next + 1) === 10)) continue;
      this.line++;
      this.start = this.next + 1;
    }
    return { offset, line: this.line, column: offset - this.start + 1 };
  }
}

/** @returns the position of `offset` in `text`. */
export function positionOf(text: string, offset: number): Position {
  return new Ruler(text).at(offset);
}

/** A backslash that ends an odd run of them and is followed by `u…` and four hex digits stands for that unit. */
function decodeUnicode(source: string): Decoded {
  const text = source.isWellFormed() ? source : source.replace(LONE_SURROGATE, "?");
  if (!text.includes("\\u")) return { text, origin: (index) => index };
  const origins: number[] = [];
  let out = "";
  for (let i = 0; i < text.length; ) {
    const found = /^\\(\\|u+([0-9a-fA-F]{4})|u)/.exec(
      text.slice(i, i + 2) === "\\u" ? text.slice(i) : text.slice(i, i + 2),
    );
    const hex = found?.[2];
    if (found !== null && hex === undefined && found[1] === "u") {
      throw new SelError("parse", "a unicode escape needs four hexadecimal digits", positionOf(source, i), "\\u0041");
    }
    const piece =
      hex === undefined ? text.slice(i, i + (found?.[0].length ?? 1)) : String.fromCharCode(parseInt(hex, 16));
    for (let k = 0; k < piece.length; k++) origins.push(hex === undefined ? i + k : i);
    out += piece;
    i += hex === undefined ? piece.length : (found?.[0].length ?? 1);
  }
  return { text: out, origin: (index) => origins[index] ?? text.length };
}

function stringContent(raw: string, at: Position): string {
  const body = raw.slice(1, -1);
  if (!body.includes("\\")) return body;
  return body.replace(/\\(.)/g, (_all, unit: string) => {
    if (unit >= "0" && unit <= "7") {
      throw new SelError("parse", `octal escape \\${unit} in a string`, at, "write it as \\u followed by four digits");
    }
    return ESCAPES.get(unit) ?? unit;
  });
}

function match(pattern: RegExp, text: string, index: number): string {
  pattern.lastIndex = index;
  return pattern.exec(text)?.[0] ?? "";
}

function explain(text: string, index: number): [message: string, hint: string | undefined] {
  const unit = text[index] ?? "";
  if (text.startsWith("/*", index)) return ["a comment is not closed", "end it with */"];
  if (unit === "'" || unit === '"') {
    return [
      `a string is not closed, or has an escape that is not known`,
      `end it with ${unit}; escapes: \\n \\t \\b \\r \\f \\\\ \\' \\"`,
    ];
  }
  const code = (text.codePointAt(index) ?? 0).toString(16).padStart(4, "0");
  return [
    `the character "${String.fromCodePoint(text.codePointAt(index) ?? 0)}" (U+${code}) has no meaning here`,
    undefined,
  ];
}

/** Splits a program into tokens, the last of which is `end`. @throws SelError parse. */
export function tokenize(source: string): Token[] {
  const { text, origin } = decodeUnicode(source);
  const ruler = new Ruler(source);
  const tokens: Token[] = [];
  for (let i = 0; ; ) {
    for (let blank = match(BLANK, text, i); blank !== ""; blank = match(BLANK, text, i)) i += blank.length;
    if (i >= text.length) {
      tokens.push({ kind: "end", text: "", at: ruler.at(source.length) });
      return tokens;
    }
    const at = ruler.at(origin(i));
    const [kind, raw] = scan(text, i);
    if (raw === "") {
      const [message, hint] = explain(text, i);
      throw new SelError("parse", message, at, hint);
    }
    tokens.push({ kind, text: kind === "string" ? stringContent(raw, at) : raw, at });
    i += raw.length;
  }
}

function scan(text: string, index: number): [TokenKind, string] {
  const unit = text[index] ?? "";
  if ((unit >= "0" && unit <= "9") || unit === ".") {
    const floating = match(FLOATING, text, index);
    const integer = match(INTEGER, text, index);
    if (floating.length > integer.length) return ["floating", floating];
    if (integer !== "") return ["integer", integer];
  }
  if (unit === "'" || unit === '"') return ["string", match(STRING, text, index)];
  const word = match(IDENTIFIER, text, index);
  if (word !== "") return [KEYWORDS.has(word) ? "keyword" : "identifier", word];
  if (text.startsWith("/*", index)) return ["operator", ""];
  return ["operator", match(OPERATOR, text, index)];
}
