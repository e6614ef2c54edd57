/**
 * Statements to closures.
 *
 * Upstream keeps statement results on its operand stack; a statement pops one leftover when it starts, and a program
 * that ends with leftovers fails. `cx.left` counts them. The parts of a `for` that are missing leave one each, which
 * is visible in rare programs and kept (sel.md §2.4).
 */
import type { Declaration, Expr, Statement, Tree } from "../ast.ts";
import { type Box, VOID } from "../box.ts";
import type { Context } from "../context.ts";
import { type Position, SelError } from "../error.ts";
import { declaredType, defaultBox } from "../library/class.ts";
import { condition, expression, wrapped } from "./expression.ts";
import { BREAK, CONTINUE, NOTHING, RETURN, type Run, Scope, type Signal, THROWN, VALUE, visit } from "./scope.ts";

function popLeft(cx: Context): void {
  if (cx.left > 0) cx.left--;
}

/** A block item. `cost` as for expressions. */
function item(node: Statement, scope: Scope, cost: number): Run {
  return node.kind === "declaration" ? declaration(node, scope, cost) : statement(node, scope, cost + 1);
}

/** @param cost includes the Statement node itself. */
function statement(node: Statement, scope: Scope, cost: number): Run {
  scope.statements++;
  switch (node.kind) {
    case "declaration":
      return declaration(node, scope, cost);
    case "expression":
      return expressionStatement(node.expr, scope, cost);
    case "block":
      return block(node.items, scope, cost + 1);
    case "if":
      return ifStatement(node, scope, cost + 1);
    case "while":
      return whileLoop(node, scope, cost + 1);
    case "for":
      return forLoop(node, scope, cost + 1);
    case "break":
    case "continue": {
      const signal = node.kind === "break" ? BREAK : CONTINUE;
      return (cx) => {
        visit(cx, cost + 1);
        popLeft(cx);
        return signal;
      };
    }
    case "return":
      return returnStatement(node.value, scope, cost + 1);
    case "throw":
      return throwStatement(node.value, node.at, scope, cost + 1);
  }
}

function expressionStatement(expr: Expr, scope: Scope, cost: number): Run {
  const code = wrapped(expr, scope, 0, cost);
  return (cx) => {
    if (cx.left > 0) cx.left--;
    cx.result = code(cx);
    cx.left++;
    return VALUE;
  };
}

function returnStatement(value: Expr, scope: Scope, cost: number): Run {
  const code = wrapped(value, scope, 0, cost);
  return (cx) => {
    popLeft(cx);
    cx.result = code(cx);
    return RETURN;
  };
}

function throwStatement(value: Expr, at: Position, scope: Scope, cost: number): Run {
  const code = wrapped(value, scope, 0, cost);
  return (cx) => {
    popLeft(cx);
    const box = code(cx);
    cx.at = at;
    if (box.type !== "STRING")
      throw new SelError("type", `${box.type} thrown`, undefined, "only a STRING can be thrown");
    cx.result = box;
    return THROWN;
  };
}

function declaration(node: Declaration, scope: Scope, cost: number): Run {
  const { at, type: typeName, array } = node;
  const declarators = node.declarators.map((one) => ({
    at: one.at,
    slot: scope.slot(one.name),
    value: one.value === undefined ? undefined : wrapped(one.value, scope, 1, 2),
  }));
  return (cx) => {
    visit(cx, cost + 3);
    cx.at = at;
    const type = declaredType(typeName, array);
    for (const { slot, value, at: where } of declarators) {
      if (value === undefined) visit(cx, 2);
      const box: Box = value === undefined ? defaultBox(type) : value(cx);
      cx.at = where;
      if (box.type !== type) {
        throw new SelError(
          "type",
          `a value of type ${box.type} for a variable of type ${type}`,
          undefined,
          "the types must be the same",
        );
      }
      cx.slots[slot] = box;
    }
    return NOTHING;
  };
}

function block(nodes: readonly Statement[], scope: Scope, cost: number): Run {
  const items = nodes.map((node) => item(node, scope, 0));
  return (cx) => {
    visit(cx, cost);
    popLeft(cx);
    let signal: Signal = NOTHING;
    for (let i = 0; i < items.length; i++) {
      signal = (items[i] as Run)(cx);
      if (signal > VALUE) return signal;
    }
    return signal;
  };
}

/** A value that nobody takes is popped. */
function discard(cx: Context, signal: Signal): Signal {
  if (signal !== VALUE) return signal;
  cx.left--;
  return NOTHING;
}

function ifStatement(node: Extract<Statement, { kind: "if" }>, scope: Scope, cost: number): Run {
  const test = condition(node.test, scope, 0, cost + 1, node.at);
  const yes = statement(node.yes, scope, 1);
  const no = node.no === undefined ? undefined : statement(node.no, scope, 1);
  return (cx) => {
    popLeft(cx);
    if (test(cx)) return discard(cx, yes(cx));
    return no === undefined ? NOTHING : discard(cx, no(cx));
  };
}

/** Counts an iteration that is complete. @throws SelError limit-loop. */
function completed(cx: Context, count: number, at: Position): void {
  if (count < cx.loopLimit) return;
  cx.at = at;
  throw new SelError("limit-loop", `the loop ran ${count} times`, undefined, "let it end earlier");
}

function whileLoop(node: Extract<Statement, { kind: "while" }>, scope: Scope, cost: number): Run {
  const test = condition(node.test, scope, 0, 1, node.at);
  const body = statement(node.body, scope, 1);
  const { at } = node;
  return (cx) => {
    visit(cx, cost);
    popLeft(cx);
    for (let count = 1; test(cx); count++) {
      const signal = discard(cx, body(cx));
      if (signal === BREAK) break;
      if (signal > CONTINUE) return signal;
      completed(cx, count, at);
    }
    return NOTHING;
  };
}

type ForNode = Extract<Statement, { kind: "for" }>;

/** A part of a `for`: its value is dropped, a missing part leaves an operand behind. */
function forPart(part: ForNode["init"], scope: Scope): (cx: Context) => void {
  if (part === undefined) {
    return (cx) => {
      visit(cx, 1);
      cx.left++;
    };
  }
  return part.kind === "declaration" ? declaration(part, scope, 1) : expression(part, scope, 0, 1);
}

function always(cx: Context): boolean {
  visit(cx, 1);
  return true;
}

function forLoop(node: ForNode, scope: Scope, cost: number): Run {
  const init = forPart(node.init, scope);
  const test = node.test === undefined ? always : condition(node.test, scope, 0, 1, node.at);
  const step = forPart(node.step, scope);
  const body = statement(node.body, scope, 1);
  const { at } = node;
  return (cx) => {
    visit(cx, cost);
    popLeft(cx);
    init(cx);
    for (let count = 1; test(cx); count++) {
      const signal = discard(cx, body(cx));
      if (signal === BREAK) break;
      if (signal > CONTINUE) return signal;
      step(cx);
      completed(cx, count, at);
    }
    return NOTHING;
  };
}

export interface Compiled {
  readonly run: (cx: Context) => Box;
  readonly slots: number;
  readonly literals: number;
  /** No more operands than this are ever on the stack at once. */
  readonly operands: number;
}

function finish(cx: Context, box: Box): Box {
  if (cx.left > 0) {
    throw new SelError(
      "control-flow",
      "the program leaves values behind",
      undefined,
      "write all three parts of each for, or use while",
    );
  }
  return box;
}

/** @param checked whether to compare every push with the operand limit. */
export function compile(tree: Tree, checked: boolean): Compiled {
  const scope = new Scope(checked);
  const start = 1 + tree.imports.length;
  const items = tree.items.map((node, i) => item(node, scope, i === 0 ? start : 0));
  const run = (cx: Context): Box => {
    if (items.length === 0) visit(cx, start);
    let signal: Signal = NOTHING;
    for (let i = 0; i < items.length; i++) {
      signal = (items[i] as Run)(cx);
      if (signal >= RETURN) break;
    }
    switch (signal) {
      case VALUE:
        cx.left--;
        return finish(cx, cx.result as Box);
      case RETURN:
        return finish(cx, cx.result as Box);
      case THROWN:
        throw new SelError("thrown", String(cx.result?.content));
      case BREAK:
      case CONTINUE:
        throw new SelError(
          "control-flow",
          `${signal === BREAK ? "break" : "continue"} outside of a loop ends the program`,
        );
      default:
        return VOID;
    }
  };
  return { run, slots: scope.size, literals: scope.literals, operands: scope.deepest + scope.statements };
}
