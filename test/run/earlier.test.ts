import { describe, expect, test } from "bun:test";
import type { RunPolicy } from "../../src/definition/restart.ts";
import type { Step } from "../../src/definition/step.ts";
import type { Workflow } from "../../src/definition/workflow.ts";
import { aggregateOf, type EndedRun } from "../../src/run/earlier.ts";
import type { RunOverview } from "../../src/run/model.ts";
import { stepRestart } from "../../src/run/restart.ts";
import type { RunStatus, StoredRunStatus } from "../../src/run/status.ts";
import type { StepStatus } from "../../src/step/status.ts";

const step = (id: string, ...successors: string[]): Step => ({
  step: { id, type: "NoOp", transition: { successors: Object.fromEntries(successors.map((to) => [to, "true"])) } },
});

/** Two branches: a ─▶ b, and c ─▶ d. */
const DEFINITION: Workflow = { id: "w", steps: [step("a", "b"), step("b"), step("c", "d"), step("d")] };

interface Given {
  readonly policy?: RunPolicy;
  readonly step?: string;
  readonly status: StoredRunStatus;
  readonly own?: RunOverview["runStatus"];
  readonly ended: Readonly<Record<string, StepStatus>> | undefined;
}

function runs(...given: readonly Given[]): readonly EndedRun[] {
  return given.map(({ policy = "START_FRESH_NEW_RUN", step, status, own, ended }, index): EndedRun => {
    const steps: { [status in StepStatus]?: [string, number, number][] } = {};
    for (const [id, reached] of Object.entries(ended ?? {})) {
      steps[reached] ??= [];
      steps[reached].push([id, 1, 2]);
    }
    const rollup = { total_leaf_count: 0, overview: {} };
    return {
      ...{ workflowId: "w", internalId: 1, versionId: 1, runId: index + 1, status },
      initiator: { type: "MANUAL", depth: 0 },
      config: {
        policy,
        ...(step && {
          restart_config: stepRestart({ workflowId: "w", instanceId: 1 }, step, "RESTART_FROM_INCOMPLETE", undefined)
            .config,
        }),
      },
      overview: ended && { total: 4, steps, rollup, ...(own && { runStatus: own }) },
    };
  });
}

const shown = (given: readonly EndedRun[]): readonly [RunStatus, readonly string[]] => {
  const { status, steps } = aggregateOf(given, DEFINITION);
  return [status, [...steps].map(([id, it]) => `${id} ${it.status} ${it.runId ?? "-"}`).sort()];
};

const BOTH_FAILED: Given = { status: "FAILED_2", ended: { a: "FATALLY_FAILED", c: "STOPPED" } };

describe("the runs of an instance", () => {
  test("one branch made good leaves the other as it was", () => {
    const one: Given = {
      ...{ policy: "RESTART_FROM_SPECIFIC", step: "a", status: "STOPPED", own: "SUCCEEDED" },
      ended: { a: "SUCCEEDED", b: "SUCCEEDED" },
    };
    expect(shown(runs(BOTH_FAILED, one))).toEqual([
      "STOPPED",
      ["a SUCCEEDED 2", "b SUCCEEDED 2", "c STOPPED 1", "d NOT_CREATED -"],
    ]);
    const rest: Given = {
      policy: "RESTART_FROM_INCOMPLETE",
      status: "SUCCEEDED",
      ended: { c: "SUCCEEDED", d: "SKIPPED" },
    };
    expect(shown(runs(BOTH_FAILED, one, rest))).toEqual([
      "SUCCEEDED",
      ["a SUCCEEDED 2", "b SUCCEEDED 2", "c SUCCEEDED 3", "d SKIPPED 3"],
    ]);
  });

  test("what a restart was to make again and did not come to counts as never made", () => {
    const done: Given = {
      status: "SUCCEEDED",
      ended: { a: "SUCCEEDED", b: "SUCCEEDED", c: "SUCCEEDED", d: "SUCCEEDED" },
    };
    const again: Given = {
      policy: "RESTART_FROM_SPECIFIC",
      step: "a",
      status: "FAILED",
      ended: { a: "FATALLY_FAILED" },
    };
    expect(shown(runs(done, again))).toEqual([
      "FAILED",
      ["a FATALLY_FAILED 2", "b NOT_CREATED -", "c SUCCEEDED 1", "d SUCCEEDED 1"],
    ]);
  });

  test("a run from the beginning wipes out what was before it", () => {
    const whole: Given = {
      policy: "RESTART_FROM_BEGINNING",
      status: "FAILED",
      ended: { a: "SUCCEEDED", c: "TIMED_OUT" },
    };
    expect(shown(runs(BOTH_FAILED, whole))).toEqual([
      "FAILED",
      ["a SUCCEEDED 2", "b NOT_CREATED -", "c TIMED_OUT 2", "d NOT_CREATED -"],
    ]);
    const later = shown(runs(BOTH_FAILED, BOTH_FAILED, whole))[1];
    expect(later).toEqual(shown(runs(BOTH_FAILED, whole))[1].map((line) => line.replace("2", "3")));
  });

  test("a restart that was stopped before it began has made nothing", () => {
    const stopped: Given = { policy: "RESTART_FROM_INCOMPLETE", status: "STOPPED", ended: undefined };
    expect(shown(runs(BOTH_FAILED, stopped))).toEqual([
      "STOPPED",
      ["a NOT_CREATED -", "b NOT_CREATED -", "c NOT_CREATED -", "d NOT_CREATED -"],
    ]);
  });

  test("a step that was held and then restarted by hand counts with what follows it", () => {
    const one: Given = {
      ...{ policy: "RESTART_FROM_SPECIFIC", step: "a", status: "FAILED" },
      ended: { a: "SUCCEEDED", b: "SUCCEEDED", c: "FATALLY_FAILED" },
    };
    expect(shown(runs(BOTH_FAILED, one))[1]).toContain("c FATALLY_FAILED 2");
  });
});
