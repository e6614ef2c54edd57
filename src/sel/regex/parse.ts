/** The parser of java.util.regex's syntax. */
import { SelError } from "../error.ts";
import { digit, folded, horizontal, namedSet, space, vertical, word } from "./charset.ts";
import { type CharTest, lengths, type Node, type Pattern } from "./node.ts";

interface Flags {
  readonly i: boolean;
  readonly d: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly u: boolean;
  readonly x: boolean;
  readonly U: boolean;
}

const NO_FLAGS: Flags = { i: false, d: false, m: false, s: false, u: false, x: false, U: false };
const MAX_NESTING = 250;
const MAX_REPEAT = 2147483647;
const EMPTY: Node = { kind: "empty" };

const CONTROL: ReadonlyMap<string, number> = new Map([
  ["t", 9],
  ["n", 10],
  ["r", 13],
  ["f", 12],
  ["a", 7],
  ["e", 27],
]);

class RegexParser {
  private index = 0;
  private depth = 0;
  private groups = 0;
  private flags: Flags = NO_FLAGS;
  private readonly names = new Map<string, number>();

  constructor(private readonly source: string) {}

  parse(): Pattern {
    const root = this.choice();
    if (this.index < this.source.length) this.fail("a ) without (");
    return { root, groups: this.groups, names: this.names };
  }

  private fail(reason: string): never {
    const where = JSON.stringify(this.source.slice(Math.max(0, this.index - 10), this.index + 10));
    throw new SelError("argument", `the regular expression is wrong near ${where}: ${reason}`);
  }

  private peek(): string {
    return this.source[this.index] ?? "";
  }

  private accept(text: string): boolean {
    if (!this.source.startsWith(text, this.index)) return false;
    this.index += text.length;
    return true;
  }

  private match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.index;
    const found = pattern.exec(this.source);
    if (found !== null) this.index += found[0].length;
    return found;
  }

  private takeCode(): number {
    const code = this.source.codePointAt(this.index) ?? this.fail("it ends too early");
    this.index += code > 0xffff ? 2 : 1;
    return code;
  }

  /** With the flag x, blanks and comments between parts mean nothing. */
  private skipBlanks(): void {
    if (this.flags.x) this.match(/(?:[ \t\n\v\f\r]|#[^\n\r]*)*/y);
  }

  private choice(): Node {
    if (++this.depth > MAX_NESTING) throw new SelError("argument", "the regular expression is nested too deeply");
    const items = [this.sequence()];
    while (this.accept("|")) items.push(this.sequence());
    this.depth--;
    return items.length === 1 ? (items[0] ?? EMPTY) : { kind: "choice", items };
  }

  private sequence(): Node {
    const items: Node[] = [];
    for (this.skipBlanks(); this.index < this.source.length; this.skipBlanks()) {
      if (this.peek() === "|" || this.peek() === ")") break;
      if (this.accept("\\Q")) {
        this.quoted(items);
        continue;
      }
      const atom = this.atom();
      if (atom !== undefined) items.push(this.quantified(atom));
    }
    return items.length === 1 ? (items[0] ?? EMPTY) : { kind: "sequence", items };
  }

  private quoted(items: Node[]): void {
    const end = this.source.indexOf("\\E", this.index);
    const stop = end < 0 ? this.source.length : end;
    while (this.index < stop) {
      const code = this.takeCode();
      const atom = this.single(code);
      items.push(this.index >= stop ? this.afterQuote(atom, end) : atom);
    }
    if (this.index < this.source.length && this.source.startsWith("\\E", this.index)) this.index += 2;
  }

  private afterQuote(atom: Node, end: number): Node {
    if (end >= 0) this.index = end + 2;
    return this.quantified(atom);
  }

  private single(code: number): Node {
    const test: CharTest = (other) => other === code;
    // A lone surrogate is not plain: as a character it never is half of a pair.
    const plain = !this.flags.i && (code < 0xd800 || code > 0xdfff);
    return plain
      ? { kind: "char", test, literal: String.fromCodePoint(code) }
      : { kind: "char", test: this.fold(test) };
  }

  private fold(test: CharTest): CharTest {
    return this.flags.i ? folded(test, this.flags.u || this.flags.U) : test;
  }

  private anchor(anchor: Extract<Node, { kind: "anchor" }>["anchor"]): Node {
    return { kind: "anchor", anchor, unix: this.flags.d, unicode: this.flags.U };
  }

  private atom(): Node | undefined {
    switch (this.peek()) {
      case "(":
        return this.group();
      case "[":
        return this.bracketed();
      case ".":
        this.index++;
        return { kind: "char", test: this.dot() };
      case "^":
        this.index++;
        return this.anchor(this.flags.m ? "lineStart" : "start");
      case "$":
        this.index++;
        return this.anchor(this.flags.m ? "lineEnd" : "last");
      case "\\":
        return this.escape();
      case "*":
      case "+":
      case "?":
        return this.fail(`nothing that ${this.peek()} could repeat`);
      case "{":
        return this.fail("nothing that { could repeat; write \\{ for a brace");
      default:
        return this.single(this.takeCode());
    }
  }

  /** A set's cost is that of the tests that it may have to make. */
  private bracketed(): Node {
    const start = this.index++;
    const test = this.fold(this.set());
    return { kind: "char", test, cost: (this.index - start) >> 3 };
  }

  private dot(): CharTest {
    if (this.flags.s) return () => true;
    if (this.flags.d) return (code) => code !== 10;
    return (code) => code !== 10 && code !== 13 && code !== 0x85 && code !== 0x2028 && code !== 0x2029;
  }

  private quantified(atom: Node): Node {
    this.skipBlanks();
    const bounds = this.bounds();
    if (bounds === undefined) return atom;
    const mode = this.accept("+") ? "possessive" : this.accept("?") ? "lazy" : "greedy";
    return { kind: "repeat", inner: atom, min: bounds[0], max: bounds[1], mode };
  }

  private bounds(): readonly [number, number] | undefined {
    if (this.accept("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.accept("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.accept("?")) return [0, 1];
    if (this.peek() !== "{") return undefined;
    const [, low = "", comma, high = ""] =
      this.match(/\{(\d+)(,(\d*))?\}/y) ?? this.fail("a repetition is written {2}, {2,} or {2,5}");
    const min = Number(low);
    const max = comma === undefined ? min : high === "" ? Number.POSITIVE_INFINITY : Number(high);
    if (min > MAX_REPEAT || (max > MAX_REPEAT && high !== "") || max < min) this.fail("the bounds of a repetition");
    return [min, max];
  }

  private group(): Node | undefined {
    this.index++;
    const before = this.flags;
    if (!this.accept("?")) return this.captured(before);
    if (this.accept(":")) return this.closed(before);
    if (this.accept(">")) return { kind: "atomic", inner: this.closed(before) };
    if (this.accept("=")) return { kind: "look", behind: false, negative: false, inner: this.closed(before) };
    if (this.accept("!")) return { kind: "look", behind: false, negative: true, inner: this.closed(before) };
    if (this.accept("<=")) return this.behind(before, false);
    if (this.accept("<!")) return this.behind(before, true);
    if (this.accept("<")) return this.named(before);
    const [, on = "", , off = "", end = ""] =
      this.match(/([idmsuxU]*)(-([idmsuxU]*))?([:)])/y) ?? this.fail("an unknown kind of group");
    const flags: Record<string, boolean> = { ...this.flags };
    for (const flag of on) flags[flag] = true;
    for (const flag of off) flags[flag] = false;
    this.flags = flags as unknown as Flags;
    return end === ":" ? this.closed(before) : undefined;
  }

  /** The rest of a group; flags that were set inside end with it. */
  private closed(before: Flags): Node {
    const inner = this.choice();
    if (!this.accept(")")) this.fail("a group is not closed");
    this.flags = before;
    return inner;
  }

  private captured(before: Flags): Node {
    const index = ++this.groups;
    return { kind: "capture", index, inner: this.closed(before) };
  }

  private named(before: Flags): Node {
    const [, name = ""] = this.match(/([A-Za-z][A-Za-z0-9]*)>/y) ?? this.fail("a group's name has letters and digits");
    if (this.names.has(name)) this.fail(`two groups are named ${name}`);
    this.names.set(name, this.groups + 1);
    return this.captured(before);
  }

  private behind(before: Flags, negative: boolean): Node {
    const inner = this.closed(before);
    if (lengths(inner)[1] === Number.POSITIVE_INFINITY) this.fail("a look-behind needs an obvious maximum length");
    return { kind: "look", behind: true, negative, inner };
  }

  private escape(): Node | undefined {
    const next = this.source[this.index + 1];
    switch (next) {
      case "b":
      case "B":
      case "A":
      case "G":
      case "z":
      case "Z":
        this.index += 2;
        if (next === "b" && this.peek() === "{") this.fail("\\b{…} is not supported");
        return this.anchor(
          ({ b: "word", B: "notWord", A: "start", G: "previous", z: "end", Z: "last" } as const)[next],
        );
      case "R":
        this.index += 2;
        return this.linebreak();
      case "k":
        return this.namedBack();
      case "E":
        this.index += 2;
        return undefined;
      case "X":
      case "N":
        return this.fail(`\\${next} is not supported`);
    }
    if (next !== undefined && next >= "1" && next <= "9") return this.back();
    if (this.isSelf(next)) {
      this.index++;
      return this.single(this.takeCode());
    }
    return { kind: "char", test: this.fold(this.escapedSet()) };
  }

  private linebreak(): Node {
    const crlf: Node = {
      kind: "sequence",
      items: [13, 10].map((code): Node => ({ kind: "char", test: (c) => c === code })),
    };
    return { kind: "atomic", inner: { kind: "choice", items: [crlf, { kind: "char", test: vertical }] } };
  }

  private namedBack(): Node {
    this.index += 2;
    const [, name = ""] = this.match(/<([A-Za-z][A-Za-z0-9]*)>/y) ?? this.fail("\\k needs <name>");
    const group = this.names.get(name) ?? this.fail(`no group is named ${name}`);
    return { kind: "back", group, fold: this.flags.i };
  }

  private back(): Node {
    this.index++;
    let group = Number(this.peek());
    this.index++;
    for (let more = group * 10 + Number(this.peek()); /\d/.test(this.peek()) && more <= this.groups; ) {
      group = more;
      this.index++;
      more = group * 10 + Number(this.peek());
    }
    return { kind: "back", group, fold: this.flags.i };
  }

  /** A backslash and what follows it, where it stands for one character or a set. */
  private escapedSet(): CharTest {
    this.index++;
    const letter = this.peek();
    if (letter === "p" || letter === "P") return this.property(letter === "P");
    const set = this.shorthand(letter);
    if (set !== undefined) {
      this.index++;
      return set;
    }
    const code = this.escapedCode();
    return (other) => other === code;
  }

  /** Whether the escape at hand stands for itself: `\\.` and the like. */
  private isSelf(next: string | undefined): next is string {
    return next !== undefined && !/[A-Za-z0-9]/.test(next);
  }

  private shorthand(letter: string): CharTest | undefined {
    const wide = this.flags.U;
    const sets: Record<string, () => CharTest> = {
      d: () => (wide ? namedSet("Digit", true) : digit),
      w: () => (wide ? namedSet("word", true) : word),
      s: () => (wide ? namedSet("Space", true) : space),
      h: () => horizontal,
      v: () => vertical,
    };
    if (!"dwshvDWSHV".includes(letter) || letter === "") return undefined;
    const test = sets[letter.toLowerCase()]?.();
    return test === undefined || letter === letter.toLowerCase() ? test : (code) => !test(code);
  }

  private property(negative: boolean): CharTest {
    this.index++;
    const [, braced, bare] = this.match(/\{(\^?[\w=]+)\}|([A-Z])/y) ?? this.fail("\\p needs {name}");
    const test = namedSet(braced ?? bare ?? "", this.flags.U);
    return negative ? (code) => !test(code) : test;
  }

  /** The code of an escaped character; the backslash is already read. */
  private escapedCode(): number {
    const letter = this.peek();
    const control = CONTROL.get(letter);
    if (control !== undefined) {
      this.index++;
      return control;
    }
    const hex = this.match(/x([0-9a-fA-F]{2})|x\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})/y);
    if (hex !== null) return Number.parseInt(hex[1] ?? hex[2] ?? hex[3] ?? "0", 16);
    const octal = this.match(/0([0-3][0-7]{2}|[0-7]{1,2})/y);
    if (octal !== null) return Number.parseInt(octal[1] ?? "0", 8);
    if (this.accept("c")) return this.takeCode() ^ 64;
    if (/[A-Za-z0-9]/.test(letter) || letter === "") this.fail(`the escape \\${letter} is not known`);
    return this.takeCode();
  }

  /** A bracketed set, after its `[`. `&&` intersects everything before it with everything after it. */
  private set(): CharTest {
    if (++this.depth > MAX_NESTING) throw new SelError("argument", "the regular expression is nested too deeply");
    const negative = this.accept("^");
    let intersection: CharTest | undefined;
    let union: CharTest[] = [];
    const close = (): CharTest => {
      const parts = union;
      const own: CharTest = (code) => parts.some((test) => test(code));
      const outer = intersection;
      return outer === undefined ? own : parts.length === 0 ? outer : (code) => outer(code) && own(code);
    };
    for (let first = true; ; first = false) {
      if (this.flags.x) this.match(/[ \t\n\v\f\r]*/y);
      if (this.index >= this.source.length) this.fail("a character class is not closed");
      if (!first && this.accept("]")) break;
      if (this.accept("&&")) {
        intersection = close();
        union = [];
      } else {
        union.push(this.setItem());
      }
    }
    this.depth--;
    const test = close();
    return negative ? (code) => !test(code) : test;
  }

  private setItem(): CharTest {
    if (this.accept("[")) return this.set();
    if (this.accept("\\Q")) {
      const end = this.source.indexOf("\\E", this.index);
      const body = new Set([...this.source.slice(this.index, end < 0 ? undefined : end)].map((c) => c.codePointAt(0)));
      this.index = end < 0 ? this.source.length : end + 2;
      return (code) => body.has(code);
    }
    const from = this.setCode();
    if (typeof from !== "number") return from;
    if (this.peek() !== "-" || this.source[this.index + 1] === "]" || this.source[this.index + 1] === "[") {
      return (code) => code === from;
    }
    this.index++;
    const to = this.setCode();
    if (typeof to !== "number" || to < from) return this.fail("a range of characters is written a-z");
    return (code) => code >= from && code <= to;
  }

  private setCode(): number | CharTest {
    if (this.peek() !== "\\") return this.takeCode();
    const letter = this.source[this.index + 1] ?? "";
    if ("pPdDwWsShHvV".includes(letter) && letter !== "") return this.escapedSet();
    this.index++;
    return this.escapedCode();
  }
}

/** @throws SelError argument. */
export function parsePattern(source: string): Pattern {
  return new RegexParser(source).parse();
}
