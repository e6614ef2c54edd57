/** Rules of references to secrets: each has a name that can be one, and stands where a plugin can be given its value. */
import { type SecretMention, secretMentions, WHERE_SECRETS } from "../../param/secret.ts";
import type { ParamDefinition, ParamDefinitions } from "../../param/type.ts";
import { at, type Report, shown } from "../finding.ts";

/** @param mayBe whether the params are those of a step that a plugin may run */
export function checkSecrets(params: ParamDefinitions | undefined, path: string, mayBe: boolean, report: Report): void {
  const checkText = (text: unknown, where: string): void => {
    if (typeof text !== "string") return;
    const [problem] = secretMentions(text).flatMap((mention) => problemOf(mention, mayBe, text) ?? []);
    if (problem !== undefined) report(where, problem);
  };
  for (const [name, param] of Object.entries(params ?? {})) checkLiteral(param, at(path, name), checkText);
}

function checkLiteral(
  { type, value, expression }: ParamDefinition,
  path: string,
  checkText: (text: unknown, where: string) => void,
): void {
  if (expression !== undefined || value === undefined) return;
  const where = at(path, "value");
  if (typeof value !== "object") return checkText(value, where);
  for (const [key, entry] of Object.entries(value as { readonly [key: string]: unknown })) {
    const place = at(where, Array.isArray(value) ? Number(key) : key);
    if (type === "MAP") checkLiteral(entry as ParamDefinition, place, checkText);
    else checkText(entry, place);
  }
}

function problemOf({ text, name, line, problem }: SecretMention, mayBe: boolean, whole: string): string | undefined {
  const where = whole.includes("\n") ? `line ${line}: ` : "";
  if (problem !== undefined) return `${where}${shown(text)} names no secret: ${problem}`;
  return mayBe ? undefined : `${where}the secret [${name}] can't be used here: ${WHERE_SECRETS}`;
}
