/**
 * What the children of a step are called: the workflow id of a loop's body, and the request ids of the runs that a step starts.
 *
 * An inline workflow id is `maestro_<foreach|while>_<hash key>_<range key>_<md5>`. It names neither run nor attempt of the loop: all runs of a
 * loop step in one instance share it, with the iteration as instance id (from 1), and are told apart by their run ids. Ids of one
 * workflow share a prefix, those of one instance a longer one.
 *
 * A request id is the name-based uuid of a text, so that a child that is launched again is the one that there is.
 */
import { type Ancestor, type Initiator, isUpstream } from "../definition/initiator.ts";
import { md5, nameUuid } from "../id.ts";
import type { RunRef } from "./model.ts";

export type LoopKind = "foreach" | "while";

/** What a loop's body is named after: the run that the loop step is in, itself a body at times. */
export interface EnclosingRun {
  readonly workflowId: string;
  readonly instanceId: number;
  readonly internalId: number;
  readonly initiator: Initiator;
}

/** The id is that of a loop's body: a user's own id never begins so. */
export const isInlineId = (workflowId: string): boolean => /^maestro_(foreach|while)_/.test(workflowId);

/** The nearest ancestor that a user has started or a subworkflow step, not a loop; undefined: there is none. */
export const closestWhole = (initiator: Initiator): Ancestor | undefined =>
  isUpstream(initiator) ? initiator.ancestors.findLast((ancestor) => !isInlineId(ancestor.workflow_id)) : undefined;

/** What the ids of a workflow's inline workflows of one kind begin with. */
export const inlinePrefixOf = (kind: LoopKind, internalId: number): string => `maestro_${kind}_${hashKey(internalId)}_`;

/** The workflow id of the body of a run's loop step. */
export const inlineIdOf = (kind: LoopKind, run: EnclosingRun, stepId: string): string =>
  bodyPrefix(kind, run.internalId, wholeInstance(run)) + bodyHash(stepId, run.instanceId, run.workflowId);

/** The instance that is no iteration of a loop: the run's own, or that around the loops which it is in. */
export function wholeInstance({ workflowId, instanceId, initiator }: Omit<EnclosingRun, "internalId">): number {
  return (isInlineId(workflowId) ? closestWhole(initiator)?.instance_id : undefined) ?? instanceId;
}

/** What the ids of all bodies of a kind begin with that an instance has at any depth. */
export const bodyPrefix = (kind: LoopKind, internalId: number, instanceId: number): string =>
  `${inlinePrefixOf(kind, internalId)}${rangeKey(instanceId)}_`;

/** What follows. @param instanceId of the run that the loop step is in, itself an iteration at times */
export const bodyHash = (stepId: string, instanceId: number, workflowId: string): string =>
  md5(`${stepId}@${instanceId}@${workflowId}`);

/** @param runId The `foreach_run_id` of the step's artifact. @param index From 0. */
export const foreachUuid = (inlineId: string, runId: number, index: number): string =>
  nameUuid(`[${inlineId}][${runId}][${index}]`);

/** @param iteration From 1: the instance id. @param runId The `loop_run_id` of the step's artifact. */
export const whileUuid = (inlineId: string, iteration: number, runId: number): string =>
  nameUuid(`[${inlineId}][${iteration}][${runId}]`);

/** Each attempt of a subworkflow step launches a child of its own. */
export const subworkflowUuid = (
  run: RunRef,
  step: { readonly stepId: string; readonly attemptId: number; readonly uuid: string },
): string =>
  nameUuid(`[${run.workflowId}][${run.instanceId}][${run.runId}][${step.stepId}][${step.attemptId}][${step.uuid}]`);

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** Base 62, the least significant digit first: neighbours are far apart. */
export function hashKey(number: number): string {
  let text = "";
  let rest = number;
  do {
    text += DIGITS.charAt(rest % DIGITS.length);
    rest = Math.floor(rest / DIGITS.length);
  } while (rest > 0);
  return text;
}

/** Base 62 after a digit that counts its digits: as texts in the order of the numbers (in the "C" collation). */
export function rangeKey(number: number): string {
  const digits = [...hashKey(number)].reverse().join("");
  return DIGITS.charAt(digits.length) + digits;
}
