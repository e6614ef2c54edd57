import { describe, expect, test } from "bun:test";
import { aggregateRuns, type RunLayer } from "../../src/run/aggregate.ts";
import type { StepStatus } from "../../src/step/status.ts";

const STEPS = ["a", "b", "c"];

/** A run whose steps ended in these statuses. */
function layer(runId: number, more: Partial<RunLayer>, ended: Readonly<Record<string, StepStatus>>): RunLayer {
  const steps: { [status in StepStatus]?: [string, number, number][] } = {};
  for (const [id, status] of Object.entries(ended)) {
    steps[status] ??= [];
    steps[status].push([id, runId * 10, runId * 10 + 1]);
  }
  return {
    runId,
    policy: runId === 1 ? "START_FRESH_NEW_RUN" : "RESTART_FROM_SPECIFIC",
    status: "SUCCEEDED",
    overview: { total: 3, steps, rollup: { total_leaf_count: 0, overview: {} } },
    reach: STEPS,
    ...more,
  };
}

const statuses = (layers: readonly RunLayer[]) => {
  const { status, steps } = aggregateRuns(layers, STEPS);
  return [status, Object.fromEntries([...steps].map(([id, step]) => [id, `${step.status}@${step.runId ?? ""}`]))];
};

describe("an instance over its runs", () => {
  test("takes each step from the newest run that touched it", () => {
    const first = layer(1, { status: "FAILED" }, { a: "FATALLY_FAILED", b: "SUCCEEDED", c: "SUCCEEDED" });
    expect(statuses([first, layer(2, { reach: ["a"] }, { a: "SUCCEEDED" })])).toEqual([
      "SUCCEEDED",
      { a: "SUCCEEDED@2", b: "SUCCEEDED@1", c: "SUCCEEDED@1" },
    ]);
  });

  test("stays failed when a restart of one branch succeeds beside another that failed", () => {
    const first = layer(1, { status: "FAILED" }, { a: "FATALLY_FAILED", b: "FATALLY_FAILED" });
    const [status] = statuses([first, layer(2, { reach: ["a"] }, { a: "SUCCEEDED" })]);
    expect(status).toBe("FAILED");
  });

  test("ranks failed over timed out over stopped, and takes skipped and unsatisfied for success", () => {
    const restart = (ended: Record<string, StepStatus>) =>
      statuses([layer(1, { status: "FAILED" }, {}), layer(2, {}, ended)])[0];
    expect(restart({ a: "TIMED_OUT", b: "STOPPED", c: "USER_FAILED" })).toBe("FAILED");
    expect(restart({ a: "TIMED_OUT", b: "STOPPED", c: "SUCCEEDED" })).toBe("TIMED_OUT");
    expect(restart({ a: "SKIPPED", b: "STOPPED", c: "SUCCEEDED" })).toBe("STOPPED");
    expect(restart({ a: "SKIPPED", b: "UNSATISFIED", c: "COMPLETED_WITH_ERROR" })).toBe("SUCCEEDED");
  });

  test("keeps the earlier status while steps of a succeeded restart were never made", () => {
    const first = layer(1, { status: "STOPPED" }, { a: "SUCCEEDED" });
    expect(statuses([first, layer(2, { reach: ["b"] }, { b: "SUCCEEDED" })])).toEqual([
      "STOPPED",
      { a: "SUCCEEDED@1", b: "SUCCEEDED@2", c: "NOT_CREATED@" },
    ]);
  });

  test("shows steps that the current run will make again as not created", () => {
    const first = layer(1, { status: "FAILED" }, { a: "SUCCEEDED", b: "FATALLY_FAILED" });
    const live = layer(2, { status: "IN_PROGRESS", reach: ["b", "c"] }, {});
    expect(statuses([first, live])).toEqual([
      "IN_PROGRESS",
      { a: "SUCCEEDED@1", b: "NOT_CREATED@", c: "NOT_CREATED@" },
    ]);
  });

  test("is the run's own status when the run is fresh", () => {
    expect(statuses([layer(1, { status: "FAILED" }, { a: "SUCCEEDED" })])[0]).toBe("FAILED");
  });
});
