/**
 * Which permits a step needs before it starts, and who gets the free ones: plain data in, plain data out. In the database
 * `assign_permits` decides the same; {@link assign} is its oracle.
 *
 * An attempt at a leaf step needs one permit of each of
 * - the step's own tags,
 * - `maestro_<workflow id>`, when the run's properties limit the workflow's steps (`step_concurrency`),
 * - `maestro_<correlation id>`, when the root's definition limits the steps of its whole tree (`instance_step_concurrency`).
 *
 * It gets all of them at once or none. A stored limit of the tag counts, whoever made the tag; else the one that the attempt
 * brought; a tag without either holds nobody back. Attempts are looked at in the order of their arrival, and one that has
 * to wait does not hold back those behind it. What is granted stays granted until the attempt ends: a limit that is
 * lowered takes nothing away.
 */
import { isUpstream } from "../definition/initiator.ts";
import type { StepNode } from "../step/node.ts";
import { correlationOf, type Run } from "./model.ts";

/** A permit that is needed. */
export interface Want {
  readonly tag: string;
  /** How many may hold one, unless the tag has a limit of its own; undefined: any number. */
  readonly limit: number | undefined;
}

const NONE: readonly Want[] = Object.freeze([]);

/** The step may need permits: whatever {@link stepWants} says of any other is nothing. Cheap. */
export const mayWant = (
  { properties: { step_concurrency, instance_step_concurrency } }: Run,
  node: StepNode,
): boolean =>
  node.typed !== undefined &&
  ((node.typed.tags?.length ?? 0) > 0 || step_concurrency !== undefined || instance_step_concurrency !== undefined);

/** What an attempt at the step needs, without duplicates. */
export function stepWants(run: Run, node: StepNode): readonly Want[] {
  if (!mayWant(run, node)) return NONE;
  const { step_concurrency: steps, instance_step_concurrency: tree } = run.properties;
  const wants = new Map<string, number | undefined>();
  for (const { name } of node.typed?.tags ?? []) wants.set(name, undefined);
  if (steps !== undefined) wants.set(`maestro_${run.workflowId}`, steps);
  if (tree !== undefined) wants.set(`maestro_${correlationOf(run)}`, tree);
  return [...wants].map(([tag, limit]) => ({ tag, limit }));
}

/** What a run needs that a step has started: as many of a tree are under way on each level as its root allows leaf steps. */
export const ownWants = (run: Run): readonly Want[] => (isUpstream(run.initiator) ? levelWants(run, 0) : NONE);

/** What a run needs that a step of this one starts. */
export const childWants = (run: Run): readonly Want[] => levelWants(run, 1);

function levelWants(run: Run, below: 0 | 1): readonly Want[] {
  const tree = run.properties.instance_step_concurrency;
  if (tree === undefined) return NONE;
  const level = (isUpstream(run.initiator) ? run.initiator.ancestors.length : 0) + below;
  return [{ tag: `maestro_${correlationOf(run)}:depth:${level}`, limit: tree }];
}

// ---- who gets one --------------------------------------------------------------------------------------------------

export interface PermitRequest {
  readonly uuid: string;
  readonly wants: readonly Want[];
  readonly granted: boolean;
}

/** Stored limits by tag, and who holds permits or waits for them, in the order of arrival. */
export interface Permits {
  readonly limits: ReadonlyMap<string, number>;
  readonly requests: readonly PermitRequest[];
}

/** Grants what is free. */
export function assign({ limits, requests }: Permits): Permits {
  const held = holders(requests);
  const isFull = ({ tag, limit }: Want): boolean =>
    (held.get(tag) ?? 0) >= (limits.get(tag) ?? limit ?? Number.POSITIVE_INFINITY);
  const decided = requests.map((request) => {
    if (request.granted || request.wants.some(isFull)) return request;
    for (const { tag } of request.wants) held.set(tag, (held.get(tag) ?? 0) + 1);
    return { ...request, granted: true };
  });
  return { limits, requests: decided };
}

/** How many hold a permit, by tag. */
export function holders(requests: Iterable<PermitRequest>): Map<string, number> {
  const held = new Map<string, number>();
  for (const { granted, wants } of requests) {
    if (granted) for (const { tag } of wants) held.set(tag, (held.get(tag) ?? 0) + 1);
  }
  return held;
}
