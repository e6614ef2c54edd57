/**
 * What users ask for of runs and steps that have ended: which run a request leads to, whether it is allowed there, and doing it:
 * by a new run of the root, or by a word to a run that is under way.
 */

import { isUpstream } from "../definition/initiator.ts";
import type { RestartConfig, RunPolicy } from "../definition/restart.ts";
import { DEFAULT_FAILURE_MODE } from "../definition/step.ts";
import { badRequest, conflict, MaestroError } from "../error.ts";
import { restartedBy } from "../flow/restart.ts";
import { DEFAULT_CATALOG } from "../param/defaults.ts";
import { type Run, runIdentity } from "../run/model.ts";
import { checkNewRun, checkSteps } from "../run/override.ts";
import { type Climb, climb, type RestartRequest } from "../run/restart.ts";
import { isOver, shownRunStatus } from "../run/status.ts";
import type { WordPayload } from "../run/word.ts";
import { isUnderWay, STEP_ACTIONS } from "../step/action.ts";
import type { StepAttempt } from "../step/model.ts";
import { isNested } from "../step/node.ts";
import type { StepStatus } from "../step/status.ts";
import { findRun, loadRun } from "../store/instance.ts";
import { isSaidToStep, sayToStep, unsayToStep } from "../store/stop.ts";
import type { Call } from "./call.ts";
import { newestAttempt, untilStep } from "./patience.ts";
import type { StartReply } from "./port.ts";
import { noRun } from "./route/run.ts";
import type { Services } from "./service.ts";
import { startRun } from "./start.ts";
import { templatesOf } from "./template.ts";

/** How often a run may change under our hands before the caller is asked to try again. */
const TRIES = 5;

/** What may be asked of a step that has ended. */
export type Verb = "RESTART" | "SKIP" | "SUCCEED";

export interface Asked {
  readonly request: RestartRequest;
  readonly verb: Verb;
  /** Whether to wait until a live run has carried it out. */
  readonly blocking: boolean;
  /** Epoch ms. */
  readonly requestTime: number;
  /** Becomes the new run's uuid. */
  readonly requestId?: string | undefined;
}

export type Restarted =
  | { readonly type: "new run"; readonly reply: StartReply }
  | {
      readonly type: "in place";
      readonly run: Run;
      readonly stepId: string;
      /** As far as it is known when the answer is given. */
      readonly attempt: StepAttempt | undefined;
      readonly attemptId: number;
      /** Epoch ms. */
      readonly time: number;
    };

/** @throws NOT_FOUND, BAD_REQUEST; CONFLICT; REQUEST_TIMEOUT */
export async function restart(call: Call, services: Services, asked: Asked): Promise<Restarted> {
  for (let tries = 0; tries < TRIES; tries++) {
    const way = await lead(services, asked.request);
    const made = await madeBefore(call, services, asked, way);
    if (made) return { type: "new run", reply: made };
    await checkPath(services, way);
    const restarted = await follow(call, services, asked, way);
    if (restarted) return restarted;
  }
  throw conflict("The run keeps changing; send the request again.");
}

interface Way {
  readonly found: Exclude<Climb, { readonly type: "unknown" }>;
  /** The latest runs of the instances on the way, the request's own first. */
  readonly runs: readonly Run[];
}

/** Reads as many runs as it takes to see where the request leads. @throws NOT_FOUND */
async function lead({ sql }: Services, request: RestartRequest): Promise<Way> {
  const runs: Run[] = [];
  const known = (workflowId: string, instanceId: number) => {
    const run = runs.find((it) => it.workflowId === workflowId && it.instanceId === instanceId);
    return run && { ...run, status: shownRunStatus(run.status) };
  };
  for (;;) {
    const found = climb(request, known);
    if (found.type !== "unknown") return { found, runs };
    const run = await loadRun(sql, found.workflowId, found.instanceId, "latest");
    if (run === undefined) throw noRun(found.workflowId, found.instanceId, "latest");
    runs.push(run);
  }
}

/** The run that the first request with this id made, whatever has become of it. */
async function madeBefore(
  call: Call,
  { sql }: Services,
  { requestId, requestTime }: Asked,
  { runs }: Way,
): Promise<StartReply | undefined> {
  const [first] = runs;
  if (requestId === undefined || first === undefined) return undefined;
  const above = isUpstream(first.initiator) ? first.initiator.ancestors.map((it) => it.workflow_id) : [];
  const run = await findRun(sql, [first.workflowId, ...above], requestId);
  if (run === undefined) return undefined;
  const { workflowId, instanceId, runId, versionId, uuid } = run;
  const timelineEvent = restartedBy(call.user(), requestTime);
  return { workflowId, instanceId, runId, versionId, uuid, status: "DUPLICATED", timelineEvent };
}

/** Every step on the way must have been made, by the latest run that came to it. @throws BAD_REQUEST */
async function checkPath({ reader }: Services, { found, runs }: Way): Promise<void> {
  const path = "request" in found ? found.request.config.restart_path : [];
  for (const [index, { step_id }] of path.entries()) {
    const run = runs[index];
    if (step_id === null || run === undefined) continue;
    const status = (await reader.aggregate(run)).steps.get(step_id)?.status;
    const what = `Cannot restart step [${step_id}] of ${runIdentity(run)}`;
    if (status === undefined)
      throw badRequest(`Invalid: cannot find the step view of step [${step_id}]: ${runIdentity(run)} has no such step`);
    if (status === "NOT_CREATED")
      throw badRequest(`${what} before it is created: restart the run from what is incomplete`);
  }
}

/** @returns undefined when the run is not any more as it was read */
async function follow(
  call: Call,
  services: Services,
  asked: Asked,
  { found, runs }: Way,
): Promise<Restarted | undefined> {
  const [deepest] = runs as [Run];
  if (found.type === "under way") {
    throw badRequest(`Cannot restart ${runIdentity(deepest)}: it has not ended. Stop it first, or wait for it.`);
  }
  const { request } = found;
  const top = runs.at(-1) as Run;
  const catalog = services.config.catalog ?? DEFAULT_CATALOG;
  const whole = await services.reader.wholePlan(deepest);
  const own = { ...request.config, restart_path: request.config.restart_path.slice(0, 1) };
  const changed = Object.keys(own.step_restart_params ?? {}).flatMap((id) => whole.nodes.get(id) ?? []);
  const templates = await templatesOf(services.sql, deepest, changed);
  if (found.type === "in place") {
    if (top === deepest) checkSteps(deepest, whole, own, catalog, templates);
    else checkNewRun(deepest, whole, own, catalog, templates);
    return sayAgain(call, services, { ...asked, run: top, stepId: found.stepId, payload: { restart: request.config } });
  }
  checkNewRun(deepest, whole, own, catalog, templates);
  const { requestId = crypto.randomUUID(), requestTime } = asked;
  call.again = `The run may have been restarted all the same. Send the request again with the request_id ${requestId}: it restarts nothing twice.`;
  const { workflowId, instanceId } = top;
  const command = { workflowId, instanceId, restart: request, requestTime, requestId, user: call.user() };
  const reply = await startRun(call, services, command);
  return { type: "new run", reply };
}

export interface Said extends Pick<Asked, "verb" | "blocking" | "requestTime"> {
  /** Under way. */
  readonly run: Run;
  readonly stepId: string;
  readonly payload: Omit<WordPayload, "after">;
}

/**
 * Asks for another try of a step that has ended, in its run, which is under way.
 * @returns undefined when the run is under way no more
 */
export async function sayAgain(call: Call, services: Services, said: Said): Promise<Restarted | undefined> {
  const { run, stepId, verb, payload } = said;
  const { after, below } = await checkInPlace(services, said);
  const [user, createTime] = [call.user(), services.clock.now()];
  const word = { kind: verb, user, reason: undefined, createTime, payload: { ...payload, after } };
  const owner = await sayToStep(services.sql, run, stepId, word);
  if (owner === undefined) return undefined;
  if (owner === "pending") throw ongoing(stepId);
  services.engine.hintRun(owner.key, owner.groupId);
  const accepted = { type: "in place", run, stepId, attemptId: below ? after : after + 1, time: createTime } as const;
  if (!said.blocking) return { ...accepted, attempt: undefined };
  const isDone = async ({ attemptId, status }: StepAttempt): Promise<boolean> =>
    below
      ? !(await isSaidToStep(services.sql, run.key, stepId, word))
      : attemptId > after && (verb === "RESTART" || !isUnderWay(status));
  const waited = await untilStep(call, services, run, stepId, isDone);
  if (waited.type === "done") return { ...accepted, attempt: waited.attempt, attemptId: waited.attempt.attemptId };
  const isTakenBack = await unsayToStep(services.sql, run.key, stepId, word);
  if (waited.type === "run over") return undefined;
  const attempt = await newestAttempt(services, run, stepId);
  if (!isTakenBack && attempt && (await isDone(attempt))) return { ...accepted, attempt, attemptId: attempt.attemptId };
  throw new MaestroError(
    "REQUEST_TIMEOUT",
    `${verb} of step [${stepId}] was not taken up in time, and is withdrawn: send the request again.`,
  );
}

export const ongoing = (stepId: string): MaestroError =>
  conflict(`There is an ongoing action for step [${stepId}]; send the request again when it is done.`);

interface InPlace {
  /** Its newest attempt in this run; 0 when an earlier run has made the newest one. */
  readonly after: number;
  /** That attempt goes on, and hands the word to what is below it. */
  readonly below: boolean;
}

/** @throws BAD_REQUEST */
async function checkInPlace(services: Services, { run, stepId, verb, payload }: Said): Promise<InPlace> {
  const plan = await services.reader.plan(run);
  const node = plan.nodes.get(stepId);
  const what = `Cannot ${verb} step [${stepId}] of the run ${runIdentity(run)}, which is under way`;
  if (run.executionId === undefined) throw badRequest(`${what}: the run waits to be let go.`);
  if (!node) throw badRequest(`${what}: it is none of the steps that the run executes.`);
  const newest = await newestAttempt(services, run, stepId);
  if (newest && isBelow(payload.restart) && isNested(node) && newest.status === "RUNNING")
    return { after: newest.attemptId, below: true };
  const status = newest?.status ?? plan.earlier?.aggregate.steps.get(stepId)?.status ?? "NOT_CREATED";
  const effect = STEP_ACTIONS[status][verb];
  if (effect !== "again" && effect !== "in place") throw badRequest(`${what}: it is ${status}${adviceFor(status)}`);
  const mode = node.body.failure_mode ?? DEFAULT_FAILURE_MODE;
  if (newest && mode !== "FAIL_AFTER_RUNNING") {
    throw badRequest(`${what}: its failure mode is ${mode}, and only FAIL_AFTER_RUNNING leaves it to be tried again.`);
  }
  if (!newest && !plan.held.has(stepId)) throw badRequest(`${what}: the run has yet to come to it.`);
  return { after: newest?.attemptId ?? 0, below: false };
}

/** It is meant for a run below the step. */
const isBelow = (config: RestartConfig | undefined): boolean => (config?.restart_path.length ?? 0) > 1;

function adviceFor(status: StepStatus): string {
  if (status === "NOT_CREATED") return ".";
  return isUnderWay(status)
    ? ". Stop it first, or wait for it."
    : ", and is complete. It can be done again once the run has ended.";
}

/** @throws BAD_REQUEST: the run or the step has not ended */
export async function checkEnded({ reader }: Services, run: Run, stepId: string): Promise<void> {
  const status = (await reader.aggregate(run)).steps.get(stepId)?.status;
  if (isOver(run) && (status === undefined || !isUnderWay(status))) return;
  throw badRequest(
    `Cannot restart from the inline root of step [${stepId}] of the run ${runIdentity(run)}: the run and the step have to have ended.`,
    ["upstream_restart_mode: leave it out to restart the step where it is"],
  );
}

/** What a user may ask for. */
export const RESTART_POLICIES = [
  "RESTART_FROM_INCOMPLETE",
  "RESTART_FROM_BEGINNING",
] as const satisfies readonly RunPolicy[];
