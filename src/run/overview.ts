/** What a run looks like by step status: its own steps, and the leaf steps of the whole tree below it. */
import { isJsonObject } from "../json.ts";
import type { StepAttempt } from "../step/model.ts";
import { STEP_STATUS, type StepStatus } from "../step/status.ts";
import type { RollupOverview, RunOverview, RunRef } from "./model.ts";
import type { DoneStep } from "./plan.ts";

type Row = readonly [stepId: string, start: number | null, end: number | null];
type Count = NonNullable<RollupOverview["overview"][StepStatus]>;

export const EMPTY_ROLLUP: RollupOverview = { total_leaf_count: 0, overview: {} };

/** The newest attempt at each step, in the order in which the steps first appear. */
export function latestAttempts(attempts: readonly StepAttempt[]): readonly StepAttempt[] {
  const latest = new Map<string, StepAttempt>();
  for (const attempt of attempts) {
    const known = latest.get(attempt.stepId);
    if (known === undefined || known.attemptId < attempt.attemptId) latest.set(attempt.stepId, attempt);
  }
  return [...latest.values()];
}

/**
 * @param total steps of the run's graph.
 * @param attempts all or the newest ones; only the newest of each step counts.
 * @param base leaves of steps outside this run's graph (restarts).
 * @param live leaves below steps that are under way, where the rows of their children have been counted.
 */
export function runOverview(
  run: RunRef,
  total: number,
  attempts: readonly StepAttempt[],
  base: RollupOverview = EMPTY_ROLLUP,
  live: ReadonlyMap<string, RollupOverview> = NOTHING_LIVE,
): RunOverview {
  const latest = latestAttempts(attempts).filter((attempt) => attempt.status !== "NOT_CREATED");
  const steps: { [status in StepStatus]?: Row[] } = {};
  for (const { status, stepId, times } of latest) {
    steps[status] ??= [];
    steps[status].push([stepId, times.start_time ?? null, times.end_time ?? null]);
  }
  return {
    total,
    steps,
    rollup: addRollups([base, ...latest.map((attempt) => live.get(attempt.stepId) ?? leaves(run, attempt))]),
  };
}

const NOTHING_LIVE: ReadonlyMap<string, RollupOverview> = new Map();

/** Sums counts and joins references. */
export function addRollups(parts: readonly RollupOverview[]): RollupOverview {
  const sum = new RollupSum();
  for (const part of parts) sum.add(part);
  return sum.value;
}

/** A rollup that grows. */
export class RollupSum {
  #total = 0;
  readonly #counts = new Map<StepStatus, { cnt: number; ref: Map<string, string[]> }>();

  add({ total_leaf_count, overview }: RollupOverview): void {
    this.#total += total_leaf_count;
    for (const [status, { cnt, ref }] of Object.entries(overview ?? {}) as [StepStatus, Count][]) {
      let sum = this.#counts.get(status);
      if (sum === undefined) {
        sum = { cnt: 0, ref: new Map() };
        this.#counts.set(status, sum);
      }
      sum.cnt += cnt;
      for (const [run, steps] of Object.entries(ref ?? {})) {
        const known = sum.ref.get(run);
        if (known === undefined) sum.ref.set(run, [...steps]);
        else for (const step of steps) known.push(step);
      }
    }
  }

  /** Takes back what was added. */
  subtract({ total_leaf_count, overview }: RollupOverview): void {
    this.#total -= total_leaf_count;
    for (const [status, { cnt, ref }] of Object.entries(overview ?? {}) as [StepStatus, Count][]) {
      const sum = this.#counts.get(status);
      if (sum === undefined) continue;
      sum.cnt -= cnt;
      for (const [run, steps] of Object.entries(ref ?? {})) {
        const gone = new Set(steps);
        const left = sum.ref.get(run)?.filter((step) => !gone.has(step)) ?? [];
        if (left.length > 0) sum.ref.set(run, left);
        else sum.ref.delete(run);
      }
      if (sum.cnt <= 0) this.#counts.delete(status);
    }
  }

  get value(): RollupOverview {
    const counts = [...this.#counts].map(([status, { cnt, ref }]) => {
      const named = [...ref].map(([run, steps]) => [run, [...steps]] as const);
      return [status, { cnt, ...(named.length > 0 && { ref: Object.fromEntries(named) }) }] as const;
    });
    return { total_leaf_count: this.#total, overview: Object.fromEntries(counts) };
  }
}

/**
 * The leaves of the steps that a run leaves as earlier runs have made them: of one whose work were other runs, those of its
 * children; any other is one leaf.
 * @param done by step
 */
export function rollupBase(run: RunRef, done: Iterable<Omit<DoneStep, "runId">>): RollupOverview {
  const parts = [...done].map(({ status, attempt, isNested }) => {
    if (isNested) return (attempt && childLeaves(attempt)) ?? EMPTY_ROLLUP;
    return attempt ? leaves(run, attempt) : { total_leaf_count: 1, overview: { [status]: { cnt: 1 } } };
  });
  return addRollups(parts);
}

/** One leaf, unless the attempt has children that report their own. */
function leaves(run: RunRef, attempt: StepAttempt): RollupOverview {
  return childLeaves(attempt) ?? { total_leaf_count: 1, overview: { [attempt.status]: oneLeaf(run, attempt) } };
}

function oneLeaf(run: RunRef, attempt: StepAttempt): Count {
  if (!STEP_STATUS[attempt.status].referenced) return { cnt: 1 };
  const reference = `${run.instanceId}:${attempt.stepId}:${attempt.attemptId}`;
  return { cnt: 1, ref: { [`${run.workflowId}:${run.runId}`]: [reference] } };
}

/** Leaf steps below an attempt, as far as they are told. */
export const leafCount = (attempt: StepAttempt): number => childLeaves(attempt)?.total_leaf_count ?? 1;

/** Its work are other runs, of which its artifacts tell. */
export const hasChildren = ({ artifacts }: Pick<StepAttempt, "artifacts">): boolean =>
  artifacts.maestro_foreach !== undefined ||
  artifacts.maestro_while !== undefined ||
  artifacts.maestro_subworkflow !== undefined;

/** The leaves that a loop's or a subworkflow's artifact has gathered; undefined before there are any. */
function childLeaves({ artifacts }: StepAttempt): RollupOverview | undefined {
  const foreach = member(artifacts.maestro_foreach, "foreach_overview");
  if (foreach !== undefined && Number(member(foreach, "checkpoint") ?? 0) > 0) {
    return addRollups([rollupIn(foreach, "rollup"), rollupIn(foreach, "running_rollup")]);
  }
  const loop = artifacts.maestro_while;
  if (loop !== undefined && Number(loop.last_iteration) >= Number(loop.first_iteration)) {
    return addRollups([rollupIn(loop, "rollup"), rollupIn(loop.last_overview, "rollup_overview")]);
  }
  const child = member(artifacts.maestro_subworkflow, "subworkflow_overview");
  return child === undefined ? undefined : rollupIn(child, "rollup_overview");
}

const member = (value: unknown, key: string): unknown => (isJsonObject(value) ? (value[key] ?? undefined) : undefined);

function rollupIn(value: unknown, key: string): RollupOverview {
  const found = member(value, key);
  return isJsonObject(found) ? (found as unknown as RollupOverview) : EMPTY_ROLLUP;
}
