/** Ending a step of a run that is under way: stop, kill, skip. */
import { badRequest, conflict, MaestroError, notFound } from "../../error.ts";
import type { Run } from "../../run/model.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { logEvent } from "../../step/event.ts";
import type { StepAttempt } from "../../step/model.ts";
import { isRetryable, isTerminal, STEP_ACTIONS, type StepStatus } from "../../step/status.ts";
import { stateView } from "../../step/view.ts";
import { loadAttempt, loadRun } from "../../store/instance.ts";
import { sayToStep } from "../../store/stop.ts";
import type { Call } from "../call.ts";
import type { Router } from "../endpoint.ts";
import { flag, type QueryValues } from "../parameter.ts";
import { stepActionResponseSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";
import { Wakeup } from "../wait.ts";
import { noRun } from "./run.ts";

const PATH = "/api/v3/workflows/{workflowId}/instances/{instanceId}/steps/{stepId}/actions";
/** How long a request waits for the step to be as it asks, ms. */
const PATIENCE = 5_000;
/** Between two looks at the step, ms: short at first, since most steps end at once. */
const FIRST_LOOK = 10;
const LONGEST_LOOK = 500;

const query = { blocking: flag(true, "Answer once it is done, or refuse with 408 when that takes more than 5 s") };
type Query = QueryValues<typeof query>;

type Ending = keyof typeof MEANING;

const MEANING = {
  STOP: "The step ends STOPPED, and what follows it does not begin; the other steps go on.",
  KILL: "The step ends FATALLY_FAILED; its failure mode says what becomes of the run.",
  SKIP: "The step ends SKIPPED, and what follows it decides by its conditions.",
} as const;

export function endingRoutes(router: Router): void {
  for (const action of Object.keys(MEANING) as Ending[]) {
    const verb = action.toLowerCase();
    router.add(
      {
        method: "put",
        path: `${PATH}/${verb}`,
        operationId: `${verb}Step`,
        summary: `${action[0]}${verb.slice(1)} a step of the latest run`,
        description: `${MEANING[action]} Its job is ended first. A step that waits for its retry ends at once.`,
        tag: "step",
        caller: true,
        query,
        reply: { description: "Accepted, or done", schema: stepActionResponseSchema },
        errors: ["NOT_FOUND", "CONFLICT", "REQUEST_TIMEOUT"],
      },
      (call, services, given) => endStep(call, services, action, given),
    );
  }
}

async function endStep(call: Call, services: Services, action: Ending, { blocking }: Query) {
  const { sql, engine, clock } = services;
  const [workflowId, instanceId, stepId] = [call.path("workflowId"), call.path("instanceId"), call.path("stepId")];
  const run = await loadRun(sql, workflowId, instanceId, "latest");
  if (run === undefined) throw noRun(workflowId, instanceId, "latest");
  await check(services, run, stepId, action);
  const [user, now] = [call.user(), clock.now()];
  const owner = await sayToStep(sql, run, stepId, { kind: action, user, reason: undefined, createTime: now });
  if (owner === undefined) throw badRequest(`Cannot ${action} step [${stepId}]: its run has just ended.`);
  if (owner === "pending") {
    throw conflict(`There is an ongoing action for step [${stepId}]; send the request again when it is done.`);
  }
  engine.hintRun(owner.key, owner.groupId);
  const attempt = blocking
    ? await untilEnded(call, services, run, stepId, action)
    : await newest(services, run, stepId);
  return {
    workflow_id: workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    step_id: stepId,
    step_attempt_id: attempt?.attemptId ?? 1,
    ...(blocking && attempt && { step_runtime_state: stateView(attempt) }),
    timeline_event: logEvent(`User [${user}] take action [${action}] on the step`, now),
  };
}

const newest = ({ sql }: Services, run: Run, stepId: string): Promise<StepAttempt | undefined> =>
  loadAttempt(sql, run.key, stepId, "latest");

/** @throws BAD_REQUEST, NOT_FOUND */
async function check(services: Services, run: Run, stepId: string, action: Ending): Promise<void> {
  const what = `Cannot ${action} step [${stepId}] of the run [${run.workflowId}][${run.instanceId}][${run.runId}]`;
  if (isOver(run)) throw badRequest(`${what}: the run is ${shownRunStatus(run.status)}.`);
  if (!(await services.reader.hasStep(run, stepId))) throw badRequest(`${what}: the run has no such step.`);
  const status = (await newest(services, run, stepId))?.status;
  if (status === undefined) {
    const missing = `${what} before it is created.`;
    throw action === "SKIP" ? badRequest(missing) : notFound(missing);
  }
  if (!isUnderWay(status) || !STEP_ACTIONS[status]?.includes(action)) throw badRequest(`${what}: it is ${status}.`);
}

/** It goes on by itself, now or after its backoff. */
const isUnderWay = (status: StepStatus): boolean => !isTerminal(status) || isRetryable(status);

/** @throws REQUEST_TIMEOUT: it is accepted, and will be done */
async function untilEnded(
  call: Call,
  services: Services,
  run: Run,
  stepId: string,
  action: Ending,
): Promise<StepAttempt | undefined> {
  const { clock, engine } = services;
  const { signal } = call.request;
  const deadline = clock.now() + PATIENCE;
  const close = call.keepOpen(PATIENCE / 1000);
  const wakeup = new Wakeup<unknown>(clock, signal, (listener) => engine.onRunEnded(run, listener));
  try {
    for (let pause = FIRST_LOOK; ; pause = Math.min(pause * 2, LONGEST_LOOK)) {
      const attempt = await newest(services, run, stepId);
      if (signal.aborted || (attempt && !isUnderWay(attempt.status))) return attempt;
      if (clock.now() >= deadline) {
        throw new MaestroError(
          "REQUEST_TIMEOUT",
          `${action} of step [${stepId}] is accepted and not done yet: read the step to see when it is.`,
        );
      }
      await wakeup.until(Math.min(deadline, clock.now() + pause));
    }
  } finally {
    wakeup.close();
    close();
  }
}
