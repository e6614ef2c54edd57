/** Breakpoints: where the steps of a workflow are held, which attempts are, and letting them go. */
import { parseWire } from "../../definition/parse.ts";
import { allSteps, nestedSteps, type Step, stepIdOf } from "../../definition/step.ts";
import { badRequest, notFound } from "../../error.ts";
import { inlinePrefixOf } from "../../run/inline.ts";
import { logEvent } from "../../step/event.ts";
import {
  type Breakpoint,
  listBreakpoints,
  listPaused,
  MOST_PAUSED,
  putBreakpoint,
  removeBreakpoint,
  resumeAttempt,
} from "../../store/breakpoint.ts";
import { loadAttempt, loadRun } from "../../store/instance.ts";
import { loadWorkflow, noWorkflow } from "../../store/workflow.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { flag, needed, type QueryValues } from "../parameter.ts";
import {
  breakpointDeleteResponseSchema,
  breakpointRequestSchema,
  breakpointSchema,
  breakpointsSchema,
  pausedAttemptsSchema,
} from "../schema/breakpoint.ts";
import { stepActionResponseSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";
import { findVersion } from "../version.ts";
import { noRun } from "./run.ts";

const BASE = "/api/v3/workflows/steps/breakpoints";

const at = {
  workflowId: needed("The workflow whose definition has the step"),
  stepId: needed("The step's id in the definition"),
};
const removal = { ...at, resume: flag(true, "Lets the attempts go on that the breakpoint has paused") };

export function breakpointRoutes(router: Router): void {
  router.add(
    {
      method: "post",
      path: BASE,
      operationId: "createBreakpoint",
      summary: "Set a breakpoint at a step",
      description:
        "Every attempt that comes to the step from now on is PAUSED before it waits for signals, until it is resumed or the breakpoint is removed: the answer comes when all nodes know, or can't be reached. One that is there already is answered as it is. The step may be in a loop, at any depth.",
      tag: "control",
      caller: true,
      body: { schema: breakpointRequestSchema },
      reply: { description: "The breakpoint", schema: breakpointSchema },
      errors: ["NOT_FOUND"],
    },
    createBreakpoint,
  );
  router.add(
    {
      method: "delete",
      path: BASE,
      operationId: "deleteBreakpoint",
      summary: "Remove the breakpoint of a step",
      description: "The attempts that it has paused go on at once, unless `resume` is false.",
      tag: "control",
      caller: true,
      query: removal,
      reply: { description: "How many attempts go on", schema: breakpointDeleteResponseSchema },
      errors: ["NOT_FOUND"],
      again: "It may have been done all the same. Sent again, it is answered with 404 then.",
    },
    deleteBreakpoint,
  );
  router.add(
    {
      method: "get",
      path: BASE,
      operationId: "listBreakpoints",
      summary: "The breakpoints of a step",
      description: "Empty when there is none, or no such step or workflow.",
      tag: "control",
      query: at,
      reply: { description: "One at most that is for all attempts", schema: breakpointsSchema },
    },
    async (_, { sql }, { workflowId, stepId }) => {
      const workflow = await loadWorkflow(sql, workflowId);
      if (workflow === undefined) return [];
      return (await listBreakpoints(sql, { internalId: workflow.internalId, stepId })).map(breakpointView);
    },
  );
  attemptRoutes(router);
}

function attemptRoutes(router: Router): void {
  router.add(
    {
      method: "get",
      path: `${BASE}/paused-step-attempts`,
      operationId: "listPausedAttempts",
      summary: "The attempts at a step that are paused",
      description: `By workflow, instance and run: the first ${MOST_PAUSED}.`,
      tag: "control",
      query: at,
      reply: { description: "Of all unfinished runs, those of loops' bodies included", schema: pausedAttemptsSchema },
    },
    listPausedAttempts,
  );
  router.add(
    {
      method: "put",
      path: `${BASE}/{workflowId}/instances/{instanceId}/runs/{run}/steps/{stepId}/attempts/{attempt}/actions/resume`,
      operationId: "resumeAttempt",
      summary: "Let a paused attempt go on",
      description: "The breakpoint stays: the next attempt at the step is paused again.",
      tag: "control",
      caller: true,
      reply: { description: "It goes on", schema: stepActionResponseSchema },
      errors: ["NOT_FOUND"],
      again: "It may have been done all the same. Sent again, it is answered with 404 then.",
    },
    resume,
  );
}

async function createBreakpoint(call: Call, services: Services) {
  const { sql, engine, clock } = services;
  const user = call.user();
  const {
    workflow_id: workflowId,
    step_id: stepId,
    ...scope
  } = parseWire(breakpointRequestSchema, await call.body(), "Invalid breakpoint request");
  const narrow = Object.entries(scope).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (narrow.length > 0) {
    throw badRequest(
      "A breakpoint holds every attempt at its step",
      narrow.map((name) => `${name}: leave it out`),
    );
  }
  const { row, version } = await findVersion(services, workflowId, "default");
  const { internalId } = row;
  const shown = shownId(workflowId, internalId, version.workflow.steps, stepId);
  if (shown === undefined) {
    throw badRequest(`Cannot set a breakpoint at step [${stepId}] of workflow [${workflowId}]`, [
      `step_id: version ${version.versionId}, the default one, has no such step`,
    ]);
  }
  const made = { internalId, stepId, workflowId: shown, createTime: clock.now(), createdBy: user };
  const breakpoint = await putBreakpoint(sql, made);
  await engine.breakpointAdded({ internalId, stepId });
  return breakpointView(breakpoint);
}

/** Undefined when no step of the definition has the id. */
function shownId(workflowId: string, internalId: number, steps: readonly Step[], stepId: string): string | undefined {
  for (const step of steps) {
    if (stepIdOf(step) === stepId) return workflowId;
    for (const nested of allSteps(nestedSteps(step))) {
      if (stepIdOf(nested) === stepId) return inlinePrefixOf("foreach" in step ? "foreach" : "while", internalId);
    }
  }
  return undefined;
}

const breakpointView = (breakpoint: Breakpoint) => ({
  workflow_id: breakpoint.workflowId,
  ...(breakpoint.versionId !== undefined && { workflow_version_id: breakpoint.versionId }),
  ...(breakpoint.instanceId !== undefined && { workflow_instance_id: breakpoint.instanceId }),
  ...(breakpoint.runId !== undefined && { workflow_run_id: breakpoint.runId }),
  step_id: breakpoint.stepId,
  ...(breakpoint.attemptId !== undefined && { step_attempt_id: breakpoint.attemptId }),
  create_time: breakpoint.createTime,
  created_by: breakpoint.createdBy,
});

async function deleteBreakpoint(
  call: Call,
  { sql, engine, clock }: Services,
  { workflowId, stepId, resume: isResuming }: QueryValues<typeof removal>,
) {
  const user = call.user();
  const workflow = await loadWorkflow(sql, workflowId);
  if (workflow === undefined) throw noWorkflow(workflowId);
  const now = clock.now();
  const event = logEvent(`User [${user}] removed the breakpoint, and resumed the attempts that it had paused`, now);
  const removed = { internalId: workflow.internalId, stepId };
  const resumed = await removeBreakpoint(sql, removed, isResuming ? event : undefined);
  if (resumed === undefined) throw notFound(`Step [${stepId}] of workflow [${workflowId}] has no breakpoint.`);
  engine.hintSteps(resumed);
  const message = `StepBreakpoint has been removed by the user [${user}]. Total of [${resumed.length}] steps have been resumed`;
  return { workflow_id: workflowId, step_id: stepId, timeline_event: logEvent(message, now) };
}

async function listPausedAttempts(_: Call, { sql }: Services, { workflowId, stepId }: QueryValues<typeof at>) {
  const workflow = await loadWorkflow(sql, workflowId);
  if (workflow === undefined) return [];
  return (await listPaused(sql, { internalId: workflow.internalId, stepId })).map((attempt) => ({
    workflow_id: attempt.workflowId,
    workflow_version_id: attempt.versionId,
    workflow_instance_id: attempt.instanceId,
    workflow_run_id: attempt.runId,
    step_id: attempt.stepId,
    step_attempt_id: attempt.attemptId,
    create_time: attempt.createTime,
  }));
}

async function resume(call: Call, { sql, engine, clock }: Services) {
  const [workflowId, instanceId, runId] = [call.path("workflowId"), call.path("instanceId"), call.path("run")];
  const [stepId, given, user] = [call.path("stepId"), call.path("attempt"), call.user()];
  const run = await loadRun(sql, workflowId, instanceId, runId);
  if (run === undefined) throw noRun(workflowId, instanceId, runId);
  const attemptId = given === "latest" ? (await loadAttempt(sql, run.key, stepId, given))?.attemptId : given;
  const name = `[${workflowId}][${instanceId}][${run.runId}][${stepId}][${attemptId ?? given}]`;
  const event = logEvent(`User [${user}] resumed the paused attempt ${name}`, clock.now());
  const resumed = await resumeAttempt(sql, { runKey: run.key, stepId, attemptId: attemptId ?? 0 }, event);
  if (resumed === undefined || attemptId === undefined) throw notFound(`The attempt ${name} is not paused.`);
  engine.hintSteps([resumed]);
  return {
    workflow_id: workflowId,
    workflow_instance_id: instanceId,
    workflow_run_id: run.runId,
    step_id: stepId,
    step_attempt_id: attemptId,
    timeline_event: event,
  };
}
