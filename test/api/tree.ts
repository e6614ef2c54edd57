/** Runs that steps have started, as the engine would have left them. */
import type { Ancestor, UpstreamInitiator } from "../../src/definition/initiator.ts";
import { stringifyJson } from "../../src/json.ts";
import type { Params } from "../../src/param/type.ts";
import { inlineIdOf } from "../../src/run/inline.ts";
import type { Run, RunOverview } from "../../src/run/model.ts";
import type { Sql } from "../../src/store/connection.ts";
import { loadRun } from "../../src/store/instance.ts";
import { objectText, runParamsText } from "../../src/store/row.ts";

let keys = 1_000_000;

export interface Child {
  readonly type: UpstreamInitiator["type"];
  /** Of a subworkflow; else the body's. */
  readonly workflowId?: string;
  readonly instanceId: number;
  readonly runId?: number;
  readonly attemptId?: number;
  readonly status?: string;
  readonly overview?: RunOverview;
  /** Values of LONG params. */
  readonly params?: Readonly<Record<string, number>>;
}

/** Writes the row of a run that a step of the parent has started. */
export async function startChild(sql: Sql, parent: Run, stepId: string, child: Child): Promise<Run> {
  const { type, instanceId, runId = 1, status = "IN_PROGRESS", attemptId = 1 } = child;
  const kind = type === "WHILE" ? "while" : "foreach";
  const workflowId = child.workflowId ?? inlineIdOf(kind, parent, stepId);
  const hop: Ancestor = {
    workflow_id: parent.workflowId,
    instance_id: parent.instanceId,
    run_id: parent.runId,
    step_id: stepId,
    step_attempt_id: attemptId,
  };
  const ancestors = [...("ancestors" in parent.initiator ? parent.initiator.ancestors : []), hop];
  const initiator = { ancestors, depth: ancestors.length, type };
  const params: Params = Object.fromEntries(
    Object.entries(child.params ?? {}).map(([name, value]) => [
      name,
      { type: "LONG", value, evaluated_result: value, evaluated_time: 5 },
    ]),
  ) as unknown as Params;
  const key = ++keys;
  await sql`INSERT INTO run (workflow_id, instance_id, run_id, key, uuid, internal_id, version_id, group_id, group_info,
      parent_key, initiator, config, properties, params, status, execution_id, request_time, create_time, modify_time, overview)
    VALUES (${workflowId}, ${instanceId}, ${runId}, ${key}, ${`uuid-${key}`}, ${parent.internalId}, ${parent.versionId}, 0, 8,
      ${parent.key}, ${stringifyJson(initiator)}, ${'{"policy":"START_FRESH_NEW_RUN"}'}, ${stringifyJson(parent.properties)},
      ${runParamsText({ params })}, ${status}, ${`uuid-${key}`}, 1, 1, 1, ${child.overview ? objectText(child.overview) : null})`;
  return (await loadRun(sql, workflowId, instanceId, runId)) as Run;
}
