/** What the tables of a simulated database answer to steps that have started runs. */
import type { FlowStore } from "../../src/flow/port.ts";
import type { Run } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import { isOver, shownRunStatus } from "../../src/run/status.ts";
import type { StepAttempt } from "../../src/step/model.ts";

export interface RunTables {
  readonly runs: ReadonlyMap<number, Run>;
  readonly attempts: ReadonlyMap<number, ReadonlyMap<string, StepAttempt>>;
  /** Keys of the runs of a workflow, if they are known without a look at all. */
  keysOf?(workflowId: string): Iterable<number>;
}

type Reads = "iterations" | "latestRuns" | "attemptBefore" | "latestRun" | "runOfRequest" | "endedOf" | "attemptsOf";

/** Each read as one atomic look at the tables. */
export function childReads(tables: RunTables): {
  readonly [read in Reads]: (...args: Parameters<FlowStore[read]>) => Awaited<ReturnType<FlowStore[read]>>;
} {
  const { runs, attempts } = tables;
  const ofWorkflow = (workflowId: string): Run[] => {
    const keys = tables.keysOf?.(workflowId) ?? runs.keys();
    const own = [...keys].flatMap((key) => runs.get(key) ?? []).filter((run) => run.workflowId === workflowId);
    return own.sort((a, b) => a.runId - b.runId);
  };
  return {
    iterations(workflowId) {
      const newest = new Map(ofWorkflow(workflowId).map((run) => [run.instanceId, run]));
      const children = [...newest.values()].sort((a, b) => a.instanceId - b.instanceId);
      return children.map((run) => ({ ...run, status: shownRunStatus(run.status), rollup: run.overview?.rollup }));
    },
    latestRun: (workflowId, instanceId) => ofWorkflow(workflowId).findLast((run) => run.instanceId === instanceId),
    runOfRequest: (workflowId, uuid) => ofWorkflow(workflowId).find((run) => run.uuid === uuid),
    latestRuns(workflowId, instanceIds) {
      const newest = new Map(ofWorkflow(workflowId).map((run) => [run.instanceId, run]));
      return instanceIds.flatMap((id) => newest.get(id) ?? []);
    },
    attemptBefore({ workflowId, instanceId, runId }, stepId, attemptId) {
      const found = ofWorkflow(workflowId)
        .filter((run) => run.instanceId === instanceId && run.runId <= runId)
        .flatMap((run) => {
          const ofStep = [...(attempts.get(run.key)?.values() ?? [])].filter((it) => it.stepId === stepId);
          return ofStep.filter((it) => run.runId < runId || it.attemptId < attemptId);
        });
      return found.findLast(({ artifacts }) => Object.keys(artifacts).length > 0);
    },
    endedOf: (keys) => keys.flatMap((key) => runs.get(key) ?? []).filter(isOver),
    attemptsOf: (key) =>
      [...latestAttempts([...(attempts.get(key)?.values() ?? [])])].sort((a, b) => a.stepInstanceId - b.stepInstanceId),
  };
}
