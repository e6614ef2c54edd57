/**
 * Expressions to closures. Two numbers go down with the walk: `depth`, the operands that are already on the (virtual)
 * operand stack, and `cost`, the visits of enclosing nodes that are charged together with the first thing that runs.
 */
import type { Assign, Binary, Expr, Literal } from "../ast.ts";
import {
  arrayOf,
  type Box,
  boxArray,
  boxBoolean,
  boxDouble,
  boxLong,
  boxString,
  type Item,
  isArray,
  itemBox,
  type LongBox,
  NULL,
  toInt,
  wrapLong,
} from "../box.ts";
import type { Context } from "../context.ts";
import { type Position, SelError } from "../error.ts";
import { call, construct, defaultBox, field, newElementType, param, staticBox, typeNamed } from "../library/class.ts";
import { assign, binary, unary } from "../operator.ts";
import { comparisonTest, isComparison, operation } from "./fast.ts";
import { type Code, type Scope, visit } from "./scope.ts";

/** Binary chains deeper than this run in a loop instead of nested calls. */
const LONG_CHAIN = 32;

/** The box of a name: a static, a variable that was declared, assigned or read before, an input variable, or NULL. */
export function lookUp(cx: Context, slot: number, name: string): Box {
  const known = cx.slots[slot];
  if (known !== undefined) return known;
  const box = staticBox(name) ?? param(name, cx);
  if (box !== NULL) cx.slots[slot] = box;
  return box;
}

function literalBox(literal: Literal): Box {
  switch (literal.type) {
    case "LONG":
      return boxLong(wrapLong(literal.value));
    case "DOUBLE":
      return boxDouble(literal.value);
    case "STRING":
      return boxString(literal.value);
    case "BOOLEAN":
      return boxBoolean(literal.value);
    case "NULL":
      return NULL;
  }
}

/** A literal is one box for a whole evaluation: a declaration may bind it and change it (sel.md §2.2). */
function literal(node: Literal, scope: Scope, cost: number): Code {
  if (node.type === "NULL") {
    return (cx) => {
      visit(cx, cost);
      return NULL;
    };
  }
  const slot = scope.literals++;
  return (cx) => {
    cx.visits += cost;
    if (cx.visits >= cx.stopAt) cx.pause();
    const known = cx.literals[slot];
    if (known !== undefined) return known;
    const box = literalBox(node);
    cx.literals[slot] = box;
    return box;
  };
}

/** An operand of an operator never escapes, so all evaluations may share its box. */
function operandCode(expr: Expr, scope: Scope, depth: number, cost: number): Code {
  if (expr.kind !== "literal" || scope.checked) return expression(expr, scope, depth, cost);
  scope.push(depth);
  const box = literalBox(expr.literal);
  const visits = cost + 2;
  return (cx) => {
    cx.visits += visits;
    if (cx.visits >= cx.stopAt) cx.pause();
    return box;
  };
}

/** The push of something that is not a value: a type or a method name. */
function visits(cost: number, scope: Scope, depth: number): Code {
  return pushed(
    (cx) => {
      cx.visits += cost;
      if (cx.visits >= cx.stopAt) cx.pause();
      return NULL;
    },
    scope,
    depth,
  );
}

function pushed(code: Code, scope: Scope, depth: number): Code {
  const check = scope.push(depth);
  if (check === undefined) return code;
  return (cx) => {
    check(cx);
    return code(cx);
  };
}

/** @param cost visits of the nodes around this expression, its own wrapper included. */
export function expression(expr: Expr, scope: Scope, depth: number, cost: number): Code {
  switch (expr.kind) {
    case "binary":
      return binaryChain(expr, scope, depth, cost);
    case "ternary":
      return ternary(expr, scope, depth, cost + 1);
    case "unary":
      return unaryChain(expr, scope, depth, cost);
    case "assign":
      return assignment(expr, scope, depth, cost);
    default:
      // One Primary node for a prefix with all its suffixes.
      return primary(expr, scope, depth, cost + 1);
  }
}

/** An expression that the grammar wraps in an Expr node: arguments, indices, branches, right sides. */
export function wrapped(expr: Expr, scope: Scope, depth: number, cost = 0): Code {
  return expression(expr, scope, depth, cost + 1);
}

function primary(expr: Expr, scope: Scope, depth: number, cost: number): Code {
  switch (expr.kind) {
    case "literal":
      return pushed(literal(expr.literal, scope, cost + 1), scope, depth);
    case "name":
      return name(expr.name, expr.at, scope, depth, cost + 1);
    case "group":
      return wrapped(expr.inner, scope, depth, cost);
    case "index":
      return indexed(expr, scope, depth, cost);
    case "field":
      return fieldAccess(expr, scope, depth, cost);
    case "call":
      return methodCall(expr, scope, depth, cost);
    case "new":
      return construction(expr, scope, depth, cost);
    case "sized":
      return sizedArray(expr, scope, depth, cost);
    case "listed":
      return listedArray(expr, scope, depth, cost);
    default:
      return expression(expr, scope, depth, cost);
  }
}

function name(text: string, at: Position, scope: Scope, depth: number, cost: number): Code {
  const slot = scope.slot(text);
  const code: Code = (cx) => {
    cx.visits += cost;
    if (cx.visits >= cx.stopAt) cx.pause();
    const known = cx.slots[slot];
    if (known !== undefined) return known;
    cx.at = at;
    return lookUp(cx, slot, text);
  };
  return pushed(code, scope, depth);
}

// --- operators

function spine(expr: Binary): { first: Expr; steps: Binary[] } {
  const steps: Binary[] = [];
  let first: Expr = expr;
  for (; first.kind === "binary"; first = first.left) steps.push(first);
  return { first, steps: steps.reverse() };
}

function binaryChain(expr: Binary, scope: Scope, depth: number, cost: number): Code {
  const { first, steps } = spine(expr);
  const start = operandCode(first, scope, depth, cost + steps.length);
  if (steps.length <= LONG_CHAIN) {
    return steps.reduce<Code>(
      (left, step) => operation(step.operator, left, operandCode(step.right, scope, depth + 1, 0), step.at),
      start,
    );
  }
  const rights = steps.map((step) => ({ step, right: operandCode(step.right, scope, depth + 1, 0) }));
  return (cx) => {
    let left = start(cx);
    for (const { step, right } of rights) {
      const value = right(cx);
      cx.at = step.at;
      left = binary(step.operator, left, value, cx);
    }
    return left;
  };
}

function unaryChain(expr: Extract<Expr, { kind: "unary" }>, scope: Scope, depth: number, cost: number): Code {
  const operators = expr.operators.toReversed();
  // A plus gives its operand's own box, which must then be this evaluation's.
  const escapes = operators.every((operator) => operator === "+");
  const code = escapes ? expression : operandCode;
  const operand = code(expr.operand, scope, depth, cost + operators.length);
  const { at } = expr;
  return (cx) => {
    let box = operand(cx);
    cx.at = at;
    for (const operator of operators) box = unary(operator, box, cx);
    return box;
  };
}

/** A condition as a host boolean. @throws SelError type when it is not a BOOLEAN. */
export function condition(
  expr: Expr,
  scope: Scope,
  depth: number,
  cost: number,
  at: Position,
): (cx: Context) => boolean {
  if (expr.kind === "binary" && expr.left.kind !== "binary" && isComparison(expr.operator)) {
    const left = operandCode(expr.left, scope, depth, cost + 1);
    return comparisonTest(expr.operator, left, operandCode(expr.right, scope, depth + 1, 0), expr.at);
  }
  const code = expression(expr, scope, depth, cost);
  return (cx) => {
    const box = code(cx);
    if (box.type === "BOOLEAN") return box.content;
    cx.at = at;
    throw new SelError("type", `the condition is ${box.type}, not BOOLEAN`, undefined, "compare it with something");
  };
}

function ternary(expr: Extract<Expr, { kind: "ternary" }>, scope: Scope, depth: number, cost: number): Code {
  const test = condition(expr.test, scope, depth, cost, expr.at);
  const yes = wrapped(expr.yes, scope, depth);
  const no = wrapped(expr.no, scope, depth);
  return (cx) => (test(cx) ? yes(cx) : no(cx));
}

// --- assignment

/** Assigns to the box of a variable; `=` makes the variable when there is none. */
function store(cx: Context, slot: number, text: string, operator: Assign["operator"], value: Box): Box {
  const target = lookUp(cx, slot, text);
  if (target !== NULL || operator !== "=") {
    assign(operator, target, value, cx);
    return target;
  }
  const fresh = defaultBox(value.type);
  assign("=", fresh, value, cx);
  cx.slots[slot] = fresh;
  return fresh;
}

function assignment(expr: Assign, scope: Scope, depth: number, cost: number): Code {
  if (expr.index !== undefined) return elementAssignment(expr, expr.index, scope, depth, cost);
  const { name: text, operator, at } = expr;
  const slot = scope.slot(text);
  const value = wrapped(expr.value, scope, depth, cost + 3);
  return (cx) => {
    const box = value(cx);
    const target = cx.slots[slot];
    // The commonest cases: small integers.
    if (target !== undefined && target.type === "LONG" && box.type === "LONG") {
      if (operator === "=") {
        target.content = box.content;
        return target;
      }
      if (
        typeof target.content === "number" &&
        typeof box.content === "number" &&
        (operator === "+=" || operator === "-=")
      ) {
        const result = operator === "+=" ? target.content + box.content : target.content - box.content;
        if (Number.isSafeInteger(result)) {
          target.content = result;
          return target;
        }
      }
    }
    cx.at = at;
    return store(cx, slot, text, operator, box);
  };
}

function elementAssignment(expr: Assign, index: Expr, scope: Scope, depth: number, cost: number): Code {
  const { name: text, operator, at } = expr;
  const slot = scope.slot(text);
  const position = wrapped(index, scope, depth, cost + 3);
  const value = wrapped(expr.value, scope, depth + 1, 1);
  return (cx) => {
    const where = position(cx);
    const box = value(cx);
    cx.at = at;
    const array = lookUp(cx, slot, text);
    if (where.type !== "LONG") throw new SelError("type", `the index is ${where.type}, not LONG`);
    if (!isArray(array)) throw new SelError("type", `${text} is ${array.type}, not an array`);
    const target = element(array, where);
    assign(operator, target, box, cx);
    return target;
  };
}

// --- arrays

function element(array: Box & { content: Item[] }, index: LongBox): Box {
  const { length } = array.content;
  const at = toInt(index.content);
  if (at < 0 || at >= length)
    throw new SelError("index", `index ${at} of an array of length ${length}`, undefined, "the first is 0");
  return itemBox(array as Parameters<typeof itemBox>[0], at);
}

function subscript(target: Box, index: Box, cx: Context): Box {
  if (index.type === "LONG") {
    if (!isArray(target)) throw new SelError("type", `${target.type} has no elements`, undefined, "only arrays do");
    return element(target, index);
  }
  if (index.type !== "STRING") throw new SelError("type", `an index can't be ${index.type}`, undefined, "use a LONG");
  if (target.type !== "PRESET_PARAMS") {
    throw new SelError("type", `${target.type} can't be indexed with a STRING`, undefined, "for maps use get('…')");
  }
  return param(index.content ?? "null", cx);
}

function indexed(expr: Extract<Expr, { kind: "index" }>, scope: Scope, depth: number, cost: number): Code {
  const target = primary(expr.target, scope, depth, cost);
  const index = wrapped(expr.index, scope, depth + 1, 2);
  const { at } = expr;
  return (cx) => {
    const box = target(cx);
    const where = index(cx);
    cx.at = at;
    return subscript(box, where, cx);
  };
}

function sizedArray(expr: Extract<Expr, { kind: "sized" }>, scope: Scope, depth: number, cost: number): Code {
  const size = wrapped(expr.size, scope, depth + 1, cost + 3);
  const { at, element: typeName } = expr;
  return (cx) => {
    cx.at = at;
    const type = newElementType(typeName);
    const box = size(cx);
    cx.at = at;
    if (box.type !== "LONG") throw new SelError("type", `the size of an array is ${box.type}, not LONG`);
    const count = toInt(box.content);
    if (count < 0) throw new SelError("index", `an array can't have the size ${count}`);
    checkSize(count, cx);
    cx.charge(32 + 32 * count);
    const empty: Item = type === "STRING" ? null : type === "BOOLEAN" ? false : 0;
    return boxArray(arrayOf(type), new Array<Item>(count).fill(empty));
  };
}

function checkSize(count: number, cx: Context): void {
  if (count >= cx.arrayLimit) {
    throw new SelError("limit-array", `an array of ${count} elements; fewer than ${cx.arrayLimit} are allowed`);
  }
}

function listedArray(expr: Extract<Expr, { kind: "listed" }>, scope: Scope, depth: number, cost: number): Code {
  const { at, element: typeName } = expr;
  const type = visits(cost + 3, scope, depth);
  const items = expr.items.map((item, i) => wrapped(item, scope, depth + 1 + i));
  return (cx) => {
    cx.at = at;
    const kind = newElementType(typeName);
    type(cx);
    const boxes = items.map((item) => item(cx));
    cx.at = at;
    checkSize(boxes.length, cx);
    cx.charge(32 + 32 * boxes.length);
    const content = boxes.map((box): Item => {
      if (box.type !== kind) throw new SelError("type", `${box.type} in an array of ${kind}`);
      return box.content as Item;
    });
    return boxArray(arrayOf(kind), content);
  };
}

// --- fields, methods, constructors

function fieldAccess(expr: Extract<Expr, { kind: "field" }>, scope: Scope, depth: number, cost: number): Code {
  const target = primary(expr.target, scope, depth, cost);
  const { at, name: text } = expr;
  const own = visits(2, scope, depth + 1);
  return (cx) => {
    const box = target(cx);
    own(cx);
    cx.at = at;
    return field(box, text, cx);
  };
}

function methodCall(expr: Extract<Expr, { kind: "call" }>, scope: Scope, depth: number, cost: number): Code {
  const target = primary(expr.target, scope, depth, cost);
  const { at, name: text } = expr;
  const own = visits(4, scope, depth + 1);
  const key = `${text}/${expr.args.length}`;
  const args = expr.args.map((arg, i) => wrapped(arg, scope, depth + 2 + i));
  return (cx) => {
    const box = target(cx);
    own(cx);
    const values: Box[] = [];
    for (const arg of args) values.push(arg(cx));
    cx.at = at;
    return call(box, text, key, values, cx);
  };
}

function construction(expr: Extract<Expr, { kind: "new" }>, scope: Scope, depth: number, cost: number): Code {
  const { at, type } = expr;
  const own = visits(cost + 4, scope, depth);
  const args = expr.args.map((arg, i) => wrapped(arg, scope, depth + 1 + i));
  return (cx) => {
    own(cx);
    cx.at = at;
    typeNamed(type);
    const values = args.map((arg) => arg(cx));
    cx.at = at;
    return construct(type, values, cx);
  };
}
