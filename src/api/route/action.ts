/** Ending and unblocking runs: one, or all of a workflow. */
import type { TimelineActionEvent } from "../../definition/timeline.ts";
import { timelineEventSchema } from "../../definition/timeline.ts";
import { badRequest, conflict } from "../../error.ts";
import { reportRun } from "../../flow/report.ts";
import { isInlineId } from "../../run/inline.ts";
import type { Run } from "../../run/model.ts";
import { mayDo, type RunStatus, shownRunStatus } from "../../run/status.ts";
import { logEvent } from "../../step/event.ts";
import { stopAllRunning, unblockAll } from "../../store/bulk.ts";
import { loadRun } from "../../store/instance.ts";
import { sayToRun, stopAllQueued, stopQueued, unblock } from "../../store/stop.ts";
import type { Call } from "../call.ts";
import type { Endpoint, Router } from "../endpoint.ts";
import { instanceActionResponseSchema } from "../schema/run.ts";
import type { Services } from "../service.ts";
import { noRun } from "./run.ts";

const BASE = "/api/v3/workflows/{workflowId}";

type Stop = "STOP" | "KILL";

/** What becomes of a run, for the API document. */
const END = {
  STOP: "Steps that run are terminated, and the run ends STOPPED. The answer says whether it has ended already.",
  KILL: "Steps that run are terminated, and the run ends FAILED. The answer says whether it has ended already.",
} as const;
const UNBLOCKED =
  "A failed run of a strictly sequential workflow is marked as seen, so that runs which wait behind it go.";

/** What a run ends as. */
const TARGET = { STOP: "STOPPED", KILL: "FAILED" } as const;

export function actionRoutes(router: Router): void {
  for (const action of ["STOP", "KILL"] as const) stopRoutes(router, action);
  unblockRoutes(router);
}

const instanceAction = (path: string, operationId: string, summary: string, description: string): Endpoint => ({
  method: "put",
  path: `${BASE}${path}`,
  operationId,
  summary,
  description,
  tag: "run",
  caller: true,
  reply: { description: "How far it is", schema: instanceActionResponseSchema },
  errors: ["NOT_FOUND", "CONFLICT"],
});

function stopRoutes(router: Router, action: Stop): void {
  const verb = action.toLowerCase();
  const name = action === "STOP" ? "stop" : "kill";
  const what = action === "STOP" ? "Stop" : "Kill";
  router.add(
    {
      method: "put",
      path: `${BASE}/actions/${verb}`,
      operationId: `${name}Workflow`,
      summary: `${what} all unfinished runs of a workflow`,
      description: `Runs that wait end at once, the others once their steps have ended. ${END[action]}`,
      tag: "workflow",
      caller: true,
      reply: { description: "Under way", status: 202, schema: timelineEventSchema },
    },
    (call, services) => stopWorkflow(call, services, action),
  );
  const handle = (call: Call, services: Services) => stopRun(call, services, action);
  router.add(
    instanceAction(`/instances/{instanceId}/actions/${verb}`, `${name}Instance`, `${what} the latest run`, END[action]),
    handle,
  );
  router.add(
    instanceAction(`/instances/{instanceId}/runs/{runId}/actions/${verb}`, `${name}Run`, `${what} a run`, END[action]),
    handle,
  );
}

function unblockRoutes(router: Router): void {
  router.add(
    {
      method: "put",
      path: `${BASE}/actions/unblock`,
      operationId: "unblockWorkflow",
      summary: "Let a strictly sequential workflow go on after failed runs",
      description: "Marks its failed runs as seen, so that runs which wait behind them go.",
      tag: "workflow",
      caller: true,
      reply: { description: "Done", schema: timelineEventSchema },
    },
    unblockWorkflow,
  );
  router.add(
    instanceAction("/instances/{instanceId}/actions/unblock", "unblockInstance", "Unblock the latest run", UNBLOCKED),
    unblockRun,
  );
  router.add(
    instanceAction("/instances/{instanceId}/runs/{runId}/actions/unblock", "unblockRun", "Unblock a run", UNBLOCKED),
    unblockRun,
  );
}

async function stopWorkflow(
  call: Call,
  { sql, engine, clock, log }: Services,
  action: Stop,
): Promise<TimelineActionEvent> {
  const [workflowId, user, now] = [call.path("workflowId"), call.user(), clock.now()];
  const reason = `All workflow instances of workflow id [${workflowId}] are terminated to status [${TARGET[action]}] by the caller [${user}]`;
  const queued = await stopAllQueued(sql, workflowId, TARGET[action], logEvent(reason, now));
  const running = await stopAllRunning(sql, workflowId, { kind: action, user, reason, createTime: now });
  for (const { key, groupId } of running) engine.hintRun(key, groupId);
  if (queued.length > 0) engine.hintDequeue([workflowId]);
  for (const run of queued) {
    if (run.parent) engine.hintRun(run.parent.key, run.parent.groupId);
    reportRun(log, run, TARGET[action], reason);
  }
  const message = `Terminated [${queued.length}] queued instances and terminating [${running.length}] running instances`;
  return { timestamp: now, type: "ACTION", action, author: user, message, reason };
}

/** The run of the path, which must be the instance's latest. */
async function latestRun(call: Call, { sql }: Services): Promise<Run> {
  const [workflowId, instanceId] = [call.path("workflowId"), call.path("instanceId")];
  const runId = call.context.req.param("runId") === undefined ? "latest" : call.path("runId");
  const run = await loadRun(sql, workflowId, instanceId, "latest");
  if (run === undefined) throw noRun(workflowId, instanceId, runId);
  if (runId !== "latest" && runId !== run.runId) {
    throw badRequest(`Cannot act on run [${runId}] of [${workflowId}][${instanceId}]`, [
      `runId: only the latest run, [${run.runId}], can be acted on`,
    ]);
  }
  return run;
}

/** How often a run may change under our hands before the caller is asked to try again. */
const TRIES = 5;

async function stopRun(call: Call, services: Services, action: Stop) {
  const { sql, engine, clock, log } = services;
  const [user, now] = [call.user(), clock.now()];
  const message = `User [${user}] take an action to ${action} the running workflow instance run`;
  for (let tries = 0; tries < TRIES; tries++) {
    const run = await latestRun(call, services);
    const status = shownRunStatus(run.status);
    if (status === TARGET[action]) return actionView(run, status, true, message, now);
    if (!mayDo(run.status, action)) {
      throw badRequest(
        `Cannot ${action} the run [${run.workflowId}][${run.instanceId}][${run.runId}]: it is ${status}.`,
      );
    }
    if (run.executionId === undefined) {
      const stopped = await stopQueued(sql, run, TARGET[action], logEvent(message, now));
      if (stopped) {
        if (stopped.parent) engine.hintRun(stopped.parent.key, stopped.parent.groupId);
        engine.hintDequeue([run.workflowId]);
        reportRun(log, run, TARGET[action], message);
        return actionView(run, TARGET[action], true, message, now);
      }
      continue;
    }
    const owner = await sayToRun(sql, run, { kind: action, user, reason: message, createTime: now });
    if (owner !== undefined) {
      engine.hintRun(owner.key, owner.groupId);
      return actionView(run, status, false, message, now);
    }
  }
  throw conflict("The run keeps changing; send the request again.");
}

function actionView(run: Run, status: RunStatus, completed: boolean, message: string, now: number) {
  return {
    workflow_id: run.workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    workflow_instance_status: status,
    completed,
    info: completed
      ? "The action is completed."
      : "The action is accepted and is still running. Please check it again.",
    timeline_event: logEvent(message, now),
  };
}

async function unblockWorkflow(call: Call, { sql, engine, clock }: Services): Promise<TimelineActionEvent> {
  const [workflowId, user, now] = [call.path("workflowId"), call.user(), clock.now()];
  const event = { timestamp: now, type: "ACTION", action: "UNBLOCK", author: user } as const;
  const reason = `Unblock workflow [${workflowId}]`;
  if (isInlineId(workflowId)) return { ...event, message: "Unblocked the workflow.", reason };
  const count = await unblockAll(sql, workflowId, { ...event, reason });
  if (count > 0) engine.hintDequeue([workflowId]);
  return { ...event, message: `Unblocked [${count}] failed workflow instances.`, reason };
}

async function unblockRun(call: Call, services: Services) {
  const { sql, engine, clock } = services;
  const [user, now] = [call.user(), clock.now()];
  const run = await latestRun(call, services);
  const status = shownRunStatus(run.status);
  const identity = `[${run.workflowId}][${run.instanceId}][${run.runId}]`;
  if (!mayDo(run.status, "UNBLOCK"))
    throw badRequest(`Cannot unblock the run ${identity}: it is ${status}, not FAILED.`);
  const message = `User [${user}] unblocked the workflow instance run ${identity}`;
  const reason = `Unblock workflow instance run ${identity}`;
  const event: TimelineActionEvent = {
    timestamp: now,
    type: "ACTION",
    action: "UNBLOCK",
    author: user,
    message,
    reason,
  };
  const done = !isInlineId(run.workflowId) && (await unblock(sql, run, event));
  if (done) engine.hintDequeue([run.workflowId]);
  return {
    ...actionView(run, status, true, message, now),
    info: done ? "The action is done." : "The action is done without any operation.",
    timeline_event: event,
  };
}
