/** What `store/earlier.ts` reads, from a simulated store. */
import type { EarlierRows } from "../../src/flow/port.ts";
import type { Run, RunRef } from "../../src/run/model.ts";
import { latestAttempts } from "../../src/run/overview.ts";
import type { StepAttempt } from "../../src/step/model.ts";

interface Stored {
  readonly runs: ReadonlyMap<number, Run>;
  /** By run key. */
  readonly attempts: ReadonlyMap<number, ReadonlyMap<string, StepAttempt>>;
}

export const earlierIn = ({ runs, attempts }: Stored, refs: readonly RunRef[]): readonly EarlierRows[] =>
  refs.map(({ workflowId, instanceId, runId }) => {
    const before = [...runs.values()]
      .filter((run) => run.workflowId === workflowId && run.instanceId === instanceId && run.runId < runId)
      .sort((a, b) => a.runId - b.runId);
    const newest = new Map<string, StepAttempt>();
    for (const { key } of before) {
      for (const attempt of latestAttempts([...(attempts.get(key)?.values() ?? [])]))
        newest.set(attempt.stepId, attempt);
    }
    return { runs: before, attempts: [...newest.values()] };
  });
