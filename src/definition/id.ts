/** Rules for ids and names. Each check gives the problem with what would be right, or undefined. */
import { shown } from "./finding.ts";
import { DEFAULT_LIMITS, type DefinitionLimits } from "./limit.ts";

export const WORKFLOW_ID = /^[_a-zA-Z0-9][.\-_a-zA-Z0-9]*$/;
export const REFERENCE_ID = /^[_a-zA-Z][.\-_a-zA-Z0-9]*$/;
export const MAESTRO_NAME = /^[\w .,:@&='(){}$+[\]\-/\\]+$/;

/** Separates a step id from a param name in references, so neither may hold it. */
export const PARAM_SEPARATOR = "__";

const PREFIX = "maestro_";
const SUFFIX = "_maestro";

const prefixed = (text: string): boolean => text.slice(0, PREFIX.length).toLowerCase() === PREFIX;
const suffixed = (text: string): boolean => text.slice(-SUFFIX.length).toLowerCase() === SUFFIX;

function tooLong(text: string, limit: number): string | undefined {
  return text.length > limit ? `has ${text.length} characters; at most ${limit} are allowed` : undefined;
}

/** A workflow's own id; ids of inline workflows, which start with `maestro_`, do not pass. */
export function checkWorkflowId(id: string, limits: DefinitionLimits = DEFAULT_LIMITS): string | undefined {
  if (id === "") return "must not be empty";
  if (!WORKFLOW_ID.test(id)) {
    return `${shown(id)} is not a workflow id; use letters, digits, "_", "-" and ".", starting with a letter, digit or "_"`;
  }
  if (prefixed(id)) return `${shown(id)} must not start with "${PREFIX}", which is reserved`;
  if (suffixed(id)) return `${shown(id)} must not end with "${SUFFIX}", which is reserved`;
  return tooLong(id, limits.idLength);
}

/** A step id, param name, job type or template version. */
export function checkReferenceId(id: string, limits: DefinitionLimits = DEFAULT_LIMITS): string | undefined {
  if (id === "") return "must not be empty";
  if (!REFERENCE_ID.test(id)) {
    return `${shown(id)} is not a valid name; use letters, digits, "_", "-" and ".", starting with a letter or "_"`;
  }
  if (id.includes(PARAM_SEPARATOR)) {
    return `${shown(id)} must not contain "${PARAM_SEPARATOR}", which separates step ids from param names`;
  }
  if (prefixed(id)) return `${shown(id)} must not start with "${PREFIX}", which is reserved`;
  return tooLong(id, limits.idLength);
}

/** A tag or signal name. */
export function checkMaestroName(name: string, limits: DefinitionLimits = DEFAULT_LIMITS): string | undefined {
  if (name.trim() === "") return "must not be blank";
  if (!MAESTRO_NAME.test(name)) {
    return `${shown(name)} is not a valid name; use letters, digits, blanks and _ . , : @ & = ' ( ) { } $ + [ ] - / \\`;
  }
  if (prefixed(name)) return `${shown(name)} must not start with "${PREFIX}", which is reserved`;
  if (suffixed(name)) return `${shown(name)} must not end with "${SUFFIX}", which is reserved`;
  return tooLong(name, limits.nameLength);
}

/** A name for people. */
export const checkDisplayName = (name: string, limits: DefinitionLimits = DEFAULT_LIMITS): string | undefined =>
  tooLong(name, limits.nameLength);

export const checkDescription = (text: string, limits: DefinitionLimits = DEFAULT_LIMITS): string | undefined =>
  tooLong(text, limits.descriptionLength);
