/** Binary, unary and assignment operators by the types of their operands (sel.md §2.5). */
import type { AssignOperator, BinaryOperator, UnaryOperator } from "./ast.ts";
import { type Box, boxBoolean, boxDouble, boxLong, boxString, type Long, NULL, wrapLong } from "./box.ts";
import type { Context } from "./context.ts";
import { SelError } from "./error.ts";
import { textOf } from "./text.ts";

function unsupported(box: Box, operator: string): never {
  const hint = operator === "==" || operator === "!=" ? "to test for null write null == x" : undefined;
  throw new SelError(
    "unsupported",
    `a value of type ${box.type} does not know the operator ${operator}`,
    undefined,
    hint,
  );
}

function mismatch(left: Box, right: Box, operator: string): never {
  throw new SelError(
    "type",
    `${left.type} ${operator} ${right.type}: the types don't fit`,
    undefined,
    "convert one side, for instance with Long.valueOf(…), Double.valueOf(…) or '' + x",
  );
}

function boolean(value: boolean, cx: Context): Box {
  cx.charge(32);
  return boxBoolean(value);
}

function concat(left: string, right: string, cx: Context): Box {
  cx.charge(32 + 2 * (left.length + right.length));
  return boxString(left + right);
}

function divide(left: bigint, right: bigint, operator: string): bigint {
  if (right === 0n) throw new SelError("arithmetic", "division by zero", undefined, "test the divisor first");
  return operator === "/" ? left / right : left % right;
}

/** Integer arithmetic in 64 bits. @returns undefined when the operator is not arithmetic. */
export function longArithmetic(operator: string, left: Long, right: Long): Long | undefined {
  if (typeof left === "number" && typeof right === "number") {
    const quick = quickArithmetic(operator, left, right);
    if (quick !== undefined && Number.isSafeInteger(quick)) return quick + 0;
  }
  const a = BigInt(left);
  const b = BigInt(right);
  switch (operator) {
    case "+":
      return wrapLong(a + b);
    case "-":
      return wrapLong(a - b);
    case "*":
      return wrapLong(a * b);
    case "/":
    case "%":
      return wrapLong(divide(a, b, operator));
    default:
      return undefined;
  }
}

function quickArithmetic(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return right === 0 ? undefined : exactQuotient(left, right);
    case "%":
      return right === 0 ? undefined : left % right;
    default:
      return undefined;
  }
}

/** The double quotient of two safe integers may round up to the next integer; below 2^31 it can't. */
function exactQuotient(left: number, right: number): number | undefined {
  return left === (left | 0) ? Math.trunc(left / right) : undefined;
}

function doubleArithmetic(operator: string, left: number, right: number): number | undefined {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    case "%":
      return left % right;
    default:
      return undefined;
  }
}

function compare(operator: string, left: Long, right: Long): boolean | undefined {
  switch (operator) {
    case "<":
      return left < right;
    case ">":
      return left > right;
    case "<=":
      return left <= right;
    case ">=":
      return left >= right;
    case "==":
      return left === right;
    case "!=":
      return left !== right;
    default:
      return undefined;
  }
}

function longOperation(operator: BinaryOperator, left: Box & { type: "LONG" }, right: Box, cx: Context): Box {
  switch (right.type) {
    case "LONG": {
      const result = longArithmetic(operator, left.content, right.content);
      if (result !== undefined) {
        cx.charge(32);
        return boxLong(result);
      }
      const verdict = compare(operator, left.content, right.content);
      return verdict === undefined ? unsupported(left, operator) : boolean(verdict, cx);
    }
    case "DOUBLE":
      return doubleOperation(operator, Number(left.content), right, left, cx);
    case "STRING":
      return stringOperation(operator, String(left.content), right, right, cx);
    case "NULL":
      return operator === "==" || operator === "!=" ? boolean(operator === "!=", cx) : mismatch(left, right, operator);
    default:
      return mismatch(left, right, operator);
  }
}

function doubleOperation(operator: BinaryOperator, left: number, right: Box, box: Box, cx: Context): Box {
  switch (right.type) {
    case "LONG":
    case "DOUBLE": {
      const other = Number(right.content);
      const result = doubleArithmetic(operator, left, other);
      if (result !== undefined) {
        cx.charge(32);
        return boxDouble(result);
      }
      const verdict = compare(operator, left, other);
      return verdict === undefined ? unsupported(box, operator) : boolean(verdict, cx);
    }
    case "STRING":
      return stringOperation(operator, textOf(boxDouble(left), cx), right, right, cx);
    case "NULL":
      return operator === "==" || operator === "!=" ? boolean(operator === "!=", cx) : unsupported(box, operator);
    case "UUID":
    case "MATH":
    case "PRESET_PARAMS":
    case "PRESET_UTIL_FUNCTION":
    case "PRESET_MISC_FUNC_FIELDS":
      return unsupported(right, operator);
    default:
      return mismatch(box, right, operator);
  }
}

/** `box` is whose type an error names: a number became text when its other side was a STRING. */
function stringOperation(operator: BinaryOperator, left: string | null, right: Box, box: Box, cx: Context): Box {
  if (operator === "+") return concat(left ?? "null", textOf(right, cx), cx);
  if (operator !== "==" && operator !== "!=") return unsupported(box, operator);
  if (right.type !== "STRING" && right.type !== "NULL") return mismatch(box, right, operator);
  if (left !== null && left.length > 64) cx.toil(left.length >> 4);
  return boolean((left === right.content) === (operator === "=="), cx);
}

function booleanOperation(operator: BinaryOperator, left: Box & { type: "BOOLEAN" }, right: Box, cx: Context): Box {
  if (right.type === "NULL" && (operator === "==" || operator === "!=")) return boolean(operator === "!=", cx);
  if (right.type !== "BOOLEAN") return mismatch(left, right, operator);
  switch (operator) {
    case "&&":
      return boolean(left.content && right.content, cx);
    case "||":
      return boolean(left.content || right.content, cx);
    case "==":
      return boolean(left.content === right.content, cx);
    case "!=":
      return boolean(left.content !== right.content, cx);
    default:
      return unsupported(left, operator);
  }
}

function nullOperation(operator: BinaryOperator, right: Box, cx: Context): Box {
  switch (operator) {
    case "+":
      return concat("null", textOf(right, cx), cx);
    case "<":
    case ">":
      return boolean(false, cx);
    case "==":
    case "!=":
      if (isBare(right)) return unsupported(right, operator);
      return boolean((right.content === null) === (operator === "=="), cx);
    default:
      return unsupported(NULL, operator);
  }
}

function isBare(box: Box): boolean {
  return box.type === "UUID" || box.type === "MATH" || box.type.startsWith("PRESET_");
}

/** @throws SelError type, unsupported or arithmetic. */
export function binary(operator: BinaryOperator, left: Box, right: Box, cx: Context): Box {
  switch (left.type) {
    case "LONG":
      return longOperation(operator, left, right, cx);
    case "DOUBLE":
      return doubleOperation(operator, left.content, right, left, cx);
    case "STRING":
      return stringOperation(operator, left.content, right, left, cx);
    case "BOOLEAN":
      return booleanOperation(operator, left, right, cx);
    case "NULL":
      return nullOperation(operator, right, cx);
    default:
      return unsupported(left, operator);
  }
}

/** @throws SelError unsupported. */
export function unary(operator: UnaryOperator, box: Box, cx: Context): Box {
  if (operator === "!") {
    return box.type === "BOOLEAN" ? boolean(!box.content, cx) : unsupported(box, operator);
  }
  if (box.type !== "LONG" && box.type !== "DOUBLE") return unsupported(box, operator);
  if (operator === "+") return box;
  cx.charge(32);
  if (box.type === "DOUBLE") return boxDouble(-box.content);
  return boxLong(typeof box.content === "number" ? 0 - box.content : wrapLong(-box.content));
}

/** Changes the content of `target` in place. @throws SelError type, unsupported or arithmetic. */
export function assign(operator: AssignOperator, target: Box, value: Box, cx: Context): void {
  if (operator !== "=") return update(operator, target, value, cx);
  switch (target.type) {
    case "UUID":
    case "MATH":
    case "PRESET_PARAMS":
    case "PRESET_UTIL_FUNCTION":
    case "PRESET_MISC_FUNC_FIELDS":
    case "NULL":
    case "VOID":
      return unsupported(target, operator);
  }
  if (target.type !== value.type) mismatch(target, value, operator);
  (target as { content: unknown }).content = value.content;
}

function update(operator: AssignOperator, target: Box, value: Box, cx: Context): void {
  const sign = operator[0] as BinaryOperator;
  switch (target.type) {
    case "LONG":
      if (value.type !== "LONG") return mismatch(target, value, operator);
      target.content = longArithmetic(sign, target.content, value.content) ?? 0;
      return;
    case "DOUBLE":
      if (value.type !== "DOUBLE") return mismatch(target, value, operator);
      target.content = doubleArithmetic(sign, target.content, value.content) ?? 0;
      return;
    case "STRING": {
      if (sign !== "+") return unsupported(target, operator);
      const text = textOf(value, cx);
      const content = target.content ?? "null";
      cx.grow(2 * (content.length + text.length));
      target.content = content + text;
      return;
    }
    default:
      return unsupported(target, operator);
  }
}
