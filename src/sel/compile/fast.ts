/** Binary operators with short cuts for small integers; everything else goes to `operator.ts`. */
import type { BinaryOperator } from "../ast.ts";
import { type Box, boxBoolean, boxLong } from "../box.ts";
import type { Context } from "../context.ts";
import type { Position } from "../error.ts";
import { binary } from "../operator.ts";
import type { Code } from "./scope.ts";

type Arithmetic = (left: number, right: number) => number;
type Comparison = (left: number, right: number) => boolean;

function charge(cx: Context): void {
  cx.memory += 32;
  if (cx.memory >= cx.memoryLimit) cx.charge(0);
}

/** One closure per operator, each with its own inline caches. */
function arithmetic(operator: BinaryOperator, left: Code, right: Code, at: Position, run: Arithmetic): Code {
  return (cx) => {
    const a = left(cx);
    const b = right(cx);
    cx.at = at;
    if (a.type === "LONG" && b.type === "LONG" && typeof a.content === "number" && typeof b.content === "number") {
      const result = run(a.content, b.content);
      if (Number.isSafeInteger(result)) {
        charge(cx);
        return boxLong(result + 0);
      }
    }
    return binary(operator, a, b, cx);
  };
}

function comparison(operator: BinaryOperator, left: Code, right: Code, at: Position, run: Comparison): Code {
  return (cx): Box => {
    const a = left(cx);
    const b = right(cx);
    cx.at = at;
    if (a.type === "LONG" && b.type === "LONG" && typeof a.content === "number" && typeof b.content === "number") {
      charge(cx);
      return boxBoolean(run(a.content, b.content));
    }
    return binary(operator, a, b, cx);
  };
}

const COMPARISONS: ReadonlyMap<BinaryOperator, Comparison> = new Map<BinaryOperator, Comparison>([
  ["<", (a, b) => a < b],
  [">", (a, b) => a > b],
  ["<=", (a, b) => a <= b],
  [">=", (a, b) => a >= b],
  ["==", (a, b) => a === b],
  ["!=", (a, b) => a !== b],
]);

export function isComparison(operator: BinaryOperator): boolean {
  return COMPARISONS.has(operator);
}

/** A comparison whose result is a condition: charged as {@link operation}, but without a box for small integers. */
export function comparisonTest(
  operator: BinaryOperator,
  left: Code,
  right: Code,
  at: Position,
): (cx: Context) => boolean {
  const compare = COMPARISONS.get(operator) as Comparison;
  return (cx) => {
    const a = left(cx);
    const b = right(cx);
    cx.at = at;
    if (a.type === "LONG" && b.type === "LONG" && typeof a.content === "number" && typeof b.content === "number") {
      charge(cx);
      return compare(a.content, b.content);
    }
    return binary(operator, a, b, cx).content === true;
  };
}

/** The code of one binary operation. */
export function operation(operator: BinaryOperator, left: Code, right: Code, at: Position): Code {
  switch (operator) {
    case "+":
      return arithmetic(operator, left, right, at, (a, b) => a + b);
    case "-":
      return arithmetic(operator, left, right, at, (a, b) => a - b);
    case "*":
      return arithmetic(operator, left, right, at, (a, b) => a * b);
    case "<":
      return comparison(operator, left, right, at, (a, b) => a < b);
    case ">":
      return comparison(operator, left, right, at, (a, b) => a > b);
    case "<=":
      return comparison(operator, left, right, at, (a, b) => a <= b);
    case ">=":
      return comparison(operator, left, right, at, (a, b) => a >= b);
    case "==":
      return comparison(operator, left, right, at, (a, b) => a === b);
    case "!=":
      return comparison(operator, left, right, at, (a, b) => a !== b);
    default:
      return (cx) => {
        const a = left(cx);
        const b = right(cx);
        cx.at = at;
        return binary(operator, a, b, cx);
      };
  }
}
