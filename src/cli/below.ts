/** What a step's answer says of the runs that it has started. */
import type { Json, JsonObject } from "../json.ts";
import { isComplete, isFailed, isTerminal, STEP_STATUS, type StepStatus } from "../step/status.ts";
import { cell, object } from "./output.ts";

/** Intervals of iterations that a note names. */
const MOST = 8;

/** How many leaf steps below it are in which status, failed ones first: `  [2 USER_FAILED, 95 SUCCEEDED]`. Empty: none. */
export function belowText(step: JsonObject): string {
  const { maestro_foreach, maestro_while, maestro_subworkflow } = object(step.artifacts);
  const { rollup, running_rollup } = object(object(maestro_foreach).foreach_overview);
  const { rollup: rounds, last_overview } = object(maestro_while);
  const last = object(last_overview).rollup_overview;
  const child = object(object(maestro_subworkflow).subworkflow_overview).rollup_overview;
  const counts = new Map<string, number>();
  for (const part of [rollup, running_rollup, rounds, last, child]) {
    for (const [status, count] of Object.entries(object(object(part).overview))) {
      counts.set(status, (counts.get(status) ?? 0) + Number(object(count).cnt ?? 0));
    }
  }
  const shown = [...counts].sort(([a], [b]) => rank(a) - rank(b)).map(([status, count]) => `${count} ${status}`);
  return shown.length === 0 ? "" : `  [${shown.join(", ")}]`;
}

/** Where to look on: the iterations that have failed, and the workflow that they are instances of; or the one child. */
export function belowNotes(step: JsonObject): readonly string[] {
  const { maestro_foreach, maestro_while, maestro_subworkflow } = object(step.artifacts);
  const foreach = object(maestro_foreach);
  const failed = object(object(foreach.foreach_overview).details).FAILED;
  if (Array.isArray(failed) && failed.length > 0) {
    const more = failed.length > MOST ? ", …" : "";
    const ids = failed.slice(0, MOST).map(intervalText).join(", ");
    return [`failed iterations of ${cell(foreach, "foreach_workflow_id")}: ${ids}${more}`];
  }
  const loop = object(maestro_while);
  if (loop.last_status === "FAILED") {
    return [`failed in ${cell(loop, "loop_workflow_id")} instance ${cell(loop, "last_iteration")}`];
  }
  const child = object(maestro_subworkflow);
  if (child.subworkflow_id === undefined) return [];
  return [`is ${cell(child, "subworkflow_id")} instance ${cell(child, "subworkflow_instance_id")}`];
}

const intervalText = (item: Json): string => (Array.isArray(item) ? item.map(String).join("–") : String(item));

function rank(status: string): number {
  if (!Object.hasOwn(STEP_STATUS, status)) return 4;
  const known = status as StepStatus;
  if (isFailed(known)) return 0;
  if (!isTerminal(known)) return 2;
  return isComplete(known) ? 3 : 1;
}
