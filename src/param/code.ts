/**
 * Code in a step's settings: a program's text, in which a dollar means what it means to the program. It is never
 * interpolated; the params that it mentions reach it beside the text.
 */
import type { JsonObject } from "../json.ts";
import { SEPARATOR } from "./split.ts";

/** Where a step type has code. */
export interface CodeFields {
  /** The MAP param of its settings. */
  readonly param: string;
  /** Entries of that param. */
  readonly fields: ReadonlySet<string>;
}

/** What a step's code may refer to, evaluated. */
export interface CodeParams {
  /** All params that the step sees but its settings; of other steps those that the code names, as `step__param`. */
  readonly params: JsonObject;
  /** Text of those that the code mentions as variables. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Also as `${name%.csv}`, `${#name}` and what else a shell makes of a variable. */
const VARIABLE = /\$(?:\{[#!]?)?([A-Za-z_][A-Za-z0-9_]*)/g;
/** A shell's arithmetic, in which a name needs no dollar. Characters are bounded: what is no arithmetic may be long. */
const ARITHMETIC = /\(\((.{0,500}?)\)\)/gs;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/g;
/** Words, and words as ids of steps can be. */
const TOKENS = [/\w+/g, /[\w.-]+/g];
/** Characters. Ids of steps and names of params are shorter. */
const MAX_NAME = 600;

export interface CodeNames {
  /** Names in the place of a variable. */
  readonly variables: ReadonlySet<string>;
  /** Whatever could name a param of another step. */
  readonly tokens: ReadonlySet<string>;
}

/** Names in the texts of code: which of them are params, others know. */
export function namesIn(texts: readonly string[]): CodeNames {
  const isShort = (name: string): boolean => name.length <= MAX_NAME;
  const variables = texts.flatMap((text) => [
    ...[...text.matchAll(VARIABLE)].map(([, name = ""]) => name),
    ...[...text.matchAll(ARITHMETIC)].flatMap(([, inside = ""]) => inside.match(NAME) ?? []),
  ]);
  const tokens = texts
    .filter((text) => text.includes(SEPARATOR))
    .flatMap((text) => TOKENS.flatMap((pattern) => text.match(pattern) ?? []));
  return {
    variables: new Set(variables.filter(isShort)),
    tokens: new Set(tokens.filter((token) => token.includes(SEPARATOR) && isShort(token))),
  };
}
