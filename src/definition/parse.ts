/** Reading JSON by a wire schema, with findings that a person can act on. */
import type { z } from "zod";
import { badRequest } from "../error.ts";
import { isRawNumber } from "../json.ts";
import { at, pathOf, shown } from "./finding.ts";
import { notOneOf } from "./suggest.ts";

/** Deeper JSON is refused: every reader of it may recurse. Fifty MAP params within each other are 100 levels. */
const MAX_DEPTH = 200;
const MAX_FINDINGS = 100;

/**
 * Reads JSON into the canonical form of a schema.
 * @param message of the error
 * @throws BAD_REQUEST with one detail per finding, each with its JSON path
 */
export function parseWire<T>(schema: z.ZodType<T>, json: unknown, message: string): T {
  const structure = checkStructure(json);
  if (structure !== undefined) throw badRequest(message, [structure]);
  const result = schema.safeParse(json, { reportInput: true });
  if (result.success) return result.data;
  throw badRequest(message, result.error.issues.flatMap(findingsOf).slice(0, MAX_FINDINGS));
}

/** What makes JSON unfit for any schema: too much nesting, or a key that JavaScript objects treat specially. */
function checkStructure(json: unknown): string | undefined {
  let level: (readonly [path: () => string, value: object])[] = [];
  const push = (into: typeof level, path: () => string, value: unknown) => {
    if (typeof value === "object" && value !== null && !isRawNumber(value)) into.push([path, value]);
  };
  push(level, () => "", json);
  for (let depth = 1; level.length > 0; depth++) {
    const next: typeof level = [];
    for (const [path, value] of level) {
      if (depth > MAX_DEPTH) return `${path()}: is nested more than ${MAX_DEPTH} levels deep; nest less`;
      if (Array.isArray(value)) {
        for (const [index, item] of value.entries()) push(next, () => at(path(), index), item);
        continue;
      }
      for (const key of Object.keys(value)) {
        if (key === "__proto__") return `${at(path(), key)}: this key cannot be used`;
        push(next, () => at(path(), key), (value as Record<string, unknown>)[key]);
      }
    }
    level = next;
  }
  return undefined;
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

/** One, or one for each unknown key. */
function findingsOf(issue: z.core.$ZodIssue): readonly string[] {
  const path = pathOf(issue.path);
  const problems = issue.code === "unrecognized_keys" ? issue.message.split("\n") : [problemOf(issue)];
  return problems.map((problem) => (path === "" ? problem : `${path}: ${problem}`));
}

function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type": {
      if (!issue.message.startsWith("Invalid input")) return issue.message;
      const expected = EXPECTED[issue.expected] ?? issue.expected;
      return issue.input === undefined ? `is required, ${expected}` : `${shown(issue.input)} is not ${expected}`;
    }
    case "invalid_value":
      return notOneOf(issue.input, issue.values.map(String));
    case "invalid_key":
      return `unknown key ${shown(issue.path.at(-1))}`;
    case "too_small":
      if (!issue.message.startsWith("Too ")) return issue.message;
      return `${shown(issue.input)} is too small; it must be at least ${issue.minimum}`;
    case "too_big":
      if (!issue.message.startsWith("Too ")) return issue.message;
      return `${shown(issue.input)} is too big; it must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}
