import { describe, expect, test } from "bun:test";
import type { RestartConfig, RunPolicy } from "../../src/definition/restart.ts";
import { iterationNamed, keeps, type LoopStep, policyBeside } from "../../src/nested/again.ts";
import type { StoredChild } from "../../src/nested/child.ts";
import type { RunStatus } from "../../src/run/status.ts";

const LOOP = "maestro_foreach_x";
const node = (workflow_id: string, instance_id: number, step_id: string | null) => ({
  workflow_id,
  instance_id,
  step_id,
});

/** From the second iteration of the loop `each`. */
const pathOf = (downstream_policy: RunPolicy, ...path: RestartConfig["restart_path"]): RestartConfig => ({
  restart_path: path,
  restart_policy: "RESTART_FROM_BEGINNING",
  downstream_policy,
});
const NAMED = [node(LOOP, 2, "in"), node("w", 1, "each")];
const stepOf = (policy: RunPolicy, restart_config?: RestartConfig, own?: RestartConfig): LoopStep => ({
  ...{ type: "FOREACH", stepId: "each", workflowId: LOOP, config: { policy, restart_config }, own },
});
const child = (instanceId: number, status: RunStatus): StoredChild => ({
  ...{ workflowId: LOOP, instanceId, runId: 1, key: instanceId, groupId: 0, status, rollup: undefined },
});
const CHILDREN = [
  child(1, "SUCCEEDED"),
  child(2, "SUCCEEDED"),
  child(3, "FAILED"),
  child(4, "STOPPED"),
  child(5, "IN_PROGRESS"),
];
const kept = (step: LoopStep): readonly number[] => CHILDREN.filter(keeps(step)).map(({ instanceId }) => instanceId);

describe("the iterations of a foreach that count as they are", () => {
  test.each([
    ["from the beginning", stepOf("RESTART_FROM_BEGINNING"), []],
    ["of what is incomplete", stepOf("RESTART_FROM_INCOMPLETE"), [1, 2]],
    ["that leads to one", stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_BEGINNING", ...NAMED)), [1, 3, 4]],
    [
      "of the loop itself, with what is below from the beginning",
      stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_BEGINNING", node("w", 1, "each"))),
      [],
    ],
    [
      "of the loop itself, with what is incomplete below",
      stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_INCOMPLETE", node("w", 1, "each"))),
      [1, 2],
    ],
    [
      "of another step",
      stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_INCOMPLETE", node(LOOP, 2, "in"), node("w", 1, "other"))),
      [1, 2],
    ],
    [
      "of the step in a live run, which counts instead of the run's",
      stepOf("RESTART_FROM_BEGINNING", undefined, pathOf("RESTART_FROM_INCOMPLETE", node("w", 1, "each"))),
      [1, 2],
    ],
  ] as const)("in a restart %s", (_, step, ids) => {
    expect(kept(step)).toEqual(ids as readonly number[]);
  });
});

test("a restart names an iteration of its own loop only", () => {
  expect(iterationNamed(stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_BEGINNING", ...NAMED)))).toBe(2);
  const elsewhere = pathOf("RESTART_FROM_BEGINNING", node("other", 2, "in"), node("w", 1, "each"));
  expect(iterationNamed(stepOf("RESTART_FROM_SPECIFIC", elsewhere))).toBeUndefined();
  expect(iterationNamed(stepOf("RESTART_FROM_INCOMPLETE"))).toBeUndefined();
});

test("other iterations are made again by the downstream policy", () => {
  const step = stepOf("RESTART_FROM_SPECIFIC", pathOf("RESTART_FROM_INCOMPLETE", ...NAMED));
  expect(policyBeside(step)).toBe("RESTART_FROM_INCOMPLETE");
  expect(policyBeside(stepOf("RESTART_FROM_BEGINNING"))).toBe("RESTART_FROM_BEGINNING");
});
