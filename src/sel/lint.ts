/**
 * Where a program relies on a way of the language that surprises: results that workflows depend on, so they are kept,
 * and that whoever writes a new program will hardly mean. Decided on the tree alone; nothing is evaluated.
 */
import type { Position } from "./error.ts";
import { alias, sharedLiteral, storedBox } from "./lint/box.ts";
import { narrowed, noResult, strayJump, subscript } from "./lint/call.ts";
import { type Facts, factsOf } from "./lint/fact.ts";
import { comparison, leadingZero, promotion, shortCircuit } from "./lint/operator.ts";
import type { Report } from "./lint/rule.ts";
import { blockScope, builtinName, unseenParam } from "./lint/scope.ts";
import { parse } from "./program.ts";

const RULES = {
  "shared-literal": sharedLiteral,
  aliasing: alias,
  "stored-box": storedBox,
  "no-short-circuit": shortCircuit,
  "no-block-scope": blockScope,
  "unseen-param": unseenParam,
  "built-in-name": builtinName,
  comparison,
  "no-promotion": promotion,
  "leading-zero": leadingZero,
  "narrowed-long": narrowed,
  subscript,
  "stray-jump": strayJump,
  "no-result": noResult,
} as const satisfies Record<string, (facts: Facts, report: Report) => void>;

export type LintRule = keyof typeof RULES;

export const LINT_RULES = Object.keys(RULES) as readonly LintRule[];

export interface Warning {
  readonly rule: LintRule;
  /** In the sanitized text. */
  readonly position: Position;
  /** What happens. */
  readonly message: string;
  /** What would be right. */
  readonly hint: string;
}

/** The warnings about a program, in the order of its text. @throws SelError parse, limit-length, limit-stack */
export function lint(source: string): readonly Warning[] {
  const facts = factsOf(parse(source).tree);
  const warnings: Warning[] = [];
  for (const rule of LINT_RULES) {
    RULES[rule](facts, (position, message, hint) => warnings.push({ rule, position, message, hint }));
  }
  return warnings.sort((a, b) => a.position.offset - b.position.offset);
}
