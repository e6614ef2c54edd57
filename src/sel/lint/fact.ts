/** What the rules look at: every expression, and every use of a name in the order of evaluation, with its scope. */
import type { Assign, Declaration, Declarator, Expr, Statement, Tree } from "../ast.ts";
import type { Position } from "../error.ts";

/** A block, a loop or a branch as Java would see it; the language itself has one scope. */
export interface Scope {
  readonly parent: Scope | undefined;
  /** What stands in it runs many times in one run of its parent. */
  readonly repeated: boolean;
}

interface Used {
  readonly name: string;
  readonly at: Position;
  readonly scope: Scope;
  readonly order: number;
}

export type Declared = Used & {
  readonly kind: "declare";
  readonly declaration: Declaration;
  readonly value: Expr | undefined;
};
export type Assigned = Used & { readonly kind: "assign"; readonly node: Assign };
export type Use = Declared | Assigned | (Used & { readonly kind: "read" });

export interface Facts {
  readonly tree: Tree;
  readonly uses: readonly Use[];
  readonly exprs: readonly { readonly expr: Expr; readonly order: number }[];
  /** `break` and `continue` outside of any loop. */
  readonly strays: readonly Position[];
}

export const isRepeated = (scope: Scope | undefined): boolean =>
  scope !== undefined && (scope.repeated || isRepeated(scope.parent));

/** Whether `scope` is `outer` or inside of it. */
export function isWithin(scope: Scope, outer: Scope): boolean {
  for (let at: Scope | undefined = scope; at; at = at.parent) if (at === outer) return true;
  return false;
}

/** Without parentheses around it: they keep the box. */
export function bare(expr: Expr): Expr {
  let inner = expr;
  while (inner.kind === "group") inner = inner.inner;
  return inner;
}

/** The name that a chain of fields, calls and subscripts begins with. */
export function rootOf(expr: Expr): string | undefined {
  let root = bare(expr);
  while (root.kind === "index" || root.kind === "field" || root.kind === "call") root = bare(root.target);
  return root.kind === "name" ? root.name : undefined;
}

/** Every expression inside of one, itself first. Chains may be as long as the text: no recursion at all. */
export function* within(expr: Expr): Generator<Expr> {
  const open: Expr[] = [expr];
  for (let next = open.pop(); next; next = open.pop()) {
    yield next;
    open.push(...partsOf(next).reverse());
  }
}

/** What an expression is made of, in the order in which it is evaluated. */
function partsOf(expr: Expr): Expr[] {
  switch (expr.kind) {
    case "literal":
    case "name":
      return [];
    case "group":
      return [expr.inner];
    case "unary":
      return [expr.operand];
    case "new":
      return [...expr.args];
    case "sized":
      return [expr.size];
    case "listed":
      return [...expr.items];
    case "binary":
      return [expr.left, expr.right];
    case "ternary":
      return [expr.test, expr.yes, expr.no];
    case "assign":
      return expr.index === undefined ? [expr.value] : [expr.index, expr.value];
    case "index":
      return [expr.target, expr.index];
    case "field":
      return [expr.target];
    case "call":
      return [expr.target, ...expr.args];
  }
}

export function factsOf(tree: Tree): Facts {
  const collector = new Collector();
  const top: Scope = { parent: undefined, repeated: false };
  for (const item of tree.items) collector.statement(item, top, false);
  return { tree, uses: collector.uses, exprs: collector.exprs, strays: collector.strays };
}

class Collector {
  readonly uses: Use[] = [];
  readonly exprs: { expr: Expr; order: number }[] = [];
  readonly strays: Position[] = [];
  #order = 0;

  statement(node: Statement | undefined, scope: Scope, inLoop: boolean): void {
    switch (node?.kind) {
      case undefined:
        return;
      case "declaration":
        return this.#declaration(node, scope);
      case "expression":
        return this.#expr(node.expr, scope);
      case "block": {
        const inner = { parent: scope, repeated: false };
        for (const item of node.items) this.statement(item, inner, inLoop);
        return;
      }
      case "if":
        this.#expr(node.test, scope);
        this.statement(node.yes, { parent: scope, repeated: false }, inLoop);
        return this.statement(node.no, { parent: scope, repeated: false }, inLoop);
      case "while": {
        const body = { parent: scope, repeated: true };
        this.#expr(node.test, body);
        return this.statement(node.body, body, true);
      }
      case "for":
        return this.#loop(node, { parent: scope, repeated: false });
      case "return":
      case "throw":
        return this.#expr(node.value, scope);
      case "break":
      case "continue":
        if (!inLoop) this.strays.push(node.at);
    }
  }

  #loop(node: Extract<Statement, { kind: "for" }>, header: Scope): void {
    if (node.init?.kind === "declaration") this.#declaration(node.init, header);
    else this.#expr(node.init, header);
    const body = { parent: header, repeated: true };
    this.#expr(node.test, body);
    this.statement(node.body, body, true);
    this.#expr(node.step, body);
  }

  #declaration(declaration: Declaration, scope: Scope): void {
    for (const declarator of declaration.declarators) this.#declarator(declaration, declarator, scope);
  }

  #declarator(declaration: Declaration, { name, at, value }: Declarator, scope: Scope): void {
    this.#expr(value, scope);
    this.uses.push({ kind: "declare", name, at, scope, order: this.#order++, declaration, value });
  }

  #expr(expr: Expr | undefined, scope: Scope): void {
    if (!expr) return;
    for (const part of within(expr)) {
      const order = this.#order++;
      this.exprs.push({ expr: part, order });
      const { at } = part;
      if (part.kind === "name") this.uses.push({ kind: "read", name: part.name, at, scope, order });
      if (part.kind === "assign") this.uses.push({ kind: "assign", name: part.name, at, scope, order, node: part });
    }
  }
}
