/** The names that a program is considered to reference (sel.md §8.2). */
import type { Declaration, Expr, Statement, Tree } from "./ast.ts";
import { isStatic } from "./library/class.ts";

/** The first sight of each name decides: read, or target of a declaration or assignment. */
class Sights {
  private readonly seen = new Map<string, boolean>();

  note(name: string, read: boolean): void {
    if (!this.seen.has(name)) this.seen.set(name, read);
  }

  referenced(): string[] {
    return [...this.seen]
      .filter(([name, read]) => read && (name === "params" || !isStatic(name)))
      .map(([name]) => name);
  }

  expr(expr: Expr | undefined): void {
    switch (expr?.kind) {
      case undefined:
      case "literal":
        return;
      case "name":
        return this.note(expr.name, true);
      case "group":
        return this.expr(expr.inner);
      case "unary":
        return this.expr(expr.operand);
      case "new":
        return this.all(expr.args);
      case "sized":
        return this.expr(expr.size);
      case "listed":
        return this.all(expr.items);
      case "binary":
        return this.spine(expr);
      case "ternary":
        return this.all([expr.test, expr.yes, expr.no]);
      case "assign":
        this.note(expr.name, false);
        return this.all([expr.index, expr.value]);
      case "index":
      case "field":
      case "call":
        return this.suffixes(expr);
    }
  }

  all(exprs: readonly (Expr | undefined)[]): void {
    for (const expr of exprs) this.expr(expr);
  }

  /** Left-deep chains are as long as the text: no recursion along them. */
  private spine(expr: Expr): void {
    const rights: Expr[] = [];
    let left = expr;
    for (; left.kind === "binary"; left = left.left) rights.push(left.right);
    this.expr(left);
    this.all(rights.reverse());
  }

  private suffixes(expr: Expr): void {
    const chain: Expr[] = [];
    let target = expr;
    for (; target.kind === "index" || target.kind === "field" || target.kind === "call"; target = target.target)
      chain.push(target);
    this.expr(target);
    for (const suffix of chain.reverse()) {
      if (suffix.kind === "index") this.expr(suffix.index);
      if (suffix.kind === "call") this.all(suffix.args);
    }
  }

  declaration(node: Declaration): void {
    for (const { name, value } of node.declarators) {
      this.note(name, false);
      this.expr(value);
    }
  }

  statement(node: Statement | undefined): void {
    switch (node?.kind) {
      case "declaration":
        return this.declaration(node);
      case "expression":
        return this.expr(node.expr);
      case "block":
        for (const item of node.items) this.statement(item);
        return;
      case "if":
        this.expr(node.test);
        this.statement(node.yes);
        return this.statement(node.no);
      case "while":
        this.expr(node.test);
        return this.statement(node.body);
      case "for":
        if (node.init?.kind === "declaration") this.declaration(node.init);
        else this.expr(node.init);
        this.all([node.test, node.step]);
        return this.statement(node.body);
      case "return":
      case "throw":
        return this.expr(node.value);
    }
  }
}

export function referencedNames(tree: Tree): readonly string[] {
  const sights = new Sights();
  for (const item of tree.items) sights.statement(item);
  return sights.referenced();
}
