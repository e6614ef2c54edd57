/** What a loop that runs again makes of the iterations that it has had before. Pure. */
import type { RestartConfig } from "../definition/restart.ts";
import type { RunConfig } from "../run/model.ts";
import { currentNode, downstream, nextNode } from "../run/restart.ts";
import { isRunTerminal } from "../run/status.ts";
import type { StoredChild } from "./child.ts";

/** The loop step in its run. */
export interface LoopStep {
  readonly type: "FOREACH" | "WHILE";
  readonly stepId: string;
  /** Of its iterations. */
  readonly workflowId: string;
  readonly config: RunConfig;
  /** Of the attempt, if it was restarted in a live run. */
  readonly own: RestartConfig | undefined;
}

/** The iteration that the restart leads to; undefined: it is for the loop as a whole, or for something else. */
export function iterationNamed({ stepId, workflowId, config, own }: LoopStep): number | undefined {
  const restart = own ?? config.restart_config;
  if (restart === undefined || currentNode(restart)?.step_id !== stepId) return undefined;
  const next = nextNode(restart);
  return next?.workflow_id === workflowId ? next.instance_id : undefined;
}

/** How iterations are made again that the restart does not lead to. */
export function policyBeside({ type, stepId, workflowId, config, own }: LoopStep) {
  return downstream(config, own, stepId, { type, workflowId, instanceId: NO_ITERATION }).policy;
}

/** Instance ids begin at 1. */
const NO_ITERATION = 0;

/**
 * | the restart                     | iterations of a foreach that count as they are |
 * |---------------------------------|------------------------------------------------|
 * | begins at the beginning         | none                                           |
 * | leads to one iteration          | all others that have ended                     |
 * | is for what is incomplete       | those that have succeeded                      |
 */
export function keeps(step: LoopStep): (child: StoredChild) => boolean {
  const named = iterationNamed(step);
  if (named !== undefined) return ({ instanceId, status }) => instanceId !== named && isRunTerminal(status);
  if (policyBeside(step) === "RESTART_FROM_BEGINNING") return () => false;
  return ({ status }) => status === "SUCCEEDED";
}
