/** Ending a step of a run that is under way: stop, kill, skip, or declare it done. */
import { parseWire } from "../../definition/parse.ts";
import { badRequest, MaestroError, notFound } from "../../error.ts";
import { DEFAULT_CATALOG } from "../../param/defaults.ts";
import type { ParamDefinitions } from "../../param/type.ts";
import { type Run, runIdentity } from "../../run/model.ts";
import { checkOutputs } from "../../run/override.ts";
import { stepSkip } from "../../run/restart.ts";
import { isOver, shownRunStatus } from "../../run/status.ts";
import { isUnderWay, STEP_ACTIONS } from "../../step/action.ts";
import { logEvent } from "../../step/event.ts";
import type { StepAttempt } from "../../step/model.ts";
import type { StepNode } from "../../step/node.ts";
import { stateView } from "../../step/view.ts";
import { loadRun } from "../../store/instance.ts";
import { sayToStep } from "../../store/stop.ts";
import type { Call } from "../call.ts";
import { hasBody, type Router } from "../endpoint.ts";
import { flag, type QueryValues } from "../parameter.ts";
import { newestAttempt, untilStep } from "../patience.ts";
import { ongoing, restart, sayAgain } from "../restart.ts";
import { stepSucceedSchema } from "../schema/restart.ts";
import { stepActionResponseSchema } from "../schema/step.ts";
import type { Services } from "../service.ts";
import { templatesOf } from "../template.ts";
import { noRun } from "./run.ts";

const PATH = "/api/v3/workflows/{workflowId}/instances/{instanceId}/steps/{stepId}/actions";

const query = { blocking: flag(true, "Answer once it is done, or refuse with 408 when that takes more than 5 s") };
type Query = QueryValues<typeof query>;

type Ending = keyof typeof MEANING;

const MEANING = {
  STOP: "The step ends STOPPED, and what follows it does not begin; the other steps go on. Its job is ended first. A step that waits for its retry ends at once.",
  KILL: "The step ends FATALLY_FAILED; its failure mode says what becomes of the run. Its job is ended first. A step that waits for its retry ends at once.",
  SKIP: "The step ends SKIPPED, and what follows it decides by its conditions. Its job is ended first. A step that has ended is skipped by another attempt in its run while that lasts, else by a new run.",
  SUCCEED:
    "The step ends SUCCEEDED, with the outputs of the request in the place of its job's, and what follows it decides by its conditions. Its job is ended first. Of a run that is under way only: a step that has failed there gets another attempt that ends so at once.",
} as const;

const SUMMARY = {
  STOP: "Stop a step of the latest run",
  KILL: "Kill a step of the latest run",
  SKIP: "Skip a step of the latest run",
  SUCCEED: "Declare a step of the latest run done",
} as const;

export function endingRoutes(router: Router): void {
  for (const action of Object.keys(MEANING) as Ending[]) {
    const verb = action.toLowerCase();
    router.add(
      {
        method: "put",
        path: `${PATH}/${verb}`,
        operationId: `${verb}Step`,
        summary: SUMMARY[action],
        description: MEANING[action],
        tag: "step",
        caller: true,
        query,
        ...(action === "SUCCEED" && { body: { schema: stepSucceedSchema } }),
        reply: { description: "Accepted, or done", schema: stepActionResponseSchema },
        errors: ["NOT_FOUND", "CONFLICT", "REQUEST_TIMEOUT"],
      },
      (call, services, given) => endStep(call, services, action, given),
    );
  }
}

/** How often a run may change under our hands before the caller is asked to try again. */
const TRIES = 5;

async function endStep(call: Call, services: Services, action: Ending, { blocking }: Query) {
  const [workflowId, instanceId, stepId] = [call.path("workflowId"), call.path("instanceId"), call.path("stepId")];
  const outputs = action === "SUCCEED" ? await readOutputs(call) : undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const run = await loadRun(services.sql, workflowId, instanceId, "latest");
    if (run === undefined) throw noRun(workflowId, instanceId, "latest");
    const asked = { run, stepId, action, blocking, outputs };
    if (isOver(run)) return skipAfterwards(call, services, asked);
    const done = await endLive(call, services, asked);
    if (done) return done;
  }
  throw badRequest(`Cannot ${action} step [${stepId}]: its run has just ended.`);
}

async function readOutputs(call: Call): Promise<ParamDefinitions | undefined> {
  if (!hasBody(call.request)) return undefined;
  const given = parseWire(stepSucceedSchema, await call.body(), "Invalid request to declare a step done");
  return (given as { readonly outputs?: ParamDefinitions }).outputs;
}

interface Asked {
  readonly run: Run;
  readonly stepId: string;
  readonly action: Ending;
  readonly blocking: boolean;
  readonly outputs: ParamDefinitions | undefined;
}

/** A run that has ended is gone on with by another one only. @throws BAD_REQUEST */
async function skipAfterwards(call: Call, services: Services, { run, stepId, action, blocking }: Asked) {
  const what = `Cannot ${action} step [${stepId}] of the run ${runIdentity(run)}: the run is ${shownRunStatus(run.status)}`;
  if (action === "SUCCEED") throw badRequest(`${what}. Skip the step instead, or restart it, which makes a new run.`);
  if (action !== "SKIP") throw badRequest(`${what}.`);
  const status = (await services.reader.aggregate(run)).steps.get(stepId)?.status;
  if (status && status !== "NOT_CREATED" && STEP_ACTIONS[status].SKIP === undefined) {
    throw badRequest(`Cannot SKIP step [${stepId}] of the run ${runIdentity(run)}: it is ${status}.`);
  }
  const request = stepSkip(run, stepId);
  const now = services.clock.now();
  const done = await restart(call, services, { request, verb: "SKIP", blocking, requestTime: now });
  if (done.type === "in place")
    return answer(call, done.run, done.stepId, action, done.time, done.attempt, done.attemptId);
  const { workflowId, instanceId, runId } = done.reply;
  return {
    workflow_id: workflowId,
    workflow_instance_id: instanceId,
    workflow_run_id: runId,
    timeline_event: eventOf(call, action, now),
  };
}

/** @returns undefined when the run has just ended */
async function endLive(call: Call, services: Services, asked: Asked) {
  const { run, stepId, action, blocking, outputs } = asked;
  const { node, newest } = await check(services, asked);
  if (outputs) {
    const templates = await templatesOf(services.sql, run, [node]);
    checkOutputs(run, node, outputs, services.config.catalog ?? DEFAULT_CATALOG, templates.get(node.id));
  }
  const [user, now] = [call.user(), services.clock.now()];
  if ((action === "SKIP" || action === "SUCCEED") && !(newest && isUnderWay(newest.status))) {
    const config = action === "SKIP" ? { restart: stepSkip(run, stepId).config } : { outputs };
    const said = { run, stepId, verb: action, blocking, requestTime: now, payload: config };
    const done = await sayAgain(call, services, said);
    return done?.type === "in place"
      ? answer(call, run, stepId, action, done.time, done.attempt, done.attemptId)
      : undefined;
  }
  const payload = outputs && { outputs };
  const word = { kind: action, user, reason: undefined, createTime: now, payload };
  const owner = await sayToStep(services.sql, run, stepId, word);
  if (owner === undefined) return undefined;
  if (owner === "pending") throw ongoing(stepId);
  services.engine.hintRun(owner.key, owner.groupId);
  if (!blocking) return answer(call, run, stepId, action, now, undefined, newest?.attemptId ?? 1);
  const waited = await untilStep(call, services, run, stepId, ({ status }) => !isUnderWay(status));
  if (waited.type === "done") return answer(call, run, stepId, action, now, waited.attempt, waited.attempt.attemptId);
  throw new MaestroError(
    "REQUEST_TIMEOUT",
    `${action} of step [${stepId}] is accepted and not done yet: read the step to see when it is.`,
  );
}

const eventOf = (call: Call, action: Ending, now: number) =>
  logEvent(`User [${call.user()}] take action [${action}] on the step`, now);

/** @param attempt undefined when nobody has waited */
function answer(
  call: Call,
  run: Run,
  stepId: string,
  action: Ending,
  now: number,
  attempt: StepAttempt | undefined,
  attemptId: number,
) {
  return {
    workflow_id: run.workflowId,
    workflow_instance_id: run.instanceId,
    workflow_run_id: run.runId,
    step_id: stepId,
    step_attempt_id: attemptId,
    ...(attempt && { step_runtime_state: stateView(attempt) }),
    timeline_event: eventOf(call, action, now),
  };
}

/** @throws BAD_REQUEST, NOT_FOUND */
async function check(
  services: Services,
  { run, stepId, action }: Asked,
): Promise<{ readonly node: StepNode; readonly newest: StepAttempt | undefined }> {
  const what = `Cannot ${action} step [${stepId}] of the run ${runIdentity(run)}`;
  const plan = await services.reader.plan(run);
  const node = plan.nodes.get(stepId);
  if (!node) throw badRequest(`${what}: the run has no such step.`);
  const newest = await newestAttempt(services, run, stepId);
  const status =
    newest?.status ?? (plan.held.has(stepId) ? plan.earlier?.aggregate.steps.get(stepId)?.status : undefined);
  if (status === undefined) {
    const missing = `${what} before it is created.`;
    throw action === "SKIP" || action === "SUCCEED" ? badRequest(missing) : notFound(missing);
  }
  const effect = STEP_ACTIONS[status][action];
  if (effect === undefined || effect === "new run") throw badRequest(`${what}: it is ${status}.`);
  return { node, newest };
}
