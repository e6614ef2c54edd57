/**
 * What a simulated database says of runs, counted from its rows without the sources under test: the steps of a run and their
 * edges, what earlier runs of the instance have made of them, and the leaves of the tree below.
 */
import { isUpstream } from "../../src/definition/initiator.ts";
import { allSteps, fieldsOf, nestedSteps, type Step, stepIdOf } from "../../src/definition/step.ts";
import type { Run } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import { isOver, type RunStatus, shownRunStatus } from "../../src/run/status.ts";
import type { StepAttempt } from "../../src/step/model.ts";
import { isComplete, isFailed, type StepStatus } from "../../src/step/status.ts";
import type { SimStore } from "./store.ts";

/** Predecessors by step. */
export type Edges = ReadonlyMap<string, readonly string[]>;

/** Of the body, for an iteration of a loop. */
export function stepsOf(store: SimStore, { internalId, versionId, initiator }: Run): readonly Step[] {
  const steps = store.definition(internalId, versionId)?.steps ?? [];
  if (!isUpstream(initiator) || initiator.type === "SUBWORKFLOW") return steps;
  const loop = [...allSteps(steps)].find((step) => stepIdOf(step) === initiator.ancestors.at(-1)?.step_id);
  return loop === undefined ? [] : nestedSteps(loop);
}

export function edgesOf(store: SimStore, run: Run): Edges {
  const steps = stepsOf(store, run).map(fieldsOf);
  const edges = new Map(steps.map(({ id }) => [id, [] as string[]]));
  for (const { id, transition } of steps) {
    for (const to of Object.keys(transition.successors ?? {})) edges.get(to)?.push(id);
  }
  return edges;
}

/** The steps from which some step of `from` is reached, forwards: with them. */
export function reached(edges: Edges, from: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(from);
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const [id, predecessors] of edges) if (predecessors.some((it) => found.has(it))) found.add(id);
  }
  return found;
}

/** The newest attempt at each step of a run. */
export const attemptsOf = (store: SimStore, key: number): ReadonlyMap<string, StepAttempt> =>
  new Map(latestAttempts([...(store.attempts.get(key)?.values() ?? [])]).map((attempt) => [attempt.stepId, attempt]));

export const isPartial = ({ config: { policy } }: Run): boolean =>
  policy === "RESTART_FROM_INCOMPLETE" || policy === "RESTART_FROM_SPECIFIC";

/** The step that a restart names in this very run. */
export const targetOf = ({ config: { policy, restart_config } }: Run): string | undefined =>
  policy === "RESTART_FROM_SPECIFIC" ? (restart_config?.restart_path.at(-1)?.step_id ?? undefined) : undefined;

/** What a run executes, and what of it it can come to. */
interface Reach {
  readonly nodes: ReadonlySet<string>;
  readonly reach: ReadonlySet<string>;
}

/** A restart runs what is not complete, what is named, and what follows them; of one that names a step, the rest is held. */
function reachOf(
  edges: Edges,
  run: Run,
  earlier: ReadonlyMap<string, StepAttempt> | undefined,
  own: ReadonlyMap<string, StepAttempt>,
): Reach {
  const all = new Set(edges.keys());
  if (earlier === undefined || !isPartial(run)) return { nodes: all, reach: all };
  const target = targetOf(run);
  const open = [...all].filter((id) => id === target || !isComplete(earlier.get(id)?.status ?? "NOT_CREATED"));
  const nodes = reached(edges, new Set(open));
  if (target === undefined) return { nodes, reach: nodes };
  const first = [...nodes].filter((id) => !(edges.get(id) ?? []).some((it) => nodes.has(it)));
  const held = reached(edges, new Set(first.filter((id) => id !== target && !own.has(id))));
  return { nodes, reach: new Set([...nodes].filter((id) => !held.has(id))) };
}

/**
 * What the runs of an instance before this one have made of its steps: of each step the newest attempt, unless a later run was
 * to come to it and did not.
 */
export function before(store: SimStore, run: Run): ReadonlyMap<string, StepAttempt> {
  const runs = store.runsOf(run).filter(({ runId }) => runId < run.runId);
  const edges = edgesOf(store, run);
  let newest: Map<string, StepAttempt> | undefined;
  for (const earlier of runs.slice(
    Math.max(
      0,
      runs.findLastIndex((it) => !isPartial(it)),
    ),
  )) {
    const own = attemptsOf(store, earlier.key);
    const { reach } = reachOf(edges, earlier, newest, own);
    newest = new Map([...(newest ?? [])].filter(([id]) => !reach.has(id)));
    for (const [id, attempt] of own) newest.set(id, attempt);
  }
  return newest ?? new Map();
}

/** Steps that a run executes. */
export function executed(store: SimStore, run: Run): ReadonlySet<string> {
  const earlier = run.runId > 1 && isPartial(run) ? before(store, run) : undefined;
  return reachOf(edgesOf(store, run), run, earlier, attemptsOf(store, run.key)).nodes;
}

/** What the instance is, once this run has ended. */
export function aggregated(store: SimStore, run: Run): RunStatus {
  const own = run.overview?.runStatus ?? shownRunStatus(run.status);
  const earlier = before(store, run);
  if (!isPartial(run) || own !== "SUCCEEDED") return own;
  const edges = edgesOf(store, run);
  const now = attemptsOf(store, run.key);
  const { reach: hidden } = reachOf(edges, run, earlier, now);
  const statuses = [...edges.keys()].map(
    (id) => (now.get(id) ?? (hidden.has(id) ? undefined : earlier.get(id)))?.status ?? "NOT_CREATED",
  );
  if (statuses.some(isFailed)) return "FAILED";
  if (statuses.includes("TIMED_OUT")) return "TIMED_OUT";
  if (statuses.includes("STOPPED")) return "STOPPED";
  if (statuses.every(isComplete)) return "SUCCEEDED";
  const previous = store.runsOf(run).findLast(({ runId }) => runId < run.runId) as Run;
  return shownRunStatus(previous.status);
}

/** Leaf steps by status. */
export type Leaves = Map<StepStatus, number>;

/**
 * Of a run that has ended, over the whole tree: of each step the attempt that counts, of each child the newest run. Undefined:
 * some child was left running.
 */
export function leavesOf(store: SimStore, run: Run): Leaves | undefined {
  if (!isOver(run)) return undefined;
  const leaves: Leaves = new Map();
  const own = attemptsOf(store, run.key);
  const runs = executed(store, run);
  const earlier = isPartial(run) ? before(store, run) : new Map<string, StepAttempt>();
  const nested = new Set(stepsOf(store, run).flatMap((step) => ("step" in step ? [] : [stepIdOf(step)])));
  for (const id of edgesOf(store, run).keys()) {
    const attempt = own.get(id) ?? (runs.has(id) ? undefined : earlier.get(id));
    if (attempt === undefined) continue;
    const below = childrenCounted(store, attempt);
    // A loop that an earlier run never entered is none.
    const isLeaf = below === undefined && (own.has(id) || !nested.has(id));
    if (isLeaf) leaves.set(attempt.status, (leaves.get(attempt.status) ?? 0) + 1);
    for (const child of below ?? []) {
      const counted = leavesOf(store, child);
      if (counted === undefined) return undefined;
      for (const [status, count] of counted) leaves.set(status, (leaves.get(status) ?? 0) + count);
    }
  }
  return leaves;
}

/** The runs whose leaves count for an attempt; undefined: it is a leaf itself. */
function childrenCounted(store: SimStore, { artifacts }: StepAttempt): readonly Run[] | undefined {
  const { maestro_foreach: foreach, maestro_while: loop, maestro_subworkflow: sub } = artifacts as Artifacts;
  const newest = (workflowId: string, ids: readonly number[]): readonly Run[] =>
    ids.flatMap((instanceId) => store.runsOf({ workflowId, instanceId }).at(-1) ?? []);
  if (foreach?.foreach_overview.details)
    return newest(
      foreach.foreach_workflow_id,
      idsIn(foreach).map(([, id]) => id),
    );
  if (loop && loop.last_iteration >= loop.first_iteration) {
    return newest(
      loop.loop_workflow_id,
      Array.from({ length: loop.last_iteration }, (_, index) => index + 1),
    );
  }
  if (sub?.subworkflow_overview) return newest(sub.subworkflow_id, [sub.subworkflow_instance_id]);
  return undefined;
}

/** Artifacts as readers see them. */
export interface Artifacts {
  readonly maestro_foreach?: ForeachSeen;
  readonly maestro_while?: {
    readonly loop_workflow_id: string;
    readonly loop_run_id: number;
    readonly first_iteration: number;
    readonly last_iteration: number;
  };
  readonly maestro_subworkflow?: {
    readonly subworkflow_id: string;
    readonly subworkflow_instance_id: number;
    readonly subworkflow_overview?: unknown;
  };
}

export interface ForeachSeen {
  readonly foreach_workflow_id: string;
  readonly foreach_run_id: number;
  readonly total_loop_count: number;
  readonly foreach_overview: {
    readonly stats?: Readonly<Record<string, number>>;
    readonly rollup?: { readonly total_leaf_count: number };
    readonly details?: Readonly<Record<string, readonly (number | readonly [number, number])[]>>;
  };
}

/** The iterations of an overview, with their statuses. */
export const idsIn = ({ foreach_overview: { details } }: ForeachSeen): readonly (readonly [string, number])[] =>
  Object.entries(details ?? {}).flatMap(([status, list]) =>
    list.flatMap((item) => {
      const [first, last] = typeof item === "number" ? [item, item] : item;
      return Array.from({ length: last - first + 1 }, (_, index) => [status, first + index] as const);
    }),
  );
