/**
 * What has become of a workflow instance over all its runs: for each step, the newest run that touched it; for the
 * instance, the latest run's status, unless a restart succeeded beside steps that an earlier run left failed.
 */
import { isFresh, type RunPolicy } from "../definition/restart.ts";
import { isComplete, isFailed, type StepStatus } from "../step/status.ts";
import type { RunOverview } from "./model.ts";
import type { RunStatus } from "./status.ts";

export interface StepAggregate {
  readonly runId: number | undefined;
  readonly status: StepStatus;
  readonly start: number | undefined;
  readonly end: number | undefined;
}

export interface Aggregate {
  readonly status: RunStatus;
  readonly steps: ReadonlyMap<string, StepAggregate>;
}

/** One run of the instance, as far as the aggregate looks at it. */
export interface RunLayer {
  readonly runId: number;
  readonly policy: RunPolicy;
  /** This run's own. */
  readonly status: RunStatus;
  /** Undefined before the launch. */
  readonly overview: RunOverview | undefined;
  /** Steps that this run executes or will execute. */
  readonly reach: Iterable<string>;
}

const NOT_CREATED: StepAggregate = { runId: undefined, status: "NOT_CREATED", start: undefined, end: undefined };

/** Of an instance without runs. */
export const NO_RUNS: Aggregate = { status: "CREATED", steps: new Map() };

/**
 * @param layers the runs in ascending order, at least one.
 * @param definition ids of the definition's top-level steps.
 */
export const aggregateRuns = (layers: readonly RunLayer[], definition: Iterable<string>): Aggregate =>
  layers.reduce((aggregate, layer) => addRun(aggregate, layer, definition), NO_RUNS);

/** What the instance is with one more run. */
export function addRun(before: Aggregate, layer: RunLayer, definition: Iterable<string>): Aggregate {
  const steps = new Map(before.steps);
  const touched = overlay(steps, layer);
  for (const id of layer.reach) if (!touched.has(id)) steps.set(id, NOT_CREATED);
  for (const id of definition) if (!steps.has(id)) steps.set(id, NOT_CREATED);
  return { status: aggregateStatus(layer, steps, before.status), steps };
}

/** Lays a run's steps over those of the runs before it. */
function overlay(steps: Map<string, StepAggregate>, layer: RunLayer): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const [status, rows] of Object.entries(layer.overview?.steps ?? {})) {
    for (const [id, start, end] of rows) {
      touched.add(id);
      steps.set(id, {
        runId: layer.runId,
        status: status as StepStatus,
        start: start ?? undefined,
        end: end ?? undefined,
      });
    }
  }
  return touched;
}

/** @param previous the aggregated status before this run. */
function aggregateStatus(
  layer: Pick<RunLayer, "policy" | "status">,
  steps: ReadonlyMap<string, Pick<StepAggregate, "status">>,
  previous: RunStatus,
): RunStatus {
  if (isFresh(layer.policy) || layer.status !== "SUCCEEDED") return layer.status;
  const statuses = [...steps.values()].map((step) => step.status);
  if (statuses.some(isFailed)) return "FAILED";
  if (statuses.includes("TIMED_OUT")) return "TIMED_OUT";
  if (statuses.includes("STOPPED")) return "STOPPED";
  return statuses.every(isComplete) ? "SUCCEEDED" : previous;
}
