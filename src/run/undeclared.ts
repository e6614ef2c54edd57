/** Params of a start that its definition does not declare: they are taken, and are often misspelt. */
import { workflowParamNames } from "../definition/reference.ts";
import { closest } from "../definition/suggest.ts";
import type { Workflow } from "../definition/workflow.ts";
import type { DefaultCatalog } from "../param/defaults.ts";
import type { ParamDefinitions } from "../param/type.ts";

/** Names that a warning spells out. */
const MOST_NAMED = 10;

/** @returns the warning; undefined when there is none */
export function undeclaredParams(
  workflow: Workflow,
  runParams: ParamDefinitions | undefined,
  catalog: DefaultCatalog,
): string | undefined {
  const given = Object.keys(runParams ?? {});
  if (given.length === 0) return undefined;
  const declared = workflowParamNames(workflow, catalog);
  const undeclared = given.filter((name) => !declared.has(name));
  if (undeclared.length === 0) return undefined;
  // Nobody means a default param, of which there are many with names alike.
  const own = Object.keys(workflow.params ?? {}).filter((name) => !given.includes(name));
  const named = undeclared.slice(0, MOST_NAMED).map((name) => {
    const meant = closest(name, own);
    return meant === undefined ? name : `${name} (did you mean ${meant}?)`;
  });
  const more = undeclared.length > MOST_NAMED ? `, and ${undeclared.length - MOST_NAMED} more` : "";
  return `Params that the definition does not declare: ${named.join(", ")}${more}`;
}
