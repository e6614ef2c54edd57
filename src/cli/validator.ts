/** Validators of a definition that a server could not run. */
import { at } from "../definition/finding.ts";
import { isJsonObject, type Json } from "../json.ts";
import { PARAM_TYPES } from "../param/type.ts";
import { problemOf } from "../param/validator.ts";

/** Lines `path: warning: problem`, at any depth. */
export function validatorProblems(value: Json, path = ""): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => validatorProblems(item, at(path, index)));
  if (!isJsonObject(value)) return [];
  const { type, validator } = value;
  const paramType = PARAM_TYPES.find((known) => typeof type === "string" && known === type.toUpperCase());
  const problem = paramType && typeof validator === "string" ? problemOf(validator, paramType) : undefined;
  return [
    ...(problem === undefined ? [] : [`${at(path, "validator")}: warning: ${problem}`]),
    ...Object.entries(value).flatMap(([key, item]) => validatorProblems(item, at(path, key))),
  ];
}
