/**
 * Prepares one more run of an instance that has ended: from the rows of the runs before it, what it executes, and with which
 * params. It shares the transaction of all starts of the moment.
 */
import { badRequest, notFound } from "../error.ts";
import { hasParams } from "../param/order.ts";
import { correlationOf, type Run, type RunConfig } from "../run/model.ts";
import { madeIn, type PlannedRun, type RunPlan } from "../run/plan.ts";
import { carriedStepParams, restartParamsOf } from "../run/restart.ts";
import { isOver } from "../run/status.ts";
import { timeoutOf } from "../run/timeout.ts";
import { logEvent } from "../step/event.ts";
import type { FlowContext } from "./context.ts";
import type { EarlierRows, NewRun, WorkflowHead } from "./port.ts";
import type { RestartCommand } from "./protocol.ts";

export interface RestartContext extends FlowContext {
  readonly groups: number;
  planFor(run: PlannedRun, before: EarlierRows): Promise<RunPlan | undefined>;
}

/** @throws MaestroError NOT_FOUND, BAD_REQUEST; Deferred */
export async function prepareRestart(
  engine: RestartContext,
  { id }: { readonly id: string },
  command: RestartCommand,
  head: WorkflowHead,
): Promise<{ readonly plan: RunPlan; readonly run: NewRun }> {
  const { workflowId, instanceId, restart } = command;
  const previous = await engine.store.latestRun(workflowId, instanceId);
  if (previous === undefined || previous.internalId !== head.internalId) {
    throw notFound(`Cannot find instance [${workflowId}][${instanceId}]: it was never started or has been deleted`);
  }
  const [before = NOTHING] = await engine.store.earlier([{ ...previous, runId: previous.runId + 1 }]);
  const config = configOf(previous, before, command);
  const planned = { ...previous, initiator: initiatorOf(command), config };
  const plan = await engine.planFor(planned, before);
  if (!plan) throw notFound(`Cannot find version [${previous.versionId}] of workflow [${workflowId}]`);
  if (plan.nodes.size === 0) {
    throw badRequest(
      `Cannot restart [${workflowId}][${instanceId}] from what is incomplete: all its steps are complete. Restart it from the beginning, or restart one of its steps`,
    );
  }
  const now = engine.clock.now();
  const { initiator } = planned;
  // Of a run that could not be initialised, the params that it was started with are all that there is.
  const { child } = command;
  const runParams = child?.runParams ?? (hasParams(previous.params) ? undefined : previous.runParams);
  const input = {
    ...{ id, workflow: plan.workflow, head, initiator, inherited: child?.inherited, runParams, now },
    restart: { previous, policy: restart.policy, params: restartParamsOf(restart.config) },
  };
  const params = engine.evaluation.startParams(input);
  const interpolate = (text: string): string => engine.evaluation.startText(input, params, text);
  const timeoutMs = timeoutOf(plan.workflow.timeout, `workflow [${workflowId}]`, interpolate);
  const { internalId, versionId } = previous;
  const properties = propertiesOf(previous, command);
  return {
    plan,
    run: {
      ...{ workflowId, internalId, versionId, properties, initiator, config, params, timeoutMs },
      revision: head.revision,
      uuid: command.requestId ?? engine.newUuid(),
      restartOf: instanceId,
      // What a run is made from that has not ended yet is not all that it leaves.
      restartAfter: isOver(previous) ? previous.runId : NO_RUN,
      parent: child?.parent,
      groupInfo: child?.parent.groupInfo ?? engine.groups,
      correlationId: child?.config.correlation_id ?? correlationOf(previous),
      runParams: child?.passed ?? runParams ?? {},
      status: "CREATED",
      requestTime: command.requestTime,
      artifacts: {},
      timeline: [],
    },
  };
}

/** Those that held before; who restarts a run is its caller. */
function propertiesOf({ properties }: Run, { user, child }: RestartCommand): Run["properties"] {
  return properties.run_as === "CALLER" ? { ...properties, user: child?.parent.user ?? user } : properties;
}

/** Run ids begin at 1. */
const NO_RUN = 0;

const NOTHING: EarlierRows = { runs: [], attempts: [] };

const initiatorOf = ({ user, child }: RestartCommand): Run["initiator"] =>
  child?.initiator ?? { type: "MANUAL", depth: 0, user };

function configOf(previous: Run, { attempts }: EarlierRows, { restart, child }: RestartCommand): RunConfig {
  const { runtime_tags } = previous.config;
  // What was given for a step in an earlier run than the previous one is in that one's config.
  const made = madeIn(previous.overview);
  const step_run_params = carriedStepParams(
    previous,
    attempts.filter(({ stepId }) => made.has(stepId)),
  );
  return {
    ...(runtime_tags && { runtime_tags }),
    ...child?.config,
    policy: restart.policy,
    restart_config: restart.config,
    ...(step_run_params && { step_run_params }),
  };
}

/** The line that a restart is answered with. */
export const restartedBy = (user: string, now: number) =>
  logEvent(`User [${user}] restarts the workflow instance: a new run is made`, now);
