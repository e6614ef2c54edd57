/** A recursive-descent parser that never backtracks: linear in the number of tokens. */
import type {
  Assign,
  AssignOperator,
  BinaryOperator,
  Declaration,
  Declarator,
  Expr,
  Import,
  Statement,
  Tree,
  UnaryOperator,
} from "./ast.ts";
import { type Position, SelError } from "./error.ts";
import { type Token, type TokenKind, tokenize } from "./lexer.ts";

/** Nested parentheses, subscripts, branches and blocks; upstream's parser overflows its stack at about as many. */
const MAX_NESTING = 500;
/** Consecutive unary operators; they cost no recursion, so more are allowed. */
const MAX_UNARY = 2_000;

const ASSIGN: ReadonlySet<string> = new Set(["=", "*=", "/=", "%=", "+=", "-="]);
const UNARY: ReadonlySet<string> = new Set(["-", "+", "!"]);
const PRIMITIVE: ReadonlySet<string> = new Set(["boolean", "int", "long", "float", "double"]);
const PRECEDENCE: ReadonlyMap<string, number> = new Map([
  ["||", 1],
  ["&&", 2],
  ["==", 3],
  ["!=", 3],
  ["<", 4],
  [">", 4],
  ["<=", 4],
  [">=", 4],
  ["+", 5],
  ["-", 5],
  ["*", 6],
  ["/", 6],
  ["%", 6],
]);
const HINTS: ReadonlyMap<string, string> = new Map([
  ["++", "write x += 1"],
  ["--", "write x -= 1, or put a blank between the two signs"],
  ["instanceof", "the type of a value can't be asked for"],
  ["switch", "use if … else if …"],
  ["do", "use while"],
  ["try", "errors can't be caught"],
  ["final", "leave it out"],
]);
const MAX_LONG = 9223372036854775807n;

class Parser {
  private index = 0;
  private depth = 0;
  private memory = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  // --- tokens

  private peek(ahead = 0): Token {
    return this.tokens[Math.min(this.index + ahead, this.tokens.length - 1)] as Token;
  }

  private is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.text === text && (token.kind === "operator" || token.kind === "keyword");
  }

  private take(): Token {
    const token = this.peek();
    this.index++;
    return token;
  }

  private accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.index++;
    return true;
  }

  private expect(text: string): Token {
    if (!this.is(text)) this.fail(`"${text}"`);
    return this.take();
  }

  private expectKind(kind: TokenKind, what: string): Token {
    if (this.peek().kind !== kind) this.fail(what);
    return this.take();
  }

  private fail(expected: string): never {
    const token = this.peek();
    const found = token.kind === "end" ? "the end" : `"${token.text}"`;
    throw new SelError("parse", `found ${found} where ${expected} was expected`, token.at, HINTS.get(token.text));
  }

  private nested<T>(at: Position, parse: () => T): T {
    if (++this.depth > MAX_NESTING) {
      throw new SelError("limit-stack", `nested deeper than ${MAX_NESTING} levels`, at, "use variables");
    }
    const result = parse();
    this.depth--;
    return result;
  }

  // --- statements

  program(text: string): Tree {
    const imports: Import[] = [];
    while (this.is("import")) imports.push(this.import());
    const items: Statement[] = [];
    while (this.peek().kind !== "end") items.push(this.item());
    return { text, imports, items, memory: this.memory };
  }

  private import(): Import {
    this.expect("import");
    const isStatic = this.accept("static");
    let path = this.expectKind("identifier", "a name").text;
    while (this.accept(".")) {
      if (this.accept("*")) {
        path += ".*";
        break;
      }
      path += `.${this.expectKind("identifier", "a name").text}`;
    }
    this.expect(";");
    return { static: isStatic, path };
  }

  private startsDeclaration(): boolean {
    const first = this.peek();
    if (first.kind !== "identifier" && !(first.kind === "keyword" && PRIMITIVE.has(first.text))) return false;
    const array = this.is("[", 1) && this.is("]", 2);
    return this.peek(array ? 3 : 1).kind === "identifier";
  }

  private item(): Statement {
    if (!this.startsDeclaration()) return this.statement();
    const declaration = this.declaration();
    this.expect(";");
    return declaration;
  }

  private declaration(): Declaration {
    const type = this.take();
    const array = this.accept("[");
    if (array) this.expect("]");
    const declarators: Declarator[] = [];
    do {
      const name = this.expectKind("identifier", "a variable name");
      declarators.push({ at: name.at, name: name.text, value: this.accept("=") ? this.expr() : undefined });
    } while (this.accept(","));
    return { kind: "declaration", at: type.at, type: type.text, array, declarators };
  }

  private statement(): Statement {
    return this.nested(this.peek().at, () => this.bareStatement());
  }

  private bareStatement(): Statement {
    const { at, kind, text } = this.peek();
    if (kind === "operator" && text === "{") return this.block();
    if (kind === "keyword") {
      switch (text) {
        case "if":
          return this.ifStatement();
        case "while":
          return { kind: "while", at, ...this.whileParts() };
        case "for":
          return this.forStatement();
        case "break":
        case "continue":
          this.take();
          this.expect(";");
          return { kind: text, at };
        case "return":
        case "throw": {
          this.take();
          const value = this.expr();
          this.expect(";");
          return { kind: text, at, value };
        }
      }
    }
    const expr = this.expr();
    this.expect(";");
    return { kind: "expression", at, expr };
  }

  private block(): Statement {
    const { at } = this.expect("{");
    const items: Statement[] = [];
    while (!this.is("}")) {
      if (this.peek().kind === "end") this.fail('"}"');
      items.push(this.item());
    }
    this.take();
    return { kind: "block", at, items };
  }

  private ifStatement(): Statement {
    const { at } = this.expect("if");
    this.expect("(");
    const test = this.expr();
    this.expect(")");
    const yes = this.statement();
    return { kind: "if", at, test, yes, no: this.accept("else") ? this.statement() : undefined };
  }

  private whileParts(): { test: Expr; body: Statement } {
    this.expect("while");
    this.expect("(");
    const test = this.expr();
    this.expect(")");
    return { test, body: this.statement() };
  }

  private forStatement(): Statement {
    const { at } = this.expect("for");
    this.expect("(");
    const init = this.is(";") ? undefined : this.startsDeclaration() ? this.declaration() : this.assignOrPrimary();
    this.expect(";");
    const test = this.is(";") ? undefined : this.expr();
    this.expect(";");
    const step = this.is(")") ? undefined : this.assignOrPrimary();
    this.expect(")");
    return { kind: "for", at, init, test, step, body: this.statement() };
  }

  private assignOrPrimary(): Expr {
    const { at } = this.peek();
    return this.assignTo(this.primary(), at);
  }

  // --- expressions

  private expr(): Expr {
    const { at } = this.peek();
    return this.nested(at, () => this.assignTo(this.conditional(), at));
  }

  /** What was read so far is an assignment's target if it looks like one and an assignment operator follows. */
  private assignTo(target: Expr, at: Position): Expr {
    const operator = this.peek();
    if (operator.kind !== "operator" || !ASSIGN.has(operator.text)) return target;
    const base = target.kind === "index" ? target.target : target;
    if (base.kind !== "name") {
      throw new SelError(
        "parse",
        "this can't be assigned to",
        operator.at,
        "only a variable or one of its elements can",
      );
    }
    this.take();
    const assign: Assign = {
      kind: "assign",
      at,
      name: base.name,
      index: target.kind === "index" ? target.index : undefined,
      operator: operator.text as AssignOperator,
      value: this.expr(),
    };
    return assign;
  }

  private conditional(): Expr {
    const test = this.binary(1);
    if (!this.is("?")) return test;
    const { at } = this.take();
    const yes = this.expr();
    this.expect(":");
    return { kind: "ternary", at, test, yes, no: this.expr() };
  }

  private binary(minimum: number): Expr {
    let left = this.unary();
    for (;;) {
      const operator = this.peek();
      const precedence = operator.kind === "operator" ? PRECEDENCE.get(operator.text) : undefined;
      if (precedence === undefined || precedence < minimum) return left;
      this.take();
      const right = this.binary(precedence + 1);
      left = { kind: "binary", at: operator.at, operator: operator.text as BinaryOperator, left, right };
    }
  }

  private unary(): Expr {
    const { at } = this.peek();
    const operators: UnaryOperator[] = [];
    while (this.peek().kind === "operator" && UNARY.has(this.peek().text)) {
      if (operators.push(this.take().text as UnaryOperator) > MAX_UNARY) {
        throw new SelError("limit-stack", `more than ${MAX_UNARY} signs in a row`, at);
      }
    }
    const operand = this.primary();
    return operators.length === 0 ? operand : { kind: "unary", at, operators, operand };
  }

  private primary(): Expr {
    let expr = this.prefix();
    for (;;) {
      const { at } = this.peek();
      if (this.accept("[")) {
        expr = { kind: "index", at, target: expr, index: this.expr() };
        this.expect("]");
      } else if (this.accept(".")) {
        const name = this.expectKind("identifier", "a field or method name");
        this.memory += 32 + 2 * name.text.length;
        expr = this.is("(")
          ? { kind: "call", at: name.at, target: expr, name: name.text, args: this.args() }
          : { kind: "field", at: name.at, target: expr, name: name.text };
      } else {
        return expr;
      }
    }
  }

  private prefix(): Expr {
    const { kind, text, at } = this.peek();
    switch (kind) {
      case "identifier":
        this.take();
        return { kind: "name", at, name: text };
      case "string":
        this.take();
        this.memory += 32 + 2 * text.length;
        return { kind: "literal", at, literal: { type: "STRING", value: text } };
      case "integer":
        return { kind: "literal", at, literal: { type: "LONG", value: this.integer() } };
      case "floating":
        this.take();
        this.memory += 32;
        return { kind: "literal", at, literal: { type: "DOUBLE", value: Number(text.replace(/[fFdD]$/, "")) } };
      case "keyword":
        if (text === "new") return this.alloc();
        if (text === "null") {
          this.take();
          return { kind: "literal", at, literal: { type: "NULL" } };
        }
        if (text === "true" || text === "false") {
          this.take();
          this.memory += 32;
          return { kind: "literal", at, literal: { type: "BOOLEAN", value: text === "true" } };
        }
        return this.fail("an expression");
    }
    if (!this.accept("(")) this.fail("an expression");
    const inner = this.expr();
    this.expect(")");
    return { kind: "group", at, inner };
  }

  private integer(): bigint {
    const { text, at } = this.take();
    this.memory += 32;
    if (/^0[xX]/.test(text))
      throw new SelError("parse", "hexadecimal numbers are not supported", at, "write it in decimal");
    const value = BigInt(text.replace(/[lL]$/, ""));
    if (value > MAX_LONG) {
      throw new SelError(
        "parse",
        "the number does not fit 64 bits",
        at,
        "the smallest is written -9223372036854775807 - 1",
      );
    }
    return value;
  }

  private alloc(): Expr {
    const { at } = this.expect("new");
    const type = this.peek();
    if (type.kind !== "identifier" && !(type.kind === "keyword" && PRIMITIVE.has(type.text))) this.fail("a type name");
    this.take();
    if (this.accept("[")) {
      if (this.accept("]")) return { kind: "listed", at, element: type.text, items: this.items() };
      const size = this.expr();
      this.expect("]");
      return { kind: "sized", at, element: type.text, size };
    }
    if (type.kind === "keyword" || !this.is("(")) this.fail(type.kind === "keyword" ? '"["' : '"(" or "["');
    return { kind: "new", at, type: type.text, args: this.args() };
  }

  private items(): Expr[] {
    const items: Expr[] = [];
    this.expect("{");
    if (!this.is("}") && !this.is(",")) {
      items.push(this.expr());
      while (this.is(",") && !this.is("}", 1)) {
        this.take();
        items.push(this.expr());
      }
    }
    this.accept(",");
    this.expect("}");
    return items;
  }

  private args(): Expr[] {
    const args: Expr[] = [];
    this.expect("(");
    if (this.accept(")")) return args;
    do args.push(this.expr());
    while (this.accept(","));
    this.expect(")");
    return args;
  }
}

/** Parses a sanitized program. @throws SelError `parse`, or `limit-stack` when it is nested too deeply. */
export function parseTree(text: string): Tree {
  return new Parser(tokenize(text)).program(text);
}
