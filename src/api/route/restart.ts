/** Restarting: an instance that has ended, or one of its steps. */
import { collect } from "../../definition/finding.ts";
import { parseWire } from "../../definition/parse.ts";
import { badRequest } from "../../error.ts";
import { isUuid } from "../../id.ts";
import type { ParamDefinitions } from "../../param/type.ts";
import { inlineRootRestart, instanceRestart, type RestartRequest, stepRestart } from "../../run/restart.ts";
import { logEvent } from "../../step/event.ts";
import { loadRun } from "../../store/instance.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { flag, type QueryValues } from "../parameter.ts";
import { checkEnded, type RESTART_POLICIES, type Restarted, restart } from "../restart.ts";
import {
  instanceRestartSchema,
  type RESTART_MODES,
  stepRestartResponseSchema,
  stepRestartSchema,
} from "../schema/restart.ts";
import { startResponseSchema } from "../schema/run.ts";
import type { Services } from "../service.ts";
import { checkRunParams } from "../start.ts";
import { noRun } from "./run.ts";

const INSTANCE = "/api/v3/workflows/{workflowId}/instances/{instanceId}";

const query = {
  blocking: flag(true, "In a run that is under way: answer once the new attempt is made, or refuse with 408 after 5 s"),
};
type Query = QueryValues<typeof query>;

export function restartRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: `${INSTANCE}/actions/restart`,
      operationId: "restartInstance",
      summary: "Make a new run of an instance whose latest run has ended",
      description:
        "RESTART_FROM_INCOMPLETE executes the steps that are not complete and what follows them; RESTART_FROM_BEGINNING all. The run of a step's child is made again by that step: a new run of the root leads down to it, and `run_params` are for the child. Repeating a request with the same `request_id` restarts nothing twice.",
      tag: "run",
      caller: true,
      body: { schema: instanceRestartSchema },
      reply: {
        description: "The new run, or the one that the same request_id made before",
        schema: startResponseSchema,
      },
      errors: ["NOT_FOUND", "CONFLICT", "UNPROCESSABLE_ENTITY"],
    },
    restartInstance,
  );
  router.add(
    {
      method: "post",
      path: `${INSTANCE}/steps/{stepId}/actions/restart`,
      operationId: "restartStep",
      summary: "Execute a step once more, and what follows it",
      description:
        "By a new run when the latest one has ended; other steps that are not complete stay as they are, until they are restarted, too. In a run that is under way a step that has failed, or was stopped, gets another attempt with all its retries.",
      tag: "step",
      caller: true,
      query,
      body: { schema: stepRestartSchema },
      reply: { description: "The new run, or the new attempt", schema: stepRestartResponseSchema },
      errors: ["NOT_FOUND", "CONFLICT", "UNPROCESSABLE_ENTITY", "REQUEST_TIMEOUT"],
    },
    restartStep,
  );
}

interface Given {
  readonly request_time?: number | undefined;
  readonly request_id?: string | undefined;
  readonly restart_policy: (typeof RESTART_POLICIES)[number];
}

interface GivenForInstance extends Given {
  readonly run_params?: ParamDefinitions | undefined;
}

interface GivenForStep extends Given {
  readonly step_run_params?: ParamDefinitions | undefined;
  readonly upstream_restart_mode?: (typeof RESTART_MODES)[number] | undefined;
}

async function restartInstance(call: Call, services: Services) {
  const place = { workflowId: call.path("workflowId"), instanceId: call.path("instanceId") };
  const given = parseWire(instanceRestartSchema, await call.body(), INVALID) as GivenForInstance;
  check(given, "run_params", given.run_params);
  const request = instanceRestart(place, given.restart_policy, given.run_params);
  const done = await restart(call, services, { ...asked(given, request, services), blocking: false });
  const made = madeBy(call, done);
  return { ...made, workflow_uuid: done.type === "new run" ? done.reply.uuid : done.run.uuid };
}

async function restartStep(call: Call, services: Services, { blocking }: Query) {
  const given = parseWire(stepRestartSchema, await call.body(), INVALID) as GivenForStep;
  check(given, "step_run_params", given.step_run_params);
  const request = await stepRequest(call, services, given);
  const done = await restart(call, services, { ...asked(given, request, services), blocking });
  const step = done.type === "in place" ? { step_id: done.stepId, step_attempt_id: done.attemptId } : {};
  return { ...madeBy(call, done), ...step };
}

async function stepRequest(call: Call, services: Services, given: GivenForStep): Promise<RestartRequest> {
  const [workflowId, instanceId, stepId] = [call.path("workflowId"), call.path("instanceId"), call.path("stepId")];
  const { restart_policy, step_run_params } = given;
  if (given.upstream_restart_mode !== "RESTART_FROM_INLINE_ROOT") {
    return stepRestart({ workflowId, instanceId }, stepId, restart_policy, step_run_params);
  }
  const run = await loadRun(services.sql, workflowId, instanceId, "latest");
  if (run === undefined) throw noRun(workflowId, instanceId, "latest");
  await checkEnded(services, run, stepId);
  return inlineRootRestart(run, stepId, restart_policy, step_run_params);
}

const INVALID = "Invalid restart request";

/** @throws BAD_REQUEST with one detail per finding */
function check({ request_id }: Given, path: string, params: ParamDefinitions | undefined): void {
  const { report, lines } = collect();
  checkRunParams(params, path, report);
  if (request_id !== undefined && !isUuid(request_id)) {
    report("request_id", "is not a UUID; write one such as 4f3f1a4e-0a3e-4d0e-9d5e-1c2b3a4d5e6f");
  }
  if (lines.length > 0) throw badRequest(INVALID, lines);
}

const asked = ({ request_id, request_time }: Given, request: RestartRequest, { clock }: Services) => ({
  request,
  verb: "RESTART" as const,
  requestTime: request_time ?? clock.now(),
  requestId: request_id?.toLowerCase(),
});

function madeBy(call: Call, done: Restarted) {
  const { versionId, workflowId, instanceId, runId } = done.type === "new run" ? done.reply : done.run;
  const event = (time: number) => logEvent(`User [${call.user()}] take action [RESTART] on the step`, time);
  return {
    workflow_id: workflowId,
    workflow_version_id: versionId,
    workflow_instance_id: instanceId,
    workflow_run_id: runId,
    status: done.type === "new run" ? done.reply.status : "CREATED",
    timeline_event: done.type === "new run" ? done.reply.timelineEvent : event(done.time),
  };
}
