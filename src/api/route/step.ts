/** Steps of runs: reads. */
import { notFound } from "../../error.ts";
import type { Run } from "../../run/model.ts";
import { actionNames, STEP_ACTIONS } from "../../step/action.ts";
import type { StepView } from "../../step/view.ts";
import { loadAttempt, loadInstance, loadLatestAttempts, loadRun } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { allActions, flag, type QueryValues } from "../parameter.ts";
import { stepActionMapSchema, stepInstanceSchema, stepInstancesSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";

const BASE = "/api/v3/workflows";
const INSTANCE = `${BASE}/{workflowId}/instances/{instanceId}`;

const query = { enriched: flag(true, "Adds the changes of status to the timeline") };

type StepQuery = QueryValues<typeof query>;

export function stepRoutes(router: Router): void {
  listRoutes(router);
  router.add(
    {
      method: "get",
      path: `${INSTANCE}/steps/{stepId}`,
      operationId: "getInstanceStep",
      summary: "The newest attempt at a step, over all runs of the instance",
      description: "Looks through the runs of the instance from the newest on.",
      tag: "step",
      query,
      reply: { description: "The attempt", schema: stepInstanceSchema },
      errors: ["NOT_FOUND"],
    },
    getInstanceStep,
  );
  router.add(
    {
      method: "get",
      path: `${INSTANCE}/runs/{runId}/steps/{stepId}/attempts/{attempt}`,
      operationId: "getStepAttempt",
      summary: "An attempt at a step: a number or latest",
      description: "With its params as they were evaluated, its timeline, and its artifacts.",
      tag: "step",
      query,
      reply: { description: "The attempt", schema: stepInstanceSchema },
      errors: ["NOT_FOUND"],
    },
    getAttempt,
  );
  router.add(
    {
      method: "get",
      path: `${BASE}/steps/instances/action-map`,
      operationId: "getStepActions",
      summary: "What a user may do with a step, by its status",
      description: "For each status of a step the names of the actions that it takes.",
      tag: "step",
      query: allActions,
      reply: { description: "Actions by status", schema: stepActionMapSchema },
    },
    (_call, _services, { all }) => actionNames(STEP_ACTIONS, all),
  );
}

function listRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${INSTANCE}/steps`,
      operationId: "listInstanceSteps",
      summary: "The newest attempt at each step, over all runs of the instance",
      description: "One entry a step that was reached; empty for an instance that has not begun.",
      tag: "step",
      reply: { description: "In the order in which the steps were made", schema: stepInstancesSchema },
    },
    listInstanceSteps,
  );
  router.add(
    {
      method: "get",
      path: `${INSTANCE}/runs/{runId}/steps`,
      operationId: "listRunSteps",
      summary: "The newest attempt at each step of a run",
      description: "One entry a step that the run reached; empty for a run that has not begun.",
      tag: "step",
      reply: { description: "In the order in which the steps were made", schema: stepInstancesSchema },
      errors: ["NOT_FOUND"],
    },
    async (call, { sql, reader }) => {
      const [workflowId, instanceId, runId] = [call.path("workflowId"), call.path("instanceId"), call.path("runId")];
      const run = await loadRun(sql, workflowId, instanceId, runId);
      const attempts = run === undefined ? [] : await loadLatestAttempts(sql, [run.key]);
      if (run === undefined || attempts.length === 0) {
        throw notFound(`The run [${workflowId}][${instanceId}][${runId}] has no step yet, or does not exist.`);
      }
      return reader.steps(
        run,
        attempts.map((it) => it.attempt),
        false,
      );
    },
  );
}

async function listInstanceSteps(call: Call, { sql, reader }: Services): Promise<StepView[]> {
  const runs = await loadInstance(sql, call.path("workflowId"), call.path("instanceId"));
  const attempts = await loadLatestAttempts(
    sql,
    runs.map((run) => run.key),
  );
  const seen = new Set<string>();
  const views: StepView[] = [];
  for (const run of runs) {
    const newest = attempts.filter((it) => it.runKey === run.key && !seen.has(it.attempt.stepId));
    for (const { attempt } of newest) seen.add(attempt.stepId);
    views.push(
      ...(await reader.steps(
        run,
        newest.map((it) => it.attempt),
        false,
      )),
    );
  }
  return views.sort((a, b) => a.step_instance_id - b.step_instance_id);
}

async function getInstanceStep(call: Call, services: Services, { enriched }: StepQuery): Promise<StepView> {
  const [workflowId, instanceId, stepId] = [call.path("workflowId"), call.path("instanceId"), call.path("stepId")];
  for (const run of await loadInstance(services.sql, workflowId, instanceId)) {
    const view = await attemptView(services, run, stepId, "latest", enriched);
    if (view !== undefined) return view;
  }
  throw notFound(`Cannot find step [${stepId}] of the instance [${workflowId}][${instanceId}].`);
}

async function getAttempt(call: Call, services: Services, { enriched }: StepQuery): Promise<StepView> {
  const [workflowId, instanceId, runId] = [call.path("workflowId"), call.path("instanceId"), call.path("runId")];
  const [stepId, attemptId] = [call.path("stepId"), call.path("attempt")];
  const run = await loadRun(services.sql, workflowId, instanceId, runId);
  const view = run && (await attemptView(services, run, stepId, attemptId, enriched));
  if (view !== undefined) return view;
  throw noAttempt(workflowId, instanceId, runId, stepId, attemptId);
}

export const noAttempt = (
  workflowId: string,
  instanceId: number,
  runId: number,
  stepId: string,
  attemptId: number | "latest",
) => notFound(`Cannot find the attempt [${workflowId}][${instanceId}][${runId}][${stepId}][${attemptId}].`);

async function attemptView(
  { sql, reader }: Services,
  run: Run,
  stepId: string,
  attemptId: number | "latest",
  withTimeline: boolean,
): Promise<StepView | undefined> {
  const attempt = await loadAttempt(sql, run.key, stepId, attemptId);
  if (attempt === undefined) return undefined;
  const [view] = await reader.steps(run, [attempt], withTimeline);
  return view;
}
