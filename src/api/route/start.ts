/** Starting runs. */
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { startRequestSchema, startResponseSchema } from "../schema/run.ts";
import type { Services } from "../service.ts";
import { parseStartRequest, startRun } from "../start.ts";

export function startRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: "/api/v3/workflows/{workflowId}/versions/{version}/actions/start",
      operationId: "startRun",
      summary: "Start a run of a version: a number, active, latest or default",
      description:
        "The run strategy decides whether the run goes, waits, or is stopped. Repeating a request with the same `request_id` starts nothing twice: the answer is DUPLICATED, with the ids of the first run.",
      tag: "run",
      caller: true,
      body: { schema: startRequestSchema },
      reply: {
        description: "The run, or the one that the same request_id started before",
        schema: startResponseSchema,
      },
      errors: ["NOT_FOUND", "CONFLICT", "UNPROCESSABLE_ENTITY"],
    },
    start,
  );
}

async function start(call: Call, services: Services) {
  const [workflowId, version, user] = [call.path("workflowId"), call.path("version"), call.user()];
  const given = parseStartRequest(await call.body(), user, services.clock.now());
  const request = { ...given, requestId: given.requestId ?? crypto.randomUUID() };
  call.again = `The run may have been started all the same. Send the request again with the request_id ${request.requestId}: it starts nothing twice.`;
  const command = { workflowId, version, request, user };
  const reply = await startRun(call, services, command);
  return {
    workflow_id: reply.workflowId,
    workflow_version_id: reply.versionId,
    workflow_instance_id: reply.instanceId,
    workflow_run_id: reply.runId,
    workflow_uuid: reply.uuid,
    status: reply.status,
    timeline_event: reply.timelineEvent,
  };
}
