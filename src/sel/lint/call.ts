/** Rules about calls, subscripts and how a program ends. */
import type { Expr, Statement } from "../ast.ts";
import { bare, type Facts, rootOf } from "./fact.ts";
import type { Report } from "./rule.ts";

const MIN_INT = -(2n ** 31n);
const MAX_INT = 2n ** 31n - 1n;

/** Methods that take a LONG as it is; every other one narrows it. */
const WIDE: ReadonlySet<string> = new Set(["Long", "Integer", "Math", "Double", "Float"]);

/** An integer literal with its sign. */
function integerOf(expr: Expr): bigint | undefined {
  const inner = bare(expr);
  if (inner.kind === "literal") return inner.literal.type === "LONG" ? inner.literal.value : undefined;
  if (inner.kind !== "unary" || inner.operators.includes("!")) return undefined;
  const value = integerOf(inner.operand);
  const negative = inner.operators.filter((it) => it === "-").length % 2 === 1;
  return value !== undefined && negative ? -value : value;
}

/** Text and date methods, subscripts and sizes see the low 32 bits of an integer. */
export function narrowed({ exprs }: Facts, report: Report): void {
  for (const { expr } of exprs) {
    if (expr.kind === "call" && !WIDE.has(rootOf(expr.target) ?? "") && expr.name !== "put") {
      if (!expr.args.some((it) => (integerOf(it) ?? 0n) < MIN_INT)) continue;
      report(
        expr.at,
        `${expr.name} sees only the low 32 bits of a number below -2147483648`,
        "make it a text first: '' + number",
      );
    }
    const subscript = expr.kind === "index" ? expr.index : expr.kind === "sized" ? expr.size : undefined;
    const value = subscript && integerOf(subscript);
    if (value !== undefined && (value > MAX_INT || value < MIN_INT)) {
      report(expr.at, "subscripts and sizes use only the low 32 bits of a number", "use a number up to 2147483647");
    }
  }
}

/** `new int[2][2]` reads an element; maps have no subscripts. */
export function subscript({ exprs }: Facts, report: Report): void {
  for (const { expr } of exprs) {
    if (expr.kind !== "index") continue;
    if (expr.target.kind === "sized") {
      report(
        expr.at,
        "this is an element of the new array: there are no arrays of arrays",
        "use one array and compute the index",
      );
    }
    const index = bare(expr.index);
    const isText = index.kind === "literal" && index.literal.type === "STRING";
    if (isText && !(expr.target.kind === "name" && expr.target.name === "params")) {
      report(expr.at, "maps have no subscripts: this always fails", "write .get('…')");
    }
  }
}

/** Outside of a loop, `break` and `continue` leave a statement, not the program. */
export function strayJump({ strays }: Facts, report: Report): void {
  for (const at of strays) {
    report(at, "outside of a loop this goes on with the next statement at the top", "write return, or a condition");
  }
}

/** A program whose last statement has no value has no result. */
export function noResult({ tree }: Facts, report: Report): void {
  const last = tree.items.at(-1);
  if (!last || last.kind === "expression" || !completes(last) || hasValue(last)) return;
  report(
    last.at,
    "the program may end with this statement, which has no value: then it has no result",
    "end with return …",
  );
}

/** Whether control may get past a statement. */
function completes(node: Statement): boolean {
  switch (node.kind) {
    case "return":
    case "throw":
      return false;
    case "block":
      return node.items.every(completes);
    case "if":
      return completes(node.yes) || node.no === undefined || completes(node.no);
    case "while":
      return !isTrue(node.test) || jumps(node.body);
    case "for":
      return (node.test !== undefined && !isTrue(node.test)) || jumps(node.body);
    default:
      return true;
  }
}

/** A block's value is that of its last statement. */
function hasValue(node: Statement): boolean {
  const last = node.kind === "block" ? node.items.at(-1) : node;
  return last !== undefined && (last.kind === "expression" || (last.kind === "block" && hasValue(last)));
}

const isTrue = (test: Expr): boolean => {
  const inner = bare(test);
  return inner.kind === "literal" && inner.literal.type === "BOOLEAN" && inner.literal.value;
};

/** Whether a loop's body has a `break` of that loop. */
function jumps(node: Statement | undefined): boolean {
  switch (node?.kind) {
    case "break":
      return true;
    case "block":
      return node.items.some(jumps);
    case "if":
      return jumps(node.yes) || jumps(node.no);
    default:
      return false;
  }
}
