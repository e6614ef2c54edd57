import { describe, expect, test } from "bun:test";
import type { RestartConfig, RunPolicy } from "../../src/definition/restart.ts";
import type { LoopStep } from "../../src/nested/again.ts";
import { stateOf } from "../../src/nested/child.ts";
import type { LoopParam } from "../../src/nested/loop.ts";
import {
  beginWhile,
  handOn,
  hasValues,
  iterationEnded,
  launchNext,
  resumption,
  valuesOf,
  type WhileArtifact,
  type WhileHead,
} from "../../src/nested/while.ts";
import type { OverviewView } from "../../src/run/view.ts";
import type { StepAttempt } from "../../src/step/model.ts";

const LOOP = "maestro_while_x";
const HEAD: WhileHead = {
  ...{ loop_workflow_id: LOOP, loop_identity: "", loop_run_id: 2, run_policy: "RESTART_FROM_INCOMPLETE", run_id: 2 },
};
const PARAMS: readonly LoopParam[] = [{ name: "n", type: "LONG", result: 0 }];
const leaves = (count: number) => ({ total_leaf_count: count, overview: { SUCCEEDED: { cnt: count } } });
const overview = (count: number) => ({ rollup_overview: leaves(count) }) as OverviewView;
/** Three iterations, of which the last one has failed. */
const BEFORE: WhileArtifact = {
  ...beginWhile({ ...HEAD, loop_run_id: 1 }, PARAMS),
  ...{ last_iteration: 3, last_status: "FAILED", rollup: leaves(2), loop_param_values: { n: [0, 5, 7] } },
};
const CHILDREN = [1, 2, 3].map((instanceId) => ({
  ...{ workflowId: LOOP, instanceId, runId: 1, key: instanceId, groupId: 0 },
  ...{ status: instanceId < 3 ? "SUCCEEDED" : "FAILED", rollup: leaves(instanceId) },
})) as Parameters<typeof resumption>[2];

function stepOf(policy: RunPolicy, iteration?: number): LoopStep {
  const restart_config: RestartConfig | undefined =
    iteration === undefined
      ? undefined
      : {
          restart_path: [
            { workflow_id: LOOP, instance_id: iteration, step_id: "in" },
            { workflow_id: "w", instance_id: 1, step_id: "loop" },
          ],
          restart_policy: "RESTART_FROM_SPECIFIC",
          downstream_policy: "RESTART_FROM_INCOMPLETE",
        };
  return { type: "WHILE", stepId: "loop", workflowId: LOOP, config: { policy, restart_config }, own: undefined };
}

describe("where a restart resumes", () => {
  test("from the beginning: nowhere", () => {
    expect(resumption(stepOf("RESTART_FROM_BEGINNING"), BEFORE, CHILDREN)).toBeUndefined();
  });

  test("of what is incomplete: at the last iteration, with what those before it have left", () => {
    expect(resumption(stepOf("RESTART_FROM_INCOMPLETE"), BEFORE, CHILDREN)).toEqual({
      ...{ first: 3, values: { n: [0, 5, 7] }, rollup: leaves(3) },
    });
  });

  test("of one iteration: there", () => {
    expect(resumption(stepOf("RESTART_FROM_SPECIFIC", 2), BEFORE, CHILDREN)).toEqual({
      ...{ first: 2, values: { n: [0, 5] }, rollup: leaves(1) },
    });
    expect(resumption(stepOf("RESTART_FROM_SPECIFIC", 3), BEFORE, CHILDREN)?.first).toBe(3);
  });

  test("of one that there was not: is refused", () => {
    expect(() => resumption(stepOf("RESTART_FROM_SPECIFIC", 4), BEFORE, CHILDREN)).toThrow(
      "Iteration [4] was never run: the loop had 3 iterations",
    );
  });

  test("of a loop that had no iteration: nowhere", () => {
    expect(resumption(stepOf("RESTART_FROM_INCOMPLETE"), beginWhile(HEAD, PARAMS), [])).toBeUndefined();
  });
});

describe("a while", () => {
  test("begins before its first iteration, or where it resumes", () => {
    expect(beginWhile(HEAD, PARAMS)).toMatchObject({
      ...{ first_iteration: 1, last_iteration: 0, loop_param_values: { n: [0] }, rollup: { total_leaf_count: 0 } },
    });
    const resumed = { first: 3, values: { n: [0, 5, 7] }, rollup: leaves(3) };
    expect(beginWhile(HEAD, PARAMS, resumed)).toMatchObject({
      ...{ first_iteration: 3, last_iteration: 2, loop_param_values: { n: [0, 5, 7] }, rollup: leaves(3) },
    });
  });

  test("hands on scalars only", () => {
    expect(() => beginWhile(HEAD, [{ name: "l", type: "LONG_ARRAY", result: [1] }])).toThrow(
      "loop_params.l is a LONG_ARRAY; a while hands on STRING, LONG, DOUBLE or BOOLEAN",
    );
  });

  test("adds up the leaves of all iterations but the last", () => {
    let artifact = launchNext(beginWhile(HEAD, PARAMS));
    expect([artifact.last_iteration, artifact.last_status, artifact.rollup.total_leaf_count]).toEqual([
      1,
      "IN_PROGRESS",
      0,
    ]);
    artifact = iterationEnded(artifact, "SUCCEEDED", overview(4));
    expect([artifact.last_status, artifact.last_overview?.rollup_overview, artifact.rollup.total_leaf_count]).toEqual([
      ...["SUCCEEDED", leaves(4), 0],
    ] as never);
    artifact = launchNext(artifact);
    expect([artifact.last_iteration, artifact.last_overview, artifact.rollup]).toEqual([2, undefined, leaves(4)]);
  });
});

describe("what an iteration hands on", () => {
  const attempt = (stepInstanceId: number, params: Record<string, unknown>): StepAttempt =>
    ({ stepId: `s${stepInstanceId}`, stepInstanceId, params }) as unknown as StepAttempt;
  const set = (result: unknown) => ({ type: "LONG", evaluated_result: result });

  test("is what the last of its steps says that has such a param", () => {
    const steps = [attempt(2, { n: set(2) }), attempt(1, { n: set(1) }), attempt(3, { other: set(3) })];
    const artifact = handOn(launchNext(beginWhile(HEAD, PARAMS)), steps);
    expect(artifact.loop_param_values).toEqual({ n: [0, 2] });
    expect([valuesOf(artifact, 1, PARAMS)[0]?.result, valuesOf(artifact, 2, PARAMS)[0]?.result]).toEqual([0, 2]);
  });

  test("stays as it was where no step says anything", () => {
    expect(handOn(BEFORE, [attempt(1, { n: { type: "LONG" } })]).loop_param_values).toEqual({ n: [0, 5, 7, 7] });
  });

  test("is known before the iteration after it", () => {
    const artifact = launchNext(beginWhile(HEAD, PARAMS));
    expect([hasValues(artifact, 1), hasValues(artifact, 2), hasValues(handOn(artifact, []), 2)]).toEqual([
      true,
      false,
      true,
    ]);
  });
});

test("a step that waits for one child is what the child is", () => {
  const statuses = ["SUCCEEDED", "FAILED", "STOPPED", "TIMED_OUT", "CREATED", "IN_PROGRESS"] as const;
  expect(statuses.map(stateOf)).toEqual(["DONE", "FATAL_ERROR", "STOPPED", "TIMED_OUT", "CONTINUE", "CONTINUE"]);
});
