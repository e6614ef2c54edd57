/** Rules about operators and literals. */
import type { Binary, Declaration, Expr } from "../ast.ts";
import { bare, type Facts, rootOf, within } from "./fact.ts";
import type { Report } from "./rule.ts";

const INTEGERS: ReadonlySet<string> = new Set(["int", "long", "Integer", "Long"]);
const DOUBLES: ReadonlySet<string> = new Set(["float", "double", "Float", "Double"]);

/** `&&` and `||` evaluate both sides: what the left one was to guard against happens. */
export function shortCircuit({ exprs }: Facts, report: Report): void {
  for (const { expr } of exprs) {
    if (expr.kind !== "binary" || (expr.operator !== "&&" && expr.operator !== "||")) continue;
    const problem = unguarded(expr);
    if (problem === undefined) continue;
    report(
      expr.at,
      `both sides of ${expr.operator} are always evaluated: ${problem}`,
      expr.operator === "&&" ? 'guard with "test ? … : false"' : 'guard with "test ? true : …"',
    );
  }
}

function unguarded({ left, right }: Binary): string | undefined {
  const guards = new Set<string>();
  for (const part of within(left)) if (part.kind === "name") guards.add(part.name);
  const guarded = (expr: Expr): string | undefined => {
    const root = rootOf(expr);
    return root !== undefined && guards.has(root) ? root : undefined;
  };
  for (const part of within(right)) {
    if (part.kind === "assign") return `${part.name} is assigned whatever the left side says`;
    if (part.kind === "binary" && (part.operator === "/" || part.operator === "%") && mayBeZero(part.right)) {
      return `the right side divides whatever the left side says`;
    }
    if (part.kind === "call" || part.kind === "field") {
      const name = guarded(part.target);
      if (name !== undefined && isNullTest(left, name, part))
        return `${name} is used even if the left side says it can't be`;
    }
    if (part.kind === "index") {
      const name = guarded(part.target) ?? guarded(part.index);
      if (name !== undefined) return `the element is read whatever the left side says of ${name}`;
    }
  }
  return undefined;
}

/** The left side asks whether the thing is there: it compares it with null, or a map whether it has a key. */
function isNullTest(left: Expr, name: string, used: Expr): boolean {
  for (const part of within(left)) {
    if (part.kind === "binary" && (part.operator === "==" || part.operator === "!=")) {
      const sides = [bare(part.left), bare(part.right)];
      if (sides.some(isNull) && sides.some((side) => rootOf(side) === name)) return true;
    }
    const asks = part.kind === "call" && part.name === "containsKey" && rootOf(part) === name;
    if (asks && (used.kind === "field" || used.kind === "call") && bare(used.target).kind === "call") return true;
  }
  return false;
}

const isNull = (expr: Expr): boolean => expr.kind === "literal" && expr.literal.type === "NULL";

/** A divisor that is no literal; a literal zero in LONG arithmetic fails, too. */
function mayBeZero(divisor: Expr): boolean {
  const inner = bare(divisor);
  if (inner.kind !== "literal") return true;
  return inner.literal.type === "LONG" && inner.literal.value === 0n;
}

type Kind = "LONG" | "DOUBLE" | "STRING" | "OBJECT";

/** The kind of a literal, or of a name that is declared with one type throughout. */
function kinds({ uses }: Facts): (expr: Expr) => Kind | undefined {
  const declared = new Map<string, Kind | undefined>();
  for (const use of uses) {
    if (use.kind !== "declare") continue;
    const kind = kindOf(use.declaration);
    declared.set(use.name, declared.has(use.name) && declared.get(use.name) !== kind ? undefined : kind);
  }
  return (expr) => {
    const inner = bare(expr);
    if (inner.kind === "name") return declared.get(inner.name);
    const literal = inner.kind === "unary" ? bare(inner.operand) : inner;
    if (literal.kind !== "literal") return undefined;
    const { type } = literal.literal;
    return type === "LONG" || type === "DOUBLE" || type === "STRING" ? type : undefined;
  };
}

function kindOf({ type, array }: Declaration): Kind | undefined {
  if (array) return "OBJECT";
  if (INTEGERS.has(type)) return "LONG";
  if (DOUBLES.has(type)) return "DOUBLE";
  if (type === "String") return "STRING";
  return /^(?:boolean|Boolean|UUID)$/.test(type) ? undefined : "OBJECT";
}

/** Numbers against texts, maps and dates against null, null in arithmetic. */
export function comparison(facts: Facts, report: Report): void {
  const kind = kinds(facts);
  for (const { expr } of facts.exprs) {
    if (expr.kind !== "binary") continue;
    const { at, operator, left, right } = expr;
    const [leftKind, rightKind] = [kind(left), kind(right)];
    const equality = operator === "==" || operator === "!=";
    if (equality && (leftKind === "LONG" || leftKind === "DOUBLE") && rightKind === "STRING") {
      report(
        at,
        "a number on the left of a text is compared as text: 5 == '5', but not 5 == '5.0'",
        "convert the text with Long.valueOf or Double.valueOf",
      );
    }
    if (equality && leftKind === "OBJECT" && isNull(bare(right))) {
      report(at, `arrays, maps and dates know no ${operator}: this always fails`, `write null ${operator} …`);
    }
    if (isNull(bare(left)) && operator === "+") report(at, 'null + x is the text "null…"', "test for null first");
    if (isNull(bare(left)) && (operator === "<" || operator === ">")) {
      report(at, `null ${operator} x is always false`, "test for null first");
    }
  }
}

/** Nothing converts integers to doubles but operators. */
export function promotion(facts: Facts, report: Report): void {
  const kind = kinds(facts);
  for (const use of facts.uses) {
    const value =
      use.kind === "declare" ? use.value : use.kind === "assign" && !use.node.index ? use.node.value : undefined;
    if (!value) continue;
    const target =
      use.kind === "declare" ? kindOf(use.declaration) : kind({ kind: "name", at: use.at, name: use.name });
    const given = bare(value).kind === "name" ? undefined : kind(value);
    if (target === "DOUBLE" && given === "LONG") {
      report(
        use.at,
        `an integer is not converted for the double ${use.name}: this always fails`,
        "write it with a point, such as 1.0",
      );
    }
    if (target === "LONG" && given === "DOUBLE") {
      report(
        use.at,
        `a double is not converted for the integer ${use.name}: this always fails`,
        "write it without a point",
      );
    }
  }
}

/** `010` is ten. */
export function leadingZero({ exprs, tree }: Facts, report: Report): void {
  for (const { expr } of exprs) {
    if (expr.kind !== "literal" || expr.literal.type !== "LONG") continue;
    if (!/^0\d/.test(tree.text.slice(expr.at.offset, expr.at.offset + 2))) continue;
    report(expr.at, `a leading zero does not mean octal: this is ${expr.literal.value}`, "leave the zero out");
  }
}
