/** The SEL expressions of a definition, with their paths. */
import { at } from "../definition/finding.ts";
import type { Json } from "../json.ts";
import { isJsonObject } from "../json.ts";
import { formatError, parse, SelError, sanitize } from "../sel/index.ts";
import { lint } from "../sel/lint.ts";
import { pointOut } from "./excerpt.ts";

export interface Expression {
  /** JSON path. */
  readonly path: string;
  readonly source: string;
}

/** Keys whose text is an expression: of a param, and of a while step. */
const KEYS: ReadonlySet<string> = new Set(["expression", "condition"]);

/** Params' expressions, `while` conditions and the conditions of transitions, at any depth. */
export function expressionsOf(value: Json, path = ""): readonly Expression[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => expressionsOf(item, at(path, index)));
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const below = at(path, key);
    if (typeof item === "string") return KEYS.has(key) ? [{ path: below, source: item }] : [];
    if (key === "successors" && isJsonObject(item)) {
      return Object.entries(item).flatMap(([id, text]) =>
        typeof text === "string" ? [{ path: at(below, id), source: text }] : [],
      );
    }
    return expressionsOf(item, below);
  });
}

/** The problem of an expression in one line, for a list of findings. */
export function briefProblemOf(source: string): string | undefined {
  try {
    parse(source);
    return undefined;
  } catch (error) {
    if (!(error instanceof SelError)) throw error;
    const { position, message, hint } = error;
    const place = position === undefined ? "" : ` (line ${position.line}, column ${position.column} of the expression)`;
    return `${message}${place}${hint === undefined ? "" : `; ${hint}`}`;
  }
}

/** Where a program that parses relies on what surprises, each as a text with its line and a caret. */
export const warningsOf = (where: string, source: string): readonly string[] =>
  lint(source).map(({ rule, position, message, hint }) =>
    pointOut(where, sanitize(source), { ...position, length: 1 }, `warning: ${message}; ${hint} [${rule}]`),
  );

/** What is wrong with a program, as a text with its line and a caret; undefined when it parses. */
export function problemOf(source: string): string | undefined {
  try {
    parse(source);
    return undefined;
  } catch (error) {
    if (error instanceof SelError) return formatError(sanitize(source), error);
    throw error;
  }
}
