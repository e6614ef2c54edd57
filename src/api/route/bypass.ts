/** Letting a step go on without the signals that it waits for. */
import { badRequest, notFound } from "../../error.ts";
import { runIdentity } from "../../run/model.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { STEP_ACTIONS } from "../../step/action.ts";
import { loadRun } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { flag } from "../parameter.ts";
import { newestAttempt } from "../patience.ts";
import { stepActionResponseSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";
import { noRun } from "./run.ts";

export function bypassRoutes(router: Router): void {
  router.add(
    {
      method: "put",
      path: "/api/v3/workflows/{workflowId}/instances/{instanceId}/steps/{stepId}/actions/bypass",
      operationId: "bypassStep",
      summary: "Let a step of the latest run go on without the signals that it waits for",
      description: "A step that is not held for a signal has nothing to bypass, and is refused.",
      tag: "step",
      caller: true,
      query: { blocking: flag(true, "Answer once it is done, or refuse with 408 when that takes more than 5 s") },
      reply: { description: "Accepted, or done", schema: stepActionResponseSchema },
      errors: ["NOT_FOUND", "CONFLICT", "REQUEST_TIMEOUT"],
    },
    bypass,
  );
}

async function bypass(call: Call, services: Services): Promise<never> {
  const [workflowId, instanceId, stepId] = [call.path("workflowId"), call.path("instanceId"), call.path("stepId")];
  const run = await loadRun(services.sql, workflowId, instanceId, "latest");
  if (run === undefined) throw noRun(workflowId, instanceId, "latest");
  const what = `Cannot bypass the signals of step [${stepId}] of the run ${runIdentity(run)}`;
  if (isOver(run)) throw badRequest(`${what}: the run is ${shownRunStatus(run.status)}.`);
  if (!(await services.reader.plan(run)).nodes.has(stepId)) throw badRequest(`${what}: the run has no such step.`);
  const status = (await newestAttempt(services, run, stepId))?.status;
  if (status === undefined) throw notFound(`${what} before it is created.`);
  if (STEP_ACTIONS[status].BYPASS_STEP_DEPENDENCIES === undefined) throw badRequest(`${what}: it is ${status}.`);
  throw badRequest(`${what}: none of them holds it.`);
}
