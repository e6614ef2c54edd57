/**
 * References to secrets, `${secret.NAME}`, in literal texts of a step's params. Evaluation leaves them as they are, so that
 * what is stored has the name alone; the value is put in their places where the step's plugin runs.
 *
 * Only what a literal itself names is a reference: the same text in what is inserted, or made by an expression, is data.
 */
import type { ParamDefinition, Params } from "./type.ts";

/** What a reference to a secret begins with, between the braces. */
const PREFIX = "secret.";
const MARK = `\${${PREFIX}`;

/** What whoever names one elsewhere is told. */
export const WHERE_SECRETS = "write ${secret.NAME} into a literal param of the step that needs it";

/** Characters of a name at most. */
const MAX_NAME = 128;
const NAME = /^[A-Za-z_][\w.-]*$/;

/** Why a text is not the name of a secret, as the end of a sentence; undefined: it is one. */
export function secretNameProblem(name: string): string | undefined {
  if (!NAME.test(name)) {
    return `the name of a secret has letters, digits, "_", "-" and ".", and begins with a letter or "_"`;
  }
  return name.length > MAX_NAME ? `the name of a secret has at most ${MAX_NAME} characters` : undefined;
}

/** Where a text names secrets, well or badly. */
export interface SecretMention {
  /** What stands there, such as `${secret.TOKEN}`. */
  readonly text: string;
  readonly name: string;
  /** From 1. */
  readonly line: number;
  readonly problem: string | undefined;
}

const MENTION = /(\$+)\{secret\.([^}\n]*)(\}?)/g;

/** All references to secrets in a literal text, in their order. An even number of dollars in front escapes one. */
export function secretMentions(template: string): readonly SecretMention[] {
  if (!template.includes(MARK)) return [];
  let [line, seen] = [1, 0];
  return [...template.matchAll(MENTION)].flatMap(({ 0: all, 1: dollars = "", 2: name = "", 3: end = "", index }) => {
    if (dollars.length % 2 === 0) return [];
    const problem = end === "" ? "the closing brace is missing on the line" : secretNameProblem(name);
    line += template.slice(seen, index).split("\n").length - 1;
    seen = index;
    return [{ text: all.slice(dollars.length - 1), name, line, problem }];
  });
}

/** Names of the secrets that a literal text refers to, in their order; those that can't be a name are left out. */
export const secretReferences = (template: string): readonly string[] =>
  secretMentions(template).flatMap(({ name, problem }) => (problem === undefined ? [name] : []));

/** The name, if what stands between the braces of a reference is one to a secret. */
export const secretOf = (reference: string): string | undefined =>
  reference.startsWith(PREFIX) ? reference.slice(PREFIX.length) : undefined;

export const secretReference = (name: string): string => `${MARK}${name}}`;

const EVALUATED = /\$\{secret\.([A-Za-z_][\w.-]*)\}/g;

/** Names in an evaluated text, in which no dollar escapes any more. */
export const secretsIn = (text: string): readonly string[] =>
  text.includes(MARK) ? [...text.matchAll(EVALUATED)].map(([, name = ""]) => name) : [];

/** An evaluated text with the values in the places of the names. */
export const replaceSecrets = (text: string, value: (name: string) => string): string =>
  text.includes(MARK) ? text.replace(EVALUATED, (_, name: string) => value(name)) : text;

/** The way to a text in evaluated params: names of params and of entries, indices. */
export type SecretPlace = readonly (string | number)[];

/** The texts of evaluated params that name secrets by their own literals. */
export function secretPlaces(params: Params): readonly SecretPlace[] {
  const places: SecretPlace[] = [];
  for (const name in params) visit(params[name] as ParamDefinition, [name], places);
  return places;
}

/** The literal of the param, or of an entry of it, names a secret. */
export function namesSecret(param: ParamDefinition): boolean {
  const places: SecretPlace[] = [];
  visit(param, [], places);
  return places.length > 0;
}

function visit({ type, value, expression }: ParamDefinition, path: (string | number)[], places: SecretPlace[]): void {
  if (expression !== undefined) return;
  if (typeof value === "string") note(value, path, places);
  else if (type === "MAP" || type === "STRING_MAP" || type === "STRING_ARRAY") {
    const entries = (value ?? {}) as { readonly [key: string]: ParamDefinition | string };
    for (const key of Object.keys(entries)) {
      const entry = entries[key];
      path.push(type === "STRING_ARRAY" ? Number(key) : key);
      if (typeof entry === "string") note(entry, path, places);
      else if (type === "MAP" && entry) visit(entry, path, places);
      path.pop();
    }
  }
}

function note(template: string, path: readonly (string | number)[], places: SecretPlace[]): void {
  if (secretReferences(template).length > 0) places.push([...path]);
}
